use std::{sync::Arc, time::Duration};

use roomkey_model::{AdminRole, Failure, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::users::BY_OPERATOR;
use crate::{
    admin::{Page, PageState},
    audit::Event,
    control::{Command, Operator},
};

/// An admin, as operators see one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Admin {
    pub(crate) name: String,
    pub(crate) role: AdminRole,
    pub(crate) created: Timestamp,
    /// When the last login was.
    pub(crate) seen: Option<Timestamp>,
}

impl From<roomkey_store::Admin> for Admin {
    fn from(admin: roomkey_store::Admin) -> Self {
        Self { name: admin.name, role: admin.role, created: admin.created, seen: admin.seen }
    }
}

/// Adds somebody who may open the admin page.
#[derive(Serialize, Deserialize)]
pub(crate) struct Add {
    pub(crate) name: String,
    pub(crate) role: AdminRole,
    pub(crate) password: String,
}

/// Who was added, and where to log in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Added {
    pub(crate) admin: Admin,
    pub(crate) page: Page,
}

/// For a running server to open the page.
const PATIENCE: Duration = Duration::from_secs(5);

impl Command for Add {
    type Answer = Added;

    const PATH: &'static str = "/admins/add";

    async fn run(self, operator: Arc<Operator>) -> Result<Added, Failure> {
        let admin = operator.admins.add(&self.name, self.role, &self.password).await?;
        let what = format!("add admin {} ({})", admin.name, admin.role.as_str());
        operator.record(Event::AdminAction, BY_OPERATOR, &what);
        let mut page = operator.admins.page();
        if operator.is_serving {
            // Whether it is there or cannot be: in the end the answer is what is known then.
            let settled = page.wait_for(|page| page.state != PageState::Closed);
            _ = timeout(PATIENCE, settled).await;
        }
        let page = page.borrow().clone();
        Ok(Added { admin: admin.into(), page })
    }
}

/// All admins, by name.
#[derive(Serialize, Deserialize)]
pub(crate) struct List {}

/// Who there is, and where they log in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) admins: Vec<Admin>,
    pub(crate) page: Page,
}

impl Command for List {
    type Answer = Listed;

    const PATH: &'static str = "/admins/list";

    async fn run(self, operator: Arc<Operator>) -> Result<Listed, Failure> {
        let admins = operator.admins.list().await?.into_iter().map(Admin::from).collect();
        let page = operator.admins.page().borrow().clone();
        Ok(Listed { admins, page })
    }
}

/// Removes one, and ends the sessions.
#[derive(Serialize, Deserialize)]
pub(crate) struct Remove {
    pub(crate) name: String,
}

impl Command for Remove {
    type Answer = ();

    const PATH: &'static str = "/admins/remove";

    async fn run(self, operator: Arc<Operator>) -> Result<(), Failure> {
        operator.admins.remove(&self.name).await?;
        operator.record(Event::AdminAction, BY_OPERATOR, &format!("remove admin {}", self.name));
        Ok(())
    }
}

/// Gives one another password, and ends the sessions.
#[derive(Serialize, Deserialize)]
pub(crate) struct Passwd {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl Command for Passwd {
    type Answer = ();

    const PATH: &'static str = "/admins/passwd";

    async fn run(self, operator: Arc<Operator>) -> Result<(), Failure> {
        operator.admins.set_password(&self.name, &self.password).await?;
        operator.record(Event::PasswordChanged, BY_OPERATOR, &format!("admin {}", self.name));
        Ok(())
    }
}

//! The admin page: what those who run the server see of it, and what they do about it.
//!
//! It has a listener, accounts and sessions of its own, which have nothing to do with those of users: no token of a user
//! counts here, and no session of an admin anywhere else. Nothing listens until there is an admin. It is served on the
//! main thread's runtime, so that no shard ever does. What keeps the time of the chat, revalidation and the commands of
//! operators run there, too: whatever walks over all that there is lets them have their turn. What it asks of shards
//! holds their locks for moments that do not grow with the number of connections (`hub::Shard::copy_rooms`,
//! `revocation::SocketIndex`).

mod actions;
mod admins;
mod connections;
mod decisions;
mod explain;
mod guard;
mod listener;
mod live;
mod login;
mod mass;
mod pages;
mod paging;
mod process;
mod rooms;
mod routes;
mod samples;
mod selection;
mod sessions;
mod users;

use std::{net::SocketAddr, sync::Arc};

use roomkey_auth::SecretDigest;

use self::{mass::MassRate, samples::Samples};
use crate::{Origin, config::Config, context::Context, rates::Places, rest::Api};

pub(crate) use admins::{Admins, AdminsParts, Page, PageState};

/// All that the admin page shows and does.
pub(crate) struct AdminPage {
    api: Arc<Api>,
    admins: Arc<Admins>,
    listen: SocketAddr,
    /// Where browsers find it through a proxy.
    url: Option<Origin>,
    samples: Samples,
    mass_rate: MassRate,
    /// The live streams of each session.
    streams: Places<SecretDigest>,
}

impl AdminPage {
    /// `None` where the page is switched off.
    pub(crate) fn new(config: &Config, api: Arc<Api>, admins: Arc<Admins>) -> Option<Self> {
        let admin = &config.admin;
        if !admin.enabled {
            return None;
        }
        let url = admin.url.as_ref().map(|url| url.0.clone());
        let (samples, mass_rate) = (Samples::default(), MassRate::new(&api.limits));
        api.server.context.audit.recent().keep();
        let streams = Places::default();
        Some(Self { api, admins, listen: admin.listen, url, samples, mass_rate, streams })
    }

    fn context(&self) -> &Context {
        &self.api.server.context
    }

    /// Serves it whenever there is an admin, for as long as it is polled.
    pub(crate) async fn run(self) {
        listener::run(Arc::new(self)).await;
    }
}

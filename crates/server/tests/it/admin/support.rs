//! A product whose admin page is open, and admins who use it.

use std::net::SocketAddr;

use roomkey_testkit::HttpClient;
use serde_json::{Value, json};

use crate::product::{Answer, Call, TestProduct};

pub(crate) const ADMIN_PASSWORD: &str = "a horse that staples batteries";

/// What a configuration has to say so that tests do not meet.
pub(crate) const ANY_PORT: &str = "[admin]\nlisten = \"127.0.0.1:0\"\n";

/// An admin page with the admin `root` and the viewer `eve`.
pub(crate) struct Desk {
    pub(crate) product: TestProduct,
    pub(crate) address: SocketAddr,
}

/// An admin who is logged in.
#[derive(Clone)]
pub(crate) struct Admin(pub(crate) String);

impl Desk {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With whatever else this configuration says about `[auth]`.
    pub(crate) fn start_with(auth: &str) -> Self {
        let product = TestProduct::start(&format!("{auth}\n{ANY_PORT}"));
        add(&product, "root", "admin");
        add(&product, "eve", "viewer");
        Self { address: address(&product), product }
    }

    /// Where it is after a restart.
    pub(crate) fn find_again(&mut self) {
        roomkey_testkit::eventually("the page is open", || page(&self.product)["state"] == "open");
        self.address = address(&self.product);
    }

    #[track_caller]
    pub(crate) fn log_in(&self, name: &str) -> Admin {
        let answer = self.try_log_in(name, ADMIN_PASSWORD);
        assert_eq!(answer.status, 200, "{}", answer.response.body);
        Admin(answer.cookie("__Host-roomkey-admin").expect("a cookie").0)
    }

    pub(crate) fn try_log_in(&self, name: &str, password: &str) -> Answer {
        self.send("POST", "/api/login", &own(&json!({ "name": name, "password": password })))
    }

    pub(crate) fn send(&self, method: &str, path: &str, call: &Call) -> Answer {
        call.send_to(self.address, method, path)
    }

    pub(crate) fn get(&self, admin: &Admin, path: &str) -> Answer {
        self.send("GET", path, &Call::default().header("Cookie", &admin.cookie()))
    }

    /// What is answered with 200.
    #[track_caller]
    pub(crate) fn see(&self, admin: &Admin, path: &str) -> Value {
        let answer = self.get(admin, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.response.body);
        answer.json
    }

    pub(crate) fn post(&self, admin: &Admin, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &own(body).header("Cookie", &admin.cookie()))
    }

    /// What is done, and answered with 200.
    #[track_caller]
    pub(crate) fn act(&self, admin: &Admin, path: &str, body: &Value) -> Value {
        let answer = self.post(admin, path, body);
        assert_eq!(answer.status, 200, "{path}: {}", answer.response.body);
        answer.json
    }

    /// Waits until the audit log has such a record.
    #[track_caller]
    pub(crate) fn is_audited(&self, event: &str) {
        roomkey_testkit::eventually(event, || self.product.audited(event));
    }

    /// A live stream that has begun.
    pub(crate) fn watch(&self, admin: &Admin) -> HttpClient {
        let mut http = HttpClient::connect(self.address);
        http.request("GET", "/api/live", &format!("Cookie: {}\r\n", admin.cookie()), "");
        http.begin_response();
        http
    }
}

impl Admin {
    pub(crate) fn cookie(&self) -> String {
        format!("__Host-roomkey-admin={}", self.0)
    }
}

/// A request as the page's own scripts send it.
pub(crate) fn own(body: &Value) -> Call {
    Call::json(body).header("X-Roomkey-Admin", "1")
}

pub(crate) fn add(product: &TestProduct, name: &str, role: &str) -> Value {
    let command = json!({ "name": name, "role": role, "password": ADMIN_PASSWORD });
    let (status, added) = product.operate("/admins/add", &command);
    assert_eq!(status, 200, "{added}");
    added
}

/// Where the page is, or why it is not there.
pub(crate) fn page(product: &TestProduct) -> Value {
    product.operate("/admins/list", &json!({})).1["page"].clone()
}

fn address(product: &TestProduct) -> SocketAddr {
    let page = page(product);
    let url = page["url"].as_str().expect("a URL");
    url.strip_prefix("http://").expect("its own").parse().expect("an address")
}

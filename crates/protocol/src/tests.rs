//! A session against a client, on virtual time.

mod heartbeat;
mod invalid_input;
mod msgpack;
mod namespaces;
mod pair;
mod pre_auth;
mod revision_3;
mod upgrade;

use crate::session::Session;

#[test]
fn a_session_is_small() {
    assert!(size_of::<Session>() <= 200, "{}", size_of::<Session>());
}

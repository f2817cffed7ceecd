//! What operators can do; a file for each kind of thing that it is done to.

pub(crate) mod admins;
pub(crate) mod keys;
pub(crate) mod personal;
pub(crate) mod policy;
pub(crate) mod tokens;
pub(crate) mod users;

use std::sync::Arc;

use axum::Router;

use super::{Operator, http::route};

/// Every command, at its path.
pub(super) fn add_all(router: Router<Arc<Operator>>) -> Router<Arc<Operator>> {
    let router = route::<admins::Add>(router);
    let router = route::<admins::List>(router);
    let router = route::<admins::Passwd>(router);
    let router = route::<admins::Remove>(router);
    let router = route::<keys::List>(router);
    let router = route::<keys::Revoke>(router);
    let router = route::<keys::Rotate>(router);
    let router = route::<personal::Empty>(router);
    let router = route::<personal::Erase>(router);
    let router = route::<personal::Export>(router);
    let router = route::<personal::Messages>(router);
    let router = route::<policy::Explain>(router);
    let router = route::<policy::Reload>(router);
    let router = route::<tokens::Inspect>(router);
    let router = route::<tokens::Revoke>(router);
    let router = route::<users::Add>(router);
    let router = route::<users::Block>(router);
    let router = route::<users::List>(router);
    let router = route::<users::Logout>(router);
    let router = route::<users::Passwd>(router);
    let router = route::<users::Sessions>(router);
    route::<users::Unblock>(router)
}

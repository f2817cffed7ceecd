//! Accounts over HTTP, and what becomes of the sockets that live by their tokens.

mod backends;
mod bodies;
mod cookies;
mod logging_out;
mod logins;
mod openapi;
mod refreshing;
mod tickets;

use crate::product::{API_KEY, Answer, Call, Login, PASSWORD, TestProduct, USERS_KEY, sid};

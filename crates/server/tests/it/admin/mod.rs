//! The admin page from outside, over its own listener.

mod acting;
mod guarded;
mod live;
mod logins;
mod paging;
mod secrets;
mod seeing;
mod support;

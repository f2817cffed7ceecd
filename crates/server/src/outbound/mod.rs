//! Requests that the server sends to others: to URLs that the operator gave, to addresses that were looked at, with an end
//! in time and in bytes.

mod address;
mod client;
pub(crate) mod tls;
mod url;

pub(crate) use client::{Client, OutboundError};
pub use url::{InvalidUrl, OutboundUrl};

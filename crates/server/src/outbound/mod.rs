//! Requests that the server sends to others: to URLs that the operator gave, to addresses that were looked at, with an end
//! in time and in bytes.

mod address;
mod client;
mod signature;
mod signed;
pub(crate) mod tls;
mod url;

pub(crate) use client::{Answer, Client, OutboundError};
pub(crate) use signature::SigningSecrets;
pub(crate) use signed::SignedClient;
pub use url::{InvalidUrl, OutboundUrl};

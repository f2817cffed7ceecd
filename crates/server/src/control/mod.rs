//! What operators do to a server: the same commands whether it runs or not.
//!
//! A [`Command`] is what the command line sends and what the server does. While a server runs, it has the database to
//! itself, and the command goes to it over a Unix socket in the data directory, so that it takes effect at once: on
//! live sockets, too. Where no server runs, the command line does the same to the files itself.
//!
//! Who may open the socket file may do everything. There is no other permission.

mod client;
pub(crate) mod commands;
mod http;
mod operator;
mod socket;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc};

use roomkey_model::Failure;
use serde::{Serialize, de::DeserializeOwned};

pub(crate) use client::{ask, ask_running};
pub(crate) use operator::{Named, Operator, Parts, open_store};
pub(crate) use socket::ControlSocket;

/// One thing an operator can do: its arguments, and what it does.
pub(crate) trait Command: Serialize + DeserializeOwned + Send + 'static {
    /// What there is to say when it is done.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Where the socket has it.
    const PATH: &'static str;

    /// Does it.
    fn run(self, operator: Arc<Operator>) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

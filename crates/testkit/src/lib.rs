//! What tests of a whole server need: a [`TestServer`] on a port of its own, clients that send and show exactly what
//! is on the wire, a clock that is set by hand, seeded entropy, and tokens.
//!
//! Everything here blocks the calling thread, waits with a bound, and panics when something does not come in time:
//! a test reads like the conversation it is about.
//!
//! - [`HttpClient`] writes the bytes it is given and reads one response at a time; a request that is held is simply
//!   a response that is not read yet.
//! - [`WebSocketClient`] sends frames, right or wrong, and receives whatever comes, the close frame and the end of the
//!   connection included.
//! - [`Polling`] and [`Client`] are Engine.IO sessions over the two, in text: `42["hello"]`.

mod client;
mod clock;
mod endpoint;
mod entropy;
mod http;
mod patience;
mod polling;
mod server;
mod token;
mod websocket;

pub use client::Client;
pub use clock::TestClock;
pub use endpoint::Endpoint;
pub use entropy::SeededEntropy;
pub use http::{HttpClient, Response};
pub use patience::{PATIENCE, Stopwatch, eventually};
pub use polling::Polling;
pub use server::TestServer;
pub use token::{SECRET, authentication, token};
pub use websocket::{Received, WebSocketClient};

pub use roomkey_websocket::Opcode;

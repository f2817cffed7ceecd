//! Fuzz targets: each is an ordinary function that takes bytes and panics when a property does not hold.
//!
//! Two things drive them: the `fuzz-smoke` program, which needs nothing but this crate, and libFuzzer, which is led
//! by coverage (see `README.md`).

pub mod cookies;
pub mod engine_payload;
pub mod engine_query;
pub mod forwarded_headers;
pub mod jsonp;
pub mod jwe;
pub mod jwk_set;
pub mod msgpack;
pub mod session;
pub mod session_cookies;
pub mod socket_packet;
pub mod websocket_deflate;
pub mod websocket_frames;
pub mod websocket_oracle;

/// A target, as the smoke test knows it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder under `corpus/`.
    pub name: &'static str,
    /// What it does with one input.
    pub run: fn(&[u8]),
    /// Pieces that its inputs are made of.
    pub dictionary: &'static [&'static [u8]],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "cookies", run: cookies::run, dictionary: cookies::DICTIONARY },
    Target { name: "engine_payload", run: engine_payload::run, dictionary: engine_payload::DICTIONARY },
    Target { name: "engine_query", run: engine_query::run, dictionary: engine_query::DICTIONARY },
    Target {
        name: "forwarded_headers",
        run: forwarded_headers::run,
        dictionary: forwarded_headers::DICTIONARY,
    },
    Target { name: "jwe", run: jwe::run, dictionary: jwe::DICTIONARY },
    Target { name: "jsonp", run: jsonp::run, dictionary: jsonp::DICTIONARY },
    Target { name: "jwk_set", run: jwk_set::run, dictionary: jwk_set::DICTIONARY },
    Target { name: "msgpack", run: msgpack::run, dictionary: msgpack::DICTIONARY },
    Target { name: "session", run: session::run, dictionary: session::DICTIONARY },
    Target { name: "session_cookies", run: session_cookies::run, dictionary: session_cookies::DICTIONARY },
    Target { name: "socket_packet", run: socket_packet::run, dictionary: socket_packet::DICTIONARY },
    Target {
        name: "websocket_deflate",
        run: websocket_deflate::run,
        dictionary: websocket_deflate::DICTIONARY,
    },
    Target { name: "websocket_frames", run: websocket_frames::run, dictionary: websocket_frames::DICTIONARY },
    Target { name: "websocket_oracle", run: websocket_oracle::run, dictionary: websocket_oracle::DICTIONARY },
];

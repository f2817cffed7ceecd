//! Tokens made by hand, genuine and forged, against the verifier.
//!
//! The cases follow the threat catalogue: F for forgery, L for lifetime. Nothing here uses the crate's own
//! encoder, so that an error in it cannot hide behind the same error in a test.

mod auth_js;
mod auth_js_cookies;
mod claims;
mod configuration;
mod credentials;
mod forge;
mod forgery;
mod inspecting;
mod issuing;
mod key_set;
mod keys;
mod lifetime;
mod properties;
mod redaction;
mod revoking;
mod seeds;
mod signatures;

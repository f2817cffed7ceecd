//! What backends do with an API key, and what they are told and asked.

mod emit;
mod on_behalf;

//! Emit to a room, wherever its members are.
//!
//! [`Node`] is where an emission enters, whether a handler here made it or, one day, another node: it is encoded
//! once and given to the hub. Whoever emits through it need not know what a frame is, nor where anybody is
//! connected. Today a cluster has one node.

mod node;

pub use node::{Emission, Node};

//! The chat on a real store and a real hub, without sockets: text in, text out.

mod channels;
mod garbage;
mod messages;
mod retention;
mod rooms;
mod support;

//! The chat on a real store and a real hub, without sockets: text in, text out.

mod channel_events;
mod channels;
mod delivery;
mod edits;
mod following;
mod garbage;
mod messages;
mod offline;
mod policy;
mod presence;
mod retention;
mod rooms;
mod support;
mod typing;

//! The whole server over real sockets, byte by byte where the bytes are the contract.

mod backpressure;
mod broadcast_acks;
mod connect;
mod contained;
mod credentials;
mod deflate;
mod disconnect;
mod dynamic_namespaces;
mod events;
mod expiry;
mod floods;
mod heartbeat;
mod http_requests;
mod invalid_input;
mod origins;
mod panics;
mod polling;
mod polling_errors;
mod pre_auth;
mod rooms;
mod sessions;
mod shutdown;
mod support;
mod upgrade;
mod websocket_frames;
mod websocket_handshake;

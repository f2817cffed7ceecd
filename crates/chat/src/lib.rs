//! What each client event does, and the same for REST.
//!
//! [`Chat`] is all there is to know: [`Chat::connected`] when a socket has authenticated, [`Chat::handle`] for
//! each event it sends, and one plain method for each use of the HTTP API. An event is one function in
//! `events`: its payload, its check, its effect. The check is always [`roomkey_auth::policy`], asked where the
//! facts are read; who acts is always the [`Caller`]'s token, never the payload.
//!
//! What was committed is told by [`commit_sink`], not by the handlers: so everyone sees a channel in the order
//! of its sequence, whoever sent and by whatever way. Sockets, HTTP and SQL are not known here.

mod access;
mod caller;
mod channels;
mod chat;
mod delivery;
mod events;
mod explain;
mod invites;
mod members;
mod messages;
mod page;
mod presence;
mod recheck;
mod reply;
mod retention;
mod rooms;
mod server_events;
mod sink;
mod typing;
mod view;

pub use access::{Access, SocketsOf};
pub use caller::Caller;
pub use channels::{ChannelPatch, ListRequest, NewChannel, Scope};
pub use chat::{Chat, ChatConfig};
pub use delivery::{OfflineRequest, SeenBy, StatusRequest};
pub use explain::{Asked, Explained, Facts, Said};
pub use invites::NewInvite;
pub use messages::{HistoryRequest, NewMessage};
pub use reply::{Ack, Answer, Reply};
pub use retention::trim;
pub use rooms::personal_room;
pub use server_events::is_server_event;
pub use sink::commit_sink;
pub use typing::Typing;
pub use view::{
    ChannelList, ChannelPage, ChannelView, IssuedInvite, MarkedView, MemberPage, MessageDeleted, MessagePage,
    MessageView, OfflinePage, PublicChannelPage, StatusView, WaitingPage,
};

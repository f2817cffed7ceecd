//! The names of rooms: what clients may call them, and what they are called inside.

use roomkey_hub::JoinError;
use roomkey_model::{ChannelId, ErrorCode, Failure, InvalidName, RoomName, UserId};

use crate::Chat;

/// A room as a client may name it. There are no others: not the rooms of sockets, no patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// `channel:<id>`, or the bare id.
    Channel(ChannelId),
    /// `room:<name>`: no channel, and nobody is a member; rules of the configuration say who may hear it.
    Free(RoomName),
    /// `user:<id>`, or `user-<id>` where that is configured.
    Personal(UserId),
}

impl Room {
    pub(crate) fn parse(name: &RoomName, dashed_personal_rooms: bool) -> Result<Self, InvalidName> {
        let room = name;
        let name = room.as_str();
        if let Some(free) = name.strip_prefix("room:") {
            return if free.trim().is_empty() {
                Err(InvalidName::Blank)
            } else {
                Ok(Self::Free(room.clone()))
            };
        }
        let dashed = name.strip_prefix("user-").filter(|_| dashed_personal_rooms);
        match name.strip_prefix("user:").or(dashed) {
            Some(user) => UserId::new(user).map(Self::Personal),
            None => ChannelId::new(name.strip_prefix("channel:").unwrap_or(name)).map(Self::Channel),
        }
    }
}

/// A room as it is called inside. The three begin with different letters: no name of one is a name of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    Channel(ChannelId),
    Free,
    Personal,
}

/// Which room this is, by the name that the router has for it.
pub(crate) fn inside(room: &RoomName) -> Inside {
    match room.as_str().strip_prefix("channel:").map(ChannelId::new) {
        Some(Ok(channel)) => Inside::Channel(channel),
        _ if room.as_str().starts_with("user") => Inside::Personal,
        _ => Inside::Free,
    }
}

impl Chat {
    /// Whether it is how the server reaches all sockets of a user, to end a membership as well: no socket of theirs may
    /// be out of it.
    pub fn is_personal_room(&self, room: &RoomName) -> bool {
        inside(room) == Inside::Personal
    }

    /// Whether sockets can be in a room of such a name: one that a backend may emit to.
    pub fn is_room(&self, room: &RoomName) -> bool {
        let dashed = self.config.dashed_personal_rooms.then_some("user-");
        ["channel:", "room:", "user:"].into_iter().chain(dashed).any(|kind| room.as_str().starts_with(kind))
    }
}

/// The room of everyone who hears a channel.
pub(crate) fn channel_room(channel: &ChannelId) -> RoomName {
    RoomName::new(format!("channel:{channel}")).expect("the id of a channel is checked and short")
}

/// The room of all sockets of a user.
pub fn personal_room(user: &UserId) -> Result<RoomName, InvalidName> {
    RoomName::new(format!("user:{user}"))
}

/// All rooms that a socket of the user is in whatever happens.
pub(crate) fn personal_rooms(user: &UserId, dashed: bool) -> Result<Vec<RoomName>, Failure> {
    let dashed = dashed.then(|| RoomName::new(format!("user-{user}")));
    let rooms: Result<_, InvalidName> = std::iter::once(personal_room(user)).chain(dashed).collect();
    rooms.map_err(unnamed)
}

/// The refusal of a user after whom no room can be called.
pub(crate) fn unnamed(error: InvalidName) -> Failure {
    Failure::with_message(ErrorCode::Forbidden, format!("The id of the user {error}"))
}

/// What a socket is told that could not join.
pub(crate) fn joined(outcome: Result<(), JoinError>) -> Result<(), Failure> {
    outcome.map_err(|error| match error {
        JoinError::Gone => Failure::new(ErrorCode::Unavailable),
        JoinError::TooManyRooms => {
            Failure::with_message(ErrorCode::LimitExceeded, "The limit rooms_per_socket is reached")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_channel_or_a_user() {
        let channel = |id| Ok(Room::Channel(ChannelId::new(id).expect("a good name")));
        let user = |id| Ok(Room::Personal(UserId::new(id).expect("a good name")));
        for (name, dashed, room) in [
            ("channel:c1", false, channel("c1")),
            ("c1", false, channel("c1")),
            ("user:ada", false, user("ada")),
            ("user-ada", true, user("ada")),
            ("user-ada", false, channel("user-ada")),
            ("user:channel:c1", false, user("channel:c1")),
            ("channel:user:ada", false, channel("user:ada")),
            ("USER:ada", false, channel("USER:ada")),
            ("*", false, channel("*")),
            ("room:lobby", false, Ok(Room::Free(RoomName::new("room:lobby").expect("a good name")))),
            ("room:user:ada", false, Ok(Room::Free(RoomName::new("room:user:ada").expect("a good name")))),
            ("Room:lobby", false, channel("Room:lobby")),
            ("channel:room:x", false, channel("room:x")),
            ("room: ", false, Err(InvalidName::Blank)),
            ("user:", false, Err(InvalidName::Blank)),
            ("channel:", false, Err(InvalidName::Blank)),
        ] {
            let name = RoomName::new(name).expect("a good name");
            assert_eq!(Room::parse(&name, dashed), room, "{name}");
        }
    }

    /// What two rooms are called inside is the same only where they are the same room, whatever clients call them.
    fn name_inside(room: &Room) -> Option<RoomName> {
        match room {
            Room::Channel(channel) => Some(channel_room(channel)),
            Room::Free(room) => Some(room.clone()),
            Room::Personal(user) => personal_room(user).ok(),
        }
    }

    proptest::proptest! {
        #[test]
        fn no_room_has_the_name_of_another(
            one in "(channel:|user:|user-|room:|#|)(channel:|user:|room:|a|b|\u{e9}|e\u{301}){1,3}",
            other in "(channel:|user:|user-|room:|#|)(channel:|user:|room:|a|b|\u{e9}|e\u{301}){1,3}",
            dashed: bool,
        ) {
            let parse = |name: &str| Room::parse(&RoomName::new(name).expect("a good name"), dashed).ok();
            if let (Some(one), Some(other)) = (parse(&one), parse(&other)) {
                let is_same_inside = name_inside(&one) == name_inside(&other);
                proptest::prop_assert_eq!(is_same_inside, one == other);
                let kind = inside(&name_inside(&one).expect("a short name"));
                let expected = match one {
                    Room::Channel(channel) => Inside::Channel(channel),
                    Room::Free(_) => Inside::Free,
                    Room::Personal(_) => Inside::Personal,
                };
                proptest::prop_assert_eq!(kind, expected);
            }
        }
    }
}

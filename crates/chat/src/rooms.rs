//! The names of rooms: what clients may call them, and what they are called inside.

use roomkey_hub::JoinError;
use roomkey_model::{ChannelId, ErrorCode, Failure, InvalidName, RoomName, UserId};

/// A room as a client may name it. There are no others: not the rooms of sockets, no patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// `channel:<id>`, or the bare id.
    Channel(ChannelId),
    /// `user:<id>`, or `user-<id>` where that is configured.
    Personal(UserId),
}

impl Room {
    pub(crate) fn parse(name: &RoomName, dashed_personal_rooms: bool) -> Result<Self, InvalidName> {
        let name = name.as_str();
        let dashed = name.strip_prefix("user-").filter(|_| dashed_personal_rooms);
        match name.strip_prefix("user:").or(dashed) {
            Some(user) => UserId::new(user).map(Self::Personal),
            None => ChannelId::new(name.strip_prefix("channel:").unwrap_or(name)).map(Self::Channel),
        }
    }
}

/// The room of everyone who hears a channel.
pub(crate) fn channel_room(channel: &ChannelId) -> RoomName {
    RoomName::new(format!("channel:{channel}")).expect("the id of a channel is checked and short")
}

/// The room of all sockets of a user.
pub(crate) fn personal_room(user: &UserId) -> Result<RoomName, Failure> {
    named(format!("user:{user}"))
}

/// All rooms that a socket of the user is in whatever happens.
pub(crate) fn personal_rooms(user: &UserId, dashed: bool) -> Result<Vec<RoomName>, Failure> {
    let mut rooms = vec![personal_room(user)?];
    if dashed {
        rooms.push(named(format!("user-{user}"))?);
    }
    Ok(rooms)
}

fn named(name: String) -> Result<RoomName, Failure> {
    RoomName::new(name)
        .map_err(|error| Failure::with_message(ErrorCode::Forbidden, format!("The id of the user {error}")))
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
            ("user:", false, Err(InvalidName::Blank)),
            ("channel:", false, Err(InvalidName::Blank)),
        ] {
            let name = RoomName::new(name).expect("a good name");
            assert_eq!(Room::parse(&name, dashed), room, "{name}");
        }
    }
}

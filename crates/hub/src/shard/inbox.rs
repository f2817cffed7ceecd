use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::{ConnectionKey, Frame, Notice, RoomKey};

/// What another thread asks of a shard.
pub(crate) enum Command {
    Broadcast { room: RoomKey, frame: Frame, except: Box<[ConnectionKey]>, volatile: bool },
    Join { connection: ConnectionKey, room: RoomKey },
    JoinMembers { selector: RoomKey, room: RoomKey },
    Leave { connection: ConnectionKey, room: RoomKey },
    LeaveMembers { selector: RoomKey, room: RoomKey },
    Notify { connection: ConnectionKey, notice: Notice },
    NotifyAll { notice: Notice },
    NotifyMembers { selector: RoomKey, notice: Notice },
    Send { connection: ConnectionKey, frame: Frame, volatile: bool },
}

/// Commands from other threads, in the order each of them gave its own.
#[derive(Default)]
pub(super) struct Inbox {
    commands: Mutex<Vec<Command>>,
    has_some: AtomicBool,
}

impl Inbox {
    pub(super) fn push(&self, command: Command) {
        let mut commands = self.commands.lock();
        commands.push(command);
        self.has_some.store(true, Ordering::Release);
    }

    /// All commands; cheap when there are none.
    pub(super) fn take(&self) -> Vec<Command> {
        if !self.has_some.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut commands = self.commands.lock();
        self.has_some.store(false, Ordering::Release);
        std::mem::take(&mut commands)
    }
}

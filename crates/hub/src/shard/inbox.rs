use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use crate::{Census, ConnectionKey, Frame, Notice, RoomKey, Selection, SocketKey};

/// What another thread asks of a shard.
pub(crate) enum Command {
    Broadcast { room: RoomKey, frame: Frame, except: Box<[ConnectionKey]>, volatile: bool },
    BroadcastTo { to: Selection, frame: Frame, volatile: bool, census: Option<Arc<dyn Census>> },
    Emit { socket: SocketKey, frame: Frame, volatile: bool },
    End { socket: SocketKey, notice: Notice },
    Join { socket: SocketKey, room: RoomKey },
    JoinMembers { of: Selection, room: RoomKey },
    Leave { socket: SocketKey, room: RoomKey },
    LeaveMembers { of: Selection, room: RoomKey },
    Notify { connection: ConnectionKey, notice: Notice },
    NotifyAll { notice: Notice },
    NotifyMembers { of: Selection, notice: Notice },
    Send { connection: ConnectionKey, frame: Frame, volatile: bool },
}

/// Commands from other threads, in the order each of them gave its own.
#[derive(Default)]
pub(super) struct Inbox {
    commands: Mutex<Vec<Command>>,
    /// Commands that have not taken effect yet: those that wait, and those that are being applied.
    unapplied: AtomicUsize,
}

impl Inbox {
    pub(super) fn push(&self, command: Command) {
        let mut commands = self.commands.lock();
        commands.push(command);
        self.unapplied.fetch_add(1, Ordering::Release);
    }

    /// Whether some command has yet to take effect.
    pub(super) fn is_behind(&self) -> bool {
        self.unapplied.load(Ordering::Acquire) > 0
    }

    /// Applies all commands; cheap when there are none.
    pub(super) fn drain(&self, mut apply: impl FnMut(Command)) {
        if !self.is_behind() {
            return;
        }
        let commands = std::mem::take(&mut *self.commands.lock());
        for command in commands {
            apply(command);
            self.unapplied.fetch_sub(1, Ordering::Release);
        }
    }
}

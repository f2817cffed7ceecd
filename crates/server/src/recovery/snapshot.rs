//! The parked sockets over a clean restart: one JSON file, written when the server has stopped and read when it starts.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use roomkey_hub::{Base, Era, Frame, Hub, Missed, Offset, Past, RoomKey};
use roomkey_model::{RoomName, SocketId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Owner, Parked, Pid, RecoverableSockets};

const VERSION: u32 = 1;

/// Emissions kept for one socket: clients that were there when the server stopped have missed the newest only.
const EMISSIONS_PER_SOCKET: usize = 1024;

/// Emissions kept for all sockets together.
const EMISSIONS: usize = 4_000_000;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    /// Each once: most of them were for many.
    emissions: Vec<SavedEmission>,
    sockets: Vec<SavedSocket>,
}

#[derive(Serialize, Deserialize)]
struct SavedEmission {
    offset: String,
    /// None if it was volatile.
    packet: Option<String>,
    /// In base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct SavedSocket {
    pid: String,
    id: SocketId,
    namespace: String,
    owner: Owner,
    rooms: Vec<RoomName>,
    until: Timestamp,
    base: SavedBase,
    /// Which of the emissions it was sent, and the room, as an index of its own, that each was for.
    sent: Vec<(u32, Option<u32>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedBase {
    NothingSince(String),
    Received(String),
}

/// Writes the parked sockets to a file that only its owner may read, and forgets them.
pub(crate) fn save(path: &Path, hub: &Hub, sockets: &RecoverableSockets) -> io::Result<usize> {
    let mut writer = Writer::default();
    for (pid, parked) in sockets.take_all_parked() {
        writer.add(hub, &pid, *parked);
    }
    let Writer { emissions, sockets, .. } = writer;
    let snapshot = Snapshot { version: VERSION, emissions, sockets };
    let unfinished = path.with_extension("unfinished");
    // Left over from a crash, perhaps with other permissions.
    _ = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(&serde_json::to_vec(&snapshot)?)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    Ok(snapshot.sockets.len())
}

/// Reads what [`save`] wrote, once: the file is gone afterwards, whatever was in it.
pub(crate) fn load(
    path: &Path,
    hub: &Hub,
    sockets: &Arc<RecoverableSockets>,
    now: Timestamp,
) -> io::Result<usize> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        bytes => bytes?,
    };
    fs::remove_file(path)?;
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        File::open(directory)?.sync_all()?;
    }
    let snapshot: Snapshot = serde_json::from_slice(&bytes)?;
    if snapshot.version != VERSION {
        return Err(io::Error::other(format!("it is of version {}, not {VERSION}", snapshot.version)));
    }
    let emissions: Option<Vec<_>> = snapshot.emissions.into_iter().map(SavedEmission::read).collect();
    let emissions = emissions.ok_or_else(|| io::Error::other("an emission in it is malformed"))?;
    let mut count = 0;
    for (index, saved) in snapshot.sockets.into_iter().enumerate() {
        if saved.until > now && restore(saved, &emissions, hub, index, sockets, now).is_some() {
            count += 1;
        }
    }
    Ok(count)
}

/// Gathers what is to be written.
#[derive(Default)]
struct Writer {
    emissions: Vec<SavedEmission>,
    indexes: HashMap<Offset, u32>,
    sockets: Vec<SavedSocket>,
    sent: usize,
}

impl Writer {
    fn add(&mut self, hub: &Hub, pid: &Pid, parked: Parked) {
        let shard = hub.shard_of(parked.key.connection());
        let Some(newest) = shard.newest(&parked.key, &parked.past.era, EMISSIONS_PER_SOCKET) else { return };
        let rooms = newest.rooms.clone();
        let (base, emissions) = parked.past.newest(newest, EMISSIONS_PER_SOCKET);
        if self.sent + emissions.len() > EMISSIONS {
            return;
        }
        self.sent += emissions.len();
        let sent = emissions.into_iter().filter_map(|missed| {
            let room = match &missed.room {
                None => None,
                Some(room) => Some(u32::try_from(rooms.iter().position(|name| name == room)?).ok()?),
            };
            Some((self.index(&missed)?, room))
        });
        let sent = sent.collect();
        self.sockets.push(SavedSocket {
            pid: pid.as_str().to_owned(),
            id: parked.id,
            namespace: parked.key.namespace().as_ref().to_owned(),
            owner: parked.owner,
            rooms,
            until: parked.until,
            base: match base {
                Base::NothingSince(offset) => SavedBase::NothingSince(offset.to_string()),
                Base::Received(offset) => SavedBase::Received(offset.to_string()),
            },
            sent,
        });
    }

    fn index(&mut self, missed: &Missed) -> Option<u32> {
        let next = u32::try_from(self.emissions.len()).ok()?;
        let index = *self.indexes.entry(missed.offset).or_insert(next);
        if index == next {
            self.emissions.push(SavedEmission::new(missed));
        }
        Some(index)
    }
}

impl SavedEmission {
    fn new(missed: &Missed) -> Self {
        let frame = missed.frame.as_ref();
        let attachments = frame.map(Frame::attachments).unwrap_or_default();
        Self {
            offset: missed.offset.to_string(),
            packet: frame.and_then(Frame::packet).map(str::to_owned),
            attachments: attachments.iter().map(|bytes| STANDARD.encode(bytes)).collect(),
        }
    }

    fn read(self) -> Option<(Offset, Option<Frame>)> {
        let offset = Offset::parse(&self.offset)?;
        let attachments = self.attachments.iter().map(|text| STANDARD.decode(text).map(Bytes::from));
        let attachments: Vec<Bytes> = attachments.collect::<Result<_, _>>().ok()?;
        let frame = self.packet.map(|packet| Frame::new(&packet, &attachments).recoverable(offset));
        Some((offset, frame))
    }
}

impl SavedBase {
    fn read(&self) -> Option<Base> {
        match self {
            Self::NothingSince(offset) => Offset::parse(offset).map(Base::NothingSince),
            Self::Received(offset) => Offset::parse(offset).map(Base::Received),
        }
    }
}

/// Parks a socket as if its client had just gone; the shards share them.
fn restore(
    saved: SavedSocket,
    emissions: &[(Offset, Option<Frame>)],
    hub: &Hub,
    index: usize,
    sockets: &Arc<RecoverableSockets>,
    now: Timestamp,
) -> Option<()> {
    let pid = Pid::parse(&saved.pid)?;
    let base = saved.base.read()?;
    let emission = |&(index, room): &(u32, Option<u32>)| {
        let (offset, frame) = emissions.get(index as usize)?.clone();
        let room = match room {
            None => None,
            Some(room) => Some(saved.rooms.get(room as usize)?.clone()),
        };
        Some(Missed { offset, room, frame })
    };
    let missed = saved.sent.iter().map(emission).collect::<Option<Vec<_>>>()?;
    let shard = &hub.shards()[index % hub.shards().len()];
    let absence = sockets.attention(pid);
    let namespace: Arc<str> = saved.namespace.into();
    let key = shard.insert_parked(&namespace, absence.clone());
    absence.stand_for(&key);
    for room in &saved.rooms {
        _ = hub.join(&key, &RoomKey::room(&namespace, room));
    }
    _ = hub.join(&key, &RoomKey::everyone(&namespace));
    shard.arm(key.connection(), hub.now_ms().saturating_add(saved.until.since_ms(now)));
    let era = Era { socket: None, since: shard.position() };
    let past = Past::new(base, missed, era);
    let parked = Parked { id: saved.id, owner: saved.owner, key, past, until: saved.until, socket: None };
    sockets.park(pid, Box::new(parked)).ok()
}

//! The parked sockets over a clean restart: one JSON file, written when the server has stopped and read when it starts.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use roomkey_hub::{Era, Frame, Hub, Missed, Offset, Past, RoomKey};
use roomkey_model::{RoomName, SocketId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Owner, Parked, Pid, RecoverableSockets};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    /// What was emitted, by its offset: most of it was for many.
    frames: BTreeMap<String, SavedFrame>,
    sockets: Vec<SavedSocket>,
}

#[derive(Serialize, Deserialize)]
struct SavedFrame {
    packet: String,
    /// In base64.
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
    base: Option<String>,
    emissions: Vec<SavedEmission>,
}

#[derive(Serialize, Deserialize)]
struct SavedEmission {
    offset: String,
    room: Option<RoomName>,
}

/// Writes the parked sockets to a file that only its owner may read, and forgets them.
pub(crate) fn save(path: &Path, hub: &Hub, sockets: &RecoverableSockets) -> io::Result<usize> {
    let mut snapshot = Snapshot { version: VERSION, frames: BTreeMap::new(), sockets: Vec::new() };
    for (pid, parked) in sockets.take_all_parked() {
        snapshot.add(hub, &pid, *parked);
    }
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
    let frames = snapshot.frames()?;
    let mut count = 0;
    for (index, saved) in snapshot.sockets.into_iter().enumerate() {
        if saved.until > now && restore(saved, &frames, hub, index, sockets, now).is_some() {
            count += 1;
        }
    }
    Ok(count)
}

impl Snapshot {
    fn add(&mut self, hub: &Hub, pid: &Pid, parked: Parked) {
        let shard = hub.shard_of(parked.key.connection());
        let Some(history) = shard.claim(&parked.key, &parked.past.era) else { return };
        let rooms = history.rooms.clone();
        let (base, emissions) = parked.past.all(history);
        let saved = emissions.iter().map(|missed| {
            let offset = missed.offset.to_string();
            if let Some(frame) = &missed.frame {
                self.frames.entry(offset.clone()).or_insert_with(|| SavedFrame::new(frame));
            }
            SavedEmission { offset, room: missed.room.clone() }
        });
        self.sockets.push(SavedSocket {
            emissions: saved.collect(),
            pid: pid.as_str().to_owned(),
            id: parked.id,
            namespace: parked.key.namespace().as_ref().to_owned(),
            owner: parked.owner,
            rooms,
            until: parked.until,
            base: base.map(|offset| offset.to_string()),
        });
    }

    fn frames(&self) -> io::Result<BTreeMap<Offset, Frame>> {
        let read = |(offset, saved): (&String, &SavedFrame)| {
            let offset = Offset::parse(offset)?;
            let attachments = saved.attachments.iter().map(|text| STANDARD.decode(text).map(Bytes::from));
            let attachments: Vec<Bytes> = attachments.collect::<Result<_, _>>().ok()?;
            Some((offset, Frame::new(&saved.packet, &attachments).recoverable(offset)))
        };
        let frames: Option<_> = self.frames.iter().map(read).collect();
        frames.ok_or_else(|| io::Error::other("an emission in it is malformed"))
    }
}

impl SavedFrame {
    fn new(frame: &Frame) -> Self {
        Self {
            packet: frame.packet().unwrap_or_default().to_owned(),
            attachments: frame.attachments().iter().map(|bytes| STANDARD.encode(bytes)).collect(),
        }
    }
}

/// Parks a socket as if its client had just gone; the shards share them.
fn restore(
    saved: SavedSocket,
    frames: &BTreeMap<Offset, Frame>,
    hub: &Hub,
    index: usize,
    sockets: &Arc<RecoverableSockets>,
    now: Timestamp,
) -> Option<()> {
    let pid = Pid::parse(&saved.pid)?;
    let base = match &saved.base {
        Some(text) => Some(Offset::parse(text)?),
        None => None,
    };
    let emission = |saved: SavedEmission| {
        let offset = Offset::parse(&saved.offset)?;
        Some(Missed { offset, room: saved.room, frame: frames.get(&offset).cloned() })
    };
    let emissions = saved.emissions.into_iter().map(emission).collect::<Option<Vec<_>>>()?;
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
    let past = Past::after(base, emissions, era);
    let parked = Parked { id: saved.id, owner: saved.owner, key, past, until: saved.until, socket: None };
    sockets.park(pid, Box::new(parked)).ok()
}

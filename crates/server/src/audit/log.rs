//! The file of the audit log, and its key and head: opened where they were left, continued, and begun anew when full.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use roomkey_model::Entropy;

use super::{
    chain::{Key, Link, Position},
    head::Head,
    paths::Paths,
};
use crate::private;

/// What the log is found to have gone through, when it is opened or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incident {
    /// The last line had no end, so many bytes of it: the server was killed. They are gone.
    Torn(u64),
    /// The log is not as it was left. Records follow that continue what was left, so that the gap stays in sight.
    Damaged(&'static str),
}

/// When a file is full, and how many are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    pub(super) file_bytes_max: u64,
    /// Full files that are kept; all of them, if none is said.
    pub(super) files_kept: Option<usize>,
}

/// An open log, which nobody else writes.
pub(super) struct Log {
    paths: Paths,
    rotation: Rotation,
    open: Open,
    key: Key,
    file: Box<dyn LogFile>,
    /// Locked for as long as the log is open.
    head_file: File,
    head: Head,
    /// What was written last; the head follows when it is durable.
    last: Position,
    /// The first record of this file.
    file_first: u64,
    lines: String,
}

/// A file that lines are put at the end of.
pub(super) trait LogFile: Send {
    /// Writes all or nothing.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn sync(&self) -> io::Result<()>;
    fn len(&self) -> io::Result<u64>;
    /// Whether it is what is found at its path.
    fn is_at(&self, path: &Path) -> bool;
}

/// Opens the file of a log, or makes it.
pub(super) type Open = Box<dyn Fn(&Path) -> io::Result<Box<dyn LogFile>> + Send>;

impl Log {
    /// Opens a log, or begins one. Says what is found to be wrong with it, which does not keep it from going on.
    pub(super) fn open(
        paths: Paths,
        rotation: Rotation,
        entropy: &dyn Entropy,
        open: Open,
    ) -> io::Result<(Self, Vec<Incident>)> {
        private::directories().create(paths.directory())?;
        let mut head_file =
            private::files().read(true).write(true).create(true).truncate(false).open(&paths.head)?;
        head_file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::other("another process writes it"),
            fs::TryLockError::Error(error) => error,
        })?;
        let (key, is_first_start) = read_or_create_key(&paths.key, entropy)?;
        let mut incidents = Vec::new();
        incidents.extend(cut_torn_line(&paths.log)?.map(Incident::Torn));
        let tail = last_link(&paths)?;
        let mut text = Vec::new();
        head_file.read_to_end(&mut text)?;
        let head = Head::read(&text, Some(&key));
        let is_empty = text.is_empty() && matches!(tail, Tail::Empty);
        // Where there is a key there was a log.
        let is_new = is_empty && is_first_start;
        let (last, damage) = where_to_go_on(&tail, head, &key);
        let damage = if is_empty { Some("removed") } else { damage };
        incidents.extend(damage.filter(|_| !is_new).map(Incident::Damaged));
        let head = head.unwrap_or(Head { first: 1, last: Position::START });
        let file = open(&paths.log)?;
        sync_directory(&paths)?;
        let file_first = first_seq(&paths.log)?.unwrap_or(last.seq + 1);
        let lines = String::new();
        let mut log = Self { paths, rotation, open, key, file, head_file, head, last, file_first, lines };
        if is_new {
            log.write_head(head)?;
        }
        Ok((log, incidents))
    }

    /// Writes records, each of them as its fields. If it fails, nothing was written.
    pub(super) fn append(&mut self, records: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
        if self.file.len()? >= self.rotation.file_bytes_max {
            self.begin_next_file()?;
        }
        let mut last = self.last;
        self.lines.clear();
        for fields in records {
            last.append(fields.as_ref(), &self.key, &mut self.lines);
        }
        self.file.append(self.lines.as_bytes())?;
        self.last = last;
        Ok(())
    }

    /// Whether something was written that is not durable yet.
    pub(super) fn is_dirty(&self) -> bool {
        self.head.last != self.last
    }

    /// Makes what was written durable, then the head that speaks of it.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if !self.is_dirty() {
            return Ok(());
        }
        self.file.sync()?;
        self.write_head(Head { last: self.last, ..self.head })
    }

    /// If somebody has moved the file away, or put another in its place, goes on in one that is found where the log is.
    pub(super) fn look_after_file(&mut self) -> io::Result<Option<Incident>> {
        if self.file.is_at(&self.paths.log) {
            return Ok(None);
        }
        self.file = (self.open)(&self.paths.log)?;
        self.file_first = self.last.seq + 1;
        Ok(Some(Incident::Damaged("file_moved")))
    }

    fn write_head(&mut self, head: Head) -> io::Result<()> {
        self.head_file.seek(SeekFrom::Start(0))?;
        self.head_file.write_all(head.write(&self.key).as_bytes())?;
        self.head_file.set_len(Head::BYTES as u64)?;
        self.head_file.sync_data()?;
        self.head = head;
        Ok(())
    }

    fn begin_next_file(&mut self) -> io::Result<()> {
        self.sync()?;
        let full = self.paths.full(self.file_first);
        if full.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a full file has the name of the next"));
        }
        fs::rename(&self.paths.log, full)?;
        self.file = (self.open)(&self.paths.log)?;
        self.file_first = self.last.seq + 1;
        sync_directory(&self.paths)?;
        self.forget_oldest()
    }

    /// The head first, so that a file that it no longer speaks of may be there, and not the other way round.
    fn forget_oldest(&mut self) -> io::Result<()> {
        let full = self.paths.all_full()?;
        let kept = self.rotation.files_kept.unwrap_or(usize::MAX);
        let (old, kept) = full.split_at(full.len().saturating_sub(kept));
        if old.is_empty() {
            return Ok(());
        }
        let first =
            kept.first().map(|path| first_seq(path)).transpose()?.flatten().unwrap_or(self.file_first);
        self.write_head(Head { first, ..self.head })?;
        old.iter().try_for_each(fs::remove_file)
    }
}

struct AppendedFile(File);

/// Opens a file of the file system.
pub(super) fn open_file(path: &Path) -> io::Result<Box<dyn LogFile>> {
    Ok(Box::new(AppendedFile(private::files().append(true).create(true).open(path)?)))
}

impl LogFile for AppendedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let before = self.len()?;
        self.0.write_all(bytes).inspect_err(|_| {
            // Half a line is no line. If this fails, too, the next start cuts it off.
            let _ = self.0.set_len(before);
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        matches!((fs::metadata(path).map(inode), self.0.metadata().map(inode)), (Ok(a), Ok(b)) if a == b)
    }

    #[cfg(not(unix))]
    fn is_at(&self, path: &Path) -> bool {
        path.exists()
    }
}

/// The key, and whether it is a new one.
fn read_or_create_key(path: &Path, entropy: &dyn Entropy) -> io::Result<(Key, bool)> {
    match fs::read(path) {
        Ok(bytes) => {
            let bytes =
                bytes.as_array().ok_or_else(|| io::Error::other("its key file is not 32 bytes long"))?;
            Ok((Key::new(bytes), false))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; Key::BYTES];
            entropy.fill(&mut bytes);
            let mut file = private::files().write(true).create_new(true).open(path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            Ok((Key::new(&bytes), true))
        }
        Err(error) => Err(error),
    }
}

/// What the next record follows, and what is wrong with what was found. Where a record that the head speaks of is gone,
/// the chain goes on from the head, and nobody can follow it over the gap.
fn where_to_go_on(tail: &Tail, head: Option<Head>, key: &Key) -> (Position, Option<&'static str>) {
    let (last, is_right) = match tail {
        Tail::Empty => (Position::START, true),
        Tail::Line(link) => (link.position(), link.is_whole() && link.is_authentic(key)),
        Tail::Other => (Position::START, false),
    };
    match head {
        Some(head) if !is_right => (head.last, Some("last_line")),
        Some(head) if last.seq < head.last.seq => (head.last, Some("truncated")),
        Some(head) if last.seq == head.last.seq && last != head.last => (head.last, Some("replaced")),
        Some(_) => (last, None),
        None => (last, Some(if is_right { "head" } else { "key" })),
    }
}

/// How a log ends.
enum Tail {
    Empty,
    Line(Link),
    /// Something that is no record.
    Other,
}

/// More than any line has.
const TAIL_BYTES: u64 = 64 * 1024;

/// Removes what comes behind the last end of a line, and says how much it was.
fn cut_torn_line(path: &Path) -> io::Result<Option<u64>> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let tail = read_tail(&mut file)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
    let torn = (tail.len() - whole) as u64;
    if torn == 0 {
        return Ok(None);
    }
    let length = file.metadata()?.len();
    file.set_len(length - torn)?;
    file.sync_all()?;
    Ok(Some(torn))
}

fn last_link(paths: &Paths) -> io::Result<Tail> {
    let mut files = if paths.directory().exists() { paths.all_full()? } else { Vec::new() };
    files.extend(paths.log.exists().then(|| paths.log.clone()));
    for path in files.iter().rev() {
        let tail = read_tail(&mut File::open(path)?)?;
        if let Some(line) =
            tail.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next())
        {
            return Ok(Link::parse(line).map_or(Tail::Other, Tail::Line));
        }
    }
    Ok(Tail::Empty)
}

fn read_tail(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    Ok(tail)
}

/// The number of the first record of a file.
fn first_seq(path: &Path) -> io::Result<Option<u64>> {
    let mut start = Vec::new();
    File::open(path)?.take(TAIL_BYTES).read_to_end(&mut start)?;
    Ok(start.split(|byte| *byte == b'\n').next().and_then(Link::parse).map(|link| link.seq))
}

/// A new name is durable when its directory is.
fn sync_directory(paths: &Paths) -> io::Result<()> {
    File::open(paths.directory())?.sync_all()
}

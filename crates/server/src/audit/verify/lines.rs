use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
};

use super::{
    super::chain::{Digest, Link},
    Fault, Finding,
};

/// Bytes of a line that are read: more than any record has.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How much of a log was read and found right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) files: usize,
    pub(crate) records: u64,
    /// The number of the first record.
    pub(crate) first: Option<u64>,
    /// The number of the last record.
    pub(crate) last: Option<u64>,
    last_hash: Option<Digest>,
    /// Records in which the server itself says that it found the log damaged.
    pub(crate) damaged: u64,
    /// When the first was made, and the last.
    pub(crate) times: Option<(String, String)>,
}

impl Extent {
    /// The hash of the last record: to be noted elsewhere, as an anchor for later.
    pub(crate) fn last_hash(&self) -> Option<String> {
        self.last_hash.map(|hash| hash.to_string())
    }

    pub(super) fn add(&mut self, link: &Link, line: &[u8]) {
        self.records += 1;
        self.first.get_or_insert(link.seq);
        (self.last, self.last_hash) = (Some(link.seq), Some(link.hash));
        self.damaged += u64::from(tells_of_damage(line));
        let time = time(line).unwrap_or_default();
        match &mut self.times {
            Some((_, last)) => time.clone_into(last),
            None => self.times = Some((time.to_owned(), time.to_owned())),
        }
    }
}

/// Quotes within a value are escaped, so this can only be the field.
fn tells_of_damage(line: &[u8]) -> bool {
    const FIELD: &[u8] = b",\"event\":\"sys_audit_damaged\"";
    line.windows(FIELD.len()).any(|window| window == FIELD)
}

/// What `ts` says; it is the field behind the number.
fn time(line: &[u8]) -> Option<&str> {
    let (_, rest) = str::from_utf8(line).ok()?.split_once(",\"ts\":\"")?;
    rest.split_once('"').map(|(time, _)| time)
}

/// One line, without its end.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) is_finished: bool,
}

/// The lines of several files, one after the other.
pub(super) struct Lines {
    files: std::vec::IntoIter<PathBuf>,
    open: Option<(PathBuf, BufReader<File>)>,
    /// Of the last line read.
    place: (PathBuf, u64),
    pub(super) extent: Extent,
}

impl Lines {
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        let place = (files.last().cloned().unwrap_or_default(), 0);
        Self { files: files.into_iter(), open: None, place, extent: Extent::default() }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if !self.has_more()? {
            return Ok(None);
        }
        let Some((path, reader)) = &mut self.open else { return Ok(None) };
        if self.place.0 != *path {
            self.place = (path.clone(), 0);
        }
        self.place.1 += 1;
        let mut bytes = Vec::new();
        reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        let is_finished = bytes.pop_if(|last| *last == b'\n').is_some();
        Ok(Some(Line { bytes, is_finished }))
    }

    /// Whether there is nothing behind the last line read.
    pub(super) fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(!self.has_more()?)
    }

    /// Opens the next file that has something in it, if this one is at its end.
    fn has_more(&mut self) -> io::Result<bool> {
        loop {
            if let Some((_, reader)) = &mut self.open
                && !reader.fill_buf()?.is_empty()
            {
                return Ok(true);
            }
            let Some(path) = self.files.next() else { return Ok(false) };
            let file = File::open(&path).map_err(|error| {
                io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
            })?;
            self.extent.files += 1;
            self.open = Some((path, BufReader::with_capacity(256 * 1024, file)));
        }
    }

    /// Whether the record of this number is among the lines that are left.
    pub(super) fn has(&mut self, seq: u64) -> io::Result<bool> {
        while let Some(line) = self.next()? {
            if Link::parse(&line.bytes).is_some_and(|link| link.seq == seq) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn finding(&self, fault: Fault) -> Finding {
        Finding { file: self.place.0.clone(), line: self.place.1, fault }
    }
}

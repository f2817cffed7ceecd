//! Whether an audit log is what was written.

mod fault;
mod lines;
#[cfg(test)]
mod tests;

use std::{fs, io, path::Path};

pub(crate) use fault::{Fault, Finding};
pub(crate) use lines::Extent;

use super::{
    chain::{Digest, Key, Link, Position},
    head::Head,
    paths::Paths,
};
use lines::{Line, Lines};

/// What was found out about a log.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// What was read, up to the first fault.
    pub(crate) extent: Extent,
    /// Whether the codes were checked: with the key, that is.
    pub(crate) has_key: bool,
    /// Whether there was a head to say where the log ends.
    pub(crate) has_head: bool,
    /// The first thing that is wrong.
    pub(crate) finding: Option<Finding>,
}

/// A record that somebody knew of before: its number and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor(Position);

impl Anchor {
    /// Reads `SEQ:HASH`, as the summary of an earlier verification gave it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.split_once(':')?;
        Some(Self(Position { seq: seq.parse().ok()?, hash: Digest::parse(hash.as_bytes())? }))
    }
}

/// What to verify, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// The current file of a log. With a head beside it, the whole log is verified; otherwise this file alone.
    pub(crate) path: &'a Path,
    /// The key, where it is not beside the log.
    pub(crate) key: Option<&'a Path>,
    /// Whether there must be a head.
    pub(crate) needs_head: bool,
    pub(crate) anchor: Option<Anchor>,
}

/// Verifies a log, also one that is being written.
pub(crate) fn verify(question: &Question<'_>) -> io::Result<Report> {
    let paths = Paths::new(question.path);
    loop {
        let before = paths.all_full()?;
        let report = verify_once(question, &paths)?;
        // A file that became full meanwhile was seen under both of its names, or under none.
        if report.finding.is_none() || paths.all_full()? == before {
            return Ok(report);
        }
    }
}

fn verify_once(question: &Question<'_>, paths: &Paths) -> io::Result<Report> {
    let (path, anchor) = (question.path, question.anchor);
    let key = read_key(question.key.unwrap_or(&paths.key))?;
    // Before the log: a running server adds to it meanwhile.
    let (head_text, is_written) = match fs::File::open(&paths.head) {
        Ok(file) => (Some(fs::read(&paths.head)?), file.try_lock_shared().is_err()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (None, false),
        Err(error) => return Err(error),
    };
    let head = head_text.as_ref().map(|text| Head::read(text, key.as_ref()));
    let mut files = if head.is_some() { paths.all_full()? } else { Vec::new() };
    if head.is_none() || path.exists() {
        files.push(path.to_owned());
    }
    let (has_key, has_head) = (key.is_some(), head.is_some());
    let mut lines = Lines::new(files);
    let of_head = |fault| Some(Finding { file: paths.head.clone(), line: 1, fault });
    let finding = match head {
        Some(None) => of_head(Fault::Head),
        None if question.needs_head && path.exists() => of_head(Fault::HeadMissing),
        head => check(&mut lines, &Expected { key, head: head.flatten(), anchor, is_written })?,
    };
    Ok(Report { extent: lines.extent, has_key, has_head, finding })
}

fn read_key(path: &Path) -> io::Result<Option<Key>> {
    match fs::read(path) {
        Ok(bytes) => match bytes.as_array() {
            Some(bytes) => Ok(Some(Key::new(bytes))),
            None => Err(io::Error::other(format!("{} is no key of an audit log", path.display()))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a log must agree with.
struct Expected {
    key: Option<Key>,
    head: Option<Head>,
    anchor: Option<Anchor>,
    /// Whether a server may be in the middle of a line.
    is_written: bool,
}

fn check(lines: &mut Lines, expected: &Expected) -> io::Result<Option<Finding>> {
    let mut last: Option<Position> = None;
    while let Some(line) = lines.next()? {
        if !line.is_finished && expected.is_written && lines.is_at_end()? {
            break;
        }
        match judge(&line, last, expected) {
            Ok(link) => {
                last = Some(link.position());
                lines.extent.add(&link, &line.bytes);
            }
            Err(Fault::Removed { from, to }) => {
                let finding = lines.finding(Fault::Removed { from, to });
                let fault = if lines.has(from)? { Fault::Reordered } else { finding.fault };
                return Ok(Some(Finding { fault, ..finding }));
            }
            Err(fault) => return Ok(Some(lines.finding(fault))),
        }
    }
    let reached = last.map_or(0, |position| position.seq);
    let known = expected.head.map(|head| head.last).into_iter().chain(expected.anchor.map(|anchor| anchor.0));
    let missing = known.map(|position| position.seq).max().filter(|seq| *seq > reached);
    let anchor_is_gone = |anchor: &Anchor| anchor.0.seq < lines.extent.first.unwrap_or(0);
    let fault = match missing {
        Some(to) => Some(Fault::Truncated { from: reached + 1, to }),
        None => expected.anchor.filter(anchor_is_gone).map(|_| Fault::Anchor),
    };
    Ok(fault.map(|fault| lines.finding(fault)))
}

/// Judges a line by itself, then by what it follows, then by what is known of it.
fn judge(line: &Line, last: Option<Position>, expected: &Expected) -> Result<Link, Fault> {
    if !line.is_finished {
        return Err(Fault::Unfinished);
    }
    let link = Link::parse(&line.bytes).filter(Link::is_whole).ok_or(Fault::Edited)?;
    if expected.key.as_ref().is_some_and(|key| !link.is_authentic(key)) {
        return Err(Fault::Forged);
    }
    let first_kept = expected.head.map_or(link.seq, |head| head.first);
    match last {
        Some(last) if link.seq <= last.seq => return Err(Fault::Reordered),
        Some(last) if link.seq > last.seq + 1 => {
            return Err(Fault::Removed { from: last.seq + 1, to: link.seq - 1 });
        }
        Some(last) if link.prev != last.hash => return Err(Fault::Replaced),
        None if link.seq > first_kept => {
            return Err(Fault::Removed { from: first_kept, to: link.seq - 1 });
        }
        None if link.seq == 1 && link.prev != Digest::NONE => return Err(Fault::Replaced),
        _ => {}
    }
    let known = |position: Position| position.seq == link.seq && position.hash != link.hash;
    if expected.head.is_some_and(|head| known(head.last))
        || expected.anchor.is_some_and(|anchor| known(anchor.0))
    {
        return Err(Fault::Replaced);
    }
    Ok(link)
}

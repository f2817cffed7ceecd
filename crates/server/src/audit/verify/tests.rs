use std::{fs, path::PathBuf};

use proptest::{prelude::*, sample::Index};
use tempfile::TempDir;

use super::*;
use crate::{
    SystemEntropy,
    audit::{
        chain::Position,
        log::{Log, Rotation, open_file},
    },
};

/// A log of several files in a directory of its own.
struct Written {
    directory: TempDir,
    paths: Paths,
}

impl Written {
    fn new(records: &[String], file_bytes_max: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let paths = Paths::new(&directory.path().join("audit.jsonl"));
        let rotation = Rotation { file_bytes_max, files_kept: None };
        let (mut log, incidents) =
            Log::open(paths.clone(), rotation, &SystemEntropy, Box::new(open_file)).unwrap();
        assert_eq!(incidents, []);
        for record in records {
            log.append([record]).unwrap();
        }
        log.sync().unwrap();
        Self { directory, paths }
    }

    fn of(count: usize) -> Self {
        Self::new(&(0..count).map(|index| format!(",\"event\":\"e{index}\"")).collect::<Vec<_>>(), u64::MAX)
    }

    fn files(&self) -> Vec<PathBuf> {
        self.paths.all_full().unwrap().into_iter().chain([self.paths.log.clone()]).collect()
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.paths.log).unwrap().lines().map(|line| format!("{line}\n")).collect()
    }

    fn write(&self, lines: &[String]) {
        fs::write(&self.paths.log, lines.concat()).unwrap();
    }

    fn report(&self) -> Report {
        self.ask(None)
    }

    fn ask(&self, anchor: Option<Anchor>) -> Report {
        verify(&Question { path: &self.paths.log, key: None, needs_head: true, anchor }).unwrap()
    }

    /// The number of the line, and what is wrong there.
    fn fault(&self) -> Option<(u64, Fault)> {
        self.report().finding.map(|finding| (finding.line, finding.fault))
    }
}

#[test]
fn a_log_is_what_was_written() {
    let report = Written::of(5).report();
    assert_eq!(report.finding, None);
    assert!(report.has_key && report.has_head);
    assert_eq!((report.extent.records, report.extent.first, report.extent.last), (5, Some(1), Some(5)));
}

#[test]
fn each_fault_has_its_name_and_its_line() {
    type Change = fn(&mut Vec<String>);
    let cases: [(Change, (u64, Fault)); 9] = [
        (|lines| lines[2] = lines[2].replace("e2", "e9"), (3, Fault::Edited)),
        (|lines| lines[2].insert(1, ' '), (3, Fault::Edited)),
        (|lines| lines.insert(2, "\n".to_owned()), (3, Fault::Edited)),
        (|lines| drop(lines.remove(2)), (3, Fault::Removed { from: 3, to: 3 })),
        (|lines| drop(lines.drain(..2)), (1, Fault::Removed { from: 1, to: 2 })),
        (|lines| lines.swap(1, 3), (2, Fault::Reordered)),
        (|lines| lines.insert(3, lines[1].clone()), (4, Fault::Reordered)),
        (|lines| lines.truncate(3), (3, Fault::Truncated { from: 4, to: 5 })),
        (|lines| assert_eq!(lines[4].pop(), Some('\n')), (5, Fault::Unfinished)),
    ];
    for (index, (change, fault)) in cases.into_iter().enumerate() {
        let log = Written::of(5);
        let mut lines = log.lines();
        change(&mut lines);
        log.write(&lines);
        assert_eq!(log.fault(), Some(fault), "case {index}");
    }
}

/// Who knows how the chain is made, but not the key, can make lines whose hashes are right.
fn forge(records: &[&str], seq: u64, prev: Digest) -> String {
    let (mut position, mut lines) = (Position { seq, hash: prev }, String::new());
    for record in records {
        position.append(record, &Key::new(&[0; 32]), &mut lines);
    }
    lines
}

#[test]
fn a_chain_that_was_made_anew_is_found_with_the_key_only() {
    let log = Written::of(3);
    let other = [",\"event\":\"e0\"", ",\"event\":\"x\"", ",\"event\":\"e2\""];
    fs::write(&log.paths.log, forge(&other, 0, Digest::NONE)).unwrap();
    assert_eq!(log.fault(), Some((1, Fault::Forged)));
    fs::remove_file(&log.paths.key).unwrap();
    assert_eq!(log.fault(), Some((3, Fault::Replaced)), "the head has another hash");
    fs::remove_file(&log.paths.head).unwrap();
    let alone = Question { path: &log.paths.log, key: None, needs_head: false, anchor: None };
    let report = verify(&alone).unwrap();
    assert_eq!((report.finding, report.has_key, report.has_head), (None, false, false));
}

#[test]
fn a_line_of_another_history_does_not_fit() {
    let log = Written::of(3);
    let mut lines = log.lines();
    lines[1] = forge(&[",\"event\":\"x\""], 1, Digest::of(b"another"));
    log.write(&lines);
    fs::remove_file(&log.paths.key).unwrap();
    assert_eq!(log.fault(), Some((2, Fault::Replaced)));
}

#[test]
fn a_log_without_its_head_or_with_another_is_no_whole_log() {
    let log = Written::of(3);
    let head = fs::read_to_string(&log.paths.head).unwrap();
    fs::write(&log.paths.head, head.replace("\"seq\":3", "\"seq\":2")).unwrap();
    assert_eq!(log.fault(), Some((1, Fault::Head)));
    fs::remove_file(&log.paths.head).unwrap();
    assert_eq!(log.fault(), Some((1, Fault::HeadMissing)));
    fs::write(&log.paths.head, &head).unwrap();
    assert_eq!(log.fault(), None);
    fs::remove_file(&log.paths.log).unwrap();
    assert_eq!(log.fault(), Some((0, Fault::Truncated { from: 1, to: 3 })));
}

#[test]
fn an_anchor_finds_a_log_that_was_put_back_as_a_whole() {
    let log = Written::of(3);
    let report = log.report();
    let anchor = format!("{}:{}", report.extent.last.unwrap(), report.extent.last_hash().unwrap());
    let anchor = Anchor::parse(&anchor).unwrap();
    assert_eq!(log.ask(Some(anchor)).finding, None);
    let older = Written::of(2);
    let fault = older.ask(Some(anchor)).finding.map(|finding| finding.fault);
    assert_eq!(fault, Some(Fault::Truncated { from: 3, to: 3 }));
    let other = Written::new(&[1, 2, 3, 4].map(|number| format!(",\"event\":\"x{number}\"")), u64::MAX);
    let fault = other.ask(Some(anchor)).finding.map(|finding| finding.fault);
    assert_eq!(fault, Some(Fault::Replaced));
    assert_eq!(Anchor::parse("3"), None);
    assert_eq!(Anchor::parse("3:00"), None);
}

#[test]
fn a_server_in_the_middle_of_a_line_is_no_fault() {
    let log = Written::of(3);
    let held = fs::File::open(&log.paths.head).unwrap();
    held.lock().unwrap();
    let mut lines = log.lines();
    lines.push("{\"seq\":4,".to_owned());
    log.write(&lines);
    assert_eq!(log.fault(), None);
    lines.remove(2);
    log.write(&lines);
    assert_eq!(log.fault(), Some((3, Fault::Truncated { from: 3, to: 3 })));
    held.unlock().unwrap();
    assert_eq!(log.fault(), Some((3, Fault::Unfinished)));
}

#[derive(Clone, Debug)]
enum Tampering {
    Cut(Index),
    Drop(Index),
    Edit(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    RemoveFile(Index),
    Repeat(Index, Index),
    Swap(Index, Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Tampering::Cut),
        index().prop_map(Tampering::Drop),
        (index(), any::<u8>()).prop_map(|(at, byte)| Tampering::Edit(at, byte)),
        (index(), any::<u8>()).prop_map(|(at, byte)| Tampering::Insert(at, byte)),
        index().prop_map(Tampering::Remove),
        index().prop_map(Tampering::RemoveFile),
        (index(), index()).prop_map(|(from, to)| Tampering::Repeat(from, to)),
        (index(), index()).prop_map(|(one, other)| Tampering::Swap(one, other)),
    ]
}

impl Tampering {
    /// Does it to what the files hold, one after the other. `lines` are cut behind their ends.
    fn tamper(&self, files: &mut [Vec<u8>]) {
        let file_of = |at: &Index, files: &[Vec<u8>]| at.index(files.len());
        let split = |bytes: &[u8]| -> Vec<Vec<u8>> {
            bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
        };
        match self {
            Self::Cut(at) => {
                let last = files.last_mut().unwrap();
                last.truncate(at.index(last.len()));
            }
            Self::RemoveFile(at) => {
                let index = file_of(at, files);
                files[index].clear();
            }
            Self::Drop(at) | Self::Edit(at, _) | Self::Insert(at, _) => {
                let index = file_of(at, files);
                let file = &mut files[index];
                let at = at.index(file.len());
                match self {
                    Self::Edit(_, byte) => file[at] = *byte,
                    Self::Insert(_, byte) => file.insert(at, *byte),
                    _ => drop(file.remove(at)),
                }
            }
            Self::Remove(at) | Self::Repeat(at, _) | Self::Swap(at, _) => {
                let index = file_of(at, files);
                let mut lines = split(&files[index]);
                let at = at.index(lines.len());
                match self {
                    Self::Repeat(_, to) => {
                        let to = to.index(lines.len());
                        lines.insert(to, lines[at].clone());
                    }
                    Self::Swap(_, other) => {
                        let other = other.index(lines.len());
                        lines.swap(at, other);
                    }
                    _ => drop(lines.remove(at)),
                }
                files[index] = lines.concat();
            }
        }
    }
}

/// The files without the codes of their lines.
fn without_codes(files: &[Vec<u8>]) -> Vec<Vec<&[u8]>> {
    let code = |line: &[u8]| Link::parse(line).map_or(0, |_| ",\"mac\":\"\"}".len() + 64);
    let without = |line| <[u8]>::split_at(line, line.len() - code(line)).0;
    files.iter().map(|file| file.split(|byte| *byte == b'\n').map(without).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_to_a_log_is_found(
        records in prop::collection::vec(",\"event\":\"[a-z\\\\\\\\]{1,30}\"", 1..24),
        file_bytes_max in 300_u64..2000,
        tampering in tampering(),
        has_key: bool,
    ) {
        let log = Written::new(&records, file_bytes_max);
        prop_assert_eq!(log.report().finding, None);
        let paths = log.files();
        let before: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        let mut after = before.clone();
        tampering.tamper(&mut after);
        prop_assume!(match has_key {
            true => after != before,
            // Nobody can judge the codes then.
            false => without_codes(&after) != without_codes(&before),
        });
        for (path, bytes) in paths.iter().zip(&after) {
            fs::write(path, bytes).unwrap();
        }
        if !has_key {
            fs::remove_file(log.directory.path().join("audit.key")).unwrap();
        }
        prop_assert!(log.report().finding.is_some(), "{:?}", tampering);
    }
}

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64},
};

use roomkey_model::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    log::LogFile,
    verify::{Fault, Question, Report, verify},
    *,
};
use crate::SystemEntropy;

/// A clock that is set by hand.
#[derive(Default)]
struct Hands(AtomicU64);

impl Hands {
    fn forward(&self, us: u64) {
        self.0.fetch_add(us, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_us() / 1000)
    }

    fn now_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Fixture {
    directory: TempDir,
    clock: Arc<Hands>,
    log: AuditLog,
}

impl Fixture {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("data/audit.jsonl");
        let log = AuditLog {
            file,
            file_bytes_max: u64::MAX,
            files_kept: None,
            connects: true,
            node: "here".to_owned(),
        };
        let clock = Hands::default();
        clock.forward(1_795_167_438_742_001);
        Self { directory, clock: Arc::new(clock), log }
    }

    fn start(&self) -> Audit {
        self.start_with(Box::new(log::open_file))
    }

    fn start_with(&self, open: Open) -> Audit {
        Audit::start_with(Some(&self.log), self.clock.clone(), &SystemEntropy, open).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("data").join(name)
    }

    fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log.file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The events of all records, and their reasons.
    fn events(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.records().iter().map(|record| (text(&record["event"]), text(&record["reason"]))).collect()
    }

    fn report(&self) -> Report {
        verify(&Question { path: &self.log.file, key: None, needs_head: true, anchor: None }).unwrap()
    }

    fn fault(&self) -> Option<Fault> {
        self.report().finding.map(|finding| finding.fault)
    }
}

fn refused<'a>() -> Record<'a> {
    Record {
        address: Some([192, 0, 2, 1].into()),
        reason: Some("the signature is wrong"),
        ..Record::new(Event::LoginFailed)
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    let patience = (0..20_000).take_while(|_| {
        thread::park_timeout(std::time::Duration::from_millis(1));
        !condition()
    });
    assert!(patience.count() < 20_000, "nothing happens");
}

#[test]
fn records_are_lines_of_a_chain_that_goes_on_after_a_restart() {
    let fixture = Fixture::new();
    for _ in 0..2 {
        let audit = fixture.start();
        audit.record(&Record::new(Event::Started));
        audit.record(&Record { target: Some("a\"b\r\n"), ..refused() });
        audit.close();
        audit.record(&refused());
    }
    let records = fixture.records();
    assert_eq!(records.len(), 4);
    assert_eq!(records[3]["seq"], 4);
    assert_eq!(records[3]["prev"], records[2]["hash"]);
    assert_eq!(records[1]["ts"], "2026-11-20T09:37:18.742001Z");
    assert_eq!(records[1]["target"], "a\"b\r\n");
    assert_eq!(fixture.report().extent.records, 4);
    assert_eq!(fixture.fault(), None);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    fixture.start().close();
    let mode = |name| fs::metadata(fixture.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["audit.jsonl", "audit.key", "audit.head"].map(mode), [0o600; 3]);
    assert_eq!(mode(""), 0o700);
}

#[test]
fn a_log_has_one_writer() {
    let fixture = Fixture::new();
    let first = fixture.start();
    let second = Audit::start(Some(&fixture.log), fixture.clock.clone(), &SystemEntropy);
    let error = second.err().unwrap().to_string();
    assert!(error.contains("another process writes it"), "{error}");
    drop(first);
    fixture.start();
}

#[test]
fn a_flood_is_one_record_and_a_count() {
    let fixture = Fixture::new();
    let audit = fixture.start();
    for port in 0..100_000_u32 {
        audit.record(&Record { target: Some(&port.to_string()), ..refused() });
    }
    audit.record(&Record { reason: Some("another"), ..refused() });
    audit.record(&Record { address: Some([192, 0, 2, 2].into()), ..refused() });
    fixture.clock.forward(1_000_000);
    audit.record(&refused());
    audit.close();
    let seen: Vec<_> = fixture
        .records()
        .iter()
        .map(|record| (record["address"].clone(), record["reason"].clone(), record["count"].clone()))
        .collect();
    let of = |reason: &str, count: Option<u64>| {
        (Value::from("192.0.2.1"), Value::from(reason), count.map_or(Value::Null, Value::from))
    };
    assert_eq!(seen[0], of("the signature is wrong", None));
    assert!(
        seen.contains(&of("the signature is wrong", Some(99_999)))
            || seen.contains(&of("the signature is wrong", Some(100_000))),
        "{seen:?}"
    );
    assert!(seen.contains(&of("another", None)), "{seen:?}");
    assert!((4..=5).contains(&seen.len()), "{seen:?}");
    let counted: u64 = fixture.records().iter().map(|record| record["count"].as_u64().unwrap_or(1)).sum();
    assert_eq!(counted, 100_003);
}

#[test]
fn essential_records_are_never_merged_or_left_out() {
    let fixture = Fixture::new();
    let audit = fixture.start();
    for _ in 0..20_000 {
        audit.record(&Record { reason: Some("logged_out"), ..Record::new(Event::TokenRevoked) });
    }
    audit.close();
    assert_eq!(fixture.report().extent.records, 20_000);
}

/// Whether the disk is full, for files opened by [`on_a_disk`].
fn on_a_disk(is_full: &Arc<AtomicBool>) -> Open {
    let is_full = is_full.clone();
    Box::new(move |path: &Path| {
        Ok(Box::new(OnADisk { file: log::open_file(path)?, is_full: is_full.clone() }) as Box<dyn LogFile>)
    })
}

struct OnADisk {
    file: Box<dyn LogFile>,
    is_full: Arc<AtomicBool>,
}

impl LogFile for OnADisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => self.file.append(bytes),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn is_at(&self, path: &Path) -> bool {
        self.file.is_at(path)
    }
}

#[test]
fn what_comes_while_the_disk_is_full_is_written_later() {
    let fixture = Fixture::new();
    let is_full = Arc::new(AtomicBool::new(true));
    let audit = fixture.start_with(on_a_disk(&is_full));
    audit.record(&Record::new(Event::Started));
    wait_until(|| audit.warning().is_some());
    for index in 0..20_000_u32 {
        audit.record(&Record { address: Some(index.to_be_bytes().into()), ..refused() });
        fixture.clock.forward(1_000);
    }
    for _ in 0..10 {
        audit.record(&Record::new(Event::TokenRevoked));
    }
    assert_eq!(fs::read(&fixture.log.file).unwrap(), b"");
    is_full.store(false, Ordering::Relaxed);
    wait_until(|| audit.warning().is_none());
    audit.close();
    assert_eq!(fixture.fault(), None);
    let events = fixture.events();
    let count = |event| events.iter().filter(|(name, _)| name == event).count() as u64;
    assert_eq!(count("authn_token_revoked"), 10);
    assert_eq!(count("sys_audit_resumed"), 1);
    let counts = fixture.records().into_iter().filter(|record| record["event"] == "authn_login_fail");
    let counted: u64 = counts.map(|record| record["count"].as_u64().unwrap_or(1)).sum();
    assert_eq!(counted, 20_000);
    assert!(count("authn_login_fail") < 17_000, "only so many are told apart");
}

#[test]
fn a_torn_line_is_cut_off_and_the_log_says_so() {
    let fixture = Fixture::new();
    let audit = fixture.start();
    audit.record(&Record::new(Event::Started));
    audit.close();
    let mut text = fs::read_to_string(&fixture.log.file).unwrap();
    text.push_str(&text.clone()[..100]);
    fs::write(&fixture.log.file, text).unwrap();
    assert_eq!(fixture.fault(), Some(Fault::Unfinished));
    fixture.start().close();
    assert_eq!(fixture.fault(), None);
    let repaired = ("sys_audit_repaired".to_owned(), "torn_line".to_owned());
    assert_eq!(fixture.events()[1], repaired);
    assert_eq!(fixture.records()[1]["target"], "100 bytes");
}

#[test]
fn what_was_done_while_the_server_was_down_is_recorded_and_stays_in_sight() {
    type Damage = fn(&Fixture);
    let cut = |fixture: &Fixture| {
        let text = fs::read_to_string(&fixture.log.file).unwrap();
        let lines: String = text.split_inclusive('\n').take(2).collect();
        fs::write(&fixture.log.file, lines).unwrap();
    };
    let cases: [(Damage, &str, Fault); 7] = [
        (cut, "truncated", Fault::Removed { from: 3, to: 3 }),
        (
            |fixture| fs::remove_file(&fixture.log.file).unwrap(),
            "truncated",
            Fault::Removed { from: 1, to: 3 },
        ),
        (
            |fixture| {
                let text = fs::read_to_string(&fixture.log.file).unwrap();
                fs::write(&fixture.log.file, text.replace("user_created", "user_updated")).unwrap();
            },
            "last_line",
            Fault::Edited,
        ),
        (
            |fixture| {
                // As many again, from a copy of the key: the first says that a log is missing.
                let other = Fixture::new();
                fs::create_dir_all(other.path("")).unwrap();
                fs::copy(fixture.path("audit.key"), other.path("audit.key")).unwrap();
                let audit = other.start();
                for _ in 0..2 {
                    audit.record(&Record::new(Event::KeysChanged));
                }
                audit.close();
                fs::copy(&other.log.file, &fixture.log.file).unwrap();
            },
            "replaced",
            Fault::Replaced,
        ),
        (|fixture| fs::remove_file(fixture.path("audit.key")).unwrap(), "key", Fault::Forged),
        (|fixture| fs::write(fixture.path("audit.head"), "").unwrap(), "head", Fault::Head),
        (
            |fixture| {
                fs::remove_file(&fixture.log.file).unwrap();
                fs::remove_file(fixture.path("audit.head")).unwrap();
            },
            "removed",
            Fault::Head,
        ),
    ];
    for (damage, reason, fault) in cases {
        let fixture = Fixture::new();
        let audit = fixture.start();
        for event in [Event::Started, Event::UserCreated, Event::UserCreated] {
            audit.record(&Record::new(event));
        }
        audit.close();
        damage(&fixture);
        let audit = fixture.start();
        audit.record(&Record::new(Event::Started));
        audit.close();
        let damaged = ("sys_audit_damaged".to_owned(), reason.to_owned());
        assert!(fixture.events().contains(&damaged), "{:?}", fixture.events());
        if matches!(reason, "head" | "removed") {
            assert_eq!(fixture.fault(), None, "what is there is whole");
            assert_eq!(fixture.report().extent.damaged, 1);
        } else {
            assert_eq!(fixture.fault(), Some(fault), "{reason}");
        }
    }
}

#[test]
fn a_file_that_is_moved_away_is_followed_by_another() {
    let fixture = Fixture::new();
    let audit = fixture.start();
    audit.record(&Record::new(Event::Started));
    wait_until(|| audit.counters().written.load(Ordering::Relaxed) == 1);
    fs::rename(&fixture.log.file, fixture.path("elsewhere")).unwrap();
    audit.record(&Record::new(Event::UserCreated));
    audit.close();
    let reasons: Vec<_> = fixture.events().into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["", "file_moved"]);
    assert_eq!(fixture.fault(), Some(Fault::Removed { from: 1, to: 1 }));
}

#[test]
fn full_files_are_kept_up_to_a_number_and_the_chain_goes_on_over_them() {
    let mut fixture = Fixture::new();
    (fixture.log.file_bytes_max, fixture.log.files_kept) = (1, Some(2));
    let audit = fixture.start();
    for count in 1..=6 {
        audit.record(&Record::new(Event::UserCreated));
        wait_until(|| audit.counters().written.load(Ordering::Relaxed) == count);
    }
    audit.close();
    let report = fixture.report();
    assert_eq!(report.finding, None);
    assert_eq!((report.extent.files, report.extent.first, report.extent.last), (3, Some(4), Some(6)));
    fs::remove_file(fixture.path("audit-000000000004.jsonl")).unwrap();
    assert_eq!(fixture.fault(), Some(Fault::Removed { from: 4, to: 4 }));
}

#[test]
fn without_a_file_there_is_nothing_to_write() {
    let audit = Audit::start(None, Arc::new(Hands::default()), &SystemEntropy).unwrap();
    audit.record(&refused());
    audit.close();
    assert_eq!(audit.counters().written.load(Ordering::Relaxed), 0);
    assert_eq!(audit.warning(), None);
}

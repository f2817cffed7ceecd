use std::{
    fmt::{self, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{ConfigArgs, Outcome};
use crate::{
    audit::verify::{Anchor, Fault, Finding, Question, Report, verify},
    config::Environment,
};

#[derive(Args)]
pub(super) struct Verify {
    #[command(flatten)]
    config: ConfigArgs,
    /// The current file of an audit log, or a copy of one file [default: the server's own]
    file: Option<PathBuf>,
    /// The key of the log [default: the file beside it that ends with `.key`]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A record that must be in the log: what an earlier verification called its end
    #[arg(long, value_name = "SEQ:HASH", value_parser = anchor)]
    anchor: Option<Anchor>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn anchor(text: &str) -> Result<Anchor, &'static str> {
    Anchor::parse(text).ok_or("must be the number of a record, a colon, and its hash of 64 digits")
}

impl Verify {
    /// Succeeds if nothing is wrong with the log.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let path = match &self.file {
            Some(file) => file.clone(),
            None => self.config.load(environment)?.audit_path(),
        };
        let question = Question {
            path: &path,
            key: self.key.as_deref(),
            needs_head: self.file.is_none(),
            anchor: self.anchor,
        };
        let report = verify(&question).with_context(|| format!("cannot verify {}", path.display()))?;
        let mut text = String::new();
        if self.json {
            writeln!(text, "{}", in_json(&report))?;
        } else {
            in_words(&report, &mut text)?;
        }
        Ok(Outcome { text, is_success: report.finding.is_none() })
    }
}

fn in_words(report: &Report, text: &mut String) -> fmt::Result {
    let extent = &report.extent;
    match &report.finding {
        None => writeln!(text, "The audit log is what was written.")?,
        Some(Finding { file, line: 0, fault }) => writeln!(text, "{}: {fault}.", file.display())?,
        Some(Finding { file, line, fault }) => writeln!(text, "{}:{line}: {fault}.", file.display())?,
    }
    let mut line = |name: &str, value: String| writeln!(text, "  {name:<8} {value}");
    let checked = if report.finding.is_none() { "" } else { " before that" };
    line("records", format!("{}{checked}, in {} files", extent.records, extent.files))?;
    if let (Some(first), Some(last), Some((from, until))) = (extent.first, extent.last, &extent.times) {
        line("first", format!("{first} ({from})"))?;
        line("last", format!("{last} ({until})"))?;
    }
    if let Some(end) = end(report) {
        line("end", end)?;
    }
    if extent.damaged > 0 {
        line("damage", format!("{} times the server itself found the log damaged", extent.damaged))?;
    }
    if !report.has_key {
        line("key", "none: whoever could write the file could have made all of it".to_owned())?;
    }
    if !report.has_head && !matches!(&report.finding, Some(Finding { fault: Fault::HeadMissing, .. })) {
        line("head", "none: what was cut off at the end, or before this file, is not noticed".to_owned())?;
    }
    Ok(())
}

/// What an anchor for later is made of.
fn end(report: &Report) -> Option<String> {
    Some(format!("{}:{}", report.extent.last?, report.extent.last_hash()?))
}

fn in_json(report: &Report) -> Value {
    let extent = &report.extent;
    let (from, until) = extent.times.clone().unzip();
    let fault = report.finding.as_ref().map(|Finding { file, line, fault }| {
        json!({
            "file": file.to_string_lossy(),
            "line": line,
            "fault": fault.name(),
            "message": fault.to_string(),
        })
    });
    json!({
        "intact": report.finding.is_none(),
        "fault": fault,
        "files": extent.files,
        "records": extent.records,
        "first": extent.first,
        "last": extent.last,
        "from": from,
        "until": until,
        "end": end(report),
        "damaged": extent.damaged,
        "hasKey": report.has_key,
        "hasHead": report.has_head,
    })
}

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{totals::Totals, workspace};

/// A command in the root of the workspace; `cargo` is the one that runs this program.
pub(crate) fn command(program: &str) -> Command {
    let cargo = std::env::var_os("CARGO").filter(|_| program == "cargo");
    let mut command = Command::new(cargo.unwrap_or_else(|| program.into()));
    command.current_dir(workspace::root());
    command
}

/// Runs `line`, split at spaces, in the folder `directory` of the workspace; an error if it fails.
pub(crate) fn run_in(directory: &str, line: &str) -> Result<()> {
    let mut words = line.split(' ');
    let mut command = command(words.next().expect("split gives at least one word"));
    command.args(words).current_dir(workspace::root().join(Path::new(directory)));
    run(&mut command)
}

/// Runs `command`, showing it and what it prints; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("cannot run {shown}"))?;
    ensure!(status.success(), "`{shown}` failed: {status}");
    Ok(())
}

/// Runs a test runner, showing what it prints and adding up its summaries.
///
/// A runner that fails without a failed test (it did not compile, it crashed) counts as one failure.
pub(crate) fn run_tests(command: &mut Command) -> Result<Totals> {
    let shown = show(command);
    command.env("NO_COLOR", "1").env_remove("FORCE_COLOR").stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {shown}"))?;
    let mut totals = Totals::default();
    for line in BufReader::new(child.stdout.take().expect("stdout is piped")).lines() {
        let line = line?;
        println!("{line}");
        totals.count_line(&line);
    }
    if !child.wait()?.success() && totals.failed == 0 {
        totals += Totals::FAILED;
    }
    Ok(totals)
}

fn show(command: &Command) -> String {
    let mut shown =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    println!("$ {shown}");
    shown
}

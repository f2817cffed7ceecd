//! A password comes from a file, from a terminal without being shown, or from a pipe; never from the arguments,
//! which every process of the machine can read.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use anyhow::{Context as _, ensure};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

/// The password, without the line end behind it.
pub(super) fn read(file: Option<&Path>) -> anyhow::Result<SecretString> {
    if let Some(file) = file {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        return Ok(without_line_end(&text));
    }
    if !io::stdin().is_terminal() {
        return read_line();
    }
    let _hidden = HiddenInput::start()?;
    let password = ask("Password: ")?;
    let again = ask("The same again: ")?;
    ensure!(password.expose_secret() == again.expose_secret(), "the two passwords differ");
    Ok(password)
}

fn ask(prompt: &str) -> anyhow::Result<SecretString> {
    write!(io::stderr(), "{prompt}")?;
    let line = read_line();
    writeln!(io::stderr())?;
    line
}

fn read_line() -> anyhow::Result<SecretString> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(without_line_end(&line))
}

fn without_line_end(text: &str) -> SecretString {
    let line = text.strip_suffix('\n').unwrap_or(text);
    SecretString::from(line.strip_suffix('\r').unwrap_or(line))
}

/// The terminal does not show what is typed while this lives.
struct HiddenInput(Termios);

impl HiddenInput {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // Nothing could be done about a failure.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

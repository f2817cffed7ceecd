//! The house rules that neither the compiler nor clippy checks.
//!
//! Each check takes text and returns findings; the test below runs all of them over the project.

mod arrows;
mod length;
mod lockfiles;
mod manifests;
mod names;
mod references;
mod words;

use anyhow::{Result, bail};

use crate::{
    docs,
    workspace::{self, SourceFile},
};

/// Runs every check, prints what they find.
pub(crate) fn run() -> Result<()> {
    let findings = findings()?;
    if findings.is_empty() {
        return Ok(());
    }
    bail!("the house is not tidy:\n  {}", findings.join("\n  "));
}

fn findings() -> Result<Vec<String>> {
    let files = workspace::source_files()?;
    let mut findings = length::too_long(&files);
    findings.extend(references::check(&files));
    for file in &files {
        findings.extend(lockfiles::check(file));
        findings.extend(manifests::check(file));
        findings.extend(names::check(file));
        findings.extend(words::check(file));
    }
    findings.extend(docs::stale(&files));
    findings.extend(arrows::check()?);
    Ok(findings)
}

/// Hand-written source code, as opposed to prose, data and what a tool writes.
fn is_code(file: &SourceFile) -> bool {
    const EXTENSIONS: [&str; 7] = ["css", "js", "mjs", "py", "rs", "ts", "tsx"];
    let extension = file.path.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension) && !is_generated(file)
}

/// Written by a tool: lock files and the built pages.
fn is_generated(file: &SourceFile) -> bool {
    file.path.ends_with("Cargo.lock")
        || file.path.ends_with("package-lock.json")
        || file.path.starts_with("crates/server/pages/")
}

#[cfg(test)]
mod tests {
    use crate::workspace::SourceFile;

    #[test]
    fn the_house_is_tidy() {
        let findings = super::findings().unwrap();
        assert!(findings.is_empty(), "\n  {}", findings.join("\n  "));
    }

    pub(super) fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }
}

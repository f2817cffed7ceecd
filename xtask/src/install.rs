use std::{ffi::OsString, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{run, workspace};

/// Installs the Debian packages whose `program` is missing, in one go.
pub(crate) fn debian_packages(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt_get(&["update"]).with_context(|| format!("please install these packages by hand: {missing:?}"))?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
}

/// The browser of the end-to-end tests: the one `CHROMIUM` names, or Debian's.
pub(crate) fn chromium() -> Result<OsString> {
    if let Some(chromium) = std::env::var_os("CHROMIUM") {
        return Ok(chromium);
    }
    debian_packages(&[("chromium", "chromium")])?;
    Ok("/usr/bin/chromium".into())
}

/// `npm ci` in a folder of the workspace, unless what it installed last is still current.
pub(crate) fn npm_packages(directory: &str) -> Result<()> {
    let directory_path = workspace::root().join(directory);
    let installed = directory_path.join("node_modules/.package-lock.json");
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    if modified(&installed) > modified(&directory_path.join("package-lock.json")) {
        return Ok(());
    }
    run::run_in(directory, "npm ci --no-audit --no-fund")
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let mut command = run::command(if is_root { "apt-get" } else { "sudo" });
    if !is_root {
        command.arg("apt-get");
    }
    run::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

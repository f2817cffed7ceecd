use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{run, workspace};

/// Installs the Debian packages whose `program` is missing, in one go.
pub(crate) fn debian_packages(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { install_debian_packages(&missing) }
}

fn install_debian_packages(packages: &[&str]) -> Result<()> {
    apt_get(&["update"]).with_context(|| format!("please install these packages by hand: {packages:?}"))?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// The browser of the end-to-end tests: the one `CHROMIUM` names, or Debian's.
pub(crate) fn chromium() -> Result<OsString> {
    if let Some(chromium) = std::env::var_os("CHROMIUM") {
        return Ok(chromium);
    }
    debian_packages(&[("chromium", "chromium")])?;
    Ok("/usr/bin/chromium".into())
}

/// A Python with the packages that `requirements` pins: an environment of its own below `target/`, made anew when the
/// file has changed.
pub(crate) fn python(requirements: &str) -> Result<PathBuf> {
    debian_packages(&[("python3", "python3")])?;
    let venv = run::command("python3").args(["-c", "import ensurepip, venv"]).stderr(Stdio::null()).status();
    if !venv.is_ok_and(|status| status.success()) {
        install_debian_packages(&["python3-venv"])?;
    }
    let wanted = std::fs::read(workspace::root().join(requirements))?;
    let environment = workspace::target().join("tools/python");
    let (python, installed) = (environment.join("bin/python"), environment.join("installed.txt"));
    if std::fs::read(&installed).ok().as_ref() != Some(&wanted) {
        run::run(run::command("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let mut pip = run::command(&python.to_string_lossy());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        run::run(pip.arg(requirements))?;
        std::fs::write(&installed, &wanted)?;
    }
    Ok(python)
}

/// What the crates that bind to OpenSSL need to be built.
pub(crate) fn openssl() -> Result<()> {
    debian_packages(&[("pkg-config", "pkg-config")])?;
    let found = run::command("pkg-config").args(["--exists", "openssl"]).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    install_debian_packages(&["libssl-dev"])
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
    // Daemons are in a directory that is on the path of administrators only.
    let mut directories = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    directories.any(|directory| directory.join(program).is_file())
}

//! The files of an audit log: `audit.jsonl`, those before it (`audit-000000000001.jsonl`, by their first record), its
//! key (`audit.key`) and its head (`audit.head`).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where the files of a log are.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) log: PathBuf,
    pub(super) key: PathBuf,
    pub(super) head: PathBuf,
}

impl Paths {
    pub(super) fn new(log: &Path) -> Self {
        let [key, head] = ["key", "head"].map(|extension| log.with_extension(extension));
        Self { log: log.to_owned(), key, head }
    }

    pub(super) fn directory(&self) -> &Path {
        let directory = self.log.parent().filter(|directory| !directory.as_os_str().is_empty());
        directory.unwrap_or(Path::new("."))
    }

    /// What a file is called that is full, and whose first record has this number.
    pub(super) fn full(&self, first: u64) -> PathBuf {
        let (prefix, suffix) = self.name_of_full();
        self.directory().join(format!("{prefix}{first:012}{suffix}"))
    }

    /// The files that are full, the oldest first.
    pub(super) fn all_full(&self) -> io::Result<Vec<PathBuf>> {
        let (prefix, suffix) = self.name_of_full();
        let mut found = Vec::new();
        for entry in fs::read_dir(self.directory())? {
            let name = entry?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(&suffix));
            let is_number = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_digit());
            if let Some(Ok(first)) = digits.filter(is_number).map(str::parse::<u64>) {
                found.push((first, self.directory().join(&name)));
            }
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    fn name_of_full(&self) -> (String, String) {
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let extension = text(self.log.extension());
        let suffix = if extension.is_empty() { extension } else { format!(".{extension}") };
        (format!("{}-", text(self.log.file_stem())), suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_found_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::new(&directory.path().join("audit.jsonl"));
        for name in ["audit.jsonl", "audit-x.jsonl", "audit-+1.jsonl", "audit-1.key", "other-1.jsonl"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let full = [1, 900, 1_000_000_000_000, 10_000_000_000_000].map(|first| paths.full(first));
        full.iter().rev().for_each(|path| fs::write(path, "").unwrap());
        assert_eq!(full[0], directory.path().join("audit-000000000001.jsonl"));
        assert_eq!(paths.all_full().unwrap(), full);
        assert_eq!(Paths::new(Path::new("audit.jsonl")).directory(), Path::new("."));
    }
}

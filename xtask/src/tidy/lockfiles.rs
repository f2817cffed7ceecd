use crate::workspace::SourceFile;

/// What a lock file of cargo may say about where a crate comes from (besides nothing, for our own).
const CARGO_SOURCE_PREFIX: &str = "source = \"registry+";

/// Lock files pin versions and hashes; where to fetch from is the machine's business.
pub(super) fn check(file: &SourceFile) -> Vec<String> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let is_foreign = |line: &str| match name {
        "Cargo.lock" => line.starts_with("source = ") && !line.starts_with(CARGO_SOURCE_PREFIX),
        "package-lock.json" => line.trim_start().starts_with("\"resolved\":") && line.contains("://"),
        _ => false,
    };
    let lines = file.text.lines().enumerate().filter(|(_, line)| is_foreign(line));
    lines.map(|(index, line)| format!("{}:{}: {}", file.path, index + 1, line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::file;

    #[test]
    fn foreign_sources_are_found() {
        let git = "[[package]]\nname = \"a\"\nsource = \"git+ssh://b\"\n";
        let registry = "[[package]]\nname = \"a\"\nsource = \"registry+c\"\n";
        let npm = "    \"node_modules/a\": {\n      \"resolved\": \"https://b/a.tgz\",\n";
        assert_eq!(check(&file("Cargo.lock", git)).len(), 1);
        assert_eq!(check(&file("Cargo.lock", registry)).len(), 0);
        assert_eq!(check(&file("e2e/package-lock.json", npm)).len(), 1);
        assert_eq!(check(&file("e2e/notes.txt", npm)).len(), 0);
    }
}

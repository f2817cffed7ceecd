use crate::workspace::SourceFile;

/// Prose that names tests, as `` `end/of/its/path.rs::its_name` ``, names tests that exist.
pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for prose in files.iter().filter(|file| file.path.starts_with("docs/")) {
        for (index, line) in prose.text.lines().enumerate() {
            for (path, name) in references(line) {
                if !files.iter().any(|file| ends_with(&file.path, path) && has_test(file, name)) {
                    findings.push(format!("{}:{}: no test `{path}::{name}`", prose.path, index + 1));
                }
            }
        }
    }
    findings
}

/// What stands between backquotes and is the place of a test.
fn references(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".mjs"))
}

fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn has_test(file: &SourceFile, name: &str) -> bool {
    let written = if file.path.ends_with(".rs") { format!("fn {name}(") } else { format!("test(\"{name}\"") };
    file.text.contains(&written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::file;

    #[test]
    fn tests_that_do_not_exist_are_found() {
        let docs = |text: &str| {
            let rust = file("crates/a/tests/it/b.rs", "#[test]\nfn c() {}\n");
            check(&[file("docs/cases.md", text), rust, file("e2e/d.test.mjs", "test(\"e f\", () => {});\n")])
        };
        assert_eq!(docs("| `it/b.rs::c`, `b.rs::c` | `e2e/d.test.mjs::e f` | `Some::path` |").len(), 0);
        for gone in ["`it/b.rs::cc`", "`t/b.rs::c`", "`it/c.rs::c`", "`e2e/d.test.mjs::e`"] {
            assert_eq!(docs(gone).len(), 1, "{gone}");
        }
    }
}

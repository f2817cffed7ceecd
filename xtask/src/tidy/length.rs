use crate::{tidy::is_code, workspace::SourceFile};

const CODE_LINES_MAX: usize = 500;

/// Files that are longer, with the length they may not exceed. Entries go down and away, never up.
const RATCHET: &[(&str, usize)] = &[];

/// A file over the limit usually holds a second idea.
pub(super) fn too_long(files: &[SourceFile]) -> Vec<String> {
    check(files, RATCHET)
}

fn check(files: &[SourceFile], ratchet: &[(&str, usize)]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_code(file)) {
        let lines = code_lines(&file.text);
        let allowed = ratchet.iter().find(|(path, _)| *path == file.path).map(|(_, lines)| *lines);
        if lines > allowed.unwrap_or(CODE_LINES_MAX) {
            findings.push(format!("{}: {lines} code lines; is there a second idea in it?", file.path));
        } else if allowed.is_some_and(|allowed| lines < allowed) {
            findings.push(format!("{}: {lines} code lines now; lower its entry in length.rs", file.path));
        }
    }
    for (path, _) in ratchet {
        if !files.iter().any(|file| file.path == *path) {
            findings.push(format!("{path}: gone; remove its entry in length.rs"));
        }
    }
    findings
}

fn code_lines(text: &str) -> usize {
    text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !is_comment(line)).count()
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//") || (line.starts_with('#') && !line.starts_with("#["))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::file;

    #[test]
    fn only_code_counts_and_the_ratchet_only_goes_down() {
        let long = "let x = 1;\n// why\n\n".repeat(CODE_LINES_MAX + 1);
        let short = "let x = 1;\n// why\n\n".repeat(CODE_LINES_MAX);
        assert_eq!(check(&[file("a.rs", &long)], &[]).len(), 1);
        assert_eq!(check(&[file("a.md", &long)], &[]).len(), 0);
        assert_eq!(check(&[file("a.rs", &short)], &[]).len(), 0);
        assert_eq!(check(&[file("a.rs", &long)], &[("a.rs", CODE_LINES_MAX + 1)]).len(), 0);
        assert_eq!(check(&[file("a.rs", &long)], &[("a.rs", CODE_LINES_MAX + 9)]).len(), 1);
        assert_eq!(check(&[file("a.rs", &short)], &[("b.rs", 900)]).len(), 1);
    }
}

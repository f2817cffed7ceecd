use crate::{
    tidy::{is_code, is_generated},
    workspace::SourceFile,
};

/// Columns of a code line; the formatters break earlier, strings and comments may stick out.
const WIDTH_MAX: usize = 140;

/// What must not appear, and why. Split, so that this table does not find itself.
const BANNED: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "unfinished work belongs in an issue"),
    (concat!("FIX", "ME"), "unfinished work belongs in an issue"),
    (concat!("todo", "!("), "unfinished work belongs in an issue"),
    (concat!("unimplemented", "!("), "unfinished work belongs in an issue"),
    (concat!("#[", "ignore]"), "a test runs, or says why it does not"),
    (concat!("test", ".skip("), "a test runs or goes"),
    (concat!("test", ".only("), "every test runs"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("registry.", "npmjs"), "name no registry host"),
    (concat!("npmjs", ".com"), "name no registry host"),
    (concat!("crates", ".io/"), "name no registry host"),
    (concat!("index.", "crates"), "name no registry host"),
    (concat!("pypi", ".org"), "name no registry host"),
    (concat!("python", "hosted.org"), "name no registry host"),
    (concat!("deb.", "debian"), "name no registry host"),
    (concat!("un", "pkg.com"), "pages load nothing from elsewhere"),
    (concat!("js", "delivr"), "pages load nothing from elsewhere"),
    (concat!("cdn", "js"), "pages load nothing from elsewhere"),
];

/// Banned words, and lines that nobody can read without scrolling.
pub(super) fn check(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    if is_generated(file) {
        return findings;
    }
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        for (word, reason) in BANNED {
            if line.contains(word) {
                findings.push(format!("{place}: `{word}`: {reason}"));
            }
        }
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(format!("{place}: white space at the end"));
        }
        if is_code(file) && line.chars().count() > WIDTH_MAX && !is_unbreakable(line) {
            findings.push(format!("{place}: wider than {WIDTH_MAX} columns"));
        }
    }
    findings
}

/// One long word (a token, an address, a test vector) cannot be wrapped.
fn is_unbreakable(line: &str) -> bool {
    line.split_whitespace().any(|word| word.chars().count() > WIDTH_MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::file;

    #[test]
    fn every_banned_word_is_found() {
        for (word, _) in BANNED {
            assert_eq!(check(&file("a.rs", &format!("// see {word}x\n"))).len(), 1, "{word}");
        }
    }

    #[test]
    fn long_lines_are_found_in_code_only() {
        let wide = format!("{}\n", "word ".repeat(30).trim());
        assert_eq!(check(&file("a.rs", &wide)).len(), 1);
        assert_eq!(check(&file("a.md", &wide)).len(), 0);
        assert_eq!(check(&file("a.rs", &format!("\"{}\"\n", "x".repeat(150)))).len(), 0);
        assert_eq!(check(&file("a.md", "end \n")).len(), 1);
    }
}

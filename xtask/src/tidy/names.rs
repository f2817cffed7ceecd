use std::path::Path;

use crate::{tidy::is_code, workspace::SourceFile};

/// Names that say nothing about what is inside, so that everything ends up inside.
const BANNED: [&str; 8] = ["common", "helper", "helpers", "misc", "type", "types", "util", "utils"];

/// Files and folders are named after the one idea they hold.
pub(super) fn check(file: &SourceFile) -> Option<String> {
    let is_banned = |part: &Path| {
        let stem = part.file_stem().unwrap_or_default().to_string_lossy();
        BANNED.contains(&stem.as_ref())
    };
    let name = Path::new(&file.path).iter().map(Path::new).find(|part| is_banned(part))?;
    is_code(file).then(|| format!("{}: `{}` is not the name of an idea", file.path, name.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::file;

    #[test]
    fn names_without_an_idea_are_found() {
        assert!(check(&file("crates/hub/src/utils.rs", "")).is_some());
        assert!(check(&file("crates/common/src/lib.rs", "")).is_some());
        assert!(check(&file("crates/hub/src/commonplace.rs", "")).is_none());
        assert!(check(&file("docs/types.md", "")).is_none());
    }
}

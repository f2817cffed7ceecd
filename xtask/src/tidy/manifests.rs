use crate::workspace::SourceFile;

/// Every crate lives under the lints of the workspace and takes its dependencies from a registry.
pub(super) fn check(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    if !file.path.ends_with("Cargo.toml") {
        return findings;
    }
    let manifest: toml::Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{}: {error}", file.path)],
    };
    let is_member = manifest.contains_key("package") && !manifest.contains_key("workspace");
    let inherits =
        manifest.get("lints").and_then(|lints| lints.get("workspace")) == Some(&toml::Value::Boolean(true));
    if is_member && !inherits && is_of_main_workspace(&file.path) {
        findings.push(format!("{}: must inherit the lints: `[lints] workspace = true`", file.path));
    }
    for (name, dependency) in dependencies(&manifest) {
        if dependency.get("git").is_some() || dependency.get("registry").is_some() {
            findings.push(format!("{}: `{name}` must come from the default registry", file.path));
        }
    }
    findings
}

/// `fuzz/` and `bench/peers/` are workspaces of their own.
fn is_of_main_workspace(path: &str) -> bool {
    path.starts_with("crates/") || path.starts_with("xtask/")
}

fn dependencies(manifest: &toml::Table) -> impl Iterator<Item = (&String, &toml::Value)> {
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    [Some(manifest), workspace]
        .into_iter()
        .flatten()
        .flat_map(|table| {
            ["build-dependencies", "dependencies", "dev-dependencies"].map(|kind| table.get(kind))
        })
        .flatten()
        .filter_map(toml::Value::as_table)
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::file;

    #[test]
    fn a_member_inherits_the_lints() {
        let crate_without = file("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");
        let crate_with = file("crates/a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n");
        assert_eq!(check(&crate_without).len(), 1);
        assert_eq!(check(&crate_with).len(), 0);
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let git = file("Cargo.toml", "[workspace.dependencies]\na = { git = \"ssh://b\" }\nb = \"1\"\n");
        assert_eq!(check(&git).len(), 1);
    }
}

use std::{
    collections::{BTreeMap, btree_map::Entry},
    env,
    ffi::OsString,
    fs,
    path::Path,
};

use super::{
    error::ConfigError,
    node::{Node, Value, join},
    place::Place,
    private_file,
};

/// The environment variables of the process, as a value that a test can make.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

/// `ROOMKEY__SECTION__KEY` is the key `section.key`.
const PREFIX: &str = "ROOMKEY__";
/// `ROOMKEY__SECTION__KEY_FILE` names a file that holds the value.
const FILE_SUFFIX: &str = "_file";
/// What backends call the secret that they sign with; the same as `auth.jwt_secret`.
const JWT_SECRET: &str = "JWT_SECRET";

impl Environment {
    /// What this process was given.
    pub(crate) fn of_process() -> Self {
        Self(env::vars_os().collect())
    }

    /// The value of a variable, if it is there.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        let value = self.0.get(&OsString::from(name));
        value.map(|value| value.to_str().ok_or_else(|| ConfigError::new(name, "is not UTF-8"))).transpose()
    }

    /// Puts what is set here over what the file has. Gives a warning for each file that others can read.
    pub(super) fn add_to(&self, root: &mut Node) -> Result<Vec<String>, ConfigError> {
        let mut exposed = Vec::new();
        for name in self.0.keys().filter_map(|name| name.to_str()) {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let value = self.get(name)?.unwrap_or_default();
            let path: Vec<String> = key.split("__").map(str::to_ascii_lowercase).collect();
            let [section, key] = path.as_slice() else {
                return Err(ConfigError::new(name, format!("must be of the form {PREFIX}SECTION__KEY")));
            };
            match key.strip_suffix(FILE_SUFFIX) {
                None => insert(root, section, key, name, value.to_owned())?,
                Some(key) => {
                    exposed.extend(private_file::exposure(Path::new(value)));
                    insert(root, section, key, name, read(name, value)?)?;
                }
            }
        }
        if let Some(secret) = self.get(JWT_SECRET)? {
            add_jwt_secret(root, secret)?;
        }
        Ok(exposed)
    }
}

/// For tests.
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

fn insert(root: &mut Node, section: &str, key: &str, name: &str, text: String) -> Result<(), ConfigError> {
    let place = Place::Variable(name.into());
    let Value::Table(sections) = &mut root.value else { return Ok(()) };
    let section_node = sections.entry(section.to_owned()).or_insert_with(|| Node {
        path: section.to_owned(),
        place: place.clone(),
        value: Value::Table(BTreeMap::new()),
    });
    // A section that is no table is refused as such when it is read.
    let Value::Table(keys) = &mut section_node.value else { return Ok(()) };
    let node = Node { path: join(section, key), place, value: Value::Variable(text) };
    match keys.entry(key.to_owned()) {
        Entry::Occupied(given) if matches!(given.get().place, Place::Variable(_)) => {
            Err(ConfigError::new(name, format!("{} is set, too; set only one", given.get().setting())))
        }
        Entry::Occupied(mut given) => {
            given.insert(node);
            Ok(())
        }
        Entry::Vacant(free) => {
            free.insert(node);
            Ok(())
        }
    }
}

fn add_jwt_secret(root: &mut Node, secret: &str) -> Result<(), ConfigError> {
    if let Value::Table(sections) = &root.value
        && let Some(Node { value: Value::Table(keys), .. }) = sections.get("auth")
        && let Some(given) = keys.get("jwt_secret")
    {
        return match &given.value {
            Value::Text(text) | Value::Variable(text) if text != secret => {
                Err(ConfigError::new(JWT_SECRET, format!("differs from {}; set only one", given.setting())))
            }
            _ => Ok(()),
        };
    }
    insert(root, "auth", "jwt_secret", JWT_SECRET, secret.to_owned())
}

/// The text of the file, without the line end that an editor puts at its end.
fn read(name: &str, file: &str) -> Result<String, ConfigError> {
    let mut text = fs::read_to_string(file)
        .map_err(|error| ConfigError::new(name, format!("cannot read {file}: {error}")))?;
    for end in ['\n', '\r'] {
        if text.ends_with(end) {
            text.pop();
        }
    }
    Ok(text)
}

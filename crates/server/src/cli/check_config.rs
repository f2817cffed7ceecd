use std::fmt::{self, Write};

use super::{Outcome, ServeArgs};
use crate::config::{AuthSetup, Config, Environment, MissingKey, Origins};

/// Says what would be served. Reads the keys, but makes none, and neither opens the store nor listens.
pub(super) fn run(args: &ServeArgs, environment: &Environment) -> anyhow::Result<Outcome> {
    let config = args.load(environment)?;
    let auth = AuthSetup::new(&config, MissingKey::Pretend)?;
    let mut text = String::new();
    describe(&config, &auth, &mut text)?;
    Ok(text.into())
}

fn describe(config: &Config, auth: &AuthSetup, text: &mut String) -> fmt::Result {
    match &config.file {
        Some(file) => writeln!(text, "{} and the environment are fine.", file.display())?,
        None => writeln!(text, "The environment is fine; there is no configuration file.")?,
    }
    let mut line = |name: &str, value: String| writeln!(text, "  {name:<10} {value}");
    line("listen", config.server.listen.to_string())?;
    line("threads", config.server.threads.to_string())?;
    line("data", config.server.data_dir.display().to_string())?;
    line("origins", origins(config))?;
    let has_key = auth.keys.as_ref().is_some_and(|keys| !keys.list().is_empty());
    line("accounts", accounts(config, has_key))?;
    line("issuers", joined(config.auth.issuers.iter().map(|issuer| &issuer.name)))?;
    line("page", if config.chat.demo_page { "the demo chat" } else { "none" }.to_owned())?;
    auth.warnings.iter().try_for_each(|warning| line("warning", warning.clone()))
}

fn origins(config: &Config) -> String {
    match &config.http.origins {
        Origins::Any => "every web page, without cookies".to_owned(),
        Origins::Listed(listed) => {
            let is_loopback = config.server.listen.ip().is_loopback();
            let local = is_loopback.then(|| "pages of this machine".to_owned());
            joined(listed.iter().map(ToString::to_string).chain(local))
        }
    }
}

fn accounts(config: &Config, has_key: bool) -> String {
    if !config.auth.builtin {
        return "none".to_owned();
    }
    let registration = if config.auth.registration { "open" } else { "closed" };
    let key = if config.auth.jwt_secret.is_some() {
        "auth.jwt_secret (HS256)".to_owned()
    } else {
        let made = if has_key { "" } else { ", made at the first start" };
        format!("the key in {} (EdDSA){made}", config.keys_path().display())
    };
    format!("registration {registration}; tokens signed with {key}")
}

fn joined(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")
}

//! The log, on standard error: for people on a terminal, one JSON object a line elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, Environment, LogFormat, LogLevel, LogSection};

/// Starts to log, for the rest of the process; where it has been started, it goes on as it is.
pub(crate) fn start(log: &LogSection, environment: &Environment) -> Result<(), ConfigError> {
    let filter = filter(log.level, environment)?;
    let is_terminal = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    let is_human = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let _ = if is_human {
        let no_color = environment.get("NO_COLOR")?.is_some_and(|value| !value.is_empty());
        builder.with_ansi(is_terminal && !no_color).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    Ok(())
}

/// `ROOMKEY_LOG`, else `RUST_LOG`, else `level` with the libraries below us quiet.
fn filter(level: LogLevel, environment: &Environment) -> Result<EnvFilter, ConfigError> {
    for name in ["ROOMKEY_LOG", "RUST_LOG"] {
        if let Some(directives) = environment.get(name)?.filter(|directives| !directives.is_empty()) {
            return EnvFilter::try_new(directives)
                .map_err(|_| ConfigError::new(name, "must be a level, or `target=level` with commas"));
        }
    }
    let (own, others) = (level.as_str(), level.min(LogLevel::Warn).as_str());
    Ok(EnvFilter::new(format!("{others},roomkey={own}")))
}

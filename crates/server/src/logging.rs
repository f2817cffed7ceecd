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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_below_us_are_quiet_unless_asked() {
        let cases = [
            (LogLevel::Info, "", "", "roomkey=info,warn"),
            (LogLevel::Trace, "", "", "roomkey=trace,warn"),
            (LogLevel::Error, "", "", "roomkey=error,error"),
            (LogLevel::Off, "", "", "roomkey=off,off"),
            (LogLevel::Info, "", "hyper=debug", "hyper=debug"),
            (LogLevel::Info, "debug", "hyper=debug", "debug"),
        ];
        for (level, roomkey_log, rust_log, expected) in cases {
            let environment = [("ROOMKEY_LOG", roomkey_log), ("RUST_LOG", rust_log)].into();
            assert_eq!(filter(level, &environment).unwrap().to_string(), expected);
        }
        let error = filter(LogLevel::Info, &[("RUST_LOG", "hyper=loud")].into()).unwrap_err();
        assert_eq!(error.to_string(), "RUST_LOG: must be a level, or `target=level` with commas");
    }
}

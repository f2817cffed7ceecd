use super::{Outcome, ServeArgs};
use crate::{
    config::{AuthSetup, Environment, MissingKey},
    logging, serve,
};

/// Serves until it is told to stop.
pub(super) fn run(args: &ServeArgs, environment: &Environment) -> anyhow::Result<Outcome> {
    let config = args.load(environment)?;
    logging::start(&config.log, environment)?;
    let auth = AuthSetup::new(&config, MissingKey::Create)?;
    for warning in &auth.warnings {
        tracing::warn!("{warning}");
    }
    serve::serve(&config, auth)?;
    Ok(String::new().into())
}

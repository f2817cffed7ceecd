use std::{io, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use tokio::{net::UnixStream, time::timeout};

use super::{Command, Operator, http, socket::PATH_BYTES_MAX};
use crate::config::Config;

/// A server that has not answered by then has other problems.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has the command done: by the server if it runs, else here.
pub(crate) fn ask<C: Command>(config: &Config, command: C) -> anyhow::Result<C::Answer> {
    block_on(async {
        if let Some(stream) = connect(&config.control_path()).await? {
            return send(stream, &command).await;
        }
        let operator = Arc::new(Operator::open(config).await?);
        let answer = command.run(operator.clone()).await;
        operator.close().await;
        answer.map_err(|failure| anyhow!(failure.message))
    })
}

/// Has the command done by the server, if it runs.
pub(crate) fn ask_running<C: Command>(config: &Config, command: &C) -> anyhow::Result<Option<C::Answer>> {
    block_on(async {
        match connect(&config.control_path()).await? {
            Some(stream) => send(stream, command).await.map(Some),
            None => Ok(None),
        }
    })
}

fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

async fn send<C: Command>(stream: UnixStream, command: &C) -> anyhow::Result<C::Answer> {
    timeout(PATIENCE, http::send(stream, command)).await.context("the server does not answer")?
}

/// The running server, if one listens.
pub(super) async fn connect(path: &Path) -> anyhow::Result<Option<UnixStream>> {
    if path.as_os_str().len() > PATH_BYTES_MAX {
        // No server can have made it.
        return Ok(None);
    }
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        // Never made, or left behind by a server that was killed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => bail!(
            "not allowed to talk to the running server over {}: be the user that runs it, or root",
            path.display()
        ),
        Err(error) => {
            Err(error).with_context(|| format!("cannot talk to the server over {}", path.display()))
        }
    }
}

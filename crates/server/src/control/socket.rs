use std::{
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use hyper_util::rt::TokioIo;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::time::sleep;

use super::{Operator, http};

/// The socket that the command line talks to. The file goes when this does.
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// What the kernel takes, on the system that takes the least.
pub(super) const PATH_BYTES_MAX: usize = 103;

impl ControlSocket {
    /// Takes the place of a socket that a server left behind. Only for who has the lock on the data: then no other
    /// server can be listening.
    pub(crate) fn bind(path: &Path) -> anyhow::Result<Self> {
        ensure!(
            path.as_os_str().len() <= PATH_BYTES_MAX,
            "{}: a path of over {PATH_BYTES_MAX} bytes cannot be a socket; choose a shorter server.data_dir",
            path.display()
        );
        remove_stale(path)?;
        let listener = listen(path).with_context(|| format!("cannot listen on {}", path.display()))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Does what it is told. Ends when it is dropped, and with it what has been begun.
    pub(crate) async fn serve(self, operator: Arc<Operator>) -> io::Result<()> {
        self.listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(self.listener.try_clone()?)?;
        let router = http::router(operator);
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Such as no descriptor left: it passes.
                    tracing::warn!(%error, "cannot take a command");
                    sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            let router = router.clone();
            tokio::spawn(async move {
                if let Err(error) = http::serve(TokioIo::new(stream), router).await {
                    tracing::debug!(%error, "a command went away");
                }
            });
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // One that stays is taken for what it is by the next server.
        let _ = fs::remove_file(&self.path);
    }
}

/// Nobody can connect before the mode is right: not to a socket that does not listen.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    socket.listen(16)?;
    Ok(socket.into())
}

fn remove_stale(path: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            anyhow::bail!("{} is in the way: it is not a socket", path.display())
        }
        _ => fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display())),
    }
}

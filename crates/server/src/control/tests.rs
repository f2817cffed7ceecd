use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::PathBuf,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{
    client::connect,
    commands::{keys, users},
    socket::PATH_BYTES_MAX,
    *,
};
use crate::config::{Config, Environment, Flags};

/// A data directory and its configuration.
struct Site {
    directory: TempDir,
    config: Config,
}

impl Site {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let flags = Flags { data_dir: Some(directory.path().join("data")), ..Flags::default() };
        let config = Config::load(flags, &Environment::default()).unwrap();
        Self { directory, config }
    }

    fn path(&self) -> PathBuf {
        self.config.control_path()
    }

    /// As a server does that has the data to itself. The runtime is the caller's.
    async fn serve(&self) -> JoinHandle<std::io::Result<()>> {
        let operator = Arc::new(Operator::open(&self.config).await.unwrap());
        tokio::spawn(ControlSocket::bind(&self.path()).unwrap().serve(operator))
    }

    /// As the command line does, from a process of its own.
    async fn ask<C: Command>(&self, command: C) -> Result<C::Answer, String> {
        let config = self.config.clone();
        tokio::task::spawn_blocking(move || ask(&config, command).map_err(|error| format!("{error:#}")))
            .await
            .unwrap()
    }
}

fn ada() -> users::Add {
    users::Add {
        email: "ada@example.com".to_owned(),
        username: None,
        password: "correct horse battery staple".to_owned(),
    }
}

#[tokio::test]
async fn a_command_does_the_same_with_a_server_and_without() {
    for is_running in [false, true] {
        let site = Site::new();
        let server = if is_running { Some(site.serve().await) } else { None };
        let added = site.ask(ada()).await.unwrap();
        assert_eq!(added.email, "ada@example.com");
        assert_eq!(site.ask(ada()).await.err().unwrap(), "The email is taken");
        let first = site.ask(keys::Rotate {}).await.unwrap().active;
        let second = site.ask(keys::Rotate {}).await.unwrap();
        assert_eq!(second.retired.unwrap().kid, first.kid);
        let keys = site.ask(keys::List {}).await.unwrap();
        assert_eq!(keys.iter().map(|key| key.active).collect::<Vec<_>>(), [true, false]);
        drop(server);
    }
}

#[tokio::test]
async fn while_a_server_runs_it_does_what_is_asked() {
    let site = Site::new();
    let server = site.serve().await;
    site.ask(ada()).await.unwrap();
    let text = Operator::open(&site.config).await.err().unwrap().to_string();
    assert!(text.starts_with(&format!("the data is in use (process {})", std::process::id())), "{text}");

    // It has stopped listening, and not yet let go of the data.
    server.abort();
    server.await.unwrap_err();
    assert!(!site.path().exists(), "the file goes with the server");
}

#[tokio::test]
async fn a_revoked_key_is_gone_and_another_signs() {
    let site = Site::new();
    let _server = site.serve().await;
    let first = site.ask(keys::Rotate {}).await.unwrap().active.kid;
    let second = site.ask(keys::Rotate {}).await.unwrap().active.kid;
    for (kid, is_active) in [(first, false), (second.clone(), true)] {
        let revoked = site.ask(keys::Revoke { kid: kid.clone() }).await.unwrap();
        assert_eq!((&revoked.revoked, revoked.sockets), (&kid, 0));
        assert_eq!(revoked.active.kid != second, is_active, "only the active key needs another in its place");
        let keys = site.ask(keys::List {}).await.unwrap();
        assert_eq!(keys, [revoked.active]);
        let again = site.ask(keys::Revoke { kid }).await.err().unwrap();
        assert_eq!(again, "there is no key with this kid");
    }
}

#[tokio::test]
async fn what_a_killed_server_left_behind_is_in_nobodys_way() {
    let site = Site::new();
    fs::create_dir(site.directory.path().join("data")).unwrap();
    drop(UnixListener::bind(site.path()).unwrap());
    assert!(site.path().exists() && connect(&site.path()).await.unwrap().is_none());
    site.ask(ada()).await.unwrap();
    let server = site.serve().await;
    assert_eq!(site.ask(ada()).await.err().unwrap(), "The email is taken");
    server.abort();
}

#[tokio::test]
async fn only_the_owner_may_connect() {
    let site = Site::new();
    let _server = site.serve().await;
    assert_eq!(fs::metadata(site.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_place_that_cannot_be_a_socket_is_named() {
    let site = Site::new();
    let file = site.directory.path().join("control.sock");
    fs::write(&file, "precious").unwrap();
    let refusal = |path: &std::path::Path| ControlSocket::bind(path).err().unwrap().to_string();
    assert_eq!(refusal(&file), format!("{} is in the way: it is not a socket", file.display()));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");

    let longest = site
        .directory
        .path()
        .join("x".repeat(PATH_BYTES_MAX - file.as_os_str().len() + "control.sock".len()));
    drop(ControlSocket::bind(&longest).unwrap());
    let longer = longest.with_file_name(format!("x{}", longest.file_name().unwrap().display()));
    assert!(refusal(&longer).ends_with("choose a shorter server.data_dir"), "{}", refusal(&longer));
    assert!(connect(&longer).await.unwrap().is_none());
}

#[tokio::test]
async fn a_server_of_another_release_says_so() {
    #[derive(Serialize, Deserialize)]
    struct Unheard {}

    impl Command for Unheard {
        type Answer = ();

        const PATH: &'static str = "/unheard/of";

        async fn run(self, _: Arc<Operator>) -> Result<(), Failure> {
            unreachable!("no server has it")
        }
    }

    let site = Site::new();
    let _server = site.serve().await;
    let refusal = site.ask(Unheard {}).await.unwrap_err();
    assert_eq!(refusal, "the running server does not have this command: it is of another release");
}

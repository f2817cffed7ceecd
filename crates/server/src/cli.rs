//! The `roomkey` program: one file for each command.

mod admin_add;
mod admin_list;
mod admin_passwd;
mod admin_remove;
mod audit_verify;
mod backup;
mod check_config;
mod keys;
mod password_input;
mod policy_explain;
mod policy_reload;
mod secret_api_key;
mod secret_generate;
mod serve;
#[cfg(test)]
mod tests;
mod token_inspect;
mod token_mint;
mod token_revoke;
mod user_add;
mod user_block;
mod user_erase;
mod user_export;
mod user_list;
mod user_name;
mod user_passwd;
mod user_sessions;
mod words;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    SystemEntropy,
    config::{Config, ConfigError, Environment, Flags},
};

/// What the `roomkey` program does: reads its arguments, obeys, and gives its exit status.
///
/// 0 is success, 1 a refusal or a failure (one line on standard error says why), 2 wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.run(&Environment::of_process()) {
        Ok(Outcome { text, is_success }) => {
            // Whoever reads this may have stopped reading.
            let _ = io::stdout().write_all(text.as_bytes());
            if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "roomkey: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Authenticated real-time server that stock Socket.IO clients connect to.
///
/// Without a command: serve.
#[derive(Parser)]
#[command(name = "roomkey", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Say what `serve` would run, or what is wrong with the configuration.
    CheckConfig(ServeArgs),
    /// Make and examine access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage who may open the admin page.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Manage the keys that the server signs tokens with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Examine and change who may do what.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Examine the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Make secrets for the configuration.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Copy the database into a file, as it is at this moment, while the server runs or not.
    Backup(backup::Backup),
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Print a token for a user, signed with the server's key.
    Mint(token_mint::Mint),
    /// Say what a token claims, and whether the server would accept it.
    Inspect(token_inspect::Inspect),
    /// Refuse a token from now on, or all of a session, of a user or of a key, and close the sockets that live by it.
    Revoke(token_revoke::Revoke),
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Add an admin, and print where the admin page is. A running server opens it at once.
    Add(admin_add::Add),
    /// List the admins: name, role, last login.
    List(admin_list::List),
    /// Remove an admin. The sessions end; with the last admin the page is closed.
    Remove(admin_remove::Remove),
    /// Give an admin another password. The sessions end.
    Passwd(admin_passwd::Passwd),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Create an account and print the id of its user.
    Add(user_add::Add),
    /// List the accounts: id, e-mail address, user name.
    List(user_list::List),
    /// Keep a user out, of whatever issuer: sessions and sockets end at once, and no token is accepted.
    Block(user_block::Block),
    /// Let a blocked user in again, who has to log in anew.
    Unblock(user_block::Unblock),
    /// Give an account another password. All its sessions and sockets end.
    Passwd(user_passwd::Passwd),
    /// List the sessions of a user: the logins that have not ended.
    Sessions(user_sessions::Sessions),
    /// Print all that is kept of a user, as JSON.
    Export(user_export::Export),
    /// Remove all that is kept of a user, with the contents of all messages; sockets are closed. There is no way back.
    Erase(user_erase::Erase),
    /// End all sessions of a user, or one; sockets are closed. The user may log in again.
    Logout(user_sessions::Logout),
}

#[derive(Subcommand)]
enum KeysCommand {
    /// List the keys: the one that signs, and those whose tokens may still be out.
    List(keys::List),
    /// Sign with a new key from now on. Nobody is logged out: tokens of the old key are accepted until they end.
    Rotate(keys::Rotate),
    /// Refuse everything that a key has signed, close the sockets that live by it, and forget the key. For when it is in
    /// other hands. Users log in again or refresh.
    Revoke(keys::Revoke),
}

#[derive(Subcommand)]
enum PolicyCommand {
    /// Say whether a user may do something, and by which rule. Asks the running server if there is one.
    Explain(policy_explain::Explain),
    /// Put the rules of the configuration in force in the running server.
    Reload(policy_reload::Reload),
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Say whether the audit log is what the server wrote, or what was done to it.
    Verify(audit_verify::Verify),
}

#[derive(Subcommand)]
enum SecretCommand {
    /// Print a new random secret, for JWT_SECRET (auth.jwt_secret).
    Generate(secret_generate::Generate),
    /// Print a new API key for a backend, and the lines that the configuration knows it by.
    ApiKey(secret_api_key::ApiKey),
}

/// Where the configuration is.
#[derive(Args, Clone)]
struct ConfigArgs {
    /// Configuration file [default: roomkey.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of the database and the keys
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// IP address and port to listen on
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl ConfigArgs {
    fn load(&self, environment: &Environment) -> Result<Config, ConfigError> {
        self.load_with(None, environment)
    }

    fn load_with(
        &self,
        listen: Option<SocketAddr>,
        environment: &Environment,
    ) -> Result<Config, ConfigError> {
        let flags = Flags { config: self.config.clone(), listen, data_dir: self.data_dir.clone() };
        Config::load(flags, environment)
    }
}

impl ServeArgs {
    fn load(&self, environment: &Environment) -> Result<Config, ConfigError> {
        self.config.load_with(self.listen, environment)
    }
}

/// What a command prints on standard output, and whether its answer is yes.
#[derive(Debug)]
struct Outcome {
    text: String,
    is_success: bool,
}

impl From<String> for Outcome {
    fn from(text: String) -> Self {
        Self { text, is_success: true }
    }
}

impl Cli {
    fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        match self.command.unwrap_or(Command::Serve(self.serve)) {
            Command::Serve(args) => serve::run(&args, environment),
            Command::CheckConfig(args) => check_config::run(&args, environment),
            Command::Token(command) => command.run(environment),
            Command::User(command) => command.run(environment),
            Command::Admin(command) => command.run(environment),
            Command::Keys(command) => command.run(environment),
            Command::Backup(backup) => backup.run(environment),
            Command::Policy(PolicyCommand::Explain(explain)) => explain.run(environment),
            Command::Policy(PolicyCommand::Reload(reload)) => reload.run(environment),
            Command::Audit(AuditCommand::Verify(verify)) => verify.run(environment),
            Command::Secret(SecretCommand::Generate(generate)) => Ok(generate.run(&SystemEntropy)),
            Command::Secret(SecretCommand::ApiKey(key)) => Ok(key.run(&SystemEntropy)),
        }
    }
}

impl TokenCommand {
    fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        match self {
            Self::Mint(mint) => mint.run(environment),
            Self::Inspect(inspect) => inspect.run(environment),
            Self::Revoke(revoke) => revoke.run(environment),
        }
    }
}

impl AdminCommand {
    fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        match self {
            Self::Add(add) => add.run(environment),
            Self::List(list) => list.run(environment),
            Self::Remove(remove) => remove.run(environment),
            Self::Passwd(passwd) => passwd.run(environment),
        }
    }
}

impl UserCommand {
    fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        match self {
            Self::Add(add) => add.run(environment),
            Self::List(list) => list.run(environment),
            Self::Block(block) => block.run(environment),
            Self::Unblock(unblock) => unblock.run(environment),
            Self::Passwd(passwd) => passwd.run(environment),
            Self::Sessions(sessions) => sessions.run(environment),
            Self::Export(export) => export.run(environment),
            Self::Erase(erase) => erase.run(environment),
            Self::Logout(logout) => logout.run(environment),
        }
    }
}

impl KeysCommand {
    fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        match self {
            Self::List(list) => list.run(environment),
            Self::Rotate(rotate) => rotate.run(environment),
            Self::Revoke(revoke) => revoke.run(environment),
        }
    }
}

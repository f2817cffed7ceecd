//! What is recorded: the vocabulary.

use super::record::Outcome;

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Never left out, never merged with another, and durable at once.
    Essential,
    /// Merged with others of its kind while there are many, and left out, counted, where even that is too much.
    Ordinary,
}

macro_rules! events {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, $outcome:ident, $weight:ident, $level:ident; )*) => {
        /// A security decision, in the words of OWASP's logging vocabulary.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Event {
            $( $(#[doc = $doc])+ $variant, )*
        }

        impl Event {
            /// All events, in the order of their names.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$( Self::$variant ),*];

            /// The name in records.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// What came of it, where the record does not say otherwise.
            pub(crate) fn outcome(self) -> Outcome {
                match self { $( Self::$variant => Outcome::$outcome, )* }
            }

            pub(crate) fn weight(self) -> Weight {
                match self { $( Self::$variant => Weight::$weight, )* }
            }

            /// How loud it is in the log on standard error.
            pub(crate) fn level(self) -> tracing::Level {
                match self { $( Self::$variant => tracing::Level::$level, )* }
            }

            /// When it is recorded.
            pub(crate) fn description(self) -> &'static str {
                match self { $( Self::$variant => concat!($( $doc ),+).trim_ascii(), )* }
            }
        }
    };
}

events! {
    /// A client was refused: a token, a password, a ticket. `reason` says by which rule.
    LoginFailed = "authn_login_fail", Failure, Ordinary, INFO;
    /// A client failed too often and has to wait, or its connection was closed.
    LoginFailedMax = "authn_login_fail_max", Failure, Ordinary, WARN;
    /// A client was let in: `reason` is `password`, `refresh`, `ticket`, `token` or `admin password`.
    LoginSucceeded = "authn_login_success", Success, Ordinary, DEBUG;
    /// A user has another password.
    PasswordChanged = "authn_password_change", Success, Essential, INFO;
    /// A token, a ticket or a key was made.
    TokenCreated = "authn_token_created", Success, Ordinary, INFO;
    /// A refresh token was used again after its time: its session was ended.
    TokenReused = "authn_token_reuse", Failure, Essential, WARN;
    /// A token, a session, a user or a key was revoked; `target` says which, `reason` why.
    TokenRevoked = "authn_token_revoked", Success, Essential, INFO;
    /// An operator, an admin, or a program with an API key, did something.
    AdminAction = "authz_admin", Success, Essential, INFO;
    /// A blocked user may come back.
    UserUnblocked = "authz_change", Success, Essential, INFO;
    /// A user, or a program with an API key, asked for something that it may not do.
    AuthorizationFailed = "authz_fail", Failure, Ordinary, INFO;
    /// A token was shown that belongs to somebody else than the connection.
    PrincipalMismatch = "authz_fail", Failure, Ordinary, WARN;
    /// A program with an API key, which `reason` names, did something in the chat for the user.
    ActedForUser = "authz_on_behalf", Success, Ordinary, DEBUG;
    /// Too many requests, events or attempts.
    RateLimited = "excess_rate_limit_exceeded", Failure, Ordinary, INFO;
    /// Too many sessions or sockets of one user, or of one address.
    TooManySessions = "excess_sessions_exceeded", Failure, Ordinary, INFO;
    /// A session that violated the protocol was ended.
    InputInvalid = "input_validation_fail", Failure, Ordinary, INFO;
    /// A page of an origin that is not allowed, or a request for a host that is not ours.
    OriginDenied = "malicious_cors", Failure, Ordinary, INFO;
    /// A session of long-polling was asked for by a page that did not open it.
    ForeignSession = "malicious_direct_reference", Failure, Ordinary, WARN;
    /// A session began.
    SessionCreated = "session_created", Success, Ordinary, INFO;
    /// The token of a live socket has expired, or a session has.
    SessionExpired = "session_expired", Success, Ordinary, INFO;
    /// A user has logged out.
    LoggedOut = "session_logout", Success, Essential, INFO;
    /// A session has a new token.
    SessionRenewed = "session_renewed", Success, Ordinary, INFO;
    /// The audit log is not as it was left: edited, cut off, moved, or without its key.
    AuditDamaged = "sys_audit_damaged", Failure, Essential, ERROR;
    /// The last line had no end, because the server was killed, and was removed.
    AuditRepaired = "sys_audit_repaired", Success, Essential, WARN;
    /// The audit log could not be written for a while.
    AuditResumed = "sys_audit_resumed", Success, Essential, WARN;
    /// A part of the server failed, and the server stops.
    Crashed = "sys_crash", Failure, Essential, ERROR;
    /// A setting makes the server less safe than it could be.
    InsecureSetting = "sys_insecure_setting", Failure, Essential, WARN;
    /// A key was made, retired or removed.
    KeysChanged = "sys_keys_changed", Success, Essential, INFO;
    /// The server stops.
    Stopped = "sys_shutdown", Success, Essential, INFO;
    /// The server starts.
    Started = "sys_startup", Success, Essential, INFO;
    /// A user was blocked.
    UserBlocked = "user_archived", Success, Essential, INFO;
    /// An account was made.
    UserCreated = "user_created", Success, Essential, INFO;
    /// What was kept of a user was removed.
    UserErased = "user_deleted", Success, Essential, INFO;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `docs/audit.md`. `UPDATE_DOCS=1` writes it.
    #[test]
    fn the_reference_page_has_every_event() {
        const BEGIN: &str = "| event | weight | recorded when |\n|---|---|---|\n";
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once("\n\n").unwrap();
        let row = |event: &Event| {
            let weight = format!("{:?}", event.weight()).to_lowercase();
            format!("| `{}` | {weight} | {} |", event.as_str(), event.description())
        };
        let rows: Vec<String> = Event::ALL.iter().map(row).collect();
        let expected = format!("{before}{BEGIN}{}\n\n{after}", rows.join("\n"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            return std::fs::write(&path, &expected).unwrap();
        }
        assert!(page == expected, "docs/audit.md is stale: run this test with UPDATE_DOCS=1, and commit it");
    }

    #[test]
    fn names_are_sorted() {
        let names: Vec<_> = Event::ALL.iter().map(|event| event.as_str()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}

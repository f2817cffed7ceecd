//! One record: who did what, from where, and what came of it.

use std::net::IpAddr;

use roomkey_model::{SessionId, UserId};

use super::{
    chain::Digest,
    event::{Event, Weight},
    text,
    time::UtcMicros,
};

/// Whether it was allowed, or worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Failure,
    Success,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Success => "success",
        }
    }
}

/// One decision. Never holds a secret, nor text from a token that was not verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) event: Event,
    pub(crate) outcome: Outcome,
    /// Who did it, or tried to, as far as that is proven, and whose user that is.
    pub(crate) user: Option<&'a UserId>,
    pub(crate) issuer: Option<&'a str>,
    /// Its session, of which a part of a hash is recorded.
    pub(crate) session: Option<&'a SessionId>,
    /// Where the client is.
    pub(crate) address: Option<IpAddr>,
    /// The `Origin` of the request.
    pub(crate) origin: Option<&'a str>,
    /// The rule that decided.
    pub(crate) reason: Option<&'a str>,
    /// The request, where it has an id.
    pub(crate) request: Option<&'a str>,
    /// Whom or what it is about, where that is not who did it.
    pub(crate) target: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// A decision of which nothing else is known.
    pub(crate) fn new(event: Event) -> Self {
        Self {
            event,
            outcome: event.outcome(),
            user: None,
            issuer: None,
            session: None,
            address: None,
            origin: None,
            reason: None,
            request: None,
            target: None,
        }
    }
}

/// A record that was made at a time, kept until it is written, and stands for so many of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at_us: u64,
    pub(super) count: u64,
    pub(super) event: Event,
    pub(super) outcome: Outcome,
    pub(super) user: Option<UserId>,
    pub(super) address: Option<IpAddr>,
    pub(super) reason: Option<Box<str>>,
    issuer: Option<Box<str>>,
    session: Option<String>,
    origin: Option<Box<str>>,
    request: Option<Box<str>>,
    target: Option<Box<str>>,
}

/// Parts of an entry.
pub(super) struct Details<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) session: Option<&'a str>,
    pub(super) origin: Option<&'a str>,
    pub(super) target: Option<&'a str>,
}

impl Entry {
    pub(super) fn new(at_us: u64, record: &Record<'_>) -> Self {
        Self {
            at_us,
            count: 1,
            event: record.event,
            outcome: record.outcome,
            user: record.user.cloned(),
            address: record.address,
            reason: record.reason.map(kept),
            issuer: record.issuer.map(kept),
            session: record.session.map(session_tag),
            origin: record.origin.map(kept),
            request: record.request.map(kept),
            target: record.target.map(kept),
        }
    }

    /// What only who shows it needs.
    pub(super) fn details(&self) -> Details<'_> {
        Details {
            issuer: self.issuer.as_deref(),
            session: self.session.as_deref(),
            origin: self.origin.as_deref(),
            target: self.target.as_deref(),
        }
    }

    pub(super) fn is_essential(&self) -> bool {
        self.event.weight() == Weight::Essential
    }

    /// Counts another one in, and keeps of both what is the same.
    pub(super) fn merge(&mut self, other: &Self) {
        fn keep<T: PartialEq>(one: &mut Option<T>, other: &Option<T>) {
            if one != other {
                *one = None;
            }
        }
        self.count += other.count;
        keep(&mut self.issuer, &other.issuer);
        keep(&mut self.user, &other.user);
        keep(&mut self.session, &other.session);
        keep(&mut self.address, &other.address);
        keep(&mut self.origin, &other.origin);
        keep(&mut self.request, &other.request);
        keep(&mut self.target, &other.target);
    }

    /// The fields of its line, without what the chain adds.
    pub(super) fn fields(&self, node: &str) -> String {
        let mut line = String::with_capacity(256);
        text::field(&mut line, "ts", &UtcMicros(self.at_us).to_string());
        text::field(&mut line, "node", node);
        text::field(&mut line, "event", self.event.as_str());
        text::field(&mut line, "outcome", self.outcome.as_str());
        let address = self.address.map(|address| address.to_string());
        let optional = [
            ("issuer", self.issuer.as_deref()),
            ("user", self.user.as_ref().map(UserId::as_str)),
            ("sid", self.session.as_deref()),
            ("address", address.as_deref()),
            ("origin", self.origin.as_deref()),
            ("reason", self.reason.as_deref()),
            ("request", self.request.as_deref()),
            ("target", self.target.as_deref()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                text::field(&mut line, name, value);
            }
        }
        if self.count != 1 {
            text::number(&mut line, "count", self.count);
        }
        line
    }

    /// Says the same in the log on standard error. Values as text, so that both of its forms escape them.
    pub(super) fn trace(&self) {
        macro_rules! say {
            ($level:ident) => {{
                let address = self.address.map(|address| address.to_string());
                tracing::event!(
                    target: TARGET,
                    tracing::Level::$level,
                    event = self.event.as_str(),
                    outcome = self.outcome.as_str(),
                    issuer = self.issuer.as_deref(),
                    user = self.user.as_ref().map(UserId::as_str),
                    sid = self.session.as_deref(),
                    address = address.as_deref(),
                    origin = self.origin.as_deref(),
                    reason = self.reason.as_deref(),
                    request = self.request.as_deref(),
                    about = self.target.as_deref(),
                    count = (self.count != 1).then_some(self.count),
                )
            }};
        }
        match self.event.level() {
            tracing::Level::ERROR => say!(ERROR),
            tracing::Level::WARN => say!(WARN),
            tracing::Level::INFO => say!(INFO),
            _ => say!(DEBUG),
        }
    }
}

/// What security decisions are said under on standard error.
pub(super) const TARGET: &str = "roomkey::audit";

/// What is kept of a text: no more than would be written.
fn kept(value: &str) -> Box<str> {
    value[..value.floor_char_boundary(text::FIELD_BYTES_MAX + 1)].into()
}

/// Enough of a hash to tell the sessions of a user apart, and too little to be one.
pub(crate) fn session_tag(session: &SessionId) -> String {
    tag(session.as_str())
}

/// The first 8 digits of the SHA-256 of a secret.
pub(crate) fn tag(secret: &str) -> String {
    let mut digits = Digest::of(secret.as_bytes()).to_string();
    digits.truncate(8);
    digits
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_record_has_its_fields_in_one_order() {
        let (user, session) = (UserId::new("ada").unwrap(), SessionId::new("a session").unwrap());
        let record = Record {
            user: Some(&user),
            issuer: Some("https://issuer.example"),
            session: Some(&session),
            address: Some([192, 0, 2, 1].into()),
            origin: Some("https://evil.example\r\n"),
            reason: Some("not a member"),
            request: Some("7"),
            target: Some("joinRoom"),
            ..Record::new(Event::AuthorizationFailed)
        };
        let entry = Entry { count: 3, ..Entry::new(1_795_167_438_742_001, &record) };
        expect![[r#","ts":"2026-11-20T09:37:18.742001Z","node":"node-1","event":"authz_fail","outcome":"failure","issuer":"https://issuer.example","user":"ada","sid":"1e2952b4","address":"192.0.2.1","origin":"https://evil.example\u000d\u000a","reason":"not a member","request":"7","target":"joinRoom","count":3"#]].assert_eq(&entry.fields("node-1"));
        expect![[
            r#","ts":"1970-01-01T00:00:00.000000Z","node":"node-1","event":"sys_startup","outcome":"success""#
        ]]
        .assert_eq(&Entry::new(0, &Record::new(Event::Started)).fields("node-1"));
    }

    #[test]
    fn what_differs_is_left_out_of_merged_records() {
        let record = Record { address: Some([192, 0, 2, 1].into()), ..Record::new(Event::LoginFailed) };
        let mut merged = Entry::new(1, &Record { origin: Some("a"), ..record });
        merged.merge(&Entry::new(2, &record));
        assert_eq!(merged, Entry { count: 2, ..Entry::new(1, &record) });
    }
}

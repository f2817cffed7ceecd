use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use parking_lot::RwLock;
use roomkey_auth::{
    ConfigError, Identity, InvalidReason, TokenError, Verifier, VerifyingKey,
    credentials::{self, Credentials},
};
use roomkey_model::{Failure, Timestamp};

use crate::{
    Handshake,
    audit::{Event, Record},
    context::Context,
    jwks::KeySets,
};

/// How a namespace finds out who a client is.
#[derive(Clone)]
pub enum Authentication {
    /// It does not: everybody is let in, without an identity.
    Open,
    /// By a token.
    Token(Arc<TokenAuthentication>),
}

/// Where tokens may be, and who says whether they are valid.
pub struct TokenAuthentication {
    /// Replaced as a whole when keys change: a token that is being verified is verified by the one before.
    verifier: RwLock<Arc<Verifier>>,
    cookie: Option<Box<str>>,
    query: bool,
    key_sets: OnceLock<Arc<KeySets>>,
}

/// A token, and the session cookie that it was in.
type Found<'a> = (Cow<'a, str>, Option<&'a str>);

impl TokenAuthentication {
    /// Tokens in `auth.token` of the CONNECT packet, and in the `Authorization` header of the handshake.
    pub fn new(verifier: Arc<Verifier>) -> Self {
        Self { verifier: RwLock::new(verifier), cookie: None, query: false, key_sets: OnceLock::new() }
    }

    /// Tokens in this cookie, too. They count only for pages of an allowed origin.
    #[must_use]
    pub fn or_cookie(self, name: &str) -> Self {
        Self { cookie: Some(name.into()), ..self }
    }

    /// Tokens in the query parameter `token`, too. URLs end up in logs: prefer any other place.
    #[must_use]
    pub fn or_query(self) -> Self {
        Self { query: true, ..self }
    }

    /// Fetches the keys of issuers that publish them ([`IssuerProfile::remote_keys`]) by these key sets.
    ///
    /// [`IssuerProfile::remote_keys`]: crate::auth::IssuerProfile::remote_keys
    #[must_use]
    pub fn with_key_sets(self, key_sets: KeySets) -> Self {
        self.set_key_sets(key_sets);
        self
    }

    /// The same for one that is shared already. Only the first counts.
    pub(crate) fn set_key_sets(&self, key_sets: KeySets) {
        let is_first = self.key_sets.set(Arc::new(key_sets)).is_ok();
        debug_assert!(is_first, "key sets are set once");
    }

    pub(crate) fn key_sets(&self) -> Option<&Arc<KeySets>> {
        self.key_sets.get()
    }

    /// What verifies tokens now.
    pub fn verifier(&self) -> Arc<Verifier> {
        self.verifier.read().clone()
    }

    /// Verifies with other keys for the profile of this name from now on.
    pub fn set_keys(&self, profile: &str, keys: &[VerifyingKey]) -> Result<(), ConfigError> {
        // Held meanwhile, so that of two changes at once none is lost.
        let mut verifier = self.verifier.write();
        *verifier = Arc::new(verifier.with_keys(profile, keys)?);
        Ok(())
    }

    /// The identity that the token in a handshake, a CONNECT packet or a request speaks for.
    ///
    /// Whoever then holds on to it for a while, as a socket does, has to [register](crate::revocation::LiveTokens) it.
    pub(crate) async fn authenticate(
        &self,
        context: &Context,
        handshake: &Handshake,
        auth_payload: Option<&str>,
    ) -> Result<Arc<Identity>, Failure> {
        let verifier = self.verifier();
        let outcome = match self.find(&verifier, handshake, auth_payload) {
            Ok((token, cookie)) => self.verify(context, &token, cookie).await,
            Err(error) => Err(error),
        };
        outcome.map(Arc::new).map_err(|error| refused(context, handshake, &error))
    }

    /// The identity that a token or a ticket speaks for which a client shows by itself, on a connection that it has: what
    /// else its handshake brought does not count.
    pub(crate) async fn authenticate_payload(
        &self,
        context: &Context,
        handshake: &Handshake,
        auth_payload: &str,
    ) -> Result<Arc<Identity>, Failure> {
        if let Some(redeemed) = context.tickets.redeem_shown(handshake, auth_payload, context.clock.now()) {
            return self.admit(context, handshake, redeemed);
        }
        let given = Credentials { auth_payload: Some(auth_payload), ..Credentials::default() };
        let outcome = match credentials::pick(&given) {
            Ok(token) => self.verify(context, &token, None).await,
            Err(error) => Err(error),
        };
        outcome.map(Arc::new).map_err(|error| refused(context, handshake, &error))
    }

    /// The one token of a request. Cookies count only for pages that are trusted.
    fn find<'a>(
        &self,
        verifier: &'a Verifier,
        handshake: &'a Handshake,
        auth_payload: Option<&'a str>,
    ) -> Result<Found<'a>, TokenError> {
        let authorization: Vec<_> = handshake.header_values("authorization").collect();
        let mut in_cookies: Vec<Found<'a>> = Vec::new();
        if handshake.is_trusted_page {
            let cookies: Vec<_> = handshake.header_values("cookie").collect();
            if let Some(name) = &self.cookie
                && let Some(token) = credentials::cookie(&cookies, name)?
            {
                in_cookies.push((token.into(), None));
            }
            for name in verifier.session_cookies() {
                if let Some(session) = credentials::session_cookie(&cookies, name)? {
                    in_cookies.push((session, Some(name)));
                }
            }
        }
        in_cookies.retain(|(token, _)| !token.is_empty());
        let in_cookie = in_cookies.pop();
        if in_cookies.iter().any(|found| Some(found) != in_cookie.as_ref()) {
            return Err(TokenError::Ambiguous);
        }
        let query = if self.query { handshake.query("token") } else { None };
        let given = Credentials {
            auth_payload,
            authorization: &authorization,
            cookie: in_cookie.as_ref().map(|(token, _)| &**token),
            query: query.as_deref(),
        };
        let token = credentials::pick(&given)?.into_owned();
        Ok((token.into(), in_cookie.and_then(|(_, session_cookie)| session_cookie)))
    }

    /// A key that is not there is fetched, if that helps.
    async fn verify(
        &self,
        context: &Context,
        token: &str,
        session_cookie: Option<&str>,
    ) -> Result<Identity, TokenError> {
        let verify = || {
            let (verifier, now) = (self.verifier(), context.clock.now());
            match session_cookie {
                Some(cookie) => verifier.verify_session(cookie, token, now),
                None => verifier.verify(token, now),
            }
        };
        let identity = match verify() {
            Err(TokenError::KeysUnavailable | TokenError::Invalid(InvalidReason::KeyUnknown))
                if self.publishes_keys(token) =>
            {
                // Boxed, because it is rare and every connection would have room for it.
                Box::pin(self.refresh_keys(token)).await?;
                verify()?
            }
            verified => verified?,
        };
        context.live_tokens.check(&identity).map_err(|_| TokenError::Revoked)?;
        Ok(identity)
    }

    /// Fetches the keys that this token would be verified with, if they are to be fetched and are not there.
    pub(crate) async fn fetch_keys(&self, token: &str, now: Timestamp) {
        let verdict = self.verifier().verify(token, now);
        let is_missing = matches!(
            verdict,
            Err(TokenError::KeysUnavailable | TokenError::Invalid(InvalidReason::KeyUnknown))
        );
        if is_missing && self.publishes_keys(token) {
            // Whether it worked is seen when the token is verified.
            _ = self.refresh_keys(token).await;
        }
    }

    fn publishes_keys(&self, token: &str) -> bool {
        self.verifier().remote_keys(token).is_some()
    }

    async fn refresh_keys(&self, token: &str) -> Result<(), TokenError> {
        let verifier = self.verifier();
        let (Some((issuer, _)), Some(key_sets)) = (verifier.remote_keys(token), self.key_sets.get()) else {
            return Err(TokenError::KeysUnavailable);
        };
        if key_sets.refresh(issuer).await { Ok(()) } else { Err(TokenError::KeysUnavailable) }
    }
}

impl TokenAuthentication {
    /// The identity of whoever shows a ticket, if the token that it was given for still counts.
    fn admit(
        &self,
        context: &Context,
        handshake: &Handshake,
        redeemed: Result<Arc<Identity>, TokenError>,
    ) -> Result<Arc<Identity>, Failure> {
        let counts = |identity: &Arc<Identity>| match context.live_tokens.check(identity) {
            Ok(()) => Ok(()),
            Err(_) => Err(TokenError::Revoked),
        };
        let admitted = redeemed.and_then(|identity| counts(&identity).map(|()| identity));
        admitted.map_err(|error| refused(context, handshake, &error))
    }
}

/// Records that a token was refused; the client is told less.
fn refused(context: &Context, handshake: &Handshake, error: &TokenError) -> Failure {
    context.audit.record(&Record {
        address: Some(handshake.address),
        origin: handshake.header("origin"),
        reason: Some(&error.to_string()),
        ..Record::new(Event::LoginFailed)
    });
    Failure::from(error)
}

impl From<TokenAuthentication> for Authentication {
    fn from(token: TokenAuthentication) -> Self {
        Self::Token(Arc::new(token))
    }
}

impl From<Arc<TokenAuthentication>> for Authentication {
    fn from(token: Arc<TokenAuthentication>) -> Self {
        Self::Token(token)
    }
}

impl Authentication {
    pub(crate) async fn authenticate(
        &self,
        context: &Context,
        handshake: &Handshake,
        auth_payload: Option<&str>,
    ) -> Result<Option<Arc<Identity>>, Failure> {
        match self {
            Self::Open => Ok(None),
            Self::Token(token) => {
                match context.tickets.redeem(handshake, auth_payload, context.clock.now()) {
                    Some(redeemed) => token.admit(context, handshake, redeemed).map(Some),
                    None => token.authenticate(context, handshake, auth_payload).await.map(Some),
                }
            }
        }
    }
}

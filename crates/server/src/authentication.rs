use std::sync::Arc;

use parking_lot::RwLock;
use roomkey_auth::{ConfigError, Identity, TokenError, Verifier, VerifyingKey, credentials};
use roomkey_model::Failure;

use crate::{
    Handshake,
    audit::{Event, Record},
    context::Context,
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
}

impl TokenAuthentication {
    /// Tokens in `auth.token` of the CONNECT packet, and in the `Authorization` header of the handshake.
    pub fn new(verifier: Arc<Verifier>) -> Self {
        Self { verifier: RwLock::new(verifier), cookie: None, query: false }
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
        match self.identify(context, handshake, auth_payload) {
            Ok(identity) => Ok(Arc::new(identity)),
            Err(error) => Err(refused(context, handshake, &error)),
        }
    }

    /// The identity that a token speaks for which a client shows by itself, on a connection that it has: what else its
    /// handshake brought does not count.
    pub(crate) async fn authenticate_payload(
        &self,
        context: &Context,
        handshake: &Handshake,
        auth_payload: &str,
    ) -> Result<Arc<Identity>, Failure> {
        let given = credentials::Credentials { auth_payload: Some(auth_payload), ..Default::default() };
        let outcome = credentials::pick(&given).and_then(|token| self.verify(context, &token));
        outcome.map(Arc::new).map_err(|error| refused(context, handshake, &error))
    }

    fn identify(
        &self,
        context: &Context,
        handshake: &Handshake,
        auth_payload: Option<&str>,
    ) -> Result<Identity, TokenError> {
        let authorization: Vec<_> = handshake.header_values("authorization").collect();
        let cookies: Vec<_> = handshake.header_values("cookie").collect();
        let cookie = match &self.cookie {
            Some(name) if handshake.is_trusted_page => credentials::cookie(&cookies, name)?,
            _ => None,
        };
        let query = if self.query { handshake.query("token") } else { None };
        let given = credentials::Credentials {
            auth_payload,
            authorization: &authorization,
            cookie,
            query: query.as_deref(),
        };
        self.verify(context, &credentials::pick(&given)?)
    }

    fn verify(&self, context: &Context, token: &str) -> Result<Identity, TokenError> {
        let identity = self.verifier().verify(token, context.clock.now())?;
        context.live_tokens.check(&identity).map_err(|_| TokenError::Revoked)?;
        Ok(identity)
    }
}

/// Records that a token was refused; the client is told less.
fn refused(context: &Context, handshake: &Handshake, error: &TokenError) -> Failure {
    context.audit.record(&Record {
        address: Some(handshake.address),
        origin: handshake.header("origin"),
        reason: Some(&error.to_string()),
        ..Record::new(match error {
            TokenError::Revoked => Event::TokenRevoked,
            _ => Event::LoginFailed,
        })
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
            Self::Token(token) => token.authenticate(context, handshake, auth_payload).await.map(Some),
        }
    }
}

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Issuer;
use crate::config::values::TokenKind;

/// A provider whose tokens are known: what its issuer's keys are where the operator says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    Auth0,
    Authjs,
    Clerk,
    Cognito,
    Firebase,
    Keycloak,
    Nextauth,
    Supabase,
}

/// A key of the issuer, and what is wrong with it.
pub(super) type Problem = (&'static str, String);

/// Firebase signs for all of its projects with the same keys.
const FIREBASE_KEYS: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

impl Preset {
    /// Whether its tokens are encrypted sessions, to which nothing about signatures applies.
    pub(super) fn is_session(self) -> bool {
        matches!(self, Self::Authjs | Self::Nextauth)
    }

    /// Fills in what the operator has left out, and says what cannot be left out.
    pub(super) fn fill(self, issuer: &mut Issuer) -> Result<(), Problem> {
        self.check_keys(issuer)?;
        match self {
            Self::Auth0 => fill_auth0(issuer),
            Self::Clerk => fill_clerk(issuer),
            Self::Cognito => fill_cognito(issuer),
            Self::Firebase => fill_firebase(issuer),
            Self::Keycloak => fill_keycloak(issuer),
            Self::Supabase => fill_supabase(issuer),
            Self::Authjs | Self::Nextauth => Ok(()),
        }
    }

    /// No key is ignored in silence.
    fn check_keys(self, issuer: &Issuer) -> Result<(), Problem> {
        let refuse = |is_there: bool, key: &'static str, problem: &str| {
            if is_there { Err((key, problem.to_owned())) } else { Ok(()) }
        };
        let has_project = matches!(self, Self::Firebase | Self::Supabase);
        refuse(issuer.project.is_some() && !has_project, "project", "is for `firebase` and `supabase`")?;
        refuse(issuer.pool.is_some() && self != Self::Cognito, "pool", "is for `cognito`")?;
        if !self.is_session() {
            return issuer.refuse_session_keys();
        }
        let is_about_signatures = [
            (issuer.issuer.is_some(), "issuer"),
            (!issuer.algorithms.is_empty(), "algorithms"),
            (!issuer.public_keys.is_empty(), "public_keys"),
            (!issuer.public_key_files.is_empty(), "public_key_files"),
            (issuer.jwks_url.is_some(), "jwks_url"),
            (issuer.kid.is_some(), "kid"),
            (!issuer.audiences.is_empty(), "audiences"),
            (!issuer.authorized_parties.is_empty(), "authorized_parties"),
            (!issuer.required_claims.is_empty(), "required_claims"),
            (!issuer.expected_claims.is_empty(), "expected_claims"),
            (issuer.token_type.is_some(), "token_type"),
            (issuer.require_exp.is_some(), "require_exp"),
            (issuer.require_auth_time, "require_auth_time"),
        ];
        is_about_signatures.into_iter().try_for_each(|(is_there, key)| {
            refuse(
                is_there,
                key,
                "has no meaning here: these sessions are encrypted with a secret, not signed",
            )
        })
    }
}

impl Issuer {
    /// What is only for sessions in cookies.
    pub(super) fn refuse_session_keys(&self) -> Result<(), Problem> {
        let keys = [(self.cookie.is_some(), "cookie"), (self.accept_as_token, "accept_as_token")];
        match keys.into_iter().find(|(is_there, _)| *is_there) {
            Some((_, key)) => {
                Err((key, "is for `authjs` and `nextauth`; the cookie of tokens is auth.cookie".to_owned()))
            }
            None => Ok(()),
        }
    }

    fn has_audience(&self) -> bool {
        !self.audiences.is_empty()
    }

    fn has_party(&self) -> bool {
        !self.authorized_parties.is_empty()
    }

    /// The issuer without a slash at its end.
    fn plain_issuer(&self, example: &str) -> Result<&str, Problem> {
        match self.issuer.as_deref() {
            Some(issuer) if issuer.ends_with('/') => Err((
                "issuer",
                format!("must be as in `iss`, which has no slash at its end here: `{example}`"),
            )),
            Some(issuer) => Ok(issuer),
            None => Err(("issuer", format!("is missing, such as `{example}`"))),
        }
    }

    fn fill_keys(&mut self, url: String, algorithms: &[&str]) {
        let is_asymmetric = |name: &String| !name.starts_with("HS");
        if self.algorithms.is_empty() {
            self.algorithms = algorithms.iter().map(ToString::to_string).collect();
            if !self.secrets.is_empty() {
                self.algorithms.push("HS256".to_owned());
            }
        }
        if self.public_keys.is_empty()
            && self.public_key_files.is_empty()
            && self.algorithms.iter().any(is_asymmetric)
        {
            self.jwks_url.get_or_insert(url);
        }
    }

    fn fill_names(&mut self, claims: &[&str]) {
        self.name_claims.get_or_insert_with(|| claims.iter().map(ToString::to_string).collect());
    }

    /// What the provider's tokens must say; what the operator demands comes on top.
    fn require(&mut self, claim: &str, value: &str) -> Result<(), Problem> {
        insert(&mut self.required_claims, "required_claims", claim, value)
    }
}

fn insert(
    claims: &mut BTreeMap<String, String>,
    key: &'static str,
    claim: &str,
    value: &str,
) -> Result<(), Problem> {
    match claims.insert(claim.to_owned(), value.to_owned()) {
        Some(other) if other != value => Err((key, format!("`{claim}` must be `{value}` for this preset"))),
        _ => Ok(()),
    }
}

/// The issuer ends with a slash. Access tokens are of one of two dialects, and only their audience tells them from ID
/// tokens, whose audience is the client.
fn fill_auth0(issuer: &mut Issuer) -> Result<(), Problem> {
    const EXAMPLE: &str = "https://tenant.eu.auth0.com/";
    let iss =
        issuer.issuer.as_deref().ok_or_else(|| ("issuer", format!("is missing, such as `{EXAMPLE}`")))?;
    if !iss.ends_with('/') {
        return Err(("issuer", format!("must end with a slash, as Auth0's `iss` does: `{EXAMPLE}`")));
    }
    let url = format!("{iss}.well-known/jwks.json");
    if !issuer.has_audience() {
        return Err(("audiences", "is missing: name the identifier of your API at Auth0".to_owned()));
    }
    issuer.token_type.get_or_insert(TokenKind::AccessTokenOrJwt);
    issuer.fill_keys(url, &["RS256", "PS256"]);
    Ok(())
}

/// There is no audience; `azp` is the origin of the page that the token was made for. Without a look at it, a page on any
/// subdomain that can read the cookie could use it here.
fn fill_clerk(issuer: &mut Issuer) -> Result<(), Problem> {
    let url = format!("{}/.well-known/jwks.json", issuer.plain_issuer("https://clerk.example.com")?);
    if !issuer.has_party() {
        let problem = "is missing: name the origins of your pages (`azp`), such as `https://app.example.com`";
        return Err(("authorized_parties", problem.to_owned()));
    }
    // A user who still has something to do before the login is complete.
    insert(&mut issuer.expected_claims, "expected_claims", "sts", "active")?;
    issuer.fill_keys(url, &["RS256"]);
    Ok(())
}

/// Access tokens have no audience but the client that they were made for; ID tokens look alike but for `token_use`.
fn fill_cognito(issuer: &mut Issuer) -> Result<(), Problem> {
    if issuer.issuer.is_none() {
        let pool = issuer.pool.as_deref();
        let pool = pool.ok_or_else(|| ("pool", "is missing, such as `eu-west-1_AbCdEf123`".to_owned()))?;
        let region = pool.split_once('_').map(|(region, _)| region);
        let region =
            region.ok_or_else(|| ("pool", "must be an id such as `eu-west-1_AbCdEf123`".to_owned()))?;
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        issuer.issuer = Some(format!("https://cognito-idp.{region}.{domain}/{pool}"));
    }
    let example = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123";
    let url = format!("{}/.well-known/jwks.json", issuer.plain_issuer(example)?);
    if !issuer.has_party() {
        let problem = "is missing: name the app clients (`client_id`) whose tokens are accepted";
        return Err(("authorized_parties", problem.to_owned()));
    }
    issuer.require("token_use", "access")?;
    issuer.fill_names(&["username"]);
    issuer.fill_keys(url, &["RS256"]);
    Ok(())
}

/// The audience is the project.
fn fill_firebase(issuer: &mut Issuer) -> Result<(), Problem> {
    let project = issuer.project.clone();
    let project =
        project.ok_or_else(|| ("project", "is missing: name the id of your Firebase project".to_owned()))?;
    issuer.issuer.get_or_insert(format!("https://securetoken.google.com/{project}"));
    if !issuer.has_audience() {
        issuer.audiences.push(project);
    }
    issuer.require_auth_time = true;
    issuer.fill_keys(FIREBASE_KEYS.to_owned(), &["RS256"]);
    Ok(())
}

/// ID tokens and refresh tokens are signed alike; `typ`, which is a claim here, tells them apart. The audience is seldom
/// what one expects, so the client (`azp`) will do.
fn fill_keycloak(issuer: &mut Issuer) -> Result<(), Problem> {
    let iss = issuer.plain_issuer("https://sso.example.com/realms/REALM")?;
    let url = format!("{iss}/protocol/openid-connect/certs");
    if !issuer.has_party() && !issuer.has_audience() {
        let problem = "is missing: name the clients (`azp`) whose tokens are accepted, or set `audiences`";
        return Err(("authorized_parties", problem.to_owned()));
    }
    issuer.require("typ", "Bearer")?;
    issuer.token_type.get_or_insert(TokenKind::AccessTokenOrJwt);
    issuer.fill_names(&["preferred_username", "name"]);
    let algorithms = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
    issuer.fill_keys(url, &algorithms);
    Ok(())
}

/// The key that every page has (`anon`) is a token too: only tokens of users are accepted.
fn fill_supabase(issuer: &mut Issuer) -> Result<(), Problem> {
    if issuer.issuer.is_none() {
        let project = issuer.project.as_deref();
        let project = project.ok_or_else(|| {
            ("project", "is missing: name the reference of your project, or set `issuer`".to_owned())
        })?;
        issuer.issuer = Some(format!("https://{project}.supabase.co/auth/v1"));
    }
    let url = format!("{}/.well-known/jwks.json", issuer.plain_issuer("https://REF.supabase.co/auth/v1")?);
    if !issuer.has_audience() {
        issuer.audiences.push("authenticated".to_owned());
    }
    issuer.require("role", "authenticated")?;
    issuer.fill_names(&["/user_metadata/name", "/user_metadata/full_name", "/user_metadata/user_name"]);
    issuer.fill_keys(url, &["ES256", "RS256", "EdDSA"]);
    Ok(())
}

use std::fmt;

use http::{
    Uri,
    uri::{PathAndQuery, Scheme},
};
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::Reach;

/// Where a request goes: a URL that the operator gave, never one from a token or a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundUrl {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    /// `host`, with the port if it is not the usual one.
    pub(super) authority: Box<str>,
    pub(super) path: PathAndQuery,
    pub(super) is_https: bool,
    pub(super) reach: Reach,
}

/// Why a URL is not one that requests go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Not a URL with a host.
    #[error("must be a URL such as `https://idp.example/keys`")]
    NotAUrl,
    /// Neither `https:` nor `http:` to where that is allowed.
    #[error("must begin with `https://`, so that nobody in between can change what is said")]
    NotHttps,
    /// Has a user name or a password in it.
    #[error("must not have a user name or a password in it")]
    Credentials,
}

impl OutboundUrl {
    /// A URL of the internet. With `allow_private` also of this machine and of private networks.
    pub fn new(url: &str, allow_private: bool) -> Result<Self, InvalidUrl> {
        let reach = if allow_private { Reach::Private } else { Reach::Public };
        let (uri, is_https) = Self::parse(url)?;
        if is_https { Self::of(&uri, is_https, reach) } else { Err(InvalidUrl::NotHttps) }
    }

    /// An `http:` URL of this machine: what is between the two can be changed by nobody else. For development, or a
    /// proxy beside the server.
    pub fn on_loopback(url: &str) -> Result<Self, InvalidUrl> {
        let (uri, is_https) = Self::parse(url)?;
        let url = Self::of(&uri, is_https, Reach::Loopback)?;
        let is_local = url.host.eq_ignore_ascii_case("localhost")
            || url.host.parse().is_ok_and(|address| Reach::Loopback.allows(address));
        if is_local { Ok(url) } else { Err(InvalidUrl::NotHttps) }
    }

    /// An `http:` URL of this machine or of a private network, for requests that are signed and whose answers decide
    /// nothing for strangers.
    pub fn on_private_network(url: &str) -> Result<Self, InvalidUrl> {
        let (uri, is_https) = Self::parse(url)?;
        if is_https { Self::new(url, true) } else { Self::of(&uri, is_https, Reach::Inside) }
    }

    fn parse(url: &str) -> Result<(Uri, bool), InvalidUrl> {
        let uri: Uri = url.parse().map_err(|_| InvalidUrl::NotAUrl)?;
        let is_https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) => return Err(InvalidUrl::NotHttps),
            None => return Err(InvalidUrl::NotAUrl),
        };
        Ok((uri, is_https))
    }

    fn of(uri: &Uri, is_https: bool, reach: Reach) -> Result<Self, InvalidUrl> {
        let authority = uri.authority().ok_or(InvalidUrl::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let has_bad_port = authority.port_u16().is_none() && authority.as_str() != authority.host();
        if host.is_empty() || has_bad_port || ServerName::try_from(host).is_err() {
            return Err(InvalidUrl::NotAUrl);
        }
        Ok(Self {
            host: host.into(),
            port: authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            authority: authority.as_str().into(),
            path: uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")),
            is_https,
            reach,
        })
    }
}

impl OutboundUrl {
    /// Whether a client of this needs TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }
}

impl fmt::Display for OutboundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        use InvalidUrl::{Credentials, NotAUrl, NotHttps};
        // As an address of the internet, and as one of this machine.
        let cases = [
            ("https://idp.example/keys?v=1", Ok(443), Err(NotHttps)),
            ("https://idp.example:8443", Ok(8443), Err(NotHttps)),
            ("HTTPS://IDP.example", Ok(443), Err(NotHttps)),
            ("https://localhost/", Ok(443), Ok(443)),
            ("https://[::1]:1/", Ok(1), Ok(1)),
            ("http://idp.example/", Err(NotHttps), Err(NotHttps)),
            ("http://localhost.example/", Err(NotHttps), Err(NotHttps)),
            ("http://10.0.0.1/", Err(NotHttps), Err(NotHttps)),
            ("http://0.0.0.0/", Err(NotHttps), Err(NotHttps)),
            ("http://localhost:80/", Err(NotHttps), Ok(80)),
            ("http://127.0.0.1:9/", Err(NotHttps), Ok(9)),
            ("http://[::1]/", Err(NotHttps), Ok(80)),
            ("file:///etc/passwd", Err(NotAUrl), Err(NotAUrl)),
            ("ftp://idp.example/", Err(NotHttps), Err(NotHttps)),
            ("data:text/plain,x", Err(NotAUrl), Err(NotAUrl)),
            ("https://user:password@idp.example/", Err(Credentials), Err(Credentials)),
            ("https://idp.example@evil.example/", Err(Credentials), Err(Credentials)),
            ("https://idp.example:x/", Err(NotAUrl), Err(NotAUrl)),
            ("https://idp.example:99999/", Err(NotAUrl), Err(NotAUrl)),
            ("https:///keys", Err(NotAUrl), Err(NotAUrl)),
            ("idp.example/keys", Err(NotAUrl), Err(NotAUrl)),
            ("/keys", Err(NotAUrl), Err(NotAUrl)),
            ("", Err(NotAUrl), Err(NotAUrl)),
            ("https://idp.example/\r\nx", Err(NotAUrl), Err(NotAUrl)),
        ];
        for (url, public, local) in cases {
            assert_eq!(OutboundUrl::new(url, false).map(|url| url.port), public, "{url}");
            assert_eq!(OutboundUrl::on_loopback(url).map(|url| url.port), local, "{url}");
        }
    }

    #[test]
    fn what_is_asked_for() {
        let url = OutboundUrl::new("https://[2606:4700::1]:8443/a/b?c=d#e", true).expect("a URL");
        assert_eq!((&*url.host, &*url.authority), ("2606:4700::1", "[2606:4700::1]:8443"));
        assert_eq!(url.path, "/a/b?c=d");
        assert_eq!(OutboundUrl::new("https://idp.example", false).expect("a URL").path, "/");
    }
}

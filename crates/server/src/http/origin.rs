//! Which web pages may talk to this server: one policy for CORS, for long-polling and for WebSocket, asked on
//! every request and not only on the first of a session.

use std::{fmt, net::IpAddr};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

/// An origin (RFC 6454): scheme, host and port, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: Box<str>,
    port: u16,
}

/// Text that is no `http` or `https` origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOrigin;

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be `http://host`, `https://host` or the same with `:port`, and nothing after it")
    }
}

impl Origin {
    /// Parses `scheme://host[:port]`. The host is ASCII (an international name in its `xn--` form).
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let (secure, authority) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = split_port(authority).ok_or(InvalidOrigin)?;
        let port = port.unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { secure, host: host.to_ascii_lowercase().into(), port })
    }

    /// Whether nobody on the way can read what is sent there.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is the origin that a request for this `Host` was made to.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        Self::parse(&format!("{}://{host}", if self.secure { "https" } else { "http" })).as_ref() == Ok(self)
    }

    /// Whether its host is this address.
    pub(crate) fn is_at(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => *self.host == *address.to_string(),
            IpAddr::V6(address) => *self.host == *format!("[{address}]"),
        }
    }

    /// Whether its pages are of this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_name(&self.host)
    }
}

/// As browsers write it: without the scheme's own port.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, own_port) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == own_port { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`; refuses everything else.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match authority.strip_prefix('[') {
        Some(v6) => v6.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_end)?;
    let is_v6 = host.starts_with('[');
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || is_v6 && b"[]:".contains(&byte)
    };
    if host.is_empty() || !host.bytes().all(allowed) {
        return None;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, Some(digits.parse().ok()?)))
        }
        _ => None,
    }
}

fn is_loopback_name(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Which origins are allowed.
#[derive(Clone, Debug, Default)]
pub struct OriginPolicy {
    any: bool,
    loopback: bool,
    listed: Vec<Origin>,
}

/// What the policy says of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A page of an allowed origin.
    Allowed,
    /// No page: a program. It must not be let in by a cookie alone.
    NoOrigin,
    /// A page of some other origin.
    Denied,
    /// Several `Origin` headers, or bytes that cannot be one.
    Malformed,
}

impl OriginPolicy {
    /// Only these.
    pub fn listed(origins: Vec<Origin>) -> Self {
        Self { listed: origins, ..Self::default() }
    }

    /// Every origin, but none with its cookies.
    pub fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// Pages of this machine, on any port, are allowed, too: for development.
    #[must_use]
    pub fn or_loopback(self) -> Self {
        Self { loopback: true, ..self }
    }

    /// Judges the headers of a request.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Verdict {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return if headers.contains_key(header::ORIGIN) { Verdict::Malformed } else { Verdict::NoOrigin };
        };
        let Ok(text) = value.to_str() else { return Verdict::Malformed };
        if self.any {
            return Verdict::Allowed;
        }
        match Origin::parse(text) {
            Ok(origin) if self.listed.contains(&origin) => Verdict::Allowed,
            Ok(origin) if self.loopback && origin.is_loopback() => Verdict::Allowed,
            _ => Verdict::Denied,
        }
    }

    /// Whether a request comes from a page that is known to be one of ours, so that its cookies may count. A browser
    /// leaves the origin out of a same-origin GET, and says so in another header. Allowing every origin is trusting
    /// none.
    pub(crate) fn trusts_page(&self, headers: &HeaderMap) -> bool {
        match self.check(headers) {
            Verdict::Allowed => !self.any,
            Verdict::NoOrigin => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
            Verdict::Denied | Verdict::Malformed => false,
        }
    }

    /// Whether a request for this `Host` is meant for us. A page whose name was re-bound to a loopback address is
    /// told apart by this (DNS rebinding), so it is asked only where the server listens on loopback.
    pub(crate) fn knows_host(&self, host: Option<&HeaderValue>) -> bool {
        let Some(Some((host, _))) = host.map(|host| host.to_str().ok().and_then(split_port)) else {
            return false;
        };
        let host = host.to_ascii_lowercase();
        self.any || is_loopback_name(&host) || self.listed.iter().any(|origin| *origin.host == *host)
    }

    /// Adds the CORS headers for an answer to a request with `headers`.
    pub(crate) fn add_cors(&self, headers: &HeaderMap, answer: &mut HeaderMap) {
        if self.any {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return;
        }
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        if let (Verdict::Allowed, Some(origin)) = (self.check(headers), headers.get(header::ORIGIN)) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// The answer to a preflight, if the request is one.
    pub(crate) fn preflight<B: Default>(&self, method: &Method, headers: &HeaderMap) -> Option<Response<B>> {
        if method != Method::OPTIONS || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        self.add_cors(headers, answer);
        if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            answer.insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE"),
            );
            answer.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
            if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
                answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
            }
        }
        Some(response)
    }
}

/// What a page may read of an answer beside its body: when to come back, and how often it may.
/// Lets a page that may read an answer read when it may come back, where the answer says so. Other answers are as those of
/// the reference server.
pub(super) fn expose(answer: &mut HeaderMap) {
    if !answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    if answer.contains_key(header::RETRY_AFTER) || answer.contains_key("ratelimit") {
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

const EXPOSED: HeaderValue = HeaderValue::from_static("Retry-After, RateLimit, RateLimit-Policy");

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origins: &[&'static str]) -> HeaderMap {
        origins.iter().map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))).collect()
    }

    fn policy() -> OriginPolicy {
        OriginPolicy::listed(vec![Origin::parse("https://app.example.com").expect("an origin")])
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_allowed() {
        let cases = [
            ("https://app.example.com", Verdict::Allowed),
            ("https://app.example.com:443", Verdict::Allowed),
            ("https://APP.example.com", Verdict::Allowed),
            ("https://evil.com", Verdict::Denied),
            ("https://app.example.com.evil.com", Verdict::Denied),
            ("https://evilapp.example.com", Verdict::Denied),
            ("http://app.example.com", Verdict::Denied),
            ("https://app.example.com:8443", Verdict::Denied),
            ("https://app.example.com.", Verdict::Denied),
            ("https://user@app.example.com", Verdict::Denied),
            ("https://app.example.com/", Verdict::Denied),
            ("https://app.example.com:443:443", Verdict::Denied),
            ("https://app.example.com:+443", Verdict::Denied),
            ("null", Verdict::Denied),
            ("file://", Verdict::Denied),
            ("http://localhost:5173", Verdict::Denied),
            ("", Verdict::Denied),
        ];
        for (origin, verdict) in cases {
            assert_eq!(policy().check(&headers(&[origin])), verdict, "{origin}");
        }
        assert_eq!(policy().check(&headers(&[])), Verdict::NoOrigin);
        let twice = headers(&["https://app.example.com", "https://app.example.com"]);
        assert_eq!(policy().check(&twice), Verdict::Malformed);
    }

    #[test]
    fn development_allows_the_pages_of_this_machine() {
        let policy = OriginPolicy::default().or_loopback();
        for origin in ["http://localhost:5173", "http://127.0.0.1:1", "https://localhost", "http://[::1]:80"]
        {
            assert_eq!(policy.check(&headers(&[origin.to_owned().leak()])), Verdict::Allowed, "{origin}");
        }
        for origin in ["http://localhost.evil.com", "http://127.0.0.1.evil.com", "http://192.168.1.1"] {
            assert_eq!(policy.check(&headers(&[origin.to_owned().leak()])), Verdict::Denied, "{origin}");
        }
    }

    #[test]
    fn hosts_are_known_by_name() {
        let policy = policy();
        for (host, known) in [
            ("localhost:3000", true),
            ("127.0.0.1", true),
            ("app.example.com", true),
            ("evil.com:3000", false),
            ("", false),
        ] {
            assert_eq!(policy.knows_host(Some(&HeaderValue::from_static(host))), known, "{host}");
        }
        assert!(!policy.knows_host(None));
    }

    #[test]
    fn credentials_are_never_allowed_to_everybody() {
        let mut answer = HeaderMap::new();
        OriginPolicy::any().add_cors(&headers(&["https://evil.com"]), &mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        expose(&mut answer);
        assert!(!answer.contains_key(header::ACCESS_CONTROL_EXPOSE_HEADERS), "there is nothing to read");
        answer.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        expose(&mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_EXPOSE_HEADERS], "Retry-After, RateLimit, RateLimit-Policy");
    }

    #[test]
    fn cookies_count_only_for_pages_that_are_listed() {
        let same_site = |site| {
            [("sec-fetch-site".parse().expect("a name"), HeaderValue::from_static(site))]
                .into_iter()
                .collect()
        };
        assert!(policy().trusts_page(&headers(&["https://app.example.com"])));
        assert!(policy().trusts_page(&same_site("same-origin")));
        assert!(!policy().trusts_page(&same_site("same-site")));
        assert!(!policy().trusts_page(&headers(&[])));
        assert!(!policy().trusts_page(&headers(&["https://evil.com"])));
        assert!(!OriginPolicy::any().trusts_page(&headers(&["https://app.example.com"])));
    }

    #[test]
    fn a_preflight_is_answered_for_allowed_origins_only() {
        let mut request = headers(&["https://app.example.com"]);
        request.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
        request
            .insert(header::ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("content-type,x-foo"));
        let answer: Response<()> = policy().preflight(&Method::OPTIONS, &request).expect("a preflight");
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "content-type,x-foo");
        request.insert(header::ORIGIN, HeaderValue::from_static("https://evil.com"));
        let answer: Response<()> = policy().preflight(&Method::OPTIONS, &request).expect("a preflight");
        assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_METHODS));
        assert!(policy().preflight::<()>(&Method::GET, &request).is_none());
    }
}

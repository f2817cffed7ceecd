use std::{fmt, net::IpAddr};

use http::HeaderMap;
use roomkey_model::Timestamp;

/// The HTTP request that opened a connection.
///
/// Its identity-bearing headers count for the connection, never those of a later request with the same `sid`.
pub struct Handshake {
    /// Where the client is.
    pub address: IpAddr,
    /// When it came.
    pub issued: Timestamp,
    /// All of the query, without the `?`.
    query: Box<str>,
    /// The headers, one `name: value` line each: one piece of memory for as long as the connection lives.
    headers: Box<str>,
    /// Whether what a browser adds by itself (cookies) may count.
    pub(crate) is_trusted_page: bool,
}

impl Handshake {
    /// `is_trusted_page` is what [`crate::OriginPolicy::trusts_page`] says of the same headers.
    pub(crate) fn new(
        address: IpAddr,
        issued: Timestamp,
        query: &str,
        headers: &HeaderMap,
        is_trusted_page: bool,
    ) -> Self {
        let mut lines = String::with_capacity(
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 3).sum(),
        );
        for (name, value) in headers {
            // A value that is not text means nothing here; what must be text is checked where it is used.
            if let Ok(value) = value.to_str() {
                lines.push_str(name.as_str());
                lines.push_str(": ");
                lines.push_str(value);
                lines.push('\n');
            }
        }
        Self { address, issued, query: query.into(), headers: lines.into(), is_trusted_page }
    }

    /// The values of a header, by its name in lower case, in the order they came.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The decoded value of a query parameter; the first, if there are several.
    pub fn query(&self, name: &str) -> Option<String> {
        roomkey_protocol::engine::query::pairs(&self.query)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// Leaves out the query and the headers: both may hold secrets.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("address", &self.address)
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn handshake(headers: &[(&'static str, &'static str)]) -> Handshake {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect();
        Handshake::new([127, 0, 0, 1].into(), Timestamp(0), "EIO=4&token=a%20b&token=c", &headers, false)
    }

    #[test]
    fn headers_and_query_are_found() {
        let handshake = handshake(&[("cookie", "a=1"), ("cookie", "b=2"), ("x-cookie", "c: 3")]);
        assert_eq!(handshake.header_values("cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(handshake.header("x-cookie"), Some("c: 3"));
        assert_eq!(handshake.header("x"), None);
        assert_eq!(handshake.query("token").as_deref(), Some("a b"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", handshake(&[("authorization", "Bearer canary")]));
        assert!(!shown.contains("canary") && !shown.contains("token"), "{shown}");
    }
}

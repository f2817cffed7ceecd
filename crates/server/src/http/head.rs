//! The head of the first request on a connection.

use std::io;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};
use roomkey_model::{Limit, Limits};
use tokio::net::TcpStream;

/// A request's head, as far as it decides where the connection goes.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// Bytes of the head.
    pub(crate) len: usize,
}

/// Why there is no head.
#[derive(Debug)]
pub(crate) enum HeadError {
    /// The peer went away.
    Io(io::Error),
    /// Not HTTP/1.1: 400.
    Malformed,
    /// A limit is reached: 431.
    TooLarge(Limit),
}

impl From<io::Error> for HeadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads until the head is complete. `buffer` gets all that was read, which may be more than the head.
pub(crate) async fn read(
    stream: &TcpStream,
    buffer: &mut Vec<u8>,
    limits: &Limits,
) -> Result<Head, HeadError> {
    loop {
        stream.readable().await?;
        let room = limits.http_head_bytes.saturating_sub(buffer.len());
        if room == 0 {
            return Err(HeadError::TooLarge(Limit::HttpHeadBytes));
        }
        let start = buffer.len();
        buffer.resize(start + room.min(2048), 0);
        let outcome = stream.try_read(&mut buffer[start..]);
        buffer.truncate(start + outcome.as_ref().map_or(0, |read| *read));
        match outcome {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(_) if ends_head(buffer, start)? => return parse(buffer, limits.http_headers),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the blank line came, looking only at what is new: the cost stays linear however slowly it arrives. A line
/// that ends with a bare LF is one to us and none to others, so it is refused.
fn ends_head(buffer: &[u8], new_from: usize) -> Result<bool, HeadError> {
    for end in (new_from..buffer.len()).filter(|index| buffer[*index] == b'\n') {
        let head = &buffer[..=end];
        if !head.ends_with(b"\r\n") {
            return Err(HeadError::Malformed);
        }
        if head.ends_with(b"\r\n\r\n") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn parse(buffer: &[u8], headers_max: usize) -> Result<Head, HeadError> {
    let mut storage = vec![httparse::EMPTY_HEADER; headers_max];
    let mut request = httparse::Request::new(&mut storage);
    let len = match request.parse(buffer) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Err(HeadError::Malformed),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge(Limit::HttpHeaders)),
        Err(_) => return Err(HeadError::Malformed),
    };
    let malformed = || HeadError::Malformed;
    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| HeadError::Malformed)?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| HeadError::Malformed)?;
        headers.append(name, value);
    }
    if has_unclear_end(&headers) {
        return Err(HeadError::Malformed);
    }
    Ok(Head {
        method: request.method.and_then(|method| method.parse().ok()).ok_or_else(malformed)?,
        uri: request.path.and_then(|path| path.parse().ok()).ok_or_else(malformed)?,
        headers,
        len,
    })
}

/// Whether the end of the request can be found in two ways (RFC 9112, section 6.3): what one reader takes for the
/// body may be another request to the next.
pub(crate) fn has_unclear_end(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    if let (Some(length), next) = (lengths.next(), lengths.next())
        && (next.is_some() || !length.as_bytes().iter().all(u8::is_ascii_digit))
    {
        return true;
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(coding), None) => {
            headers.contains_key(header::CONTENT_LENGTH)
                || !coding.as_bytes().eq_ignore_ascii_case(b"chunked")
        }
        (Some(_), Some(_)) => true,
    }
}

impl Head {
    /// The same as a request without a body.
    pub(crate) fn into_parts(self) -> http::request::Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        (parts.method, parts.uri, parts.headers, parts.version) =
            (self.method, self.uri, self.headers, Version::HTTP_11);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_parsed_and_its_length_known() {
        let bytes = b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: x\r\nCookie: a\r\nCookie: b\r\n\r\nrest";
        assert!(matches!(ends_head(bytes, bytes.len() - 5), Ok(true)));
        assert!(matches!(ends_head(bytes, bytes.len() - 2), Ok(false)));
        let head = parse(bytes, 3).expect("a head");
        assert_eq!(
            (head.method.as_str(), head.uri.path(), head.len),
            ("GET", "/socket.io/", bytes.len() - 4)
        );
        assert_eq!(head.headers.get_all("cookie").iter().count(), 2);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bytes in [
            &b"\x16\x03\x01\x02\x00\r\n\r\n"[..],
            b"GET / HTTP/2.0\r\n\r\n",
            b"GET  /\r\n\r\n",
            b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
        ] {
            assert!(matches!(parse(bytes, 10), Err(HeadError::Malformed)), "{}", bytes.escape_ascii());
        }
        for bytes in [
            &b"GET / HTTP/1.1\n"[..],
            b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
            b"\n",
            b"GET / HTTP/1.1\r\n\n",
        ] {
            assert!(matches!(ends_head(bytes, 0), Err(HeadError::Malformed)), "{}", bytes.escape_ascii());
        }
        let many = b"GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\n\r\n";
        assert!(matches!(parse(many, 1), Err(HeadError::TooLarge(Limit::HttpHeaders))));
    }
}

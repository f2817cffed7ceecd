//! The ends of lines in the requests that hyper reads.

/// Follows a connection from request to request, and spoils every line of a head that ends with a bare LF.
///
/// hyper takes such a line for one, as RFC 9112 allows. Whoever stands in front of us may take two of them for one,
/// and then believe that a request ends elsewhere, or asks for something else.
#[derive(Debug)]
pub(super) struct LineEnds {
    place: Place,
    head_bytes_max: usize,
}

#[derive(Debug)]
enum Place {
    /// In a head, of which this was read.
    Head(Vec<u8>),
    /// In a body, of which this much is to come.
    Body(u64),
    /// Behind the head of a request that `service` makes the last on its connection.
    Last,
}

/// What hyper refuses, wherever in a head it stands.
const SPOILT: u8 = 0;

impl LineEnds {
    /// At the begin of a connection. A longer head than `head_bytes_max` is refused anyway.
    pub(super) fn new(head_bytes_max: usize) -> Self {
        Self { place: Place::Head(Vec::new()), head_bytes_max }
    }

    /// Looks at what was read next, before hyper does.
    pub(super) fn check(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let checked = match &mut self.place {
                Place::Head(_) => self.check_line(bytes),
                Place::Body(left) => {
                    let read = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= read as u64;
                    if *left == 0 {
                        self.place = Place::Head(Vec::new());
                    }
                    read
                }
                Place::Last => return,
            };
            bytes = &mut bytes[checked..];
        }
    }

    /// Looks at the bytes up to the end of a line; how many they are.
    fn check_line(&mut self, bytes: &mut [u8]) -> usize {
        let Place::Head(head) = &mut self.place else { return 0 };
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        let line = &mut bytes[..end];
        head.extend_from_slice(line);
        if head.ends_with(b"\n") && !head.ends_with(b"\r\n") {
            line[line.len() - 1] = SPOILT;
            self.place = Place::Last;
        } else if head == b"\r\n" {
            // Allowed before a request.
            head.clear();
        } else if head.ends_with(b"\r\n\r\n") {
            self.place = match content_length(head) {
                Some(0) => Place::Head(Vec::new()),
                Some(length) => Place::Body(length),
                None => Place::Last,
            };
        } else if head.len() > self.head_bytes_max {
            self.place = Place::Last;
        }
        line.len()
    }
}

/// The length of the body that follows this head. `None` if something else than a body of a length follows, or if that
/// cannot be told: then the request is the last on its connection.
fn content_length(head: &[u8]) -> Option<u64> {
    let mut length = 0;
    for line in head.split(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if name.eq_ignore_ascii_case(b"content-length") {
            length = std::str::from_utf8(line.get(name.len() + 1..)?).ok()?.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") || name.eq_ignore_ascii_case(b"upgrade") {
            return None;
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hyper gets to see, however the bytes are cut.
    fn seen(bytes: &str) -> String {
        let cut = |step| {
            let (mut line_ends, mut seen) = (LineEnds::new(100), bytes.as_bytes().to_vec());
            seen.chunks_mut(step).for_each(|piece| line_ends.check(piece));
            String::from_utf8(seen).expect("text")
        };
        let whole = cut(bytes.len());
        for step in 1..20 {
            assert_eq!(cut(step), whole);
        }
        whole
    }

    #[test]
    fn requests_in_order_are_left_as_they_are() {
        let get = "GET / HTTP/1.1\r\nA: b\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n1\n\n4\n\n\n";
        let empty = "POST / HTTP/1.1\r\ncontent-length:  0 \r\n\r\n";
        for bytes in [
            [get, get, post, post, get, empty, get].concat(),
            ["\r\n\r\n", get, "\r\n", get].concat(),
            ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\na\nb\r\n0\r\n\r\n\n\n"].concat(),
            ["GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "\n\n\n"].concat(),
            ["GET / HTTP/1.1\r\nA: ", &"b".repeat(200), "\r\n", "refused\n"].concat(),
        ] {
            assert_eq!(seen(&bytes), bytes);
        }
    }

    #[test]
    fn bare_line_feeds_are_spoilt() {
        let get = "GET / HTTP/1.1\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n1\n\n";
        for (head, spoilt) in [
            ("GET / HTTP/1.1\nA: b\r\n\r\n", "GET / HTTP/1.1\0A: b\r\n\r\n"),
            ("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "GET / HTTP/1.1\r\nA: b\0C: d\r\n\r\n"),
            ("GET / HTTP/1.1\r\nA: b\r\n\n", "GET / HTTP/1.1\r\nA: b\r\n\0"),
            ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
        ] {
            for before in ["", get, post] {
                assert_eq!(seen(&format!("{before}{head}")), format!("{before}{spoilt}"));
            }
        }
    }
}

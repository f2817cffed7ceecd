use std::fmt;

use roomkey_model::Timestamp;

/// Microseconds since the Unix epoch, written as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct UtcMicros(pub(super) u64);

impl fmt::Display for UtcMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_ms = Timestamp(self.0 / 1000).to_rfc3339();
        write!(f, "{}{:03}Z", in_ms.trim_end_matches('Z'), self.0 % 1000)
    }
}

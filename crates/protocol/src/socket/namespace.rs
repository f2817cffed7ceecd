use std::{fmt, ops::Deref, sync::Arc};

use crate::ParseError;

/// The name of a namespace, cheap to clone and free for the main one.
///
/// Compared byte by byte: what looks like a query is part of the name.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Namespace(Option<Arc<str>>);

impl Namespace {
    /// The main namespace, `/`.
    pub const MAIN: Self = Self(None);

    /// Bytes a name may have at most.
    pub const BYTES_MAX: usize = 256;

    /// The namespace of this name.
    pub fn new(name: &str) -> Result<Self, ParseError> {
        match name {
            "/" => Ok(Self::MAIN),
            _ if name.len() > Self::BYTES_MAX => Err(ParseError::NamespaceTooLong),
            _ => Ok(Self(Some(name.into()))),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("/")
    }
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

use crate::ParseError;

/// Cuts msgpack into tokens. What a token declares never goes beyond the bytes that there are.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// A scalar, or the beginning of an array or a map with its number of entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Nil,
    /// JavaScript's `undefined`.
    Undefined,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    /// JavaScript's `Date`: milliseconds since 1970.
    Date(i64),
    String(&'a str),
    Binary(&'a [u8]),
    Array(usize),
    Map(usize),
}

impl Token<'_> {
    /// The number, if it is an integer; JavaScript writes large ones as floats.
    pub(super) fn integer(self) -> Option<i128> {
        match self {
            Self::Signed(number) => Some(number.into()),
            Self::Unsigned(number) => Some(number.into()),
            #[expect(clippy::cast_possible_truncation, reason = "an integer within the range of an i64")]
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Some(number as i128),
            _ => None,
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, ParseError> {
        let [marker] = self.array()?;
        Ok(match marker {
            0x00..=0x7f => Token::Unsigned(marker.into()),
            0x80..=0x8f => self.map(usize::from(marker & 0x0f))?,
            0x90..=0x9f => self.list(usize::from(marker & 0x0f))?,
            0xa0..=0xbf => self.string(usize::from(marker & 0x1f))?,
            0xc0 => Token::Nil,
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 => Token::Binary(self.sized::<1>()?),
            0xc5 => Token::Binary(self.sized::<2>()?),
            0xc6 => Token::Binary(self.sized::<4>()?),
            0xca => Token::Float(f32::from_be_bytes(self.array()?).into()),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Unsigned(u8::from_be_bytes(self.array()?).into()),
            0xcd => Token::Unsigned(u16::from_be_bytes(self.array()?).into()),
            0xce => Token::Unsigned(u32::from_be_bytes(self.array()?).into()),
            0xcf => Token::Unsigned(u64::from_be_bytes(self.array()?)),
            0xd0 => Token::Signed(i8::from_be_bytes(self.array()?).into()),
            0xd1 => Token::Signed(i16::from_be_bytes(self.array()?).into()),
            0xd2 => Token::Signed(i32::from_be_bytes(self.array()?).into()),
            0xd3 => Token::Signed(i64::from_be_bytes(self.array()?)),
            // Extensions: JavaScript's have the type 0, and are told apart by their lengths.
            0xd4 => match self.array()? {
                [0, _] => Token::Undefined,
                _ => return Err(ParseError::Msgpack),
            },
            0xd7 => match self.array()? {
                [0] => Token::Date(i64::from_be_bytes(self.array()?)),
                [_] => return Err(ParseError::Msgpack),
            },
            0xd9 => utf8(self.sized::<1>()?)?,
            0xda => utf8(self.sized::<2>()?)?,
            0xdb => utf8(self.sized::<4>()?)?,
            0xdc => {
                let len = self.length::<2>()?;
                self.list(len)?
            }
            0xdd => {
                let len = self.length::<4>()?;
                self.list(len)?
            }
            0xde => {
                let len = self.length::<2>()?;
                self.map(len)?
            }
            0xdf => {
                let len = self.length::<4>()?;
                self.map(len)?
            }
            0xe0..=0xff => Token::Signed(i8::from_be_bytes([marker]).into()),
            0xc1 | 0xc7..=0xc9 | 0xd5 | 0xd6 | 0xd8 => return Err(ParseError::Msgpack),
        })
    }

    /// Passes over one value, with all that is in it; the bytes of it.
    pub(super) fn skip(&mut self) -> Result<&'a [u8], ParseError> {
        let from = self.rest;
        // Each entry takes a byte at least, so this cannot become more than the square of the length.
        let mut missing = 1_u64;
        while missing > 0 {
            missing -= 1;
            missing += match self.next()? {
                Token::Array(len) => len as u64,
                Token::Map(len) => 2 * len as u64,
                _ => 0,
            };
        }
        Ok(&from[..from.len() - self.rest.len()])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(ParseError::Msgpack)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ParseError> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(ParseError::Msgpack)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A length of N bytes.
    fn length<const N: usize>(&mut self) -> Result<usize, ParseError> {
        Ok(self.array::<N>()?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    /// What stands behind a length of N bytes.
    fn sized<const N: usize>(&mut self) -> Result<&'a [u8], ParseError> {
        let len = self.length::<N>()?;
        self.take(len)
    }

    fn string(&mut self, len: usize) -> Result<Token<'a>, ParseError> {
        utf8(self.take(len)?)
    }

    fn list(&self, len: usize) -> Result<Token<'a>, ParseError> {
        if len > self.rest.len() { Err(ParseError::Msgpack) } else { Ok(Token::Array(len)) }
    }

    fn map(&self, len: usize) -> Result<Token<'a>, ParseError> {
        if len > self.rest.len() / 2 { Err(ParseError::Msgpack) } else { Ok(Token::Map(len)) }
    }
}

fn utf8(bytes: &[u8]) -> Result<Token<'_>, ParseError> {
    str::from_utf8(bytes).map(Token::String).map_err(|_| ParseError::Msgpack)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before anything of it is looked at.
    #[test]
    fn nothing_is_longer_than_what_is_there() {
        for (bytes, token) in [
            (&b"\x92\xc0\xc0"[..], Ok(Token::Array(2))),
            (b"\x92\xc0", Err(ParseError::Msgpack)),
            (b"\xdd\xff\xff\xff\xff\xc0", Err(ParseError::Msgpack)),
            (b"\x81\xc0\xc0", Ok(Token::Map(1))),
            (b"\x81\xc0", Err(ParseError::Msgpack)),
            (b"\xdf\x7f\xff\xff\xff\xc0", Err(ParseError::Msgpack)),
            (b"\xa2a", Err(ParseError::Msgpack)),
            (b"\xc6\xff\xff\xff\xffa", Err(ParseError::Msgpack)),
            (b"\xcb\0", Err(ParseError::Msgpack)),
        ] {
            assert_eq!(Reader::new(bytes).next(), token, "{bytes:?}");
        }
    }
}

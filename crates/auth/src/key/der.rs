//! As much of DER (X.690) as it takes to tell a key from something else.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const SEQUENCE: u8 = 0x30;

/// Takes one element with this tag from the front of `input`; its content.
pub(super) fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&first, rest) = input.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (len, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    if first != tag {
        return None;
    }
    *input = rest;
    Some(content)
}

/// Whether these bytes are one key: a sequence that fills them and begins with a sequence or an integer.
pub(super) fn looks_like_key(mut bytes: &[u8]) -> bool {
    let content = take(&mut bytes, SEQUENCE);
    bytes.is_empty()
        && content.is_some_and(|mut content| {
            take(&mut content, SEQUENCE).or_else(|| take(&mut content, INTEGER)).is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_other_bytes() {
        let long = [&[SEQUENCE, 0x81, 0x83, INTEGER, 0x81, 0x80][..], &[1; 128]].concat();
        for key in [&[SEQUENCE, 3, INTEGER, 1, 0][..], &[SEQUENCE, 2, SEQUENCE, 0], &long] {
            assert!(looks_like_key(key), "{key:x?}");
        }
        for other in [
            &[][..],
            &[SEQUENCE],
            &[SEQUENCE, 0],
            &[SEQUENCE, 3, INTEGER, 1, 0, 0],
            &[SEQUENCE, 0x80, 0, 0],
            b"0secret",
        ] {
            assert!(!looks_like_key(other), "{other:x?}");
        }
    }
}

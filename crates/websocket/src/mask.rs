/// Masks or unmasks (the two are one operation) in place, eight bytes at a time.
pub(crate) fn apply(key: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = key;
    let key_twice = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, tail) = payload.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ key_twice).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_meets_its_byte_of_the_key() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..40_u8 {
            let mut payload: Vec<u8> = (0..len).collect();
            apply(key, &mut payload);
            let expected: Vec<u8> = (0..len).map(|index| index ^ key[usize::from(index % 4)]).collect();
            assert_eq!(payload, expected);
        }
    }
}

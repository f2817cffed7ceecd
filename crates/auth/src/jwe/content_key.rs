use std::{fmt, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    constant_time, digest, hmac,
    iv::FixedLength,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::Sealed;

/// A content encryption algorithm (RFC 7518 section 5) that is decrypted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// AES-256 in CBC mode, and HMAC with SHA-512 over it.
    A256CbcHs512,
    /// AES-256 in GCM mode.
    A256Gcm,
}

impl Encryption {
    const ALL: [Self; 2] = [Self::A256CbcHs512, Self::A256Gcm];

    /// From the value of a header's `enc`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encryption| encryption.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// Bytes of its key.
    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::A256CbcHs512 => 64,
            Self::A256Gcm => 32,
        }
    }
}

/// A key that opens what is sealed with it, for one algorithm. The bytes themselves are not kept.
#[derive(Clone)]
pub(crate) struct ContentKey {
    cipher: Cipher,
    thumbprint: Arc<str>,
}

#[derive(Clone)]
enum Cipher {
    CbcHmac(Arc<(hmac::Key, PaddedBlockDecryptingKey)>),
    Gcm(Arc<LessSafeKey>),
}

/// RFC 7518 section 5.2.5: the tag is the first half of the MAC.
const CBC_TAG_LEN: usize = 32;

impl ContentKey {
    /// A key of [`Encryption::key_len`] bytes; `None` if it has another length.
    pub(crate) fn new(encryption: Encryption, key: &[u8]) -> Option<Self> {
        if key.len() != encryption.key_len() {
            return None;
        }
        let cipher = match encryption {
            Encryption::A256CbcHs512 => {
                let (mac, cipher) = key.split_at(32);
                let cipher = UnboundCipherKey::new(&AES_256, cipher).ok()?;
                let mac = hmac::Key::new(hmac::HMAC_SHA512, mac);
                Cipher::CbcHmac(Arc::new((mac, PaddedBlockDecryptingKey::cbc_pkcs7(cipher).ok()?)))
            }
            Encryption::A256Gcm => {
                let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
                Cipher::Gcm(Arc::new(LessSafeKey::new(key)))
            }
        };
        Some(Self { cipher, thumbprint: thumbprint(key).into() })
    }

    /// What Auth.js names the key by: its thumbprint (RFC 7638), with the SHA-2 of its own length.
    pub(crate) fn thumbprint(&self) -> &Arc<str> {
        &self.thumbprint
    }

    pub(crate) fn encryption(&self) -> Encryption {
        match self.cipher {
            Cipher::CbcHmac(_) => Encryption::A256CbcHs512,
            Cipher::Gcm(_) => Encryption::A256Gcm,
        }
    }

    /// What is sealed, if this key sealed it and not a bit was changed.
    ///
    /// There is one way to fail. Nothing is decrypted before it is authentic, so that no padding tells anything.
    pub(crate) fn open(&self, sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let Sealed { aad, iv, ciphertext, tag, .. } = sealed;
        match &self.cipher {
            Cipher::CbcHmac(keys) => {
                let (mac, cipher) = &**keys;
                let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
                let mut context = hmac::Context::with_key(mac);
                for part in [*aad, iv, ciphertext, &aad_bits.to_be_bytes()] {
                    context.update(part);
                }
                let expected = context.sign();
                constant_time::verify_slices_are_equal(expected.as_ref().get(..CBC_TAG_LEN)?, tag).ok()?;
                let iv = FixedLength::from(<[u8; 16]>::try_from(&**iv).ok()?);
                let mut text = Zeroizing::new(ciphertext.clone());
                let len = cipher.decrypt(&mut text, DecryptionContext::Iv128(iv)).ok()?.len();
                text.truncate(len);
                Some(text)
            }
            Cipher::Gcm(key) => {
                let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
                if tag.len() != AES_256_GCM.tag_len() {
                    return None;
                }
                let mut text = Zeroizing::new([&**ciphertext, tag].concat());
                let len = key.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
                text.truncate(len);
                Some(text)
            }
        }
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentKey")
            .field("encryption", &self.encryption())
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

fn thumbprint(key: &[u8]) -> String {
    let algorithm = if key.len() == 64 { &digest::SHA512 } else { &digest::SHA256 };
    let json = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, BASE64_URL_SAFE_NO_PAD.encode(key)));
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(algorithm, json.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("two digits")
        };
        digits.chunks(2).map(byte).collect()
    }

    /// RFC 7518 appendix B.3.
    #[test]
    fn the_published_aes_256_cbc_hmac_sha_512() {
        let key: Vec<u8> = (0..64).collect();
        let text = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of \
            the enemy without inconvenience";
        let aad = b"The second principle of Auguste Kerckhoffs";
        let sealed = |tag: Vec<u8>| Sealed {
            encryption: Encryption::A256CbcHs512,
            key_id: None,
            aad,
            iv: hex("1af38c2dc2b96ffdd86694092341bc04"),
            ciphertext: hex("4affaaadb78c31c5da4b1b590d10ffbd 3dd8d5d302423526912da037ecbcc7bd
                 822c301dd67c373bccb584ad3e9279c2 e6d12a1374b77f077553df829410446b
                 36ebd97066296ae6427ea75c2e0846a1 1a09ccf5370dc80bfecbad28c73f09b3
                 a3b75e662a2594410ae496b2e2e6609e 31e6e02cc837f053d21f37ff4f51950b
                 be2638d09dd7a4930930806d0703b1f6"),
            tag,
        };
        let tag = hex("4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5");
        let key = ContentKey::new(Encryption::A256CbcHs512, &key).expect("64 bytes");
        assert_eq!(**key.open(&sealed(tag.clone())).expect("it opens"), text[..]);
        for cut in 0..32 {
            assert!(key.open(&sealed(tag[..cut].to_vec())).is_none(), "{cut}");
        }
        assert!(key.open(&sealed([&tag[..], &tag].concat())).is_none());
    }

    #[test]
    fn keys_have_one_length() {
        for (encryption, len) in [(Encryption::A256CbcHs512, 64), (Encryption::A256Gcm, 32)] {
            for other in [0, 16, 31, 32, 33, 48, 63, 64, 65] {
                assert_eq!(ContentKey::new(encryption, &vec![1; other]).is_some(), other == len);
            }
        }
    }
}

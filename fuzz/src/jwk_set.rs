//! Key sets as issuers publish them: whatever comes, there are few keys, all public, and the rest is left out.

use roomkey_auth::PublicKey;

/// Pieces of key sets.
pub const DICTIONARY: &[&[u8]] = &[
    b"{\"keys\":[",
    b"]}",
    b"{\"kty\":\"RSA\",\"n\":\"",
    b"\",\"e\":\"AQAB\"}",
    b"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"",
    b"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
    b"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
    b",\"use\":\"sig\"",
    b",\"use\":\"enc\"",
    b",\"alg\":\"RS256\"",
    b",\"kid\":\"a\"",
    b",\"key_ops\":[\"verify\"]",
    b",",
    b"null",
];

/// The input is the document.
pub fn run(data: &[u8]) {
    let Ok(keys) = PublicKey::from_jwk_set("keys", data) else { return };
    assert!((1..=100).contains(&keys.len()) && data.len() <= 512 * 1024);
    let text = std::str::from_utf8(data).expect("JSON is text");
    // Escapes may hide a name, so that there can be fewer of these than keys only where there is an escape.
    assert!(keys.len() <= text.matches("\"kty\"").count() || text.contains('\\'));
    for key in &keys {
        assert!(!key.algorithm().is_symmetric());
        assert_eq!(key.thumbprint().len(), 43);
    }
    let again = PublicKey::from_jwk_set("keys", &[b" ", data, b"\n"].concat());
    if let Ok(again) = again {
        assert!(again.iter().map(PublicKey::thumbprint).eq(keys.iter().map(PublicKey::thumbprint)));
    } else {
        assert!(data.len() + 2 > 512 * 1024);
    }
}

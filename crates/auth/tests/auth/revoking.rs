//! What a revocation is about, and what not.

use roomkey_auth::{Identity, Revocations};
use roomkey_model::{Revocation, RevocationReason, RevocationTarget, SessionId, Timestamp, TokenId, UserId};
use serde_json::json;

use crate::{
    forge::{NOW, ec_token, idp_token, shared_token, verifier, verify},
    signatures::twin,
};

fn identity(token: &str) -> Identity {
    verify(&verifier(), token).expect("a good token")
}

fn revocation(target: RevocationTarget) -> Revocation {
    Revocation {
        target,
        issued_before: None,
        revoked_at: Timestamp::from_secs(NOW),
        until: Some(Timestamp::from_secs(NOW + 100)),
        reason: RevocationReason::Revoked,
    }
}

fn token_of(identity: &Identity) -> RevocationTarget {
    RevocationTarget::Token { issuer: identity.issuer.clone(), token: identity.token.clone() }
}

fn revoked(target: RevocationTarget) -> Revocations {
    let mut revocations = Revocations::default();
    revocations.apply(&revocation(target));
    revocations
}

/// A token is revoked as what was signed: neither its other signature nor its other encodings are another token.
#[test]
fn l22_the_twin_of_a_revoked_token_is_revoked() {
    for claims in [json!({"jti": "t1"}), json!({})] {
        let token = ec_token(claims);
        let revocations = revoked(token_of(&identity(&token)));
        assert_eq!(revocations.find(&identity(&twin(&token))), Some(RevocationReason::Revoked));
        let other = ec_token(json!({"jti": "t2"}));
        assert_eq!(revocations.find(&identity(&other)), None);
    }
}

/// Ids mean something only together with their issuer.
#[test]
fn the_same_ids_at_another_issuer_are_others() {
    let claims = json!({"jti": "t1", "sid": "s1", "sub": "alice"});
    let (here, there) = (identity(&idp_token(claims.clone())), identity(&shared_token(claims)));
    let session = SessionId::new("s1").expect("a good name");
    for target in [
        token_of(&here),
        RevocationTarget::Session { issuer: here.issuer.clone(), session },
        RevocationTarget::User(here.user.clone()),
    ] {
        let revocations = revoked(target);
        assert!(revocations.find(&here).is_some());
        assert_eq!(revocations.find(&there), None);
    }
}

#[test]
fn a_key_takes_all_its_tokens_with_it() {
    let (signed, other) = (identity(&ec_token(json!({}))), identity(&idp_token(json!({}))));
    let key_id = signed.key_id.clone().expect("public keys have a thumbprint");
    let revocations = revoked(RevocationTarget::Key { issuer: signed.issuer.clone(), key_id });
    assert!(revocations.find(&signed).is_some());
    assert_eq!(revocations.find(&other), None);
}

/// The two ways to ask agree: of the table by an identity, and of an identity by a revocation.
#[test]
fn the_table_and_the_revocation_agree() {
    let ours = identity(&idp_token(json!({"jti": "t1", "sid": "s1", "iat": NOW - 10})));
    let user = RevocationTarget::User(ours.user.clone());
    let other = RevocationTarget::User(UserId::new("somebody else").expect("a good name"));
    let other_token = RevocationTarget::Token {
        issuer: ours.issuer.clone(),
        token: TokenId::new("t2").expect("a good name"),
    };
    let at = |secs| Some(Timestamp::from_secs(secs));
    for (target, issued_before, expected) in [
        (user.clone(), None, true),
        (user.clone(), at(NOW), true),
        (user.clone(), at(NOW - 10), true),
        (user, at(NOW - 11), false),
        (other, None, false),
        (token_of(&ours), None, true),
        (other_token, None, false),
    ] {
        let revocation = Revocation { issued_before, ..revocation(target) };
        let mut revocations = Revocations::default();
        revocations.apply(&revocation);
        assert_eq!(revocations.find(&ours).is_some(), expected, "{revocation:?}");
        assert_eq!(ours.is_revoked_by(&revocation), expected, "{revocation:?}");
    }
}

/// So long is a revocation remembered: to be asked by an issuer's own name, and never zero by mistake.
#[test]
fn the_longest_lifetime_is_that_of_the_issuer() {
    let verifier = verifier();
    let of = |issuer| verifier.lifetime_max_ms(issuer);
    let ours = identity(&idp_token(json!({})));
    assert!(of(Some(&ours.issuer)).is_some_and(|ms| ms > 24 * 3600 * 1000), "a day and the leeway");
    assert_eq!(of(Some("https://nobody.example")), None);
    assert!(of(None) >= of(Some(&ours.issuer)));
}

#[test]
fn only_a_revocation_without_a_cut_off_is_a_block() {
    let user = UserId::new("ada").expect("a good name");
    let mut revocations = Revocations::default();
    let whole = revocation(RevocationTarget::User(user.clone()));
    let cut_off = Revocation { issued_before: Some(Timestamp(1)), ..whole.clone() };
    assert!(!revocations.is_blocked(&user));
    revocations.apply(&cut_off);
    assert!(!revocations.is_blocked(&user));
    revocations.apply(&whole);
    revocations.apply(&cut_off);
    assert!(revocations.is_blocked(&user), "a cut-off lifts no block");
    revocations.replace(cut_off);
    assert!(!revocations.is_blocked(&user));
}

/// A million take some memory for as long as their tokens could live, and none afterwards.
#[test]
fn l23_what_is_over_is_forgotten() {
    let mut revocations = Revocations::default();
    for index in 0..100_000 {
        let token = TokenId::new(format!("t{index}")).expect("a good name");
        revocations.apply(&revocation(RevocationTarget::Token { issuer: "idp".into(), token }));
    }
    let lasting = identity(&idp_token(json!({})));
    revocations.apply(&Revocation { until: None, ..revocation(token_of(&lasting)) });
    // One of them is prolonged.
    let prolonged =
        RevocationTarget::Token { issuer: "idp".into(), token: TokenId::new("t7").expect("a good name") };
    let later = Some(Timestamp::from_secs(NOW + 10_000));
    revocations.apply(&Revocation { until: later, ..revocation(prolonged) });
    revocations.purge(Timestamp::from_secs(NOW + 99));
    assert_eq!(revocations.len(), 100_001);
    revocations.purge(Timestamp::from_secs(NOW + 100 + 60));
    assert_eq!(revocations.len(), 2);
    revocations.purge(Timestamp::from_secs(NOW + 10_000 + 60));
    assert_eq!(revocations.len(), 1);
    assert!(revocations.find(&lasting).is_some());
}

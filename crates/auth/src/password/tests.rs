use argon2::PasswordHasher;
use proptest::prelude::*;

use super::*;

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn hashed(password: &str) -> String {
    hash(password, &Fixed(1), &mut Memory::default()).expect("short enough")
}

fn verify(password: &str, hash: &str) -> Verdict {
    super::verify(password, hash, &mut Memory::default())
}

fn verify_nobody(password: &str) -> Verdict {
    super::verify_nobody(password, &mut Memory::default())
}

#[test]
fn a_hash_says_how_it_was_made() {
    let hash = hashed("tenor-lamp-42");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(
        hash,
        super::hash("tenor-lamp-42", &Fixed(2), &mut Memory::default()).expect("short enough"),
        "the salt counts"
    );
}

#[test]
fn passwords_are_compared_exactly_as_typed() {
    let hash = hashed(" Pässwörd\0🔑 ");
    assert_eq!(verify(" Pässwörd\0🔑 ", &hash), Verdict::Right);
    for other in ["", "Pässwörd\0🔑", " pässwörd\0🔑 ", " Passwo\u{308}rd\0🔑 ", " Pässwörd"] {
        assert_eq!(verify(other, &hash), Verdict::Wrong, "{other:?}");
    }
    let long = "x".repeat(BYTES_MAX);
    assert_eq!(verify(&long, &hashed(&long)), Verdict::Right);
    assert_eq!(verify(&long[1..], &hashed(&long)), Verdict::Wrong, "nothing is cut off");
}

#[test]
fn too_long_a_password_is_not_even_hashed() {
    let long = "x".repeat(BYTES_MAX + 1);
    assert_eq!(hash(&long, &Fixed(1), &mut Memory::default()), None);
    assert_eq!(verify(&long, &hashed_with(&long, Algorithm::Argon2id, 64, 1)), Verdict::Wrong);
    assert_eq!(verify_nobody(&long), Verdict::Wrong);
}

/// What Argon2 has been asked to do on this thread: counted, since a clock would show everything else, too.
pub(super) mod work {
    use std::cell::Cell;

    use super::Params;

    thread_local!(static SPENT: Cell<u64> = const { Cell::new(0) });

    pub(in super::super) fn spend(params: &Params) {
        SPENT.set(SPENT.get() + u64::from(params.m_cost()) * u64::from(params.t_cost()));
    }

    /// KiB that are written in all passes of what `act` does.
    pub(super) fn of(act: impl FnOnce() -> super::Verdict) -> u64 {
        let before = SPENT.get();
        let _ = act();
        SPENT.get() - before
    }
}

#[test]
fn a_user_who_does_not_exist_costs_as_much_work_as_a_wrong_password() {
    let hash = hashed("tenor-lamp-42");
    for guess in ["", "tenor-lamp-43", &"x".repeat(BYTES_MAX), &"x".repeat(BYTES_MAX + 1)] {
        let of_nobody = work::of(|| verify_nobody(guess));
        assert_eq!(work::of(|| verify(guess, &hash)), of_nobody, "{} bytes", guess.len());
        assert_eq!(work::of(|| verify(guess, "no hash")), of_nobody, "{} bytes", guess.len());
        assert_eq!(of_nobody, if guess.len() > BYTES_MAX { 0 } else { 2 * 19_456 });
    }
    assert_eq!(work::of(|| verify("tenor-lamp-42", &hash)), 2 * 19_456);
}

#[test]
fn memory_that_was_used_before_makes_no_difference() {
    let mut memory = Memory::default();
    let small = hashed_with("tenor-lamp-42", Algorithm::Argon2id, 64, 1);
    let large = hashed("tenor-lamp-42");
    for hash in [&large, &small, &large, &small] {
        assert!(super::verify("tenor-lamp-42", hash, &mut memory).is_right());
        assert!(!super::verify("tenor-lamp-43", hash, &mut memory).is_right());
    }
    assert_eq!(super::hash("tenor-lamp-42", &Fixed(1), &mut memory), Some(large));
    assert_eq!(memory.0.len(), Params::DEFAULT.block_count());
}

#[test]
fn nobody_has_a_password() {
    assert_eq!(verify_nobody(""), Verdict::Wrong);
    assert_eq!(verify_nobody("tenor-lamp-42"), Verdict::Wrong);
}

/// A hash with these parameters, of the password `pw`.
fn with(algorithm: Algorithm, memory_kib: u32, passes: u32) -> String {
    hashed_with("pw", algorithm, memory_kib, passes)
}

fn hashed_with(password: &str, algorithm: Algorithm, memory_kib: u32, passes: u32) -> String {
    let params = Params::new(memory_kib, passes, 1, None).expect("good parameters");
    let argon2 = Argon2::new(algorithm, Version::V0x13, params);
    argon2.hash_password_with_salt(password.as_bytes(), b"sixteen bytes ok").expect("hashed").to_string()
}

#[test]
fn weaker_hashes_still_verify_and_ask_for_a_new_one() {
    assert_eq!(verify("pw", &with(Algorithm::Argon2id, 64, 1)), Verdict::RightRehash);
    assert_eq!(verify("no", &with(Algorithm::Argon2id, 64, 1)), Verdict::Wrong);
    assert_eq!(verify("pw", &with(Algorithm::Argon2i, 19_456, 2)), Verdict::RightRehash);
    for (memory_kib, passes) in [(19_456, 2), (47_104, 1), (12_288, 4)] {
        assert_eq!(verify("pw", &with(Algorithm::Argon2id, memory_kib, passes)), Verdict::Right);
    }
}

#[test]
fn a_damaged_hash_is_a_wrong_password() {
    let good = hashed("pw-pw-pw");
    let damaged = [
        "",
        "x",
        "$",
        "$argon2id$",
        "$a",
        "$argon2id",
        "$argon2id$v=19$m=64,t=1,p=1",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        "é".repeat(80).as_str(),
        &good[..good.len() - 20],
        &good.replace("argon2id", "argon2x"),
        &good.replace("v=19", "v=20"),
        &good.replace("m=19456", "m=4294967295"),
        &good.replace("m=19456", "m=0"),
        &good.replace("t=2", "t=4294967295"),
        &good.replace("p=1", "p=16777215"),
        &good.replace("t=2", "t=3"),
    ]
    .map(str::to_owned);
    for damaged in damaged {
        assert_eq!(verify("pw-pw-pw", &damaged), Verdict::Wrong, "{damaged}");
    }
}

#[test]
fn a_hash_cannot_ask_for_any_amount_of_work() {
    let good = with(Algorithm::Argon2id, 64, 1);
    for (from, most, too_much) in
        [("m=64", "m=262144", "m=262145"), ("t=1", "t=16", "t=17"), ("p=1", "p=8", "p=17")]
    {
        assert!(usable(&good.replace(from, most)).is_some(), "{most}");
        assert!(usable(&good.replace(from, too_much).replace("m=64", "m=1024")).is_none(), "{too_much}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_stored_text_panics(text in any::<String>(), params in "[mtp0-9=,]{0,20}", rest in "[A-Za-z0-9+/$]{0,60}") {
        prop_assert!(usable(&text).is_none());
        let _ = usable(&format!("$argon2id$v=19${params}${rest}"));
    }
}

#[test]
fn which_passwords_are_accepted() {
    use PasswordProblem::{Common, Personal, TooLong, TooShort};
    let long = "xy".repeat(BYTES_MAX / 2);
    let too_long = format!("{long}z");
    let cases = [
        ("tenor-lamp-42", Ok(())),
        ("two words", Ok(())),
        ("пароль-лампа", Ok(())),
        ("🔑🔒🔓🔑🔒🔓🗝🔏", Ok(())),
        (" leading space", Ok(())),
        (&long, Ok(())),
        (&too_long, Err(TooLong)),
        ("", Err(TooShort)),
        ("Sh0rt!!", Err(TooShort)),
        ("🔑🔒🔓", Err(TooShort)),
        ("password", Err(Common)),
        ("PassWord123", Err(Common)),
        ("iloveyou!!!", Err(Common)),
        ("zzzzzzzzzzzz", Err(Common)),
        ("0123456789", Err(Common)),
        ("alicia.b@x.example", Err(Personal)),
        ("Alicia.B-2026", Err(Personal)),
        ("my-name-is-wonderland", Err(Personal)),
    ];
    for (password, expected) in cases {
        assert_eq!(
            check(password, Some("Wonderland"), Some("alicia.b@x.example")),
            expected,
            "{password:.40}"
        );
    }
    assert_eq!(
        check("generally-fine", Some("al"), Some("ne@x.example")),
        Ok(()),
        "short names are everywhere"
    );
    assert_eq!(check("tenor-lamp-42", Some(""), Some("@")), Ok(()));
    assert_eq!(check("tenor-lamp-42", None, None), Ok(()));
}

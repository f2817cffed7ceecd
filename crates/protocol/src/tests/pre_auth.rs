use expect_test::expect;

use super::pair::Pair;
use crate::session::{CloseReason, Config};

fn pair() -> Pair {
    Pair::new(Config { connect_timeout_ms: 10_000, pre_auth_bytes: 100, ..Config::default() })
}

#[test]
fn a_namespace_must_be_joined_in_time() {
    pair().run_until(9_999).check(expect![""]).run_until(10_000).check(expect![[r#"
        10000 close: forced close: no namespace was joined in time;
    "#]]);
}

#[test]
fn to_ask_is_not_to_join() {
    let mut pair = pair();
    pair.run_until(9_000).send(&["40/slow,", "40{\"token\":\"bad\"}"]).run_until(10_000);
    assert_eq!(pair.close_reason(), Some(CloseReason::ConnectTimeout));
}

#[test]
fn whoever_has_joined_may_stay() {
    let mut pair = pair();
    pair.run_until(9_999).send(&["40", "41"]).run_until(200_000);
    assert_eq!(pair.close_reason(), None);
}

#[test]
fn bytes_are_limited_until_a_namespace_is_accepted() {
    let pad = "x".repeat(90);
    let auth = format!("40/slow,{{\"a\":\"{pad}\"}}");
    let mut pair = pair();
    pair.send(&[&auth]);
    assert_eq!(pair.close_reason(), Some(CloseReason::PreAuthBytes));

    // Packets that mean nothing count too.
    let mut pair = self::pair();
    pair.send(&["6"; 100]);
    assert_eq!(pair.close_reason(), None);
    pair.send(&["6"]);
    assert_eq!(pair.close_reason(), Some(CloseReason::PreAuthBytes));

    let mut pair = self::pair();
    pair.send(&["40", &format!("420[\"{pad}{pad}\"]")]);
    assert_eq!(pair.close_reason(), None);
}

#[test]
fn nothing_binary_until_a_namespace_is_accepted() {
    for packets in [&["bAQ=="][..], &["40/slow,", "bAQ=="], &["40{\"token\":\"bad\"}", "bAQ=="]] {
        let mut pair = pair();
        pair.send(packets);
        assert_eq!(pair.close_reason(), Some(CloseReason::PreAuthBytes), "{packets:?}");
    }
}

#[test]
fn attachments_must_arrive_in_time() {
    let mut pair = pair();
    pair.send(&["40", "452-[\"m\"]"]).run_until(9_000).send(&["bAQ=="]).run_until(10_000).check(expect![[
        r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 452-["m"]
        9000 -> bAQ==
        10000 close: parse error: attachments did not arrive in time; /
    "#
    ]]);

    let mut pair = self::pair();
    pair.send(&["40", "451-[\"m\"]"]).run_until(9_000).send(&["bAQ=="]).run_until(24_000);
    assert_eq!(pair.close_reason(), None);
}

use expect_test::expect;

use super::pair::Pair;
use crate::session::{CloseReason, Config};

fn pair() -> Pair {
    let mut pair = Pair::new(Config::default());
    pair.send(&["40"]);
    pair
}

#[test]
fn pings_follow_pongs() {
    let mut pair = pair();
    pair.delay_ms = 30;
    pair.run_until(80_000).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        25000 <- 2
        25060 -> 3
        50060 <- 2
        50120 -> 3
        75120 <- 2
        75180 -> 3
    "#]]);
}

#[test]
fn a_silent_client_is_gone_after_an_interval_and_a_timeout() {
    let mut pair = pair();
    pair.client.answers_pings = false;
    pair.run_until(44_999);
    assert_eq!(pair.close_reason(), None);
    pair.run_until(45_000).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        25000 <- 2
        45000 close: ping timeout: a ping was not answered; /
    "#]]);
}

#[test]
fn a_client_that_sends_but_never_pongs_lives_one_timeout_longer() {
    let mut pair = pair();
    pair.client.answers_pings = false;
    for second in 1..=44 {
        pair.run_until(second * 1000 + 500).send(&["421[\"m\"]"]);
    }
    pair.run_until(45_499);
    assert_eq!(pair.close_reason(), None, "the event after the ping came at 25500");
    pair.run_until(45_500);
    assert_eq!(pair.close_reason(), Some(CloseReason::PingTimeout));
}

#[test]
fn pongs_that_answer_nothing_are_ignored() {
    let mut pair = pair();
    pair.client.answers_pings = false;
    pair.send(&["3"; 1000]).run_until(10_000).send(&["3"; 1000]).run_until(45_000);
    assert_eq!(pair.close_reason(), Some(CloseReason::PingTimeout));
}

#[test]
fn a_client_of_a_slow_network_stays() {
    let mut pair = pair();
    pair.delay_ms = 9_999;
    pair.run_until(600_000);
    assert_eq!(pair.close_reason(), None);
    assert!(!pair.client.gave_up);
    pair.delay_ms = 10_001;
    pair.run_until(700_000);
    assert_eq!(pair.close_reason(), Some(CloseReason::PingTimeout));
}

use expect_test::expect;

use super::pair::Pair;
use crate::{
    ParseError,
    engine::Revision,
    session::{CloseReason, Config},
};

fn pair() -> Pair {
    let mut pair = Pair::of(Revision::V3, Config::default());
    pair.client.gave_up = true; // It does not wait for pings.
    pair.begin();
    pair
}

#[test]
fn the_client_is_in_the_main_namespace_by_itself() {
    pair().send(&["42[\"a\"]", "40/custom?token=good,", "42/custom,[\"b\"]", "41/custom,", "40"]).check(
        expect![[r#"
        0 <- 40{"sid":"sid"}
        0 -> 42["a"]
        0 <- 42["a"]
        0 -> 40/custom?token=good,
        0 <- 40/custom,{"sid":"sid"}
        0 -> 42/custom,["b"]
        0 <- 42/custom,["b"]
        0 -> 41/custom,
        0 left /custom
        0 -> 40
    "#]],
    );
}

#[test]
fn the_query_of_a_connect_is_its_auth() {
    pair().send(&["40/custom?token=bad,", "40/custom?token=good,", "40/nowhere?a=b"]).check(expect![[r#"
        0 <- 40{"sid":"sid"}
        0 -> 40/custom?token=bad,
        0 <- 44/custom,{"message":"not authorized","data":{"code":"TOKEN_INVALID"}}
        0 -> 40/custom?token=good,
        0 <- 40/custom,{"sid":"sid"}
        0 -> 40/nowhere?a=b
        0 <- 44/nowhere,{"message":"Invalid namespace"}
    "#]]);
}

#[test]
fn the_client_sends_the_heartbeat() {
    let mut pair = pair();
    pair.run_until(25_000).send(&["2"]).run_until(50_000).send(&["2", "42[\"a\"]"]).run_until(200_000).check(
        expect![[r#"
        0 <- 40{"sid":"sid"}
        25000 -> 2
        25000 <- 3
        50000 -> 2
        50000 <- 3
        50000 -> 42["a"]
        50000 <- 42["a"]
        95000 close: ping timeout: a ping was not answered; /
    "#]],
    );
}

#[test]
fn attachments_have_their_type() {
    let mut pair = pair();
    pair.send(&["451-[\"m\",{\"_placeholder\":true,\"num\":0}]", "b4AQID"]).check(expect![[r#"
        0 <- 40{"sid":"sid"}
        0 -> 451-["m",{"_placeholder":true,"num":0}]
        0 -> b4AQID
        0 <- 451-["m",{"_placeholder":true,"num":0}]
        0 <- bAQID
    "#]]);
}

#[test]
fn invalid_input() {
    for (packets, error) in [
        (&["3"][..], ParseError::HeartbeatDirection),
        (&["40/custom,", "40/custom,"], ParseError::ConnectTwice),
        (&["40{}"], ParseError::PayloadUnexpected),
        (&["451-[\"m\"]", "40/custom,"], ParseError::AttachmentExpected),
        (&["42/custom,[\"m\"]"], ParseError::NamespaceNotConnected),
    ] {
        let mut pair = pair();
        pair.send(packets);
        assert_eq!(pair.close_reason(), Some(CloseReason::ParseError(error)), "{packets:?}");
    }
}

/// Whoever is not let in by itself must still find a way in time.
#[test]
fn there_is_a_time_to_be_let_in() {
    let config = Config { connect_timeout_ms: 10_000, ..Config::default() };
    let mut pair = Pair::of(Revision::V3, config);
    pair.client.gave_up = true;
    pair.run_until(10_000);
    assert_eq!(pair.close_reason(), Some(CloseReason::ConnectTimeout));
}

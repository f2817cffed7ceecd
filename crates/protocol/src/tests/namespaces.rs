use expect_test::expect;

use super::pair::Pair;
use crate::session::Config;

fn pair() -> Pair {
    Pair::new(Config::default())
}

#[test]
fn connect_with_and_without_auth() {
    pair().send(&["40"]).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
    "#]]);
    pair().send(&["40{\"token\":\"<jwt>\"}", "40/custom,{\"token\":\"<jwt>\"}"]).check(expect![[r#"
        0 -> 40{"token":"<jwt>"}
        0 <- 40{"sid":"sid"}
        0 -> 40/custom,{"token":"<jwt>"}
        0 <- 40/custom,{"sid":"sid"}
    "#]]);
}

#[test]
fn the_main_namespace_may_be_skipped() {
    pair().send(&["40/custom,", "42/custom,1[\"m\"]", "42[\"m\"]"]).check(expect![[r#"
        0 -> 40/custom,
        0 <- 40/custom,{"sid":"sid"}
        0 -> 42/custom,1["m"]
        0 <- 43/custom,1[]
        0 -> 42["m"]
        0 close: parse error: a packet for a namespace that is not connected; /custom
    "#]]);
}

#[test]
fn a_refused_client_may_ask_again() {
    pair().send(&["40{\"token\":\"bad\"}", "40{\"token\":\"good\"}"]).check(expect![[r#"
        0 -> 40{"token":"bad"}
        0 <- 44{"message":"not authorized","data":{"code":"TOKEN_INVALID"}}
        0 -> 40{"token":"good"}
        0 <- 40{"sid":"sid"}
    "#]]);
}

#[test]
fn an_unknown_namespace_leaves_the_connection_open() {
    pair().send(&["40", "40/random,", "40/custom?a=b,", "420[\"m\"]"]).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 40/random,
        0 <- 44/random,{"message":"Invalid namespace"}
        0 -> 40/custom?a=b,
        0 <- 44/custom?a=b,{"message":"Invalid namespace"}
        0 -> 420["m"]
        0 <- 430[]
    "#]]);
}

#[test]
fn events_and_acks() {
    pair()
        .send(&["40", "42[\"message\",1,\"2\",{\"3\":[true]}]", "4212[\"message\",1]", "430[\"yes\",2]"])
        .check(expect![[r#"
            0 -> 40
            0 <- 40{"sid":"sid"}
            0 -> 42["message",1,"2",{"3":[true]}]
            0 <- 42["message",1,"2",{"3":[true]}]
            0 -> 4212["message",1]
            0 <- 4312[1]
            0 -> 430["yes",2]
            0 ack / 0 ["yes",2]
        "#]]);
}

#[test]
fn binary_events_and_acks() {
    pair()
        .send(&[
            "40",
            "451-1[\"m\",{\"_placeholder\":true,\"num\":0}]",
            "bAQID",
            "461-7[{\"_placeholder\":true,\"num\":0}]",
            "b",
        ])
        .check(expect![[r#"
            0 -> 40
            0 <- 40{"sid":"sid"}
            0 -> 451-1["m",{"_placeholder":true,"num":0}]
            0 -> bAQID
            0 <- 461-1[{"_placeholder":true,"num":0}]
            0 <- bAQID
            0 -> 461-7[{"_placeholder":true,"num":0}]
            0 -> b
            0 ack / 7 [{"_placeholder":true,"num":0}]
        "#]]);
}

#[test]
fn leaving_one_namespace_does_not_touch_the_others() {
    pair().send(&["40", "40/custom,", "41/custom,", "421[\"m\"]", "40/custom,", "42/custom,2[\"m\"]"]).check(
        expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 40/custom,
        0 <- 40/custom,{"sid":"sid"}
        0 -> 41/custom,
        0 left /custom
        0 -> 421["m"]
        0 <- 431[]
        0 -> 40/custom,
        0 <- 40/custom,{"sid":"sid"}
        0 -> 42/custom,2["m"]
        0 <- 43/custom,2[]
    "#]],
    );
}

#[test]
fn a_client_that_says_goodbye() {
    pair().send(&["40", "40/custom,", "41", "41/custom,", "1"]).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 40/custom,
        0 <- 40/custom,{"sid":"sid"}
        0 -> 41
        0 left /
        0 -> 41/custom,
        0 left /custom
        0 -> 1
        0 close: transport close: the client closed the session;
    "#]]);
}

#[test]
fn what_crosses_with_a_disconnect_of_the_server_is_ignored() {
    pair()
        .send(&["40", "40/custom,", "42/custom,[\"leave\"]", "42/custom,1[\"late\"]", "43/custom,0[]"])
        .send(&["451-[\"m\"]", "bAQ==", "451-/custom,[\"late\"]", "bAQ==", "41/custom,", "420[\"m\"]"])
        .check(expect![[r#"
            0 -> 40
            0 <- 40{"sid":"sid"}
            0 -> 40/custom,
            0 <- 40/custom,{"sid":"sid"}
            0 -> 42/custom,["leave"]
            0 <- 41/custom,
            0 -> 42/custom,1["late"]
            0 -> 43/custom,0[]
            0 -> 451-["m"]
            0 -> bAQ==
            0 <- 451-["m"]
            0 <- bAQ==
            0 -> 451-/custom,["late"]
            0 -> bAQ==
            0 -> 41/custom,
            0 -> 420["m"]
            0 <- 430[]
        "#]]);
    // After its own disconnect the client knows.
    let mut pair = pair();
    pair.send(&["40", "42[\"leave\"]", "41", "42[\"m\"]"]).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 42["leave"]
        0 <- 41
        0 -> 41
        0 -> 42["m"]
        0 close: parse error: a packet for a namespace that is not connected;
    "#]]);
}

#[test]
fn a_client_may_come_back_after_the_server_sent_it_away() {
    let mut pair = pair();
    pair.send(&["40", "42[\"leave\"]"]);
    assert!(!pair.session.is_connected("/"));
    pair.send(&["40", "421[\"m\"]"]).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 42["leave"]
        0 <- 41
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 421["m"]
        0 <- 431[]
    "#]]);
}

#[test]
fn nothing_is_heard_before_the_answer() {
    for early in ["42/slow,[\"m\"]", "43/slow,1[]", "41/slow,", "40/slow,", "451-/slow,[\"m\"]"] {
        let mut pair = pair();
        pair.send(&["40", "40/slow,"]);
        assert_eq!(pair.close_reason(), None);
        pair.send(&[early]);
        assert!(pair.close_reason().is_some(), "{early}");
    }
    let mut pair = pair();
    pair.send(&["40/slow,"]).admit("/slow").send(&["42/slow,1[\"m\"]"]).check(expect![[r#"
        0 -> 40/slow,
        0 <- 40/slow,{"sid":"sid"}
        0 -> 42/slow,1["m"]
        0 <- 43/slow,1[]
    "#]]);
}

#[test]
fn an_answer_is_given_once() {
    let mut pair = pair();
    pair.send(&["40", "40/slow,"]);
    assert!(!pair.session.accept("/"), "already accepted");
    assert!(!pair.session.reject("/"), "already accepted");
    assert!(!pair.session.disconnect("/slow"), "not connected yet");
    assert!(!pair.session.accept("/never"));
    assert!(pair.session.reject("/slow"));
    assert!(!pair.session.reject("/slow"));
    assert_eq!(pair.session.namespaces().map(ToString::to_string).collect::<Vec<_>>(), ["/"]);
}

#[test]
fn there_is_a_limit_of_namespaces() {
    let config = || Config { namespaces_max: 2, ..Config::default() };
    let mut pair = Pair::new(config());
    pair.send(&["40", "40/slow,", "40/third,"]).check(expect![[r#"
        0 -> 40
        0 <- 40{"sid":"sid"}
        0 -> 40/slow,
        0 -> 40/third,
        0 close: forced close: too many namespaces; /
    "#]]);
    // Neither the unknown nor those the server ended count.
    let mut pair = Pair::new(config());
    pair.send(&["40", "40/a,", "40/b,", "40/c,", "40/custom,", "42/custom,[\"leave\"]", "40/slow,"]);
    assert_eq!(pair.close_reason(), None);
}

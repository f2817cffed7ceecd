use std::pin::pin;

use futures_util::{FutureExt, future::join};
use roomkey_chat::ChatConfig;
use roomkey_model::Limits;
use roomkey_store::{Role, Visibility};

use crate::support::{World, identity, user_id};

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

#[tokio::test]
async fn a_room_has_the_names_that_clients_know() {
    let dashed = ChatConfig { dashed_personal_rooms: true, ..ChatConfig::default() };
    let world = World::with_config(dashed);
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    for name in [format!("channel:{channel}"), channel.to_string(), "user:ada".into(), "user-ada".into()] {
        assert_eq!(ada.ask("joinRoom", &format!(r#"["{name}"]"#)).await, format!(r#"{{"data":"{name}"}}"#));
        assert_eq!(ada.heard(), [format!(r#"["roomJoined","{name}"]"#)]);
    }
}

#[tokio::test]
async fn nobody_joins_what_is_not_theirs() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let (ada, eve) = (world.connect("ada").await, world.connect("eve").await);
    for room in [
        format!("channel:{channel}"),
        channel.to_string(),
        "channel:nowhere".into(),
        "user:ada".into(),
        "user-ada".into(),
        "user-eve".into(), // not configured
        "*".into(),
        "user:*".into(),
        "channel:*".into(),
        "**".into(),
        "#".into(),
        "?".into(),
        ".*".into(),
        "{a,b}".into(),
        "channel:".to_owned() + &channel.as_str()[..8] + "*",
        "/channel".into(),
        "..".into(),
        "channel:..%2f".into(),
        "channel:%2a".into(),
        "CHANNEL:".to_owned() + channel.as_str(),
        "channel:".to_owned() + &channel.as_str().to_uppercase(),
        "abcdefghij0123456789".into(), // the form of a socket's id
    ] {
        assert_eq!(eve.ask("joinRoom", &format!(r#"["{room}"]"#)).await, FORBIDDEN, "{room}");
    }
    for malformed in [
        "[]",
        "[null]",
        "[7]",
        r#"[["admin"]]"#,
        r#"[{"room":"c1"}]"#,
        r#"[""]"#,
        r#"[" "]"#,
        r#"["a\u0000b"]"#,
        r#"["a\nb"]"#,
        r#"["channel:"]"#,
        r#"["user:"]"#,
        r#"["c1","c2"]"#,
        &format!(r#"["{}"]"#, "x".repeat(257)),
    ] {
        let ack = eve.ask("joinRoom", malformed).await;
        assert!(ack.contains("BAD_PAYLOAD"), "{malformed}: {ack}");
    }
    ada.send(&channel, "private").await;
    assert_eq!(eve.heard(), [""; 0]);
}

#[tokio::test]
async fn joining_the_room_of_a_public_channel_makes_a_member() {
    let world = World::new();
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let (ada, bob, tab) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("bob").await);
    ada.send(&channel, "before").await;
    let room = format!("channel:{channel}");
    bob.ask("joinRoom", &format!(r#"["{room}"]"#)).await;
    bob.send(&channel, "hello").await;
    let member = format!(r#"["member.added",{{"channelId":"{channel}","userId":"bob","role":"member"}}]"#);
    assert_eq!(bob.heard()[..2], [member, format!(r#"["roomJoined","{room}"]"#)]);
    assert_eq!(tab.contents(), ["hello"], "the user's other sockets hear it too");
    let members = world.chat.members(&identity("bob"), &channel, None, None).await.expect("may read").0;
    assert_eq!(members.iter().map(|one| one.role).collect::<Vec<_>>(), [Role::Owner, Role::Member]);
    assert_eq!(world.connect("bob").await.heard(), [""; 0]);
}

#[tokio::test]
async fn what_a_socket_asks_happens_in_the_order_asked() {
    let world = World::new();
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let room = format!(r#"["channel:{channel}"]"#);

    let (joined, sent) = (bob.emit("joinRoom", &room), bob.send(&channel, "at once"));
    let (joined, sent) = join(joined.ack(), sent).await;
    assert!(joined.failure().is_none() && sent.starts_with(r#"{"data""#), "{sent}");

    let (joined, left) = (bob.emit("joinRoom", &room), bob.emit("leaveRoom", &room));
    let (left, joined) = join(left.ack(), joined.ack()).await;
    assert!(joined.failure().is_none() && left.failure().is_none());
    bob.heard();
    ada.send(&channel, "after leaving").await;
    assert_eq!(bob.contents(), [""; 0]);

    let replies = [
        bob.emit("joinRoom", &room),
        bob.emit("joinRoom", r#"["nowhere"]"#), // a refusal does not let the next one overtake
        bob.emit("leaveRoom", &room),
        bob.emit("joinRoom", &room),
    ];
    let mut acks: Vec<_> = replies.into_iter().map(|reply| reply.ack().boxed()).collect();
    acks.reverse();
    futures_util::future::join_all(acks).await;
    ada.send(&channel, "after coming back").await;
    assert_eq!(bob.contents(), ["after coming back"]);
}

#[tokio::test]
async fn leaving_a_room_is_not_leaving_the_channel() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    assert_eq!(
        ada.ask("leaveRoom", &format!(r#"["{channel}"]"#)).await,
        format!(r#"{{"data":"{channel}"}}"#)
    );
    assert!(ada.send(&channel, "still a member").await.starts_with(r#"{"data""#));
    assert_eq!(ada.heard(), [""; 0]);
    assert_eq!(ada.ask("leaveRoom", r#"["user:ada"]"#).await, FORBIDDEN);
    world.add("ada", &channel, "bob", Role::Member).await.expect("is added");
    let bob = world.connect("bob").await;
    bob.ask("leaveRoom", &format!(r#"["{channel}"]"#)).await;
    world.add("ada", &channel, "bob", Role::Moderator).await.expect("is changed");
    ada.send(&channel, "not for this socket").await;
    assert_eq!(bob.heard(), [""; 0], "another role does not bring it back");
}

#[tokio::test]
async fn who_is_removed_hears_nothing_more_not_even_outside_the_room_of_their_own() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    world.take_out_of(&bob, "user:bob");
    world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await.expect("is removed");
    bob.heard();
    ada.send(&channel, "without bob").await;
    assert_eq!(bob.contents(), [""; 0]);
}

#[tokio::test]
async fn who_is_added_hears_the_very_next_message() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let (_, _, added, _) = tokio::join!(
        ada.send(&channel, "one before"),
        ada.send(&channel, "one more before"),
        world.add("ada", &channel, "bob", Role::Member),
        ada.send(&channel, "one after"),
    );
    added.expect("is added");
    assert_eq!(bob.contents(), ["one after"]);
}

#[tokio::test]
async fn who_is_removed_hears_nothing_more() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let removed = world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await;
    assert_eq!(removed, Ok(true));
    ada.send(&channel, "he has gone").await;
    assert_eq!(bob.heard(), [format!(r#"["room:evicted",{{"room":"channel:{channel}"}}]"#)]);
    assert_eq!(bob.ask("joinRoom", &format!(r#"["{channel}"]"#)).await, FORBIDDEN);
    assert_eq!(bob.send(&channel, "hello?").await, FORBIDDEN);
}

#[tokio::test]
async fn a_removal_wins_over_a_join_on_its_way() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let joining = bob.emit("joinRoom", &format!(r#"["{channel}"]"#));
    let removed = world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await;
    assert_eq!(removed, Ok(true));
    assert_eq!(joining.ack().await.json(), FORBIDDEN);
    ada.send(&channel, "he has gone").await;
    assert_eq!(bob.contents(), [""; 0]);
}

#[tokio::test]
async fn a_removal_wins_over_a_socket_that_connects() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let kept = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.socket("bob"));
    let mut connecting = pin!(world.chat.connected(&bob.caller));
    assert!((&mut connecting).now_or_never().is_none(), "the store was asked");
    let removed = world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await;
    assert_eq!(removed, Ok(true));
    connecting.await.expect("is welcome");
    ada.send(&channel, "he has gone").await;
    ada.send(&kept, "he is here").await;
    assert_eq!(bob.contents(), ["he is here"]);
}

#[tokio::test]
async fn rooms_have_a_limit() {
    let limits = Limits { rooms_per_socket: 3, namespaces_per_connection: 0, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channels = [
        world.channel(Visibility::Public, "ada", &[]).await,
        world.channel(Visibility::Public, "ada", &[]).await,
    ];
    let third = world.channel(Visibility::Public, "eve", &[]).await;
    let ada = world.connect("ada").await;
    let room = |channel| format!(r#"["{channel}"]"#);
    assert_eq!(
        ada.ask("joinRoom", &room(&third)).await,
        r#"{"error":"The limit rooms_per_socket is reached","code":"LIMIT_EXCEEDED","retry":"never"}"#
    );
    ada.ask("leaveRoom", &room(&channels[0])).await;
    assert!(ada.ask("joinRoom", &room(&third)).await.starts_with(r#"{"data""#));
}

#[tokio::test]
async fn a_name_comes_from_the_token_and_never_is_the_email_address() {
    let world = World::new();
    world.connect("ada").await;
    let name = async || world.store.profile(&user_id("ada")).await.expect("readable").expect("is there").name;
    assert_eq!(name().await, "Ada");
    let mut nameless = (*identity("ada")).clone();
    nameless.name = None;
    let mut client = world.socket("ada");
    client.caller.identity = nameless.into();
    world.chat.connected(&client.caller).await.expect("is welcome");
    assert_eq!(name().await, "ada");
}

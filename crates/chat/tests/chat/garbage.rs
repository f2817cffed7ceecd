use proptest::prelude::*;
use roomkey_store::{Role, Visibility};

use crate::support::World;

const EVENTS: [&str; 24] = [
    "channel:addMember",
    "channel:create",
    "channel:invite",
    "channel:join",
    "channel:leave",
    "channel:list",
    "channel:members",
    "channel:removeMember",
    "channel:update",
    "deleteMessage",
    "joinRoom",
    "leaveRoom",
    "message:delivered",
    "message:getOffline",
    "message:getOfflineCount",
    "message:getStatus",
    "message:history",
    "message:seen",
    "presence:get",
    "sendMessage",
    "typing",
    "typing:get",
    "typing:stop",
    "updateMessage",
];

/// What a stranger may do, too: none of it is about a channel of somebody else.
const HARMLESS: [&str; 4] = ["channel:create", "channel:list", "leaveRoom", "message:getOfflineCount"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever a stranger sends: every event is answered, and nothing reaches a channel that is not theirs.
    #[test]
    fn anything_is_answered(calls in prop::collection::vec((0..EVENTS.len(), args()), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new();
            let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
            let (bob, eve) = (world.connect("bob").await, world.connect("eve").await);
            bob.send(&channel, "in private").await;
            bob.heard();
            let history = format!(r#"[{{"channelId":"{channel}"}}]"#);
            let before = bob.ask("message:history", &history).await;
            for (event, args) in calls {
                let event = EVENTS[event];
                let ack = eve.emit(event, &args).ack().await;
                prop_assert!(serde_json::from_str::<serde_json::Value>(&ack.args_json()).is_ok());
                let is_own = args.contains("user:eve") || HARMLESS.contains(&event);
                prop_assert!(ack.failure().is_some() || is_own, "{event} {args}: {ack:?}");
            }
            prop_assert_eq!(bob.heard(), [""; 0]);
            prop_assert_eq!(bob.ask("message:history", &history).await, before);
            Ok(())
        })?;
    }
}

/// Arrays of objects with the fields we know and values of all kinds, and plain text.
fn args() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("\"01a1cfa1-0a00-7000-8000-000000000000\"".to_owned()), // the channel
        Just("\"01a1cfa1-0a00-7000-8000-000000000001\"".to_owned()), // the message
        Just("\"eve\"".to_owned()),
        Just("\"owner\"".to_owned()),
        Just("\"user:eve\"".to_owned()),
        Just("\"user:bob\"".to_owned()),
        Just("null".to_owned()),
        Just("[[[]]]".to_owned()),
        Just("{\"_placeholder\":true,\"num\":0}".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a text")),
    ];
    let field = prop::sample::select(vec![
        "channelId",
        "content",
        "clientId",
        "before",
        "after",
        "limit",
        "invite",
        "messageId",
        "name",
        "role",
        "userId",
        "userIds",
        "x",
    ]);
    let object = prop::collection::vec((field, value.clone()), 0..4).prop_map(|fields| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    let arguments = prop::collection::vec(prop_oneof![object, value], 0..3);
    prop_oneof![
        8 => arguments.prop_map(|arguments| format!("[{}]", arguments.join(","))),
        1 => any::<String>(),
    ]
}

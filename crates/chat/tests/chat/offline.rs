//! What waits for those who were away.

use roomkey_chat::ChatConfig;
use roomkey_model::{Limits, Role, Visibility};
use serde_json::{Value, json};

use crate::{
    delivery::{data, sent},
    support::World,
};

#[tokio::test]
async fn counts_come_by_channel_and_in_all() {
    let world = World::new();
    let den = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let attic = world.channel(Visibility::Private, "bob", &[("ada", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    for content in ["1", "2", "3"] {
        sent(&ada, &den, content).await;
    }
    let read = sent(&ada, &attic, "4").await;
    let own = sent(&bob, &attic, "5").await;
    let counts = async || data(&bob, "message:getOfflineCount", json!({})).await;
    let one = |channel, numbers: [u64; 5]| {
        let [count, unread, last, delivered, seen] = numbers;
        json!({
            "channelId": channel, "count": count, "unread": unread,
            "lastSeq": last, "deliveredSeq": delivered, "seenSeq": seen,
        })
    };
    assert_eq!(
        counts().await,
        json!({
            "total": 4, "unread": 4, "channels": [one(&den, [3, 3, 3, 0, 0]), one(&attic, [1, 1, 2, 0, 0])],
        })
    );
    data(&bob, "message:delivered", json!({ "messageId": own })).await;
    data(&bob, "message:seen", json!({ "messageId": read })).await;
    assert_eq!(
        counts().await,
        json!({
            "total": 3, "unread": 3, "channels": [one(&den, [3, 3, 3, 0, 0]), one(&attic, [0, 0, 2, 2, 1])],
        })
    );
    assert_eq!(
        bob.ask("message:getOfflineCount", "[]").await,
        bob.ask("message:getOfflineCount", "[{}]").await
    );
    for args in ["[null]", r#"[{"channelId":"x"}]"#, "[[]]", "[{},{}]", r#"["x"]"#] {
        let ack = bob.ask("message:getOfflineCount", args).await;
        assert!(ack.contains("BAD_PAYLOAD"), "{args} {ack}");
    }
    let eve = world.connect("eve").await;
    assert_eq!(
        data(&eve, "message:getOfflineCount", json!({})).await,
        json!({ "total": 0, "unread": 0, "channels": [] })
    );
}

#[tokio::test]
async fn what_was_missed_comes_in_order_in_pages_until_it_is_acknowledged() {
    let limits = Limits { page_entries: 3, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let ada = world.connect("ada").await;
    for number in 1..=7 {
        sent(&ada, &channel, &number.to_string()).await;
    }
    let bob = world.connect("bob").await;
    let page = async |limit: Value| {
        let page = data(&bob, "message:getOffline", json!({ "channelId": channel, "limit": limit })).await;
        let contents: String = page["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|message| message["content"].as_str().expect("text"))
            .collect();
        (contents, page["more"].as_bool().expect("a truth"), page["messages"].clone())
    };
    let (contents, more, messages) = page(Value::Null).await;
    assert_eq!((contents.as_str(), more), ("123", true));
    assert_eq!(messages[0]["deliveryStatus"], "SENT", "as he sees it");
    assert_eq!(page(Value::Null).await.0, "123", "the same until it is acknowledged");
    data(&bob, "message:delivered", json!({ "messageId": messages[2]["id"] })).await;
    let (contents, more, messages) = page(json!(2)).await;
    assert_eq!((contents.as_str(), more), ("45", true));
    data(&bob, "message:delivered", json!({ "messageId": messages[1]["id"] })).await;
    let (contents, more, messages) = page(json!(3)).await;
    assert_eq!((contents.as_str(), more), ("67", false));
    data(&bob, "message:seen", json!({ "messageId": messages[1]["id"] })).await;
    assert_eq!(page(json!(3)).await, (String::new(), false, json!([])));
    for limit in [0, 4] {
        let args = json!([{ "channelId": channel, "limit": limit }]).to_string();
        assert!(bob.ask("message:getOffline", &args).await.contains("BAD_PAYLOAD"));
    }
}

#[tokio::test]
async fn pages_of_long_messages_are_shorter() {
    let limits = Limits { page_bytes: 10, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let lengths = [4, 6, 1, 11, 3, 8];
    for length in lengths {
        sent(&ada, &channel, &"x".repeat(length)).await;
    }
    let lengths = |page: &Value| -> Vec<usize> {
        let messages = page["messages"].as_array().expect("a list").iter();
        messages.map(|message| message["content"].as_str().expect("text").len()).collect()
    };
    let mut pages = Vec::new();
    loop {
        let page = data(&bob, "message:getOffline", json!({ "channelId": channel })).await;
        pages.push(lengths(&page));
        let newest = page["messages"].as_array().and_then(|messages| messages.last()).expect("is not empty");
        data(&bob, "message:delivered", json!({ "messageId": newest["id"] })).await;
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(pages, [vec![4, 6], vec![1], vec![11], vec![3], vec![8]]);
    let history = async |payload: Value| lengths(&data(&bob, "message:history", payload).await);
    assert_eq!(history(json!({ "channelId": channel })).await, [8]);
    assert_eq!(history(json!({ "channelId": channel, "before": 4 })).await, [6, 1], "the newest of them");
    assert_eq!(history(json!({ "channelId": channel, "before": 5 })).await, [11]);
    assert_eq!(history(json!({ "channelId": channel, "after": 0 })).await, [4, 6], "the oldest");
}

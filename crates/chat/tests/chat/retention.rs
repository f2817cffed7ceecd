//! Old messages go in small batches, from as many channels as there are.

use crate::support::World;
use roomkey_chat::trim;
use roomkey_model::{Role, Timestamp, Visibility};
use roomkey_store::Retention;

#[tokio::test]
async fn every_channel_is_brought_to_what_it_may_keep() {
    let world = World::new();
    let mut channels = Vec::new();
    let ada = world.connect("ada").await;
    for count in [0, 1, 5, 300] {
        let channel = world.channel(Visibility::Private, "ada", &[]).await;
        for number in 0..count {
            ada.send(&channel, &number.to_string()).await;
        }
        channels.push((channel, count));
    }
    let server = Retention { max_age_s: None, max_messages: Some(2) };
    let removed = trim(&*world.store, server, Timestamp(0)).await;
    assert_eq!(removed, Ok(3 + 298));
    assert_eq!(trim(&*world.store, server, Timestamp(0)).await, Ok(0));
    for (channel, count) in channels {
        let page = ada.ask("message:history", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
        let page: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        let seqs = page["data"]["messages"].as_array().expect("a page").iter();
        let seqs: Vec<_> = seqs.map(|message| message["seq"].as_u64().expect("a number")).collect();
        assert_eq!(seqs, (count.max(2) - 1..=count).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_owner_has_a_channel_keep_less() {
    let world = World::new();
    let members = [("bob", Role::Moderator), ("cid", Role::Member)];
    let channel = world.channel(Visibility::Private, "ada", &members).await;
    let (ada, bob, cid) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("cid").await);
    for number in 0..10 {
        ada.send(&channel, &number.to_string()).await;
    }
    cid.heard();
    let update = |retention: &str| format!(r#"[{{"channelId":"{channel}","retention":{retention}}}]"#);
    for retention in
        [r#"{"maxMessages":0}"#, r#"{"maxAgeS":0}"#, r#"{"maxMessages":-1}"#, r#"{"max":1}"#, "5"]
    {
        let ack = ada.ask("channel:update", &update(retention)).await;
        assert!(ack.contains(r#""code":"BAD_PAYLOAD""#), "{retention}: {ack}");
    }
    let ack = bob.ask("channel:update", &update(r#"{"maxMessages":3}"#)).await;
    assert!(ack.contains(r#""code":"FORBIDDEN""#), "{ack}");
    let ack = ada.ask("channel:update", &update(r#"{"maxMessages":3}"#)).await;
    assert!(ack.contains(r#""retention":{"maxMessages":3}"#), "{ack}");
    assert!(cid.heard()[0].contains(r#""retention":{"maxMessages":3}"#), "everybody is to know");

    assert_eq!(trim(&*world.store, Retention::default(), Timestamp(0)).await, Ok(7));
    let waiting = cid.ask("message:getOfflineCount", "[]").await;
    assert!(waiting.contains(r#""total":3"#), "what is gone does not wait: {waiting}");
    let ack = ada.ask("channel:update", &update("{}")).await;
    assert!(!ack.contains("retention"), "all is kept again: {ack}");
    ada.send(&channel, "one more").await;
    assert_eq!(trim(&*world.store, Retention::default(), Timestamp(0)).await, Ok(0));
}

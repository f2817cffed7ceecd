//! Old messages go in small batches, from as many channels as there are.

use crate::support::World;
use roomkey_chat::trim;
use roomkey_model::{Timestamp, Visibility};
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

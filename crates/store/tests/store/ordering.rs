//! Whatever many senders do at once, each channel is numbered without a gap and told in that order.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::support::{Fixture, draft, members_only};
use proptest::prelude::*;
use roomkey_store::{Message, Page};

const CHANNELS: [&str; 3] = ["one", "two", "three"];
const SENDERS: [&str; 4] = ["ada", "bob", "eve", "stranger"];

/// One sender's messages: the channel, and a client id that may repeat.
type Script = Vec<(usize, Option<u8>)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn channels_have_no_gap_and_one_order(
        scripts in prop::collection::vec(prop::collection::vec((0..3usize, prop::option::of(0..6u8)), 0..40), 4),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        runtime.block_on(check(scripts))?;
    }
}

async fn check(scripts: Vec<Script>) -> Result<(), TestCaseError> {
    let fixture = Arc::new(Fixture::sqlite());
    for channel in CHANNELS {
        fixture.channel(channel, &SENDERS[..3]).await; // the stranger is in none
    }
    let senders: Vec<_> = SENDERS
        .into_iter()
        .zip(scripts)
        .map(|(sender, script)| tokio::spawn(send(Arc::clone(&fixture), sender, script)))
        .collect();
    let mut answers = Vec::new();
    for sender in senders {
        answers.extend(sender.await.expect("no panic"));
    }
    let told = fixture.messages_committed();
    for channel in CHANNELS {
        let told: Vec<_> =
            told.iter().filter(|message| message.channel.as_str() == channel).cloned().collect();
        let seqs: Vec<_> = told.iter().map(|message| message.seq.0).collect();
        prop_assert_eq!(&seqs, &(1..=seqs.len() as u64).collect::<Vec<_>>(), "no gap, in order, each once");
        prop_assert_eq!(told, fixture.history(channel, Page::Latest, 10_000).await);
    }
    let told: HashMap<_, _> = told.iter().map(|message| (message.message, message)).collect();
    for answer in &answers {
        prop_assert_eq!(told.get(&answer.message), Some(&answer), "what was answered was told");
    }
    in_the_order_of_the_calls(&answers)
}

async fn send(fixture: Arc<Fixture>, sender: &'static str, script: Script) -> Vec<Message> {
    let pending: Vec<_> = script
        .into_iter()
        .map(|(channel, client_id)| {
            let client_id = client_id.map(|number| number.to_string());
            let draft = draft(CHANNELS[channel], sender, "hello", client_id.as_deref());
            fixture.store.append(draft, members_only())
        })
        .collect();
    let mut answers = Vec::new();
    for one in pending {
        answers.extend(one.await.ok());
    }
    answers
}

/// What one sender got, retries aside, rises in each channel.
fn in_the_order_of_the_calls(answers: &[Message]) -> Result<(), TestCaseError> {
    let mut newest = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer.client_id.is_none()) {
        let key = (answer.sender.user.clone(), answer.channel.clone());
        prop_assert!(newest.insert(key, answer.seq) < Some(answer.seq));
    }
    Ok(())
}

//! What becomes of messages after they were sent.

use roomkey_model::{MessageId, Seq, Timestamp};
use roomkey_store::{
    ChannelChange, Committed, Edit, HistoryQuery, Message, MessagePermit, Page, Role, Standing, StoreError,
};

use crate::support::{Fixture, anyone, backends, draft, id, members_only, message_id, profile, user};

fn edit(message: MessageId, editor: &str, content: &str, at: u64) -> Edit {
    Edit { message, editor: user(editor), content: content.to_owned(), edited: Timestamp(at) }
}

fn author_only(editor: &'static str) -> MessagePermit {
    Box::new(move |standing: Standing, message: &Message| {
        standing.role.is_some() && message.sender.user == user(editor)
    })
}

fn all() -> MessagePermit {
    Box::new(|_, _| true)
}

#[tokio::test]
async fn an_edit_changes_the_content_and_is_told_once() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let store = &fixture.store;
        let sent = store.append(draft("den", "ada", "helo", Some("c1")), anyone()).await.expect("sends");
        fixture.committed.lock().expect("no panic").clear();
        let denied = store.edit_message(edit(sent.message, "bob", "mine", 2000), author_only("bob"));
        assert_eq!(denied.await, Err(StoreError::Denied));
        let unknown = store.edit_message(edit(message_id(), "ada", "x", 2000), all());
        assert_eq!(unknown.await, Err(StoreError::NotFound));
        let edited = store.edit_message(edit(sent.message, "ada", "hello", 2000), author_only("ada")).await;
        let expected = Message {
            content: "hello".to_owned(),
            updated: Timestamp(2000),
            edited: Some(Timestamp(2000)),
            ..sent.clone()
        };
        assert_eq!(edited, Ok(expected.clone()));
        let again = store.edit_message(edit(sent.message, "ada", "hello", 3000), all()).await;
        assert_eq!(again, Ok(expected.clone()), "a retry changes nothing");
        assert_eq!(
            *fixture.committed.lock().expect("no panic"),
            [Committed::MessageUpdated(expected.clone())]
        );
        assert_eq!(fixture.history("den", Page::Latest, 9).await, std::slice::from_ref(&expected));
        let retry = store.append(draft("den", "ada", "helo", Some("c1")), anyone()).await;
        assert_eq!(retry, Ok(expected), "a retry of the first form gives the message as it is");
    }
}

#[tokio::test]
async fn what_was_deleted_keeps_its_place_and_nothing_else() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let store = &fixture.store;
        let secret = store.append(draft("den", "ada", "the word is swordfish", None), anyone()).await;
        let secret = secret.expect("sends");
        store.append(draft("den", "bob", "next", None), anyone()).await.expect("sends");
        fixture.committed.lock().expect("no panic").clear();
        let delete =
            |actor, permit| store.delete_message(&secret.message, &user(actor), Timestamp(5000), permit);
        assert_eq!(delete("bob", author_only("bob")).await, Err(StoreError::Denied));
        let expected = Message {
            content: String::new(),
            updated: Timestamp(5000),
            deleted: Some(Timestamp(5000)),
            ..secret.clone()
        };
        assert_eq!(delete("ada", author_only("ada")).await, Ok(expected.clone()));
        assert_eq!(delete("ada", all()).await, Ok(expected.clone()), "a retry changes nothing");
        assert_eq!(
            *fixture.committed.lock().expect("no panic"),
            [Committed::MessageDeleted(expected.clone())]
        );
        let revived = store.edit_message(edit(secret.message, "ada", "I am back", 6000), all()).await;
        assert_eq!(revived, Err(StoreError::NotFound));
        let history = fixture.history("den", Page::After(Seq(0)), 9).await;
        assert_eq!(history[0], expected);
        assert_eq!(history.iter().map(|message| message.seq.0).collect::<Vec<_>>(), [1, 2]);
        let unknown = store.delete_message(&message_id(), &user("ada"), Timestamp(1), all());
        assert_eq!(unknown.await, Err(StoreError::NotFound));
    }
}

#[tokio::test]
async fn an_archived_channel_takes_no_message_and_no_edit() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        let store = &fixture.store;
        let sent = store.append(draft("den", "ada", "hello", Some("c1")), anyone()).await.expect("sends");
        let archive = |archived| {
            let change = ChannelChange { archived: Some(archived), ..ChannelChange::default() };
            store.update_channel(&id("den"), &user("ada"), change, Timestamp(9), anyone())
        };
        assert_eq!(archive(true).await.map(|channel| channel.archived), Ok(Some(Timestamp(9))));
        let refused = store.append(draft("den", "ada", "more", None), anyone()).await;
        assert_eq!(refused, Err(StoreError::Archived));
        store.arrive(profile("eve"), Timestamp(1)).await.expect("arrives");
        let stranger = store.append(draft("den", "eve", "more", None), members_only()).await;
        assert_eq!(stranger, Err(StoreError::Denied), "who may not send learns nothing");
        let edited = store.edit_message(edit(sent.message, "ada", "x", 9), all()).await;
        assert_eq!(edited, Err(StoreError::Archived));
        let retry = store.append(draft("den", "ada", "hello", Some("c1")), anyone()).await;
        assert_eq!(retry, Ok(sent.clone()), "what was stored before is still acknowledged");
        assert_eq!(fixture.history("den", Page::Latest, 9).await, std::slice::from_ref(&sent));
        let deleted = store.delete_message(&sent.message, &user("ada"), Timestamp(9), all()).await;
        assert!(deleted.is_ok(), "what was said may be taken back");
        assert_eq!(archive(false).await.map(|channel| channel.archived), Ok(None));
        let next = store.append(draft("den", "ada", "more", None), anyone()).await.expect("sends again");
        assert_eq!(next.seq, Seq(2), "what was refused left no gap");
    }
}

#[tokio::test]
async fn where_it_is_so_members_see_what_was_sent_since_they_came() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        let store = &fixture.store;
        let send =
            async |content| store.append(draft("den", "ada", content, None), anyone()).await.expect("sends");
        let (first, _) = (send("1").await, send("2").await);
        let add = |who| {
            let permit = Box::new(|_: Standing, _: Option<Role>| true);
            store.add_member(&id("den"), &user("ada"), &user(who), Role::Member, Timestamp(1), permit)
        };
        assert_eq!(add("bob").await, Ok(None));
        send("3").await;
        let seen = async |reader: &str, page, since_join| {
            let query = HistoryQuery { channel: id("den"), reader: user(reader), page, limit: 9, since_join };
            let messages = store.history(query, anyone()).await?;
            Ok(messages.iter().map(|message| message.content.as_str()).collect::<String>())
        };
        assert_eq!(seen("bob", Page::Latest, false).await, Ok("123".to_owned()));
        assert_eq!(seen("ada", Page::Latest, true).await, Ok("123".to_owned()));
        for (page, expected) in [
            (Page::Latest, "3"),
            (Page::Before(Seq(3)), ""),
            (Page::Before(Seq(9)), "3"),
            (Page::After(Seq(0)), "3"),
            (Page::After(Seq(3)), ""),
        ] {
            assert_eq!(seen("bob", page, true).await, Ok(expected.to_owned()), "{page:?}");
        }
        assert_eq!(
            seen("eve", Page::Latest, true).await,
            Err(StoreError::Denied),
            "whatever the permit says"
        );
        let remove = store.remove_member(&id("den"), &user("ada"), &user("bob"), Box::new(|_, _| true));
        assert_eq!(remove.await, Ok(true));
        assert_eq!(add("bob").await, Ok(None));
        assert_eq!(seen("bob", Page::Latest, true).await, Ok(String::new()), "who comes back begins anew");
        assert_eq!(first.seq, Seq(1));
    }
}

/// A clock that was set back does not make a message older than it was.
#[tokio::test]
async fn times_of_a_message_never_go_back() {
    let fixture = Fixture::sqlite();
    fixture.channel("den", &["ada"]).await;
    let sent = fixture.store.append(draft("den", "ada", "1", None), anyone()).await.expect("sends");
    let edited = fixture.store.edit_message(edit(sent.message, "ada", "2", 10), all()).await.expect("edits");
    assert_eq!((edited.updated, edited.edited), (sent.updated, Some(sent.updated)));
    let deleted = fixture.store.delete_message(&sent.message, &user("ada"), Timestamp(10), all()).await;
    assert_eq!(deleted.expect("deletes").deleted, Some(sent.updated));
}

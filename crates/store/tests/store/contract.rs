//! What every backend must do. A backend joins by a line in [`backends`]; `sessions` is part of it.

use crate::support::{
    Fixture, account, anyone, backends, draft, id, members_only, new_channel, profile, user,
};
use futures_util::future::join_all;
use roomkey_model::{Seq, Timestamp};
use roomkey_store::{Committed, Message, Page, Profile, Role, Standing, StoreError, Visibility};

fn contents(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_str()).collect()
}

#[tokio::test]
async fn accounts_are_found_by_how_they_begin() {
    for Fixture { store, .. } in backends() {
        for (id, email, name) in [
            ("u1", "ada@example.org", Some("Countess")),
            ("u2", "bob@example.org", None),
            ("x3", "Ada@b.org", None),
        ] {
            store.create_account(account(id, email, name)).await.expect("is new");
        }
        let find = async |text: &str, after: Option<&str>, limit| {
            let after = after.map(user);
            let found = store.find_accounts(text, after.as_ref(), limit).await.expect("reads");
            found.into_iter().map(|account| account.user.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(find("", None, 10).await, ["u1", "u2", "x3"]);
        assert_eq!(find("ADA@", None, 10).await, ["u1", "x3"]);
        assert_eq!(find("ADA@", Some("u1"), 10).await, ["x3"]);
        assert_eq!(find("counT", None, 10).await, ["u1"]);
        assert_eq!(find("u", None, 1).await, ["u1"]);
        assert_eq!(find("%", None, 10).await, [""; 0]);
        assert_eq!(find("da@", None, 10).await, [""; 0]);
        for (text, count) in [("", 3), ("ada", 2), ("u", 2), ("U", 0), ("%", 0)] {
            assert_eq!(store.count_accounts(text).await, Ok(count), "{text}");
        }
    }
}

#[tokio::test]
async fn accounts_are_found_by_whatever_characters_they_begin_with() {
    for Fixture { store, .. } in backends() {
        for (id, name) in [
            ("u1", "\u{10ffff}"),
            ("u2", "\u{10ffff}\u{10ffff}b"),
            ("u3", "\u{10fffe}"),
            ("u4", "\u{d7ff}a"),
            ("u5", "\u{e000}"),
            ("u6", "Éa"),
            ("u7", "f"),
        ] {
            store.create_account(account(id, &format!("{id}@b.org"), Some(name))).await.expect("is new");
        }
        for (text, users) in [
            ("\u{10ffff}", &["u1", "u2"][..]),
            ("\u{10ffff}\u{10ffff}", &["u2"]),
            ("\u{d7ff}", &["u4"]),
            ("é", &["u6"]),
            ("u", &["u1", "u2", "u3", "u4", "u5", "u6", "u7"]),
        ] {
            let found = store.find_accounts(text, None, 10).await.expect("reads");
            let found: Vec<_> = found.iter().map(|account| account.user.as_str()).collect();
            assert_eq!(found, users, "{text:?}");
            assert_eq!(store.count_accounts(text).await, Ok(users.len()), "{text:?}");
        }
    }
}

#[tokio::test]
async fn members_are_counted() {
    for Fixture { store, .. } in backends() {
        for name in ["ada", "bob"] {
            store.arrive(profile(name), Timestamp(1)).await.expect("arrives");
        }
        store.create_channel(new_channel("den", "ada", Visibility::Private)).await.expect("is new");
        assert_eq!(store.count_members(&id("den")).await, Ok(1));
        let (ada, bob) = (user("ada"), user("bob"));
        let permit = Box::new(|_, _| true);
        store.add_member(&id("den"), &ada, &bob, Role::Member, Timestamp(2), permit).await.expect("is added");
        assert_eq!(store.count_members(&id("den")).await, Ok(2));
        assert_eq!(store.count_members(&id("nowhere")).await, Ok(0));
    }
}

#[tokio::test]
async fn an_account_is_found_by_everything_that_is_unique() {
    for Fixture { store, .. } in backends() {
        let ada = account("u1", "Ada@Example.org", Some("Ada"));
        store.create_account(ada.clone()).await.expect("is new");
        assert_eq!(store.account_by_email("aDA@example.ORG").await, Ok(Some(ada.clone())));
        assert_eq!(store.account_by_username("ADA").await, Ok(Some(ada.clone())));
        assert_eq!(store.account(&user("u1")).await, Ok(Some(ada)));
        assert_eq!(store.account_by_email("ada").await, Ok(None));
        assert_eq!(store.account_by_username("u1").await, Ok(None));
        let profile = store.profile(&user("u1")).await.expect("readable").expect("is there");
        assert_eq!(profile.name, "Ada");
    }
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    for Fixture { store, .. } in backends() {
        let accounts = ["u1", "u2", "u3"].map(|name| account(name, &format!("{name}@example.org"), None));
        for account in &accounts {
            store.create_account(account.clone()).await.expect("is new");
        }
        assert_eq!(store.accounts(None, 2).await, Ok(accounts[..2].to_vec()));
        assert_eq!(store.accounts(Some(&user("u2")), 2).await, Ok(accounts[2..].to_vec()));
    }
}

#[tokio::test]
async fn a_conflict_names_what_is_taken() {
    for Fixture { store, .. } in backends() {
        store.create_account(account("u1", "ada@example.org", Some("ada"))).await.expect("is new");
        for (other, field) in [
            (account("u2", "ADA@example.org", None), "email"),
            (account("u2", "other@example.org", Some("ADA")), "username"),
            (account("u1", "other@example.org", Some("other")), "id"),
        ] {
            assert_eq!(store.create_account(other).await, Err(StoreError::Conflict { field }));
        }
        assert_eq!(store.account(&user("u2")).await, Ok(None));
        store.create_account(account("u2", "b@example.org", None)).await.expect("is new");
        store.create_account(account("u3", "c@example.org", None)).await.expect("no name is no conflict");
    }
}

#[tokio::test]
async fn a_user_of_any_issuer_arrives_with_a_profile() {
    for Fixture { store, .. } in backends() {
        assert_eq!(store.profile(&user("clerk|ada")).await, Ok(None));
        assert_eq!(store.arrive(profile("clerk|ada"), Timestamp(1)).await, Ok(vec![]));
        let renamed = Profile { name: "Ada L.".to_owned(), ..profile("clerk|ada") };
        store.arrive(renamed.clone(), Timestamp(2)).await.expect("arrives again");
        assert_eq!(store.profile(&user("clerk|ada")).await, Ok(Some(renamed)));
        for channel in ["b", "a"] {
            let channel = new_channel(channel, "clerk|ada", Visibility::Public);
            store.create_channel(channel).await.expect("is new");
        }
        assert_eq!(
            store.arrive(profile("clerk|ada"), Timestamp(3)).await,
            Ok(vec![(id("a"), Role::Owner), (id("b"), Role::Owner)])
        );
    }
}

#[tokio::test]
async fn who_creates_a_channel_owns_it() {
    for fixture in backends() {
        let store = &fixture.store;
        let channel = new_channel("den", "ada", Visibility::Private);
        assert_eq!(
            store.create_channel(channel.clone()).await,
            Err(StoreError::NotFound),
            "without a profile"
        );
        store.arrive(profile("ada"), Timestamp(1)).await.expect("arrives");
        store.create_channel(channel.clone()).await.expect("is new");
        assert_eq!(store.create_channel(channel.clone()).await, Err(StoreError::Conflict { field: "id" }));
        assert_eq!(store.channel(&id("den")).await, Ok(Some(channel)));
        assert_eq!(store.channel(&id("DEN")).await, Ok(None));
        let owner = Standing { channel: id("den"), visibility: Visibility::Private, role: Some(Role::Owner) };
        assert_eq!(store.standing(&id("den"), &user("ada")).await, Ok(Some(owner)));
        assert_eq!(store.standing(&id("other"), &user("ada")).await, Ok(None));
        let (channel, ada) = (id("den"), user("ada"));
        let added =
            Committed::MemberAdded { channel, user: ada, role: Role::Owner, before: None, members: 1 };
        assert_eq!(*fixture.committed.lock().expect("no panic"), [added]);
    }
}

#[tokio::test]
async fn lists_of_channels_come_in_pages() {
    for Fixture { store, .. } in backends() {
        store.arrive(profile("ada"), Timestamp(1)).await.expect("arrives");
        for (channel, visibility) in [
            ("d", Visibility::Public),
            ("a", Visibility::Public),
            ("b", Visibility::Private),
            ("c", Visibility::Public),
        ] {
            store.create_channel(new_channel(channel, "ada", visibility)).await.expect("is new");
        }
        let mine = store.channels_of(&user("ada"), None, 3).await.expect("readable");
        let names: Vec<_> = mine.iter().map(|joined| joined.channel.channel.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(mine.iter().all(|joined| joined.role == Role::Owner));
        let rest = store.channels_of(&user("ada"), Some(&id("c")), 3).await.expect("readable");
        assert_eq!(rest.len(), 1);
        let public = store.public_channels(Some(&id("a")), 9).await.expect("readable");
        let names: Vec<_> = public.iter().map(|channel| channel.channel.as_str()).collect();
        assert_eq!(names, ["c", "d"]);
        assert_eq!(store.channels_of(&user("bob"), None, 9).await, Ok(vec![]));
    }
}

#[tokio::test]
async fn joining_asks_the_permit_of_those_who_are_not_members() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        let (store, den, bob) = (&fixture.store, id("den"), user("bob"));
        store.arrive(profile("bob"), Timestamp(1)).await.expect("arrives");
        let join = async |permit| {
            let joined = store.join_channel(&den, &bob, Role::Member, Timestamp(3), permit).await?;
            assert_eq!(joined.channel.channel, den);
            Ok(joined.role)
        };
        assert_eq!(join(Box::new(|_| false)).await, Err(StoreError::Denied));
        assert_eq!(join(Box::new(|standing| standing.role.is_none())).await, Ok(Role::Member));
        assert_eq!(join(Box::new(|_| false)).await, Ok(Role::Member), "a member is not asked again");
        let nowhere = store.join_channel(&id("nowhere"), &bob, Role::Member, Timestamp(3), anyone());
        assert_eq!(nowhere.await, Err(StoreError::NotFound));
        let added = fixture.committed.lock().expect("no panic").len();
        assert_eq!(added, 2, "the owner and Bob, once");
    }
}

#[tokio::test]
async fn members_are_added_changed_and_removed_by_who_may() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let (store, den, ada, bob, eve) = (&fixture.store, id("den"), user("ada"), user("bob"), user("eve"));
        let add = |actor, who, role| {
            let permit = Box::new(|actor: Standing, target: Option<Role>| {
                actor.role >= Some(Role::Moderator) && actor.role > target
            });
            store.add_member(&den, actor, who, role, Timestamp(9), permit)
        };
        assert_eq!(add(&bob, &eve, Role::Member).await, Err(StoreError::Denied));
        assert_eq!(add(&ada, &bob, Role::Moderator).await, Ok(Some(Role::Member)));
        assert_eq!(add(&bob, &eve, Role::Reader).await, Ok(None), "who was never here");
        assert_eq!(
            add(&bob, &ada, Role::Reader).await,
            Err(StoreError::Denied),
            "the permit sees the target"
        );

        let members = store.members(&den, &eve, None, 9, anyone()).await.expect("readable");
        let members: Vec<_> = members.iter().map(|one| (one.profile.name.as_str(), one.role)).collect();
        assert_eq!(members, [("ADA", Role::Owner), ("BOB", Role::Moderator), ("eve", Role::Reader)]);
        let page = store.members(&den, &eve, Some(&ada), 1, anyone()).await.expect("readable");
        assert_eq!(page[0].profile.user, bob);
        assert_eq!(store.members(&den, &eve, None, 9, members_only()).await, Err(StoreError::Denied));

        let remove = |who, yes| store.remove_member(&den, &ada, who, Box::new(move |_, _| yes));
        assert_eq!(remove(&eve, false).await, Err(StoreError::Denied));
        assert_eq!(remove(&eve, true).await, Ok(true));
        assert_eq!(remove(&eve, true).await, Ok(false));
        let last = fixture.committed.lock().expect("no panic").last().cloned();
        let removed = Committed::MemberRemoved { channel: den.clone(), user: eve.clone(), members: 2 };
        assert_eq!(last, Some(removed));
    }
}

#[tokio::test]
async fn a_message_is_checked_numbered_and_told() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let store = &fixture.store;
        let hello = draft("den", "ada", "hello", Some("c1"));
        let message = store.append(hello.clone(), members_only()).await.expect("a member sends");
        assert_eq!(
            message,
            Message {
                message: hello.message,
                channel: hello.channel,
                seq: Seq(1),
                sender: profile("ada"),
                content: hello.content,
                client_id: hello.client_id,
                created: hello.created,
                updated: hello.created,
                edited: None,
                deleted: None,
            }
        );
        assert_eq!(store.message(&message.message).await, Ok(Some(message.clone())));
        store.arrive(profile("eve"), Timestamp(1)).await.expect("arrives");
        for (wrong, error) in [
            (draft("den", "eve", "x", None), StoreError::Denied),
            (draft("nowhere", "ada", "x", None), StoreError::NotFound),
        ] {
            assert_eq!(store.append(wrong, members_only()).await, Err(error));
        }
        let again = roomkey_store::Draft { message: message.message, ..draft("den", "bob", "x", None) };
        assert_eq!(store.append(again, anyone()).await, Err(StoreError::Conflict { field: "id" }));
        assert_eq!(fixture.messages_committed(), [message]);
        let next = store.append(draft("den", "bob", "next", None), members_only()).await.expect("sends");
        assert_eq!(next.seq, Seq(2), "what was refused left no gap");
        let channel = store.channel(&id("den")).await.expect("readable").expect("is there");
        assert_eq!(channel.last_seq, Seq(2));
    }
}

#[tokio::test]
async fn a_retry_is_the_same_message() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        fixture.channel("pub", &["ada"]).await;
        let append = |draft| fixture.store.append(draft, members_only());
        let twice = [draft("den", "ada", "hello", Some("c1")), draft("den", "ada", "changed", Some("c1"))];
        let answers = join_all(twice.map(append)).await;
        assert_eq!(answers[0], answers[1], "also when both are on their way at once");
        let others = [
            draft("den", "bob", "of another sender", Some("c1")),
            draft("pub", "ada", "in another channel", Some("c1")),
            draft("den", "ada", "by another name", Some("c2")),
        ];
        join_all(others.map(append)).await;
        let told = fixture.messages_committed();
        assert_eq!(contents(&told), ["hello", "of another sender", "in another channel", "by another name"]);
        let removed =
            fixture.store.remove_member(&id("den"), &user("ada"), &user("bob"), Box::new(|_, _| true));
        assert_eq!(removed.await, Ok(true));
        let retry = append(draft("den", "bob", "of another sender", Some("c1")));
        assert_eq!(retry.await, Err(StoreError::Denied), "a retry is checked like any other");
    }
}

#[tokio::test]
async fn history_is_told_oldest_first() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        fixture.channel("other", &["ada"]).await;
        for content in ["1", "2", "3", "4", "5"] {
            let _ = fixture.store.append(draft("den", "ada", content, None), anyone()).await;
            let _ = fixture.store.append(draft("other", "ada", "noise", None), anyone()).await;
        }
        let cases: [(Page, usize, &[&str]); 9] = [
            (Page::Latest, 2, &["4", "5"]),
            (Page::Latest, 9, &["1", "2", "3", "4", "5"]),
            (Page::Before(Seq(4)), 2, &["2", "3"]),
            (Page::Before(Seq(1)), 2, &[]),
            (Page::Before(Seq(u64::MAX)), 1, &["5"]),
            (Page::After(Seq(0)), 2, &["1", "2"]),
            (Page::After(Seq(3)), 9, &["4", "5"]),
            (Page::After(Seq(5)), 9, &[]),
            (Page::After(Seq(u64::MAX)), 9, &[]),
        ];
        for (page, limit, expected) in cases {
            let messages = fixture.history("den", page, limit).await;
            assert_eq!(contents(&messages), expected, "{page:?} {limit}");
        }
        let query = |channel| roomkey_store::HistoryQuery {
            channel: id(channel),
            reader: user("eve"),
            page: Page::Latest,
            limit: 9,
            since_join: false,
        };
        assert_eq!(fixture.store.history(query("den"), members_only()).await, Err(StoreError::Denied));
        assert_eq!(fixture.store.history(query("nowhere"), anyone()).await, Err(StoreError::NotFound));
    }
}

#[tokio::test]
async fn the_order_of_the_calls_is_the_order_of_the_messages() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        let texts: Vec<_> = (0..300).map(|number| number.to_string()).collect();
        let mut pending: Vec<_> = texts
            .iter()
            .map(|text| fixture.store.append(draft("den", "ada", text, None), anyone()))
            .collect();
        pending.reverse(); // polled in another order than called
        join_all(pending).await;
        let history = fixture.history("den", Page::After(Seq(0)), 1000).await;
        assert_eq!(contents(&history), texts);
        assert_eq!(fixture.messages_committed(), history);
    }
}

#[tokio::test]
async fn a_write_happens_even_if_nobody_waits_for_it() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        drop(fixture.store.append(draft("den", "ada", "forgotten", None), anyone()));
        fixture.store.append(draft("den", "ada", "awaited", None), anyone()).await.expect("sends");
        let history = fixture.history("den", Page::Latest, 9).await;
        assert_eq!(contents(&history), ["forgotten", "awaited"]);
    }
}

#[tokio::test]
async fn awkward_texts_come_back_as_they_were() {
    for fixture in backends() {
        fixture.channel("'; DROP TABLE messages; --", &["ada\"'%_*"]).await;
        for content in ["\0", "'", "👩‍👩‍👧", "\u{202e}", "%_", &"x".repeat(16 * 1024)] {
            let sent = draft("'; DROP TABLE messages; --", "ada\"'%_*", content, Some(content));
            let message = fixture.store.append(sent, members_only()).await.expect("is stored");
            let found = fixture.store.message(&message.message).await.expect("readable").expect("is there");
            assert_eq!((found.content.as_str(), found.client_id.as_deref()), (content, Some(content)));
        }
    }
}

#[tokio::test]
async fn a_closed_store_answers() {
    for Fixture { store, .. } in backends() {
        store.close().await;
        assert_eq!(store.arrive(profile("ada"), Timestamp(1)).await, Err(StoreError::Unavailable));
        assert_eq!(store.profile(&user("ada")).await, Err(StoreError::Unavailable));
        store.close().await;
    }
}

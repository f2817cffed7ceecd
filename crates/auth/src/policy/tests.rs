use proptest::prelude::*;
use roomkey_model::{ChannelId, Membership, Role, RoomName, TokenId, UserId};

use super::*;
use crate::{KeptClaims, Scopes};

fn alice() -> Identity {
    Identity {
        user: user("alice"),
        issuer: "test".into(),
        subject: "alice".into(),
        session: None,
        token: TokenId::new("t").expect("an id"),
        issued_at: None,
        expires_at: None,
        deadline: None,
        name: Some("bob".into()),
        email: None,
        roles: ["admin".into(), "owner".into()].into(),
        scopes: Scopes::ALL,
        claims: KeptClaims::default(),
        key_id: None,
    }
}

/// Alice with a claim.
fn alice_of(claim: &str, values: &[&str]) -> Identity {
    let values = values.iter().map(ToString::to_string).collect();
    Identity { claims: KeptClaims::new(vec![(claim.into(), values)]), ..alice() }
}

fn user(id: &str) -> UserId {
    UserId::new(id).expect("an id")
}

fn pattern(text: &str) -> RoomPattern {
    text.parse().expect("a pattern")
}

fn general() -> ChannelId {
    ChannelId::new("general").expect("an id")
}

const MEMBERSHIPS: [Membership; 6] = [
    Membership::None,
    Membership::Visitor,
    Membership::Member(Role::Reader),
    Membership::Member(Role::Member),
    Membership::Member(Role::Moderator),
    Membership::Member(Role::Owner),
];

/// Who may, in the order none, visitor, reader, member, moderator, owner: `+` or `-`.
fn who_may(policy: &Policy, identity: &Identity, action: Action<'_>, place: Place<'_>) -> String {
    let decisions = MEMBERSHIPS.map(|membership| {
        let question = Question { identity, action, place, membership };
        assert_eq!(decide(policy, &question), policy.explain(&question).decision);
        decide(policy, &question)
    });
    decisions.iter().map(|decision| if decision.is_allowed() { '+' } else { '-' }).collect()
}

#[track_caller]
fn check(action: Action<'_>, expected: &str) {
    let place = Place::Channel(&general());
    assert_eq!(who_may(&Policy::default(), &alice(), action, place), expected, "{action:?}");
}

#[track_caller]
fn check_room(policy: &Policy, identity: &Identity, room: &str, is_allowed: bool) {
    let room = RoomName::new(room).expect("a name");
    let question =
        Question { identity, action: Action::Join, place: Place::Room(&room), membership: Membership::None };
    assert_eq!(decide(policy, &question).is_allowed(), is_allowed, "{room}");
}

#[test]
fn what_each_role_may() {
    let (own, other) = (user("alice"), user("Alice"));
    check(Action::CreateChannel, "++++++");
    check(Action::Join, "-+++++");
    check(Action::LeaveChannel, "--++++");
    check(Action::ReadHistory, "-+++++");
    check(Action::SendMessage, "---+++");
    check(Action::EditMessage { author: &own }, "---+++");
    check(Action::EditMessage { author: &other }, "------");
    check(Action::DeleteMessage { author: &own }, "---+++");
    check(Action::DeleteMessage { author: &other }, "----++");
    check(Action::ManageMembers, "----++");
    check(Action::EditChannel, "-----+");
}

#[test]
fn rooms_are_ones_own_or_none() {
    let cases = [
        ("user:alice", true),
        ("user-alice", true),
        ("user:bob", false),
        ("user:Alice", false),
        ("user:alice ", false),
        ("user:alice:x", false),
        ("user:*", false),
        ("user:", false),
        ("user:{user}", false),
        ("alice", false),
        ("u:alice", false),
        ("*", false),
        ("channel:general", false),
        ("Channel:general", false),
        ("room:lobby", false),
        ("sys:all", false),
        ("abcdefghijklmnopqrst", false),
    ];
    for (room, is_allowed) in cases {
        check_room(&Policy::default(), &alice(), room, is_allowed);
    }
}

#[test]
fn rules_speak_of_actions_rooms_members_roles_and_claims() {
    let rule = Rule {
        actions: vec![ActionName::Delete, ActionName::Manage],
        rooms: Some(pattern("channel:gen*")),
        membership: vec![Membership::Visitor, Membership::Member(Role::Reader)],
        roles: vec!["root".to_owned(), "admin".to_owned()],
        claims: vec![("org".to_owned(), vec!["acme".to_owned(), "beta".to_owned()])],
        ..Rule::new("staff", Effect::Allow)
    };
    let policy = Policy::new(vec![rule], &[]);
    let staff = alice_of("org", &["beta"]);
    let place = Place::Channel(&general());
    let other = ChannelId::new("other").expect("an id");
    assert_eq!(who_may(&policy, &staff, Action::ManageMembers, place), "-++-++");
    assert_eq!(who_may(&policy, &staff, Action::ManageMembers, Place::Channel(&other)), "----++");
    assert_eq!(who_may(&policy, &staff, Action::EditChannel, place), "-----+");
    assert_eq!(who_may(&policy, &alice_of("org", &["gamma"]), Action::ManageMembers, place), "----++");
    assert_eq!(who_may(&policy, &alice(), Action::ManageMembers, place), "----++");
    let plain = Identity { roles: ["Admin".into()].into(), ..staff };
    assert_eq!(who_may(&policy, &plain, Action::ManageMembers, place), "----++");
}

#[test]
fn a_rule_that_denies_wins() {
    let quiet = Rule {
        actions: vec![ActionName::Send],
        roles: vec!["admin".to_owned()],
        ..Rule::new("quiet", Effect::Deny)
    };
    let open = Rule { actions: vec![ActionName::Send], ..Rule::new("open", Effect::Allow) };
    let policy = Policy::new(vec![open, quiet], &[]);
    let place = Place::Channel(&general());
    assert_eq!(who_may(&policy, &alice(), Action::SendMessage, place), "------");
    let other = Identity { roles: [].into(), ..alice() };
    assert_eq!(who_may(&policy, &other, Action::SendMessage, place), "++++++");
}

#[test]
fn built_in_rules_can_be_done_without() {
    let place = Place::Channel(&general());
    for name in Policy::builtin_names() {
        let with = Policy::default();
        let without = Policy::new(Vec::new(), std::slice::from_ref(&name));
        let ask = |policy: &Policy, action| who_may(policy, &alice(), action, place);
        match name.as_str() {
            "public-channels" => assert_eq!(ask(&without, Action::Join), "--++++"),
            "members-read" => assert_eq!(ask(&without, Action::ReadHistory), "-+----"),
            "create-channels" => assert_eq!(ask(&without, Action::CreateChannel), "------"),
            _ => assert!(with.rules.len() == without.rules.len() + 1, "{name}"),
        }
    }
}

#[test]
fn scopes_of_the_chat_bound_a_token() {
    let room = RoomName::new("room:lobby").expect("a name");
    let lobby = Rule { rooms: Some(pattern("room:*")), ..Rule::new("lobby", Effect::Allow) };
    let policy = Policy::new(vec![lobby], &[]);
    let place = Place::Channel(&general());
    let own = user("alice");
    for (scopes, read, write) in [
        (Scopes::of([].into_iter()), true, true),
        (Scopes::of(["openid", "profile"].into_iter()), true, true),
        (Scopes::of(["openid", "chat:read"].into_iter()), true, false),
        (Scopes::of(["chat:write"].into_iter()), false, true),
        (Scopes::of(["chat:read", "chat:write"].into_iter()), true, true),
        (Scopes::of(["chat:admin"].into_iter()), false, false),
        (Scopes::of(["chat:"].into_iter()), false, false),
        (Scopes::of(["chat:Read"].into_iter()), false, false),
    ] {
        let identity = Identity { scopes, ..alice() };
        let owner_may = |action| who_may(&policy, &identity, action, place).ends_with('+');
        assert_eq!(owner_may(Action::ReadHistory), read, "{scopes:?}");
        for action in [
            Action::CreateChannel,
            Action::DeleteMessage { author: &own },
            Action::EditChannel,
            Action::EditMessage { author: &own },
            Action::Join,
            Action::LeaveChannel,
            Action::ManageMembers,
            Action::SendMessage,
        ] {
            assert_eq!(owner_may(action), write, "{scopes:?} {action:?}");
        }
        check_room(&policy, &identity, room.as_str(), read);
    }
}

#[test]
fn patterns() {
    for (text, room, expected) in [
        ("*", "room:a", true),
        ("room:a", "room:a", true),
        ("room:a", "room:ab", false),
        ("room:a", "ROOM:A", false),
        ("room:*", "room:", true),
        ("room:*", "room", false),
        ("room:*-ops", "room:a-ops-b-ops", true),
        ("room:*-ops", "room:a-opss", false),
        ("room:*a*b", "room:xaxb", true),
        ("room:*a*b", "room:b", false),
        ("*a*", "xax", true),
        ("room:***", "room:x", true),
        ("room:a.c", "room:abc", false),
        ("room:[ab]", "room:a", false),
        ("room:?", "room:a", false),
        // Not one form of Unicode, nor one look, for another.
        ("room:caf\u{e9}", "room:cafe\u{301}", false),
        ("room:admin", "room:\u{430}dmin", false),
        ("room:admin", "room:\u{ff41}dmin", false),
        ("room:admin", "room:ad\u{200b}min", false),
        ("room:{user}", "room:alice", true),
        ("room:{user}:*", "room:alice:", true),
        ("room:{user}:*", "room:bob:", false),
        ("room:{claim.org}:*", "room:acme:x", true),
        ("room:{claim.org}:*", "room:beta:x", true),
        ("room:{claim.org}:*", "room:gamma:x", false),
        ("room:{claim.team}", "room:", false),
        ("room:{claim.org}/{user}", "room:beta/alice", true),
        ("room:{claim.org}/{user}", "room:beta/bob", false),
    ] {
        let identity = alice_of("org", &["acme", "beta"]);
        assert_eq!(pattern(text).matches(room, &identity, true), expected, "{text} {room}");
    }
}

#[test]
fn a_value_is_no_pattern_and_reaches_into_nobody_elses_rooms() {
    let rooms = pattern("room:{claim.org}:*");
    for (org, room) in
        [("*", "room:acme:x"), ("{user}", "room:alice:x"), ("", "room::x"), ("acme:x", "room:acme:x:y")]
    {
        let identity = alice_of("org", &[org]);
        assert!(!rooms.matches(room, &identity, true), "{org} {room}");
    }
    // Who is denied is denied all the same.
    assert!(rooms.matches("room:acme:x:y", &alice_of("org", &["acme:x"]), false));
}

#[test]
fn bad_patterns() {
    for (text, expected) in [
        ("", InvalidPattern::Blank),
        (" ", InvalidPattern::Blank),
        ("room:{", InvalidPattern::Brace),
        ("room:}", InvalidPattern::Brace),
        ("room:{name}", InvalidPattern::Brace),
        ("room:{claim.}", InvalidPattern::Brace),
        ("room:{claim.{user}}", InvalidPattern::Brace),
        ("room:{user}*", InvalidPattern::Ambiguous),
        ("room:{user}{user}", InvalidPattern::Ambiguous),
        ("room:*:{user}", InvalidPattern::Ambiguous),
        (&"x".repeat(513), InvalidPattern::TooLong),
    ] {
        assert_eq!(text.parse::<RoomPattern>(), Err(expected), "{text}");
    }
}

#[test]
fn an_explanation_lists_every_rule() {
    let rule = Rule {
        actions: vec![ActionName::Send],
        rooms: Some(pattern("channel:gen*")),
        ..Rule::new("quiet", Effect::Deny)
    };
    let policy = Policy::new(vec![rule], &[]);
    let question = Question {
        identity: &alice(),
        action: Action::SendMessage,
        place: Place::Channel(&general()),
        membership: Membership::Member(Role::Member),
    };
    let explanation = policy.explain(&question);
    assert_eq!((explanation.decision, explanation.rule.as_deref()), (Decision::Denied, Some("quiet")));
    let matching: Vec<_> = explanation
        .considered
        .iter()
        .filter(|considered| considered.mismatch.is_none())
        .map(|considered| (considered.rule.as_str(), considered.effect, considered.is_builtin))
        .collect();
    assert_eq!(matching, [("quiet", Effect::Deny, false), ("members-send", Effect::Allow, true)]);
    assert_eq!(explanation.considered.len(), policy.rules.len());
    assert_eq!(explanation.considered[1].mismatch, Some(Mismatch::Scope));
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let actions = proptest::sample::subsequence(ActionName::ALL.to_vec(), 0..4);
    let membership = proptest::sample::subsequence(MEMBERSHIPS.to_vec(), 0..3);
    let rooms = proptest::option::of(proptest::sample::select(vec![
        "*",
        "channel:*",
        "channel:g*l",
        "room:*",
        "{user}",
    ]));
    let roles = proptest::sample::subsequence(vec!["admin".to_owned(), "root".to_owned()], 0..2);
    (any::<bool>(), actions, membership, rooms, roles).prop_map(
        |(denies, actions, membership, rooms, roles)| Rule {
            actions,
            membership,
            rooms: rooms.map(pattern),
            roles,
            ..Rule::new("r", if denies { Effect::Deny } else { Effect::Allow })
        },
    )
}

proptest! {
    /// Whatever the rules: one that denies wins, nothing is allowed without a rule that allows it, and the explanation
    /// says what the decision is by.
    #[test]
    fn every_policy_keeps_to_the_order(rules in proptest::collection::vec(any_rule(), 0..6), at in 0..6usize) {
        let policy = Policy::new(rules, &[]);
        let own = user("alice");
        for action in [Action::Join, Action::SendMessage, Action::EditMessage { author: &own }, Action::CreateChannel] {
            let general = general();
            let question = Question {
                identity: &alice(),
                action,
                place: Place::Channel(&general),
                membership: MEMBERSHIPS[at],
            };
            let explanation = policy.explain(&question);
            let matches = |effect| {
                explanation.considered.iter().any(|rule| rule.effect == effect && rule.mismatch.is_none())
            };
            let expected = matches(Effect::Allow) && !matches(Effect::Deny);
            prop_assert_eq!(decide(&policy, &question).is_allowed(), expected);
            prop_assert_eq!(explanation.decision.is_allowed(), expected);
            prop_assert!(explanation.rule.is_some() || !expected);
        }
    }

    /// A pattern of any text matches as a backtracking matcher says, and never fails.
    #[test]
    fn stars_match_as_they_should(text in "[ab*]{1,8}", room in "[ab]{0,10}") {
        fn simple(pattern: &[u8], room: &[u8]) -> bool {
            match pattern.split_first() {
                None => room.is_empty(),
                Some((b'*', rest)) => (0..=room.len()).any(|at| simple(rest, &room[at..])),
                Some((byte, rest)) => room.first() == Some(byte) && simple(rest, &room[1..]),
            }
        }
        let expected = simple(text.as_bytes(), room.as_bytes());
        prop_assert_eq!(pattern(&text).matches(&room, &alice(), true), expected);
    }

    #[test]
    fn no_text_is_too_strange_to_be_a_pattern(text in any::<String>(), room in any::<String>()) {
        if let Ok(pattern) = text.parse::<RoomPattern>() {
            let _ = pattern.matches(&room, &alice(), false);
        }
    }
}

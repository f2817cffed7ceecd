use roomkey_model::TokenId;

use super::*;

fn alice() -> Identity {
    Identity {
        user: UserId::new("alice").expect("an id"),
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
        key_id: None,
    }
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
#[track_caller]
fn check(action: Action<'_>, expected: &str) {
    let decisions = MEMBERSHIPS.map(|membership| decide(&alice(), action, membership));
    let text: String =
        decisions.iter().map(|decision| if decision.is_allowed() { '+' } else { '-' }).collect();
    assert_eq!(text, expected, "{action:?}");
}

#[test]
fn what_each_role_may() {
    let (own, other) = (UserId::new("alice").expect("an id"), UserId::new("Alice").expect("an id"));
    check(Action::CreateChannel, "++++++");
    check(Action::JoinChannel, "-+++++");
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
fn rooms_are_ones_own_or_those_of_channels() {
    let cases = [
        ("user:alice", "++++++"),
        ("user-alice", "++++++"),
        ("channel:general", "-+++++"),
        ("user:bob", "------"),
        ("user:Alice", "------"),
        ("user:alice ", "------"),
        ("user:alice:x", "------"),
        ("user:*", "------"),
        ("user:", "------"),
        ("alice", "------"),
        ("u:alice", "------"),
        ("*", "------"),
        ("Channel:general", "------"),
        ("channel", "------"),
        ("sys:all", "------"),
        ("abcdefghijklmnopqrst", "------"),
    ];
    for (room, expected) in cases {
        check(Action::JoinRoom(&RoomName::new(room).expect("a name")), expected);
    }
}

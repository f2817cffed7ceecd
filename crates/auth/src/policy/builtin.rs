use roomkey_model::{
    Membership::{Member, Visitor},
    Role,
};

use super::{
    ActionName as Name, Effect, Rule,
    rule::{Condition, Listed, Origin},
};

/// The rules that every policy begins with.
pub(super) fn rules() -> Vec<Listed> {
    let reader = Member(Role::Reader);
    let member = Member(Role::Member);
    let moderator = Member(Role::Moderator);
    let owner = Member(Role::Owner);
    vec![
        // A token that names scopes of the chat is good for these only.
        Listed { rule: Rule::new("scopes", Effect::Deny), origin: Origin::Builtin(Condition::OutOfScope) },
        plain(Rule { actions: vec![Name::Create], ..allow("create-channels") }),
        plain(Rule {
            actions: vec![Name::Join],
            rooms: Some("user:{user}".parse().expect("a pattern")),
            ..allow("own-room")
        }),
        // Dashes are for who has configured them; elsewhere no room has such a name.
        plain(Rule {
            actions: vec![Name::Join],
            rooms: Some("user-{user}".parse().expect("a pattern")),
            ..allow("own-dashed-room")
        }),
        plain(Rule {
            actions: vec![Name::Join, Name::Read],
            membership: vec![Visitor],
            ..channels("public-channels")
        }),
        plain(Rule {
            actions: vec![Name::Join, Name::Leave, Name::Read],
            membership: vec![reader, member, moderator, owner],
            ..channels("members-read")
        }),
        plain(Rule {
            actions: vec![Name::Send],
            membership: vec![member, moderator, owner],
            ..channels("members-send")
        }),
        Listed {
            rule: Rule {
                actions: vec![Name::Delete, Name::Edit],
                membership: vec![member, moderator, owner],
                ..channels("own-messages")
            },
            origin: Origin::Builtin(Condition::Own),
        },
        plain(Rule {
            actions: vec![Name::Delete, Name::Manage],
            membership: vec![moderator, owner],
            ..channels("moderators")
        }),
        plain(Rule { actions: vec![Name::Update], membership: vec![owner], ..channels("owners") }),
    ]
}

fn channels(name: &str) -> Rule {
    Rule { rooms: Some("channel:*".parse().expect("a pattern")), ..allow(name) }
}

fn allow(name: &str) -> Rule {
    Rule::new(name, Effect::Allow)
}

fn plain(rule: Rule) -> Listed {
    Listed { rule, origin: Origin::Builtin(Condition::None) }
}

use roomkey_auth::{
    Identity,
    policy::{Action, Place, Question, decide},
};
use roomkey_model::{Membership, RoomName, UserId};

use super::{SECRET, Site, UNSET};

/// One rule, in which some lines are others.
fn rule(lines: &str) -> String {
    let mut rule = String::from("[[policy.rules]]\n");
    for default in ["name = 'ops'", "effect = 'allow'", "actions = ['join']", "rooms = 'room:ops'"] {
        let key = default.split(' ').next().unwrap();
        if !lines.contains(&format!("{key} =")) && !lines.contains(&format!("# {key}")) {
            rule += &format!("{default}\n");
        }
    }
    rule + lines
}

fn may_join(config: &str, room: &str) -> bool {
    let policy = Site::new(config).load(UNSET).unwrap().policy.policy();
    let identity = Identity::without_token(UserId::new("ada").unwrap());
    let room = RoomName::new(room).unwrap();
    let (action, place, membership) = (Action::Join, Place::Room(&room), Membership::None);
    decide(&policy, &Question { identity: &identity, action, place, membership }).is_allowed()
}

#[test]
fn rules_are_read() {
    assert!(!may_join("", "room:ops"));
    assert!(may_join(&rule(""), "room:ops"));
    assert!(!may_join(&rule("roles = ['staff']"), "room:ops"));
    assert!(!may_join(&rule("membership = ['visitor', 'owner']"), "room:ops"));
    assert!(!may_join(&rule("claims = { org = ['acme'] }"), "room:ops"));
    assert!(may_join(&rule("rooms = 'room:{user}:*'"), "room:ada:1"));
    let denied = rule("") + "\n" + &rule("name = 'no'\neffect = 'deny'\nrooms = '*'");
    assert!(!may_join(&denied, "room:ops"));
    assert!(!may_join("[policy]\nwithout = ['own-room']", "user:ada"));
}

#[test]
fn rules_are_the_same_after_they_were_sent_to_the_server() {
    let config = rule("rooms = '*'\nmembership = ['none']\nclaims = { org = ['a', 'b'] }\nroles = ['x']");
    let section = Site::new(&config).load(UNSET).unwrap().policy;
    let sent: crate::config::PolicySection =
        serde_json::from_str(&serde_json::to_string(&section).unwrap()).unwrap();
    assert_eq!(format!("{section:?}"), format!("{sent:?}"));
}

#[test]
fn identities_have_the_claims_that_rules_speak_of() {
    let config = rule("rooms = 'room:{claim.org}'\nclaims = { '/team/id' = ['7'] }");
    let site = Site::new(&format!("[auth]\njwt_secret = '{SECRET}'\n{config}"));
    let policy = site.load(UNSET).unwrap().policy.policy();
    assert_eq!(policy.claims().into_iter().collect::<Vec<_>>(), ["/team/id", "org"]);
}

#[test]
fn what_is_wrong_is_named() {
    for (lines, expected) in [
        ("name = ' '", "policy.rules[0].name: must not be blank"),
        ("name = 'scopes'", "policy.rules[0].name: is another rule's name, too"),
        ("name = 'moderators'", "policy.rules[0].name: is another rule's name, too"),
        ("effect = 'maybe'", "policy.rules[0].effect: must be one of `allow`, `deny`"),
        ("actions = []", "policy.rules[0].actions: must name an action"),
        ("actions = ['sned']", "policy.rules[0].actions: `sned` is none; did you mean `send`?"),
        (
            "actions = ['fly']",
            "policy.rules[0].actions: `fly` is none; there are `create`, `delete`, `edit`, `join`, `leave`, \
             `manage`, `read`, `send`, `update`",
        ),
        ("# rooms", "policy.rules[0].rooms: must be there: which rooms it is about, or `*`"),
        (
            "rooms = 'room:{org}'",
            "policy.rules[0].rooms: must have `{user}` or `{claim.NAME}` where there are braces",
        ),
        (
            "actions = ['create', 'send']",
            "policy.rules[0].rooms: must be `*`: channels are created in no room",
        ),
        ("membership = ['guest']", "policy.rules[0].membership: `guest` is none; there are `none`"),
        ("claims = { org = [] }", "policy.rules[0].claims: must have a value for each"),
        ("when = 'now'", "unknown key `policy.rules[0].when`"),
    ] {
        let refusal = Site::new(&rule(lines)).refusal(UNSET);
        assert!(refusal.contains(expected), "{lines}: {refusal}");
    }
    let without = Site::new("[policy]\nwithout = ['public-chanels']").refusal(UNSET);
    let expected = "roomkey.toml:2: policy.without: `public-chanels` is no built-in rule; did you mean `public-channels`?";
    assert_eq!(without, expected);
    let scopes = Site::new("[policy]\nwithout = ['scopes']").refusal(UNSET);
    assert!(scopes.contains("is no built-in rule"), "what denies cannot be done without: {scopes}");
    let many: String = (0..257).map(|index| rule(&format!("name = 'r{index}'")) + "\n").collect();
    assert!(Site::new(&many).refusal(UNSET).ends_with("policy.rules: must be at most 256"));
}

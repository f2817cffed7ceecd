//! `[policy]`: who may do what.

use std::collections::{BTreeMap, BTreeSet};

use roomkey_auth::policy::{ActionName, Effect, Policy, RoomPattern, Rule};
use roomkey_model::Membership;
use serde::{Deserialize, Serialize};

use super::nearest::nearest;

/// Rules beside the built-in ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicySection {
    /// Built-in rules to do without, such as `public-channels`: what they allow is denied unless another rule allows it.
    pub(crate) without: Vec<String>,
    /// Rules of your own. One that denies wins over all that allow.
    pub(crate) rules: Vec<RuleSection>,
}

/// One rule. It is about who meets all of its conditions.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSection {
    /// What explanations call it; unique.
    name: String,
    /// `allow` or `deny`.
    effect: EffectName,
    /// `create`, `delete`, `edit`, `join`, `leave`, `manage`, `read`, `send`, `update`.
    actions: Names<ActionName>,
    /// Which rooms: `channel:<id>` or `room:<name>`, with `*` for any characters, `{user}` for the id of who asks and
    /// `{claim.NAME}` for a claim of the token. Creating a channel happens in no room.
    #[serde(default)]
    rooms: Option<Rooms>,
    /// What who asks is to the channel: `none`, `visitor` (of a public one), `reader`, `member`, `moderator`, `owner`.
    #[serde(default)]
    membership: Names<Membership>,
    /// Roles of the token, of which it has one.
    #[serde(default)]
    roles: Vec<String>,
    /// Claims of the token, each with the values of which it has one.
    #[serde(default)]
    claims: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum EffectName {
    Allow,
    Deny,
}

/// Some of a few names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>", bound = "T: Name")]
struct Names<T: Name>(Vec<T>);

/// What has one of a few names.
trait Name: Copy + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

impl Name for ActionName {
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Name for Membership {
    const ALL: &'static [Self] = &[
        Self::None,
        Self::Visitor,
        Self::Member(roomkey_model::Role::Reader),
        Self::Member(roomkey_model::Role::Member),
        Self::Member(roomkey_model::Role::Moderator),
        Self::Member(roomkey_model::Role::Owner),
    ];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl<T: Name> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Name> TryFrom<Vec<String>> for Names<T> {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let find = |name: &String| {
            let found = T::ALL.iter().copied().find(|known| known.name() == name.as_str());
            found.ok_or_else(|| {
                let all: Vec<_> = T::ALL.iter().map(|known| known.name()).collect();
                match nearest(name, &all) {
                    Some(known) => format!("`{name}` is none; did you mean `{known}`?"),
                    None => format!("`{name}` is none; there are `{}`", all.join("`, `")),
                }
            })
        };
        names.iter().map(find).collect::<Result<_, _>>().map(Self)
    }
}

impl<T: Name> From<Names<T>> for Vec<String> {
    fn from(names: Names<T>) -> Self {
        names.0.into_iter().map(|name| name.name().to_owned()).collect()
    }
}

/// A pattern of rooms; without one, all of them and none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Rooms(Option<RoomPattern>);

const ALL_ROOMS: &str = "*";

impl TryFrom<String> for Rooms {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == ALL_ROOMS {
            return Ok(Self(None));
        }
        text.parse().map(|pattern| Self(Some(pattern))).map_err(|problem| format!("{problem}"))
    }
}

impl From<Rooms> for String {
    fn from(rooms: Rooms) -> Self {
        rooms.0.map_or(ALL_ROOMS.to_owned(), |pattern| pattern.as_str().to_owned())
    }
}

/// Something that is wrong with the section: the key, from the section on, and what it is.
pub(crate) type Problem = (String, String);

/// Rules a configuration may have. Each decision may ask all of them.
const RULES_MAX: usize = 256;

impl PolicySection {
    /// What no single value can say.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let builtin: Vec<String> = Policy::builtin_names().collect();
        let known: Vec<&str> = builtin.iter().map(String::as_str).collect();
        for name in &self.without {
            if !builtin.contains(name) {
                let problem = match nearest(name, &known) {
                    Some(known) => format!("`{name}` is no built-in rule; did you mean `{known}`?"),
                    None => format!("`{name}` is no built-in rule; there are `{}`", known.join("`, `")),
                };
                return Err(("without".to_owned(), problem));
            }
        }
        if self.rules.len() > RULES_MAX {
            return Err(("rules".to_owned(), format!("must be at most {RULES_MAX}")));
        }
        let mut names: BTreeSet<&str> = known.into_iter().collect();
        names.insert("scopes");
        for (index, rule) in self.rules.iter().enumerate() {
            let refuse =
                |key: &str, problem: &str| Err((format!("rules[{index}].{key}"), problem.to_owned()));
            if rule.name.trim().is_empty() {
                return refuse("name", "must not be blank");
            }
            if !names.insert(&rule.name) {
                return refuse("name", "is another rule's name, too");
            }
            if rule.actions.0.is_empty() {
                return refuse("actions", "must name an action");
            }
            let creates = rule.actions.0.contains(&ActionName::Create);
            match &rule.rooms {
                None if rule.actions.0 != [ActionName::Create] => {
                    return refuse("rooms", "must be there: which rooms it is about, or `*`");
                }
                Some(Rooms(Some(_))) if creates => {
                    return refuse("rooms", "must be `*`: channels are created in no room");
                }
                _ => {}
            }
            if rule.claims.values().any(Vec::is_empty) {
                return refuse("claims", "must have a value for each");
            }
        }
        Ok(())
    }

    /// The rules.
    pub(crate) fn policy(&self) -> Policy {
        Policy::new(self.rules.iter().map(RuleSection::rule).collect(), &self.without)
    }
}

impl RuleSection {
    fn rule(&self) -> Rule {
        let effect = match self.effect {
            EffectName::Allow => Effect::Allow,
            EffectName::Deny => Effect::Deny,
        };
        Rule {
            actions: self.actions.0.clone(),
            rooms: self.rooms.as_ref().and_then(|rooms| rooms.0.clone()),
            membership: self.membership.0.clone(),
            roles: self.roles.clone(),
            claims: self.claims.clone().into_iter().collect(),
            ..Rule::new(self.name.clone(), effect)
        }
    }
}

use super::{Decision, Effect, Mismatch, Policy, Question};

/// A decision, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The rule that it is by: none where nothing allowed it.
    pub rule: Option<String>,
    /// Every rule, in the order in which they are asked: those that deny, then those that allow.
    pub considered: Vec<Considered>,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Its name.
    pub rule: String,
    /// What follows if it matches.
    pub effect: Effect,
    /// Whether it is one that every policy begins with.
    pub is_builtin: bool,
    /// Which of its conditions does not hold; none where it matches.
    pub mismatch: Option<Mismatch>,
}

pub(super) fn explain(policy: &Policy, question: &Question<'_>) -> Explanation {
    let room = question.place.room();
    let ruling = policy.ask(question);
    let of_effect = |effect| policy.rules.iter().filter(move |listed| listed.rule.effect == effect);
    let considered = of_effect(Effect::Deny).chain(of_effect(Effect::Allow)).map(|listed| Considered {
        rule: listed.rule.name.clone(),
        effect: listed.rule.effect,
        is_builtin: listed.is_builtin(),
        mismatch: listed.matches(question, room.as_deref()).err(),
    });
    Explanation {
        decision: ruling.decision,
        rule: ruling.rule.map(|rule| rule.name.clone()),
        considered: considered.collect(),
    }
}

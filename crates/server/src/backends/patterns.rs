/// Names of events, of which `*` at the end stands for whatever follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventPatterns(Vec<Box<str>>);

/// Why these are no patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPattern {
    #[error("must name an event, such as `order:created` or `order:*`")]
    Empty,
    #[error("must have `*` at the end only")]
    Star,
}

impl EventPatterns {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, InvalidPattern> {
        if patterns.is_empty() || patterns.iter().any(String::is_empty) {
            return Err(InvalidPattern::Empty);
        }
        let is_odd = |pattern: &String| pattern.strip_suffix('*').unwrap_or(pattern).contains('*');
        if patterns.iter().any(is_odd) {
            return Err(InvalidPattern::Star);
        }
        Ok(Self(patterns.iter().map(|pattern| pattern.as_str().into()).collect()))
    }

    pub(crate) fn match_event(&self, event: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => event.starts_with(start),
            None => **pattern == *event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(patterns: &[&str]) -> Result<EventPatterns, InvalidPattern> {
        EventPatterns::new(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_star_stands_for_the_rest() {
        let some = patterns(&["order:*", "ping"]).expect("patterns");
        for (event, matches) in
            [("order:new", true), ("order:", true), ("order", false), ("ping", true), ("pings", false)]
        {
            assert_eq!(some.match_event(event), matches, "{event}");
        }
        assert!(patterns(&["*"]).expect("a pattern").match_event("anything"));
        for (bad, problem) in [
            (&[][..], InvalidPattern::Empty),
            (&[""], InvalidPattern::Empty),
            (&["a*b"], InvalidPattern::Star),
            (&["**"], InvalidPattern::Star),
        ] {
            assert_eq!(patterns(bad), Err(problem), "{bad:?}");
        }
    }
}

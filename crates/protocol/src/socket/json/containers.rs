use super::Tokens;

/// The arrays and objects of a valid text, in the order in which they end.
pub(crate) fn containers(text: &str) -> impl Iterator<Item = Container> {
    Containers { tokens: Tokens { rest: text }, open: Vec::new(), begun: 0 }
}

/// An array or an object. Of duplicate keys the last counts, as in JavaScript.
pub(crate) struct Container {
    /// Its place in the order in which they begin.
    pub(crate) index: usize,
    /// How many entries it has.
    pub(crate) len: usize,
    is_object: bool,
    key: Key,
    is_placeholder: bool,
    num: Option<usize>,
}

impl Container {
    /// If it is a placeholder: the attachment that it points to.
    pub(crate) fn placeholder(&self) -> Option<Option<usize>> {
        self.is_placeholder.then_some(self.num)
    }
}

struct Containers<'a> {
    tokens: Tokens<'a>,
    /// Those whose end has not come yet.
    open: Vec<Container>,
    begun: usize,
}

impl Iterator for Containers<'_> {
    type Item = Container;

    fn next(&mut self) -> Option<Container> {
        for token in self.tokens.by_ref() {
            if matches!(token, "}" | "]") {
                match self.open.pop() {
                    None => continue,
                    ended => return ended,
                }
            }
            if let Some(container) = self.open.last_mut() {
                container.take(token);
            }
            if matches!(token, "{" | "[") {
                self.open.push(Container {
                    index: self.begun,
                    len: 0,
                    is_object: token == "{",
                    key: Key::Awaited,
                    is_placeholder: false,
                    num: None,
                });
                self.begun += 1;
            }
        }
        None
    }
}

impl Container {
    /// A token of this container, down to the beginnings of those inside it.
    fn take(&mut self, token: &str) {
        match token {
            "," => {
                self.len += 1;
                self.key = Key::Awaited;
            }
            ":" => {}
            _ if self.is_object && self.key == Key::Awaited => {
                self.len = self.len.max(1);
                self.key = Key::of(token);
            }
            _ => {
                self.len = self.len.max(1);
                match self.key {
                    Key::Placeholder => self.is_placeholder = token == "true",
                    Key::Num => self.num = token.parse().ok(),
                    Key::Awaited | Key::Other => {}
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Awaited,
    Num,
    Other,
    Placeholder,
}

impl Key {
    fn of(json: &str) -> Self {
        match json {
            r#""_placeholder""# => Self::Placeholder,
            r#""num""# => Self::Num,
            // An escape may spell either of them.
            _ if json.contains('\\') => match serde_json::from_str::<String>(json).as_deref() {
                Ok("_placeholder") => Self::Placeholder,
                Ok("num") => Self::Num,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

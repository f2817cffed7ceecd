use smallvec::SmallVec;

use crate::{CloseReason, ParseError, socket::Namespace};

/// The namespaces of one client: a short list, most often of one.
#[derive(Debug, Default)]
pub(super) struct Namespaces(SmallVec<[(Namespace, State); 1]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The client asked; the server has not answered.
    Requested,
    Connected,
    /// The server ended it, and the client may not know yet.
    Expelled,
}

impl Namespaces {
    /// The client asks for a namespace.
    pub(super) fn request(&mut self, namespace: &Namespace, max: usize) -> Result<(), CloseReason> {
        match self.state_mut(namespace) {
            Some(state @ State::Expelled) => *state = State::Requested,
            Some(_) => return Err(ParseError::ConnectTwice.into()),
            None => {
                if self.0.len() >= max {
                    self.0.retain(|(_, state)| *state != State::Expelled);
                }
                if self.0.len() >= max {
                    return Err(CloseReason::NamespacesTooMany);
                }
                self.0.push((namespace.clone(), State::Requested));
            }
        }
        Ok(())
    }

    /// The server says yes.
    pub(super) fn accept(&mut self, namespace: &str) -> bool {
        self.change(namespace, State::Requested, State::Connected)
    }

    /// The server says no.
    pub(super) fn reject(&mut self, namespace: &str) -> bool {
        self.remove(namespace, State::Requested)
    }

    /// The server ends it.
    pub(super) fn expel(&mut self, namespace: &str) -> bool {
        self.change(namespace, State::Connected, State::Expelled)
    }

    /// The client leaves. False: it had been expelled already.
    pub(super) fn leave(&mut self, namespace: &Namespace) -> Result<bool, ParseError> {
        let is_connected = self.check_connected(namespace)?;
        self.remove(namespace, if is_connected { State::Connected } else { State::Expelled });
        Ok(is_connected)
    }

    /// Whether a packet of the client is to be heard. False: it was sent before the client knew of its expulsion.
    pub(super) fn check_connected(&mut self, namespace: &Namespace) -> Result<bool, ParseError> {
        match self.state_mut(namespace) {
            Some(State::Connected) => Ok(true),
            Some(State::Expelled) => Ok(false),
            Some(State::Requested) | None => Err(ParseError::NamespaceNotConnected),
        }
    }

    pub(super) fn is_connected(&self, namespace: &str) -> bool {
        self.connected().any(|connected| connected.as_str() == namespace)
    }

    pub(super) fn connected(&self) -> impl Iterator<Item = &Namespace> {
        self.0.iter().filter(|(_, state)| *state == State::Connected).map(|(namespace, _)| namespace)
    }

    fn state_mut(&mut self, namespace: &str) -> Option<&mut State> {
        self.0.iter_mut().find(|(name, _)| name.as_str() == namespace).map(|(_, state)| state)
    }

    fn change(&mut self, namespace: &str, from: State, to: State) -> bool {
        match self.state_mut(namespace) {
            Some(state) if *state == from => {
                *state = to;
                true
            }
            _ => false,
        }
    }

    fn remove(&mut self, namespace: &str, from: State) -> bool {
        let len = self.0.len();
        self.0.retain(|(name, state)| name.as_str() != namespace || *state != from);
        self.0.len() != len
    }
}

use std::{cell::RefCell, mem};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// Bytes inside the arguments of an event or an ack.
///
/// In the JSON of a packet they are a placeholder; the bytes travel as an attachment. Outside of the functions of
/// this module there is nothing to attach them to, and (de)serializing them is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary(pub Bytes);

// Serde passes values through any number of types that know nothing of attachments, so these travel beside it.
thread_local! {
    /// The attachments of the packet that is being written.
    static WRITTEN: RefCell<Option<Vec<Bytes>>> = const { RefCell::new(None) };
    /// The attachments of the packet that is being read.
    static READ: RefCell<Option<Vec<Bytes>>> = const { RefCell::new(None) };
}

type Attachments = std::thread::LocalKey<RefCell<Option<Vec<Bytes>>>>;

/// Runs `write` and returns what it attached.
pub(crate) fn collect<R>(write: impl FnOnce() -> R) -> (R, Vec<Bytes>) {
    let scope = Scope::enter(&WRITTEN, Some(Vec::new()));
    let result = write();
    let attachments = scope.place.take().unwrap_or_default();
    (result, attachments)
}

/// Runs `read` while placeholders mean these attachments.
pub(crate) fn resolve<R>(attachments: &[Bytes], read: impl FnOnce() -> R) -> R {
    let attachments = (!attachments.is_empty()).then(|| attachments.to_vec());
    let _scope = Scope::enter(&READ, attachments);
    read()
}

/// Puts back what was there before, also when a (de)serializer panics.
struct Scope {
    place: &'static Attachments,
    before: Option<Vec<Bytes>>,
}

impl Scope {
    fn enter(place: &'static Attachments, attachments: Option<Vec<Bytes>>) -> Self {
        Self { place, before: place.replace(attachments) }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.place.set(mem::take(&mut self.before));
    }
}

#[derive(Serialize, Deserialize)]
struct Placeholder {
    #[serde(rename = "_placeholder")]
    is_placeholder: bool,
    num: usize,
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let num = WRITTEN.with_borrow_mut(|attachments| {
            let attachments = attachments.as_mut()?;
            attachments.push(self.0.clone());
            Some(attachments.len() - 1)
        });
        let num = num.ok_or_else(|| ser::Error::custom("binary data outside of a Socket.IO packet"))?;
        Placeholder { is_placeholder: true, num }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Placeholder { is_placeholder, num } = Placeholder::deserialize(deserializer)?;
        READ.with_borrow(|attachments| attachments.as_ref()?.get(num).filter(|_| is_placeholder).cloned())
            .map(Self)
            .ok_or_else(|| de::Error::custom("not binary data"))
    }
}

impl From<Bytes> for Binary {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

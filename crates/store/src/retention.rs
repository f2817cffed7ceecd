use roomkey_model::{ChannelId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Pending;

/// How much of a channel is kept. Without either bound: all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Retention {
    /// Seconds after which a message is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u64>,
    /// Messages that are kept, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
}

impl Retention {
    /// Whether nothing is removed.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// What both allow to be kept.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let lesser = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            max_age_s: lesser(self.max_age_s, other.max_age_s),
            max_messages: lesser(self.max_messages, other.max_messages),
        }
    }

    /// A message that is older than this is removed.
    pub(crate) fn oldest(self, now: Timestamp) -> Option<Timestamp> {
        self.max_age_s.map(|age_s| Timestamp(now.0.saturating_sub(age_s.saturating_mul(1000))))
    }
}

/// Channels that have more than they may keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Those that were found.
    pub channels: Vec<ChannelId>,
    /// Where to look on; none at the end.
    pub next: Option<ChannelId>,
}

/// The removal of old messages. Part of [`Store`](crate::Store).
///
/// What is removed is always the beginning of a channel: what is left has no gap. It leaves no trace, unlike a message
/// that somebody deletes, and nobody is told. What `server` says holds for every channel; a channel can only keep less.
pub trait RetentionStore: Send + Sync {
    /// Looks at `limit` channels, by id, after `after`, for those that have messages to remove.
    fn overdue(
        &self,
        server: Retention,
        now: Timestamp,
        after: Option<&ChannelId>,
        limit: usize,
    ) -> Pending<Overdue>;

    /// Removes messages of the channel that it may not keep, the oldest first, at most `limit`; tells how many.
    fn trim(&self, channel: &ChannelId, server: Retention, now: Timestamp, limit: usize) -> Pending<usize>;
}

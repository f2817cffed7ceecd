use roomkey_model::Timestamp;
use roomkey_store::{Retention, Store, StoreError};

/// Messages that go in one write. Other writes find their place between two of these.
const BATCH: usize = 256;

/// Channels that are looked at in one read.
const PAGE: usize = 500;

/// Removes the messages that channels may not keep any more, in small batches; tells how many.
///
/// `server` is what holds for all channels; what an owner has set for one can only be less. To be called from time to
/// time: what is left when it fails is removed by the next call.
pub async fn trim(store: &dyn Store, server: Retention, now: Timestamp) -> Result<usize, StoreError> {
    let (mut gone, mut after) = (0, None);
    loop {
        let found = store.overdue(server, now, after.as_ref(), PAGE).await?;
        for channel in &found.channels {
            loop {
                let count = store.trim(channel, server, now, BATCH).await?;
                gone += count;
                if count < BATCH {
                    break;
                }
            }
        }
        after = found.next;
        if after.is_none() {
            return Ok(gone);
        }
    }
}

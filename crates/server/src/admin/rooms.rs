//! `/api/rooms`: where sockets are.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::{Json, extract::State};
use roomkey_hub::RoomKey;
use roomkey_model::{ChannelId, ErrorCode, Failure, RoomName};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::yield_now;

use super::{
    AdminPage, connections,
    guard::{PathParts, Seeing},
    paging::{Asked, cursor, limit, non_empty, position, wrong_cursor},
    routes::Routes,
    selection::Filter,
};
use crate::{rest::ApiError, serve::NAMESPACE};

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/rooms", list).get("/api/rooms/{name}", one)
}

/// Members that are shown with their room.
const MEMBERS: usize = 100;
/// Rooms that are looked at before others have their turn.
const AT_ONCE: usize = 2048;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default, deserialize_with = "non_empty")]
    q: Option<String>,
}

/// Where a room stands in the list: the fullest first.
type Place = (Reverse<usize>, Arc<str>, RoomName);

async fn list(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    Asked(which): Asked<Which>,
) -> Result<Json<Value>, ApiError> {
    let limit = limit(which.limit, &page)?;
    let after = position(which.cursor.as_deref())?.map(|text| place(&text).ok_or_else(wrong_cursor));
    let after = after.transpose()?;
    let rooms = counted(&page, which.q.as_deref().unwrap_or_default()).await;
    let total = rooms.len();
    let mut first: BTreeSet<Place> = BTreeSet::new();
    for (count, (key, sockets)) in (1..).zip(rooms) {
        if count % AT_ONCE == 0 {
            yield_now().await;
        }
        let RoomKey { namespace, room: Some(name) } = key else { continue };
        let place = (Reverse(sockets), namespace, name);
        let is_first = first.len() <= limit || first.last().is_some_and(|last| place < *last);
        if is_first && after.as_ref().is_none_or(|after| place > *after) {
            first.insert(place);
            if first.len() > limit + 1 {
                first.pop_last();
            }
        }
    }
    let has_more = first.len() > limit;
    if has_more {
        first.pop_last();
    }
    let next = first.last().filter(|_| has_more);
    let next = next
        .map(|(Reverse(sockets), namespace, name)| cursor(&json!([sockets, &**namespace, name]).to_string()));
    let mut rooms = Vec::new();
    for (Reverse(sockets), namespace, name) in &first {
        rooms.push(view(&page, &RoomKey::room(namespace, name), *sockets).await?);
    }
    Ok(Json(json!({ "rooms": rooms, "next": next, "total": total })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InNamespace {
    #[serde(default, deserialize_with = "non_empty")]
    namespace: Option<String>,
}

async fn one(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    PathParts(name): PathParts<String>,
    Asked(InNamespace { namespace }): Asked<InNamespace>,
) -> Result<Json<Value>, ApiError> {
    let name = connections::room(&name)?;
    let namespace: Arc<str> = namespace.as_deref().unwrap_or(NAMESPACE).into();
    let key = RoomKey::room(&namespace, &name);
    let filter =
        Filter { room: Some(name), namespace: Some(namespace.as_ref().to_owned()), ..Filter::default() };
    let found = filter.page(page.context(), None, MEMBERS).await;
    let sockets = page.context().node.hub().shards().iter();
    let sockets = sockets.map(|shard| shard.copy_members(&key).len()).sum();
    let room = view(&page, &key, sockets).await?;
    if sockets == 0 && room["channel"].is_null() {
        return Err(ErrorCode::NotFound.into());
    }
    let members = found.sockets.iter().filter_map(|socket| {
        let mut member = connections::view(&page, socket)?;
        member.as_object_mut()?.remove("token");
        Some(member)
    });
    let next = found.next.map(|serial| cursor(&serial.to_string()));
    Ok(Json(json!({ "room": room, "members": members.collect::<Vec<_>>(), "next": next })))
}

/// The rooms whose names begin like this, with the sockets in them. What is away and may come back counts, too. All are
/// kept until they are counted, since a room may be in several shards.
async fn counted(page: &AdminPage, text: &str) -> HashMap<RoomKey, usize> {
    let (mut all, mut some) = (HashMap::new(), Vec::new());
    for shard in page.context().node.hub().shards() {
        let mut place = Some(0);
        while let Some(from) = place {
            place = shard.copy_rooms(from, &mut some);
            for (key, members) in some.drain(..) {
                if key.room.as_ref().is_some_and(|name| name.as_str().starts_with(text)) {
                    *all.entry(key).or_insert(0) += members;
                }
            }
            yield_now().await;
        }
    }
    all
}

async fn view(page: &AdminPage, key: &RoomKey, sockets: usize) -> Result<Value, Failure> {
    let name = key.room.as_ref().map_or("", |name| name.as_str());
    let channel = match name.strip_prefix("channel:").map(ChannelId::new) {
        Some(Ok(channel)) if *key.namespace == *NAMESPACE => page.api.store.channel(&channel).await?,
        _ => None,
    };
    let channel = match channel {
        Some(channel) => Some(json!({
            "id": channel.channel,
            "name": channel.name,
            "visibility": channel.visibility,
            "members": page.api.store.count_members(&channel.channel).await?,
            "archived": channel.archived.is_some(),
        })),
        None => None,
    };
    Ok(json!({ "name": name, "namespace": &*key.namespace, "sockets": sockets, "channel": channel }))
}

fn place(text: &str) -> Option<Place> {
    let (sockets, namespace, name): (usize, String, String) = serde_json::from_str(text).ok()?;
    Some((Reverse(sockets), namespace.into(), RoomName::new(name).ok()?))
}

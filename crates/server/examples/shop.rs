//! A shop, as in docs/migration.md: `JWT_SECRET=... shop PORT`.
//!
//! - `order:create({ item })` is told to all tabs of the customer as `order:created({ item, price })`
//! - `admin:announce(text)` is for staff, and comes to all as `announcement(text)`
//! - `sendMessage({ channelId, content })` comes to the members of the channel as `message.created(message)`
//!
//! Acks are `{ data }` or `{ error, code }`.

use roomkey::{
    ErrorCode, Failure, Json, Namespace, OriginPolicy, RoomName, ServerBuilder, ServerConfig, Socket,
    TokenAuthentication,
    auth::{Algorithm, ClaimPath, HmacSecret, IssuerProfile, SecretStrength, Verifier},
};
use serde::Deserialize;
use serde_json::{Value, json};

const CHANNELS: [(&str, &[&str]); 1] = [("support", &["7", "8"])];

#[derive(Deserialize)]
struct Order {
    item: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Draft {
    channel_id: String,
    content: String,
}

type Answer = Result<Json<Value>, Failure>;

fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "3000".to_owned()).parse()?;
    let secret = std::env::var("JWT_SECRET")?;
    let secret =
        HmacSecret::new("JWT_SECRET", Algorithm::Hs256, secret.as_bytes(), SecretStrength::Required)?;
    let profile = IssuerProfile {
        roles_claim: Some(ClaimPath::new("roles")),
        ..IssuerProfile::shared_secret("shop", vec![secret])
    };
    let verifier = Verifier::new(vec![profile])?;

    let shop = Namespace::new(TokenAuthentication::new(verifier.into()))
        .on_connect(async |socket: Socket| {
            for room in rooms(&socket) {
                socket.join(&room).expect("fewer rooms than any limit");
            }
        })
        .on("order:create", async |socket: Socket, (order,): (Order,)| create(&socket, order))
        .on("admin:announce", async |socket: Socket, (text,): (String,)| announce(&socket, &text))
        .on("sendMessage", async |socket: Socket, (draft,): (Draft,)| send(&socket, draft));

    let config = ServerConfig {
        address: ([127, 0, 0, 1], port).into(),
        origins: OriginPolicy::any(),
        ..ServerConfig::default()
    };
    let server = ServerBuilder::new(config).namespace("/", shop).bind()?;
    println!("listening on {}", server.local_addr());
    server.run(std::future::pending())?;
    Ok(())
}

fn user(socket: &Socket) -> String {
    socket.user().expect("the namespace asks for a token").to_string()
}

/// The room of all tabs of the user, and those of the user's channels.
fn rooms(socket: &Socket) -> Vec<RoomName> {
    let user = user(socket);
    let channels = CHANNELS.iter().filter(|(_, members)| members.contains(&user.as_str()));
    let names = channels.map(|(id, _)| format!("channel:{id}")).chain([format!("user:{user}")]);
    names.filter_map(|name| RoomName::new(name).ok()).collect()
}

fn create(socket: &Socket, Order { item }: Order) -> Answer {
    let price = match &*item {
        "tea" => 4,
        "cake" => 6,
        _ => return Err(Failure::with_message(ErrorCode::BadPayload, "There is no such product")),
    };
    let order = json!({ "item": item, "price": price });
    let own = RoomName::new(format!("user:{}", user(socket))).map_err(|_| Failure::forbidden())?;
    socket.in_room(&own).emit("order:created", &(&order,)).map_err(|_| ErrorCode::Internal)?;
    Ok(Json(json!({ "data": order })))
}

fn announce(socket: &Socket, text: &str) -> Answer {
    let identity = socket.identity().ok_or(ErrorCode::Forbidden)?;
    if !identity.roles.iter().any(|role| &**role == "staff") {
        return Err(Failure::with_message(ErrorCode::Forbidden, "Only for staff"));
    }
    socket.everyone().emit("announcement", &(text,)).map_err(|_| ErrorCode::Internal)?;
    Ok(Json(json!({ "data": null })))
}

fn send(socket: &Socket, Draft { channel_id, content }: Draft) -> Answer {
    let channel = RoomName::new(format!("channel:{channel_id}")).map_err(|_| Failure::forbidden())?;
    if !socket.is_in(&channel) {
        return Err(Failure::forbidden());
    }
    let identity = socket.identity().ok_or(ErrorCode::Forbidden)?;
    let sender = json!({ "id": identity.user, "username": identity.name.as_deref() });
    let message =
        json!({ "channelId": channel_id, "content": content, "userId": identity.user, "user": sender });
    socket.in_room(&channel).emit("message.created", &(&message,)).map_err(|_| ErrorCode::Internal)?;
    Ok(Json(json!({ "data": message })))
}

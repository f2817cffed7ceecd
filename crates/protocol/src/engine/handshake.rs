use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The first packet of a session: what the server tells a client about it.
///
/// The keys are written in the order in which the reference server writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake<'a> {
    /// The Engine.IO session id: a secret of this client, not the public id of a socket.
    #[serde(borrow)]
    pub sid: Cow<'a, str>,
    /// Transports this session may change to: `websocket` on polling, none on WebSocket.
    pub upgrades: Cow<'a, [Cow<'a, str>]>,
    /// Time from a pong to the next ping.
    #[serde(rename = "pingInterval")]
    pub ping_interval_ms: u64,
    /// Time in which a ping must be answered.
    #[serde(rename = "pingTimeout")]
    pub ping_timeout_ms: u64,
    /// Bytes the client may send in one frame or request.
    pub max_payload: usize,
}

impl<'a> Handshake<'a> {
    /// The upgrades of a polling session that may change to WebSocket.
    pub const TO_WEBSOCKET: &'static [Cow<'static, str>] = &[Cow::Borrowed("websocket")];

    /// The text of the open packet.
    pub fn encode(&self) -> String {
        let json = serde_json::to_string(self).expect("text and numbers always serialize");
        format!("0{json}")
    }

    /// Reads the data of a server's [`super::Packet::Open`].
    pub fn decode(data: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_reference_server_writes_it() {
        let handshake = Handshake {
            sid: Cow::Borrowed("H9Zact3TcxjWWibJAAFA"),
            upgrades: Cow::Borrowed(Handshake::TO_WEBSOCKET),
            ping_interval_ms: 25_000,
            ping_timeout_ms: 20_000,
            max_payload: 1_000_000,
        };
        let text = r#"0{"sid":"H9Zact3TcxjWWibJAAFA","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(handshake.encode(), text);
        assert_eq!(text.len(), 118);
        assert_eq!(Handshake::decode(&text[1..]).expect("our own"), handshake);

        let handshake = Handshake { upgrades: Cow::Borrowed(&[]), ..handshake };
        assert!(handshake.encode().contains(r#""upgrades":[],"#));
    }
}

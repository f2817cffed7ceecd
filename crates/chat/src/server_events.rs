/// The families of events that the server alone sends, and those outside of a family.
const FAMILIES: [&str; 6] = ["auth:", "channel.", "member.", "message.", "presence.", "typing."];
const OTHERS: [&str; 3] = ["error", "room:evicted", "roomJoined"];

/// Whether clients may trust that an event of this name comes from the server itself. No backend emits it, and no
/// backend handles it.
pub fn is_server_event(event: &str) -> bool {
    OTHERS.contains(&event) || FAMILIES.iter().any(|family| event.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_said_by_nobody_else() {
        for event in ["message.created", "message.", "auth:expired", "typing.update", "roomJoined", "error"] {
            assert!(is_server_event(event), "{event}");
        }
        for event in
            ["order:created", "message", "messages.created", "Message.created", "errors", "room:x", ""]
        {
            assert!(!is_server_event(event), "{event}");
        }
    }
}

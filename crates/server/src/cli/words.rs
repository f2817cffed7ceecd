//! Answers in words.

use roomkey_model::Timestamp;

/// The time, and how far it is from now.
pub(super) fn in_time(time: Timestamp, now: Timestamp) -> String {
    let (is_past, seconds) = (time < now, time.since_ms(now).max(now.since_ms(time)) / 1000);
    let distance = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if is_past { format!("{time} ({distance} ago)") } else { format!("{time} (in {distance})") }
}

/// `1 socket`, `2 sockets`.
pub(super) fn count(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Nothing that a token or a user says may move the cursor, or reorder what is on the screen.
pub(super) fn printable(text: &str) -> String {
    let is_unsafe = |character: char| {
        character.is_control()
            || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let escape = |character: char| match is_unsafe(character) {
        true => character.escape_unicode().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escape).collect()
}

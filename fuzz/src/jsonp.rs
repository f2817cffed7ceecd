//! JSONP: what a page is told is the payload as a string and nothing else, and what a form was made of comes out of it.

use std::fmt::Write;

use roomkey_protocol::engine::jsonp;

/// Pieces of forms.
pub const DICTIONARY: &[&[u8]] = &[
    b"d=",
    b"&",
    b"%5C",
    b"%0A",
    b"\\n",
    b"\\\\n",
    b"\\",
    b"\n",
    b"+",
    b"\xe2\x80\xa8",
    b"</script>",
    b"1:6",
];

/// Reads a body, and writes it as a script and as a form.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(payload) = jsonp::decode(text) {
        assert!(payload.len() <= 3 * text.len(), "nothing is added");
    }

    let script = jsonp::encode(7, text);
    let literal = script.strip_prefix("___eio[7](").and_then(|rest| rest.strip_suffix(");")).expect("a call");
    assert!(!literal.contains(['\u{2028}', '\u{2029}', '\n', '\r']), "no line of JavaScript ends in it");
    assert_eq!(serde_json::from_str::<String>(literal).expect("a string"), text);

    if text.contains("\\\n") {
        // Before a newline a backslash is lost by the stock client itself.
        return;
    }
    let mut form = "x=y&d=".to_owned();
    // As the stock client does: the browser turns newlines in forms into others.
    for byte in text.replace("\\n", "\\\\n").replace('\n', "\\n").bytes() {
        write!(form, "%{byte:02x}").expect("a string");
    }
    assert_eq!(jsonp::decode(&form).as_deref(), Ok(text));
}

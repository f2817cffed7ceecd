use std::fs;

use super::{SECRET, Site, UNSET};

#[test]
fn errors_in_the_file_name_line_and_key() {
    let cases = [
        (
            "[auth]\n\njwt_secrt = 1",
            "roomkey.toml:3: unknown key `auth.jwt_secrt`; did you mean `jwt_secret`?",
        ),
        ("\n[sever]", "roomkey.toml:2: unknown key `sever`; did you mean `server`?"),
        (
            "[limits]\nmessage_byte = 5",
            "roomkey.toml:2: unknown key `limits.message_byte`; did you mean `message_bytes`?",
        ),
        (
            "[chat]\nport = 1",
            "roomkey.toml:2: unknown key `chat.port`; the keys here are `dashed_personal_rooms`, `demo_page`, \
             `edit_window_s`, `history`, `retention_days`, `retention_messages`",
        ),
        ("server = 5", "roomkey.toml:1: server: must be a table"),
        (
            "[server]\nlisten = 'nowhere'",
            "roomkey.toml:2: server.listen: must be an IP address and a port, such as `127.0.0.1:3000`",
        ),
        (
            "[server]\ntrusted_proxies = ['10.0.0.0/8', '10.0.0.0/33']",
            "roomkey.toml:2: server.trusted_proxies: `10.0.0.0/33` is no IP address or network, such as `192.0.2.1` or `10.0.0.0/8`",
        ),
        (
            "[server]\nforwarded_header = 'x-real-ip'",
            "roomkey.toml:2: server.forwarded_header: must be one of `forwarded`, `x-forwarded-for`",
        ),
        ("[server]\nthreads = '2'", "roomkey.toml:2: server.threads: must be a whole number"),
        ("[server]\nthreads = -2", "roomkey.toml:2: server.threads: must be a whole number"),
        ("[server]\nthreads = 0", "roomkey.toml:2: server.threads: must be from 1 to 64"),
        (
            "[limits]\nfragments_per_message = 4294967296",
            "roomkey.toml:2: limits.fragments_per_message: is out of range",
        ),
        (
            "[limits]\nchannels_per_user = 300",
            "limits.rooms_per_socket: must be at least 4 more than limits.channels_per_user",
        ),
        ("[auth]\nregistration = 1", "roomkey.toml:2: auth.registration: must be `true` or `false`"),
        (
            "[auth]\ncookie = 'a b'",
            "roomkey.toml:2: auth.cookie: must be the name of a cookie: letters, digits and `-_.`",
        ),
        (
            "[auth]\nbuiltin = false",
            "roomkey.toml:2: auth.builtin: nobody could log in: turn it on, or set auth.jwt_secret or [[auth.issuers]]",
        ),
        (
            "[auth]\naccess_token_lifetime_s = 0",
            "roomkey.toml:2: auth.access_token_lifetime_s: must be from 1 second to 31 days",
        ),
        ("[log]\nformat = 'xml'", "roomkey.toml:2: log.format: must be one of `auto`, `human`, `json`"),
        (
            "[engine]\npath = 'x'",
            "roomkey.toml:2: engine.path: must be a path such as `/socket.io/`, of letters, digits and `-._~/`",
        ),
        ("[engine]\ntransports = []", "roomkey.toml:2: engine.transports: must name a transport"),
        (
            "[engine]\ntransports = [\n  'polling',\n  'carrier pigeon',\n]",
            "roomkey.toml:4: engine.transports[1]: must be one of `polling`, `websocket`",
        ),
        ("[engine]\nping_interval_ms = 0", "roomkey.toml:2: engine.ping_interval_ms: must not be 0"),
        ("[http]\norigins = 'https://a.example'", "roomkey.toml:2: http.origins: must be a list"),
        (
            "[http]\norigins = ['*', 'https://a.example']",
            "roomkey.toml:2: http.origins: `*` must be alone: it already allows every origin",
        ),
        (
            "[http]\norigins = ['a.example']",
            "roomkey.toml:2: http.origins: `a.example` must be `http://host`, `https://host` or the same \
             with `:port`, and nothing after it",
        ),
        ("[server]\nlisten = 1\nlisten = 2", "roomkey.toml:3: duplicate key"),
        ("[[auth.issuers]]", "roomkey.toml:1: auth.issuers[0]: needs the key `name`"),
        (
            "[[auth.issuers]]\nname = 'a'\n[[auth.issuers]]\nnam = 'b'",
            "roomkey.toml:4: unknown key `auth.issuers[1].nam`; did you mean `name`?",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(Site::new(file).refusal(UNSET), expected, "{file}");
    }
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let site = Site::new("");
    fs::remove_file(site.path("roomkey.toml")).unwrap();
    let refusal = site.refusal(UNSET);
    assert_eq!(refusal, "roomkey.toml: cannot read the file: No such file or directory (os error 2)");
}

#[test]
fn errors_in_the_environment_name_the_variable() {
    let cases = [
        (
            "ROOMKEY__SERVER__LISTN",
            "x",
            "ROOMKEY__SERVER__LISTN: unknown key `server.listn`; did you mean `listen`?",
        ),
        (
            "ROOMKEY__SERVR__LISTEN",
            "x",
            "ROOMKEY__SERVR__LISTEN: unknown key `servr`; did you mean `server`?",
        ),
        ("ROOMKEY__LISTEN", "x", "ROOMKEY__LISTEN: must be of the form ROOMKEY__SECTION__KEY"),
        ("ROOMKEY__SERVER__THREADS", "many", "ROOMKEY__SERVER__THREADS: must be a whole number"),
        ("ROOMKEY__AUTH__BUILTIN", "yes", "ROOMKEY__AUTH__BUILTIN: must be `true` or `false`"),
        ("ROOMKEY__AUTH__ISSUERS", "a", "ROOMKEY__AUTH__ISSUERS: must be a table"),
        (
            "ROOMKEY__ENGINE__TRANSPORTS",
            "polling,pigeon",
            "ROOMKEY__ENGINE__TRANSPORTS: must be one of `polling`, `websocket`",
        ),
        (
            "ROOMKEY__ENGINE__TRANSPORTS",
            "['polling'",
            "ROOMKEY__ENGINE__TRANSPORTS: is not a list as in the file, nor one with commas",
        ),
        (
            "ROOMKEY__AUTH__JWT_SECRET_FILE",
            "/nowhere",
            "ROOMKEY__AUTH__JWT_SECRET_FILE: cannot read /nowhere: No such file or directory (os error 2)",
        ),
        ("JWT_SECRET", "", "JWT_SECRET: must not be empty"),
        (
            "JWT_SECRET",
            "-----BEGIN PUBLIC KEY-----",
            "JWT_SECRET: holds a PEM, JWK, SSH or DER key, not a secret",
        ),
    ];
    for (name, value, expected) in cases {
        assert_eq!(Site::new("").refusal([(name, value)]), expected, "{name}");
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let site = Site::new(&format!(
        "[auth]\njwt_secret = '{SECRET}'\njwt_secret_previous = ['x{SECRET}']
         [[auth.issuers]]\nname = 'a'\nissuer = 'a'\nsecrets = ['y{SECRET}']"
    ));
    let config = site.load(UNSET).unwrap();
    let debug = format!("{config:?} {config:#?}");
    assert!(debug.contains("[REDACTED]"));
    assert!(!debug.contains(SECRET));
    // Nor where the file is wrong.
    let cases = [
        format!("[auth]\njwt_secret = '{SECRET}"),
        format!("[auth]\njwt_secret = {SECRET}"),
        format!("[auth]\njwt_secret = ['{SECRET}']"),
        format!("[auth]\njwt_secret_previous = '{SECRET}'"),
        format!("[auth]\ncookie = ['{SECRET}']"),
        format!("[auth]\nregistration = '{SECRET}'"),
        format!("[log]\nlevel = '{SECRET}'"),
        format!("[server]\nlisten = '{SECRET}'"),
    ];
    for file in cases {
        let refusal = Site::new(&file).refusal(UNSET);
        assert!(!refusal.contains(&SECRET[..8]), "{refusal}");
    }
}

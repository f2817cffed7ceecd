use super::{Site, UNSET};
use crate::admin::{Page, PageState};

#[test]
fn it_is_on_this_machine_by_default() {
    let config = Site::new("").load(UNSET).unwrap();
    assert!(config.admin.listen.ip().is_loopback() && config.admin.listen != config.server.listen);
    let url = Some("http://127.0.0.1:3001".to_owned());
    assert_eq!(config.admin_page(), Page { state: PageState::Closed, url });
}

#[test]
fn it_is_not_open_to_a_network_as_it_is() {
    const NO_URL: &str = "must be set where admin.listen is not a loopback address: to the `https://` origin of the \
        proxy that browsers reach the page through";
    let cases = [
        ("[admin]\nlisten = '0.0.0.0:3001'", format!("admin.url: {NO_URL}")),
        ("[admin]\nlisten = '[::]:3001'", format!("admin.url: {NO_URL}")),
        (
            "[admin]\nlisten = '10.0.0.1:3001'\nurl = 'http://admin.example.com'",
            "roomkey.toml:3: admin.url: must begin with `https://`: passwords are sent there".to_owned(),
        ),
        (
            "[admin]\nurl = 'http://admin.example.com'",
            "roomkey.toml:2: admin.url: must begin with `https://`: passwords are sent there".to_owned(),
        ),
        (
            "[admin]\nurl = 'https://admin.example.com/page'",
            "roomkey.toml:2: admin.url: `https://admin.example.com/page` must be `http://host`, `https://host` or the same \
             with `:port`, and nothing after it"
                .to_owned(),
        ),
        (
            "[admin]\nlisten = '127.0.0.1:3000'",
            "roomkey.toml:2: admin.listen: must be another address or port than server.listen".to_owned(),
        ),
        (
            "[admin]\nauth = false",
            "roomkey.toml:2: unknown key `admin.auth`; the keys here are `enabled`, `listen`, `url`".to_owned(),
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(Site::new(file).refusal(UNSET), expected, "{file}");
    }
    for file in [
        "[admin]\nlisten = '0.0.0.0:3001'\nurl = 'https://admin.example.com'",
        "[admin]\nurl = 'http://localhost:8080'",
        "[admin]\nenabled = false\nlisten = '0.0.0.0:3001'",
    ] {
        assert!(Site::new(file).load(UNSET).is_ok(), "{file}");
    }
    let off = Site::new("[admin]\nenabled = false").load(UNSET).unwrap();
    assert_eq!(off.admin_page(), Page { state: PageState::Off, url: None });
}

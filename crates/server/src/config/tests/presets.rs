use super::{SECRET, Site, UNSET};
use crate::config::MissingKey;

fn site(keys: &str) -> Site {
    let keys = keys.replace("SECRET", SECRET);
    Site::new(&format!("\n[[auth.issuers]]\nname = 'a'\n{keys}"))
}

#[test]
fn what_a_preset_needs_is_said() {
    let cases = [
        (
            "preset = 'okta'",
            "roomkey.toml:4: auth.issuers[0].preset: must be one of `auth0`, `authjs`, `clerk`, `cognito`, \
             `firebase`, `keycloak`, `nextauth`, `supabase`",
        ),
        ("preset = 'auth0'", "auth.issuers[0].issuer: is missing, such as `https://tenant.eu.auth0.com/`"),
        (
            "preset = 'auth0'\nissuer = 'https://t.eu.auth0.com'",
            "auth.issuers[0].issuer: must end with a slash, as Auth0's `iss` does: `https://tenant.eu.auth0.com/`",
        ),
        (
            "preset = 'auth0'\nissuer = 'https://t.eu.auth0.com/'",
            "auth.issuers[0].audiences: is missing: name the identifier of your API at Auth0",
        ),
        ("preset = 'clerk'", "auth.issuers[0].issuer: is missing, such as `https://clerk.example.com`"),
        (
            "preset = 'clerk'\nissuer = 'https://clerk.example.com/'",
            "auth.issuers[0].issuer: must be as in `iss`, which has no slash at its end here: `https://clerk.example.com`",
        ),
        (
            "preset = 'clerk'\nissuer = 'https://clerk.example.com'",
            "auth.issuers[0].authorized_parties: is missing: name the origins of your pages (`azp`), such as `https://app.example.com`",
        ),
        ("preset = 'cognito'", "auth.issuers[0].pool: is missing, such as `eu-west-1_AbCdEf123`"),
        (
            "preset = 'cognito'\npool = 'x'",
            "auth.issuers[0].pool: must be an id such as `eu-west-1_AbCdEf123`",
        ),
        (
            "preset = 'cognito'\npool = 'eu-west-1_x'",
            "auth.issuers[0].authorized_parties: is missing: name the app clients (`client_id`) whose tokens are accepted",
        ),
        ("preset = 'firebase'", "auth.issuers[0].project: is missing: name the id of your Firebase project"),
        (
            "preset = 'keycloak'",
            "auth.issuers[0].issuer: is missing, such as `https://sso.example.com/realms/REALM`",
        ),
        (
            "preset = 'keycloak'\nissuer = 'https://sso.example.com/realms/r'",
            "auth.issuers[0].authorized_parties: is missing: name the clients (`azp`) whose tokens are accepted, or set `audiences`",
        ),
        (
            "preset = 'supabase'",
            "auth.issuers[0].project: is missing: name the reference of your project, or set `issuer`",
        ),
        ("preset = 'authjs'", "auth.issuers[0].secrets: at least one secret is needed"),
        (
            "preset = 'nextauth'\nsecrets = ['']",
            "roomkey.toml:5: auth.issuers[0].secrets[0]: must not be empty",
        ),
        (
            "preset = 'authjs'\nsecrets = ['short']",
            "roomkey.toml:5: auth.issuers[0].secrets[0]: must have at least 32 bytes for sessions; ",
        ),
        (
            "preset = 'authjs'\nsecrets = ['SECRET']\nissuer = 'https://a.example'",
            "auth.issuers[0].issuer: has no meaning here: these sessions are encrypted with a secret, not signed",
        ),
        (
            "preset = 'authjs'\nsecrets = ['SECRET']\nrequire_exp = false",
            "auth.issuers[0].require_exp: has no meaning here: these sessions are encrypted with a secret, not signed",
        ),
        ("preset = 'clerk'\nproject = 'x'", "auth.issuers[0].project: is for `firebase` and `supabase`"),
        ("preset = 'clerk'\npool = 'x'", "auth.issuers[0].pool: is for `cognito`"),
        (
            "preset = 'clerk'\ncookie = '__session'",
            "auth.issuers[0].cookie: is for `authjs` and `nextauth`; the cookie of tokens is auth.cookie",
        ),
        ("secrets = ['SECRET']\nproject = 'x'", "auth.issuers[0].project: needs a `preset`"),
        (
            "secrets = ['SECRET']\naccept_as_token = true",
            "auth.issuers[0].accept_as_token: is for `authjs` and `nextauth`; ",
        ),
        (
            "preset = 'cognito'\npool = 'eu-west-1_x'\nauthorized_parties = ['c']\nrequired_claims = { token_use = 'id' }",
            "auth.issuers[0].required_claims: `token_use` must be `access` for this preset",
        ),
    ];
    for (keys, expected) in cases {
        let refusal = site(keys).refusal(UNSET);
        let refusal = refusal.strip_prefix("roomkey.toml:2: ").unwrap_or(&refusal);
        assert!(refusal.starts_with(expected), "{keys}\n{refusal}\n{expected}");
    }
}

#[test]
fn where_keys_are_fetched_from() {
    let cases = [
        (
            "preset = 'auth0'\nissuer = 'https://t.eu.auth0.com/'\naudiences = ['api']",
            Some("t.eu.auth0.com/.well-known/jwks.json"),
        ),
        (
            "preset = 'clerk'\nissuer = 'https://clerk.example.com'\nauthorized_parties = ['https://app.example.com']",
            Some("clerk.example.com/.well-known/jwks.json"),
        ),
        (
            "preset = 'cognito'\npool = 'eu-west-1_AbC'\nauthorized_parties = ['c']",
            Some("cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC/.well-known/jwks.json"),
        ),
        (
            "preset = 'cognito'\npool = 'cn-north-1_AbC'\nauthorized_parties = ['c']",
            Some("cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC/.well-known/jwks.json"),
        ),
        (
            "preset = 'firebase'\nproject = 'p'",
            Some("www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"),
        ),
        (
            "preset = 'keycloak'\nissuer = 'https://sso.example.com/realms/r'\nauthorized_parties = ['c']",
            Some("sso.example.com/realms/r/protocol/openid-connect/certs"),
        ),
        ("preset = 'supabase'\nproject = 'ref'", Some("ref.supabase.co/auth/v1/.well-known/jwks.json")),
        (
            "preset = 'supabase'\nproject = 'ref'\nsecrets = ['SECRET']",
            Some("ref.supabase.co/auth/v1/.well-known/jwks.json"),
        ),
        ("preset = 'supabase'\nproject = 'ref'\nsecrets = ['SECRET']\nalgorithms = ['HS256']", None),
        (
            "preset = 'supabase'\nissuer = 'https://db.example.com/auth/v1'\njwks_url = 'https://keys.example.com:1/k'",
            Some("keys.example.com:1/k"),
        ),
        (
            "issuer = 'https://a.example'\naudiences = ['x']\njwks_url = 'https://a.example/k'",
            Some("a.example/k"),
        ),
        ("preset = 'authjs'\nsecrets = ['SECRET']", None),
        ("preset = 'nextauth'\nsecrets = ['SECRET', 'xSECRET']\ncookie = 's'\naccept_as_token = true", None),
    ];
    for (keys, expected) in cases {
        let setup = site(keys).setup(MissingKey::Pretend);
        let urls: Vec<_> = setup.key_sets.iter().map(|set| set.url.to_string()).collect();
        assert_eq!(urls, expected.map(|url| format!("https://{url}")).as_slice(), "{keys}");
    }
}

#[test]
fn where_keys_are_not_fetched_from() {
    let with = |keys: &str| format!("issuer = 'https://a.example'\naudiences = ['x']\n{keys}");
    let not_https = "must begin with `https://`, so that nobody in between can change what is said";
    let cases = [
        ("jwks_url = 'x'", "must be a URL such as `https://idp.example/keys`"),
        ("jwks_url = 'http://a.example/'", not_https),
        ("jwks_url = 'http://127.0.0.1/'", not_https),
        ("jwks_url = 'file:///etc/passwd'\njwks_allow_http = true", "must be a URL such as "),
        ("jwks_url = 'http://a.example/'\njwks_allow_http = true", not_https),
        ("jwks_url = 'http://10.0.0.1/'\njwks_allow_http = true\njwks_allow_private = true", not_https),
        ("jwks_url = 'https://u:p@a.example/'", "must not have a user name or a password in it"),
    ];
    for (keys, expected) in cases {
        let refusal = site(&with(keys)).refusal(UNSET);
        let expected = format!("roomkey.toml:2: auth.issuers[0].jwks_url: {expected}");
        assert!(refusal.starts_with(&expected), "{keys}\n{refusal}\n{expected}");
    }
    assert_eq!(
        site("issuer = 'https://a.example'\njwks_url = 'https://a.example/'").refusal(UNSET),
        "roomkey.toml:2: auth.issuers[0].audiences: an issuer with public keys serves others too: \
         name an audience, an authorized party or a required claim"
    );
    assert_eq!(
        site(&with("jwks_url = 'https://a.example/'\nalgorithms = ['HS256']")).refusal(UNSET),
        "roomkey.toml:2: auth.issuers[0].algorithms: the keys that an issuer publishes are public ones: \
         name an algorithm for them"
    );
    assert_eq!(
        site(&with("jwks_url = 'https://a.example/'\nalgorithms = ['HS256', 'RS256']")).refusal(UNSET),
        "roomkey.toml:2: auth.issuers[0].algorithms: an algorithm with a secret is in this list, but there is no \
         secret for it"
    );
    let local = site(&with("jwks_url = 'http://localhost:1/'\njwks_allow_http = true"));
    let warning = "issuer a: its keys are fetched without TLS".to_owned();
    assert!(local.warnings().contains(&warning));
    assert!(
        !site(&with("jwks_url = 'https://localhost:1/'\njwks_allow_private = true"))
            .warnings()
            .contains(&warning)
    );
}

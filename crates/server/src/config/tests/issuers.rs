use std::fs;

use super::{
    SECRET, Site, UNSET,
    auth::{NOW, token_of},
};
use crate::config::MissingKey;

const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAisxo805orh8t71bVrBSZhlmaxyNicZ33MOw+Id4DhFQ=
-----END PUBLIC KEY-----";

#[test]
fn what_is_wrong_with_an_issuer_is_said_where_it_is_configured() {
    let cases = [
        ("", "roomkey.toml:2: auth.issuers[0].keys: at least one key is needed"),
        (
            "algorithms = ['HS999']",
            "roomkey.toml:4: auth.issuers[0].algorithms[0]: must be one of `EdDSA`, `ES256`, `ES384`, `HS256`, `HS384`, \
             `HS512`, `PS256`, `RS256`, `RS384`, `RS512`",
        ),
        (
            "algorithms = ['HS256', 'HS384']\nsecrets = ['SECRET']",
            "roomkey.toml:4: auth.issuers[0].algorithms: secrets need exactly one of `HS256`, `HS384` and `HS512`",
        ),
        (
            "algorithms = ['HS256']\naudiences = ['x']\npublic_keys = ['''KEY''']",
            "roomkey.toml:2: auth.issuers[0].algorithms: a key is configured for an algorithm that is not in this list",
        ),
        (
            "secrets = ['SECRET', 'xSECRET']\nkid = 'x'",
            "roomkey.toml:5: auth.issuers[0].kid: names one key, but there are others",
        ),
        (
            "secrets = ['SECRET']\nleeway_s = 90",
            "roomkey.toml:2: auth.issuers[0].leeway: must be at most 60 s",
        ),
        (
            "public_keys = ['''KEY''']",
            "roomkey.toml:2: auth.issuers[0].audiences: an issuer with public keys serves others too: \
             name an audience, an authorized party or a required claim",
        ),
        ("public_keys = ['x']", "roomkey.toml:4: auth.issuers[0].public_keys[0]: is not one PEM block"),
        (
            "public_key_files = ['/nowhere']",
            "roomkey.toml:4: auth.issuers[0].public_key_files[0]: cannot read /nowhere: No such file or directory (os error 2)",
        ),
        (
            "token_type = 'any'",
            "roomkey.toml:4: auth.issuers[0].token_type: must be one of `access-token`, `access-token-or-jwt`, `jwt`",
        ),
        (
            "secrets = ['SECRET']\nuser_prefix = ''",
            "auth.issuers: every issuer needs a user prefix of its own; one may be empty",
        ),
        ("secrets = ['SECRET']\nissuer = 'roomkey'", "auth.issuers: two issuers have the same `iss`"),
    ];
    for (keys, expected) in cases {
        let keys = keys.replace("SECRET", SECRET).replace("KEY", PUBLIC_KEY);
        let rule = if keys.contains("issuer =") { "" } else { "issuer = 'https://a.example'" };
        let file = format!("\n[[auth.issuers]]\nname = 'a' \n{keys}\n{rule}");
        assert_eq!(Site::new(&file).refusal(UNSET), expected, "{keys}");
    }
}

/// The tokens of one Roomkey, verified by another that has only its public keys.
#[test]
fn tokens_of_an_issuer_with_public_keys_are_accepted() {
    let signer = Site::new("").setup(MissingKey::Pretend);
    let token = token_of(&signer);
    let site = |more: &str| {
        let site = Site::new("");
        let keys = site.path("keys.json");
        fs::write(&keys, signer.issuer.as_ref().unwrap().jwks()).unwrap();
        let file = format!(
            "[auth]\nbuiltin = false\n[[auth.issuers]]\nname = 'a'\nissuer = 'roomkey'
             public_key_files = ['{}']\ntoken_type = 'access-token'\n{more}",
            keys.display()
        );
        fs::write(site.path("roomkey.toml"), file).unwrap();
        site
    };
    let cases = [
        ("audiences = ['x', 'roomkey']", Ok("a:ada")),
        ("audiences = ['roomkey']\nuser_prefix = ''", Ok("ada")),
        ("authorized_parties = ['roomkey']\nsubject_claims = ['sid']", Ok("a:login")),
        ("required_claims = { client_id = 'roomkey' }", Ok("a:ada")),
        (
            "required_claims = { client_id = 'x' }",
            Err("a claim that the profile demands is missing or different"),
        ),
        ("audiences = ['x']", Err("the token is not meant for this audience")),
        (
            "audiences = ['roomkey']\nlifetime_max_s = 60",
            Err("the token lives longer than the profile allows"),
        ),
        ("audiences = ['roomkey']\nlifetime_max_s = 0", Ok("a:ada")),
    ];
    for (more, expected) in cases {
        let verified = site(more).setup(MissingKey::Refuse).verifier.verify(&token, NOW);
        let verified = verified.map(|identity| identity.user.to_string()).map_err(|error| error.to_string());
        assert_eq!(verified, expected.map(str::to_owned).map_err(str::to_owned), "{more}");
    }
}

/// A key of RSA in PEM form is for the algorithm that is listed.
#[test]
fn a_key_of_rsa_is_for_the_algorithm_that_is_listed() {
    let key = include_str!("../../../../auth/tests/data/rsa_e3.pem");
    let site = |algorithms: &str| {
        let keys = format!("audiences = ['x']\npublic_keys = ['''{key}''']\n{algorithms}");
        Site::new(&format!("\n[[auth.issuers]]\nname = 'a'\nissuer = 'https://a.example'\n{keys}"))
    };
    for listed in ["", "algorithms = ['PS256']", "algorithms = ['RS512']", "algorithms = ['RS256', 'RS384']"]
    {
        site(listed).setup(MissingKey::Pretend);
    }
    assert_eq!(
        site("algorithms = ['ES256']").refusal(UNSET),
        "roomkey.toml:2: auth.issuers[0].algorithms: a key is configured for an algorithm that is not in this list"
    );
}

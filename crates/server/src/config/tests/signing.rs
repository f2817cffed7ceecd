use std::fs;

use super::{Site, UNSET};
use crate::config::MissingKey;

const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "an old one of twenty-four bytes"];

/// The three sections whose requests are signed, with these lines in each.
fn sections(lines: &str) -> String {
    let url = "url = 'https://backend.example'";
    format!(
        "[auth.revalidation]\n{url}\n{lines}\n[[webhooks]]\n{url}\n{lines}\n\
         [[handlers]]\nevents = ['x']\n{url}\n{lines}\n"
    )
}

/// How many signatures each of them makes.
fn signatures(site: &Site) -> [usize; 3] {
    let setup = site.setup(MissingKey::Pretend);
    let secrets = [
        &setup.revalidation.as_ref().expect("is read").secrets,
        &setup.backends.webhooks[0].secrets,
        &setup.backends.handlers[0].secrets,
    ];
    secrets.map(|secrets| {
        let headers = secrets.headers("id", roomkey_model::Timestamp(0), b"");
        headers["webhook-signature"].to_str().expect("text").split(' ').count()
    })
}

#[test]
fn secrets_are_given_in_three_ways() {
    let directory = Site::new("");
    let file = directory.path("secrets");
    fs::write(&file, SECRETS.join("\n\n") + "\n").expect("is written");
    let [new, old] = SECRETS;
    for (lines, count) in [
        (format!("secret = '{new}'"), 1),
        (format!("secrets = ['{old}']"), 1),
        (format!("secrets = ['{new}', '{old}']"), 2),
        (format!("secret_file = '{}'", file.display()), 2),
    ] {
        assert_eq!(signatures(&Site::new(&sections(&lines))), [count; 3], "{lines}");
    }
}

#[test]
fn what_says_no_secret_or_two_things_is_refused() {
    let file = "/nowhere/secrets";
    let webhook = |lines: &str| format!("[[webhooks]]\nurl = 'https://backend.example'\n{lines}");
    let secret = SECRETS[0];
    let either = "roomkey.toml:1: webhooks[0]: must have one of `secret`, `secrets` and `secret_file`";
    let cases = [
        (webhook(""), either.to_owned()),
        (webhook(&format!("secret = '{secret}'\nsecrets = ['{secret}']")), either.to_owned()),
        (webhook("secrets = []"), "roomkey.toml:3: webhooks[0].secrets: must have 1 to 4 secrets".to_owned()),
        (
            webhook(&format!("secrets = ['{secret}', 'short']")),
            "roomkey.toml:3: webhooks[0].secrets[1]: must be at least 24 bytes long; \
             `roomkey secret generate` makes one"
                .to_owned(),
        ),
        (
            webhook(&format!("secret_file = '{file}'")),
            format!(
                "roomkey.toml:3: webhooks[0].secret_file: cannot read {file}: \
                 No such file or directory (os error 2)"
            ),
        ),
    ];
    for (file, problem) in cases {
        assert_eq!(Site::new(&file).refusal(UNSET), problem, "{file}");
    }
}

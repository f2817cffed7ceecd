use super::*;

const NOW_MS: u64 = 1_800_000_000_000;

fn limits() -> Limits {
    Limits {
        login_failures_per_account: 5,
        login_failures_per_address_per_min: 10,
        login_failures_per_address_burst: 50,
        login_failures_alarm: 100,
        ..Limits::default()
    }
}

fn address(n: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(0xc000_0200 + n).into()
}

/// Attempts with a wrong password, from addresses of their own, as often as possible; when they were made.
fn attack(logins: &Logins, account: AccountName, from_ms: u64, until_ms: u64) -> Vec<u64> {
    let (mut made, mut now_ms, mut n) = (Vec::new(), from_ms, 0);
    while now_ms < until_ms {
        n += 1;
        match logins.begin(account, address(1000 + n), now_ms) {
            Ok(attempt) => {
                attempt.failed(now_ms);
                made.push(now_ms);
            }
            Err(exceeded) => now_ms += exceeded.wait_ms,
        }
    }
    made
}

#[test]
fn guessing_at_one_account_from_a_thousand_addresses_gets_slower_and_slower() {
    let logins = Logins::new(&limits());
    let made = attack(&logins, AccountName::of("ada"), NOW_MS, NOW_MS + 24 * HOUR_MS);
    let waits: Vec<_> = made.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
    assert_eq!(waits[..12], [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128]);
    assert!(waits.iter().all(|wait| *wait <= 300), "{waits:?}");
    assert!((450..520).contains(&made.len()), "20 an hour in the long run, not {}", made.len());
}

#[test]
fn who_logged_in_from_a_network_lately_is_not_kept_out_by_attacks_from_elsewhere() {
    let logins = Logins::new(&limits());
    let ada = AccountName::of("ada");
    logins.begin(ada, address(1), NOW_MS).ok().unwrap().succeeded(NOW_MS);
    attack(&logins, ada, NOW_MS, NOW_MS + HOUR_MS);
    let now_ms = NOW_MS + HOUR_MS;
    assert!(logins.begin(ada, address(2), now_ms).is_err(), "strangers wait");
    for _ in 0..100 {
        logins.begin(ada, address(1), now_ms).ok().unwrap().succeeded(now_ms);
    }
}

#[test]
fn whoever_shares_a_network_with_the_user_has_no_more_tries_than_others() {
    let logins = Logins::new(&limits());
    let ada = AccountName::of("ada");
    logins.begin(ada, address(1), NOW_MS).ok().unwrap().succeeded(NOW_MS);
    for _ in 0..5 {
        logins.begin(ada, address(1), NOW_MS).ok().unwrap().failed(NOW_MS);
    }
    assert_eq!(logins.begin(ada, address(1), NOW_MS).err().unwrap().wait_ms, 1000);
}

#[test]
fn an_account_is_a_stranger_again_where_nobody_logged_in_for_a_month() {
    let logins = Logins::new(&limits());
    let ada = AccountName::of("ada");
    logins.remember(ada, address(1), NOW_MS, NOW_MS);
    assert!(logins.begin(ada, address(1), NOW_MS + ACQUAINTED_MS - 1).ok().unwrap().is_acquainted);
    assert!(!logins.begin(ada, address(1), NOW_MS + ACQUAINTED_MS).ok().unwrap().is_acquainted);
    assert!(
        !logins.begin(AccountName::of("bob"), address(1), NOW_MS + ACQUAINTED_MS).ok().unwrap().is_acquainted
    );
}

#[test]
fn stolen_passwords_tried_from_one_address_are_refused_beyond_its_budget() {
    let logins = Logins::new(&limits());
    let known = AccountName::of("regular");
    logins.begin(known, address(1), NOW_MS).ok().unwrap().succeeded(NOW_MS);
    let tried = (0..10_000).filter(|n| {
        logins.begin(AccountName::of(&format!("user{n}")), address(1), NOW_MS).is_ok_and(|attempt| {
            attempt.failed(NOW_MS);
            true
        })
    });
    assert_eq!(tried.count(), 50);
    let exceeded = logins.begin(AccountName::of("ada"), address(1), NOW_MS).err().unwrap();
    assert_eq!((exceeded.policy.limit, exceeded.wait_ms), (Limit::LoginFailuresPerAddress, 6000));
    assert!(logins.begin(AccountName::of("ada"), address(2), NOW_MS).is_ok(), "elsewhere");
    logins.begin(known, address(1), NOW_MS).ok().unwrap().succeeded(NOW_MS);
}

#[test]
fn one_try_at_each_account_from_a_place_of_its_own_sets_off_the_alarm_and_keeps_nobody_out() {
    let logins = Logins::new(&limits());
    let mut moods = Vec::new();
    for n in 0..1000 {
        let attempt = logins.begin(AccountName::of(&format!("user{n}")), address(n), NOW_MS);
        moods.push(attempt.ok().unwrap().failed(NOW_MS).0);
    }
    assert_eq!(moods.iter().filter(|mood| **mood == Mood::Calm).count(), 99);
    assert_eq!(moods.iter().filter(|mood| **mood == Mood::AlarmBegins).count(), 1);
    logins.begin(AccountName::of("ada"), address(5000), NOW_MS).ok().unwrap().succeeded(NOW_MS);
}

#[test]
fn what_an_account_has_to_wait_for_survives_a_restart() {
    let logins = Logins::new(&limits());
    let ada = AccountName::of("ada");
    let fail = |address| logins.begin(ada, address, NOW_MS).ok().unwrap().failed(NOW_MS).1;
    assert!((0..4).all(|n| fail(address(n)).is_none()), "nothing to wait for yet");
    let stored = fail(address(4)).unwrap();
    let after = Logins::new(&limits());
    after.restore(&stored, NOW_MS + 500);
    assert_eq!(after.begin(ada, address(5), NOW_MS + 500).err().unwrap().wait_ms, 500);
    after.begin(ada, address(5), NOW_MS + 1000).ok().unwrap().failed(NOW_MS + 1000);
    let exceeded = after.begin(ada, address(6), NOW_MS + 1000).err().unwrap();
    assert_eq!(exceeded.wait_ms, 2000, "twice as long, as if nothing had happened");
}

#[test]
fn attempts_that_run_side_by_side_are_counted_before_they_fail() {
    let logins = Logins::new(&limits());
    let ada = AccountName::of("ada");
    let running: Vec<_> = (0..1000).filter_map(|n| logins.begin(ada, address(n), NOW_MS).ok()).collect();
    assert_eq!(running.len(), 5);
}

#[test]
fn what_succeeded_or_was_no_attempt_does_not_count() {
    let logins = Logins::new(&limits());
    for n in 0..1000 {
        let name = AccountName::of(&format!("user{n}"));
        logins.begin(name, address(1), NOW_MS).ok().unwrap().succeeded(NOW_MS);
        logins.begin(AccountName::of("ada"), address(1), NOW_MS).ok().unwrap().withdraw(NOW_MS);
    }
    let mut headers = HeaderMap::new();
    logins.describe(address(1), NOW_MS, &mut headers);
    assert_eq!(headers["ratelimit-policy"], r#""login";q=50;w=300"#);
    assert_eq!(headers["ratelimit"], r#""login";r=50;t=0"#);
}

#[test]
fn all_spellings_of_a_name_are_one_account_and_nothing_of_the_name_is_kept() {
    assert_eq!(AccountName::of("Ada@Example.com"), AccountName::of("ada@example.com"));
    assert_ne!(AccountName::of("ada"), AccountName::of("adb"));
    assert!(!format!("{:?}", AccountName::of("ada")).contains("ada"));
}

/// Who gives an attempt up does not free others from the wait that they have brought upon themselves.
#[test]
fn an_attempt_that_is_withdrawn_takes_back_only_its_own() {
    let (logins, ada) = (Logins::new(&limits()), AccountName::of("ada"));
    let running = logins.begin(ada, address(1), NOW_MS).ok().unwrap();
    for n in 2.. {
        match logins.begin(ada, address(n), NOW_MS) {
            Ok(attempt) => drop(attempt.failed(NOW_MS)),
            Err(_) => break,
        }
    }
    running.withdraw(NOW_MS);
    assert!(logins.begin(ada, address(1000), NOW_MS).is_err(), "the others have failed");
}

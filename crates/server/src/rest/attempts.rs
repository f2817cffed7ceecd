//! Passwords that are tried: how often that may be, and what is said of it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::HeaderMap;
use roomkey_model::{ErrorCode, Failure, Limit, RevocationReason, Timestamp, UserId};
use roomkey_store::{Account, Store, StoreError};
use tokio::time::sleep;

use super::Api;
use crate::{
    accounts::account_name,
    audit::{Event, Record},
    rates::{ACQUAINTED_MS, AccountName, Mood},
};

/// Sessions ended after one login: more than one only where the limit was lowered.
const SURPLUS_AT_ONCE: usize = 10;

/// Rows deleted in one transaction.
const FORGOTTEN_AT_ONCE: usize = 1000;

/// How much later a wrong password is answered while most logins of all fail.
const ALARM_DELAY: Duration = Duration::from_secs(1);

/// Tries a password for an account, unless there were too many wrong ones.
pub(super) async fn attempt<T>(
    api: &Api,
    address: IpAddr,
    account: AccountName,
    try_it: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let context = &api.server.context;
    let logins = &context.rates.logins;
    let now_ms = || api.clock.now().0;
    let attempt = logins.begin(account, address, now_ms()).map_err(|exceeded| {
        record(api, Event::LoginFailedMax, address, exceeded.policy.limit.name());
        exceeded.failure()
    })?;
    let outcome = try_it.await;
    match &outcome {
        Ok(_) => attempt.succeeded(now_ms()),
        Err(failure) if failure.code == ErrorCode::InvalidCredentials => {
            let (mood, failures) = attempt.failed(now_ms());
            if let Some(failures) = failures {
                // Taken in now; nobody waits for it, nor is the answer another if it goes wrong.
                drop(api.store.note_login_failures(failures));
            }
            if mood == Mood::AlarmBegins {
                let limit = Limit::LoginFailuresAlarm;
                context.metrics.limit_reached(limit);
                record(api, Event::LoginFailedMax, address, limit.name());
            }
            if mood != Mood::Calm
                && let Ok(_place) = logins.delayed.try_acquire()
            {
                sleep(ALARM_DELAY).await;
            }
        }
        Err(_) => attempt.withdraw(now_ms()),
    }
    outcome
}

/// An account was logged in to from an address, and is at home there by all of its names.
pub(super) fn acquaint(api: &Api, address: IpAddr, account: &Account) {
    let (logins, now_ms) = (&api.server.context.rates.logins, api.clock.now().0);
    for name in [Some(&account.email), account.username.as_ref()].into_iter().flatten() {
        logins.remember(account_name(name), address, now_ms, now_ms);
    }
}

/// The oldest logins of a user make room for the newest, if there are too many. That is done beside the answer.
pub(super) fn end_surplus_sessions(api: &Arc<Api>, user: &UserId, address: IpAddr) {
    let sessions_max = api.limits.sessions_per_user;
    if sessions_max == 0 {
        return;
    }
    let sessions = api.store.sessions_of(user, api.clock.now(), sessions_max + SURPLUS_AT_ONCE);
    let (api, user) = (api.clone(), user.clone());
    tokio::spawn(async move {
        let sessions = match sessions.await {
            Ok(sessions) => sessions,
            Err(error) => return tracing::error!(%error, "the sessions of a user cannot be counted"),
        };
        for session in sessions.iter().skip(sessions_max) {
            let limit = Limit::SessionsPerUser;
            api.server.context.metrics.limit_reached(limit);
            record(&api, Event::TooManySessions, address, limit.name());
            let reason = RevocationReason::SessionLimit;
            if let Err(failure) = api.accounts.end_session(&user, &session.session, reason).await {
                tracing::error!(error = %failure.message, "a session too many cannot be ended");
            }
        }
    });
}

/// Takes in what is stored of logins before the server started.
pub(crate) async fn restore(api: &Api) -> Result<(), StoreError> {
    let (logins, now) = (&api.server.context.rates.logins, api.clock.now());
    let since = Timestamp(now.0.saturating_sub(ACQUAINTED_MS));
    for login in api.store.past_logins(since, api.limits.rate_keys).await? {
        let Ok(address) = login.address.parse() else { continue };
        for name in [Some(login.email), login.username].into_iter().flatten() {
            logins.remember(account_name(&name), address, login.seen.0, now.0);
        }
    }
    for failures in api.store.login_failures(now, api.limits.rate_keys).await? {
        logins.restore(&failures, now.0);
    }
    Ok(())
}

/// Forgets what is stored of failed logins that count no more.
pub(crate) async fn forget(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    while store.forget_login_failures(now, FORGOTTEN_AT_ONCE).await? == FORGOTTEN_AT_ONCE {}
    Ok(())
}

/// Counts an account that is to be created.
pub(super) fn count_registration(api: &Api, address: IpAddr) -> Result<(), Failure> {
    let registrations = &api.server.context.rates.logins.registrations;
    registrations.take(address, api.clock.now().0).map_err(|exceeded| {
        record(api, Event::RateLimited, address, exceeded.policy.limit.name());
        exceeded.failure()
    })
}

/// Adds to the answer to a login what is left of the budget of its address.
pub(super) fn describe_budget(api: &Api, address: IpAddr, headers: &mut HeaderMap) {
    api.server.context.rates.logins.describe(address, api.clock.now().0, headers);
}

fn record(api: &Api, event: Event, address: IpAddr, reason: &str) {
    let record = Record { address: Some(address), reason: Some(reason), ..Record::new(event) };
    api.server.context.audit.record(&record);
}

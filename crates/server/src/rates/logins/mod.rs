//! Logins that fail: of one account, from one address, and everywhere.
//!
//! - *One account* (a password is guessed). After some failures the next attempt has to wait, longer each time; in the
//!   long run there are as many attempts as the rate allows. That holds for all networks together from which the account
//!   has not been logged in to lately. Each of the others has failures and waits of its own: whoever attacks an account
//!   from elsewhere keeps nobody out who is where they use to be. Names that no account has are counted alike.
//! - *One address* (stolen names and passwords are tried). Beyond its budget it is refused, but for accounts that have
//!   been logged in to from there.
//! - *Everywhere* (one password is tried on many accounts from many places): see [`Alarm`].
//!
//! An attempt is counted when it begins, and taken back when it succeeds: a thousand at once are no way around it.

mod alarm;
mod throttle;

use std::net::IpAddr;

use http::HeaderMap;
use roomkey_model::{Limit, Limits, UserId};
use roomkey_store::LoginFailures;
use tokio::sync::Semaphore;

use self::{
    alarm::Alarm,
    throttle::{Begun, Throttle},
};
use super::{Exceeded, Gcra, Network, PerNetwork, Policy, Rate, Table};

pub(crate) use alarm::Mood;

/// What is remembered of failed logins.
pub(crate) struct Logins {
    /// Failures of one account.
    account: Policy,
    /// Failures from one address.
    address: Policy,
    strangers: Table<AccountName, Throttle>,
    acquainted: Table<(AccountName, Network), Acquainted>,
    addresses: Table<Network, Gcra>,
    alarm: Alarm,
    /// Room for answers that are given later while the alarm is on; beyond it they are given at once.
    pub(crate) delayed: Semaphore,
    /// Accounts created from one address.
    pub(crate) registrations: PerNetwork,
}

/// An account, by a digest of the name it is logged in to with: what was typed into that field may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AccountName([u8; 16]);

impl AccountName {
    /// `name` is the one form that all spellings of it have.
    pub(crate) fn of(name: &str) -> Self {
        Self::digest("name", &name.to_lowercase())
    }

    /// The account of a user who is known by a token, and wants to prove the password. Tries of that kind are counted
    /// apart: with a stolen token nobody is kept from logging in.
    pub(crate) fn of_user(user: &UserId) -> Self {
        Self::digest("user", user.as_str())
    }

    /// An admin of this name, who is no user's namesake.
    pub(crate) fn of_admin(name: &str) -> Self {
        Self::digest("admin", name)
    }

    fn digest(kind: &str, text: &str) -> Self {
        let digest = roomkey_auth::digest(format!("roomkey account {kind}\0{text}").as_bytes());
        Self(*digest.first_chunk().expect("32 bytes"))
    }
}

/// An account and a network from which it was logged in to.
#[derive(Clone, Copy, Default)]
struct Acquainted {
    /// Zero: only asked for, not logged in.
    logged_in_ms: u64,
    throttle: Throttle,
}

/// How long an account is acquainted with a network after a login.
pub(crate) const ACQUAINTED_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// An attempt that may be made. Unless it is said to have succeeded it has failed, also if it is given up.
#[must_use]
pub(crate) struct Attempt<'a> {
    logins: &'a Logins,
    account: AccountName,
    network: Network,
    is_acquainted: bool,
    begun: Begun,
}

impl Logins {
    pub(crate) fn new(limits: &Limits) -> Self {
        let per_account = limits.login_failures_per_account;
        let account = Policy {
            name: "login-account",
            limit: Limit::LoginFailuresPerAccount,
            rate: Rate::new(per_account, ACCOUNT_PERIOD_MS, per_account),
        };
        let address = Policy {
            name: "login",
            limit: Limit::LoginFailuresPerAddress,
            rate: Rate::new(
                limits.login_failures_per_address_per_min,
                MINUTE_MS,
                limits.login_failures_per_address_burst,
            ),
        };
        let registrations = Policy {
            name: "registration",
            limit: Limit::RegistrationsPerAddress,
            rate: Rate::new(
                limits.registrations_per_address_per_hour,
                HOUR_MS,
                limits.registrations_per_address_per_hour,
            ),
        };
        let keys_max = limits.rate_keys;
        Self {
            strangers: Table::new(2 * account.rate.window_ms(), keys_max),
            acquainted: Table::new(ACQUAINTED_MS, keys_max),
            addresses: Table::new(address.rate.window_ms(), keys_max),
            alarm: Alarm::new(u64::from(limits.login_failures_alarm)),
            delayed: Semaphore::new(DELAYED_MAX),
            registrations: PerNetwork::new(registrations, keys_max),
            account,
            address,
        }
    }

    /// Begins an attempt to log in to an account from an address, unless it has to wait.
    pub(crate) fn begin(
        &self,
        account: AccountName,
        address: IpAddr,
        now_ms: u64,
    ) -> Result<Attempt<'_>, Exceeded> {
        let network = Network::of(address);
        let is_acquainted = self.is_acquainted(account, network, now_ms);
        let rate = self.account.rate;
        let exceeded = |policy| move |wait_ms| Exceeded { policy, wait_ms, spread_ms: 0 };
        let begun = if is_acquainted {
            let begin = |entry: &mut Acquainted| entry.throttle.begin(rate, now_ms);
            self.acquainted.with((account, network), now_ms, begin).map_err(exceeded(self.account))?
        } else {
            let of_address = |gcra: &mut Gcra| gcra.take(self.address.rate, now_ms);
            self.addresses.with(network, now_ms, of_address).map_err(exceeded(self.address))?;
            let begin = |throttle: &mut Throttle| throttle.begin(rate, now_ms);
            let outcome = self.strangers.with(account, now_ms, begin);
            // It was not this address that made the attempt impossible.
            outcome.inspect_err(|_| self.forgive(network, now_ms)).map_err(exceeded(self.account))?
        };
        Ok(Attempt { logins: self, account, network, is_acquainted, begun })
    }

    /// An account was logged in to from an address, by what is stored of that.
    pub(crate) fn remember(&self, account: AccountName, address: IpAddr, logged_in_ms: u64, now_ms: u64) {
        self.acquainted.with((account, Network::of(address)), now_ms, |entry| {
            entry.logged_in_ms = entry.logged_in_ms.max(logged_in_ms);
        });
    }

    /// Logins to an account had failed when the server stopped.
    pub(crate) fn restore(&self, failures: &LoginFailures, now_ms: u64) {
        self.strangers.with(AccountName(failures.account), now_ms, |throttle| throttle.restore(failures));
    }

    /// Adds what is left of an address's budget to the answer to a login.
    pub(crate) fn describe(&self, address: IpAddr, now_ms: u64, headers: &mut HeaderMap) {
        let rate = self.address.rate;
        if rate.is_limited() {
            let gcra = self.addresses.get(&Network::of(address), now_ms).unwrap_or_default();
            self.address.describe(gcra.remaining(rate, now_ms), gcra.unpaid_ms(now_ms), headers);
        }
    }

    /// How often something was forgotten early.
    pub(crate) fn forced(&self) -> u64 {
        self.strangers.forced()
            + self.acquainted.forced()
            + self.addresses.forced()
            + self.registrations.forced()
    }

    fn is_acquainted(&self, account: AccountName, network: Network, now_ms: u64) -> bool {
        let entry = self.acquainted.get(&(account, network), now_ms);
        entry.is_some_and(|entry| now_ms.saturating_sub(entry.logged_in_ms) < ACQUAINTED_MS)
    }

    fn forgive(&self, network: Network, now_ms: u64) {
        self.addresses.with(network, now_ms, |gcra| gcra.give_back(self.address.rate));
    }
}

impl Attempt<'_> {
    /// The password was right: what was counted is taken back, and the account is acquainted with the network.
    pub(crate) fn succeeded(self, now_ms: u64) {
        self.take_back(now_ms);
        self.logins.acquainted.with((self.account, self.network), now_ms, |entry| {
            *entry = Acquainted { logged_in_ms: now_ms, throttle: Throttle::default() };
        });
        self.logins.alarm.count(true, now_ms);
    }

    /// The password was wrong. Says how things are everywhere, and what is to survive a restart.
    pub(crate) fn failed(self, now_ms: u64) -> (Mood, Option<LoginFailures>) {
        let mood = self.logins.alarm.count(false, now_ms);
        let throttle = self.logins.strangers.get(&self.account, now_ms).filter(|_| !self.is_acquainted);
        let to_store = throttle.and_then(|throttle| throttle.to_store(now_ms));
        let failures = to_store.map(|(paid_until, blocked_until)| LoginFailures {
            account: self.account.0,
            paid_until,
            blocked_until,
        });
        (mood, failures)
    }

    /// It was never found out whether the password is right: nothing was tried.
    pub(crate) fn withdraw(self, now_ms: u64) {
        self.take_back(now_ms);
    }

    fn take_back(&self, now_ms: u64) {
        let Self { logins, account, network, is_acquainted, begun } = *self;
        let rate = logins.account.rate;
        if is_acquainted {
            logins.acquainted.with((account, network), now_ms, |entry| entry.throttle.take_back(begun, rate));
        } else {
            logins.strangers.with(account, now_ms, |throttle| throttle.take_back(begun, rate));
            logins.forgive(network, now_ms);
        }
    }
}

const DELAYED_MAX: usize = 1000;
const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// In which an account has its failures.
const ACCOUNT_PERIOD_MS: u64 = 15 * MINUTE_MS;

#[cfg(test)]
mod tests;

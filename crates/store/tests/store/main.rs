//! The store from outside: the contract of every backend, then what is particular to SQLite.

mod admins;
mod backup;
mod contract;
mod crash;
mod edits;
mod erasing;
mod faults;
mod invites;
mod kept;
mod logins;
mod ordering;
mod outbox;
mod personal;
mod presence;
mod retention;
mod revocations;
mod sessions;
mod support;
mod watermarks;
mod writer;

//! The real `flowforge` from outside: processes that are killed, stopped and restarted, on SQLite and on PostgreSQL,
//! and a ledger outside of them that notes every call.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends where it is wrong, says what it does, and is outside of what the rules of the server protect"
)]

mod artifacts;
mod big_files;
mod client;
mod code;
mod collector;
mod command;
mod commands;
mod described;
mod file_kills;
mod files;
mod from_nothing;
mod home;
mod inner_events;
mod kill_anywhere;
mod kill_at_points;
mod ledger;
mod notifications;
mod other_process;
mod outgoing;
mod people;
mod poison;
mod random;
mod schedules;
mod secrets;
mod stopped_owner;
mod telemetry;
mod terminal;
mod traces;
mod triggers;
mod values;
mod verdict;
mod webhook_calls;
mod witness;
mod workload;

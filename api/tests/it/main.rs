//! The server as its clients see it: over real HTTP and WebSockets, on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends here")]

mod again;
mod app;
mod audits;
mod auth;
mod backfills;
mod connections;
mod drafts;
mod events;
mod expressions;
mod feed;
mod fuzz;
mod graphql_http;
mod hooks;
mod in_process;
mod inner_events;
mod layering;
mod lists;
mod metrics;
mod model;
mod process;
mod quotas;
mod redaction;
mod run_lists;
mod runs;
mod schedules;
mod schema_style;
mod sessions;
mod signatures;
mod socket;
mod sse;
mod tenancy;
mod trigger_events;
mod variables;
mod websocket;
mod workflows;

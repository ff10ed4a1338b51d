//! The server as its clients see it: over real HTTP and WebSockets, on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends here")]

mod app;
mod auth;
mod connections;
mod events;
mod graphql_http;
mod hooks;
mod in_process;
mod layering;
mod process;
mod runs;
mod socket;
mod tenancy;
mod websocket;
mod workflows;

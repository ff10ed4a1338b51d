//! Everything people and programs talk to: GraphQL, REST, webhooks, sign-in, use cases.
//!
//! Direction inside: `graphql | rest → service → store → entity`. A test holds it.

pub mod app;
pub mod auth;
mod body;
pub mod code;
pub mod config;
pub mod graphql;
mod rest;
pub mod secret;
pub mod server;
pub mod service;
mod store;
pub mod telemetry;

pub use server::{
    Banner, ServeError, check_artifacts, create_first_key, create_key, create_login_link, router, serve, serve_until,
    verify_audit,
};

pub use rest::paths as rest_paths;

/// Whether this program was built with the pages of the canvas.
pub fn has_pages() -> bool {
    rest::pages::are_here()
}

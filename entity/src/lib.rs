//! The columns of every table and the words they hold, one file per table. No rule lives here.
//!
//! Times are UTC, truncated to microseconds by whoever writes them; no column has a time default. Columns that hold
//! JSON are text: both databases return the bytes that were written.

pub mod access_change;
pub mod api_key;
pub mod app_user;
pub mod audit;
pub mod audit_head;
pub mod blob;
pub mod blob_ref;
pub mod connection;
pub mod connection_lease;
pub mod connection_sign_in;
pub mod custom_role;
pub mod definition;
pub mod deployment;
pub mod deployment_change;
pub mod draft;
pub mod draft_change;
pub mod environment;
pub mod event_outbox;
pub mod feed;
pub mod journal;
pub mod leader;
pub mod login_attempt;
pub mod login_link;
pub mod logout_token;
pub mod member;
pub mod node_run;
pub mod outbox;
pub mod project;
pub mod run;
pub mod run_inbox;
pub mod secret;
pub mod signal_dedupe;
pub mod start_dedupe;
pub mod trigger_backfill;
pub mod trigger_binding;
pub mod trigger_event;
pub mod user_session;
pub mod variable;
pub mod version;
pub mod version_hashes;
pub mod version_signature;
pub mod webhook_seen;
pub mod webhook_url;
pub mod word;
pub mod worker;
pub mod workflow;
pub mod workspace;
pub mod workspace_egress;
pub mod workspace_event;
pub mod workspace_key;
pub mod workspace_quota;

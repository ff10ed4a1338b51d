//! The built-in types in German. Each table has every message key of its type; a test compares them.

pub(crate) mod code;
pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod flow;
pub(crate) mod graphql;
pub(crate) mod http;
pub(crate) mod list;
pub(crate) mod schedule;
pub(crate) mod server;
pub(crate) mod trigger;
pub(crate) mod webhook;

//! `[database]`: where runs and workflows are kept.

use std::fmt;
use std::path::Path;

use super::Fault;
use super::reader::Reader;

/// A URL that may hold a password; printing it shows the scheme only.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, password included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the database is a file of ours, for which the data folder is locked.
    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }

    fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.scheme())
    }
}

/// How the database is reached.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `url`: `sqlite://path` or `postgres://…`; a file in the data folder by default.
    pub url: DatabaseUrl,
    /// `migrate`: bring the schema up to date at start; true by default.
    pub migrate: bool,
    /// `connections`: most connections of the pool that the API and the driver share, and on PostgreSQL of the one for
    /// requests, 2 to 200; 8 by default.
    pub connections: u32,
    /// `row_security`: on PostgreSQL, requests see only their workspace's rows whatever is asked; true by default.
    pub row_security: bool,
}

impl DatabaseConfig {
    pub(super) fn read(reader: &mut Reader, data_dir: &Path) -> Self {
        let default = || format!("sqlite://{}", data_dir.join("flowforge.db").display());
        Self {
            url: DatabaseUrl(reader.text("url").unwrap_or_else(default)),
            migrate: reader.value("migrate", true, "true or false"),
            connections: reader.value("connections", 8, "a number"),
            row_security: reader.value("row_security", true, "true or false"),
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if !matches!(self.url.scheme(), "sqlite" | "postgres" | "postgresql") {
            faults.push(Fault::new("database.url", "must begin with sqlite:// or postgres://"));
        }
        if !(2..=200).contains(&self.connections) {
            faults.push(Fault::new("database.connections", "must be 2 to 200"));
        }
    }
}

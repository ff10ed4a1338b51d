//! `[http]`: what nodes may call.

use std::path::PathBuf;

use nodes::outgoing::AllowedHost;

use super::Fault;
use super::reader::Reader;

/// The policy for outgoing calls.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// `allow_hosts`: hosts, addresses and ranges that may be called although they are not on the public internet, as
    /// [`AllowedHost`] reads them; none by default.
    pub allow_hosts: Vec<AllowedHost>,
    /// `sqlite_folder`: the folder whose SQLite files nodes may open, by an absolute path; none by default, and then they
    /// open none.
    pub sqlite_folder: Option<PathBuf>,
    /// Entries that cannot be read, kept for the faults that name them.
    wrong: Vec<String>,
}

impl HttpConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut config = Self { allow_hosts: Vec::new(), sqlite_folder: None, wrong: Vec::new() };
        config.sqlite_folder = reader.text("sqlite_folder").map(PathBuf::from);
        for entry in reader.list("allow_hosts") {
            match entry.parse::<AllowedHost>() {
                Ok(host) => config.allow_hosts.push(host),
                Err(error) => config.wrong.push(error.to_string()),
            }
        }
        config
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if self.sqlite_folder.as_ref().is_some_and(|folder| !folder.is_absolute()) {
            faults
                .push(Fault::new("http.sqlite_folder", "must be an absolute path, such as `/srv/flowforge/databases`"));
        }
        faults.extend(self.wrong.iter().map(|message| Fault::new("http.allow_hosts", message)));
    }
}

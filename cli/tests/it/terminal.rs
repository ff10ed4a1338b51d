//! Client commands against one server.

use serde_json::Value;

use crate::home::{Home, Server, text};

/// Runs client commands against one server.
pub(crate) struct Terminal<'a> {
    pub(crate) home: &'a Home,
    pub(crate) server: &'a Server,
    pub(crate) key: String,
}

impl Terminal<'_> {
    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let connection = ["--url", &self.server.url, "--api-key", &self.key];
        let output = self.home.run(&[arguments, &connection].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// The same with standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let connection = ["--url", &self.server.url, "--api-key", &self.key];
        let output = self.home.feed(&[arguments, &connection].concat(), input);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// The JSON of a command that must succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> Value {
        let (code, answer) = self.json(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {answer}");
        answer
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let (code, out, err) = self.run(&[arguments, &["--output", "json"]].concat());
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{out}\n{err}")))
    }
}

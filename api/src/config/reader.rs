//! Takes settings out of one section and remembers what was wrong with them.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Fault;

/// One section on its way into a struct. Keys that nobody took are faults.
pub(super) struct Reader {
    section: &'static str,
    values: BTreeMap<String, ::config::Value>,
    faults: Vec<Fault>,
}

impl Reader {
    /// The keys outside any section.
    pub(super) fn top(values: BTreeMap<String, ::config::Value>) -> Self {
        Self { section: "", values, faults: Vec::new() }
    }

    /// The section of this name, empty when it is not there.
    pub(super) fn section(section: &'static str, value: Option<::config::Value>) -> Self {
        let mut reader = Self { section, values: BTreeMap::new(), faults: Vec::new() };
        match value.map(::config::Value::into_table) {
            None => {}
            Some(Ok(table)) => reader.values = table.into_iter().collect(),
            Some(Err(_)) => reader.faults.push(Fault::new(section, "is a section, not a value")),
        }
        reader
    }

    /// The section of this name inside this one, which `name` says whole.
    pub(super) fn inner(&mut self, key: &str, name: &'static str) -> Self {
        Self::section(name, self.values.remove(key))
    }

    /// Whether nothing is there.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.faults.is_empty()
    }

    fn key(&self, key: &str) -> String {
        if self.section.is_empty() { key.to_owned() } else { format!("{}.{key}", self.section) }
    }

    /// A text; numbers and booleans are taken as they are written.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.values.remove(key)?;
        match value.into_string() {
            Ok(text) => Some(text),
            Err(_) => {
                self.faults.push(Fault::new(self.key(key), "must be one text, number or boolean"));
                None
            }
        }
    }

    /// A text that `parse` understands; the default when it is absent or wrong.
    pub(super) fn parsed<T>(&mut self, key: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some(text) = self.text(key) else { return default };
        match parse(text.trim()) {
            Ok(value) => value,
            Err(message) => {
                self.faults.push(Fault::new(self.key(key), message));
                default
            }
        }
    }

    /// A value with a text form; `wanted` says what it should have been.
    pub(super) fn value<T: FromStr>(&mut self, key: &str, default: T, wanted: &str) -> T {
        self.parsed(key, default, |text| text.parse().map_err(|_| format!("`{text}` is not {wanted}")))
    }

    /// A TOML list, or texts joined by commas.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.values.remove(key) else { return Vec::new() };
        let parts = match value.clone().into_array() {
            Ok(items) => items.into_iter().map(::config::Value::into_string).collect::<Result<Vec<_>, _>>(),
            Err(_) => value.into_string().map(|text| text.split(',').map(str::to_owned).collect()),
        };
        match parts {
            Ok(parts) => parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect(),
            Err(_) => {
                self.faults.push(Fault::new(self.key(key), "must be a list of texts"));
                Vec::new()
            }
        }
    }

    /// What was wrong, unknown keys included.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        for key in std::mem::take(&mut self.values).into_keys() {
            self.faults.push(Fault::new(self.key(&key), "is not a setting"));
        }
        self.faults
    }
}

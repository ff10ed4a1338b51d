//! Keeps secrets out of what is written down: finds their values, also in the forms that other programs turn them into,
//! and puts [`REDACTED`] in their place.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use engine::error::ErrorInfo;
use nodes::connection::Connection;
use nodes::{NodeOutcome, Wait};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

mod form;
mod written;

use self::written::Written;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";
/// A cut text may end in the beginning of a form; a beginning shorter than this says nothing.
const LEAST_START: usize = 4;

/// What to look for, the longest first.
#[derive(Default)]
struct Hidden {
    /// The values, in any way that keeps their characters.
    written: Vec<Written>,
    /// The values in other characters.
    forms: Vec<Zeroizing<String>>,
}

/// Finds the secrets of one connection.
#[derive(Clone)]
pub struct Redactor(Arc<Hidden>);

impl Redactor {
    /// Finds these values, in every form.
    pub fn of_values<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hidden = Hidden::default();
        for value in values {
            hidden.forms.extend(form::forms(value));
            hidden.written.push(Written::new(value.to_owned()));
            if !value.is_ascii() {
                // What a program makes of it that reads a header byte by byte, as Latin-1.
                hidden.written.push(Written::new(value.bytes().map(char::from).collect()));
            }
        }
        hidden.written.sort_by_key(|written| Reverse(written.len()));
        hidden.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        hidden.forms.dedup();
        Self(Arc::new(hidden))
    }

    /// Finds the secrets of this connection.
    pub fn of(connection: &Connection) -> Self {
        Self::of_values(connection.hidden())
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.clean(text, false)
    }

    fn clean<'a>(&self, text: &'a str, is_cut: bool) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for written in &self.0.written {
            // From right to left, so that the places stay right.
            for place in written.find_all(&clean, is_cut).into_iter().rev() {
                clean.to_mut().replace_range(place, REDACTED);
            }
        }
        for form in &self.0.forms {
            if clean.contains(form.as_str()) {
                clean = Cow::Owned(clean.replace(form.as_str(), REDACTED));
            }
        }
        clean
    }

    /// The same for a text that was cut at its end, maybe in the middle of a secret.
    fn cut_text(&self, text: &str) -> String {
        let said = text.trim_end_matches(['…', '\u{fffd}']);
        let mut clean = self.clean(said, true).into_owned();
        let started =
            |form: &str| (LEAST_START..form.len()).rev().find(|len| clean.ends_with(form.get(..*len).unwrap_or("\0")));
        if let Some(start) = self.0.forms.iter().filter_map(|form| started(form)).max() {
            clean.truncate(clean.len() - start);
            clean.push_str(REDACTED);
        }
        clean.push_str(text.get(said.len()..).unwrap_or_default());
        clean
    }

    /// Takes secrets out of every text of a value, names of fields included.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Number(number) => {
                if let Cow::Owned(clean) = self.text(&number.to_string()) {
                    *value = Value::String(clean);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => self.object(fields),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&self, fields: &mut Map<String, Value>) {
        fields.values_mut().for_each(|field| self.value(field));
        if fields.keys().any(|key| matches!(self.text(key), Cow::Owned(_))) {
            *fields =
                std::mem::take(fields).into_iter().map(|(key, field)| (self.text(&key).into_owned(), field)).collect();
        }
    }

    /// Takes secrets out of what a node came to.
    pub fn outcome(&self, outcome: &mut Result<NodeOutcome, ErrorInfo>) {
        match outcome {
            Ok(NodeOutcome::Done { output, .. }) => self.value(output),
            Ok(NodeOutcome::Wait(Wait::Signal { name, key, .. })) => {
                *name = self.text(name).into_owned();
                *key = self.text(key).into_owned();
            }
            Ok(NodeOutcome::Passed { .. } | NodeOutcome::Wait(Wait::Until(_))) => {}
            Err(error) => self.error(error),
        }
    }

    /// Takes secrets out of an error.
    pub fn error(&self, error: &mut ErrorInfo) {
        error.message = self.cut_text(&error.message);
        error.code = self.text(&error.code).into_owned();
    }

    /// Keeps the secrets out of the log lines of this process for as long as the answer lives.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let key = digest(&self.0);
        let mut watched = watched();
        match watched.entry(key) {
            Entry::Occupied(mut entry) => entry.get_mut().0 += 1,
            Entry::Vacant(entry) => {
                entry.insert((1, Arc::clone(&self.0)));
            }
        }
        WATCHED_COUNT.store(watched.len(), Ordering::Release);
        Watch(key)
    }
}

/// Secrets in use, by a digest, with how often.
type Watched = HashMap<[u8; 32], (usize, Arc<Hidden>)>;

/// Log lines belong to the process, so what is kept out of them does too.
static WATCHED: LazyLock<Mutex<Watched>> = LazyLock::new(Mutex::default);
/// Spares the lock while there is nothing to look for, which is nearly always.
static WATCHED_COUNT: AtomicUsize = AtomicUsize::new(0);

fn watched() -> std::sync::MutexGuard<'static, Watched> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn digest(hidden: &Hidden) -> [u8; 32] {
    let mut hash = Sha256::new();
    for written in &hidden.written {
        hash.update(written.len().to_be_bytes());
        hash.update(written.as_bytes());
    }
    hash.finalize().into()
}

/// While it lives, log lines do not hold the secrets that it was made for.
#[derive(Debug)]
pub struct Watch([u8; 32]);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = watched();
        if let Entry::Occupied(mut entry) = watched.entry(self.0) {
            entry.get_mut().0 -= 1;
            if entry.get().0 == 0 {
                entry.remove();
            }
        }
        WATCHED_COUNT.store(watched.len(), Ordering::Release);
    }
}

/// A log line without the secrets that are in use now.
pub fn log_line(line: &[u8]) -> Cow<'_, [u8]> {
    if WATCHED_COUNT.load(Ordering::Acquire) == 0 {
        return Cow::Borrowed(line);
    }
    let in_use: Vec<Arc<Hidden>> = watched().values().map(|(_, hidden)| Arc::clone(hidden)).collect();
    let text = String::from_utf8_lossy(line);
    let clean = in_use.into_iter().fold(Cow::Borrowed(text.as_ref()), |clean: Cow<'_, str>, hidden| {
        Cow::Owned(Redactor(hidden).text(&clean).into_owned())
    });
    if clean == text { Cow::Borrowed(line) } else { Cow::Owned(clean.into_owned().into_bytes()) }
}

#[cfg(test)]
mod tests;

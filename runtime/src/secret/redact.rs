//! Keeps secrets out of what is written down: finds their values, also in the forms that other programs turn them into,
//! and puts [`REDACTED`] in their place.

use std::borrow::Cow;
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

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";
/// A cut text may end in the beginning of a secret; a beginning shorter than this says nothing.
const LEAST_START: usize = 4;

/// The forms of some secrets, the longest first.
type Forms = Vec<Zeroizing<String>>;

/// Finds the secrets of one connection.
#[derive(Clone)]
pub struct Redactor(Arc<Forms>);

impl Redactor {
    /// Finds these values, in every form.
    pub fn of_values<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms: Forms = values.into_iter().flat_map(form::forms).collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(Arc::new(forms))
    }

    /// Finds the secrets of this connection.
    pub fn of(connection: &Connection) -> Self {
        Self::of_values(connection.hidden())
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for form in self.0.iter() {
            if clean.contains(form.as_str()) {
                clean = Cow::Owned(clean.replace(form.as_str(), REDACTED));
            }
        }
        clean
    }

    /// The same for a text that was cut at its end, maybe in the middle of a secret.
    fn cut_text(&self, text: &str) -> String {
        let mut clean = self.text(text).into_owned();
        let said = clean.trim_end_matches(['…', '\u{fffd}']);
        let started = |form: &str| {
            let cuts = form.char_indices().map(|(at, _)| at).rev();
            cuts.take_while(|at| *at >= LEAST_START).find(|at| said.ends_with(form.get(..*at).unwrap_or("\0")))
        };
        if let Some(start) = self.0.iter().filter_map(|form| started(form)).max() {
            clean.truncate(said.len() - start);
            clean.push_str(REDACTED);
        }
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
            Ok(NodeOutcome::Wait(Wait::Until(_))) => {}
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
type Watched = HashMap<[u8; 32], (usize, Arc<Forms>)>;

/// Log lines belong to the process, so what is kept out of them does too.
static WATCHED: LazyLock<Mutex<Watched>> = LazyLock::new(Mutex::default);
/// Spares the lock while there is nothing to look for, which is nearly always.
static WATCHED_COUNT: AtomicUsize = AtomicUsize::new(0);

fn watched() -> std::sync::MutexGuard<'static, Watched> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn digest(forms: &Forms) -> [u8; 32] {
    let mut hash = Sha256::new();
    forms.iter().for_each(|form| {
        hash.update(form.len().to_be_bytes());
        hash.update(form.as_bytes());
    });
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
    let in_use: Vec<Arc<Forms>> = watched().values().map(|(_, forms)| Arc::clone(forms)).collect();
    let text = String::from_utf8_lossy(line);
    let clean = in_use.into_iter().fold(Cow::Borrowed(text.as_ref()), |clean: Cow<'_, str>, forms| {
        Cow::Owned(Redactor(forms).text(&clean).into_owned())
    });
    if clean == text { Cow::Borrowed(line) } else { Cow::Owned(clean.into_owned().into_bytes()) }
}

#[cfg(test)]
mod tests;

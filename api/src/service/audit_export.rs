//! The audit for other programs to keep: row by row, the oldest first, as JSON lines or CSV.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::Stream;
use serde_json::{Value, json};

use super::ServiceError;
use super::audit::{Actor, Entry, EntryFilter, Outcome};
use super::audit_chain::{self, Anchor};
use super::text::instant;
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// Rows read at once.
const BATCH: u64 = 500;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line; the last line is the anchor, `{"anchor": …}`.
    JsonLines,
    /// Comma-separated values with a head line, in which no cell is a formula.
    Csv,
}

impl Format {
    /// The format of this word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "jsonl" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    fn line(self, entry: &Entry) -> String {
        match self {
            Self::JsonLines => format!("{}\n", shown(entry)),
            Self::Csv => csv(entry),
        }
    }
}

const HEAD: &str = "seq,at,actor_kind,actor_id,action,result,times,entity,before,after,request_id,address,hash\r\n";

/// Streams the rows that fit. Rows that are added meanwhile may be among them; the anchor is of the end.
///
/// # Errors
/// When they may not. What fails later is an item of the stream, and its last.
pub fn export(
    app: &Arc<App>,
    viewer: &Viewer,
    filter: EntryFilter,
    format: Format,
) -> Result<impl Stream<Item = Result<String, ServiceError>> + use<>, ServiceError> {
    viewer.require(Permission::AuditRead)?;
    let mut lines = VecDeque::new();
    if format == Format::Csv {
        lines.push_back(HEAD.to_owned());
    }
    let export = Export { app: Arc::clone(app), viewer: viewer.clone(), filter, format, seq: 0, lines, is_over: false };
    Ok(futures::stream::unfold(export, |mut export| async move {
        match export.next().await {
            Ok(Some(line)) => Some((Ok(line), export)),
            Ok(None) => None,
            Err(error) => {
                export.is_over = true;
                export.lines.clear();
                Some((Err(error), export))
            }
        }
    }))
}

struct Export {
    app: Arc<App>,
    viewer: Viewer,
    filter: EntryFilter,
    format: Format,
    seq: i64,
    lines: VecDeque<String>,
    is_over: bool,
}

impl Export {
    async fn next(&mut self) -> Result<Option<String>, ServiceError> {
        if self.lines.is_empty() && !self.is_over {
            let (database, workspace) = (self.app.runtime.database(), self.viewer.workspace);
            let rows = store::audit::after(database, workspace, &self.filter, self.seq, BATCH).await?;
            match rows.last() {
                Some(last) => self.seq = last.seq,
                None => {
                    self.is_over = true;
                    if self.format == Format::JsonLines {
                        let anchor = audit_chain::sign(&self.app, workspace).await?;
                        self.lines.extend(anchor.map(|(anchor, key)| anchor_line(&anchor, &key)));
                    }
                }
            }
            self.lines.extend(rows.iter().map(|row| self.format.line(row)));
        }
        Ok(self.lines.pop_front())
    }
}

fn kind(actor: &Actor) -> &'static str {
    match actor {
        Actor::ApiKey(_) => "API_KEY",
        Actor::User(_) => "USER",
        Actor::ServiceAccount(_) => "SERVICE_ACCOUNT",
        Actor::Command => "COMMAND",
    }
}

fn result(outcome: Outcome) -> (&'static str, u32) {
    match outcome {
        Outcome::Done => ("DONE", 1),
        Outcome::Denied { times } => ("DENIED", times),
    }
}

fn shown(entry: &Entry) -> Value {
    let (result, times) = result(entry.outcome);
    json!({
        "id": entry.id.to_string(),
        "seq": entry.seq,
        "at": instant(entry.at),
        "actorKind": kind(&entry.actor),
        "actorId": entry.actor.id(),
        "action": entry.action,
        "result": result,
        "times": times,
        "entityId": entry.entity,
        "before": entry.before,
        "after": entry.after,
        "requestId": entry.request,
        "address": entry.address,
        "hash": entry.hash.map(|hash| hex::encode(hash.0)),
    })
}

fn anchor_line(anchor: &Anchor, key: &[u8]) -> String {
    let anchor = json!({
        "workspaceId": anchor.workspace.to_string(),
        "seq": anchor.seq,
        "hash": hex::encode(anchor.hash.0),
        "at": instant(anchor.at),
        "keyId": anchor.key.to_string(),
        "publicKey": hex::encode(key),
        "signature": hex::encode(&anchor.signature),
    });
    format!("{}\n", json!({ "anchor": anchor }))
}

fn csv(entry: &Entry) -> String {
    let (result, times) = result(entry.outcome);
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let cells = [
        entry.seq.to_string(),
        instant(entry.at),
        kind(&entry.actor).to_owned(),
        entry.actor.id().unwrap_or_default(),
        entry.action.clone(),
        result.to_owned(),
        times.to_string(),
        entry.entity.clone(),
        text(&entry.before),
        text(&entry.after),
        entry.request.clone().unwrap_or_default(),
        entry.address.clone().unwrap_or_default(),
        entry.hash.map(|hash| hex::encode(hash.0)).unwrap_or_default(),
    ];
    format!("{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// A cell in quotes. What a spreadsheet would take for a formula gets a quote before it, and is text.
fn cell(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        assert_eq!(cell("plain"), "\"plain\"");
        assert_eq!(cell("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1", "\r=1"] {
            assert!(cell(formula).starts_with("\"'"), "{formula}");
        }
    }
}

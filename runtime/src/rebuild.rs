//! Rebuilds a run from what the journal loaded.

use engine::graph::Graph;
use engine::id::RunId;
use engine::run::codec::{self, NO_RECORD};
use engine::run::replay::{Replayed, replay};
use engine::value::Digest;

use crate::journal::LoadedRun;

/// A run as its journal leaves it, with the bytes that its rows keep, and the digest of its last record.
pub(crate) fn rebuild(graph: &Graph, run: RunId, loaded: &LoadedRun) -> Result<(Replayed, Digest), String> {
    let mut events = Vec::new();
    let mut prev = NO_RECORD;
    for record in &loaded.records {
        codec::verify(run, record, prev).map_err(|error| error.to_string())?;
        events.extend(codec::decode(record).map_err(|error| error.to_string())?);
        prev = record.digest;
    }
    for recorded in &mut events {
        recorded.event.values_mut(|value| {
            if value.inline.is_none() {
                value.inline = loaded.inline.get(&value.digest).cloned();
            }
        });
    }
    let replayed = replay(graph, run, events).map_err(|error| error.to_string())?;
    Ok((replayed, prev))
}

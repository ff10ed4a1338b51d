//! What runs have written.

use std::sync::Arc;

use bytes::Bytes;
use engine::id::{RunId, WorkspaceId};
use engine::run::codec;
use engine::run::event::Recorded;
use engine::value::ValueRef;
use serde_json::Value;

use super::{ReadError, Runtime};
use crate::blob::Pieces;
use crate::value::ValueError;

impl Runtime {
    /// A run's events after a seq, oldest first, at most `limit` and at least one record's worth when there are any.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Recorded>, ReadError> {
        let records = crate::store::journal::after(&self.0.database, run, after, limit).await?;
        let mut events = Vec::new();
        for record in records {
            events.extend(codec::decode(&record)?.into_iter().filter(|recorded| recorded.seq > after));
        }
        events.truncate(limit as usize);
        Ok(events)
    }

    /// A value's content, parsed.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn value(&self, workspace: WorkspaceId, value: &ValueRef) -> Result<Arc<Value>, ValueError> {
        self.0.values.get(workspace, value).await
    }

    /// A value's canonical JSON.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn value_bytes(&self, workspace: WorkspaceId, value: &ValueRef) -> Result<Bytes, ValueError> {
        self.0.values.bytes(workspace, value).await
    }

    /// A value's canonical JSON as it comes, without being in memory as a whole.
    ///
    /// # Errors
    /// When its bytes cannot be had; the pieces then, too.
    pub async fn value_pieces(&self, workspace: WorkspaceId, value: &ValueRef) -> Result<Pieces, ValueError> {
        self.0.values.pieces(workspace, value).await
    }

    /// The content of a value that a run's journal names. Journals hold no bytes; the run's rows do.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn value_of_run(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        value: &ValueRef,
    ) -> Result<Arc<Value>, ValueError> {
        let mut found = value.clone();
        if found.inline.is_none() && !found.is_blob() {
            let bytes = crate::store::value::inline(&self.0.database, run, value.digest).await?;
            found.inline = bytes.map(Bytes::from);
        }
        self.value(workspace, &found).await
    }
}

//! What the journal is asked, and the mail.

use std::collections::HashMap;

use bytes::Bytes;
use engine::id::{InboxId, RunId, VersionId, WorkerId, WorkflowId, WorkspaceId};
use engine::value::Digest;
use entity::word::RunClaim;
use entity::{journal, node_run, run, run_inbox};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseConnection, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QueryResult, QuerySelect as _, Statement, Value,
};
use uuid::Uuid;

use super::{Head, InboxRow, JournalError, LoadedRun, NewMessage, Posted, row};
use crate::database::to_column;
use crate::trace::TraceContext;

/// The mail of runs that somebody drives. The inbox is short and read as a whole; each row then finds its run.
const OWNED_MAIL: &str = "SELECT run_id, epoch, id, kind, body FROM (
    SELECT run_id, id, kind, body, (
        SELECT owner_epoch FROM run WHERE run.id = run_inbox.run_id AND run.claim = 'OWNED' AND run.owner_id = $1
    ) AS epoch FROM run_inbox
) AS mail WHERE epoch IS NOT NULL ORDER BY run_id, id";

/// A message goes in only while its run can still read it. That is looked at in the same statement; a run that ends at
/// this very moment leaves the message unread, as if it had come later.
const POST: &str = "INSERT INTO run_inbox (run_id, id, kind, body, created_by, created_at)
SELECT run.id, $3, $4, $5, $6, $7 FROM run WHERE run.id = $1 AND run.workspace_id = $2 AND run.claim <> 'DONE'
ON CONFLICT (run_id, id) DO NOTHING";

/// The statements that read, and the one that posts.
pub(super) struct Reading {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
}

impl Reading {
    pub(super) fn new(reader: DatabaseConnection, writer: DatabaseConnection) -> Self {
        Self { reader, writer }
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.reader
    }

    pub(super) async fn heads(&self, runs: &[RunId]) -> Result<Vec<Head>, JournalError> {
        type Row = (Uuid, Option<Uuid>, i64, i64, Vec<u8>, RunClaim);
        use run::Column as C;
        let mut heads = Vec::with_capacity(runs.len());
        for group in row::groups(runs) {
            let rows = run::Entity::find()
                .select_only()
                .columns([C::Id, C::OwnerId, C::OwnerEpoch, C::HeadSeq, C::HeadDigest, C::Claim])
                .filter(C::Id.is_in(group.iter().map(|run| run.0)))
                .into_tuple::<Row>()
                .all(&self.reader)
                .await?;
            for (id, owner, epoch, head, digest, claim) in rows {
                heads.push(Head {
                    run: RunId(id),
                    owner: owner.map(WorkerId),
                    epoch,
                    head_seq: seq(head)?,
                    head_digest: row::digest(&digest, "run", "head_digest")?,
                    claim: row::claim(claim),
                });
            }
        }
        Ok(heads)
    }

    pub(super) async fn load(&self, id: RunId) -> Result<LoadedRun, JournalError> {
        let row = run::Entity::find_by_id(id.0).one(&self.reader).await?.ok_or(JournalError::RunMissing(id))?;
        let records = journal::Entity::find()
            .filter(journal::Column::RunId.eq(id.0))
            .order_by_asc(journal::Column::FirstSeq)
            .all(&self.reader)
            .await?;
        let outputs = node_run::Entity::find()
            .select_only()
            .columns([node_run::Column::OutputDigest, node_run::Column::Output])
            .filter(node_run::Column::RunId.eq(id.0))
            .filter(node_run::Column::Output.is_not_null())
            .into_tuple::<(Option<Vec<u8>>, Option<Vec<u8>>)>()
            .all(&self.reader)
            .await?;
        let own = [(Some(row.input_digest), row.input), (row.output_digest, row.output)];
        Ok(LoadedRun {
            workspace: WorkspaceId(row.workspace_id),
            workflow: WorkflowId(row.workflow_id),
            definition_hash: row::digest(&row.definition_hash, "run", "definition_hash")?,
            version: row.version_id.map(VersionId),
            mode: row::read_mode(row.mode),
            retry_of: row.retry_of.map(RunId),
            trace: row.traceparent.and_then(|parent| TraceContext::read(&parent, row.tracestate.as_deref())),
            epoch: row.owner_epoch,
            adoptions: u32::try_from(row.adoptions).unwrap_or(0),
            head_seq: seq(row.head_seq)?,
            head_digest: row::digest(&row.head_digest, "run", "head_digest")?,
            records: records.into_iter().map(row::record).collect::<Result<_, _>>()?,
            inline: inline(outputs.into_iter().chain(own))?,
        })
    }

    pub(super) async fn inbox(&self, runs: &[RunId]) -> Result<Vec<InboxRow>, JournalError> {
        let mut mail = Vec::new();
        for group in row::groups(runs) {
            // The epochs first: what is read under an older one is the older owner's, which the driver leaves alone.
            let epochs: HashMap<Uuid, i64> = run::Entity::find()
                .select_only()
                .columns([run::Column::Id, run::Column::OwnerEpoch])
                .filter(run::Column::Id.is_in(group.iter().map(|run| run.0)))
                .into_tuple::<(Uuid, i64)>()
                .all(&self.reader)
                .await?
                .into_iter()
                .collect();
            let rows = run_inbox::Entity::find()
                .filter(run_inbox::Column::RunId.is_in(group.iter().map(|run| run.0)))
                .order_by_asc(run_inbox::Column::RunId)
                .order_by_asc(run_inbox::Column::Id)
                .all(&self.reader)
                .await?;
            for row in rows {
                let Some(epoch) = epochs.get(&row.run_id) else { continue };
                let (run, id) = (RunId(row.run_id), InboxId(row.id));
                mail.push(InboxRow { run, epoch: *epoch, id, kind: row.kind.as_str().to_owned(), body: row.body });
            }
        }
        Ok(mail)
    }

    pub(super) async fn inbox_owned(&self, owner: WorkerId) -> Result<Vec<InboxRow>, JournalError> {
        let backend = self.reader.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, OWNED_MAIL, [owner.0.into()]);
        let read = |row: QueryResult| -> Result<InboxRow, JournalError> {
            Ok(InboxRow {
                run: RunId(row.try_get_by_index(0)?),
                epoch: row.try_get_by_index(1)?,
                id: InboxId(row.try_get_by_index(2)?),
                kind: row.try_get_by_index(3)?,
                body: row.try_get_by_index(4)?,
            })
        };
        self.reader.query_all_raw(statement).await?.into_iter().map(read).collect()
    }

    pub(super) async fn post(&self, message: &NewMessage) -> Result<Posted, JournalError> {
        post_on(&self.writer, message).await
    }
}

/// Leaves a message for a run, on any connection.
pub(crate) async fn post_on(writer: &impl ConnectionTrait, message: &NewMessage) -> Result<Posted, JournalError> {
    let values: [Value; 7] = [
        message.run.0.into(),
        message.workspace.0.into(),
        message.id.0.into(),
        // Columns hold words in capitals.
        message.kind.to_ascii_uppercase().into(),
        message.body.clone().into(),
        message.created_by.clone().into(),
        to_column(message.at).into(),
    ];
    let backend = writer.get_database_backend();
    let posted = writer.execute_raw(Statement::from_sql_and_values(backend, POST, values)).await?;
    if posted.rows_affected() == 1 {
        return Ok(Posted::Stored);
    }
    let found = run::Entity::find_by_id(message.run.0)
        .select_only()
        .column(run::Column::Claim)
        .filter(run::Column::WorkspaceId.eq(message.workspace.0))
        .into_tuple::<RunClaim>()
        .one(writer)
        .await?;
    Ok(match found {
        None => Posted::NotFound,
        Some(RunClaim::Done) => Posted::Ended,
        // It is there already, from a try whose answer was lost.
        Some(_) => Posted::Stored,
    })
}

fn seq(head: i64) -> Result<u64, JournalError> {
    u64::try_from(head).map_err(|_| JournalError::Unreadable { table: "run", column: "head_seq" })
}

type Kept = (Option<Vec<u8>>, Option<Vec<u8>>);

fn inline(rows: impl Iterator<Item = Kept>) -> Result<HashMap<Digest, Bytes>, JournalError> {
    let mut found = HashMap::new();
    for (digest, bytes) in rows {
        if let (Some(digest), Some(bytes)) = (digest, bytes) {
            found.insert(row::digest(&digest, "node_run", "output_digest")?, Bytes::from(bytes));
        }
    }
    Ok(found)
}

//! What came to triggers, as rows: with the run that it started, with the reason why there is none, or with neither, while
//! it waits for its turn. Whatever decides about one that waits does so only while it still waits.

use bytes::Bytes;
use engine::id::{BindingId, RunId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::{Digest, INLINE_LIMIT, ValueKind, ValueRef};
use entity::{blob_ref, trigger_event as row, word};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{QuerySelect as _, UpdateMany};
use uuid::Uuid;

use crate::database::{Database, to_column};
use crate::runtime::TriggerKind;

/// Rows that one statement inserts.
const AT_ONCE: usize = 100;

/// Something that came to a trigger and has started no run, so far or for good.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its id.
    pub id: TriggerEventId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// For which workflow.
    pub workflow: WorkflowId,
    /// Where.
    pub environment: String,
    /// The key of the trigger node.
    pub node: String,
    /// What kind of trigger.
    pub kind: TriggerKind,
    /// The version that it was for.
    pub version: Option<VersionId>,
    /// Why it starts no run: a code, `: `, and a sentence; `None` while it waits.
    pub reason: Option<String>,
    /// What it carries.
    pub payload: ValueRef,
    /// Whether that is kept, or only its address.
    pub keeps_payload: bool,
    /// The key under which it would have started at most one run.
    pub dedupe_key: Option<String>,
    /// The trigger in its environment.
    pub binding: Option<BindingId>,
    /// The tick of a schedule.
    pub tick: Option<Timestamp>,
    /// The run that it comes from, and what tells it from others that come to the same trigger.
    pub source: Option<(RunId, String)>,
    /// How many runs before it started each other inside.
    pub depth: u32,
    /// Who wanted a run for a tick of the past.
    pub backfill: Option<Uuid>,
    /// When it came.
    pub at: Timestamp,
}

impl Arrival {
    fn row(&self) -> row::ActiveModel {
        let source = self.source.as_ref();
        row::ActiveModel {
            id: Set(self.id.0),
            workspace_id: Set(self.workspace.0),
            workflow_id: Set(self.workflow.0),
            environment: Set(self.environment.clone()),
            node_key: Set(self.node.clone()),
            kind: Set(self.kind.into()),
            run_id: Set(None),
            reason: Set(self.reason.clone()),
            dedupe_key: Set(self.dedupe_key.clone()),
            payload_digest: Set(self.payload.digest.0.to_vec()),
            payload_len: Set(i64::try_from(self.payload.len).unwrap_or(i64::MAX)),
            payload_kind: Set(kind_word(self.payload.kind)),
            received_at: Set(to_column(self.at)),
            binding_id: Set(self.binding.map(|binding| binding.0)),
            tick_at: Set(self.tick.map(to_column)),
            version_id: Set(self.version.map(|version| version.0)),
            payload: Set(inline(&self.payload).filter(|_| self.keeps_payload)),
            source_run_id: Set(source.map(|(run, _)| run.0)),
            source_key: Set(source.map(|(_, key)| key.clone())),
            depth: Set(i32::try_from(self.depth).unwrap_or(i32::MAX)),
            redelivery_of: Set(None),
            backfill_id: Set(self.backfill),
        }
    }
}

/// Stores them. A large payload has been put before; it is referred to from now on.
///
/// # Errors
/// When the database fails, or a trigger has been told of the same before.
pub async fn insert(write: &impl ConnectionTrait, arrivals: &[Arrival]) -> Result<(), DbErr> {
    for group in arrivals.chunks(AT_ONCE) {
        let rows = group.iter().map(Arrival::row);
        row::Entity::insert_many(rows).exec_without_returning(write).await?;
    }
    for arrival in arrivals.iter().filter(|arrival| arrival.keeps_payload && arrival.payload.is_blob()) {
        refer(write, arrival.workspace, arrival.id.0, arrival.payload.digest).await?;
    }
    Ok(())
}

/// Keeps a blob for an event.
pub(crate) async fn refer(
    write: &impl ConnectionTrait,
    workspace: WorkspaceId,
    event: Uuid,
    digest: Digest,
) -> Result<(), DbErr> {
    let refer =
        blob_ref::ActiveModel { run_id: Set(event), digest: Set(digest.0.to_vec()), workspace_id: Set(workspace.0) };
    let once = OnConflict::columns([blob_ref::Column::RunId, blob_ref::Column::Digest]).do_nothing().to_owned();
    blob_ref::Entity::insert(refer).on_conflict(once).exec_without_returning(write).await.map(drop)
}

/// The columns of a value as the payload of an event.
pub(crate) fn inline(value: &ValueRef) -> Option<Vec<u8>> {
    value.inline.as_deref().filter(|bytes| bytes.len() <= INLINE_LIMIT).map(<[u8]>::to_vec)
}

/// What an event carries, as far as its row tells: of one that started a run, the run has the bytes.
///
/// # Errors
/// When the row holds what no release wrote.
pub fn payload(model: &row::Model) -> Result<ValueRef, DbErr> {
    let digest = model.payload_digest.clone().try_into();
    Ok(ValueRef {
        digest: Digest(digest.map_err(|_| DbErr::Type("trigger_event.payload_digest".to_owned()))?),
        len: u64::try_from(model.payload_len).unwrap_or_default(),
        kind: kind(model.payload_kind),
        inline: model.payload.clone().map(Bytes::from),
    })
}

pub(crate) fn kind(word: word::ValueKind) -> ValueKind {
    match word {
        word::ValueKind::Null => ValueKind::Null,
        word::ValueKind::Boolean => ValueKind::Boolean,
        word::ValueKind::Number => ValueKind::Number,
        word::ValueKind::String => ValueKind::String,
        word::ValueKind::List => ValueKind::List,
        word::ValueKind::Object => ValueKind::Object,
    }
}

pub(crate) fn kind_word(kind: ValueKind) -> word::ValueKind {
    match kind {
        ValueKind::Null => word::ValueKind::Null,
        ValueKind::Boolean => word::ValueKind::Boolean,
        ValueKind::Number => word::ValueKind::Number,
        ValueKind::String => word::ValueKind::String,
        ValueKind::List => word::ValueKind::List,
        ValueKind::Object => word::ValueKind::Object,
    }
}

/// Up to `limit` that wait, of all workspaces, the longest waiting first.
pub(crate) async fn waiting(database: &Database, limit: u64) -> Result<Vec<row::Model>, DbErr> {
    row::Entity::find()
        .filter(row::Column::RunId.is_null())
        .filter(row::Column::Reason.is_null())
        .order_by_asc(row::Column::Id)
        .limit(limit)
        .all(database.read())
        .await
}

/// Those that still wait.
fn of_waiting(id: TriggerEventId) -> UpdateMany<row::Entity> {
    row::Entity::update_many()
        .filter(row::Column::Id.eq(id.0))
        .filter(row::Column::RunId.is_null())
        .filter(row::Column::Reason.is_null())
}

/// Decides that there is no run; `false` when somebody else has decided.
pub(crate) async fn refuse(database: &Database, id: TriggerEventId, reason: &str) -> Result<bool, DbErr> {
    let refuse = of_waiting(id).col_expr(row::Column::Reason, Expr::value(reason));
    Ok(refuse.exec(database.write()).await?.rows_affected == 1)
}

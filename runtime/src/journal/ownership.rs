//! Who drives which run. Every statement here says what it found as well as what it changes, so that of two workers one
//! wins; PostgreSQL skips rows that somebody holds instead of waiting for them.

use std::time::Duration;

use engine::error::ErrorInfo;
use engine::id::{RunId, WorkerId, WorkspaceId};
use engine::time::Timestamp;
use entity::word::{NodeRunStatus, RunClaim, RunStatus, WorkerState};
use entity::{node_run, run, worker};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DatabaseBackend, DatabaseConnection,
    EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement, Value,
};
use uuid::Uuid;

use super::{Adopted, JournalError, PARKED_AT, SUSPECT_FROM, WorkerRow, WorkerSeen, row};
use crate::database::to_column;

/// Ready and dormant runs have an index each. Mail is found from the inbox, which is short: whatever arrives around the
/// moment when a run goes dormant is found by the next look.
const CLAIM: &str = r"/* claim */
WITH due AS MATERIALIZED (
    SELECT id AS picked FROM run WHERE claim = 'DORMANT' AND wake_at <= $2 ORDER BY wake_at LIMIT $3
    FOR UPDATE SKIP LOCKED
), called AS MATERIALIZED (
    SELECT id AS picked FROM run WHERE claim = 'DORMANT' AND id IN (SELECT run_id FROM run_inbox) LIMIT $3
    FOR UPDATE SKIP LOCKED
), ready AS MATERIALIZED (
    SELECT id AS picked FROM run WHERE claim = 'READY' ORDER BY priority DESC, id LIMIT $3
    FOR UPDATE SKIP LOCKED
), chosen AS MATERIALIZED (
    SELECT picked, min(turn) AS turn FROM (
        SELECT picked, 1 AS turn FROM due
        UNION ALL SELECT picked, 1 FROM called
        UNION ALL SELECT picked, 2 FROM ready
    ) AS free GROUP BY picked ORDER BY 2, 1 LIMIT $3
)
UPDATE run SET claim = 'OWNED', owner_id = $1, owner_epoch = owner_epoch + 1
WHERE id IN (SELECT picked FROM chosen)
RETURNING id";

const ADOPT: &str = r"/* adopt */
WITH lost AS MATERIALIZED (
    SELECT id AS picked FROM run WHERE claim = 'OWNED' AND owner_id = $2 AND adoptions < $4 ORDER BY id LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE run SET owner_id = $1, owner_epoch = owner_epoch + 1, adoptions = adoptions + 1
WHERE id IN (SELECT picked FROM lost)
RETURNING id";

/// A worker that was not seen for so long is forgotten when another one registers.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// What must still be so for a run to be parked.
pub(super) struct Fence {
    pub(super) owner: WorkerId,
    pub(super) run: RunId,
    /// Epoch and head.
    pub(super) at: Option<(i64, u64)>,
}

/// The statements about ownership.
pub(super) struct Ownership(DatabaseConnection);

impl Ownership {
    pub(super) fn new(writer: DatabaseConnection) -> Self {
        Self(writer)
    }

    async fn take(&self, sql: &str, values: Vec<Value>) -> Result<Vec<RunId>, JournalError> {
        let backend = self.0.get_database_backend();
        // SQLite has one writer: nobody holds a row meanwhile.
        let sql = match backend {
            DatabaseBackend::Postgres => sql.to_owned(),
            _ => sql.replace("FOR UPDATE SKIP LOCKED", ""),
        };
        let rows = self.0.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            runs.push(RunId(row.try_get_by_index(0)?));
        }
        Ok(runs)
    }

    pub(super) async fn claim(&self, owner: WorkerId, now: Timestamp, limit: u32) -> Result<Vec<RunId>, JournalError> {
        self.take(CLAIM, vec![owner.0.into(), to_column(now).into(), i64::from(limit).into()]).await
    }

    pub(super) async fn adopt(&self, owner: WorkerId, lost: WorkerId, limit: u32) -> Result<Adopted, JournalError> {
        let values = vec![owner.0.into(), lost.0.into(), i64::from(limit).into(), row::small(SUSPECT_FROM).into()];
        Ok(Adopted { taken: self.take(ADOPT, values).await?, parked: Vec::new() })
    }

    /// The least lost suspect, alone. Nothing is locked between looking and taking: of two that look at the same one,
    /// the epoch lets one win.
    pub(super) async fn adopt_suspect(
        &self,
        owner: WorkerId,
        lost: WorkerId,
        now: Timestamp,
    ) -> Result<Adopted, JournalError> {
        let candidate = run::Entity::find()
            .select_only()
            .columns([run::Column::Id, run::Column::OwnerEpoch, run::Column::Adoptions])
            .filter(owned_by(lost))
            .filter(run::Column::Adoptions.gte(row::small(SUSPECT_FROM)))
            .order_by_asc(run::Column::Adoptions)
            .order_by_asc(run::Column::Id)
            .into_tuple::<(Uuid, i64, i32)>()
            .one(&self.0)
            .await?;
        let Some((id, epoch, adoptions)) = candidate else { return Ok(Adopted::default()) };
        let mut update = run::Entity::update_many()
            .col_expr(run::Column::OwnerEpoch, Expr::value(epoch + 1))
            .col_expr(run::Column::Adoptions, Expr::value(adoptions + 1))
            .filter(owned_by(lost))
            .filter(run::Column::Id.eq(id))
            .filter(run::Column::OwnerEpoch.eq(epoch));
        let is_taken = adoptions + 1 < row::small(PARKED_AT);
        update = if is_taken {
            update.col_expr(run::Column::OwnerId, Expr::value(owner.0))
        } else {
            parked(update, &self.poisoned(RunId(id), now).await?)
        };
        let won = update.exec(&self.0).await?.rows_affected == 1;
        let (taken, parked) = if is_taken { (won.then_some(id), None) } else { (None, won.then_some(id)) };
        Ok(Adopted { taken: taken.into_iter().map(RunId).collect(), parked: parked.into_iter().map(RunId).collect() })
    }

    /// Says which node was under way each time the process was lost, as far as the rows show.
    async fn poisoned(&self, run: RunId, now: Timestamp) -> Result<ErrorInfo, JournalError> {
        let nodes: Vec<String> = node_run::Entity::find()
            .select_only()
            .column(node_run::Column::NodeKey)
            .filter(node_run::Column::RunId.eq(run.0))
            .filter(node_run::Column::Status.eq(NodeRunStatus::Running))
            .order_by_desc(node_run::Column::StartedAt)
            .limit(1)
            .into_tuple()
            .all(&self.0)
            .await?;
        let at = to_column(now).to_rfc3339();
        let message = format!(
            "{PARKED_AT} processes in a row were lost while they drove this run, the last one before {at}; it is put \
             aside so that it takes no other with it"
        );
        let error = ErrorInfo::permanent("POISONED", message);
        Ok(match nodes.first() {
            Some(node) => error.at_node(node),
            None => error,
        })
    }

    /// Whether the run was the fence's to park.
    pub(super) async fn park(&self, fence: &Fence, error: &ErrorInfo) -> Result<bool, JournalError> {
        let mut update =
            run::Entity::update_many().filter(owned_by(fence.owner)).filter(run::Column::Id.eq(fence.run.0));
        if let Some((epoch, head)) = fence.at {
            update =
                update.filter(run::Column::OwnerEpoch.eq(epoch)).filter(run::Column::HeadSeq.eq(row::number(head)));
        }
        Ok(parked(update, error).exec(&self.0).await?.rows_affected == 1)
    }

    pub(super) async fn register(&self, new: &WorkerRow, now: Timestamp) -> Result<(), JournalError> {
        let long_ago = Timestamp(now.0.saturating_sub(i64::try_from(FORGOTTEN_AFTER.as_micros()).unwrap_or(i64::MAX)));
        let gone = Condition::any()
            .add(worker::Column::State.eq(WorkerState::Stopped))
            .add(worker::Column::BeatAt.lt(to_column(long_ago)));
        worker::Entity::delete_many().filter(gone).filter(owns_runs().not()).exec(&self.0).await?;
        let row = worker::ActiveModel {
            id: Set(new.id.0),
            name: Set(new.name.clone()),
            beat: Set(1),
            lease_ms: Set(i64::try_from(new.lease.as_millis()).unwrap_or(i64::MAX)),
            state: Set(WorkerState::Active),
            version: Set(env!("CARGO_PKG_VERSION").to_owned()),
            started_at: Set(to_column(now)),
            beat_at: Set(to_column(now)),
        };
        let again = OnConflict::column(worker::Column::Id).do_nothing().to_owned();
        worker::Entity::insert(row).on_conflict(again).exec_without_returning(&self.0).await?;
        Ok(())
    }

    pub(super) async fn stopped(&self, worker: WorkerId) -> Result<(), JournalError> {
        worker::Entity::update_many()
            .col_expr(worker::Column::State, Expr::value(WorkerState::Stopped.as_str()))
            .filter(worker::Column::Id.eq(worker.0))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    pub(super) async fn workers(&self) -> Result<Vec<WorkerSeen>, JournalError> {
        let rows = worker::Entity::find().filter(owns_runs()).all(&self.0).await?;
        let seen = |row: worker::Model| WorkerSeen {
            id: WorkerId(row.id),
            beat: row.beat,
            lease: Duration::from_millis(u64::try_from(row.lease_ms).unwrap_or(0)),
            state: row.state,
        };
        Ok(rows.into_iter().map(seen).collect())
    }
}

/// Whether the run was a dead letter of that workspace.
pub(crate) async fn resume_on(
    writer: &impl ConnectionTrait,
    workspace: WorkspaceId,
    run: RunId,
    forgive: bool,
) -> Result<bool, JournalError> {
    let begun = Expr::case(Expr::col(run::Column::StartedAt).is_null(), RunStatus::Queued.as_str())
        .finally(RunStatus::Running.as_str());
    let mut update = run::Entity::update_many()
        .col_expr(run::Column::Claim, Expr::value(RunClaim::Ready.as_str()))
        .col_expr(run::Column::Status, begun.into())
        .filter(run::Column::Id.eq(run.0))
        .filter(run::Column::WorkspaceId.eq(workspace.0))
        .filter(run::Column::Claim.eq(RunClaim::Parked));
    if forgive {
        update = update
            .col_expr(run::Column::Adoptions, Expr::value(0))
            .col_expr(run::Column::Error, Expr::value(None::<String>));
    }
    Ok(update.exec(writer).await?.rows_affected == 1)
}

fn owned_by(worker: WorkerId) -> Condition {
    Condition::all().add(run::Column::Claim.eq(RunClaim::Owned)).add(run::Column::OwnerId.eq(worker.0))
}

/// Whether a row of `worker` owns any run: a look into an index for each.
fn owns_runs() -> Expr {
    let mut one = Query::select();
    one.expr(Expr::value(1))
        .from(run::Entity)
        .and_where(run::Column::Claim.eq(RunClaim::Owned))
        .and_where(Expr::col((run::Entity, run::Column::OwnerId)).equals((worker::Entity, worker::Column::Id)));
    Expr::exists(one)
}

fn parked(update: sea_orm::UpdateMany<run::Entity>, error: &ErrorInfo) -> sea_orm::UpdateMany<run::Entity> {
    update
        .col_expr(run::Column::Claim, Expr::value(RunClaim::Parked.as_str()))
        .col_expr(run::Column::Status, Expr::value(RunStatus::Paused.as_str()))
        .col_expr(run::Column::OwnerId, Expr::value(None::<Uuid>))
        .col_expr(run::Column::WakeAt, Expr::value(None::<sea_orm::prelude::DateTimeUtc>))
        .col_expr(run::Column::Error, Expr::value(row::error(error)))
}

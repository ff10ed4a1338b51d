//! Numbers what transactions left in the outbox, for readers who go by number. Every process does this; the database
//! lets one at a time, and what is numbered is committed with its number, so nothing is numbered twice.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use entity::outbox;
use sea_orm::{
    ConnectionTrait as _, DatabaseBackend, DbErr, EntityTrait as _, PaginatorTrait as _, QuerySelect as _, Statement,
};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::clock::Clock;
use crate::database::{Database, DatabaseKind, to_column};
use crate::event::EventBus;

/// Most rows of one pass.
const PASS: u32 = 1_000;
/// What nobody told this process of, such as the leavings of one that was killed, is found after this long.
const NET: Duration = Duration::from_secs(1);
/// Pause between two passes: a busy server numbers many rows in one commit.
const PAUSE: Duration = Duration::from_millis(50);

/// One statement, so that nobody holds the turn while it waits for a client. Its snapshot may be older than the turn:
/// rows that another pass has taken meanwhile are then no longer there to delete, and the number comes from the row of
/// the feed as it is, which stays locked until the commit.
const POSTGRES: &str = "/* relay */
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(7377440071) AS is_mine
), taken AS (
    DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE (SELECT is_mine FROM turn) ORDER BY id LIMIT $1)
    RETURNING id, workspace_id, kind, entity, workflow_id, actor, data, at
), counted AS (
    INSERT INTO feed (workspace_id, seq) SELECT workspace_id, count(*) FROM taken GROUP BY workspace_id
    ON CONFLICT (workspace_id) DO UPDATE SET seq = feed.seq + excluded.seq
    RETURNING workspace_id, seq
), fed AS (
    INSERT INTO workspace_event (workspace_id, seq, kind, entity, workflow_id, actor, data, at)
    SELECT taken.workspace_id,
        counted.seq + 1 - row_number() OVER (PARTITION BY taken.workspace_id ORDER BY taken.id DESC),
        kind, entity, workflow_id, actor, data, coalesce(at, $2)
    FROM taken JOIN counted ON counted.workspace_id = taken.workspace_id
)
SELECT workspace_id, (SELECT count(*) FROM taken) FROM counted
UNION ALL SELECT NULL, -1 FROM turn WHERE NOT is_mine";

/// The same in steps: the transaction holds the one writer.
const SQLITE: [&str; 3] = [
    "INSERT INTO workspace_event (workspace_id, seq, kind, entity, workflow_id, actor, data, at)
     SELECT o.workspace_id,
         coalesce(feed.seq, 0) + row_number() OVER (PARTITION BY o.workspace_id ORDER BY o.id),
         kind, entity, workflow_id, actor, data, coalesce(at, $2)
     FROM outbox o LEFT JOIN feed ON feed.workspace_id = o.workspace_id WHERE o.id <= $1",
    "INSERT INTO feed (workspace_id, seq) SELECT workspace_id, count(*) FROM outbox WHERE id <= $1 GROUP BY workspace_id
     ON CONFLICT (workspace_id) DO UPDATE SET seq = feed.seq + excluded.seq
     RETURNING workspace_id",
    "DELETE FROM outbox WHERE id <= $1",
];

/// What a pass did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Whose feeds have grown.
    pub(crate) fed: BTreeSet<WorkspaceId>,
    /// Whether it makes sense to go on at once: there may be more, or another process had the turn.
    pub(crate) again: bool,
}

/// What the relay works with.
pub(crate) struct Relay {
    pub(crate) database: Database,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
}

impl Relay {
    /// Relays until it is dropped.
    pub(crate) async fn run(self) {
        let mut net = tokio::time::interval(NET);
        net.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.bus.outbox_filled() => {}
                _ = net.tick() => {}
            }
            loop {
                match pass(&self.database, PASS, self.clock.now()).await {
                    Ok(done) => {
                        done.fed.iter().for_each(|workspace| self.bus.publish_feed(*workspace));
                        if !done.again {
                            break;
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = %error, "the outbox could not be relayed; it is tried again");
                        break;
                    }
                }
                tokio::time::sleep(PAUSE / 5).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Numbers up to `limit` rows of the outbox, the oldest first.
pub(crate) async fn pass(database: &Database, limit: u32, now: Timestamp) -> Result<Pass, DbErr> {
    match database.kind() {
        DatabaseKind::Postgres => postgres(database, limit, now).await,
        DatabaseKind::Sqlite => sqlite(database, limit, now).await,
    }
}

async fn postgres(database: &Database, limit: u32, now: Timestamp) -> Result<Pass, DbErr> {
    if outbox::Entity::find().limit(1).count(database.read()).await? == 0 {
        return Ok(Pass::default());
    }
    let values = [i64::from(limit).into(), to_column(now).into()];
    let statement = Statement::from_sql_and_values(DatabaseBackend::Postgres, POSTGRES, values);
    let mut done = Pass::default();
    for row in database.write().query_all_raw(statement).await? {
        let (workspace, count): (Option<Uuid>, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        done.fed.extend(workspace.map(WorkspaceId));
        done.again |= count < 0 || count >= i64::from(limit);
    }
    Ok(done)
}

async fn sqlite(database: &Database, limit: u32, now: Timestamp) -> Result<Pass, DbErr> {
    if outbox::Entity::find().limit(1).count(database.read()).await? == 0 {
        return Ok(Pass::default());
    }
    let write = database.begin_write().await?;
    let ids = "SELECT id FROM outbox ORDER BY id LIMIT $1";
    let oldest = Statement::from_sql_and_values(DatabaseBackend::Sqlite, ids, [i64::from(limit).into()]);
    let ids = write.query_all_raw(oldest).await?;
    let Some(last) = ids.last() else { return write.rollback().await.map(|()| Pass::default()) };
    let last: i64 = last.try_get_by_index(0)?;
    let step = |sql, values: Vec<sea_orm::Value>| Statement::from_sql_and_values(DatabaseBackend::Sqlite, sql, values);
    let [number, count, clear] = SQLITE;
    write.execute_raw(step(number, vec![last.into(), to_column(now).into()])).await?;
    let mut done = Pass { again: ids.len() >= limit as usize, ..Pass::default() };
    for row in write.query_all_raw(step(count, vec![last.into()])).await? {
        done.fed.insert(WorkspaceId(row.try_get_by_index(0)?));
    }
    write.execute_raw(step(clear, vec![last.into()])).await?;
    write.commit().await?;
    Ok(done)
}

#[cfg(test)]
mod tests;

//! Figures that are read from the database rather than counted. Every process that is asked gives the same ones.

use std::time::Duration;

use chrono::{DateTime, Utc};
use engine::run::status::RunStatus;
use engine::time::Timestamp;
use entity::{outbox, run_inbox};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{CONNECTIONS, FILES, INBOX, INBOX_LAG, LIVE, MOST_CONNECTIONS, OUTBOX, OUTBOX_LAG, STORED, WATCHED};
use crate::clock::Clock;
use crate::database::{Database, from_column};
use crate::event::EventBus;

/// Whoever asks again within this gets the figures as they are: asking often must not load the database.
const FRESH_FOR: Duration = Duration::from_secs(5);
/// The same for those that take a look at every row of a table.
const SUMS_FRESH_FOR: Duration = Duration::from_secs(300);
/// Figures that come too late are left as they were; the others are wanted most when the database is in trouble.
const WITHIN: Duration = Duration::from_secs(2);
/// Rows beyond this are not counted.
const MOST_ROWS: u64 = 100_000;

/// Each claim by a small index of its own, which is found by its written word alone.
const RUNS: &str = "
SELECT status, count(*) FROM run WHERE claim = 'READY' AND mode = 'LIVE' GROUP BY status UNION ALL
SELECT status, count(*) FROM run WHERE claim = 'OWNED' AND mode = 'LIVE' GROUP BY status UNION ALL
SELECT status, count(*) FROM run WHERE claim = 'DORMANT' AND mode = 'LIVE' GROUP BY status UNION ALL
SELECT status, count(*) FROM run WHERE claim = 'PARKED' AND mode = 'LIVE' GROUP BY status";

const STORE: &str = "
SELECT (SELECT count(*) FROM artifact), (SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM blob)";

/// What a run that has not ended may be.
const LIVE_STATUSES: [RunStatus; 4] = [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting, RunStatus::Paused];

/// Reads them, at most once in [`FRESH_FOR`] or [`SUMS_FRESH_FOR`].
pub(crate) struct Sampler {
    database: Database,
    bus: EventBus,
    clock: Clock,
    read_at: Mutex<Option<Instant>>,
    summed_at: Mutex<Option<Instant>>,
}

impl Sampler {
    pub(crate) fn new(database: Database, bus: EventBus, clock: Clock) -> Self {
        Self { database, bus, clock, read_at: Mutex::default(), summed_at: Mutex::default() }
    }

    pub(crate) async fn sample(&self) {
        for pool in self.database.pools() {
            metrics::gauge!(CONNECTIONS, "pool" => pool.name, "state" => "idle").set(f64::from(pool.idle));
            metrics::gauge!(CONNECTIONS, "pool" => pool.name, "state" => "used").set(f64::from(pool.used));
            metrics::gauge!(MOST_CONNECTIONS, "pool" => pool.name).set(f64::from(pool.most));
        }
        metrics::gauge!(WATCHED).set(self.bus.watched() as f64);
        read(&self.read_at, FRESH_FOR, self.read()).await;
        read(&self.summed_at, SUMS_FRESH_FOR, self.sum()).await;
    }

    /// What the artifact store holds.
    async fn sum(&self) -> Result<(), DbErr> {
        let read = self.database.read();
        let row = read.query_one_raw(Statement::from_string(read.get_database_backend(), STORE)).await?;
        let Some(row) = row else { return Ok(()) };
        metrics::gauge!(FILES).set(row.try_get_by_index::<i64>(0)? as f64);
        metrics::gauge!(STORED).set(row.try_get_by_index::<i64>(1)? as f64);
        Ok(())
    }

    async fn read(&self) -> Result<(), DbErr> {
        let runs = self.runs().await?;
        for status in LIVE_STATUSES {
            let count = runs.iter().filter(|(word, _)| word == status.as_str()).map(|(_, count)| *count).sum::<i64>();
            metrics::gauge!(LIVE, "status" => status.as_str()).set(count as f64);
        }
        let read = self.database.read();
        let count = run_inbox::Entity::find().limit(MOST_ROWS).count(read).await?;
        let oldest: Option<DateTime<Utc>> = run_inbox::Entity::find()
            .select_only()
            .column(run_inbox::Column::CreatedAt)
            .order_by_asc(run_inbox::Column::CreatedAt)
            .limit(1)
            .into_tuple()
            .one(read)
            .await?;
        metrics::gauge!(INBOX).set(count as f64);
        metrics::gauge!(INBOX_LAG).set(self.age(oldest));
        let count = outbox::Entity::find().limit(MOST_ROWS).count(read).await?;
        let oldest: Option<DateTime<Utc>> = outbox::Entity::find()
            .select_only()
            .column(outbox::Column::At)
            .filter(outbox::Column::At.is_not_null())
            .order_by_asc(outbox::Column::Id)
            .limit(1)
            .into_tuple()
            .one(read)
            .await?;
        metrics::gauge!(OUTBOX).set(count as f64);
        metrics::gauge!(OUTBOX_LAG).set(self.age(oldest));
        Ok(())
    }

    /// Runs that have not ended.
    async fn runs(&self) -> Result<Vec<(String, i64)>, DbErr> {
        let read = self.database.read();
        let rows = read.query_all_raw(Statement::from_string(read.get_database_backend(), RUNS)).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }

    fn age(&self, oldest: Option<DateTime<Utc>>) -> f64 {
        let now: Timestamp = self.clock.now();
        oldest.map_or(0.0, |at| now.since(from_column(at)).as_secs_f64())
    }
}

/// Reads figures unless that was done a moment ago. One at a time; those who come meanwhile get what the first one reads.
async fn read(last: &Mutex<Option<Instant>>, fresh_for: Duration, figures: impl Future<Output = Result<(), DbErr>>) {
    let mut last = last.lock().await;
    if last.is_some_and(|at| at.elapsed() < fresh_for) {
        return;
    }
    *last = Some(Instant::now());
    match tokio::time::timeout(WITHIN, figures).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "figures could not be read from the database"),
        Err(_) => tracing::warn!("figures were not read from the database within {WITHIN:?}"),
    }
}

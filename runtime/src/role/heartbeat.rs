//! Shows the others that this process lives. On a thread, a runtime and a connection of its own, so that no amount of
//! work makes it late.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::id::WorkerId;
use engine::time::Timestamp;
use entity::worker;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, ExprTrait, QueryFilter};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::database::{Database, to_column};
use crate::driver::Lease;

/// What the thread works with.
pub(crate) struct Heartbeat {
    pub(crate) database: Database,
    pub(crate) worker: WorkerId,
    pub(crate) lease: Arc<Lease>,
    pub(crate) clock: Clock,
    pub(crate) every: Duration,
    pub(crate) stop: CancellationToken,
}

impl Heartbeat {
    /// Starts the thread; it ends with `stop`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || runtime.block_on(self.run()))?;
        Ok(())
    }

    async fn run(self) {
        let connection = self.database.separate();
        loop {
            let sent = Instant::now();
            match tokio::time::timeout(self.every * 2, beat(&connection, self.worker, self.clock.now())).await {
                Ok(Ok(())) => self.lease.beaten(sent),
                Ok(Err(error)) => tracing::warn!(error = %error, "a heartbeat failed"),
                Err(_) => tracing::warn!("a heartbeat got no answer in time"),
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }
}

async fn beat(connection: &DatabaseConnection, worker: WorkerId, now: Timestamp) -> Result<(), DbErr> {
    let beaten = worker::Entity::update_many()
        .col_expr(worker::Column::Beat, Expr::col(worker::Column::Beat).add(1))
        .col_expr(worker::Column::BeatAt, Expr::value(to_column(now)))
        .filter(worker::Column::Id.eq(worker.0))
        .exec(connection)
        .await?;
    // A process that was forgotten must not believe in its lease: nobody would look after its runs.
    if beaten.rows_affected == 0 { Err(DbErr::RecordNotUpdated) } else { Ok(()) }
}

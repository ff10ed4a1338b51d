//! What is done once an hour, by any process and by several at once: whatever nobody needs any more goes.

use std::time::Duration;

use engine::time::Timestamp;
use entity::{connection_sign_in, signal_dedupe, start_dedupe, webhook_seen};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use crate::artifact::Artifacts;
use crate::blob::BlobStore;
use crate::clock::Clock;
use crate::database::{Database, to_column};

const HOUR: Duration = Duration::from_secs(3_600);

/// Deletes files whose time is over, blobs that nothing has referred to for a day, idempotency keys and signed deliveries that have expired, test runs
/// and events of a week ago, and what was told to the outside a month ago.
pub(crate) async fn hourly(database: Database, blobs: BlobStore, artifacts: Artifacts, clock: Clock) {
    // The first time an hour after the start, which has other things to do.
    let mut hour = tokio::time::interval_at(tokio::time::Instant::now() + HOUR, HOUR);
    loop {
        hour.tick().await;
        if let Err(error) = artifacts.forget(clock.now()).await {
            tracing::warn!(error = %error, "files whose time is over could not be deleted; again in an hour");
        }
        if let Err(error) = blobs.sweep(clock.now()).await {
            tracing::warn!(error = %error, "blobs could not be swept; they are looked at again in an hour");
        }
        if let Err(error) = crate::store::test_run::forget(&database, clock.now()).await {
            tracing::warn!(error = %error, "old test runs could not be deleted; again in an hour");
        }
        if let Err(error) = forget_keys(&database, clock.now()).await {
            tracing::warn!(error = %error, "expired idempotency keys could not be deleted; again in an hour");
        }
        if let Err(error) = forget_seen(&database, clock.now()).await {
            tracing::warn!(error = %error, "signed deliveries of long ago could not be deleted; again in an hour");
        }
        if let Err(error) = crate::notification::forget(&database, clock.now()).await {
            tracing::warn!(error = %error, "old messages to the outside could not be deleted; again in an hour");
        }
        if let Err(error) = crate::store::feed::forget(&database, clock.now()).await {
            tracing::warn!(error = %error, "old workspace events could not be deleted; again in an hour");
        }
    }
}

/// Deletes idempotency keys that may start another run, or send another signal, anyway, and sign-ins that nobody may end
/// any more. How many.
async fn forget_keys(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    let now = to_column(now);
    let starts = start_dedupe::Entity::delete_many().filter(start_dedupe::Column::ExpiresAt.lte(now));
    let signals = signal_dedupe::Entity::delete_many().filter(signal_dedupe::Column::ExpiresAt.lte(now));
    let sign_ins = connection_sign_in::Entity::delete_many().filter(connection_sign_in::Column::ExpiresAt.lte(now));
    let starts = starts.exec(database.write()).await?.rows_affected;
    let signals = signals.exec(database.write()).await?.rows_affected;
    Ok(starts + signals + sign_ins.exec(database.write()).await?.rows_affected)
}

/// Deletes what is known of signed deliveries that are too old to count again. How many.
async fn forget_seen(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    let expired = webhook_seen::Entity::delete_many().filter(webhook_seen::Column::ExpiresAt.lte(to_column(now)));
    Ok(expired.exec(database.write()).await?.rows_affected)
}

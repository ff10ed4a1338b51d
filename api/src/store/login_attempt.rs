//! Sign-ins at the provider that browsers began. Nobody is known yet, so these queries start from no workspace.

use engine::time::Timestamp;
use engine::value::Digest;
use entity::login_attempt as row;
use runtime::Database;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::at;
use crate::service::login::Attempt;

/// Keeps what was begun, and lets go of what is over; false when so much is under way already, from there or in all.
pub(crate) async fn insert(
    database: &Database,
    attempt: &Attempt,
    (most_from_there, most): (u64, u64),
    now: Timestamp,
) -> Result<bool, DbErr> {
    let over = row::Entity::delete_many().filter(row::Column::ExpiresAt.lte(at(now)));
    over.exec(database.write()).await?;
    // Several at the same moment may each be the last one: the bound is there to keep the table small.
    let from_there = match &attempt.address {
        Some(address) => row::Entity::find().filter(row::Column::Address.eq(address)).count(database.read()).await?,
        None => 0,
    };
    if from_there >= most_from_there || row::Entity::find().count(database.read()).await? >= most {
        return Ok(false);
    }
    let new = row::ActiveModel {
        state_digest: Set(attempt.state.0.to_vec()),
        browser_digest: Set(attempt.browser.0.to_vec()),
        nonce: Set(attempt.nonce.clone()),
        verifier: Set(attempt.verifier.clone()),
        return_to: Set(attempt.return_to.clone()),
        expires_at: Set(at(attempt.expires_at)),
        address: Set(attempt.address.clone()),
    };
    row::Entity::insert(new).exec_without_returning(database.write()).await?;
    Ok(true)
}

/// Takes what this browser began; nobody can take it again.
pub(crate) async fn take(
    database: &Database,
    state: Digest,
    browser: Digest,
    now: Timestamp,
) -> Result<Option<Attempt>, DbErr> {
    let found = row::Entity::find_by_id(state.0.to_vec())
        .filter(row::Column::BrowserDigest.eq(browser.0.to_vec()))
        .filter(row::Column::ExpiresAt.gt(at(now)))
        .one(database.read())
        .await?;
    let Some(found) = found else { return Ok(None) };
    let taken = row::Entity::delete_by_id(found.state_digest).exec(database.write()).await?;
    Ok((taken.rows_affected == 1).then(|| Attempt {
        state,
        browser,
        nonce: found.nonce,
        verifier: found.verifier,
        return_to: found.return_to,
        expires_at: super::timestamp(found.expires_at),
        address: found.address,
    }))
}

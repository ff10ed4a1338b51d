//! Journals as readers follow them.

use engine::drive::batch::Record;
use engine::id::RunId;
use engine::value::Digest;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::database::Database;

/// The records that hold events after a seq, oldest first: no more than `limit` of them, and so at least as many events
/// as records. Whoever asks has made sure that the run belongs to their workspace.
///
/// # Errors
/// When the database fails or a row holds what no release wrote.
pub async fn after(database: &Database, run: RunId, seq: u64, limit: u32) -> Result<Vec<Record>, DbErr> {
    use entity::journal::{Column, Entity};
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let rows = Entity::find()
        .filter(Column::RunId.eq(run.0))
        .filter(Column::LastSeq.gt(seq))
        .order_by_asc(Column::FirstSeq)
        .limit(u64::from(limit))
        .all(database.read())
        .await?;
    rows.into_iter().map(record).collect()
}

fn record(row: entity::journal::Model) -> Result<Record, DbErr> {
    let unreadable = |column: &str| DbErr::Type(format!("journal.{column} holds what cannot be read"));
    let digest = |bytes: Vec<u8>, column| bytes.try_into().map(Digest).map_err(|_| unreadable(column));
    Ok(Record {
        first_seq: u64::try_from(row.first_seq).map_err(|_| unreadable("first_seq"))?,
        last_seq: u64::try_from(row.last_seq).map_err(|_| unreadable("last_seq"))?,
        body: row.body,
        digest: digest(row.digest, "digest")?,
        prev: digest(row.prev, "prev")?,
    })
}

//! The chain of an audit and its anchors.

use engine::audit::{Checker, Fault};
use engine::id::{WorkspaceId, WorkspaceKeyId};
use engine::value::Digest;
use entity::{audit, audit_anchor, audit_head};
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{at, digest, timestamp};
use crate::service::audit_chain::Anchor;

/// Rows read at once.
const BATCH: u64 = 1_000;

/// How far an audit goes, as its head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The number of the last row.
    pub(crate) seq: i64,
    /// Its hash; none when all rows are of before the chain.
    pub(crate) hash: Option<Digest>,
}

/// The head of a workspace's audit; none when nothing was ever done there.
pub(crate) async fn head(database: &Database, workspace: WorkspaceId) -> Result<Option<Head>, DbErr> {
    let found = audit_head::Entity::find_by_id(workspace.0).one(database.read()).await?;
    found.map(|row| Ok(Head { seq: row.seq, hash: row.hash.as_deref().map(digest).transpose()? })).transpose()
}

/// Goes along the whole chain; the first fault is an answer, not an error.
pub(crate) async fn walk(
    database: &Database,
    workspace: WorkspaceId,
    mut seen: impl FnMut(i64, Option<&Digest>) -> Result<(), Fault>,
) -> Result<Result<Checker, Fault>, DbErr> {
    let mut checker = Checker::default();
    loop {
        let rows = audit::Entity::find()
            .filter(audit::Column::WorkspaceId.eq(workspace.0))
            .filter(audit::Column::Seq.gt(checker.seq()))
            .order_by_asc(audit::Column::Seq)
            .limit(BATCH)
            .all(database.read())
            .await?;
        if rows.is_empty() {
            return Ok(Ok(checker));
        }
        for row in &rows {
            let hash = row.hash.as_deref().map(digest).transpose()?;
            let taken = checker.take(&super::audit::link(row), hash.as_ref());
            if let Err(fault) = taken.and_then(|()| seen(row.seq, hash.as_ref())) {
                return Ok(Err(fault));
            }
        }
    }
}

/// The workspaces whose audits went on since their last anchor, and that have none of this day.
pub(crate) async fn to_anchor(database: &Database, day: &str) -> Result<Vec<(WorkspaceId, Head)>, DbErr> {
    let done = audit_anchor::Entity::find().filter(audit_anchor::Column::Day.eq(day)).all(database.read()).await?;
    let heads = audit_head::Entity::find().all(database.read()).await?;
    let open = heads.into_iter().filter(|head| !done.iter().any(|anchor| anchor.workspace_id == head.workspace_id));
    open.map(|row| {
        let hash = row.hash.as_deref().map(digest).transpose()?;
        Ok((WorkspaceId(row.workspace_id), Head { seq: row.seq, hash }))
    })
    .collect()
}

/// Keeps an anchor; the first of a day stays.
pub(crate) async fn insert(database: &Database, id: Uuid, anchor: &Anchor, day: &str) -> Result<(), DbErr> {
    let row = audit_anchor::ActiveModel {
        id: Set(id),
        workspace_id: Set(anchor.workspace.0),
        day: Set(day.to_owned()),
        seq: Set(anchor.seq),
        hash: Set(anchor.hash.0.to_vec()),
        workspace_key_id: Set(anchor.key.0),
        signature: Set(anchor.signature.clone()),
        at: Set(at(anchor.at)),
    };
    let columns = [audit_anchor::Column::WorkspaceId, audit_anchor::Column::Day];
    let once = OnConflict::columns(columns).do_nothing().to_owned();
    let write = database.begin_write().await?;
    audit_anchor::Entity::insert(row).on_conflict(once).exec_without_returning(&write).await?;
    write.commit().await
}

/// A workspace's anchors with their days, the oldest first.
pub(crate) async fn anchors(database: &Database, workspace: WorkspaceId) -> Result<Vec<(String, Anchor)>, DbErr> {
    let rows = audit_anchor::Entity::find()
        .filter(audit_anchor::Column::WorkspaceId.eq(workspace.0))
        .order_by_asc(audit_anchor::Column::Seq)
        .all(database.read())
        .await?;
    rows.into_iter()
        .map(|row| {
            let anchor = Anchor {
                workspace,
                seq: row.seq,
                hash: digest(&row.hash)?,
                key: WorkspaceKeyId(row.workspace_key_id),
                signature: row.signature,
                at: timestamp(row.at),
            };
            Ok((row.day, anchor))
        })
        .collect()
}

//! Immutable, numbered definitions.

use engine::id::{ProjectId, VersionId, WorkflowId};
use entity::{version, workflow};
use runtime::Database;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef, Select,
};

use super::keyset::{self, Listed};
use super::scope::of_workflow;
use super::{digest, some, timestamp};
use crate::auth::Scope;
use crate::service::page::Window;
use crate::service::start::Runnable;
use crate::service::workflow::Version;

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<version::Entity> {
    version::Entity::find()
        .filter(version::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_workflow(scope, version::Column::WorkflowId))
}

pub(super) fn read(model: version::Model) -> Result<Version, DbErr> {
    Ok(Version {
        id: VersionId(model.id),
        workflow: WorkflowId(model.workflow_id),
        number: model.number,
        hash: digest(&model.definition_hash)?,
        note: some(model.note),
        created_at: timestamp(model.created_at),
        created_by: model.created_by,
    })
}

/// Those of these versions that are in the workspace.
pub(crate) async fn by_ids(database: &Database, scope: &Scope, ids: &[VersionId]) -> Result<Vec<Version>, DbErr> {
    let ids = ids.iter().map(|id| id.0);
    let rows = in_scope(scope).filter(version::Column::Id.is_in(ids)).all(database.read()).await?;
    rows.into_iter().map(read).collect()
}

/// A page of a workflow's versions, the latest first.
pub(crate) async fn list(
    database: &Database,
    scope: &Scope,
    of: WorkflowId,
    window: Window<i32>,
) -> Result<Listed<Version>, DbErr> {
    let select = in_scope(scope).filter(version::Column::WorkflowId.eq(of.0));
    let order = (&[version::Column::Number][..], true);
    keyset::list(database, select, order, window, |number| vec![number.into()], read).await
}

/// The version with the highest number of each of these workflows.
pub(crate) async fn latest(database: &Database, scope: &Scope, of: &[WorkflowId]) -> Result<Vec<Version>, DbErr> {
    let ids: Vec<Uuid> = of.iter().map(|id| id.0).collect();
    let highest = Query::select()
        .column(version::Column::WorkflowId)
        .expr(Expr::col(version::Column::Number).max())
        .from(version::Entity)
        .and_where(Expr::col(version::Column::WorkflowId).is_in(ids))
        .group_by_col(version::Column::WorkflowId)
        .to_owned();
    let key = Expr::tuple([
        Expr::col((version::Entity, version::Column::WorkflowId)),
        Expr::col((version::Entity, version::Column::Number)),
    ]);
    let rows = in_scope(scope).filter(key.in_subquery(highest)).all(database.read()).await?;
    rows.into_iter().map(read).collect()
}

/// The version with the highest number, as a transaction sees it.
pub(super) async fn latest_in(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    of: WorkflowId,
) -> Result<Option<Version>, DbErr> {
    let found = in_scope(scope)
        .filter(version::Column::WorkflowId.eq(of.0))
        .order_by_desc(version::Column::Number)
        .one(connection)
        .await?;
    found.map(read).transpose()
}

/// From a version to its workflow.
fn to_workflow() -> RelationDef {
    version::Entity::belongs_to(workflow::Entity).from(version::Column::WorkflowId).to(workflow::Column::Id).into()
}

/// All that starting a run of this version takes.
pub(crate) async fn runnable(database: &Database, scope: &Scope, id: VersionId) -> Result<Option<Runnable>, DbErr> {
    let found: Option<(Uuid, Uuid, Uuid, Vec<u8>)> = in_scope(scope)
        .filter(version::Column::Id.eq(id.0))
        .join(JoinType::InnerJoin, to_workflow())
        .filter(workflow::Column::ArchivedAt.is_null())
        .select_only()
        .column(workflow::Column::ProjectId)
        .column(workflow::Column::Id)
        .column(version::Column::Id)
        .column(version::Column::DefinitionHash)
        .into_tuple()
        .one(database.read())
        .await?;
    found.map(as_runnable).transpose()
}

pub(super) fn as_runnable((project, workflow, version, hash): (Uuid, Uuid, Uuid, Vec<u8>)) -> Result<Runnable, DbErr> {
    Ok(Runnable {
        project: ProjectId(project),
        workflow: WorkflowId(workflow),
        version: VersionId(version),
        hash: digest(&hash)?,
    })
}

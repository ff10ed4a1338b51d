//! The named things that have versions.

use engine::id::{ProjectId, WorkflowId, WorkspaceId};
use entity::{project, workflow};
use runtime::Database;
use sea_orm::sea_query::Condition;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef, SelectTwo,
};

use super::{some, timestamp};
use crate::service::workflow::Workflow;

/// From a workflow to its project.
pub(super) fn to_project() -> RelationDef {
    workflow::Entity::belongs_to(project::Entity).from(workflow::Column::ProjectId).to(project::Column::Id).into()
}

/// The only way into the table: there is no query without a workspace.
fn in_workspace(workspace: WorkspaceId) -> SelectTwo<workflow::Entity, project::Entity> {
    workflow::Entity::find()
        .join(JoinType::InnerJoin, to_project())
        .select_also(project::Entity)
        .filter(workflow::Column::WorkspaceId.eq(workspace.0))
        .filter(workflow::Column::ArchivedAt.is_null())
}

pub(super) fn read(model: workflow::Model, project: &str) -> Workflow {
    Workflow {
        id: WorkflowId(model.id),
        project_id: ProjectId(model.project_id),
        project: project.to_owned(),
        name: model.name,
        title: some(model.title),
        description: some(model.description),
        created_at: timestamp(model.created_at),
        updated_at: timestamp(model.updated_at),
    }
}

fn joined((model, project): (workflow::Model, Option<project::Model>)) -> Option<Workflow> {
    project.map(|project| read(model, &project.slug))
}

/// Those of these workflows that are in the workspace.
pub(crate) async fn by_ids(
    database: &Database,
    workspace: WorkspaceId,
    ids: &[WorkflowId],
) -> Result<Vec<Workflow>, DbErr> {
    let ids = ids.iter().map(|id| id.0);
    let rows = in_workspace(workspace).filter(workflow::Column::Id.is_in(ids)).all(database.read()).await?;
    Ok(rows.into_iter().filter_map(joined).collect())
}

/// The workflow of this name.
pub(crate) async fn find_by_name(
    database: &Database,
    workspace: WorkspaceId,
    project: &str,
    name: &str,
) -> Result<Option<Workflow>, DbErr> {
    find_by_name_in(database.read(), workspace, project, name).await
}

async fn find_by_name_in(
    connection: &impl ConnectionTrait,
    workspace: WorkspaceId,
    project: &str,
    name: &str,
) -> Result<Option<Workflow>, DbErr> {
    let found = in_workspace(workspace)
        .filter(project::Column::Slug.eq(project))
        .filter(workflow::Column::Name.eq(name))
        .one(connection)
        .await?;
    Ok(found.and_then(joined))
}

/// Up to `limit` workflows by name and id, after a name and id.
pub(crate) async fn list(
    database: &Database,
    workspace: WorkspaceId,
    project: Option<&str>,
    after: Option<(String, WorkflowId)>,
    limit: u64,
) -> Result<Vec<Workflow>, DbErr> {
    let mut select = in_workspace(workspace);
    if let Some(slug) = project {
        select = select.filter(project::Column::Slug.eq(slug));
    }
    if let Some((name, id)) = after {
        let same_name = Condition::all().add(workflow::Column::Name.eq(&name)).add(workflow::Column::Id.gt(id.0));
        select = select.filter(Condition::any().add(workflow::Column::Name.gt(&name)).add(same_name));
    }
    let rows = select
        .order_by_asc(workflow::Column::Name)
        .order_by_asc(workflow::Column::Id)
        .limit(limit)
        .all(database.read())
        .await?;
    Ok(rows.into_iter().filter_map(joined).collect())
}

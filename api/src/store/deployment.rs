//! Which version each environment runs.

use engine::id::{DeploymentId, ProjectId, VersionId, WorkflowId, WorkspaceId};
use engine::value::Digest;
use entity::{deployment, project, version, workflow, workspace};
use runtime::Database;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};
use serde_json::json;

use super::change::Change;
use super::version::as_runnable;
use super::workflow::to_project;
use super::{at, digest, timestamp};
use crate::service::audit::{Action, Context, Done};
use crate::service::hook::Route;
use crate::service::start::Runnable;
use crate::service::workflow::Deployment;

fn read(model: deployment::Model) -> Deployment {
    Deployment {
        id: DeploymentId(model.id),
        workflow: WorkflowId(model.workflow_id),
        environment: model.environment,
        version: VersionId(model.version_id),
        updated_at: timestamp(model.updated_at),
    }
}

/// Everything that is deployed of these workflows, by environment.
pub(crate) async fn of_workflows(
    database: &Database,
    workspace: WorkspaceId,
    of: &[WorkflowId],
) -> Result<Vec<Deployment>, DbErr> {
    let rows = deployment::Entity::find()
        .filter(deployment::Column::WorkspaceId.eq(workspace.0))
        .filter(deployment::Column::WorkflowId.is_in(of.iter().map(|id| id.0)))
        .order_by_asc(deployment::Column::Environment)
        .all(database.read())
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Lets an environment run a version; what is there now comes back.
pub(crate) async fn put(
    database: &Database,
    workspace: WorkspaceId,
    new: &Deployment,
    context: &Context,
    by: &str,
) -> Result<Deployment, DbErr> {
    let mut change = Change::begin(database, context).await?;
    let deployment = put_in(&mut change, workspace, new, by).await?;
    change.commit().await?;
    Ok(deployment)
}

/// The same inside a transaction. Deploying what is deployed already changes nothing that anybody is told of.
pub(super) async fn put_in(
    change: &mut Change,
    workspace: WorkspaceId,
    new: &Deployment,
    by: &str,
) -> Result<Deployment, DbErr> {
    use deployment::Column as C;
    let connection = change.connection();
    let here = || {
        deployment::Entity::find()
            .filter(C::WorkspaceId.eq(workspace.0))
            .filter(C::WorkflowId.eq(new.workflow.0))
            .filter(C::Environment.eq(&new.environment))
    };
    let before = here().one(connection).await?.map(read);
    let row = deployment::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(workspace.0),
        workflow_id: Set(new.workflow.0),
        environment: Set(new.environment.clone()),
        version_id: Set(new.version.0),
        deployed_by: Set(by.to_owned()),
        created_at: Set(at(new.updated_at)),
        updated_at: Set(at(new.updated_at)),
    };
    let moved = OnConflict::columns([C::WorkflowId, C::Environment])
        .update_columns([C::VersionId, C::DeployedBy, C::UpdatedAt])
        .to_owned();
    deployment::Entity::insert(row).on_conflict(moved).exec_without_returning(connection).await?;
    let found = here().one(connection).await?.map(read);
    let found = found.ok_or_else(|| DbErr::RecordNotFound(format!("the deployment of {}", new.workflow)))?;
    if before.as_ref().map(|before| before.version) != Some(found.version) {
        let shown = |of: &Deployment| json!({"environment": of.environment, "version": of.version.to_string()});
        let done = Done::new(Action::DeploymentChanged, found.id).of(found.workflow).after(shown(&found));
        change.record(Done { before: before.as_ref().map(shown), ..done });
    }
    Ok(found)
}

/// What an environment of a project runs: workflows and the hashes of their definitions.
pub(crate) async fn in_environment(
    database: &Database,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
) -> Result<Vec<(WorkflowId, Digest)>, DbErr> {
    let select = joined(environment)
        .filter(deployment::Column::WorkspaceId.eq(workspace.0))
        .filter(workflow::Column::ProjectId.eq(project.0));
    let rows: Vec<(Uuid, Uuid, Uuid, Vec<u8>)> = select.into_tuple().all(database.read()).await?;
    let found = |(_, workflow, _, hash): (Uuid, Uuid, Uuid, Vec<u8>)| Ok((WorkflowId(workflow), digest(&hash)?));
    rows.into_iter().map(found).collect()
}

/// Deployments with their workflow, project and version, ready to pick columns from.
fn joined(environment: &str) -> Select<deployment::Entity> {
    let to_workflow = deployment::Entity::belongs_to(workflow::Entity)
        .from(deployment::Column::WorkflowId)
        .to(workflow::Column::Id)
        .into();
    let to_version = deployment::Entity::belongs_to(version::Entity)
        .from(deployment::Column::VersionId)
        .to(version::Column::Id)
        .into();
    deployment::Entity::find()
        .join(JoinType::InnerJoin, to_workflow)
        .join(JoinType::InnerJoin, to_version)
        .join(JoinType::InnerJoin, to_project())
        .filter(deployment::Column::Environment.eq(environment))
        .filter(workflow::Column::ArchivedAt.is_null())
        .select_only()
        .column(workflow::Column::ProjectId)
        .column(workflow::Column::Id)
        .column(version::Column::Id)
        .column(version::Column::DefinitionHash)
}

async fn one(select: Select<deployment::Entity>, database: &Database) -> Result<Option<Runnable>, DbErr> {
    select.into_tuple().one(database.read()).await?.map(as_runnable).transpose()
}

/// What runs of the workflow of this name.
pub(crate) async fn runnable_by_name(
    database: &Database,
    workspace: WorkspaceId,
    project: &str,
    name: &str,
    environment: &str,
) -> Result<Option<Runnable>, DbErr> {
    let select = joined(environment)
        .filter(deployment::Column::WorkspaceId.eq(workspace.0))
        .filter(project::Column::Slug.eq(project))
        .filter(workflow::Column::Name.eq(name));
    one(select, database).await
}

/// What runs of this workflow.
pub(crate) async fn runnable_by_workflow(
    database: &Database,
    workspace: WorkspaceId,
    id: WorkflowId,
    environment: &str,
) -> Result<Option<Runnable>, DbErr> {
    let select = joined(environment)
        .filter(deployment::Column::WorkspaceId.eq(workspace.0))
        .filter(workflow::Column::Id.eq(id.0));
    one(select, database).await
}

/// What runs at a webhook's path, and in which workspace. The path itself names the workspace, so this query alone
/// does not start from one.
pub(crate) async fn runnable_by_route(
    database: &Database,
    route: &Route,
    environment: &str,
) -> Result<Option<(WorkspaceId, Runnable)>, DbErr> {
    let to_workspace = workflow::Entity::belongs_to(workspace::Entity)
        .from(workflow::Column::WorkspaceId)
        .to(workspace::Column::Id)
        .into();
    let found: Option<(Uuid, Uuid, Uuid, Vec<u8>, Uuid)> = joined(environment)
        .join(JoinType::InnerJoin, to_workspace)
        .filter(workspace::Column::Slug.eq(&route.workspace))
        .filter(project::Column::Slug.eq(&route.project))
        .filter(workflow::Column::Name.eq(&route.workflow))
        .column(workspace::Column::Id)
        .into_tuple()
        .one(database.read())
        .await?;
    let Some((project, workflow, version, hash, workspace)) = found else { return Ok(None) };
    Ok(Some((WorkspaceId(workspace), as_runnable((project, workflow, version, hash))?)))
}

//! Which version each environment runs.

use engine::id::{DeploymentChangeId, DeploymentId, ProjectId, VersionId, WorkflowId, WorkspaceId};
use engine::value::Digest;
use entity::{deployment, deployment_change, project, version, workflow};
use runtime::Database;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, JoinType, ModelTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, RelationDef, Select,
};
use serde_json::json;

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope::{of_project, of_workflow};
use super::version::as_runnable;
use super::workflow::to_project;
use super::{at, digest, environment, timestamp};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::deployment::{DeploymentChange, Placing};
use crate::service::page::Window;
use crate::service::start::Runnable;
use crate::service::workflow::{Deployment, Version};

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
    scope: &Scope,
    of: &[WorkflowId],
) -> Result<Vec<Deployment>, DbErr> {
    let rows = deployment::Entity::find()
        .filter(deployment::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_workflow(scope, deployment::Column::WorkflowId))
        .filter(deployment::Column::WorkflowId.is_in(of.iter().map(|id| id.0)))
        .order_by_asc(deployment::Column::Environment)
        .all(database.read())
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Lets an environment run a version; what is there now comes back.
pub(crate) async fn put(
    database: &Database,
    context: &Context,
    placing: &Placing,
    version: &Version,
) -> Result<Deployment, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let workflow = super::workflow::get_live_in(&change, version.workflow).await?;
    let deployment = put_in(&mut change, placing, &workflow, version.id).await?;
    change.commit().await?;
    Ok(deployment)
}

fn here(context: &Context, of: WorkflowId, environment: &str) -> Select<deployment::Entity> {
    deployment::Entity::find()
        .filter(deployment::Column::WorkspaceId.eq(context.workspace.0))
        .filter(deployment::Column::WorkflowId.eq(of.0))
        .filter(deployment::Column::Environment.eq(environment))
}

/// The same inside a transaction that holds the workflow. Deploying what is deployed already changes nothing that
/// anybody is told of.
pub(super) async fn put_in(
    change: &mut Change,
    placing: &Placing,
    of: &workflow::Model,
    version: VersionId,
) -> Result<Deployment, ServiceError> {
    let context = change.context().clone();
    let there = environment::names_in(change.connection(), &context.scope(), ProjectId(of.project_id)).await?;
    if !there.contains(&placing.environment) {
        return Err(ServiceError::NotFound { what: "environment" });
    }
    let id = WorkflowId(of.id);
    let before = here(&context, id, &placing.environment).one(change.connection()).await?;
    let running = before.as_ref().map(|before| VersionId(before.version_id));
    if placing.expected.is_some() && running != placing.expected {
        let running = running.map_or_else(|| "nothing".to_owned(), |version| version.to_string());
        let message = format!("`{}` runs {running}, not the version that you expected", placing.environment);
        return Err(ServiceError::Conflict { message });
    }
    let after = match before {
        Some(before) if running == Some(version) => return Ok(read(before)),
        Some(before) => {
            let mut row = deployment::ActiveModel::from(before);
            row.version_id = Set(version.0);
            row.deployed_by = Set(placing.by.clone());
            row.updated_at = Set(at(context.at));
            row.update(change.connection()).await?
        }
        None => {
            let model = deployment::Model {
                id: placing.deployment.0,
                workspace_id: context.workspace.0,
                workflow_id: of.id,
                environment: placing.environment.clone(),
                version_id: version.0,
                deployed_by: placing.by.clone(),
                created_at: at(context.at),
                updated_at: at(context.at),
            };
            let row = deployment::ActiveModel::from(model.clone()).reset_all();
            deployment::Entity::insert(row).exec_without_returning(change.connection()).await?;
            model
        }
    };
    let moved = DeploymentChange {
        id: placing.change,
        workflow: id,
        environment: placing.environment.clone(),
        version: Some(version),
        previous: running,
        changed_at: context.at,
        changed_by: placing.by.clone(),
    };
    super::trigger::bind_in(change, of, &placing.environment, Some(version), placing.url_key.as_ref()).await?;
    record(change, DeploymentId(after.id), &moved).await?;
    Ok(read(after))
}

/// Lets an environment run nothing of a workflow.
pub(crate) async fn remove(
    database: &Database,
    context: &Context,
    of: WorkflowId,
    environment: &str,
    id: DeploymentChangeId,
    by: &str,
) -> Result<DeploymentChange, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let workflow = super::workflow::get_in(&change, of).await?;
    let found = here(context, of, environment).one(change.connection()).await?;
    let found = found.ok_or(ServiceError::NotFound { what: "deployment" })?;
    let (deployment, version) = (DeploymentId(found.id), VersionId(found.version_id));
    found.delete(change.connection()).await?;
    super::trigger::bind_in(&change, &workflow, environment, None, None).await?;
    let moved = DeploymentChange {
        id,
        workflow: of,
        environment: environment.to_owned(),
        version: None,
        previous: Some(version),
        changed_at: context.at,
        changed_by: by.to_owned(),
    };
    record(&mut change, deployment, &moved).await?;
    change.commit().await?;
    Ok(moved)
}

/// Adds to the history and tells of it.
async fn record(change: &mut Change, of: DeploymentId, moved: &DeploymentChange) -> Result<(), DbErr> {
    let row = deployment_change::ActiveModel {
        id: Set(moved.id.0),
        workspace_id: Set(change.context().workspace.0),
        workflow_id: Set(moved.workflow.0),
        environment: Set(moved.environment.clone()),
        version_id: Set(moved.version.map(|version| version.0)),
        previous_version_id: Set(moved.previous.map(|version| version.0)),
        changed_by: Set(moved.changed_by.clone()),
        changed_at: Set(at(moved.changed_at)),
    };
    deployment_change::Entity::insert(row).exec_without_returning(change.connection()).await?;
    let shown = |version: Option<VersionId>| json!({"environment": moved.environment, "version": version.map(|version| version.to_string())});
    let done = Done::new(Action::DeploymentChanged, of).of(moved.workflow).after(shown(moved.version));
    change.record(Done { before: moved.previous.map(|version| shown(Some(version))), ..done });
    Ok(())
}

/// A page of what was deployed of a workflow, the latest first.
pub(crate) async fn history(
    database: &Database,
    scope: &Scope,
    of: WorkflowId,
    environment: Option<&str>,
    window: Window<DeploymentChangeId>,
) -> Result<Listed<DeploymentChange>, DbErr> {
    let mut select = deployment_change::Entity::find()
        .filter(deployment_change::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_workflow(scope, deployment_change::Column::WorkflowId))
        .filter(deployment_change::Column::WorkflowId.eq(of.0));
    if let Some(environment) = environment {
        select = select.filter(deployment_change::Column::Environment.eq(environment));
    }
    let read = |model: deployment_change::Model| {
        Ok(DeploymentChange {
            id: DeploymentChangeId(model.id),
            workflow: of,
            environment: model.environment,
            version: model.version_id.map(VersionId),
            previous: model.previous_version_id.map(VersionId),
            changed_at: timestamp(model.changed_at),
            changed_by: model.changed_by,
        })
    };
    let order = (&[deployment_change::Column::Id][..], true);
    keyset::list(database, select, order, window, |id| vec![id.0.into()], read).await
}

/// From a deployment to its workflow.
pub(super) fn to_workflow() -> RelationDef {
    deployment::Entity::belongs_to(workflow::Entity)
        .from(deployment::Column::WorkflowId)
        .to(workflow::Column::Id)
        .into()
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
    let to_version = deployment::Entity::belongs_to(version::Entity)
        .from(deployment::Column::VersionId)
        .to(version::Column::Id)
        .into();
    deployment::Entity::find()
        .join(JoinType::InnerJoin, to_workflow())
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
    scope: &Scope,
    project: &str,
    name: &str,
    environment: &str,
) -> Result<Option<Runnable>, DbErr> {
    let select = joined(environment)
        .filter(deployment::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, workflow::Column::ProjectId))
        .filter(project::Column::Slug.eq(project))
        .filter(workflow::Column::Name.eq(name));
    one(select, database).await
}

/// What runs of this workflow.
pub(crate) async fn runnable_by_workflow(
    database: &Database,
    scope: &Scope,
    id: WorkflowId,
    environment: &str,
) -> Result<Option<Runnable>, DbErr> {
    let select = joined(environment)
        .filter(deployment::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, workflow::Column::ProjectId))
        .filter(workflow::Column::Id.eq(id.0));
    one(select, database).await
}

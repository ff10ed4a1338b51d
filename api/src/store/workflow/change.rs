//! Making and changing workflows, each in one transaction.

use engine::id::WorkflowId;
use entity::word::RunStatus;
use entity::{
    deployment, deployment_change, draft, draft_change, run, trigger_backfill, trigger_binding, version,
    version_hashes, version_signature, workflow,
};
use runtime::Database;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _,
};
use serde_json::{Value, json};

use super::{get_in, slug_of};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::project::Project;
use crate::service::workflow::Workflow;
use crate::service::workflow::change::{About, NewWorkflow};
use crate::store::change::Change;
use crate::store::{at, draft as drafts, environment, hook, trigger, unless_taken};

fn row(context: &Context, new: &Workflow) -> workflow::ActiveModel {
    workflow::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(context.workspace.0),
        project_id: Set(new.project_id.0),
        name: Set(new.name.clone()),
        title: Set(new.title.clone().unwrap_or_default()),
        description: Set(new.description.clone().unwrap_or_default()),
        tags: Set(Value::from(new.tags.clone()).to_string()),
        folder_path: Set(new.folder.clone()),
        archived_at: Set(None),
        created_at: Set(at(new.created_at)),
        updated_at: Set(at(new.updated_at)),
    }
}

/// Makes a workflow with its draft.
pub(crate) async fn create(database: &Database, context: &Context, new: &NewWorkflow) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    insert_in(&mut change, new).await?;
    Ok(change.commit().await?)
}

/// The same in a transaction that does more.
pub(in crate::store) async fn insert_in(change: &mut Change, new: &NewWorkflow) -> Result<(), ServiceError> {
    let (workflow, write) = (&new.workflow, change.connection());
    let inserted = workflow::Entity::insert(row(change.context(), workflow)).exec_without_returning(write).await;
    unless_taken(inserted, "name", "workflow", &workflow.name)?;
    drafts::insert_in(write, change.context().workspace, &new.draft).await?;
    let project = slug_of(write, workflow.project_id.0).await?;
    let after = json!({"project": project, "name": workflow.name, "title": workflow.title});
    change.record(Done::new(Action::WorkflowCreated, workflow.id).of(workflow.id).after(after));
    Ok(())
}

fn about(model: &workflow::Model) -> Result<Value, DbErr> {
    let tags: Value = serde_json::from_str(&model.tags).map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(json!({
        "title": model.title,
        "description": model.description,
        "tags": tags,
        "folderPath": model.folder_path,
    }))
}

/// Changes what is said about a workflow.
pub(crate) async fn update(
    database: &Database,
    context: &Context,
    id: WorkflowId,
    new: &About,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    update_in(&mut change, id, new).await?;
    Ok(change.commit().await?)
}

/// The same in a transaction that does more.
pub(in crate::store) async fn update_in(
    change: &mut Change,
    id: WorkflowId,
    new: &About,
) -> Result<workflow::Model, ServiceError> {
    let found = get_in(change, id).await?;
    let mut wanted = found.clone();
    for (said, kept) in [
        (&new.title, &mut wanted.title),
        (&new.description, &mut wanted.description),
        (&new.folder, &mut wanted.folder_path),
    ] {
        if let Some(text) = said {
            text.clone_into(kept);
        }
    }
    if let Some(tags) = &new.tags {
        wanted.tags = Value::from(tags.clone()).to_string();
    }
    if wanted == found {
        return Ok(found);
    }
    let done = Done::new(Action::WorkflowUpdated, id).of(id).before(about(&found)?).after(about(&wanted)?);
    let mut row = workflow::ActiveModel::from(found);
    row.title = Set(wanted.title);
    row.description = Set(wanted.description);
    row.tags = Set(wanted.tags);
    row.folder_path = Set(wanted.folder_path);
    row.updated_at = Set(at(change.context().at));
    let updated = row.update(change.connection()).await?;
    change.record(done);
    Ok(updated)
}

/// Archives a workflow or takes it out of the archive.
pub(crate) async fn archive(
    database: &Database,
    context: &Context,
    id: WorkflowId,
    archived: bool,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let found = get_in(&change, id).await?;
    if found.archived_at.is_some() == archived {
        return Ok(());
    }
    let mut row = workflow::ActiveModel::from(found);
    row.archived_at = Set(archived.then(|| at(context.at)));
    row.updated_at = Set(at(context.at));
    row.update(change.connection()).await?;
    trigger::rest_in(&change, id, archived).await?;
    let done = Done::new(Action::WorkflowUpdated, id).of(id);
    change.record(done.before(json!({"archived": !archived})).after(json!({"archived": archived})));
    Ok(change.commit().await?)
}

/// Puts a workflow into another project. Where it is deployed must be there too.
pub(crate) async fn move_to(
    database: &Database,
    context: &Context,
    id: WorkflowId,
    target: &Project,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let found = get_in(&change, id).await?;
    if found.project_id == target.id.0 {
        return Ok(());
    }
    let there = environment::names_in(change.connection(), &context.scope(), target.id).await?;
    let deployed = deployment::Entity::find()
        .filter(deployment::Column::WorkspaceId.eq(context.workspace.0))
        .filter(deployment::Column::WorkflowId.eq(id.0))
        .all(change.connection())
        .await?;
    if let Some(missing) = deployed.iter().find(|deployment| !there.contains(&deployment.environment)) {
        let message = format!(
            "the workflow is deployed in `{}`, which the project `{}` does not have; make it there, or undeploy first",
            missing.environment, target.slug
        );
        return Err(ServiceError::Conflict { message });
    }
    let (before, name) = (slug_of(change.connection(), found.project_id).await?, found.name.clone());
    let mut row = workflow::ActiveModel::from(found);
    row.project_id = Set(target.id.0);
    row.updated_at = Set(at(context.at));
    unless_taken(row.update(change.connection()).await, "project", "workflow", &name)?;
    hook::move_in(&change, id, target.id).await?;
    let done = Done::new(Action::WorkflowUpdated, id).of(id);
    change.record(done.before(json!({"project": before})).after(json!({"project": target.slug})));
    Ok(change.commit().await?)
}

/// Statuses of runs that have ended.
const ENDED: [RunStatus; 4] = [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Canceled, RunStatus::TimedOut];

/// Deletes an archived workflow that no run is under way of. An archived workflow cannot be started, so that none
/// begins in between.
pub(crate) async fn delete(database: &Database, context: &Context, id: WorkflowId) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let found = get_in(&change, id).await?;
    let refused = |message: String| Err(ServiceError::Conflict { message });
    if found.archived_at.is_none() {
        return refused(format!("the workflow `{}` is not archived; archive it first", found.name));
    }
    let live = run::Entity::find()
        .filter(run::Column::WorkspaceId.eq(context.workspace.0))
        .filter(run::Column::WorkflowId.eq(id.0))
        .filter(run::Column::Status.is_not_in(ENDED))
        .count(change.connection())
        .await?;
    if live > 0 {
        return refused(format!("{live} run(s) of `{}` are under way; wait for them, or cancel them", found.name));
    }
    let project = slug_of(change.connection(), found.project_id).await?;
    delete_rows(&change, id).await?;
    let before = json!({"project": project, "name": found.name, "title": found.title});
    change.record(Done::new(Action::WorkflowDeleted, id).of(id).before(before.clone()).after(before));
    Ok(change.commit().await?)
}

/// Deletes everything that belongs to a workflow, then itself. Definitions stay: runs refer to them by their hash.
async fn delete_rows(change: &Change, id: WorkflowId) -> Result<(), DbErr> {
    let write = change.connection();
    let drafts = Query::select()
        .column(draft::Column::Id)
        .from(draft::Entity)
        .and_where(draft::Column::WorkflowId.eq(id.0))
        .to_owned();
    let versions = Query::select()
        .column(version::Column::Id)
        .from(version::Entity)
        .and_where(version::Column::WorkflowId.eq(id.0))
        .to_owned();
    draft_change::Entity::delete_many().filter(draft_change::Column::DraftId.in_subquery(drafts)).exec(write).await?;
    draft::Entity::delete_many().filter(draft::Column::WorkflowId.eq(id.0)).exec(write).await?;
    let bindings = Query::select()
        .column(trigger_binding::Column::Id)
        .from(trigger_binding::Entity)
        .and_where(trigger_binding::Column::WorkflowId.eq(id.0))
        .to_owned();
    trigger_backfill::Entity::delete_many()
        .filter(trigger_backfill::Column::BindingId.in_subquery(bindings))
        .exec(write)
        .await?;
    trigger_binding::Entity::delete_many().filter(trigger_binding::Column::WorkflowId.eq(id.0)).exec(write).await?;
    deployment::Entity::delete_many().filter(deployment::Column::WorkflowId.eq(id.0)).exec(write).await?;
    deployment_change::Entity::delete_many().filter(deployment_change::Column::WorkflowId.eq(id.0)).exec(write).await?;
    version_hashes::Entity::delete_many()
        .filter(version_hashes::Column::VersionId.in_subquery(versions.clone()))
        .exec(write)
        .await?;
    version_signature::Entity::delete_many()
        .filter(version_signature::Column::VersionId.in_subquery(versions))
        .exec(write)
        .await?;
    version::Entity::delete_many().filter(version::Column::WorkflowId.eq(id.0)).exec(write).await?;
    workflow::Entity::delete_by_id(id.0).exec(write).await?;
    Ok(())
}

//! The named things that have versions.

use engine::id::{ProjectId, WorkflowId};
use entity::{project, workflow};
use runtime::Database;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Condition, Expr, ExprTrait as _, Func, LikeExpr, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _,
    RelationDef, SelectTwo, Value,
};

use super::change::Change;
use super::keyset::{self, Listed, Total};
use super::scope::of_project;
use super::{at, some, timestamp};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::Context;
use crate::service::page::Window;
use crate::service::workflow::{Archived, Workflow, WorkflowFilter, WorkflowOrder, WorkflowPlace};

mod change;

pub(crate) use change::{archive, create, delete, move_to, update};
pub(super) use change::{insert_in, update_in};

/// From a workflow to its project.
pub(super) fn to_project() -> RelationDef {
    workflow::Entity::belongs_to(project::Entity).from(workflow::Column::ProjectId).to(project::Column::Id).into()
}

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> SelectTwo<workflow::Entity, project::Entity> {
    workflow::Entity::find()
        .join(JoinType::InnerJoin, to_project())
        .select_also(project::Entity)
        .filter(workflow::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, workflow::Column::ProjectId))
}

pub(super) fn read(model: workflow::Model, project: &str) -> Result<Workflow, DbErr> {
    Ok(Workflow {
        id: WorkflowId(model.id),
        project_id: ProjectId(model.project_id),
        project: project.to_owned(),
        name: model.name,
        title: some(model.title),
        description: some(model.description),
        tags: serde_json::from_str(&model.tags).map_err(|error| DbErr::Json(error.to_string()))?,
        folder: model.folder_path,
        archived_at: model.archived_at.map(timestamp),
        created_at: timestamp(model.created_at),
        updated_at: timestamp(model.updated_at),
    })
}

type Joined = (workflow::Model, Option<project::Model>);

fn read_all(rows: Vec<Joined>) -> Result<Vec<Workflow>, DbErr> {
    rows.into_iter().filter_map(|(model, project)| project.map(|project| read(model, &project.slug))).collect()
}

/// Those of these workflows that are in the workspace.
pub(crate) async fn by_ids(database: &Database, scope: &Scope, ids: &[WorkflowId]) -> Result<Vec<Workflow>, DbErr> {
    let ids = ids.iter().map(|id| id.0);
    read_all(in_scope(scope).filter(workflow::Column::Id.is_in(ids)).all(database.read()).await?)
}

/// The workflow of this name.
pub(crate) async fn find_by_name(
    database: &Database,
    scope: &Scope,
    project: &str,
    name: &str,
) -> Result<Option<Workflow>, DbErr> {
    let rows = in_scope(scope)
        .filter(project::Column::Slug.eq(project))
        .filter(workflow::Column::Name.eq(name))
        .all(database.read())
        .await?;
    Ok(read_all(rows)?.pop())
}

/// A page of workflows in an order.
pub(crate) async fn list(
    database: &Database,
    scope: &Scope,
    filter: &WorkflowFilter,
    order: WorkflowOrder,
    window: Window<WorkflowPlace>,
) -> Result<Listed<Workflow>, DbErr> {
    let column = match order {
        WorkflowOrder::Name { .. } => workflow::Column::Name,
        WorkflowOrder::CreatedAt { .. } => workflow::Column::CreatedAt,
        WorkflowOrder::UpdatedAt { .. } => workflow::Column::UpdatedAt,
    };
    let values = |place: WorkflowPlace| -> Vec<Value> {
        match place {
            WorkflowPlace::Name(name, id) => vec![name.into(), id.0.into()],
            WorkflowPlace::At(time, id) => vec![at(time).into(), id.0.into()],
        }
    };
    let select = in_scope(scope).filter(matching(filter));
    let columns = [column, workflow::Column::Id];
    let total = Total::of(&select);
    let rows = keyset::within(select, &columns, order.is_descending(), window, values).all(database.read()).await?;
    Ok(Listed { rows: read_all(rows)?, total })
}

/// What a filter asks for.
fn matching(filter: &WorkflowFilter) -> Condition {
    let mut all = Condition::all();
    all = match filter.archived {
        Archived::Exclude => all.add(workflow::Column::ArchivedAt.is_null()),
        Archived::Only => all.add(workflow::Column::ArchivedAt.is_not_null()),
        Archived::Include => all,
    };
    if let Some(slug) = &filter.project {
        all = all.add(project::Column::Slug.eq(slug));
    }
    if let Some(tag) = &filter.tag {
        // The column is a JSON list of texts in which nothing is escaped.
        let quoted = Value::from(format!("\"{tag}\""));
        let tags = Expr::col((workflow::Entity, workflow::Column::Tags));
        let shorter = Func::cust("replace").arg(tags.clone()).arg(quoted).arg("");
        all = all.add(tags.ne(SimpleExpr::from(shorter)));
    }
    if let Some(folder) = filter.folder.as_ref().filter(|folder| !folder.is_empty()) {
        let path = Expr::col((workflow::Entity, workflow::Column::FolderPath));
        let below = format!("{folder}/");
        let begins = Func::cust("substr").arg(path.clone()).arg(1).arg(below.chars().count() as i32);
        all = all.add(Condition::any().add(path.eq(folder)).add(SimpleExpr::from(begins).eq(below)));
    }
    for word in filter.text.iter().flat_map(|text| text.split_whitespace()).take(8) {
        let escaped = word.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{escaped}%")).escape('\\');
        let mut any = Condition::any();
        for column in [workflow::Column::Name, workflow::Column::Title, workflow::Column::Description] {
            let lower = Func::lower(Expr::col((workflow::Entity, column)));
            any = any.add(SimpleExpr::from(lower).like(pattern.clone()));
        }
        all = all.add(any);
    }
    all
}

/// The workflow's row, held until the end of the change.
pub(super) async fn get_in(change: &Change, id: WorkflowId) -> Result<workflow::Model, ServiceError> {
    let found = workflow::Entity::find()
        .filter(workflow::Column::WorkspaceId.eq(change.context().workspace.0))
        .filter(of_project(&change.context().scope(), workflow::Column::ProjectId))
        .filter(workflow::Column::Id.eq(id.0))
        .lock_exclusive()
        .one(change.connection())
        .await?;
    found.ok_or(ServiceError::NotFound { what: "workflow" })
}

/// The same, when it is not archived.
pub(super) async fn get_live_in(change: &Change, id: WorkflowId) -> Result<workflow::Model, ServiceError> {
    let found = get_in(change, id).await?;
    unless_archived(&found)?;
    Ok(found)
}

pub(super) fn unless_archived(model: &workflow::Model) -> Result<(), ServiceError> {
    if model.archived_at.is_none() {
        return Ok(());
    }
    let message = format!("the workflow `{}` is archived; take it out of the archive first", model.name);
    Err(ServiceError::Conflict { message })
}

/// Says that something of a workflow changed.
pub(super) async fn touch_in(write: &impl ConnectionTrait, context: &Context, id: WorkflowId) -> Result<(), DbErr> {
    workflow::Entity::update_many()
        .col_expr(workflow::Column::UpdatedAt, Expr::value(at(context.at)))
        .filter(workflow::Column::WorkspaceId.eq(context.workspace.0))
        .filter(workflow::Column::Id.eq(id.0))
        .exec(write)
        .await
        .map(drop)
}

/// The project that a row is in.
async fn slug_of(write: &impl ConnectionTrait, project: Uuid) -> Result<String, DbErr> {
    let found = project::Entity::find_by_id(project).one(write).await?;
    Ok(found.map(|project| project.slug).unwrap_or_default())
}

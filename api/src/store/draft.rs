//! What people edit before it is published.

use engine::definition::{canonical, patch};
use engine::id::{DraftId, VersionId, WorkflowId, WorkspaceId};
use entity::{draft, draft_change};
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    Select,
};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope::of_workflow;
use super::{at, timestamp, workflow};
use crate::auth::Scope;
use crate::service::audit::{Action, Context, Done};
use crate::service::draft::{Draft, DraftChange, MAIN};
use crate::service::page::Window;
use crate::service::workflow::Version;

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<draft::Entity> {
    draft::Entity::find()
        .filter(draft::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_workflow(scope, draft::Column::WorkflowId))
}

fn json_of(text: &str) -> Result<Value, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))
}

fn read(model: draft::Model) -> Result<Draft, DbErr> {
    Ok(Draft {
        id: DraftId(model.id),
        workflow: WorkflowId(model.workflow_id),
        name: model.name,
        base: model.base_version_id.map(VersionId),
        revision: model.revision,
        document: json_of(&model.document)?,
        sidecar: json_of(&model.sidecar)?,
        created_at: timestamp(model.created_at),
        updated_at: timestamp(model.updated_at),
        updated_by: model.updated_by,
    })
}

/// The draft of this id.
pub(crate) async fn find(database: &Database, scope: &Scope, id: DraftId) -> Result<Option<Draft>, DbErr> {
    let found = in_scope(scope).filter(draft::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// The draft that a workflow has.
pub(crate) async fn find_main(database: &Database, scope: &Scope, of: WorkflowId) -> Result<Option<Draft>, DbErr> {
    let found = main(scope, of).one(database.read()).await?;
    found.map(read).transpose()
}

fn main(scope: &Scope, of: WorkflowId) -> Select<draft::Entity> {
    in_scope(scope).filter(draft::Column::WorkflowId.eq(of.0)).filter(draft::Column::Name.eq(MAIN))
}

/// Makes a draft.
pub(super) async fn insert_in(write: &impl ConnectionTrait, workspace: WorkspaceId, new: &Draft) -> Result<(), DbErr> {
    let row = draft::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(workspace.0),
        workflow_id: Set(new.workflow.0),
        name: Set(new.name.clone()),
        base_version_id: Set(new.base.map(|base| base.0)),
        revision: Set(new.revision),
        document: Set(new.document.to_string()),
        sidecar: Set(new.sidecar.to_string()),
        updated_by: Set(new.updated_by.clone()),
        created_at: Set(at(new.created_at)),
        updated_at: Set(at(new.updated_at)),
    };
    draft::Entity::insert(row).exec_without_returning(write).await.map(drop)
}

/// Puts the next revision in the place of the one before; false when somebody else did so first.
pub(crate) async fn replace(
    database: &Database,
    context: &Context,
    next: &Draft,
    made_by: &DraftChange,
) -> Result<bool, DbErr> {
    let mut change = Change::begin(database, context).await?;
    // Before the draft, as publishing does: two that wait for each other would never end.
    workflow::touch_in(change.connection(), context, next.workflow).await?;
    if !replace_in(&mut change, next, made_by).await? {
        change.rollback().await?;
        return Ok(false);
    }
    change.commit().await?;
    Ok(true)
}

async fn replace_in(change: &mut Change, next: &Draft, made_by: &DraftChange) -> Result<bool, DbErr> {
    let workspace = change.context().workspace;
    let moved = draft::Entity::update_many()
        .col_expr(draft::Column::Revision, Expr::value(next.revision))
        .col_expr(draft::Column::BaseVersionId, Expr::value(next.base.map(|base| base.0)))
        .col_expr(draft::Column::Document, Expr::value(next.document.to_string()))
        .col_expr(draft::Column::Sidecar, Expr::value(next.sidecar.to_string()))
        .col_expr(draft::Column::UpdatedBy, Expr::value(&next.updated_by))
        .col_expr(draft::Column::UpdatedAt, Expr::value(at(next.updated_at)))
        .filter(draft::Column::WorkspaceId.eq(workspace.0))
        .filter(draft::Column::Id.eq(next.id.0))
        .filter(draft::Column::Revision.eq(next.revision - 1))
        .exec(change.connection())
        .await?;
    if moved.rows_affected != 1 {
        return Ok(false);
    }
    let row = draft_change::ActiveModel {
        draft_id: Set(made_by.draft.0),
        revision: Set(made_by.revision),
        workspace_id: Set(workspace.0),
        patch: Set(made_by.patch.to_string()),
        sidecar_patch: Set(made_by.sidecar_patch.to_string()),
        changed_by: Set(made_by.changed_by.clone()),
        changed_at: Set(at(made_by.changed_at)),
    };
    draft_change::Entity::insert(row).exec_without_returning(change.connection()).await?;
    let done = Done::new(Action::DraftUpdated, next.id).of(next.workflow).after(json!({"revision": next.revision}));
    change.record(done);
    Ok(true)
}

/// A draft that nobody touched since the version before goes along with a version that was published past it.
pub(super) async fn follow_in(
    change: &mut Change,
    before: &Version,
    version: &Version,
    document: &Value,
) -> Result<(), DbErr> {
    let found = main(&change.context().scope(), version.workflow).lock_exclusive().one(change.connection()).await?;
    let Some(old) = found.map(read).transpose()? else { return Ok(()) };
    if canonical::hash(&old.document) != before.hash {
        return Ok(());
    }
    let patch = serde_json::to_value(patch::between(&old.document, document));
    let next = Draft {
        base: Some(version.id),
        revision: old.revision + 1,
        document: document.clone(),
        updated_at: version.created_at,
        updated_by: version.created_by.clone(),
        ..old
    };
    let made_by = DraftChange {
        draft: next.id,
        revision: next.revision,
        patch: patch.map_err(|error| DbErr::Json(error.to_string()))?,
        sidecar_patch: json!([]),
        changed_at: version.created_at,
        changed_by: version.created_by.clone(),
    };
    replace_in(change, &next, &made_by).await.map(drop)
}

/// Notes what a draft was published as; false when it is at another revision by now. The draft stays as it is until
/// the transaction's end.
pub(super) async fn published_in(
    write: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: DraftId,
    revision: i64,
    version: VersionId,
) -> Result<bool, DbErr> {
    let moved = draft::Entity::update_many()
        .col_expr(draft::Column::BaseVersionId, Expr::value(version.0))
        .filter(draft::Column::WorkspaceId.eq(workspace.0))
        .filter(draft::Column::Id.eq(id.0))
        .filter(draft::Column::Revision.eq(revision))
        .exec(write)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// A page of a draft's changes, the latest first.
pub(crate) async fn changes(
    database: &Database,
    workspace: WorkspaceId,
    id: DraftId,
    window: Window<i64>,
) -> Result<Listed<DraftChange>, DbErr> {
    let of = draft_change::Entity::find()
        .filter(draft_change::Column::WorkspaceId.eq(workspace.0))
        .filter(draft_change::Column::DraftId.eq(id.0));
    let order = (&[draft_change::Column::Revision][..], true);
    keyset::list(database, of, order, window, |revision| vec![revision.into()], read_change).await
}

/// The change that made a revision.
pub(crate) async fn change(
    database: &Database,
    workspace: WorkspaceId,
    id: DraftId,
    revision: i64,
) -> Result<Option<DraftChange>, DbErr> {
    let found = draft_change::Entity::find()
        .filter(draft_change::Column::WorkspaceId.eq(workspace.0))
        .filter(draft_change::Column::DraftId.eq(id.0))
        .filter(draft_change::Column::Revision.eq(revision));
    found.one(database.read()).await?.map(read_change).transpose()
}

fn read_change(model: draft_change::Model) -> Result<DraftChange, DbErr> {
    Ok(DraftChange {
        draft: DraftId(model.draft_id),
        revision: model.revision,
        patch: json_of(&model.patch)?,
        sidecar_patch: json_of(&model.sidecar_patch)?,
        changed_at: timestamp(model.changed_at),
        changed_by: model.changed_by,
    })
}

//! Tenants.

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use entity::workspace;
use runtime::Database;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use super::at;
use super::change::Change;
use crate::auth::cursor::CursorKey;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::member::Member;
use crate::service::project::{Environment, Project};
use crate::service::workspace::Workspace;

pub(super) fn read(model: workspace::Model) -> Workspace {
    Workspace { id: WorkspaceId(model.id), slug: model.slug, name: model.name }
}

/// The workspace of this id.
pub(crate) async fn find(database: &Database, id: WorkspaceId) -> Result<Option<Workspace>, DbErr> {
    Ok(workspace::Entity::find_by_id(id.0).one(database.read()).await?.map(read))
}

/// Holds what happens in a workspace apart from the same elsewhere, until the transaction ends.
pub(super) async fn lock(write: &impl ConnectionTrait, id: WorkspaceId) -> Result<(), DbErr> {
    use workspace::Column as C;
    let same = Expr::col(C::Slug);
    workspace::Entity::update_many().col_expr(C::Slug, same).filter(C::Id.eq(id.0)).exec(write).await.map(drop)
}

/// Makes a workspace with its first project and its owner; all of it or nothing.
pub(crate) async fn create(
    database: &Database,
    context: &Context,
    new: (&Workspace, [u8; 16]),
    first: (&Project, &Environment),
    owner: &Member,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let row = row(new.0, new.1, context.at);
    let made = workspace::Entity::insert(row).exec_without_returning(change.connection()).await;
    super::unless_taken(made, "slug", "workspace", &new.0.slug)?;
    change.record(Done::new(Action::WorkspaceCreated, new.0.id).after(summary(new.0)));
    super::project::keep(&mut change, new.0.id, first.0, first.1).await?;
    super::member::ensure(&mut change, owner).await?;
    Ok(change.commit().await?)
}

fn summary(workspace: &Workspace) -> Value {
    json!({"slug": workspace.slug, "name": workspace.name})
}

/// Gives a workspace another name.
pub(crate) async fn rename(
    database: &Database,
    context: &Context,
    before: &Workspace,
    after: &Workspace,
) -> Result<(), DbErr> {
    use workspace::Column as C;
    let mut change = Change::begin(database, context).await?;
    workspace::Entity::update_many()
        .col_expr(C::Name, Expr::value(after.name.clone()))
        .filter(C::Id.eq(context.workspace.0))
        .exec(change.connection())
        .await?;
    change.record(Done::new(Action::WorkspaceUpdated, after.id).before(summary(before)).after(summary(after)));
    change.commit().await
}

fn row(new: &Workspace, salt: [u8; 16], now: Timestamp) -> workspace::ActiveModel {
    workspace::ActiveModel {
        id: Set(new.id.0),
        slug: Set(new.slug.clone()),
        name: Set(new.name.clone()),
        salt: Set(salt.to_vec()),
        created_at: Set(at(now)),
    }
}

/// What the cursors of this workspace are signed with.
pub(crate) async fn cursors(database: &Database, id: WorkspaceId) -> Result<Option<CursorKey>, DbErr> {
    let Some(found) = workspace::Entity::find_by_id(id.0).one(database.read()).await? else { return Ok(None) };
    let salt = found.salt.try_into().map_err(|_| DbErr::Type("a workspace's salt has 16 bytes".to_owned()))?;
    Ok(Some(CursorKey::of_salt(salt)))
}

/// The workspace of this name in URLs.
pub(crate) async fn find_by_slug(database: &Database, slug: &str) -> Result<Option<Workspace>, DbErr> {
    let found = workspace::Entity::find().filter(workspace::Column::Slug.eq(slug)).one(database.read()).await?;
    Ok(found.map(read))
}

/// Makes a workspace; false when its slug is taken.
pub(crate) async fn insert(
    database: &Database,
    new: &Workspace,
    salt: [u8; 16],
    now: Timestamp,
) -> Result<bool, DbErr> {
    let row = row(new, salt, now);
    let once = OnConflict::column(workspace::Column::Slug).do_nothing().to_owned();
    let write = database.begin_write().await?;
    let rows = workspace::Entity::insert(row).on_conflict(once).exec_without_returning(&write).await?;
    write.commit().await?;
    Ok(rows == 1)
}

//! Roles that workspaces made for themselves.

use engine::id::{RoleId, WorkspaceId};
use entity::{api_key, custom_role, invitation, member, service_account};
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, Select,
};
use serde_json::{Value, json};

use super::change::Change;
use super::{at, json as read_json, unless_taken};
use crate::auth::{Permissions, RoleRef};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::role::CustomRole;

/// The only way into the table: there is no query without a workspace.
fn in_workspace(workspace: WorkspaceId) -> Select<custom_role::Entity> {
    custom_role::Entity::find().filter(custom_role::Column::WorkspaceId.eq(workspace.0))
}

/// Permissions as a column keeps them. A word of a later release is none that this one could grant.
pub(super) fn permissions(text: &str) -> Result<Permissions, DbErr> {
    let words: Vec<String> = read_json(text)?;
    Ok(words.iter().filter_map(|word| crate::auth::Permission::parse(word)).collect())
}

/// The same the other way.
pub(super) fn permissions_column(permissions: Permissions) -> String {
    json!(permissions.iter().map(|permission| permission.as_str()).collect::<Vec<_>>()).to_string()
}

fn read(model: custom_role::Model) -> Result<CustomRole, DbErr> {
    Ok(CustomRole { id: RoleId(model.id), permissions: permissions(&model.permissions)?, name: model.name })
}

/// The role of this id.
pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: RoleId,
) -> Result<Option<CustomRole>, DbErr> {
    in_workspace(workspace).filter(custom_role::Column::Id.eq(id.0)).one(connection).await?.map(read).transpose()
}

/// What a role is called and allows. One that is gone allows nothing.
pub(crate) async fn resolve(
    connection: &impl ConnectionTrait,
    workspace: WorkspaceId,
    role: RoleRef,
) -> Result<(String, Permissions), DbErr> {
    match role {
        RoleRef::BuiltIn(role) => Ok((role.as_str().to_owned(), role.permissions())),
        RoleRef::Custom(id) => {
            let found = find(connection, workspace, id).await?;
            Ok(found.map_or_else(|| (id.to_string(), Permissions::NONE), |role| (role.name, role.permissions)))
        }
    }
}

/// The roles that a workspace made for itself, by name.
pub(crate) async fn list(database: &Database, workspace: WorkspaceId) -> Result<Vec<CustomRole>, DbErr> {
    let rows = in_workspace(workspace).order_by_asc(custom_role::Column::Name).all(database.read()).await?;
    rows.into_iter().map(read).collect()
}

fn summary(role: &CustomRole) -> Value {
    let words: Vec<&str> = role.permissions.iter().map(|permission| permission.as_str()).collect();
    json!({"name": role.name, "permissions": words})
}

/// Makes a role.
pub(crate) async fn insert(database: &Database, context: &Context, role: &CustomRole) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let row = custom_role::ActiveModel {
        id: Set(role.id.0),
        workspace_id: Set(context.workspace.0),
        name: Set(role.name.clone()),
        permissions: Set(permissions_column(role.permissions)),
        created_at: Set(at(context.at)),
        updated_at: Set(at(context.at)),
    };
    let inserted = custom_role::Entity::insert(row).exec_without_returning(change.connection()).await;
    unless_taken(inserted, "name", "role", &role.name)?;
    change.record(Done::new(Action::RoleCreated, role.id).after(summary(role)));
    Ok(change.commit().await?)
}

/// Gives a role another name or other permissions; whoever has it may do something else at once.
pub(crate) async fn update(
    database: &Database,
    context: &Context,
    before: &CustomRole,
    after: &CustomRole,
) -> Result<(), ServiceError> {
    use custom_role::Column as C;
    let mut change = Change::begin(database, context).await?;
    let updated = custom_role::Entity::update_many()
        .col_expr(C::Name, Expr::value(after.name.clone()))
        .col_expr(C::Permissions, Expr::value(permissions_column(after.permissions)))
        .col_expr(C::UpdatedAt, Expr::value(at(context.at)))
        .filter(C::Id.eq(after.id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .exec(change.connection())
        .await;
    unless_taken(updated, "name", "role", &after.name)?;
    // Whoever has it, whatever they show.
    change.touch(context.workspace);
    change.record(Done::new(Action::RoleUpdated, after.id).before(summary(before)).after(summary(after)));
    Ok(change.commit().await?)
}

/// Deletes a role that nobody has; false when somebody has it.
pub(crate) async fn delete(database: &Database, context: &Context, role: &CustomRole) -> Result<bool, DbErr> {
    let mut change = Change::begin(database, context).await?;
    let (word, workspace, write) = (role.id.to_string(), context.workspace.0, change.connection());
    custom_role::Entity::delete_many()
        .filter(custom_role::Column::Id.eq(role.id.0))
        .filter(custom_role::Column::WorkspaceId.eq(workspace))
        .exec(write)
        .await?;
    let members = member::Entity::find()
        .filter(member::Column::WorkspaceId.eq(workspace))
        .filter(member::Column::Role.eq(&word))
        .count(write)
        .await?;
    let accounts = service_account::Entity::find()
        .filter(service_account::Column::WorkspaceId.eq(workspace))
        .filter(service_account::Column::Role.eq(&word))
        .filter(service_account::Column::DisabledAt.is_null())
        .count(write)
        .await?;
    let keys = api_key::Entity::find()
        .filter(api_key::Column::WorkspaceId.eq(workspace))
        .filter(api_key::Column::Role.eq(&word))
        .filter(api_key::Column::RevokedAt.is_null())
        .count(write)
        .await?;
    let offers = invitation::Entity::find()
        .filter(invitation::Column::WorkspaceId.eq(workspace))
        .filter(invitation::Column::Role.eq(&word))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .count(write)
        .await?;
    if members + accounts + keys + offers > 0 {
        change.rollback().await?;
        return Ok(false);
    }
    change.record(Done::new(Action::RoleDeleted, role.id).before(summary(role)));
    change.commit().await?;
    Ok(true)
}

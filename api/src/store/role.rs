//! Roles that workspaces made for themselves.

use engine::id::{RoleId, WorkspaceId};
use entity::custom_role;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Select};

use super::json;
use crate::auth::{Permissions, RoleRef};
use crate::service::role::CustomRole;

/// The only way into the table: there is no query without a workspace.
fn in_workspace(workspace: WorkspaceId) -> Select<custom_role::Entity> {
    custom_role::Entity::find().filter(custom_role::Column::WorkspaceId.eq(workspace.0))
}

/// Permissions as a column keeps them. A word of a later release is none that this one could grant.
pub(super) fn permissions(text: &str) -> Result<Permissions, DbErr> {
    let words: Vec<String> = json(text)?;
    Ok(words.iter().filter_map(|word| crate::auth::Permission::parse(word)).collect())
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

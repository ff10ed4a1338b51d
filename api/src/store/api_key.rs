//! Credentials of programs.

use engine::id::{ApiKeyId, UserId, WorkspaceId};
use engine::time::Timestamp;
use entity::api_key;
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::json;

use super::change::Change;
use super::{at, parsed, timestamp};
use crate::auth::api_key::KeyHash;
use crate::auth::{Principal, Role, RoleRef, Viewer};
use crate::service::audit::{Action, Context, Done};
use crate::service::key::ApiKey;

pub(super) fn role(word: &str) -> Result<Role, DbErr> {
    Role::parse(word).ok_or_else(|| DbErr::Type(format!("`{word}` is no role")))
}

/// Who shows the key of this hash, when it works. The key itself says the workspace, so this query does not start
/// from one.
pub(crate) async fn find_live(database: &Database, hash: &KeyHash, now: Timestamp) -> Result<Option<Viewer>, DbErr> {
    let found = api_key::Entity::find()
        .filter(api_key::Column::Hash.eq(hash.0.to_vec()))
        .filter(api_key::Column::RevokedAt.is_null())
        .one(database.read())
        .await?;
    let Some(model) = found.filter(|model| model.expires_at.is_none_or(|end| end > at(now))) else { return Ok(None) };
    let workspace = WorkspaceId(model.workspace_id);
    let Some(cursors) = super::workspace::cursors(database, workspace).await? else { return Ok(None) };
    let own = parsed::<RoleRef>(&model.role)?;
    let (mut role, mut permissions) = super::role::resolve(database.read(), workspace, own).await?;
    let (mut name, mut projects, mut principal) = (model.name, None, Principal::ApiKey(ApiKeyId(model.id)));
    if let Some(id) = model.user_id.map(UserId) {
        // A session speaks for its person, and may no more than they may now.
        let Some(user) = super::user::find(database, id).await?.filter(|user| user.disabled_at.is_none()) else {
            return Ok(None);
        };
        let Some(member) = super::member::find(database.read(), workspace, id).await? else { return Ok(None) };
        let theirs = super::role::resolve(database.read(), workspace, member.role).await?;
        permissions = permissions.and(theirs.1);
        if permissions == theirs.1 {
            role = theirs.0;
        }
        (name, projects, principal) = (user.name, member.projects, Principal::User(id));
    }
    let key = Some(ApiKeyId(model.id));
    Ok(Some(Viewer {
        workspace,
        principal,
        key,
        session: None,
        name,
        role,
        permissions,
        projects,
        request: None,
        cursors,
    }))
}

/// Keeps a new key.
pub(crate) async fn insert(database: &Database, context: &Context, key: &ApiKey, hash: &KeyHash) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    keep(&mut change, context, key, hash).await?;
    change.commit().await
}

/// Keeps a new key within a change.
pub(super) async fn keep(change: &mut Change, context: &Context, key: &ApiKey, hash: &KeyHash) -> Result<(), DbErr> {
    let row = api_key::ActiveModel {
        id: Set(key.id.0),
        workspace_id: Set(context.workspace.0),
        name: Set(key.name.clone()),
        role: Set(key.role.as_str().to_owned()),
        prefix: Set(key.shown.clone()),
        hash: Set(hash.0.to_vec()),
        user_id: Set(key.user.map(|user| user.0)),
        created_at: Set(at(key.created_at)),
        expires_at: Set(key.expires_at.map(at)),
        revoked_at: Set(None),
    };
    api_key::Entity::insert(row).exec_without_returning(change.connection()).await?;
    let summary = json!({"name": key.name, "role": key.role.as_str()});
    change.record(Done::new(Action::ApiKeyCreated, key.id).after(summary));
    Ok(())
}

/// The workspace's keys, the oldest first.
pub(crate) async fn list(database: &Database, workspace: WorkspaceId) -> Result<Vec<ApiKey>, DbErr> {
    let rows = api_key::Entity::find()
        .filter(api_key::Column::WorkspaceId.eq(workspace.0))
        .order_by_asc(api_key::Column::Id)
        .all(database.read())
        .await?;
    rows.into_iter()
        .map(|model| {
            Ok(ApiKey {
                id: ApiKeyId(model.id),
                role: role(&model.role)?,
                name: model.name,
                shown: model.prefix,
                created_at: timestamp(model.created_at),
                user: model.user_id.map(UserId),
                expires_at: model.expires_at.map(timestamp),
                revoked_at: model.revoked_at.map(timestamp),
            })
        })
        .collect()
}

/// Revokes a key; false when the workspace has none of this id. The time of the first revocation stays.
pub(crate) async fn revoke(database: &Database, context: &Context, id: ApiKeyId) -> Result<bool, DbErr> {
    use api_key::Column as C;
    let mut change = Change::begin(database, context).await?;
    let here = || api_key::Entity::find_by_id(id.0).filter(C::WorkspaceId.eq(context.workspace.0));
    let found = here().one(change.connection()).await?;
    let revoked = api_key::Entity::update_many()
        .col_expr(C::RevokedAt, Expr::value(at(context.at)))
        .filter(C::Id.eq(id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::RevokedAt.is_null())
        .exec(change.connection())
        .await?;
    if let Some(key) = found.as_ref().filter(|_| revoked.rows_affected == 1) {
        let summary = json!({"name": key.name, "role": key.role});
        change.record(Done::new(Action::ApiKeyRevoked, id).before(summary));
        change.touch(id);
    }
    change.commit().await?;
    Ok(found.is_some())
}

/// Whether any key was ever made here.
pub(crate) async fn any(database: &Database) -> Result<bool, DbErr> {
    Ok(api_key::Entity::find().one(database.read()).await?.is_some())
}

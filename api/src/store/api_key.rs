//! Credentials of programs.

use engine::id::{ApiKeyId, ServiceAccountId, UserId, WorkspaceId};
use engine::time::Timestamp;
use entity::api_key;
use entity::word::KeyScheme;
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, Select};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed};
use super::member::{limit, limit_column};
use super::role::{permissions, permissions_column};
use super::{at, parsed, timestamp};
use crate::auth::api_key::KeyHash;
use crate::auth::{Principal, ProjectLimit, Role, RoleRef, Viewer};
use crate::service::audit::{Action, Context, Done};
use crate::service::key::{ApiKey, Kept, Scheme};
use crate::service::page::Window;

/// A role that every workspace has, by its word.
pub(super) fn role(word: &str) -> Result<Role, DbErr> {
    Role::parse(word).ok_or_else(|| DbErr::Type(format!("`{word}` is no role")))
}

fn read(model: api_key::Model) -> Result<ApiKey, DbErr> {
    Ok(ApiKey {
        id: ApiKeyId(model.id),
        role: parsed(&model.role)?,
        name: model.name,
        shown: model.prefix,
        user: model.user_id.map(UserId),
        service_account: model.service_account_id.map(ServiceAccountId),
        permissions: model.permissions.as_deref().map(permissions).transpose()?,
        projects: limit(model.projects.as_deref())?,
        created_by: model.created_by,
        created_at: timestamp(model.created_at),
        expires_at: model.expires_at.map(timestamp),
        last_used_at: model.last_used_at.map(timestamp),
        revoked_at: model.revoked_at.map(timestamp),
        successor: model.successor_id.map(ApiKeyId),
        chosen: model.chosen_workspace_id.map(WorkspaceId),
    })
}

/// The only way into the table with a workspace known.
fn in_workspace(workspace: WorkspaceId) -> Select<api_key::Entity> {
    api_key::Entity::find().filter(api_key::Column::WorkspaceId.eq(workspace.0))
}

/// The keys that are looked up by this. The key itself says the workspace, so this query does not start from one.
pub(crate) async fn lookup(database: &Database, lookup: &[u8; 8]) -> Result<Vec<(WorkspaceId, ApiKey, Kept)>, DbErr> {
    let rows = api_key::Entity::find().filter(api_key::Column::Lookup.eq(lookup.to_vec())).all(database.read()).await?;
    rows.into_iter()
        .map(|model| {
            let hash = model.hash.as_slice().try_into().map_err(|_| DbErr::Type("a hash has 32 bytes".to_owned()))?;
            let scheme = match model.scheme {
                KeyScheme::Sha256 => Scheme::Sha256,
                KeyScheme::Hmac => Scheme::Hmac,
            };
            let kept = Kept { lookup: *lookup, scheme, hash: KeyHash(hash) };
            Ok((WorkspaceId(model.workspace_id), read(model)?, kept))
        })
        .collect()
}

/// Who shows this key, which this workspace keeps. A session is in the one that was chosen in it, while the person is in
/// that one.
pub(crate) async fn viewer(database: &Database, home: WorkspaceId, key: &ApiKey) -> Result<Option<Viewer>, DbErr> {
    if let Some(chosen) = key.chosen.filter(|chosen| key.user.is_some() && *chosen != home)
        && let Some(viewer) = viewer_at(database, chosen, key).await?
    {
        return Ok(Some(viewer));
    }
    viewer_at(database, home, key).await
}

/// The same in one workspace. A key that speaks for somebody may no more than they may now.
async fn viewer_at(database: &Database, workspace: WorkspaceId, key: &ApiKey) -> Result<Option<Viewer>, DbErr> {
    let resolve = |role: RoleRef| super::role::resolve(database.read(), workspace, role);
    let Some(cursors) = super::workspace::cursors(database, workspace).await? else { return Ok(None) };
    let (role, all, name, projects, principal) = match (key.user, key.service_account) {
        (Some(id), _) => {
            let user = super::user::find(database, id).await?.filter(|user| user.disabled_at.is_none());
            let Some(user) = user else { return Ok(None) };
            let Some(member) = super::member::find(database.read(), workspace, id).await? else { return Ok(None) };
            let (own, (role, theirs)) = (resolve(key.role).await?, resolve(member.role).await?);
            let all = own.1.and(theirs);
            let role = if all == theirs { role } else { own.0 };
            (role, all, user.name, member.projects, Principal::User(id))
        }
        (None, Some(id)) => {
            let account = super::service_account::find(database.read(), workspace, id).await?;
            let Some(account) = account.filter(|account| account.disabled_at.is_none()) else { return Ok(None) };
            let (role, all) = resolve(account.role).await?;
            (role, all, account.name, account.projects, Principal::ServiceAccount(id))
        }
        (None, None) => {
            let (role, all) = resolve(key.role).await?;
            (role, all, key.name.clone(), None, Principal::ApiKey(key.id))
        }
    };
    let viewer = Viewer {
        workspace,
        principal,
        key: Some(key.id),
        session: None,
        name,
        role,
        permissions: key.permissions.map_or(all, |only| only.and(all)),
        projects: None,
        request: None,
        cursors,
    };
    Ok(Some(viewer.limited_to(both(projects, &key.projects))))
}

/// The projects that are in both limits.
fn both(one: ProjectLimit, other: &ProjectLimit) -> ProjectLimit {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.iter().copied().filter(|id| other.contains(id)).collect()),
        (Some(one), None) => Some(one),
        (None, other) => other.clone(),
    }
}

/// Keeps which workspace the local admin chose in a session; what is open in it asks again. The session may be kept by
/// another workspace than the one that it is in, so this one starts from the person.
pub(crate) async fn choose(
    database: &Database,
    context: &Context,
    (id, user): (ApiKeyId, UserId),
    chosen: WorkspaceId,
) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    api_key::Entity::update_many()
        .col_expr(api_key::Column::ChosenWorkspaceId, Expr::value(chosen.0))
        .filter(api_key::Column::Id.eq(id.0))
        .filter(api_key::Column::UserId.eq(user.0))
        .exec(change.connection())
        .await?;
    change.touch(id);
    change.commit().await
}

/// Keeps a new key.
pub(crate) async fn insert(database: &Database, context: &Context, key: &ApiKey, kept: &Kept) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    keep(&mut change, context, key, kept).await?;
    change.commit().await
}

/// Keeps a new key within a change.
pub(super) async fn keep(change: &mut Change, context: &Context, key: &ApiKey, kept: &Kept) -> Result<(), DbErr> {
    let row = api_key::ActiveModel {
        id: Set(key.id.0),
        workspace_id: Set(context.workspace.0),
        name: Set(key.name.clone()),
        role: Set(key.role.to_string()),
        prefix: Set(key.shown.clone()),
        hash: Set(kept.hash.0.to_vec()),
        lookup: Set(Some(kept.lookup.to_vec())),
        scheme: Set(match kept.scheme {
            Scheme::Sha256 => KeyScheme::Sha256,
            Scheme::Hmac => KeyScheme::Hmac,
        }),
        user_id: Set(key.user.map(|user| user.0)),
        service_account_id: Set(key.service_account.map(|account| account.0)),
        permissions: Set(key.permissions.map(permissions_column)),
        projects: Set(limit_column(&key.projects)),
        created_by: Set(key.created_by.clone()),
        created_at: Set(at(key.created_at)),
        expires_at: Set(key.expires_at.map(at)),
        last_used_at: Set(None),
        revoked_at: Set(None),
        successor_id: Set(None),
        chosen_workspace_id: Set(None),
    };
    api_key::Entity::insert(row).exec_without_returning(change.connection()).await?;
    change.record(Done::new(Action::ApiKeyCreated, key.id).after(summary(key)));
    Ok(())
}

/// What the audit tells of a key.
fn summary(key: &ApiKey) -> Value {
    let mut summary = json!({"name": key.name, "role": key.role.to_string()});
    if let Some(account) = key.service_account {
        summary["serviceAccountId"] = account.to_string().into();
    }
    if let Some(only) = key.permissions {
        summary["permissions"] = only.iter().map(|permission| permission.as_str()).collect();
    }
    if let Some(projects) = &key.projects {
        summary["projects"] = projects.iter().map(ToString::to_string).collect();
    }
    if let Some(end) = key.expires_at {
        summary["expiresAt"] = crate::service::text::instant(end).into();
    }
    summary
}

/// The key of this id.
pub(crate) async fn find(database: &Database, workspace: WorkspaceId, id: ApiKeyId) -> Result<Option<ApiKey>, DbErr> {
    in_workspace(workspace).filter(api_key::Column::Id.eq(id.0)).one(database.read()).await?.map(read).transpose()
}

/// A page of the workspace's keys, or of those of one machine, the oldest first.
pub(crate) async fn list(
    database: &Database,
    workspace: WorkspaceId,
    of: Option<ServiceAccountId>,
    window: Window<ApiKeyId>,
) -> Result<Listed<ApiKey>, DbErr> {
    use api_key::Column as C;
    let mut select = in_workspace(workspace);
    if let Some(account) = of {
        select = select.filter(C::ServiceAccountId.eq(account.0));
    }
    keyset::list(database, select, (&[C::Id], false), window, |id| vec![id.0.into()], read).await
}

/// Keeps a key that takes another one's place, and lets that end.
pub(crate) async fn rotate(
    database: &Database,
    context: &Context,
    old: &ApiKey,
    (key, kept): (&ApiKey, &Kept),
    ends_at: Timestamp,
) -> Result<(), crate::service::ServiceError> {
    use api_key::Column as C;
    let mut change = Change::begin(database, context).await?;
    let moved = api_key::Entity::update_many()
        .col_expr(C::SuccessorId, Expr::value(key.id.0))
        .col_expr(C::ExpiresAt, Expr::value(at(ends_at)))
        .filter(C::Id.eq(old.id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::SuccessorId.is_null())
        .filter(C::RevokedAt.is_null())
        .exec(change.connection())
        .await?;
    if moved.rows_affected == 0 {
        change.rollback().await?;
        let message = format!("{} was rotated or revoked by someone else", old.id);
        return Err(crate::service::ServiceError::Conflict { message });
    }
    keep(&mut change, context, key, kept).await?;
    let after = json!({"successorId": key.id.to_string(), "expiresAt": crate::service::text::instant(ends_at)});
    change.touch(old.id);
    change.record(Done::new(Action::ApiKeyRotated, old.id).before(summary(old)).after(after));
    Ok(change.commit().await?)
}

/// Revokes a key and says what it is now; none when the workspace has none of this id. The time of the first revocation
/// stays.
pub(crate) async fn revoke(database: &Database, context: &Context, id: ApiKeyId) -> Result<Option<ApiKey>, DbErr> {
    let mut change = Change::begin(database, context).await?;
    let found = in_workspace(context.workspace).filter(api_key::Column::Id.eq(id.0)).one(change.connection()).await?;
    let Some(mut key) = found.map(read).transpose()? else {
        change.rollback().await?;
        return Ok(None);
    };
    if key.revoked_at.is_none() {
        withdraw(&mut change, &key).await?;
        key.revoked_at = Some(context.at);
    }
    change.commit().await?;
    Ok(Some(key))
}

/// Revokes every key of a machine within a change.
pub(super) async fn revoke_of(change: &mut Change, account: ServiceAccountId) -> Result<(), DbErr> {
    let rows = in_workspace(change.context().workspace)
        .filter(api_key::Column::ServiceAccountId.eq(account.0))
        .filter(api_key::Column::RevokedAt.is_null())
        .all(change.connection())
        .await?;
    for row in rows {
        withdraw(change, &read(row)?).await?;
    }
    Ok(())
}

async fn withdraw(change: &mut Change, key: &ApiKey) -> Result<(), DbErr> {
    use api_key::Column as C;
    api_key::Entity::update_many()
        .col_expr(C::RevokedAt, Expr::value(at(change.context().at)))
        .filter(C::Id.eq(key.id.0))
        .filter(C::WorkspaceId.eq(change.context().workspace.0))
        .exec(change.connection())
        .await?;
    change.record(Done::new(Action::ApiKeyRevoked, key.id).before(summary(key)));
    change.touch(key.id);
    Ok(())
}

/// Writes down when keys were last shown. Each id was read with its workspace before.
pub(crate) async fn used(database: &Database, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), DbErr> {
    if uses.is_empty() {
        return Ok(());
    }
    let write = database.begin_write().await?;
    for (id, when) in uses {
        api_key::Entity::update_many()
            .col_expr(api_key::Column::LastUsedAt, Expr::value(at(*when)))
            .filter(api_key::Column::Id.eq(id.0))
            .exec(&write)
            .await?;
    }
    write.commit().await
}

/// Whether any key was ever made here.
pub(crate) async fn any(database: &Database) -> Result<bool, DbErr> {
    Ok(api_key::Entity::find().one(database.read()).await?.is_some())
}

//! Programs that are members.

use engine::id::{ServiceAccountId, WorkspaceId};
use entity::service_account;
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Select};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed};
use super::member::{limit, limit_column};
use super::{api_key, at, parsed, timestamp, unless_taken};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::page::Window;
use crate::service::service_account::ServiceAccount;

/// The only way into the table: there is no query without a workspace.
fn in_workspace(workspace: WorkspaceId) -> Select<service_account::Entity> {
    service_account::Entity::find().filter(service_account::Column::WorkspaceId.eq(workspace.0))
}

fn read(model: service_account::Model) -> Result<ServiceAccount, DbErr> {
    Ok(ServiceAccount {
        id: ServiceAccountId(model.id),
        name: model.name,
        role: parsed(&model.role)?,
        projects: limit(model.projects.as_deref())?,
        created_by: model.created_by,
        created_at: timestamp(model.created_at),
        disabled_at: model.disabled_at.map(timestamp),
    })
}

fn summary(account: &ServiceAccount) -> Value {
    let mut summary = json!({"name": account.name, "role": account.role.to_string()});
    if let Some(projects) = &account.projects {
        summary["projects"] = projects.iter().map(ToString::to_string).collect();
    }
    summary
}

/// The service account of this id.
pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: ServiceAccountId,
) -> Result<Option<ServiceAccount>, DbErr> {
    let here = in_workspace(workspace).filter(service_account::Column::Id.eq(id.0));
    here.one(connection).await?.map(read).transpose()
}

/// A page of them, the oldest first.
pub(crate) async fn list(
    database: &Database,
    workspace: WorkspaceId,
    window: Window<ServiceAccountId>,
) -> Result<Listed<ServiceAccount>, DbErr> {
    let columns = &[service_account::Column::Id];
    keyset::list(database, in_workspace(workspace), (columns, false), window, |id| vec![id.0.into()], read).await
}

/// Makes one.
pub(crate) async fn insert(
    database: &Database,
    context: &Context,
    account: &ServiceAccount,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let row = service_account::ActiveModel {
        id: Set(account.id.0),
        workspace_id: Set(context.workspace.0),
        name: Set(account.name.clone()),
        role: Set(account.role.to_string()),
        projects: Set(limit_column(&account.projects)),
        created_by: Set(account.created_by.clone()),
        created_at: Set(at(account.created_at)),
        disabled_at: Set(None),
    };
    let inserted = service_account::Entity::insert(row).exec_without_returning(change.connection()).await;
    unless_taken(inserted, "name", "service account", &account.name)?;
    change.record(Done::new(Action::ServiceAccountCreated, account.id).after(summary(account)));
    Ok(change.commit().await?)
}

/// Gives one another role or other projects.
pub(crate) async fn update(
    database: &Database,
    context: &Context,
    before: &ServiceAccount,
    after: &ServiceAccount,
) -> Result<(), DbErr> {
    use service_account::Column as C;
    let mut change = Change::begin(database, context).await?;
    service_account::Entity::update_many()
        .col_expr(C::Role, Expr::value(after.role.to_string()))
        .col_expr(C::Projects, Expr::value(limit_column(&after.projects)))
        .filter(C::Id.eq(after.id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .exec(change.connection())
        .await?;
    change.touch(after.id);
    change.record(Done::new(Action::ServiceAccountUpdated, after.id).before(summary(before)).after(summary(after)));
    change.commit().await
}

/// Disables one and revokes its keys.
pub(crate) async fn disable(database: &Database, context: &Context, account: &ServiceAccount) -> Result<(), DbErr> {
    use service_account::Column as C;
    let mut change = Change::begin(database, context).await?;
    service_account::Entity::update_many()
        .col_expr(C::DisabledAt, Expr::value(at(context.at)))
        .filter(C::Id.eq(account.id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .exec(change.connection())
        .await?;
    change.touch(account.id);
    change.record(Done::new(Action::ServiceAccountDisabled, account.id).before(summary(account)));
    api_key::revoke_of(&mut change, account.id).await?;
    change.commit().await
}

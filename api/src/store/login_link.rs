//! One-time links.

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use entity::login_link;
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use super::change::Change;
use super::{api_key, at, member, user};
use crate::auth::Role;
use crate::service::audit::Context;
use crate::service::key::{ApiKey, Kept};
use crate::service::member::Member;
use crate::service::session::Link;
use crate::service::user::User;

/// Keeps a new link, and lets go of those that were used or are over.
pub(crate) async fn insert(database: &Database, context: &Context, link: &Link) -> Result<(), DbErr> {
    let row = login_link::ActiveModel {
        hash: Set(link.hash.to_vec()),
        workspace_id: Set(context.workspace.0),
        role: Set(link.role.as_str().to_owned()),
        created_at: Set(at(context.at)),
        expires_at: Set(at(link.expires_at)),
        used_at: Set(None),
    };
    login_link::Entity::delete_many()
        .filter(login_link::Column::ExpiresAt.lte(at(context.at)))
        .exec(database.write())
        .await?;
    login_link::Entity::insert(row).exec_without_returning(database.write()).await?;
    Ok(())
}

/// What an unused link opens. The link itself says the workspace, so this query does not start from one.
pub(crate) async fn find(
    database: &Database,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(WorkspaceId, Role)>, DbErr> {
    let found = login_link::Entity::find_by_id(hash.to_vec()).filter(unused(now)).one(database.read()).await?;
    let Some(model) = found else { return Ok(None) };
    Ok(Some((WorkspaceId(model.workspace_id), api_key::role(&model.role)?)))
}

/// Uses a link for a session of the local admin, who becomes a member when they are none; false when somebody was faster.
pub(crate) async fn redeem(
    database: &Database,
    context: &Context,
    hash: &[u8; 32],
    (key, kept): (&ApiKey, &Kept),
    member: &Member,
) -> Result<bool, DbErr> {
    let mut change = Change::begin(database, context).await?;
    let used = login_link::Entity::update_many()
        .col_expr(login_link::Column::UsedAt, Expr::value(at(context.at)))
        .filter(login_link::Column::Hash.eq(hash.to_vec()))
        .filter(unused(context.at))
        .exec(change.connection())
        .await?;
    if used.rows_affected == 0 {
        change.rollback().await?;
        return Ok(false);
    }
    let person = User {
        id: member.user,
        subject: None,
        email: None,
        name: "Local admin".to_owned(),
        created_at: context.at,
        last_seen_at: Some(context.at),
        disabled_at: None,
    };
    user::ensure(change.connection(), &person).await?;
    member::ensure(&mut change, member).await?;
    api_key::keep(&mut change, context, key, kept).await?;
    change.commit().await?;
    Ok(true)
}

fn unused(now: Timestamp) -> sea_orm::Condition {
    sea_orm::Condition::all().add(login_link::Column::UsedAt.is_null()).add(login_link::Column::ExpiresAt.gt(at(now)))
}

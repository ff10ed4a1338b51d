//! Offers to become a member.

use engine::id::{InvitationId, UserId, WorkspaceId};
use engine::time::Timestamp;
use entity::invitation;
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, Select};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed};
use super::member::{self, limit, limit_column};
use super::{at, parsed, timestamp};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::invitation::Invitation;
use crate::service::member::Member;
use crate::service::page::Window;

/// The only way into the table with a workspace known.
fn in_workspace(workspace: WorkspaceId) -> Select<invitation::Entity> {
    invitation::Entity::find().filter(invitation::Column::WorkspaceId.eq(workspace.0))
}

fn read(model: invitation::Model) -> Result<Invitation, DbErr> {
    Ok(Invitation {
        id: InvitationId(model.id),
        email: model.email,
        role: parsed(&model.role)?,
        projects: limit(model.projects.as_deref())?,
        created_by: model.created_by,
        created_at: timestamp(model.created_at),
        expires_at: timestamp(model.expires_at),
        accepted: model.accepted_by.map(UserId).zip(model.accepted_at.map(timestamp)),
        revoked_at: model.revoked_at.map(timestamp),
    })
}

fn summary(invitation: &Invitation) -> Value {
    let mut summary = json!({"email": invitation.email, "role": invitation.role.to_string()});
    if let Some(projects) = &invitation.projects {
        summary["projects"] = projects.iter().map(ToString::to_string).collect();
    }
    summary
}

/// Keeps a new invitation.
pub(crate) async fn insert(
    database: &Database,
    context: &Context,
    new: &Invitation,
    hash: &[u8; 32],
) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    let row = invitation::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(context.workspace.0),
        hash: Set(hash.to_vec()),
        email: Set(new.email.clone()),
        role: Set(new.role.to_string()),
        projects: Set(limit_column(&new.projects)),
        created_by: Set(new.created_by.clone()),
        created_at: Set(at(new.created_at)),
        expires_at: Set(at(new.expires_at)),
        accepted_by: Set(None),
        accepted_at: Set(None),
        revoked_at: Set(None),
    };
    invitation::Entity::insert(row).exec_without_returning(change.connection()).await?;
    change.record(Done::new(Action::InvitationCreated, new.id).after(summary(new)));
    change.commit().await
}

/// A page of them, the latest first.
pub(crate) async fn list(
    database: &Database,
    workspace: WorkspaceId,
    window: Window<InvitationId>,
) -> Result<Listed<Invitation>, DbErr> {
    let columns = &[invitation::Column::Id];
    keyset::list(database, in_workspace(workspace), (columns, true), window, |id| vec![id.0.into()], read).await
}

fn is_open(now: Timestamp) -> Condition {
    use invitation::Column as C;
    Condition::all().add(C::AcceptedAt.is_null()).add(C::RevokedAt.is_null()).add(C::ExpiresAt.gt(at(now)))
}

/// What a token offers, while it does. The token itself says the workspace, so this query does not start from one.
pub(crate) async fn open(
    database: &Database,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(WorkspaceId, Invitation)>, DbErr> {
    let here = invitation::Column::Hash.eq(hash.to_vec());
    let found = invitation::Entity::find().filter(here).filter(is_open(now)).one(database.read()).await?;
    found.map(|model| Ok((WorkspaceId(model.workspace_id), read(model)?))).transpose()
}

/// Takes an invitation back; what it is by now.
pub(crate) async fn revoke(
    database: &Database,
    context: &Context,
    id: InvitationId,
) -> Result<Option<Invitation>, DbErr> {
    use invitation::Column as C;
    let mut change = Change::begin(database, context).await?;
    let revoked = invitation::Entity::update_many()
        .col_expr(C::RevokedAt, Expr::value(at(context.at)))
        .filter(C::Id.eq(id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::AcceptedAt.is_null())
        .filter(C::RevokedAt.is_null())
        .exec(change.connection())
        .await?;
    let found = in_workspace(context.workspace).filter(C::Id.eq(id.0)).one(change.connection()).await?;
    let found = found.map(read).transpose()?;
    if let Some(invitation) = found.as_ref().filter(|_| revoked.rows_affected == 1) {
        change.record(Done::new(Action::InvitationRevoked, id).before(summary(invitation)));
    }
    change.commit().await?;
    Ok(found)
}

/// Makes somebody a member by an invitation; false when somebody was faster.
pub(crate) async fn accept(
    database: &Database,
    context: &Context,
    id: InvitationId,
    member: &Member,
) -> Result<bool, ServiceError> {
    use invitation::Column as C;
    let mut change = Change::begin(database, context).await?;
    let accepted = invitation::Entity::update_many()
        .col_expr(C::AcceptedAt, Expr::value(at(context.at)))
        .col_expr(C::AcceptedBy, Expr::value(member.user.0))
        .filter(C::Id.eq(id.0))
        .filter(is_open(context.at))
        .exec(change.connection())
        .await?;
    if accepted.rows_affected == 0 {
        change.rollback().await?;
        return Ok(false);
    }
    if !member::ensure(&mut change, member).await? {
        change.rollback().await?;
        return Err(ServiceError::Conflict { message: "you are a member of this workspace already".to_owned() });
    }
    change.record(Done::new(Action::InvitationAccepted, id));
    change.commit().await?;
    Ok(true)
}

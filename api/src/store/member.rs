//! People in workspaces.

use std::sync::Arc;

use engine::id::{MemberId, ProjectId, UserId, WorkspaceId};
use entity::word::MemberSource;
use entity::{member, workspace};
use runtime::Database;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    Select,
};
use serde_json::{Value, json};

use super::change::Change;
use super::{at, json as read_json, parsed, timestamp, workspace as workspaces};
use crate::auth::{ProjectLimit, RoleRef};
use crate::service::audit::{Action, Context, Done};
use crate::service::member::{Member, Source};
use crate::service::workspace::Workspace;

/// The only way into the table with a workspace known.
fn in_workspace(workspace: WorkspaceId) -> Select<member::Entity> {
    member::Entity::find().filter(member::Column::WorkspaceId.eq(workspace.0))
}

/// A limit as columns keep it.
pub(super) fn limit(text: Option<&str>) -> Result<ProjectLimit, DbErr> {
    let Some(text) = text else { return Ok(None) };
    let ids: Vec<String> = read_json(text)?;
    let ids: Vec<ProjectId> = ids.iter().map(|id| parsed(id)).collect::<Result<_, _>>()?;
    Ok(Some(Arc::from(ids)))
}

/// The same the other way.
pub(super) fn limit_column(limit: &ProjectLimit) -> Option<String> {
    limit.as_ref().map(|ids| json!(ids.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string())
}

fn read(model: member::Model) -> Result<Member, DbErr> {
    Ok(Member {
        id: MemberId(model.id),
        workspace: WorkspaceId(model.workspace_id),
        user: UserId(model.user_id),
        role: parsed(&model.role)?,
        projects: limit(model.projects.as_deref())?,
        source: match model.source {
            MemberSource::Local => Source::Local,
            MemberSource::Provider => Source::Provider,
        },
        created_by: model.created_by,
        created_at: timestamp(model.created_at),
    })
}

fn row(member: &Member) -> member::ActiveModel {
    member::ActiveModel {
        id: Set(member.id.0),
        workspace_id: Set(member.workspace.0),
        user_id: Set(member.user.0),
        role: Set(member.role.to_string()),
        projects: Set(limit_column(&member.projects)),
        source: Set(match member.source {
            Source::Local => MemberSource::Local,
            Source::Provider => MemberSource::Provider,
        }),
        created_by: Set(member.created_by.clone()),
        created_at: Set(at(member.created_at)),
    }
}

/// What this person is in this workspace.
pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<Member>, DbErr> {
    in_workspace(workspace).filter(member::Column::UserId.eq(user.0)).one(connection).await?.map(read).transpose()
}

/// The workspaces of a person, the longest first. This query starts from the person: it says which workspaces there are
/// to start from.
pub(crate) async fn workspaces(database: &Database, user: UserId) -> Result<Vec<(Workspace, Member)>, DbErr> {
    let rows = member::Entity::find()
        .filter(member::Column::UserId.eq(user.0))
        .order_by_asc(member::Column::CreatedAt)
        .order_by_asc(member::Column::Id)
        .all(database.read())
        .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.workspace_id).collect();
    let found = workspace::Entity::find().filter(workspace::Column::Id.is_in(ids)).all(database.read()).await?;
    let mut both = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(home) = found.iter().find(|home| home.id == row.workspace_id) {
            both.push((workspaces::read(home.clone()), read(row)?));
        }
    }
    Ok(both)
}

/// What the audit tells of a member.
pub(super) fn summary(user: UserId, role: RoleRef, projects: &ProjectLimit) -> Value {
    let mut summary = json!({"userId": user.to_string(), "role": role.to_string()});
    if let Some(projects) = projects {
        summary["projects"] = projects.iter().map(ToString::to_string).collect();
    }
    summary
}

/// Makes somebody a member within a change, unless they are one.
pub(super) async fn ensure(change: &mut Change, member: &Member) -> Result<(), DbErr> {
    let once = OnConflict::columns([member::Column::WorkspaceId, member::Column::UserId]).do_nothing().to_owned();
    let made =
        member::Entity::insert(row(member)).on_conflict(once).exec_without_returning(change.connection()).await?;
    if made == 1 {
        let after = summary(member.user, member.role, &member.projects);
        change.record(Done::new(Action::MemberAdded, member.id).after(after));
    }
    Ok(())
}

/// What a provider says of a person's role; nothing changes for those whom the workspace let in itself.
pub(crate) async fn told_by_provider(
    database: &Database,
    context: &Context,
    id: MemberId,
    user: UserId,
    role: Option<RoleRef>,
) -> Result<(), DbErr> {
    use member::Column as C;
    let workspace = context.workspace;
    let is_as_told = |member: &Option<Member>| match member {
        None => role.is_none(),
        Some(member) => member.source == Source::Local || role == Some(member.role),
    };
    // Most people sign in as what they were.
    if is_as_told(&find(database.read(), workspace, user).await?) {
        return Ok(());
    }
    let mut change = Change::begin(database, context).await?;
    let before = find(change.connection(), workspace, user).await?;
    if is_as_told(&before) {
        return change.rollback().await;
    }
    match (before, role) {
        (None, None) => {}
        (None, Some(role)) => {
            let (created_by, created_at) = (user.to_string(), context.at);
            let source = Source::Provider;
            let new = Member { id, workspace, user, role, projects: None, source, created_by, created_at };
            ensure(&mut change, &new).await?;
        }
        (Some(before), Some(role)) => {
            member::Entity::update_many()
                .col_expr(C::Role, Expr::value(role.to_string()))
                .filter(C::Id.eq(before.id.0))
                .exec(change.connection())
                .await?;
            let summaries = (summary(user, before.role, &before.projects), summary(user, role, &before.projects));
            change.record(Done::new(Action::MemberUpdated, before.id).before(summaries.0).after(summaries.1));
            change.touch(user);
        }
        (Some(before), None) => {
            member::Entity::delete_by_id(before.id.0).exec(change.connection()).await?;
            let was = summary(user, before.role, &before.projects);
            change.record(Done::new(Action::MemberRemoved, before.id).before(was));
            change.touch(user);
        }
    }
    change.commit().await
}

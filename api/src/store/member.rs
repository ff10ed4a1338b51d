//! People in workspaces.

use std::sync::Arc;

use engine::id::{MemberId, ProjectId, UserId, WorkspaceId};
use entity::word::MemberSource;
use entity::{app_user, member, workspace};
use runtime::Database;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    Select,
};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed};
use super::{at, json as read_json, parsed, timestamp, user, workspace as workspaces};
use crate::auth::{ProjectLimit, Role, RoleRef};
use crate::service::audit::{Action, Context, Done};
use crate::service::member::{Member, Source};
use crate::service::page::Window;
use crate::service::user::User;
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

/// Makes somebody a member within a change; false when they are one.
pub(super) async fn ensure(change: &mut Change, member: &Member) -> Result<bool, DbErr> {
    let once = OnConflict::columns([member::Column::WorkspaceId, member::Column::UserId]).do_nothing().to_owned();
    let made =
        member::Entity::insert(row(member)).on_conflict(once).exec_without_returning(change.connection()).await?;
    if made == 1 {
        let after = summary(member.user, member.role, &member.projects);
        change.record(Done::new(Action::MemberAdded, member.id).after(after));
    }
    Ok(made == 1)
}

/// A member and who they are.
fn with_user((member, user): (member::Model, Option<app_user::Model>)) -> Result<(Member, User), DbErr> {
    let user = user.ok_or_else(|| DbErr::RecordNotFound("the person of a member".to_owned()))?;
    Ok((read(member)?, user::read(user)))
}

/// The member of this id.
pub(crate) async fn get(
    database: &Database,
    workspace: WorkspaceId,
    id: MemberId,
) -> Result<Option<(Member, User)>, DbErr> {
    let here = in_workspace(workspace).filter(member::Column::Id.eq(id.0)).all(database.read()).await?;
    persons(database, here).await?.pop().map(with_user).transpose()
}

type Row = (member::Model, Option<app_user::Model>);

/// Rows with their people, in the same order.
async fn persons(database: &Database, rows: Vec<member::Model>) -> Result<Vec<Row>, DbErr> {
    let ids: Vec<_> = rows.iter().map(|row| row.user_id).collect();
    let found = app_user::Entity::find().filter(app_user::Column::Id.is_in(ids)).all(database.read()).await?;
    let of = |row: &member::Model| found.iter().find(|user| user.id == row.user_id).cloned();
    Ok(rows.into_iter().map(|row| (row.clone(), of(&row))).collect())
}

/// A page of the members, those first who have been here the longest.
pub(crate) async fn list(
    database: &Database,
    workspace: WorkspaceId,
    window: Window<MemberId>,
) -> Result<Listed<(Member, User)>, DbErr> {
    let columns = &[member::Column::Id];
    let listed =
        keyset::list(database, in_workspace(workspace), (columns, false), window, |id| vec![id.0.into()], Ok).await?;
    let rows = persons(database, listed.rows).await?.into_iter().map(with_user).collect::<Result<_, _>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// Makes of a member what they are from now on, or takes membership away; false when they were the last owner, and nothing changed.
pub(crate) async fn change(
    database: &Database,
    context: &Context,
    before: &Member,
    after: Option<&Member>,
) -> Result<bool, DbErr> {
    use member::Column as C;
    let mut change = Change::begin(database, context).await?;
    // Two owners who remove each other at once come one after the other.
    workspaces::lock(change.connection(), context.workspace).await?;
    let this = || C::Id.eq(before.id.0).and(C::WorkspaceId.eq(context.workspace.0));
    let was = summary(before.user, before.role, &before.projects);
    match after {
        Some(after) => {
            member::Entity::update_many()
                .col_expr(C::Role, Expr::value(after.role.to_string()))
                .col_expr(C::Projects, Expr::value(limit_column(&after.projects)))
                .col_expr(C::Source, Expr::value(MemberSource::Local.as_str()))
                .filter(this())
                .exec(change.connection())
                .await?;
            let is = summary(after.user, after.role, &after.projects);
            change.record(Done::new(Action::MemberUpdated, before.id).before(was).after(is));
        }
        None => {
            member::Entity::delete_many().filter(this()).exec(change.connection()).await?;
            change.record(Done::new(Action::MemberRemoved, before.id).before(was));
        }
    }
    change.touch(before.user);
    let was_owner = before.role == RoleRef::BuiltIn(Role::Owner) && before.projects.is_none();
    if was_owner && !has_owner(change.connection(), context.workspace).await? {
        change.rollback().await?;
        return Ok(false);
    }
    change.commit().await?;
    Ok(true)
}

/// Whether the workspace has an owner who can sign in and sees all of it.
async fn has_owner(connection: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<bool, DbErr> {
    let owners = in_workspace(workspace)
        .filter(member::Column::Role.eq(Role::Owner.as_str()))
        .filter(member::Column::Projects.is_null())
        .all(connection)
        .await?;
    let ids = owners.iter().map(|owner| owner.user_id);
    let can = app_user::Entity::find()
        .filter(app_user::Column::Id.is_in(ids))
        .filter(app_user::Column::DisabledAt.is_null())
        .one(connection)
        .await?;
    Ok(can.is_some())
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

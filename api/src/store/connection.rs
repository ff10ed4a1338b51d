//! Connections and their encrypted values.

use std::collections::{BTreeMap, BTreeSet};

use engine::id::{ConnectionId, ProjectId, WorkspaceId};
use entity::{connection, project, secret};
use runtime::Database;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _,
    RelationDef, SelectTwo, SqlErr,
};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed, Total};
use super::scope::of_project;
use super::{at, timestamp};
use crate::auth::Scope;
use crate::service::audit::{Action, Context, Done};
use crate::service::connection::{Connection, Filter, SealedSecret, Tested};
use crate::service::page::Window;

fn to_project() -> RelationDef {
    connection::Entity::belongs_to(project::Entity).from(connection::Column::ProjectId).to(project::Column::Id).into()
}

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> SelectTwo<connection::Entity, project::Entity> {
    connection::Entity::find()
        .join(JoinType::InnerJoin, to_project())
        .select_also(project::Entity)
        .filter(connection::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, connection::Column::ProjectId))
}

fn read((model, project): (connection::Model, Option<project::Model>)) -> Result<Connection, DbErr> {
    let json = |error: serde_json::Error| DbErr::Json(error.to_string());
    let tested = model.tested_at.zip(model.test_passed).map(|(at, passed)| Tested {
        at: timestamp(at),
        passed,
        message: model.test_message.clone().unwrap_or_default(),
    });
    Ok(Connection {
        id: ConnectionId(model.id),
        project_id: ProjectId(model.project_id),
        project: project.map(|project| project.slug).unwrap_or_default(),
        environment: model.environment,
        name: model.name,
        r#type: model.r#type,
        fields: serde_json::from_str(&model.fields).map_err(json)?,
        secrets: serde_json::from_str(&model.secrets).map_err(json)?,
        revision: model.revision,
        created_by: model.created_by,
        created_at: timestamp(model.created_at),
        updated_by: model.updated_by,
        updated_at: timestamp(model.updated_at),
        tested,
    })
}

/// What the audit keeps of a connection: never a value of a secret, only which fields have one and its version.
fn summary(of: &Connection) -> Value {
    let versions: BTreeMap<&str, i32> =
        of.secrets.iter().map(|(field, secret)| (field.as_str(), secret.version)).collect();
    json!({
        "name": of.name,
        "project": of.project,
        "environment": of.environment,
        "type": of.r#type,
        "fields": of.fields,
        "secretVersions": versions,
    })
}

fn text(value: &impl serde::Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}

/// The connection of this id.
pub(crate) async fn find(database: &Database, scope: &Scope, id: ConnectionId) -> Result<Option<Connection>, DbErr> {
    let found = in_scope(scope).filter(connection::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// A page of connections by name and id.
pub(crate) async fn list(
    database: &Database,
    scope: &Scope,
    filter: &Filter,
    window: Window<(String, ConnectionId)>,
) -> Result<Listed<Connection>, DbErr> {
    use connection::Column as C;
    let mut select = in_scope(scope);
    if let Some(slug) = &filter.project {
        select = select.filter(project::Column::Slug.eq(slug));
    }
    if let Some(environment) = &filter.environment {
        select = select.filter(C::Environment.eq(environment));
    }
    if let Some(name) = &filter.name {
        select = select.filter(C::Name.eq(name));
    }
    if let Some(kind) = &filter.r#type {
        select = select.filter(C::Type.eq(kind));
    }
    let values = |(name, id): (String, ConnectionId)| vec![name.into(), id.0.into()];
    let total = Total::of(&select);
    let rows = keyset::within(select, &[C::Name, C::Id], false, window, values).all(database.read()).await?;
    Ok(Listed { rows: rows.into_iter().map(read).collect::<Result<_, _>>()?, total })
}

/// The types of those of these connections that are there, by name.
pub(crate) async fn types(
    database: &Database,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
    names: &BTreeSet<&str>,
) -> Result<BTreeMap<String, String>, DbErr> {
    use connection::Column as C;
    let rows: Vec<(String, String)> = connection::Entity::find()
        .filter(C::WorkspaceId.eq(workspace.0))
        .filter(C::ProjectId.eq(project.0))
        .filter(C::Environment.eq(environment))
        .filter(C::Name.is_in(names.iter().copied()))
        .select_only()
        .column(C::Name)
        .column(C::Type)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(rows.into_iter().collect())
}

/// The types of all the connections that an environment has, by name.
pub(crate) async fn all_types(
    database: &Database,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
) -> Result<BTreeMap<String, String>, DbErr> {
    use connection::Column as C;
    let rows: Vec<(String, String)> = connection::Entity::find()
        .filter(C::WorkspaceId.eq(workspace.0))
        .filter(C::ProjectId.eq(project.0))
        .filter(C::Environment.eq(environment))
        .select_only()
        .column(C::Name)
        .column(C::Type)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(rows.into_iter().collect())
}

/// Keeps a new connection; `false` when its name is taken.
pub(crate) async fn insert(
    database: &Database,
    context: &Context,
    new: &Connection,
    secrets: &[SealedSecret],
) -> Result<bool, DbErr> {
    let row = connection::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(context.workspace.0),
        project_id: Set(new.project_id.0),
        environment: Set(new.environment.clone()),
        name: Set(new.name.clone()),
        r#type: Set(new.r#type.clone()),
        fields: Set(text(&new.fields)?),
        secrets: Set(text(&new.secrets)?),
        revision: Set(new.revision),
        created_by: Set(new.created_by.clone()),
        created_at: Set(at(new.created_at)),
        updated_by: Set(new.updated_by.clone()),
        updated_at: Set(at(new.updated_at)),
        tested_at: Set(None),
        test_passed: Set(None),
        test_message: Set(None),
    };
    let mut change = Change::begin(database, context).await?;
    match connection::Entity::insert(row).exec_without_returning(change.connection()).await {
        Ok(_) => {}
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            change.rollback().await?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    put_secrets(&change, context, new.id, secrets).await?;
    change.record(Done::new(Action::ConnectionCreated, new.id).after(summary(new)));
    change.commit().await?;
    Ok(true)
}

/// Replaces a connection; `false` when it is not any more what it was.
pub(crate) async fn update(
    database: &Database,
    context: &Context,
    before: &Connection,
    after: &Connection,
    secrets: &[SealedSecret],
) -> Result<bool, DbErr> {
    use connection::Column as C;
    let kept: BTreeSet<_> = after.secrets.values().map(|secret| secret.id).collect();
    let dropped = before.secrets.values().map(|secret| secret.id).filter(|id| !kept.contains(id));
    let dropped: Vec<_> = dropped.map(|id| id.0).collect();
    let mut change = Change::begin(database, context).await?;
    let updated = connection::Entity::update_many()
        .col_expr(C::Fields, Expr::value(text(&after.fields)?))
        .col_expr(C::Secrets, Expr::value(text(&after.secrets)?))
        .col_expr(C::Revision, Expr::value(after.revision))
        .col_expr(C::UpdatedBy, Expr::value(after.updated_by.as_str()))
        .col_expr(C::UpdatedAt, Expr::value(at(after.updated_at)))
        .col_expr(C::TestedAt, Expr::value(None::<sea_orm::prelude::DateTimeUtc>))
        .col_expr(C::TestPassed, Expr::value(None::<bool>))
        .col_expr(C::TestMessage, Expr::value(None::<String>))
        .filter(C::Id.eq(after.id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::Revision.eq(before.revision))
        // A token that was refreshed is no new revision.
        .filter(C::Secrets.eq(text(&before.secrets)?))
        .exec(change.connection())
        .await?;
    if updated.rows_affected == 0 {
        change.rollback().await?;
        return Ok(false);
    }
    if !dropped.is_empty() {
        let gone = secret::Entity::delete_many()
            .filter(secret::Column::WorkspaceId.eq(context.workspace.0))
            .filter(secret::Column::Id.is_in(dropped));
        gone.exec(change.connection()).await?;
    }
    put_secrets(&change, context, after.id, secrets).await?;
    let done = Done::new(Action::ConnectionUpdated, after.id);
    change.record(done.before(summary(before)).after(summary(after)));
    change.commit().await?;
    Ok(true)
}

/// New values take the place of old ones: a value that was replaced is not kept.
async fn put_secrets(
    change: &Change,
    context: &Context,
    of: ConnectionId,
    secrets: &[SealedSecret],
) -> Result<(), DbErr> {
    use secret::Column as C;
    for SealedSecret { at: place, sealed } in secrets {
        let row = secret::ActiveModel {
            id: Set(place.id.0),
            workspace_id: Set(context.workspace.0),
            connection_id: Set(of.0),
            version: Set(place.version),
            workspace_key_id: Set(sealed.workspace_key.0),
            wrapped_key: Set(sealed.wrapped_key.clone()),
            ciphertext: Set(sealed.ciphertext.clone()),
            created_at: Set(at(context.at)),
            updated_at: Set(at(context.at)),
        };
        let newer = OnConflict::column(C::Id)
            .update_columns([C::Version, C::WorkspaceKeyId, C::WrappedKey, C::Ciphertext, C::UpdatedAt])
            .to_owned();
        secret::Entity::insert(row).on_conflict(newer).exec_without_returning(change.connection()).await?;
    }
    Ok(())
}

/// Deletes a connection and its secrets; `false` when it is not there.
pub(crate) async fn delete(database: &Database, context: &Context, of: &Connection) -> Result<bool, DbErr> {
    let mut change = Change::begin(database, context).await?;
    secret::Entity::delete_many()
        .filter(secret::Column::WorkspaceId.eq(context.workspace.0))
        .filter(secret::Column::ConnectionId.eq(of.id.0))
        .exec(change.connection())
        .await?;
    let deleted = connection::Entity::delete_many()
        .filter(connection::Column::WorkspaceId.eq(context.workspace.0))
        .filter(connection::Column::Id.eq(of.id.0))
        .exec(change.connection())
        .await?;
    if deleted.rows_affected == 0 {
        change.rollback().await?;
        return Ok(false);
    }
    change.record(Done::new(Action::ConnectionDeleted, of.id).before(summary(of)));
    change.commit().await?;
    Ok(true)
}

/// Keeps how a test went, unless the connection was changed since. A test changes nothing, so it leaves no audit.
pub(crate) async fn keep_test(
    database: &Database,
    workspace: WorkspaceId,
    id: ConnectionId,
    revision: i32,
    tested: &Tested,
) -> Result<(), DbErr> {
    use connection::Column as C;
    connection::Entity::update_many()
        .col_expr(C::TestedAt, Expr::value(Some(at(tested.at))))
        .col_expr(C::TestPassed, Expr::value(Some(tested.passed)))
        .col_expr(C::TestMessage, Expr::value(Some(tested.message.as_str())))
        .filter(C::Id.eq(id.0))
        .filter(C::WorkspaceId.eq(workspace.0))
        .filter(C::Revision.eq(revision))
        .exec(database.write())
        .await
        .map(drop)
}

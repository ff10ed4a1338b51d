//! Variables.

use std::collections::BTreeSet;

use engine::id::{ProjectId, VariableId, WorkspaceId};
use entity::variable;
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _, Select, SqlErr,
};

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope::of_project;
use super::{at, timestamp};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Context, Done};
use crate::service::page::Window;
use crate::service::variable::Variable;

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<variable::Entity> {
    variable::Entity::find()
        .filter(variable::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, variable::Column::ProjectId))
}

/// The variable of this id.
pub(crate) async fn find(database: &Database, scope: &Scope, id: VariableId) -> Result<Option<Variable>, DbErr> {
    let found = in_scope(scope).filter(variable::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// Up to `limit` variables of a project in an environment by name, after one.
pub(crate) async fn list(
    database: &Database,
    scope: &Scope,
    project: ProjectId,
    environment: &str,
    window: Window<String>,
) -> Result<Listed<Variable>, DbErr> {
    use variable::Column as C;
    let select = in_scope(scope).filter(C::ProjectId.eq(project.0)).filter(C::Environment.eq(environment));
    keyset::list(database, select, (&[C::Name], false), window, |name| vec![name.into()], read).await
}

/// The names of all the variables that an environment has.
pub(crate) async fn names(
    database: &Database,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
) -> Result<BTreeSet<String>, DbErr> {
    use variable::Column as C;
    let select =
        in_scope(&Scope::whole(workspace)).filter(C::ProjectId.eq(project.0)).filter(C::Environment.eq(environment));
    let names: Vec<String> = select.select_only().column(C::Name).into_tuple().all(database.read()).await?;
    Ok(names.into_iter().collect())
}

/// Adds one, unless there are `most` or its name is taken.
pub(crate) async fn insert(
    database: &Database,
    context: &Context,
    new: &Variable,
    most: u64,
    done: Done,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let count = in_scope(&context.scope())
        .filter(variable::Column::ProjectId.eq(new.project_id.0))
        .filter(variable::Column::Environment.eq(&new.environment))
        .count(change.connection())
        .await?;
    if count >= most {
        change.rollback().await?;
        let message = format!("a project has at most {most} variables in an environment");
        return Err(ServiceError::Conflict { message });
    }
    let row = variable::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(context.workspace.0),
        project_id: Set(new.project_id.0),
        environment: Set(new.environment.clone()),
        name: Set(new.name.clone()),
        value: Set(new.value.to_string().into_bytes()),
        updated_by: Set(new.updated_by.clone()),
        created_at: Set(at(new.created_at)),
        updated_at: Set(at(new.updated_at)),
    };
    match variable::Entity::insert(row).exec_without_returning(change.connection()).await {
        Ok(_) => {
            change.record(done);
            Ok(change.commit().await?)
        }
        Err(error) => {
            change.rollback().await?;
            match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => {
                    let message = format!("there is a variable `{}` in `{}` already", new.name, new.environment);
                    Err(ServiceError::Conflict { message })
                }
                _ => Err(error.into()),
            }
        }
    }
}

/// Writes its value; `false` when it is gone.
pub(crate) async fn update(database: &Database, context: &Context, new: &Variable, done: Done) -> Result<bool, DbErr> {
    use variable::Column as C;
    let change = Change::begin(database, context).await?;
    let updated = variable::Entity::update_many()
        .col_expr(C::Value, Expr::value(new.value.to_string().into_bytes()))
        .col_expr(C::UpdatedBy, Expr::value(new.updated_by.clone()))
        .col_expr(C::UpdatedAt, Expr::value(at(new.updated_at)))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::Id.eq(new.id.0))
        .exec(change.connection())
        .await?;
    finish(change, updated.rows_affected, done).await
}

/// Deletes it; `false` when it is gone.
pub(crate) async fn delete(database: &Database, context: &Context, id: VariableId, done: Done) -> Result<bool, DbErr> {
    let change = Change::begin(database, context).await?;
    let deleted = variable::Entity::delete_many()
        .filter(variable::Column::WorkspaceId.eq(context.workspace.0))
        .filter(variable::Column::Id.eq(id.0))
        .exec(change.connection())
        .await?;
    finish(change, deleted.rows_affected, done).await
}

async fn finish(mut change: Change, rows: u64, done: Done) -> Result<bool, DbErr> {
    if rows == 0 {
        change.rollback().await?;
        return Ok(false);
    }
    change.record(done);
    change.commit().await?;
    Ok(true)
}

fn read(model: variable::Model) -> Result<Variable, DbErr> {
    Ok(Variable {
        id: VariableId(model.id),
        project_id: ProjectId(model.project_id),
        environment: model.environment,
        name: model.name,
        value: serde_json::from_slice(&model.value).map_err(|error| DbErr::Json(error.to_string()))?,
        created_at: timestamp(model.created_at),
        updated_at: timestamp(model.updated_at),
        updated_by: model.updated_by,
    })
}

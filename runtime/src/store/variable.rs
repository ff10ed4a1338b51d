//! The variables that runs begin with.

use engine::id::{ProjectId, WorkspaceId};
use entity::variable::{Column, Entity};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use serde_json::{Map, Value};

use crate::database::Database;

/// All variables of a project in an environment, as one object: what `vars` is for a run that starts now.
///
/// # Errors
/// When the database fails or a row holds no JSON.
pub async fn all(
    database: &Database,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
) -> Result<Value, DbErr> {
    let rows: Vec<(String, Vec<u8>)> = Entity::find()
        .select_only()
        .columns([Column::Name, Column::Value])
        .filter(Column::WorkspaceId.eq(workspace.0))
        .filter(Column::ProjectId.eq(project.0))
        .filter(Column::Environment.eq(environment))
        .into_tuple()
        .all(database.read())
        .await?;
    let mut all = Map::new();
    for (name, value) in rows {
        all.insert(name, serde_json::from_slice(&value).map_err(|error| DbErr::Json(error.to_string()))?);
    }
    Ok(Value::Object(all))
}

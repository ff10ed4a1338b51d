//! A named credential of a project in an environment.

use sea_orm::entity::prelude::*;

/// A named credential of a project in an environment.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// The environment whose runs find it.
    pub environment: String,
    /// What nodes call it, unique in project and environment.
    pub name: String,
    /// Its type, such as `http.bearer`.
    pub r#type: String,
    /// JSON object of the fields that are no secrets.
    pub fields: String,
    /// JSON object from the name of a secret field to the id and version of its secret.
    pub secrets: String,
    /// Rises with each change of its fields.
    pub revision: i32,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Who changed it last.
    pub updated_by: String,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
    /// When it was last tested.
    pub tested_at: Option<DateTimeUtc>,
    /// Whether that test passed.
    pub test_passed: Option<bool>,
    /// What that test said.
    pub test_message: Option<String>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

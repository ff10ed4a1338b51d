//! What is known of a trigger in an environment beside its definition. It outlives versions.

use sea_orm::entity::prelude::*;

use crate::word::BindingKind;

/// What is known of a trigger in an environment beside its definition. It outlives versions.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trigger_binding")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its workflow.
    pub workflow_id: Uuid,
    /// Its environment.
    pub environment: String,
    /// The key of the trigger node.
    pub node_key: String,
    /// What kind of trigger.
    pub kind: BindingKind,
    /// The version that is deployed with it; none while nothing deployed has this trigger.
    pub version_id: Option<Uuid>,
    /// The definition of that version.
    pub definition_hash: Option<Vec<u8>>,
    /// The node's config in it, as JSON.
    #[sea_orm(column_type = "Text")]
    pub config: String,
    /// Since when it is paused.
    pub paused_at: Option<DateTimeUtc>,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// The last tick that was decided, or when its rule began to hold.
    pub decided_at: DateTimeUtc,
    /// A tick that waits for an earlier run to end.
    pub held_at: Option<DateTimeUtc>,
    /// When somebody has to look at it next; nothing while it cannot fire.
    pub next_at: Option<DateTimeUtc>,
    /// The last tick that started a run.
    pub last_tick_at: Option<DateTimeUtc>,
    /// The run that it started.
    pub last_run_id: Option<Uuid>,
    /// Rises with every change; whoever decides a tick names the one it has seen.
    pub revision: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When its deployment or its pause last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! What a transaction leaves behind for readers of the workspace. The relay numbers it after the commit.

use entity::outbox;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait as _};
use serde_json::Value;

use super::at;
use crate::service::audit::{Context, Done};

/// Leaves word of something that was done, in the transaction that does it.
pub(crate) async fn push(write: &impl ConnectionTrait, context: &Context, done: &Done) -> Result<(), DbErr> {
    let row = outbox::ActiveModel {
        id: NotSet,
        workspace_id: Set(context.workspace.0),
        kind: Set(done.action.as_str().to_owned()),
        entity: Set(done.entity.clone()),
        workflow_id: Set(done.workflow.map(|id| id.0)),
        actor: Set(context.actor.id()),
        data: Set(done.after.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string)),
        at: Set(Some(at(context.at))),
    };
    outbox::Entity::insert(row).exec_without_returning(write).await.map(drop)
}

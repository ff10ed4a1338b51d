//! What happened in a workspace, by number.

use engine::id::{WorkflowId, WorkspaceId};
use entity::{feed, workspace_event};
use runtime::Database;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};

use super::{json, timestamp};
use crate::service::feed::Happening;

/// The only way into the table: there is no query without a workspace.
fn in_workspace(workspace: WorkspaceId) -> Select<workspace_event::Entity> {
    workspace_event::Entity::find().filter(workspace_event::Column::WorkspaceId.eq(workspace.0))
}

/// The number of the last event.
pub(crate) async fn last(database: &Database, workspace: WorkspaceId) -> Result<i64, DbErr> {
    Ok(feed::Entity::find_by_id(workspace.0).one(database.read()).await?.map_or(0, |feed| feed.seq))
}

/// Up to `limit` events after a number, in order.
pub(crate) async fn after(
    database: &Database,
    workspace: WorkspaceId,
    seq: i64,
    limit: u64,
) -> Result<Vec<Happening>, DbErr> {
    use workspace_event::Column as C;
    let rows = in_workspace(workspace).filter(C::Seq.gt(seq)).order_by_asc(C::Seq).limit(limit);
    rows.all(database.read()).await?.into_iter().map(read).collect()
}

fn read(model: workspace_event::Model) -> Result<Happening, DbErr> {
    Ok(Happening {
        seq: model.seq,
        kind: model.kind,
        entity: model.entity,
        workflow: model.workflow_id.map(WorkflowId),
        actor: model.actor,
        data: json(&model.data)?,
        at: timestamp(model.at),
    })
}

//! What somebody sees of what belongs to projects, as conditions. This is the one place that says to which project
//! something belongs: it is its workflow's, or the one that its row names.

use engine::id::ProjectId;
use entity::{notification, trigger_binding, workflow};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityName as _};

use crate::auth::Scope;

/// Rows with a project.
pub(super) fn of_project(scope: &Scope, project: impl ColumnTrait) -> Condition {
    within(scope, |projects| project.is_in(ids(projects)))
}

/// Rows of a workflow. They go along when it moves to another project.
pub(super) fn of_workflow(scope: &Scope, workflow: impl ColumnTrait) -> Condition {
    within(scope, |projects| workflow.in_subquery(workflows(projects)))
}

/// Rows of a trigger.
pub(super) fn of_binding(scope: &Scope, binding: impl ColumnTrait) -> Condition {
    within(scope, |projects| {
        let of_workflow = Expr::col((trigger_binding::Entity, trigger_binding::Column::WorkflowId));
        let bindings = Query::select()
            .column((trigger_binding::Entity, trigger_binding::Column::Id))
            .from(trigger_binding::Entity.table_ref())
            .and_where(of_workflow.in_subquery(workflows(projects)))
            .to_owned();
        binding.in_subquery(bindings)
    })
}

/// Rows of a notification.
pub(super) fn of_notification(scope: &Scope, of: impl ColumnTrait) -> Condition {
    within(scope, |projects| {
        let notifications = Query::select()
            .column((notification::Entity, notification::Column::Id))
            .from(notification::Entity.table_ref())
            .and_where(notification::Column::ProjectId.is_in(ids(projects)))
            .to_owned();
        of.in_subquery(notifications)
    })
}

fn within(scope: &Scope, condition: impl FnOnce(&[ProjectId]) -> Expr) -> Condition {
    match &scope.projects {
        None => Condition::all(),
        Some(projects) => Condition::all().add(condition(projects)),
    }
}

fn workflows(projects: &[ProjectId]) -> SelectStatement {
    Query::select()
        .column((workflow::Entity, workflow::Column::Id))
        .from(workflow::Entity.table_ref())
        .and_where(workflow::Column::ProjectId.is_in(ids(projects)))
        .to_owned()
}

fn ids(projects: &[ProjectId]) -> impl Iterator<Item = sea_orm::prelude::Uuid> {
    projects.iter().map(|project| project.0)
}

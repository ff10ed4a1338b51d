//! Which connections a definition needs, and whether an environment has them.

use std::collections::BTreeSet;

use engine::catalog::{Catalog as _, NodeTypeName};
use engine::definition::Definition;
use engine::definition::canonical::escape;
use engine::definition::problem::{Problem, ProblemCode};
use engine::id::{ProjectId, WorkflowId, WorkspaceId};

use super::Connection;
use crate::app::App;
use crate::service::{ServiceError, plan};
use crate::store;

/// What is wrong with the connections that a definition names, in this project and environment: one problem a node.
async fn problems(
    app: &App,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
    definition: &Definition,
) -> Result<Vec<Problem>, ServiceError> {
    let named: BTreeSet<&str> = definition.nodes.values().filter_map(|node| node.connection.as_deref()).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let there = store::connection::types(app.runtime.database(), workspace, project, environment, &named).await?;
    let mut problems = Vec::new();
    for (key, node) in &definition.nodes {
        let Some(name) = node.connection.as_deref() else { continue };
        let r#type: Option<NodeTypeName> = node.r#type.parse().ok();
        let registry = app.runtime.registry();
        let fits = r#type.map_or(&[] as &[&str], |r#type| {
            let all = registry.descriptor(&r#type).map_or(&[] as &[&str], |descriptor| descriptor.auth);
            registry.connections(&r#type, &node.config).unwrap_or(all)
        });
        let path = format!("/nodes/{}/connection", escape(key));
        let found = match there.get(name) {
            None => Problem::new(
                ProblemCode::ConnectionUnknown,
                path,
                format!("the environment `{environment}` has no connection `{name}`"),
            )
            .hint(format!("create it, of one of the types {}", fits.join(", "))),
            Some(kind) if !fits.contains(&kind.as_str()) => Problem::new(
                ProblemCode::ConnectionNotAccepted,
                path,
                format!(
                    "the connection `{name}` of `{environment}` is of type `{kind}`, which `{}` does not take",
                    node.r#type
                ),
            )
            .hint(format!("name a connection of one of the types {}", fits.join(", "))),
            Some(_) => continue,
        };
        problems.push(found.at_node(key));
    }
    Ok(problems)
}

/// Goes on only when the environment has every connection that the definition names.
pub(in crate::service) async fn require(
    app: &App,
    workspace: WorkspaceId,
    project: ProjectId,
    environment: &str,
    definition: &Definition,
) -> Result<(), ServiceError> {
    let problems = problems(app, workspace, project, environment, definition).await?;
    if problems.is_empty() {
        return Ok(());
    }
    let told: Vec<String> =
        problems.iter().take(10).map(|problem| format!("{}: {}", problem.code.as_str(), problem.message)).collect();
    Err(ServiceError::Conflict { message: told.join("; ") })
}

/// The workflows whose deployed version names the connection.
pub(super) async fn workflows_that_name(
    app: &App,
    workspace: WorkspaceId,
    connection: &Connection,
) -> Result<Vec<WorkflowId>, ServiceError> {
    let (project, environment) = (connection.project_id, connection.environment.as_str());
    let deployed = store::deployment::in_environment(app.runtime.database(), workspace, project, environment).await?;
    let mut found = Vec::new();
    for (workflow, hash) in deployed {
        let plan = plan::get(app, workspace, &hash).await?;
        if plan.definition.nodes.values().any(|node| node.connection.as_deref() == Some(&connection.name)) {
            found.push(workflow);
        }
    }
    Ok(found)
}

//! Anything that has an id.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};

use super::Result;
use super::artifact::ArtifactObject;
use super::audit::AuditEntry;
use super::connection::ConnectionObject;
use super::draft::DraftObject;
use super::key::{ApiKeyObject, ServiceAccountObject};
use super::member::MemberObject;
use super::node_run::NodeRunObject;
use super::project::{EnvironmentObject, ProjectObject};
use super::request::Asked as _;
use super::run::RunObject;
use super::trigger::{TriggerBindingObject, TriggerEventObject};
use super::variable::VariableObject;
use super::version::VersionObject;
use super::viewer::WorkspaceObject;
use super::workflow::WorkflowObject;
use crate::service::{
    ServiceError, artifact, audit, connection, draft, key, member, project, run, service_account, trigger, variable,
    workflow, workspace,
};

/// Anything that has an id. More types may come.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id: a prefix that names the type, and the rest."))]
pub enum Node {
    /// A tenant.
    Workspace(WorkspaceObject),
    /// A folder of workflows.
    Project(ProjectObject),
    /// Where versions can be deployed to.
    Environment(EnvironmentObject),
    /// What people edit before it is published.
    Draft(DraftObject),
    /// A named thing that has versions.
    Workflow(WorkflowObject),
    /// One immutable definition.
    Version(VersionObject),
    /// One execution.
    Run(RunObject),
    /// One node's execution.
    NodeRun(NodeRunObject),
    /// A named credential.
    Connection(ConnectionObject),
    /// A plain value that expressions read.
    Variable(VariableObject),
    /// Something that came to a trigger.
    TriggerEvent(TriggerEventObject),
    /// A trigger in an environment.
    TriggerBinding(TriggerBindingObject),
    /// One row of the audit.
    AuditEntry(AuditEntry),
    /// That a person belongs to the workspace.
    Member(MemberObject),
    /// A credential of a program.
    ApiKey(ApiKeyObject),
    /// A program that is a member.
    ServiceAccount(ServiceAccountObject),
    /// A file of a run.
    Artifact(ArtifactObject),
}

/// Looking up by id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The thing of this id; null with NOT_FOUND when there is none in the viewer's workspace.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Any id.")] id: ID) -> Result<Option<Node>> {
        let (app, viewer) = (ctx.app()?, ctx.viewer()?);
        let absent = ServiceError::NotFound { what: "node" };
        let prefix = id.split_once('_').map_or("", |(prefix, _)| prefix);
        let node = match prefix {
            "ws" => match id.parse() {
                Ok(wanted) if viewer.workspace == wanted => {
                    Node::Workspace(WorkspaceObject(workspace::get(app, viewer).await?))
                }
                _ => return Err(absent.into()),
            },
            "prj" => match id.parse() {
                Ok(wanted) => Node::Project(ProjectObject(project::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "env" => match id.parse() {
                Ok(wanted) => {
                    Node::Environment(EnvironmentObject(project::get_environment(app, viewer, wanted).await?))
                }
                Err(_) => return Err(absent.into()),
            },
            "drf" => match id.parse() {
                Ok(wanted) => Node::Draft(DraftObject(draft::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "wf" => match id.parse() {
                Ok(wanted) => Node::Workflow(WorkflowObject(workflow::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "ver" => match id.parse() {
                Ok(wanted) => Node::Version(VersionObject(workflow::get_version(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "run" => match id.parse() {
                Ok(wanted) => Node::Run(RunObject(run::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "var" => match id.parse() {
                Ok(wanted) => Node::Variable(VariableObject(variable::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "nrun" => match id.parse() {
                Ok(wanted) => {
                    Node::NodeRun(NodeRunObject(run::get_node_run(app, viewer, &wanted).await?, Arc::default()))
                }
                Err(_) => return Err(absent.into()),
            },
            "con" => match id.parse() {
                Ok(wanted) => Node::Connection(ConnectionObject(connection::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "evt" => match id.parse() {
                Ok(wanted) => Node::TriggerEvent(TriggerEventObject(trigger::event(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "trg" => match id.parse() {
                Ok(wanted) => Node::TriggerBinding(TriggerBindingObject(trigger::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "art" => match id.parse() {
                Ok(wanted) => Node::Artifact(ArtifactObject(artifact::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "aud" => match id.parse() {
                Ok(wanted) => Node::AuditEntry(AuditEntry(audit::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "mbr" => match id.parse() {
                Ok(wanted) => Node::Member(MemberObject(member::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "key" => match id.parse() {
                Ok(wanted) => Node::ApiKey(ApiKeyObject(key::get(app, viewer, wanted).await?)),
                Err(_) => return Err(absent.into()),
            },
            "svc" => match id.parse() {
                Ok(wanted) => {
                    Node::ServiceAccount(ServiceAccountObject(service_account::get(app, viewer, wanted).await?))
                }
                Err(_) => return Err(absent.into()),
            },
            _ => return Err(absent.into()),
        };
        Ok(Some(node))
    }
}

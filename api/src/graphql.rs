//! The schema: one file a noun, each with its object, its queries, its mutations and their inputs.

use std::sync::Arc;

use async_graphql::{MergedObject, SDLExportOptions};
use axum::Router;
use axum::routing::any;

pub mod artifact;
pub mod audit;
pub mod connection;
pub mod deployment;
pub mod draft;
pub mod egress;
pub mod envelope;
pub mod error;
pub mod event;
pub mod expression;
pub mod feed;
pub mod invitation;
pub mod key;
pub mod limit;
mod loader;
pub mod member;
pub mod node;
pub mod node_run;
pub mod node_type;
pub mod notification;
mod nulls;
mod page;
pub mod project;
pub mod quota;
mod request;
pub mod retry;
pub mod role;
pub mod run;
pub mod start;
pub mod test_run;
pub mod transport;
pub mod trigger;
pub mod user_error;
pub mod value;
pub mod variable;
pub mod version;
pub mod viewer;
pub mod webhook;
pub mod workflow;
pub mod workspace;

pub use envelope::Subscription;
pub(crate) use error::GraphqlError;

use crate::app::App;
use transport::{Face, MarkExecuted};

/// What every resolver answers with; `?` turns a use case's error into it.
pub(crate) type Result<T, E = GraphqlError> = std::result::Result<T, E>;

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    viewer::ViewerQuery,
    node::NodeQuery,
    project::ProjectQuery,
    workflow::WorkflowQuery,
    connection::ConnectionQuery,
    version::VersionQuery,
    run::RunQuery,
    test_run::TestRunQuery,
    variable::VariableQuery,
    node_type::NodeTypeQuery,
    expression::ExpressionQuery,
    audit::AuditQuery,
    trigger::TriggerQuery,
    notification::NotificationQuery,
    trigger::TriggerEventQuery,
    key::KeyQuery,
    member::MemberQuery,
    invitation::InvitationQuery,
    role::RoleQuery,
    workspace::WorkspaceQuery,
);

/// Everything that can be done. Each mutation takes one `input` and answers with a payload whose `userErrors` say
/// what the asker can mend.
#[derive(MergedObject, Default)]
pub struct Mutation(
    project::ProjectMutation,
    workflow::change::WorkflowMutation,
    draft::DraftMutation,
    deployment::DeploymentMutation,
    start::StartMutation,
    run::RunMutation,
    retry::RetryMutation,
    test_run::TestRunMutation,
    variable::VariableMutation,
    artifact::ArtifactMutation,
    connection::ConnectionMutation,
    quota::QuotaMutation,
    trigger::TriggerMutation,
    webhook::WebhookMutation,
    notification::NotificationMutation,
    trigger::backfill::BackfillMutation,
    trigger::redelivery::RedeliveryMutation,
    egress::EgressMutation,
    key::KeyMutation,
    member::MemberMutation,
    invitation::InvitationMutation,
    role::RoleMutation,
    workspace::WorkspaceMutation,
);

/// The schema with its resolvers.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_complexity(limit::FIELDS)
        .limit_directives(limit::DIRECTIVES)
        .extension(MarkExecuted)
}

/// The schema as text, the same that a server with any settings has. `schema.graphql` is this.
pub fn schema_sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().include_specified_by();
    let mut sdl = builder().finish().sdl_with_options(options).trim_end().to_owned();
    sdl.push('\n');
    sdl
}

/// What asking costs, read off the schema.
fn prices() -> limit::Prices {
    match async_graphql::parser::parse_schema(schema_sdl()) {
        Ok(document) => limit::Prices::of(&document),
        Err(error) => {
            tracing::error!(error = %error, "the schema cannot be read back; nothing has a price");
            limit::Prices::default()
        }
    }
}

/// `/graphql` in both transports: an upgrade is a WebSocket session, everything else is HTTP.
pub(crate) fn router(app: Arc<App>) -> Router {
    let schema = builder().data(Arc::clone(&app)).finish();
    let prices = Arc::new(prices());
    Router::new().route("/graphql", any(transport::graphql)).with_state(Face { app, schema, prices })
}

#[cfg(test)]
mod tests;

//! The schema's history: one step a file, never edited after a release, each with its way back. Every step runs on
//! PostgreSQL and on SQLite. Nothing here knows the entities: history must not change with the model.

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;

mod column;
mod m0001_workspace;
mod m0002_project;
mod m0003_workflow;
mod m0004_definition;
mod m0005_version;
mod m0006_deployment;
mod m0007_api_key;
mod m0008_run;
mod m0009_run_inbox;
mod m0010_journal;
mod m0011_node_run;
mod m0012_blob;
mod m0013_blob_ref;
mod m0014_worker;
mod m0015_trigger_event;
mod m0016_start_dedupe;
mod m0017_version_hashes;
mod m0018_environment;
mod m0019_draft;
mod m0020_draft_change;
mod m0021_deployment_change;
mod m0022_workflow_order;
mod m0023_signal_dedupe;
mod m0024_workspace_egress;
mod m0025_connection_sign_in;
mod m0030_audit;
mod m0031_audit_head;
mod m0032_outbox;
mod m0033_workspace_event;
mod m0034_feed;
mod m0035_run_told;
mod m0040_run_again;
mod m0041_variable;
mod m0050_workspace_key;
mod m0051_connection;
mod m0052_secret;
mod m0060_login_link;
mod m0070_run_parked;
mod m0071_run_trace;
mod m0080_workspace_quota;
mod m0081_version_signature;
mod m0095_trigger_binding;
mod m0096_event;
mod m0097_backfill;
mod m0100_webhook_url;
mod m0101_notification;
mod m0110_access_change;
mod m0111_login_attempt;
mod m0112_user_session;
mod m0120_app_user;
mod m0121_member;
mod m0122_principal;
mod m0123_key_scope;
mod m0124_invitation;
mod m0125_audit_chain;
mod m0140_workspace_code;
mod m0150_chosen_workspace;
mod m0151_login_address;
mod m0165_row_security;
mod m0170_artifact;
mod wall;

pub use wall::stand as stand_wall;

/// Every step, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_workspace::Migration),
            Box::new(m0002_project::Migration),
            Box::new(m0003_workflow::Migration),
            Box::new(m0004_definition::Migration),
            Box::new(m0005_version::Migration),
            Box::new(m0006_deployment::Migration),
            Box::new(m0007_api_key::Migration),
            Box::new(m0008_run::Migration),
            Box::new(m0009_run_inbox::Migration),
            Box::new(m0010_journal::Migration),
            Box::new(m0011_node_run::Migration),
            Box::new(m0012_blob::Migration),
            Box::new(m0013_blob_ref::Migration),
            Box::new(m0014_worker::Migration),
            Box::new(m0015_trigger_event::Migration),
            Box::new(m0016_start_dedupe::Migration),
            Box::new(m0017_version_hashes::Migration),
            Box::new(m0018_environment::Migration),
            Box::new(m0019_draft::Migration),
            Box::new(m0020_draft_change::Migration),
            Box::new(m0021_deployment_change::Migration),
            Box::new(m0022_workflow_order::Migration),
            Box::new(m0023_signal_dedupe::Migration),
            Box::new(m0024_workspace_egress::Migration),
            Box::new(m0025_connection_sign_in::Migration),
            Box::new(m0030_audit::Migration),
            Box::new(m0031_audit_head::Migration),
            Box::new(m0032_outbox::Migration),
            Box::new(m0033_workspace_event::Migration),
            Box::new(m0034_feed::Migration),
            Box::new(m0035_run_told::Migration),
            Box::new(m0040_run_again::Migration),
            Box::new(m0041_variable::Migration),
            Box::new(m0050_workspace_key::Migration),
            Box::new(m0051_connection::Migration),
            Box::new(m0052_secret::Migration),
            Box::new(m0060_login_link::Migration),
            Box::new(m0070_run_parked::Migration),
            Box::new(m0071_run_trace::Migration),
            Box::new(m0080_workspace_quota::Migration),
            Box::new(m0081_version_signature::Migration),
            Box::new(m0095_trigger_binding::Migration),
            Box::new(m0096_event::Migration),
            Box::new(m0097_backfill::Migration),
            Box::new(m0100_webhook_url::Migration),
            Box::new(m0101_notification::Migration),
            Box::new(m0110_access_change::Migration),
            Box::new(m0111_login_attempt::Migration),
            Box::new(m0112_user_session::Migration),
            Box::new(m0120_app_user::Migration),
            Box::new(m0121_member::Migration),
            Box::new(m0122_principal::Migration),
            Box::new(m0123_key_scope::Migration),
            Box::new(m0124_invitation::Migration),
            Box::new(m0125_audit_chain::Migration),
            Box::new(m0140_workspace_code::Migration),
            Box::new(m0150_chosen_workspace::Migration),
            Box::new(m0151_login_address::Migration),
            Box::new(m0165_row_security::Migration),
            Box::new(m0170_artifact::Migration),
        ]
    }
}

//! Every table that holds what is a workspace's goes behind the wall, and requests get a role of their own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::wall::{
    FORGET_ROLE, MAY_ALL, MAY_APPEND, MAY_DROP_IN, MAY_READ, NAME_ROLE, REVOKE, Rows, protect, unprotect,
};

/// Every table that holds what is a workspace's goes behind the wall, and requests get a role of their own.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const OWN: Rows = Rows::Of("workspace_id");

/// The members of the workspace: people themselves are in several.
const MEMBERS: Rows = Rows::Where("EXISTS (SELECT FROM member m WHERE m.user_id = app_user.id)");

const TABLES: &[(&str, Rows, &[&str])] = &[
    // Workspaces are made by the system: the new one is not yet anybody's.
    ("workspace", Rows::Of("id"), &["SELECT", "UPDATE"]),
    ("api_key", OWN, MAY_ALL),
    ("audit", OWN, MAY_APPEND),
    ("audit_anchor", OWN, MAY_READ),
    ("audit_head", OWN, MAY_ALL),
    ("blob", OWN, MAY_ALL),
    ("blob_ref", OWN, MAY_ALL),
    ("callback_cursor", OWN, MAY_ALL),
    ("connection", OWN, MAY_ALL),
    ("connection_sign_in", OWN, MAY_ALL),
    ("custom_role", OWN, MAY_ALL),
    ("definition", OWN, MAY_ALL),
    ("deployment", OWN, MAY_ALL),
    ("deployment_change", OWN, MAY_ALL),
    ("draft", OWN, MAY_ALL),
    ("draft_change", OWN, MAY_ALL),
    ("environment", OWN, MAY_ALL),
    ("event_outbox", OWN, MAY_ALL),
    ("feed", OWN, MAY_ALL),
    ("invitation", OWN, MAY_ALL),
    ("login_link", OWN, MAY_ALL),
    ("member", OWN, MAY_ALL),
    ("notification", OWN, MAY_ALL),
    ("notification_delivery", OWN, MAY_ALL),
    ("outbox", OWN, MAY_ALL),
    ("project", OWN, MAY_ALL),
    // Runs are made by the journal; a request takes a dead letter up again.
    ("run", OWN, &["SELECT", "UPDATE"]),
    ("secret", OWN, MAY_ALL),
    ("service_account", OWN, MAY_ALL),
    ("start_dedupe", OWN, MAY_ALL),
    ("trigger_backfill", OWN, MAY_ALL),
    ("trigger_binding", OWN, MAY_ALL),
    ("trigger_event", OWN, MAY_ALL),
    ("user_session", OWN, MAY_ALL),
    ("variable", OWN, MAY_ALL),
    ("version", OWN, MAY_ALL),
    ("version_hashes", OWN, MAY_ALL),
    ("version_signature", OWN, MAY_ALL),
    ("webhook_url", OWN, MAY_ALL),
    ("workflow", OWN, MAY_ALL),
    ("workspace_egress", OWN, MAY_ALL),
    ("workspace_event", OWN, MAY_ALL),
    ("workspace_key", OWN, MAY_ALL),
    ("workspace_quota", OWN, MAY_ALL),
    // Only the journal writes these, as the engine.
    ("journal", Rows::Under("run_id", "run", "id"), MAY_READ),
    ("node_run", Rows::Under("run_id", "run", "id"), MAY_READ),
    ("run_inbox", Rows::Under("run_id", "run", "id"), MAY_ALL),
    ("signal_dedupe", Rows::Under("run_id", "run", "id"), MAY_ALL),
    ("connection_lease", Rows::Under("connection_id", "connection", "id"), MAY_ALL),
    ("webhook_seen", Rows::Under("binding_id", "trigger_binding", "id"), MAY_ALL),
    ("notification_attempt", Rows::Under("delivery_id", "notification_delivery", "id"), MAY_ALL),
    ("app_user", MEMBERS, MAY_READ),
    // Every process reads whose rights changed, over all workspaces; a request only adds to it.
    ("access_change", Rows::Where("true"), MAY_DROP_IN),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DatabaseBackend::Postgres {
            return Ok(());
        }
        for (table, rows, may) in TABLES {
            protect(manager, table, *rows, may).await?;
        }
        manager.get_connection().execute_unprepared(NAME_ROLE).await?;
        crate::wall::stand(manager.get_connection()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DatabaseBackend::Postgres {
            return Ok(());
        }
        manager.get_connection().execute_unprepared(REVOKE).await?;
        manager.get_connection().execute_unprepared(FORGET_ROLE).await?;
        for (table, _, may) in TABLES {
            unprotect(manager, table, may).await?;
        }
        Ok(())
    }
}

//! What the world knows of a deployed trigger, and who watches the clock for all of them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::column::{by_key, digest_null, word};

/// What the world knows of a deployed trigger, and who watches the clock for all of them.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: &str = "id, workspace_id, workflow_id, environment, node_key, kind, run_id, reason, dedupe_key, \
                       payload_digest, payload_len, payload_kind, received_at";

/// SQLite cannot change a check: the table is made again. `kinds` is the list of the check.
fn sqlite(kinds: &str, more: &str, columns: &str) -> [String; 5] {
    [
        format!(
            "CREATE TABLE trigger_event_new (
                id uuid_text NOT NULL PRIMARY KEY, workspace_id uuid_text NOT NULL, workflow_id uuid_text NOT NULL,
                environment varchar NOT NULL, node_key varchar NOT NULL,
                kind varchar NOT NULL CHECK (kind IN ({kinds})), run_id uuid_text, reason varchar, dedupe_key varchar,
                payload_digest varbinary_blob NOT NULL CHECK (length(payload_digest) = 32), payload_len integer NOT NULL,
                payload_kind varchar NOT NULL
                    CHECK (payload_kind IN ('NULL', 'BOOLEAN', 'NUMBER', 'STRING', 'LIST', 'OBJECT')),
                received_at timestamp_with_timezone_text NOT NULL{more})"
        ),
        format!(
            "INSERT INTO trigger_event_new ({columns}) SELECT {columns} FROM trigger_event WHERE kind IN ({kinds})"
        ),
        "DROP TABLE trigger_event".to_owned(),
        "ALTER TABLE trigger_event_new RENAME TO trigger_event".to_owned(),
        "CREATE INDEX trigger_event_workflow ON trigger_event (workspace_id, workflow_id, id DESC)".to_owned(),
    ]
}

fn postgres(kinds: &str) -> [String; 3] {
    [
        format!("DELETE FROM trigger_event WHERE kind NOT IN ({kinds})"),
        "ALTER TABLE trigger_event DROP CONSTRAINT trigger_event_kind_check".to_owned(),
        format!("ALTER TABLE trigger_event ADD CONSTRAINT trigger_event_kind_check CHECK (kind IN ({kinds}))"),
    ]
}

const NOW: &str = "'MANUAL', 'WEBHOOK', 'SCHEDULE', 'EVENT', 'ERROR', 'WORKFLOW'";
const BEFORE: &str = "'MANUAL', 'WEBHOOK'";

async fn run(manager: &SchemaManager<'_>, steps: &[String]) -> Result<(), DbErr> {
    for step in steps {
        manager.get_connection().execute_unprepared(step).await?;
    }
    Ok(())
}

fn bindings() -> TableCreateStatement {
    Table::create()
        .table("trigger_binding")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("workflow_id"))
        .col(string("environment"))
        .col(string("node_key"))
        .col(word("kind", &["SCHEDULE", "WEBHOOK", "EVENT", "ERROR", "WORKFLOW"]))
        .col(uuid_null("version_id"))
        .col(digest_null("definition_hash", 32))
        .col(text("config"))
        .col(timestamp_with_time_zone_null("paused_at"))
        .col(string_null("paused_by"))
        .col(timestamp_with_time_zone("decided_at"))
        .col(timestamp_with_time_zone_null("held_at"))
        .col(timestamp_with_time_zone_null("next_at"))
        .col(timestamp_with_time_zone_null("last_tick_at"))
        .col(uuid_null("last_run_id"))
        .col(big_integer("revision"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(ForeignKey::create().from("trigger_binding", "workflow_id").to("workflow", "id"))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(bindings()).await?;
        let place = Index::create()
            .name("trigger_binding_place")
            .table("trigger_binding")
            .col("workflow_id")
            .col("environment")
            .col("node_key")
            .unique()
            .to_owned();
        manager.create_index(place).await?;
        let due = Index::create()
            .name("trigger_binding_due")
            .table("trigger_binding")
            .col("next_at")
            .and_where(Expr::col("next_at").is_not_null())
            .to_owned();
        manager.create_index(due).await?;
        let leader = Table::create()
            .table("leader")
            .col(string("name").primary_key())
            .col(uuid_null("owner_id"))
            .col(big_integer("epoch"))
            .col(big_integer("beat"))
            .extra(by_key(manager))
            .to_owned();
        manager.create_table(leader).await?;
        match manager.get_database_backend() {
            DatabaseBackend::Postgres => {
                run(manager, &postgres(NOW)).await?;
                let more = "ALTER TABLE trigger_event ADD COLUMN binding_id uuid, ADD COLUMN tick_at timestamptz";
                run(manager, &[more.to_owned()]).await?;
            }
            _ => {
                let more = ", binding_id uuid_text, tick_at timestamp_with_timezone_text";
                run(manager, &sqlite(NOW, more, COLUMNS)).await?;
            }
        }
        let once = Index::create()
            .name("trigger_event_tick")
            .table("trigger_event")
            .col("binding_id")
            .col("tick_at")
            .unique()
            .and_where(Expr::col("binding_id").is_not_null())
            .to_owned();
        manager.create_index(once).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("trigger_event_tick").table("trigger_event").to_owned()).await?;
        match manager.get_database_backend() {
            DatabaseBackend::Postgres => {
                run(manager, &postgres(BEFORE)).await?;
                let less = "ALTER TABLE trigger_event DROP COLUMN binding_id, DROP COLUMN tick_at";
                run(manager, &[less.to_owned()]).await?;
            }
            _ => run(manager, &sqlite(BEFORE, "", COLUMNS)).await?,
        }
        manager.drop_table(Table::drop().table("leader").to_owned()).await?;
        manager.drop_table(Table::drop().table("trigger_binding").to_owned()).await
    }
}

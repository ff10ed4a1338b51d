//! Runs. No foreign keys here or in the tables beside it: old runs go by dropping partitions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{
    RUN_STATUS, VALUE_KIND, bytes_null, digest, digest_null, first_partition, owned, ranged_by, word, word_null,
};

/// Runs. No foreign keys here or in the tables beside it: old runs go by dropping partitions.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("run")
                    .col(uuid("id"))
                    .col(uuid("workspace_id"))
                    .col(uuid("project_id"))
                    .col(uuid("workflow_id"))
                    .col(uuid_null("version_id"))
                    .col(digest("definition_hash", 32))
                    .col(string("environment"))
                    .col(word("mode", &["LIVE", "TEST"]))
                    .col(word("status", RUN_STATUS))
                    .col(word("claim", &["READY", "OWNED", "DORMANT", "PARKED", "DONE"]))
                    .col(string("placement"))
                    .col(integer("priority"))
                    .col(string_null("key"))
                    .col(string("labels"))
                    .col(string("trigger_node"))
                    .col(uuid_null("trigger_event_id"))
                    .col(digest("input_digest", 32))
                    .col(big_integer("input_len"))
                    .col(word("input_kind", VALUE_KIND))
                    .col(bytes_null("input"))
                    .col(digest_null("output_digest", 32))
                    .col(big_integer_null("output_len"))
                    .col(word_null("output_kind", VALUE_KIND))
                    .col(bytes_null("output"))
                    .col(string_null("error"))
                    .col(uuid("origin_run_id"))
                    .col(string_null("origin_node"))
                    .col(uuid_null("parent_run_id"))
                    .col(string_null("parent_node"))
                    .col(string_null("parent_scope"))
                    .col(uuid_null("owner_id"))
                    .col(big_integer("owner_epoch"))
                    .col(integer("adoptions"))
                    .col(big_integer("head_seq"))
                    .col(digest("head_digest", 32))
                    .col(integer("rules_version"))
                    .col(timestamp_with_time_zone_null("wake_at"))
                    .col(timestamp_with_time_zone_null("deadline_at"))
                    .col(string("created_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .primary_key(Index::create().col("id"))
                    .check(owned())
                    .extra(ranged_by(manager, "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("run_workspace")
                    .table("run")
                    .col("workspace_id")
                    .col(("id", IndexOrder::Desc))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("run_workflow").table("run").col("workflow_id").col("id").to_owned())
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("run_ready")
                    .table("run")
                    .col(("priority", IndexOrder::Desc))
                    .col("id")
                    .and_where(Expr::col("claim").eq("READY"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("run_dormant")
                    .table("run")
                    .col("wake_at")
                    .and_where(Expr::col("claim").eq("DORMANT"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("run_owned")
                    .table("run")
                    .col("owner_id")
                    .and_where(Expr::col("claim").eq("OWNED"))
                    .to_owned(),
            )
            .await?;
        first_partition(manager, "run").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("run").to_owned()).await
    }
}

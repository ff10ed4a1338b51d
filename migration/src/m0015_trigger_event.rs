//! What came from outside.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{VALUE_KIND, digest, word};

/// What came from outside.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("trigger_event")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("workflow_id"))
                    .col(string("environment"))
                    .col(string("node_key"))
                    .col(word("kind", &["MANUAL", "WEBHOOK"]))
                    .col(uuid_null("run_id"))
                    .col(string_null("reason"))
                    .col(string_null("dedupe_key"))
                    .col(digest("payload_digest", 32))
                    .col(big_integer("payload_len"))
                    .col(word("payload_kind", VALUE_KIND))
                    .col(timestamp_with_time_zone("received_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("trigger_event_workflow")
                    .table("trigger_event")
                    .col("workspace_id")
                    .col("workflow_id")
                    .col(("id", IndexOrder::Desc))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("trigger_event").to_owned()).await
    }
}

//! What the journals show of node runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{
    NODE_RUN_STATUS, VALUE_KIND, bytes_null, digest_null, first_partition, ranged_by, word, word_null,
};

/// What the journals show of node runs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("node_run")
                    .col(uuid("run_id"))
                    .col(string("node_key"))
                    .col(string("scope"))
                    .col(string("node_type"))
                    .col(word("status", NODE_RUN_STATUS))
                    .col(integer("attempt"))
                    .col(word("effect", &["PURE", "IDEMPOTENT", "EFFECTFUL"]))
                    .col(string_null("port"))
                    .col(digest_null("output_digest", 32))
                    .col(big_integer_null("output_len"))
                    .col(word_null("output_kind", VALUE_KIND))
                    .col(bytes_null("output"))
                    .col(string_null("error"))
                    .col(string_null("signal_name"))
                    .col(string_null("signal_key"))
                    .col(timestamp_with_time_zone_null("due_at"))
                    .col(integer_null("items"))
                    .col(integer("items_settled"))
                    .col(timestamp_with_time_zone_null("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .primary_key(Index::create().col("run_id").col("node_key").col("scope"))
                    .extra(ranged_by(manager, "run_id"))
                    .to_owned(),
            )
            .await?;
        first_partition(manager, "node_run").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("node_run").to_owned()).await
    }
}

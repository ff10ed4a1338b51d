//! Ticks of the past that somebody wants runs for.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::word;

/// Ticks of the past that somebody wants runs for.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn backfills() -> TableCreateStatement {
    Table::create()
        .table("trigger_backfill")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("binding_id"))
        .col(timestamp_with_time_zone("from_at"))
        .col(timestamp_with_time_zone("until_at"))
        .col(timestamp_with_time_zone("done_until"))
        .col(integer("per_minute"))
        .col(integer("ticks"))
        .col(integer("looked_at"))
        .col(integer("had_runs"))
        .col(word("status", &["RUNNING", "DONE", "CANCELED"]))
        .col(timestamp_with_time_zone_null("next_at"))
        .col(string("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .col(big_integer("revision"))
        .foreign_key(ForeignKey::create().from("trigger_backfill", "binding_id").to("trigger_binding", "id"))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(backfills()).await?;
        // A trigger has one at a time.
        let one = Index::create()
            .name("trigger_backfill_running")
            .table("trigger_backfill")
            .col("binding_id")
            .unique()
            .and_where(Expr::col("status").eq("RUNNING"))
            .to_owned();
        manager.create_index(one).await?;
        let listed = Index::create()
            .name("trigger_backfill_binding")
            .table("trigger_backfill")
            .col("binding_id")
            .col("id")
            .to_owned();
        manager.create_index(listed).await?;
        manager
            .alter_table(Table::alter().table("trigger_event").add_column(uuid_null("backfill_id")).to_owned())
            .await?;
        let made = Index::create()
            .name("trigger_event_backfill")
            .table("trigger_event")
            .col("backfill_id")
            .and_where(Expr::col("backfill_id").is_not_null())
            .to_owned();
        manager.create_index(made).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("trigger_event_backfill").table("trigger_event").to_owned()).await?;
        manager.alter_table(Table::alter().table("trigger_event").drop_column("backfill_id").to_owned()).await?;
        manager.drop_table(Table::drop().table("trigger_backfill").to_owned()).await
    }
}

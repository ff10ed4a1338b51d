//! Who outside is told of runs, and what became of telling them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{bytes, word};

/// Who outside is told of runs, and what became of telling them.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn notifications() -> TableCreateStatement {
    Table::create()
        .table("notification")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid_null("project_id"))
        .col(uuid_null("run_id"))
        .col(string("name"))
        .col(word("format", &["STANDARD", "SLACK", "DISCORD"]))
        .col(text("events"))
        .col(string("target"))
        .col(integer("version"))
        .col(uuid("workspace_key_id"))
        .col(bytes("wrapped_key"))
        .col(bytes("ciphertext"))
        .col(timestamp_with_time_zone_null("previous_until"))
        .col(big_integer("cursor"))
        .col(timestamp_with_time_zone_null("failing_since"))
        .col(timestamp_with_time_zone_null("disabled_at"))
        .col(string_null("disabled_reason"))
        .col(string("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(ForeignKey::create().from("notification", "workspace_id").to("workspace", "id"))
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table("notification_delivery")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("notification_id"))
        .col(big_integer("seq"))
        .col(string("kind"))
        .col(string("entity"))
        .col(text("body"))
        .col(word("status", &["PENDING", "DELIVERED", "FAILED"]))
        .col(integer("attempts"))
        .col(integer("tries"))
        .col(timestamp_with_time_zone_null("next_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .to_owned()
}

fn attempts() -> TableCreateStatement {
    Table::create()
        .table("notification_attempt")
        .col(uuid("delivery_id"))
        .col(integer("number"))
        .col(timestamp_with_time_zone("at"))
        .col(integer_null("http_status"))
        .col(string_null("error"))
        .col(big_integer("duration_ms"))
        .primary_key(Index::create().col("delivery_id").col("number"))
        .to_owned()
}

fn cursors() -> TableCreateStatement {
    Table::create()
        .table("callback_cursor")
        .col(uuid("workspace_id").primary_key())
        .col(big_integer("cursor"))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(notifications()).await?;
        manager.create_table(deliveries()).await?;
        manager.create_table(attempts()).await?;
        manager.create_table(cursors()).await?;
        let name = Index::create()
            .name("notification_name")
            .table("notification")
            .col("workspace_id")
            .col("name")
            .unique()
            .to_owned();
        manager.create_index(name).await?;
        let of_run = Index::create()
            .name("notification_run")
            .table("notification")
            .col("run_id")
            .unique()
            .and_where(Expr::col("run_id").is_not_null())
            .to_owned();
        manager.create_index(of_run).await?;
        let once = Index::create()
            .name("notification_delivery_event")
            .table("notification_delivery")
            .col("notification_id")
            .col("seq")
            .unique()
            .to_owned();
        manager.create_index(once).await?;
        let due = Index::create()
            .name("notification_delivery_due")
            .table("notification_delivery")
            .col("next_at")
            .and_where(Expr::col("next_at").is_not_null())
            .to_owned();
        manager.create_index(due).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["callback_cursor", "notification_attempt", "notification_delivery", "notification"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

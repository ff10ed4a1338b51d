//! What keys are bound to: machines with rights of their own, fewer permissions, a pepper, and the key that follows.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{digest_null, word};

/// What keys are bound to: machines with rights of their own, fewer permissions, a pepper, and the key that follows.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn added() -> [ColumnDef; 8] {
    [
        digest_null("lookup", 8),
        word("scheme", &["SHA256", "HMAC"]).default("SHA256").take(),
        uuid_null("service_account_id").take(),
        string_null("permissions").take(),
        string_null("projects").take(),
        string_null("created_by").take(),
        timestamp_with_time_zone_null("last_used_at").take(),
        uuid_null("successor_id").take(),
    ]
}

const ADDED: [&str; 8] =
    ["lookup", "scheme", "service_account_id", "permissions", "projects", "created_by", "last_used_at", "successor_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in added() {
            manager.alter_table(Table::alter().table("api_key").add_column(column).to_owned()).await?;
        }
        // What keys are looked up by is a part of their SHA-256, which is all that was kept so far.
        let filled = "UPDATE api_key SET lookup = substr(hash, 1, 8)";
        manager.get_connection().execute_unprepared(filled).await?;
        let lookup = Index::create().name("api_key_lookup").table("api_key").col("lookup").to_owned();
        manager.create_index(lookup).await?;
        let account = Table::create()
            .table("service_account")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(string("name"))
            .col(string("role"))
            .col(string_null("projects"))
            .col(string("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("disabled_at"))
            .foreign_key(ForeignKey::create().from("service_account", "workspace_id").to("workspace", "id"))
            .to_owned();
        manager.create_table(account).await?;
        let name = Index::create()
            .name("service_account_name")
            .table("service_account")
            .col("workspace_id")
            .col("name")
            .unique()
            .to_owned();
        manager.create_index(name).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("service_account").to_owned()).await?;
        // Keys whose hash needs the pepper cannot be read by what was there before.
        let kept = "DELETE FROM api_key WHERE scheme <> 'SHA256'";
        manager.get_connection().execute_unprepared(kept).await?;
        manager.drop_index(Index::drop().name("api_key_lookup").table("api_key").to_owned()).await?;
        for column in ADDED.iter().rev() {
            manager.alter_table(Table::alter().table("api_key").drop_column(*column).to_owned()).await?;
        }
        Ok(())
    }
}

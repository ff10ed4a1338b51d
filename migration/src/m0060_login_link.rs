//! One-time links that open a session in a browser.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::digest;

/// One-time links that open a session in a browser.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("login_link")
                    .col(digest("hash", 32).primary_key())
                    .col(uuid("workspace_id"))
                    .col(string("role"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .foreign_key(ForeignKey::create().from("login_link", "workspace_id").to("workspace", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("login_link").to_owned()).await
    }
}

//! Connections that people sign in: what they began, and who refreshes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::digest;

/// Connections that people sign in: what they began, and who refreshes.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("connection_lease")
                    .col(uuid("connection_id").primary_key())
                    .col(uuid("holder"))
                    .col(timestamp_with_time_zone("until"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("connection_sign_in")
                    .col(digest("state_digest", 32).primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("connection_id"))
                    .col(string("created_by"))
                    .col(string("verifier"))
                    .col(text("redirect_uri"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .foreign_key(ForeignKey::create().from("connection_sign_in", "workspace_id").to("workspace", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("connection_sign_in_expiry")
                    .table("connection_sign_in")
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("connection_sign_in").to_owned()).await?;
        manager.drop_table(Table::drop().table("connection_lease").to_owned()).await
    }
}

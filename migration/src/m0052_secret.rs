//! Encrypted values.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::bytes;

/// Encrypted values.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("secret")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("connection_id"))
                    .col(integer("version"))
                    .col(uuid("workspace_key_id"))
                    .col(bytes("wrapped_key"))
                    .col(bytes("ciphertext"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(ForeignKey::create().from("secret", "workspace_id").to("workspace", "id"))
                    .foreign_key(ForeignKey::create().from("secret", "connection_id").to("connection", "id"))
                    .foreign_key(ForeignKey::create().from("secret", "workspace_key_id").to("workspace_key", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("secret_connection").table("secret").col("connection_id").to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("secret").to_owned()).await
    }
}

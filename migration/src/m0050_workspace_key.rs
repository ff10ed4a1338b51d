//! The keys that wrap the keys of a workspace's secrets, themselves wrapped by a master key.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::bytes;

/// The keys that wrap the keys of a workspace's secrets, themselves wrapped by a master key.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("workspace_key")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id").unique_key())
                    .col(string("master_key_id"))
                    .col(bytes("wrapped"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("wrapped_at"))
                    .foreign_key(ForeignKey::create().from("workspace_key", "workspace_id").to("workspace", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("workspace_key").to_owned()).await
    }
}

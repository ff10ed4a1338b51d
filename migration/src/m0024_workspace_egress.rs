//! Which hosts each workspace's nodes may call.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Which hosts each workspace's nodes may call. One without a row has no list of its own.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("workspace_egress")
                    .col(uuid("workspace_id").primary_key())
                    .col(text("allowed_hosts"))
                    .col(string("updated_by"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(ForeignKey::create().from("workspace_egress", "workspace_id").to("workspace", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("workspace_egress").to_owned()).await
    }
}

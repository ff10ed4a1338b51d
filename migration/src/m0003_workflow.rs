//! The named things that have versions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// The named things that have versions.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("workflow")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("project_id"))
                    .col(string("name"))
                    .col(string("title"))
                    .col(string("description"))
                    .col(string("tags"))
                    .col(string("folder_path"))
                    .col(timestamp_with_time_zone_null("archived_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(ForeignKey::create().from("workflow", "workspace_id").to("workspace", "id"))
                    .foreign_key(ForeignKey::create().from("workflow", "project_id").to("project", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("workflow_name")
                    .table("workflow")
                    .col("project_id")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("workflow_workspace").table("workflow").col("workspace_id").col("id").to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("workflow").to_owned()).await
    }
}

//! Named credentials of a project in an environment.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Named credentials of a project in an environment.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("connection")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("project_id"))
                    .col(string("environment"))
                    .col(string("name"))
                    .col(string("type"))
                    .col(string("fields"))
                    .col(string("secrets"))
                    .col(integer("revision"))
                    .col(string("created_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(string("updated_by"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(timestamp_with_time_zone_null("tested_at"))
                    .col(boolean_null("test_passed"))
                    .col(string_null("test_message"))
                    .foreign_key(ForeignKey::create().from("connection", "workspace_id").to("workspace", "id"))
                    .foreign_key(ForeignKey::create().from("connection", "project_id").to("project", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("connection_name")
                    .table("connection")
                    .col("project_id")
                    .col("environment")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("connection_workspace")
                    .table("connection")
                    .col("workspace_id")
                    .col("name")
                    .col("id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("connection").to_owned()).await
    }
}

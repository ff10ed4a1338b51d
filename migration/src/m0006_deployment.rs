//! Which version an environment runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Which version an environment runs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("deployment")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("workflow_id"))
                    .col(string("environment").default("default"))
                    .col(uuid("version_id"))
                    .col(string("deployed_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(ForeignKey::create().from("deployment", "workspace_id").to("workspace", "id"))
                    .foreign_key(ForeignKey::create().from("deployment", "workflow_id").to("workflow", "id"))
                    .foreign_key(ForeignKey::create().from("deployment", "version_id").to("version", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("deployment_environment")
                    .table("deployment")
                    .col("workflow_id")
                    .col("environment")
                    .unique()
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("deployment").to_owned()).await
    }
}

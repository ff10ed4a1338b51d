//! Which version ran where, and since when.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Which version ran where, and since when.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("deployment_change")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("workflow_id"))
                    .col(string("environment"))
                    .col(uuid_null("version_id"))
                    .col(uuid_null("previous_version_id"))
                    .col(string("changed_by"))
                    .col(timestamp_with_time_zone("changed_at"))
                    .foreign_key(ForeignKey::create().from("deployment_change", "workflow_id").to("workflow", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("deployment_change_workflow")
                    .table("deployment_change")
                    .col("workflow_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        // What is known of the time before: the last change of each deployment.
        manager
            .get_connection()
            .execute_unprepared(
                "INSERT INTO deployment_change (id, workspace_id, workflow_id, environment, version_id, changed_by,
                     changed_at)
                 SELECT id, workspace_id, workflow_id, environment, version_id, deployed_by, updated_at
                 FROM deployment",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("deployment_change").to_owned()).await
    }
}

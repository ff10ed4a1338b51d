//! Where versions are deployed to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Where versions are deployed to.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("environment")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("project_id"))
                    .col(string("name"))
                    .col(string("title"))
                    .col(timestamp_with_time_zone("created_at"))
                    .foreign_key(ForeignKey::create().from("environment", "project_id").to("project", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("environment_name")
                    .table("environment")
                    .col("project_id")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await?;
        // Ids are unique per table, so a row may take over the id of the row that it is made from.
        let db = manager.get_connection();
        db.execute_unprepared(
            "INSERT INTO environment (id, workspace_id, project_id, name, title, created_at)
             SELECT id, workspace_id, id, 'default', 'Default', created_at FROM project",
        )
        .await?;
        db.execute_unprepared(
            "INSERT INTO environment (id, workspace_id, project_id, name, title, created_at)
             SELECT d.id, d.workspace_id, w.project_id, d.environment, d.environment, d.created_at
             FROM deployment d JOIN workflow w ON w.id = d.workflow_id
             WHERE d.environment <> 'default' AND NOT EXISTS (
                 SELECT 1 FROM deployment e JOIN workflow v ON v.id = e.workflow_id
                 WHERE v.project_id = w.project_id AND e.environment = d.environment AND e.id < d.id)",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("environment").to_owned()).await
    }
}

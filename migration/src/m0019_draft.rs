//! What people edit before it is published.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What people edit before it is published.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("draft")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("workflow_id"))
                    .col(string("name"))
                    .col(uuid_null("base_version_id"))
                    .col(big_integer("revision").check(Expr::col("revision").gte(1)))
                    .col(string("document"))
                    .col(string("sidecar"))
                    .col(string("updated_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(ForeignKey::create().from("draft", "workflow_id").to("workflow", "id"))
                    .foreign_key(ForeignKey::create().from("draft", "base_version_id").to("version", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("draft_name").table("draft").col("workflow_id").col("name").unique().to_owned(),
            )
            .await?;
        // Every workflow has a draft; that of a published one begins as its latest version. Ids are unique per table,
        // so the draft may take over the workflow's.
        manager
            .get_connection()
            .execute_unprepared(
                "INSERT INTO draft (id, workspace_id, workflow_id, name, base_version_id, revision, document, sidecar,
                     updated_by, created_at, updated_at)
                 SELECT w.id, w.workspace_id, w.id, 'main', v.id, 1, d.document, '{}', v.created_by, v.created_at,
                     v.created_at
                 FROM workflow w JOIN version v ON v.workflow_id = w.id
                 JOIN definition d ON d.workspace_id = v.workspace_id AND d.hash = v.definition_hash
                 WHERE v.number = (SELECT max(l.number) FROM version l WHERE l.workflow_id = w.id)",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("draft").to_owned()).await
    }
}

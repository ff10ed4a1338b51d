//! Runs that take over results: which run they try again, and which node runs did not run.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Runs that take over results: which run they try again, and which node runs did not run.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("run").add_column(uuid_null("retry_of")).to_owned()).await?;
        manager.alter_table(Table::alter().table("node_run").add_column(string_null("reused_from")).to_owned()).await?;
        // Test runs are few and looked for by age and by workflow.
        manager
            .create_index(
                Index::create()
                    .name("run_test")
                    .table("run")
                    .col("workflow_id")
                    .col("id")
                    .and_where(Expr::col("mode").eq("TEST"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("run_test").table("run").to_owned()).await?;
        manager.alter_table(Table::alter().table("node_run").drop_column("reused_from").to_owned()).await?;
        manager.alter_table(Table::alter().table("run").drop_column("retry_of").to_owned()).await
    }
}

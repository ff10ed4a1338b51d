//! Journals of runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{bytes, digest, first_partition, ranged_by};

/// Journals of runs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("journal")
                    .col(uuid("run_id"))
                    .col(big_integer("first_seq"))
                    .col(big_integer("last_seq"))
                    .col(small_integer("format"))
                    .col(bytes("body"))
                    .col(digest("digest", 32))
                    .col(digest("prev", 32))
                    .primary_key(Index::create().col("run_id").col("first_seq"))
                    .check(Expr::col("last_seq").gte(Expr::col("first_seq")))
                    .extra(ranged_by(manager, "run_id"))
                    .to_owned(),
            )
            .await?;
        first_partition(manager, "journal").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("journal").to_owned()).await
    }
}

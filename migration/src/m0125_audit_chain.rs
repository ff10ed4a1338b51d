//! The audit as a chain: each row has a hash over itself and the row before, and signed anchors say how far it went.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{digest, digest_null, word};

/// The audit as a chain: each row has a hash over itself and the row before, and signed anchors say how far it went.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = |table: &'static str, column: ColumnDef| Table::alter().table(table).add_column(column).to_owned();
        let result = word("result", &["DONE", "DENIED"]).default("DONE").take();
        manager.alter_table(add("audit", result)).await?;
        manager.alter_table(add("audit", integer("times").default(1).take())).await?;
        manager.alter_table(add("audit", string_null("address").take())).await?;
        // Rows of before the chain have none.
        manager.alter_table(add("audit", digest_null("hash", 32))).await?;
        manager.alter_table(add("audit_head", digest_null("hash", 32))).await?;
        let anchor = Table::create()
            .table("audit_anchor")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(string("day"))
            .col(big_integer("seq"))
            .col(digest("hash", 32))
            .col(uuid("workspace_key_id"))
            .col(digest("signature", 64))
            .col(timestamp_with_time_zone("at"))
            .foreign_key(ForeignKey::create().from("audit_anchor", "workspace_id").to("workspace", "id"))
            .to_owned();
        manager.create_table(anchor).await?;
        let day = Index::create()
            .name("audit_anchor_day")
            .table("audit_anchor")
            .col("workspace_id")
            .col("day")
            .unique()
            .to_owned();
        manager.create_index(day).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_anchor").to_owned()).await?;
        let drop =
            |table: &'static str, column: &'static str| Table::alter().table(table).drop_column(column).to_owned();
        manager.alter_table(drop("audit_head", "hash")).await?;
        for column in ["hash", "address", "times", "result"] {
            manager.alter_table(drop("audit", column)).await?;
        }
        Ok(())
    }
}

//! Files of runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::bytes;
use crate::wall::{self, MAY_ALL, Rows};

/// Files of runs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("artifact")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(uuid("project_id"))
            .col(uuid_null("run_id"))
            .col(string_null("node_key"))
            .col(string("name"))
            .col(string("media_type"))
            .col(big_integer("size"))
            .col(bytes("sha256"))
            .col(bytes("digest"))
            .col(string("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("expires_at"))
            .foreign_key(ForeignKey::create().from("artifact", "workspace_id").to("workspace", "id"))
            .to_owned();
        manager.create_table(table).await?;
        for (name, columns) in [
            ("artifact_by_blob", ["workspace_id", "digest"].as_slice()),
            ("artifact_by_run", &["run_id", "id"]),
            ("artifact_by_workspace", &["workspace_id", "id"]),
            ("artifact_by_end", &["expires_at"]),
        ] {
            let mut index = Index::create();
            index.name(name).table("artifact");
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index.to_owned()).await?;
        }
        wall::protect(manager, "artifact", Rows::Of("workspace_id"), MAY_ALL).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("artifact").to_owned()).await
    }
}

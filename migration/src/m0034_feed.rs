//! The number of the last event of each workspace. The relay locks it until its commit: order of numbers is order of commits.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::by_key;

/// The number of the last event of each workspace. The relay locks it until its commit: order of numbers is order of commits.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("feed")
                    .col(uuid("workspace_id").primary_key())
                    .col(big_integer("seq"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("feed").to_owned()).await
    }
}

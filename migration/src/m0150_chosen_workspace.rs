//! Which workspace somebody chose in a session, and sessions of people who are in none yet.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Which workspace somebody chose in a session, and sessions of people who are in none yet.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const CHOSEN: &str = "chosen_workspace_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The local admin's sessions are keys.
        for table in ["user_session", "api_key"] {
            let chosen = Table::alter().table(table).add_column(uuid_null(CHOSEN)).to_owned();
            manager.alter_table(chosen).await?;
        }
        let guest = boolean("is_guest").default(false).take();
        manager.alter_table(Table::alter().table("user_session").add_column(guest).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("user_session").drop_column("is_guest").to_owned()).await?;
        for table in ["api_key", "user_session"] {
            manager.alter_table(Table::alter().table(table).drop_column(CHOSEN).to_owned()).await?;
        }
        Ok(())
    }
}

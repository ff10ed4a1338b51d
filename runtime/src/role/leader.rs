//! One process does what only one should do. Who that is stands in a row with an epoch. Nothing relies on there being
//! only one for a moment: what a leader writes is fenced by the rows that it writes to.

use std::time::Duration;

use engine::id::WorkerId;
use entity::leader as row;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};
use tokio::time::Instant;

use crate::database::Database;

/// A process that leads, or would.
pub(crate) struct Leader {
    database: Database,
    name: &'static str,
    me: WorkerId,
    /// How long the leader may stand still; `None` where there is only one process.
    lease: Option<Duration>,
    /// Epoch and last beat while it leads.
    held: Option<(i64, Instant)>,
    /// Another leader's epoch and beat, and since when they are so by the own clock.
    seen: Option<(i64, i64, Instant)>,
}

impl Leader {
    pub(crate) fn new(database: Database, name: &'static str, me: WorkerId, lease: Option<Duration>) -> Self {
        Self { database, name, me, lease, held: None, seen: None }
    }

    /// Whether this process leads now. To be asked again and again: that is what keeps it the leader.
    pub(crate) async fn leads(&mut self) -> Result<bool, DbErr> {
        self.leads_at(Instant::now()).await
    }

    async fn leads_at(&mut self, now: Instant) -> Result<bool, DbErr> {
        let Some(lease) = self.lease else { return Ok(true) };
        if let Some((epoch, beaten)) = self.held {
            if now - beaten < lease / 5 {
                return Ok(true);
            }
            self.held = None;
            let beat = row::Entity::update_many()
                .col_expr(row::Column::Beat, Expr::col(row::Column::Beat).add(1))
                .filter(row::Column::Name.eq(self.name))
                .filter(row::Column::OwnerId.eq(self.me.0))
                .filter(row::Column::Epoch.eq(epoch));
            if beat.exec(self.database.write()).await?.rows_affected == 1 {
                self.held = Some((epoch, now));
                return Ok(true);
            }
        }
        self.stand(lease, now).await
    }

    /// Takes over from nobody, or from one that stood still for too long.
    async fn stand(&mut self, lease: Duration, now: Instant) -> Result<bool, DbErr> {
        let Some(found) = row::Entity::find_by_id(self.name).one(self.database.read()).await? else {
            let first =
                row::ActiveModel { name: Set(self.name.to_owned()), owner_id: Set(None), epoch: Set(0), beat: Set(0) };
            let once = OnConflict::column(row::Column::Name).do_nothing().to_owned();
            row::Entity::insert(first).on_conflict(once).exec_without_returning(self.database.write()).await?;
            return Ok(false);
        };
        let stands_still = self
            .seen
            .is_some_and(|(epoch, beat, since)| (epoch, beat) == (found.epoch, found.beat) && now - since >= lease);
        if found.owner_id.is_some() && !stands_still {
            if self.seen.is_none_or(|(epoch, beat, _)| (epoch, beat) != (found.epoch, found.beat)) {
                self.seen = Some((found.epoch, found.beat, now));
            }
            return Ok(false);
        }
        let take = row::Entity::update_many()
            .col_expr(row::Column::OwnerId, Expr::value(self.me.0))
            .col_expr(row::Column::Epoch, Expr::value(found.epoch + 1))
            .col_expr(row::Column::Beat, Expr::value(0_i64))
            .filter(row::Column::Name.eq(self.name))
            .filter(row::Column::Epoch.eq(found.epoch))
            .filter(row::Column::Beat.eq(found.beat));
        if take.exec(self.database.write()).await?.rows_affected == 1 {
            tracing::info!(leader.name = self.name, worker.id = %self.me, "{} leads `{}`", self.me, self.name);
            self.held = Some((found.epoch + 1, now));
        }
        Ok(self.held.is_some())
    }

    /// Lets another process lead at once.
    pub(crate) async fn resign(self) -> Result<(), DbErr> {
        let Some((epoch, _)) = self.held else { return Ok(()) };
        row::Entity::update_many()
            .col_expr(row::Column::OwnerId, Expr::value(Option::<uuid::Uuid>::None))
            .filter(row::Column::Name.eq(self.name))
            .filter(row::Column::OwnerId.eq(self.me.0))
            .filter(row::Column::Epoch.eq(epoch))
            .exec(self.database.write())
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDatabase;

    const LEASE: Duration = Duration::from_secs(5);

    fn one(database: &Database, number: u128) -> Leader {
        let me = WorkerId(uuid::Uuid::from_u128(number));
        Leader::new(database.clone(), "tests", me, Some(LEASE))
    }

    async fn a_leader_that_stands_still_is_followed_by_another_and_leads_no_more(test: TestDatabase) {
        let (mut old, mut new) = (one(&test.database, 1), one(&test.database, 2));
        let began = Instant::now();
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        assert!(!old.leads_at(at(0)).await.unwrap(), "the first one makes the row");
        assert!(old.leads_at(at(0)).await.unwrap());
        // Somebody who beats is not followed, however long one looks.
        for second in 1..=10 {
            assert!(old.leads_at(at(second)).await.unwrap());
            assert!(!new.leads_at(at(second)).await.unwrap());
        }
        for second in 11..15 {
            assert!(!new.leads_at(at(second)).await.unwrap(), "it stood still for {} s only", second - 10);
        }
        assert!(new.leads_at(at(15)).await.unwrap(), "within its lease");
        assert!(!old.leads_at(at(16)).await.unwrap(), "a woken one sees that another leads");
        assert!(new.leads_at(at(17)).await.unwrap());
        // One that ends in order is followed at once.
        new.resign().await.unwrap();
        assert!(old.leads_at(at(18)).await.unwrap());
    }

    #[tokio::test]
    async fn on_sqlite() {
        a_leader_that_stands_still_is_followed_by_another_and_leads_no_more(TestDatabase::sqlite().await).await;
    }

    #[tokio::test]
    async fn on_postgres() {
        a_leader_that_stands_still_is_followed_by_another_and_leads_no_more(TestDatabase::postgres().await).await;
    }
}

//! Runs for ticks of the past.

use engine::id::{BackfillId, BindingId};
use engine::schedule::Schedule;
use engine::time::Timestamp;

use super::Binding;
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::ServiceError;
use crate::service::audit::Context;
use crate::service::page::{Page, PageRequest};
use crate::store;

/// Most ticks of one backfill.
pub const MOST_TICKS: usize = 10_000;
/// Most ticks that are looked at in a minute.
pub const MOST_PER_MINUTE: i32 = 600;

/// How far a backfill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Running,
    /// It has looked at every tick.
    Done,
    /// Somebody stopped it, or its trigger is not deployed any more.
    Canceled,
}

/// Ticks of the past that somebody wants runs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Its id.
    pub id: BackfillId,
    /// Whose ticks.
    pub binding: BindingId,
    /// The first time that counts.
    pub from: Timestamp,
    /// The last time that counts.
    pub until: Timestamp,
    /// How many ticks are looked at in a minute.
    pub per_minute: i32,
    /// How far it is.
    pub progress: Progress,
    /// How many ticks there are.
    pub ticks: i32,
    /// How many of them were looked at.
    pub looked_at: i32,
    /// How many of those had started a run before.
    pub had_runs: i32,
    /// Who asked for it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What became of the ticks that a backfill asked runs for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// They started a run.
    pub started: u64,
    /// They start none, and their events say why.
    pub refused: u64,
    /// They wait for their turn.
    pub waiting: u64,
}

/// Which ticks.
#[derive(Debug, Clone, Copy)]
pub struct NewBackfill {
    /// Whose.
    pub binding: BindingId,
    /// The first time that counts.
    pub from: Timestamp,
    /// The last time that counts.
    pub until: Timestamp,
    /// How many ticks are looked at in a minute.
    pub per_minute: i32,
}

/// Begins a backfill; one of the same ticks that is under way is that one.
///
/// # Errors
/// When they may not, there is no such schedule, another backfill of it is under way, or there are no ticks or too many.
pub async fn begin(app: &App, viewer: &Viewer, new: NewBackfill) -> Result<Backfill, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    if !(1..=MOST_PER_MINUTE).contains(&new.per_minute) {
        return Err(ServiceError::invalid("perMinute", format!("choose 1 to {MOST_PER_MINUTE} ticks a minute")));
    }
    if new.until > app.runtime.now() || new.from > new.until {
        return Err(ServiceError::invalid("until", "choose a time that is past and not before `from`"));
    }
    let binding = super::get(app, viewer, new.binding).await?;
    let ticks = ticks(&binding, new.from, new.until)?;
    store::trigger::backfill::begin(app.runtime.database(), &Context::of(app, viewer), &new, ticks).await
}

fn ticks(binding: &Binding, from: Timestamp, until: Timestamp) -> Result<i32, ServiceError> {
    let conflict = |message: &str| ServiceError::Conflict { message: message.to_owned() };
    if binding.kind != runtime::TriggerKind::Schedule {
        return Err(ServiceError::invalid("triggerId", "only schedules have times of the past"));
    }
    if binding.version.is_none() {
        return Err(conflict("nothing is deployed with this trigger; deploy a version first"));
    }
    let schedule = Schedule::read(&binding.config).map_err(|_| conflict("the rule of this trigger cannot be read"))?;
    let first = schedule.next_after(Timestamp(from.0.saturating_sub(1)));
    let ticks = std::iter::successors(first, |tick| schedule.next_after(*tick));
    let count = ticks.take_while(|tick| *tick <= until).take(MOST_TICKS + 1).count();
    match count {
        0 => Err(ServiceError::invalid("from", "the schedule names no time between `from` and `until`")),
        count if count > MOST_TICKS => {
            let message = format!("there are more than {MOST_TICKS} times between `from` and `until`; go in parts");
            Err(ServiceError::invalid("until", message))
        }
        count => Ok(i32::try_from(count).unwrap_or(i32::MAX)),
    }
}

/// Stops a backfill; what waits for its turn starts nothing any more. One that has ended stays as it is.
///
/// # Errors
/// When they may not, or there is no such backfill.
pub async fn cancel(app: &App, viewer: &Viewer, id: BackfillId) -> Result<Backfill, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    store::trigger::backfill::cancel(app.runtime.database(), &Context::of(app, viewer), id).await
}

const BACKFILLS: &str = "backfills";

/// The backfills of a trigger, the latest first.
///
/// # Errors
/// `NotFound` also for another workspace's trigger; a cursor of another list, or the database.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    of: BindingId,
    page: &PageRequest,
) -> Result<Page<Backfill>, ServiceError> {
    viewer.require(Permission::Read)?;
    super::get(app, viewer, of).await?;
    let window = page.window(&viewer.cursors, BACKFILLS, |text| text.parse().ok())?;
    let rows = store::trigger::backfill::list(app.runtime.database(), &viewer.scope(), of, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(BACKFILLS, &row.id.to_string())))
}

/// What became of its ticks so far.
///
/// # Errors
/// When they may not read, or the database fails.
pub async fn outcomes(app: &App, viewer: &Viewer, of: &Backfill) -> Result<Outcomes, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::trigger::backfill::outcomes(app.runtime.database(), viewer.workspace, of.id).await?)
}

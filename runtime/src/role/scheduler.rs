//! Fires schedules, and looks after everything else that starts runs by itself. A tick is decided in the commit that starts its run, or in the one that says why there is none;
//! whoever is stopped in between has decided nothing, and the next one decides it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::id::{ProjectId, TriggerEventId, VersionId, WorkspaceId};
use engine::schedule::{Overlap, Schedule};
use engine::time::Timestamp;
use engine::value::Digest;
use futures::future::join_all;
use sea_orm::DbErr;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::leader::Leader;
use super::{backfill, inner, starter};
use crate::binding::{self, Bound, LeftOut, next_look};
use crate::definition::DefinitionError;
use crate::journal::{Firing, JournalError};
use crate::refusal;
use crate::runtime::{Runtime, StartError, StartRun, TriggerKind};
use crate::value::ValueError;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How long a tick that waits for a run is left alone.
const HELD_FOR: Duration = Duration::from_secs(1);
/// Schedules that are decided together.
const AT_ONCE: u64 = 512;
/// Ticks of one schedule that are decided before others have their turn.
const IN_A_ROW: usize = 20;
/// What runs of schedules are created by.
const CREATED_BY: &str = "schedule";

/// A version that a schedule is about to run.
#[derive(Debug, Clone)]
pub struct AskedStart {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its project.
    pub project: ProjectId,
    /// The version.
    pub version: VersionId,
    /// Its definition.
    pub definition_hash: Digest,
    /// Where it runs.
    pub environment: String,
}

/// Why a version may not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    /// It may not: a code and the reason.
    No(&'static str, String),
    /// Nobody can tell now.
    NotNow(String),
}

/// What the gate answers with.
pub type GateAnswer = Pin<Box<dyn Future<Output = Result<(), Forbidden>> + Send>>;
/// Says whether a version may run now; asked before every start.
pub type Gate = Arc<dyn Fn(AskedStart) -> GateAnswer + Send + Sync>;

/// Why a schedule could not be decided now; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotNow {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error("{0}")]
    Start(StartError),
    #[error("{0}")]
    Gate(String),
}

pub(crate) struct Scheduler {
    pub(crate) runtime: Runtime,
    pub(crate) gate: Gate,
}

impl Scheduler {
    /// Fires until it is stopped.
    pub(crate) async fn run(self, mut leader: Leader, stop: CancellationToken) {
        let mut look = tokio::time::interval(EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = look.tick() => {}
            }
            while !stop.is_cancelled() {
                let look = async { if leader.leads().await? { self.look_once().await } else { Ok((0, false)) } };
                match look.await {
                    Ok((_, true)) => {}
                    Ok((_, false)) => break,
                    Err(error) => {
                        tracing::warn!(error = %error, "triggers could not be looked at; they are looked at again");
                        break;
                    }
                }
            }
        }
        if let Err(error) = leader.resign().await {
            tracing::warn!(error = %error, "the schedules could not be handed on; the lease tells the others");
        }
    }

    /// Decides once what is due now. How much there was of it.
    pub(crate) async fn look(&self) -> Result<u64, DbErr> {
        Ok(self.look_once().await?.0)
    }

    /// The same, and whether there may be more.
    async fn look_once(&self) -> Result<(u64, bool), DbErr> {
        let schedules = self.pass().await?;
        let (told, more_to_tell) = inner::pass(&self.runtime).await?;
        let ticks = backfill::pass(&self.runtime).await?;
        let (started, more_to_start) = starter::pass(&self.runtime, &self.gate).await?;
        Ok((schedules + told + ticks + started, schedules == AT_ONCE || more_to_tell || more_to_start))
    }

    /// Decides the ticks that are due. How many schedules had some.
    async fn pass(&self) -> Result<u64, DbErr> {
        let due = binding::due(self.runtime.engine_database(), self.runtime.now(), AT_ONCE).await?;
        let count = due.len() as u64;
        join_all(due.into_iter().map(|bound| async move {
            let (id, workflow) = (bound.id, bound.workflow);
            if let Err(error) = self.decide(bound).await {
                tracing::warn!(
                    error = %error, trigger.id = %id, workflow.id = %workflow,
                    "a tick of {workflow} could not be decided; it is tried again"
                );
            }
        }))
        .await;
        Ok(count)
    }

    async fn decide(&self, mut bound: Bound) -> Result<(), NotNow> {
        let database = self.runtime.engine_database();
        let Ok(schedule) = Schedule::read(&bound.config) else {
            tracing::error!(trigger.id = %bound.id, "the rule of {} cannot be read; it does not fire", bound.id);
            binding::look_at(database, &bound, None, None).await?;
            return Ok(());
        };
        for _ in 0..IN_A_ROW {
            let now = self.runtime.now();
            let due = schedule.due(bound.id.0, bound.decided, bound.held, now);
            if !due.missed.is_empty() {
                let reason = "MISSED: nobody saw this tick in time";
                let earlier = "MISSED: nobody saw this tick in time, nor those before it, which are too many to list";
                let reasons = |index: usize| if due.more && index == 0 { earlier } else { reason };
                if !self.leave_out(&mut bound, &schedule, &due.missed, reasons).await? {
                    return Ok(());
                }
            }
            match due.fire {
                Some(tick) if !self.fire(&mut bound, &schedule, tick).await? => return Ok(()),
                Some(_) => {}
                None if due.missed.is_empty() => {
                    let next = next_look(&schedule, bound.id, bound.decided);
                    binding::look_at(database, &bound, next, bound.held).await?;
                    return Ok(());
                }
                None => return Ok(()),
            }
            if next_look(&schedule, bound.id, bound.decided).is_none_or(|next| next > now) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Starts the run of a tick, or says why there is none; `false` when there is nothing more to do now.
    async fn fire(&self, bound: &mut Bound, schedule: &Schedule, tick: Timestamp) -> Result<bool, NotNow> {
        let runtime = &self.runtime;
        if let Some(before) = bound.last_run.filter(|_| schedule.overlap != Overlap::Allow)
            && binding::is_live(runtime.engine_database(), before).await?
        {
            match schedule.overlap {
                Overlap::Allow => {}
                Overlap::Skip => {
                    let reason = format!("OVERLAP: {before} of the tick before is still under way");
                    return self.leave_out(bound, schedule, &[tick], |_| &reason).await;
                }
                Overlap::Queue => {
                    let look = runtime.now().plus(HELD_FOR);
                    binding::look_at(runtime.engine_database(), bound, Some(look), Some(tick)).await?;
                    return Ok(false);
                }
                Overlap::Cancel => {
                    // Whoever has not this revision any more stops nothing.
                    if !binding::look_at(runtime.engine_database(), bound, Some(runtime.now()), Some(tick)).await? {
                        return Ok(false);
                    }
                    bound.revision += 1;
                    bound.held = Some(tick);
                    let reason = "the next tick of its schedule came";
                    let message = runtime.cancel_message(bound.workspace, before, reason, false, CREATED_BY);
                    runtime.journal().post(&message).await?;
                    runtime.bus().notify_inbox(before);
                }
            }
        }
        let asked = AskedStart {
            workspace: bound.workspace,
            project: bound.project,
            version: bound.version,
            definition_hash: bound.hash,
            environment: bound.environment.clone(),
        };
        match (self.gate)(asked).await {
            Ok(()) => {}
            Err(Forbidden::NotNow(why)) => return Err(NotNow::Gate(why)),
            Err(Forbidden::No(code, why)) => {
                let reason = format!("{code}: {why}");
                return self.leave_out(bound, schedule, &[tick], |_| &reason).await;
            }
        }
        let next_at = next_look(schedule, bound.id, tick);
        let firing = Firing { binding: bound.id, revision: bound.revision, tick, next_at };
        let started = runtime.start_firing(request(bound, schedule, tick), firing).await;
        match started {
            Ok(started) => {
                bound.revision += 1;
                (bound.decided, bound.held, bound.last_run) = (tick, None, Some(started.run));
                Ok(true)
            }
            Err(error) => match refusal::reason(&error) {
                Some(reason) => self.leave_out(bound, schedule, &[tick], |_| &reason).await,
                None => Err(NotNow::Start(error)),
            },
        }
    }

    /// `false` when the binding has changed meanwhile.
    async fn leave_out<'r>(
        &self,
        bound: &mut Bound,
        schedule: &Schedule,
        ticks: &[Timestamp],
        reason: impl Fn(usize) -> &'r str,
    ) -> Result<bool, NotNow> {
        let runtime = &self.runtime;
        let Some(last) = ticks.last() else { return Ok(true) };
        let tenant = runtime.definitions().tenant(bound.workspace).await?;
        let Some(tenant) = tenant else { return Ok(false) };
        let mut left = Vec::with_capacity(ticks.len());
        for (index, tick) in ticks.iter().enumerate() {
            let payload = runtime.values().keep(&tenant, schedule.input(*tick)).await?;
            let event = TriggerEventId(runtime.clock().new_id());
            left.push(LeftOut { tick: *tick, event, reason: reason(index), payload });
        }
        let next = next_look(schedule, bound.id, *last);
        let is_written = binding::leave_out(runtime.engine_database(), bound, &left, next, runtime.now()).await?;
        if is_written {
            tracing::info!(
                trigger.id = %bound.id, workflow.id = %bound.workflow, ticks = left.len(),
                "{} tick(s) of {} start no run: {}", left.len(), bound.workflow, reason(ticks.len() - 1)
            );
            bound.revision += 1;
            (bound.decided, bound.held) = (*last, None);
        }
        Ok(is_written)
    }
}

fn request(bound: &Bound, schedule: &Schedule, tick: Timestamp) -> StartRun {
    StartRun {
        workspace: bound.workspace,
        project: bound.project,
        workflow: bound.workflow,
        version: Some(bound.version),
        definition_hash: bound.hash,
        environment: bound.environment.clone(),
        trigger_node: bound.node.clone(),
        kind: TriggerKind::Schedule,
        input: schedule.input(tick),
        idempotency_key: None,
        key: None,
        labels: std::collections::BTreeMap::new(),
        priority: 0,
        created_by: CREATED_BY.to_owned(),
        trace: None,
    }
}

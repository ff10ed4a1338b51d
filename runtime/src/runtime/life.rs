//! How a process begins and ends its part.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::id::WorkerId;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Inner, OpenError, Parts, Runtime, RuntimeConfig};
use crate::artifact::Artifacts;
use crate::database::DatabaseKind;
use crate::definition::Definitions;
use crate::driver::{Command, DriverTask, Lease, Owned, Parts as DriverParts};
use crate::egress::Egress;
use crate::executor::Executor;
use crate::figure::Figures;
use crate::figure::sample::Sampler;
use crate::intake::Intake;
use crate::journal::WorkerRow;
use crate::quota::Quotas;
use crate::role::{heartbeat::Heartbeat, mail::Mail, relay::Relay, taker::Taker, tidy};
use crate::value::Values;

/// How long a stop waits for the last runs to be told of.
const TELL_WITHIN: Duration = Duration::from_secs(2);

impl Runtime {
    /// Registers the process and starts its loops.
    ///
    /// # Errors
    /// When the database or the system refuses.
    pub async fn open(config: RuntimeConfig, parts: Parts) -> Result<Self, OpenError> {
        let Parts { database, journal, blobs, bus, registry, outgoing, secrets, clock, tracer } = parts;
        let artifacts = Artifacts::new(blobs.clone(), database.clone(), clock.clone(), config.max_file);
        let worker = WorkerId(clock.new_id());
        // On SQLite the folder's lock keeps every other process away.
        let shared = database.kind() == DatabaseKind::Postgres;
        let lease_for = shared.then_some(config.lease);
        journal.register(&WorkerRow::new(worker, &config.worker_name, config.lease), clock.now()).await?;
        let lease = Arc::new(Lease::new(lease_for));
        let values = Values::new(blobs.clone(), config.value_cache);
        let definitions = Definitions::new(database.clone(), registry.clone());
        let owned = Arc::new(Owned::default());
        owned.journal_answers.store(true, Ordering::Relaxed);
        let tracker = TaskTracker::new();
        let figures = Arc::new(Figures::new(&registry));
        let sampler = Sampler::new(database.clone(), bus.clone(), clock.clone());
        let (stop_taking, stop_beating) = (CancellationToken::new(), CancellationToken::new());
        let told = CancellationToken::new();
        if shared {
            let (every, stop) = (config.lease / 5, stop_beating.clone());
            Heartbeat { database: database.clone(), worker, lease: lease.clone(), clock: clock.clone(), every, stop }
                .start()?;
        }
        tracker.spawn(stop_taking.clone().run_until_cancelled_owned(tidy::hourly(
            database.clone(),
            blobs,
            artifacts.clone(),
            clock.clone(),
        )));
        let egress = Arc::new(Egress::new(outgoing, database.clone(), clock.clone()));
        let quotas = Arc::new(Quotas::new(database.clone(), clock.clone()));
        let driver = config.drive.then(|| {
            let executor = Arc::new(Executor {
                registry: registry.clone(),
                egress: egress.clone(),
                values: values.clone(),
                secrets: secrets.clone(),
                quotas: quotas.clone(),
                artifacts: artifacts.clone(),
                clock: clock.clone(),
            });
            let (ends, ended) = mpsc::unbounded_channel();
            let (telling, told) = (crate::figure::ending::tell(ended, figures.clone(), database.clone()), told.clone());
            tracker.spawn(async move {
                telling.await;
                told.cancel();
            });
            let (task, driver) = DriverTask::new(DriverParts {
                owner: worker,
                journal: journal.clone(),
                executor,
                bus: bus.clone(),
                clock: clock.clone(),
                lease: lease.clone(),
                owned: owned.clone(),
                tracker: tracker.clone(),
                figures: figures.clone(),
                ends,
                most_calls: config.max_concurrent_effects,
                config: config.drive_config.clone(),
            });
            tracker.spawn(task.run());
            let taker = Taker {
                database: database.clone(),
                journal: journal.clone(),
                owner: worker,
                owned: owned.clone(),
                driver: driver.clone(),
                definitions: definitions.clone(),
                bus: bus.clone(),
                clock: clock.clone(),
                figures: figures.clone(),
                tracer: tracer.clone(),
                lease: lease_for,
                most_runs: config.max_runs,
                every: config.look_every,
                stop: stop_taking.clone(),
            };
            tracker.spawn(taker.run());
            let mail = Mail {
                journal: journal.clone(),
                owner: worker,
                owned: owned.clone(),
                driver: driver.clone(),
                bus: bus.clone(),
                stop: stop_taking.clone(),
            };
            tracker.spawn(mail.run());
            let relay = Relay { database: database.clone(), bus: bus.clone(), clock: clock.clone() };
            tracker.spawn(stop_taking.clone().run_until_cancelled_owned(relay.run()));
            driver
        });
        let (intake, requests) = mpsc::channel(crate::intake::QUEUE);
        let task = Intake {
            journal: journal.clone(),
            owner: driver.as_ref().map(|_| worker),
            driver: driver.clone(),
            owned: owned.clone(),
            bus: bus.clone(),
            clock: clock.clone(),
            figures,
            quotas: quotas.clone(),
            tracer: tracer.clone(),
            most_runs: config.max_runs,
        };
        tracker.spawn(task.run(requests));
        Ok(Self(Arc::new(Inner {
            worker,
            outside: database.for_requests(),
            database,
            journal,
            values,
            artifacts,
            bus,
            registry,
            egress,
            secrets,
            clock,
            definitions,
            owned,
            sampler,
            lease,
            lease_for,
            intake,
            quotas,
            driver,
            tracker,
            leading: TaskTracker::new(),
            tracer,
            told,
            stop_taking,
            stop_beating,
            grace: config.grace,
        })))
    }

    /// Stops in good order: takes nothing new, waits for work under way, hands every run back. What does not end within
    /// the grace is left to whoever takes the runs over.
    pub async fn stop(&self) {
        self.0.stop_taking.cancel();
        if let Some(driver) = &self.0.driver
            && !drain(driver, false, self.0.grace).await
        {
            tracing::warn!("work under way did not end within {:?}; it is given up", self.0.grace);
            drain(driver, true, Duration::from_secs(2)).await;
        }
        if self.0.driver.is_some() && tokio::time::timeout(TELL_WITHIN, self.0.told.cancelled()).await.is_err() {
            tracing::warn!("not every run that has ended was told of within {TELL_WITHIN:?}");
        }
        self.0.leading.close();
        // It says itself when it could not hand on.
        let _ = tokio::time::timeout(TELL_WITHIN, self.0.leading.wait()).await;
        if tokio::time::timeout(TELL_WITHIN, self.0.secrets.settle()).await.is_err() {
            tracing::warn!("a connection's token was being refreshed for longer than {TELL_WITHIN:?}; it is given up");
        }
        if let Err(error) = self.0.journal.stopped(self.0.worker).await {
            tracing::warn!(error = %error, "the process could not say that it stopped; its lease tells the others");
        }
        self.0.stop_beating.cancel();
        self.0.tracker.close();
    }
}

async fn drain(driver: &mpsc::UnboundedSender<Command>, force: bool, within: Duration) -> bool {
    let (done, drained) = oneshot::channel();
    if driver.send(Command::Drain { force, done }).is_err() {
        return true;
    }
    tokio::time::timeout(within, drained).await.is_ok()
}

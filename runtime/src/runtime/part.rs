//! What a process is opened with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::drive::DriveConfig;
use nodes::Registry;
use nodes::outgoing::Outgoing;

use super::OpenError;
use crate::blob::BlobStore;
use crate::clock::Clock;
use crate::database::Database;
use crate::event::EventBus;
use crate::journal::Journal;
use crate::secret::{KeySource, Secrets};
use crate::trace::Tracer;

/// How a process takes part.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// How long a heartbeat may stand still before others take the runs. PostgreSQL only.
    pub lease: Duration,
    /// Whether this process drives runs, or only starts and shows them.
    pub drive: bool,
    /// What people see of it.
    pub worker_name: String,
    /// Most calls to the outside at once.
    pub max_concurrent_effects: usize,
    /// Most runs in memory.
    pub max_runs: usize,
    /// How long a graceful stop waits for work under way.
    pub grace: Duration,
    /// How often runs are looked for without being told.
    pub look_every: Duration,
    /// Parsed values kept, in bytes of their JSON.
    pub value_cache: u64,
    /// Largest file, in bytes.
    pub max_file: u64,
    /// When to commit.
    pub drive_config: DriveConfig,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            drive: true,
            worker_name: "flowforge".to_owned(),
            max_concurrent_effects: 256,
            max_runs: 10_000,
            grace: Duration::from_secs(10),
            look_every: Duration::from_millis(500),
            value_cache: 16 * 1024 * 1024,
            max_file: 10 * 1024 * 1024 * 1024,
            drive_config: DriveConfig::default(),
        }
    }
}

/// What a process works with.
pub struct Parts {
    /// Where everything is kept.
    pub database: Database,
    /// Where runs are kept.
    pub journal: Arc<dyn Journal>,
    /// Where large values are kept.
    pub blobs: BlobStore,
    /// Who is told of commits.
    pub bus: EventBus,
    /// The node types.
    pub registry: Registry,
    /// The way out.
    pub outgoing: Outgoing,
    /// What connections hide.
    pub secrets: Secrets,
    /// The time.
    pub clock: Clock,
    /// Who is told of runs as they end.
    pub tracer: Tracer,
}

impl Parts {
    /// The parts of a process that keeps its blobs in a folder and has no master key.
    ///
    /// # Errors
    /// When the bus cannot reach the database.
    pub async fn new(
        database: Database,
        artifacts: &Path,
        registry: Registry,
        outgoing: Outgoing,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let blobs = BlobStore::folder(artifacts, database.clone(), clock.clone())?;
        Self::with_blobs(database, blobs, registry, outgoing, clock).await
    }

    /// The parts of a process that keeps its blobs there and has no master key.
    ///
    /// # Errors
    /// When the bus cannot reach the database.
    pub async fn with_blobs(
        database: Database,
        blobs: BlobStore,
        registry: Registry,
        outgoing: Outgoing,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let bus = EventBus::of(&database).await?;
        let journal = crate::journal::open(&database);
        let secrets = Secrets::new(database.clone(), clock.clone(), KeySource::None);
        let tracer = Tracer::default();
        Ok(Self { database, journal, blobs, bus, registry, outgoing, secrets, clock, tracer })
    }
}

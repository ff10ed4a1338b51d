//! The handles that use cases work with.

use std::sync::Arc;

use runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::cache::KeyCache;
use crate::auth::guess::Guesses;
use crate::auth::last_use::LastUse;
use crate::auth::oidc::{OidcError, Provider};
use crate::config::Config;
use crate::service::access::Access;
use crate::service::caller::Told;
use crate::service::denial::Denials;
use crate::service::hook::Pace;
use crate::service::plan::PlanCache;
use crate::service::signature::Verified;

/// The handles, and nothing else.
pub struct App {
    /// Drives runs, and knows the database, the node types, the time and new ids.
    pub runtime: Runtime,
    /// The settings.
    pub config: Arc<Config>,
    /// Keys that were right a moment ago.
    pub keys: KeyCache,
    /// Wrong keys of the last minute.
    pub guesses: Guesses,
    /// When keys were last shown.
    pub last_use: LastUse,
    /// What was denied in the last minute.
    pub denials: Denials,
    /// Tells what is open whose rights changed.
    pub access: Access,
    /// The OpenID provider that people sign in at, where there is one.
    pub provider: Option<Provider>,
    /// What the provider's tokens said last of people.
    pub told: Told,
    /// Definitions that were used.
    pub plans: PlanCache,
    /// How much came to webhooks in the current minute.
    pub pace: Pace,
    /// Versions whose signatures were right.
    pub verified: Verified,
    /// Set when the process was asked to stop: not ready any more, and streams end.
    pub stopping: CancellationToken,
    /// What requests do beside themselves.
    pub tasks: TaskTracker,
}

impl App {
    /// The handles of a process.
    ///
    /// # Errors
    /// When the provider of the settings cannot be asked at all.
    pub fn new(runtime: Runtime, config: Arc<Config>) -> Result<Self, OidcError> {
        let tasks = TaskTracker::new();
        let clock = runtime.clock();
        let provider = config.oidc.clone().map(|oidc| Provider::new(oidc, clock.clone(), tasks.clone())).transpose()?;
        Ok(Self {
            runtime,
            config,
            keys: KeyCache::default(),
            guesses: Guesses::default(),
            last_use: LastUse::default(),
            denials: Denials::default(),
            access: Access::default(),
            provider,
            told: Told::default(),
            plans: PlanCache::default(),
            pace: Pace::default(),
            verified: Verified::default(),
            stopping: CancellationToken::new(),
            tasks,
        })
    }
}

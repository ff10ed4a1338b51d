//! From settings to a listening process, and back down in order.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::serve::ListenerExt as _;
use engine::id::ApiKeyId;
use migration::{Migrator, MigratorTrait as _};
use nodes::outgoing::{BuildError, Outgoing, OutgoingPolicy};
use runtime::blob::{BlobStore, Checked};
use runtime::clock::Clock;
use runtime::database::{
    DatabaseError, DatabaseOptions, FolderLock, WallError, lock_folder, make_private_folder, wall,
};
use runtime::secret::{SecretError, Secrets};
use runtime::trace::Tracer;
use runtime::{Database, DatabaseKind, OpenError, Parts, Runtime, RuntimeConfig};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::auth::oidc::OidcError;
use crate::auth::{Role, Scope};
use crate::config::Config;
use crate::service::audit::Context;
use crate::service::audit_chain::{Remembered, Verdict};
use crate::service::key::{CreatedKey, NewKey};
use crate::service::workspace::{self, DEFAULT_SLUG};
use crate::service::{ServiceError, access, audit_chain, denial, key, project, session, trigger};
use crate::telemetry::export::ExportError;
use crate::{graphql, rest, store, telemetry};

mod code;

/// Why a process did not start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error("the data folder {path} cannot be used: {cause}")]
    DataFolder {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The database cannot be reached, or another process has the data folder.
    #[error(transparent)]
    Database(DatabaseError),
    /// The schema could not be brought up to date.
    #[error("the database could not be migrated: {0}")]
    Migration(sea_orm::DbErr),
    /// Requests could reach rows of other workspaces, were a query wrong.
    #[error("the second wall between workspaces is not whole: {0}")]
    Wall(#[from] WallError),
    /// Outgoing calls cannot be set up.
    #[error("outgoing calls cannot be set up: {0}")]
    Outgoing(#[from] BuildError),
    /// The first workspace, or a key, could not be made.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A master key is missing, unknown or unreadable.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The OpenID provider of the settings cannot be asked at all.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// Traces cannot be sent.
    #[error("traces cannot be sent as `[telemetry]` says: {0}")]
    Export(#[from] ExportError),
    /// The driver did not start.
    #[error("the driver did not start: {0}")]
    Runtime(#[from] OpenError),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// Listening ended with an error.
    #[error("the server broke down: {0}")]
    Serve(#[source] std::io::Error),
}

/// What a process that listens can say of itself; `Display` is what to do next.
#[derive(Debug, Clone)]
pub struct Banner {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its data lies, when that is a folder of its own.
    pub data_dir: Option<String>,
    /// Whether nobody has a key yet.
    pub needs_key: bool,
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "FlowForge listens on http://{}", self.address)?;
        if let Some(folder) = &self.data_dir {
            writeln!(f, "Its data lies in {folder}")?;
        }
        writeln!(f)?;
        writeln!(f, "What to do next, in another terminal:")?;
        if self.needs_key {
            writeln!(f, "  flowforge key create --workspace default --role admin    make a key, shown once")?;
            writeln!(f, "  export FLOWFORGE_KEY=ff_…                                let the next commands use it")?;
        }
        writeln!(f, "  flowforge workflow apply FILE.flow.yaml                  publish a workflow")?;
        write!(f, "  flowforge workflow run NAME                              start it and watch")
    }
}

/// Serves until SIGTERM or ctrl-c, then ends in order. `announce` is called once it listens.
///
/// # Errors
/// What kept it from starting or going on.
pub async fn serve(config: Config, announce: impl FnOnce(&Banner)) -> Result<(), ServeError> {
    serve_until(config, announce, stop_asked()).await
}

/// The same until `stop` is done, for those who embed a server.
///
/// # Errors
/// What kept it from starting or going on.
pub async fn serve_until(
    config: Config,
    announce: impl FnOnce(&Banner),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    telemetry::init(&config.log);
    telemetry::figure::collect();
    let lock = lock_data_folder(&config)?;
    let clock = Clock::system();
    let database = prepared_database(&config, &clock).await?;
    check_wall(&database).await?;
    let needs_key = !store::api_key::any(&database).await.map_err(ServiceError::from)?;
    let (tracer, export) = telemetry::export::start(&config.telemetry, &clock)?;
    // Before the runtime, which has to know where nobody may call.
    let listener = TcpListener::bind(config.server.bind)
        .await
        .map_err(|cause| ServeError::Bind { address: config.server.bind, cause })?;
    let address = listener.local_addr().map_err(ServeError::Serve)?;
    let runtime = open_runtime(&config, database, clock, tracer, address).await?;
    let data_dir = config.database.url.is_sqlite().then(|| config.data_dir.display().to_string());
    let shutdown = config.server.shutdown;
    let app = Arc::new(App::new(runtime.clone(), Arc::new(config))?);
    runtime.watch_clock(trigger::gate(&app));
    runtime.tell_outside();
    tracing::info!(server.address = %address, "listening on {address}");
    announce(&Banner { address, data_dir, needs_key });
    let served = listen(listener, Arc::clone(&app), stop, shutdown).await;
    runtime.stop().await;
    // After the last run was handed back, so that its spans go too.
    if let Some(export) = export {
        export.stop().await;
    }
    runtime.database().close().await;
    tracing::info!("stopped");
    drop(lock);
    served
}

/// Makes a key on these settings, also while a server runs on them.
///
/// # Errors
/// `NotFound` when there is no such workspace.
pub async fn create_key(
    config: &Config,
    slug: &str,
    role: Role,
    name: &str,
    projects: &[String],
) -> Result<CreatedKey, ServeError> {
    let clock = Clock::system();
    let database = prepared_database(config, &clock).await?;
    let created = make_key(config, &database, &clock, slug, NewKey::of(name, role), projects).await;
    database.close().await;
    created
}

/// Makes a link that opens an admin's session in a browser, also while a server runs on these settings: the secret part
/// of its address.
///
/// # Errors
/// `NotFound` when there is no such workspace.
pub async fn create_login_link(config: &Config, slug: &str) -> Result<String, ServeError> {
    if !config.has_login_links() {
        let message = "people sign in at the OpenID provider here; a key is made by `flowforge key create`".to_owned();
        return Err(ServiceError::Conflict { message }.into());
    }
    let clock = Clock::system();
    let database = prepared_database(config, &clock).await?;
    let made = make_login_link(&database, &clock, slug).await;
    database.close().await;
    made
}

/// Looks whether the artifact store has what the database says, also while a server runs on these settings.
///
/// # Errors
/// When the store or the database cannot be read.
pub async fn check_artifacts(config: &Config) -> Result<Checked, ServeError> {
    let clock = Clock::system();
    let database = prepared_database(config, &clock).await?;
    let checked = match open_blobs(config, &database, &clock).await {
        Ok(blobs) => wall::of_system(blobs.check()).await.map_err(|error| OpenError::from(error).into()),
        Err(error) => Err(error),
    };
    database.close().await;
    checked
}

/// Looks whether a workspace's audit is what was written, also while a server runs on these settings.
///
/// # Errors
/// `NotFound` when there is no such workspace; when the database cannot be read.
pub async fn verify_audit(config: &Config, slug: &str, kept: &[Remembered]) -> Result<Verdict, ServeError> {
    let clock = Clock::system();
    let database = prepared_database(config, &clock).await?;
    let found = store::workspace::find_by_slug(&database, slug).await.map_err(ServiceError::from);
    let verdict = match found {
        Ok(Some(workspace)) => {
            let secrets = secrets(config, &database, &clock);
            audit_chain::verify(&database, &secrets, workspace.id, kept).await
        }
        Ok(None) => Err(ServiceError::NotFound { what: "workspace" }),
        Err(error) => Err(error),
    };
    database.close().await;
    Ok(verdict?)
}

async fn make_login_link(database: &Database, clock: &Clock, slug: &str) -> Result<String, ServeError> {
    let workspace = store::workspace::find_by_slug(database, slug).await.map_err(ServiceError::from)?;
    let workspace = workspace.ok_or(ServiceError::NotFound { what: "workspace" })?;
    let context = Context::command(workspace.id, clock);
    Ok(session::link(database, &context, Role::Admin).await?)
}

/// Makes an admin's key in the default workspace when no key was ever made here.
///
/// # Errors
/// When the database cannot be used.
pub async fn create_first_key(config: &Config, name: &str) -> Result<Option<CreatedKey>, ServeError> {
    let clock = Clock::system();
    let database = prepared_database(config, &clock).await?;
    let created = match store::api_key::any(&database).await.map_err(ServiceError::from) {
        Ok(true) => Ok(None),
        Ok(false) => {
            make_key(config, &database, &clock, DEFAULT_SLUG, NewKey::of(name, Role::Admin), &[]).await.map(Some)
        }
        Err(error) => Err(error.into()),
    };
    database.close().await;
    created
}

async fn make_key(
    config: &Config,
    database: &Database,
    clock: &Clock,
    slug: &str,
    mut new: NewKey,
    projects: &[String],
) -> Result<CreatedKey, ServeError> {
    let workspace = store::workspace::find_by_slug(database, slug).await.map_err(ServiceError::from)?;
    let workspace = workspace.ok_or(ServiceError::NotFound { what: "workspace" })?;
    if !projects.is_empty() {
        new.projects = project::limit_in(database, &Scope::whole(workspace.id), projects).await?;
    }
    let context = Context::command(workspace.id, clock);
    let secrets = secrets(config, database, clock);
    secrets.prepare().await?;
    Ok(key::make(database, &secrets, &context, new, ApiKeyId(clock.new_id())).await?)
}

/// The database with its schema and its first workspace.
pub(crate) async fn prepared_database(config: &Config, clock: &Clock) -> Result<Database, ServeError> {
    make_data_folder(config)?;
    let database = open_database(config).await?;
    if config.database.migrate {
        migrate_database(&database).await?;
    }
    workspace::bootstrap(&database, clock).await?;
    Ok(database)
}

async fn listen(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
    shutdown: Duration,
) -> Result<(), ServeError> {
    let stopping = app.stopping.clone();
    let tasks = app.tasks.clone();
    let upkeep = tasks.spawn(telemetry::figure::upkeep());
    let noting = Arc::clone(&app);
    let notes = tasks.spawn(async move {
        let upkeep =
            async { tokio::join!(key::upkeep(&noting), denial::upkeep(&noting), audit_chain::upkeep(&noting)) };
        // For whoever used a key or was denied something, in any workspace.
        wall::of_system(upkeep).await;
    });
    let kept = Arc::clone(&app);
    let access = tasks.spawn(wall::of_system(access::watch(Arc::clone(&app))));
    let asked = stopping.clone();
    let watch = tasks.spawn(async move {
        stop.await;
        asked.cancel();
    });
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for a full packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "TCP_NODELAY was refused");
        }
    });
    let routes = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stopping.clone().cancelled_owned());
    let serving = serving.into_future();
    let too_long = async {
        stopping.cancelled().await;
        tokio::time::sleep(shutdown).await;
    };
    let served = tokio::select! {
        served = serving => served.map_err(ServeError::Serve),
        () = too_long => {
            tracing::warn!("some requests did not end within {} s", shutdown.as_secs());
            Ok(())
        }
    };
    upkeep.abort();
    access.abort();
    watch.abort();
    notes.abort();
    tasks.close();
    tasks.wait().await;
    wall::of_system(key::write_uses(&kept)).await;
    wall::of_system(denial::write_counted(&kept, true)).await;
    served
}

/// Every route, with what all of them share; for those who bring a server of their own.
pub fn router(app: Arc<App>) -> Router {
    rest::router(Arc::clone(&app))
        .merge(graphql::router(Arc::clone(&app)))
        .layer(CatchPanicLayer::custom(rest::panicked))
        .layer(map_response(rest::pages::as_declared))
        .layer(from_fn_with_state(app, telemetry::observe))
        .layer(from_fn(|request: Request, next: Next| wall::of_nobody(next.run(request))))
}

fn make_data_folder(config: &Config) -> Result<(), ServeError> {
    let unusable = |path: &Path| {
        let path = path.display().to_string();
        move |cause| ServeError::DataFolder { path, cause }
    };
    make_private_folder(&config.data_dir).map_err(unusable(&config.data_dir))?;
    match &config.artifact.bucket {
        Some(_) => Ok(()),
        None => make_private_folder(&config.artifact.folder).map_err(unusable(&config.artifact.folder)),
    }
}

/// One `serve` a folder: two drivers would only fight over SQLite's one writer.
fn lock_data_folder(config: &Config) -> Result<Option<FolderLock>, ServeError> {
    make_data_folder(config)?;
    config.database.url.is_sqlite().then(|| lock_folder(&config.data_dir)).transpose().map_err(ServeError::Database)
}

async fn open_database(config: &Config) -> Result<Database, ServeError> {
    let options = DatabaseOptions {
        max_connections: config.database.connections,
        row_security: config.database.row_security,
        ..DatabaseOptions::default()
    };
    Database::connect(config.database.url.expose(), &options).await.map_err(ServeError::Database)
}

async fn migrate_database(database: &Database) -> Result<(), ServeError> {
    Migrator::up(database.write(), None).await.map_err(ServeError::Migration)?;
    migration::stand_wall(database.write()).await.map_err(ServeError::Migration)
}

/// Two walls or none said: whoever goes without the second one hears of it at each start.
async fn check_wall(database: &Database) -> Result<(), WallError> {
    if database.kind() == DatabaseKind::Postgres && !database.has_wall() {
        tracing::warn!(
            "row-level security is off, as `database.row_security` says: only the queries themselves keep workspaces apart"
        );
    }
    database.check_wall().await
}

async fn open_runtime(
    config: &Config,
    database: Database,
    clock: Clock,
    tracer: Tracer,
    own: SocketAddr,
) -> Result<Runtime, ServeError> {
    let policy = OutgoingPolicy {
        allow_hosts: config.http.allow_hosts.clone(),
        sqlite_folder: config.http.sqlite_folder.clone(),
        own: Some(own),
    };
    let outgoing = Outgoing::new(policy)?;
    let registry = nodes::Registry::built_in().with(nodes::code::Js::new(code::room(config)?));
    #[cfg(debug_assertions)]
    let registry = if config.testing.nodes { registry.with(runtime::crash::Abort) } else { registry };
    #[cfg(debug_assertions)]
    if let Some((point, nth)) = &config.testing.crash_at {
        runtime::crash::arm(point, *nth);
    }
    let secrets = secrets(config, &database, &clock);
    secrets.prepare().await?;
    let blobs = open_blobs(config, &database, &clock).await?;
    let mut parts = Parts::with_blobs(database, blobs, registry, outgoing, clock).await?;
    parts.secrets = secrets;
    parts.tracer = tracer;
    let mut settings = RuntimeConfig {
        lease: config.runtime.lease,
        drive: config.runtime.drive,
        max_concurrent_effects: config.runtime.max_concurrent_effects,
        max_file: config.artifact.max_file,
        ..RuntimeConfig::default()
    };
    if let Some(name) = &config.runtime.worker_name {
        settings.worker_name.clone_from(name);
    }
    Ok(Runtime::open(settings, parts).await?)
}

async fn open_blobs(config: &Config, database: &Database, clock: &Clock) -> Result<BlobStore, ServeError> {
    let blobs = match &config.artifact.bucket {
        Some(bucket) => BlobStore::s3(bucket, database.clone(), clock.clone()).await,
        None => BlobStore::folder(&config.artifact.folder, database.clone(), clock.clone()),
    };
    Ok(blobs.map_err(OpenError::from)?)
}

pub(crate) fn secrets(config: &Config, database: &Database, clock: &Clock) -> Secrets {
    Secrets::new(database.clone(), clock.clone(), config.secrets.source.clone())
}

/// SIGTERM or ctrl-c.
async fn stop_asked() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

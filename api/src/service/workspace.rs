//! Tenants, and the first one.

use engine::id::{EnvironmentId, ProjectId, WorkspaceId};
use runtime::Database;
use runtime::clock::Clock;

use super::ServiceError;
use super::project::{Project, default_environment};
use crate::app::App;
use crate::auth::Viewer;
use crate::store;

/// The workspace, and the project in it, that the first start makes.
pub const DEFAULT_SLUG: &str = "default";

/// A tenant: owns projects, keys and limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// The viewer's workspace.
///
/// # Errors
/// When the database cannot be read.
pub async fn get(app: &App, viewer: &Viewer) -> Result<Workspace, ServiceError> {
    let found = store::workspace::find(app.runtime.database(), viewer.workspace).await?;
    found.ok_or(ServiceError::NotFound { what: "workspace" })
}

/// Makes the first workspace and its first project, once an installation. Several processes may do this at once.
///
/// # Errors
/// When the database cannot be written, or the system has no random bytes for the workspace's salt.
pub async fn bootstrap(database: &Database, clock: &Clock) -> Result<Workspace, ServiceError> {
    if let Some(found) = store::workspace::find_by_slug(database, DEFAULT_SLUG).await? {
        let project = store::project::find_by_slug(database, found.id, DEFAULT_SLUG).await?;
        if project.is_some() {
            return Ok(found);
        }
    }
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(ServiceError::internal)?;
    let new = Workspace { id: WorkspaceId(clock.new_id()), slug: DEFAULT_SLUG.to_owned(), name: "Default".to_owned() };
    store::workspace::insert(database, &new, salt, clock.now()).await?;
    let made = store::workspace::find_by_slug(database, DEFAULT_SLUG).await?;
    let made = made.ok_or_else(|| ServiceError::internal("the default workspace was made and is not there"))?;
    let first = Project {
        id: ProjectId(clock.new_id()),
        slug: DEFAULT_SLUG.to_owned(),
        title: "Default".to_owned(),
        created_at: clock.now(),
    };
    let environment = default_environment(EnvironmentId(clock.new_id()), &first);
    store::project::bootstrap(database, made.id, &first, &environment).await?;
    tracing::info!(workspace.id = %made.id, "workspace {} is there", made.slug);
    Ok(made)
}

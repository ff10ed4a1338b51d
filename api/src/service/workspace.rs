//! Tenants, and the first one.

use engine::id::{EnvironmentId, MemberId, ProjectId, WorkspaceId};
use engine::time::Timestamp;
use runtime::Database;
use runtime::clock::Clock;
use runtime::database::wall;

use super::audit::Context;
use super::member::{Member, Source};
use super::project::{Project, default_environment};
use super::{ServiceError, member, text};
use crate::app::App;
use crate::auth::{Permission, Principal, Role, RoleRef, Scope, Viewer};
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

/// The workspaces that the viewer is in: of a person all, of a program the one that its key opens.
///
/// # Errors
/// When the database cannot be read.
pub async fn mine(app: &App, viewer: &Viewer) -> Result<Vec<Workspace>, ServiceError> {
    match viewer.principal {
        Principal::User(user) => {
            Ok(member::workspaces_of(app, user).await?.into_iter().map(|(workspace, _)| workspace).collect())
        }
        Principal::ApiKey(_) | Principal::ServiceAccount(_) => Ok(vec![get(app, viewer).await?]),
    }
}

/// Makes a workspace with its first project; the viewer is its owner.
///
/// # Errors
/// When they may not, are no person, or a name cannot be used or is taken.
pub async fn create(app: &App, viewer: &Viewer, slug: &str, name: Option<&str>) -> Result<Workspace, ServiceError> {
    viewer.require(Permission::WorkspaceOwn)?;
    let Principal::User(user) = viewer.principal else {
        let message = "only a person can make a workspace: it needs an owner, and a program cannot be one".to_owned();
        return Err(ServiceError::Conflict { message });
    };
    text::slug("slug", slug)?;
    let name = name.unwrap_or(slug);
    text::key("name", name)?;
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(ServiceError::internal)?;
    let clock = app.runtime.clock();
    let new = Workspace { id: WorkspaceId(clock.new_id()), slug: slug.to_owned(), name: name.to_owned() };
    let context = Context::of(app, viewer).in_workspace(new.id);
    let first = first_project(clock, context.at);
    let environment = default_environment(EnvironmentId(clock.new_id()), &first);
    let owner = Member {
        id: MemberId(clock.new_id()),
        workspace: new.id,
        user,
        role: RoleRef::BuiltIn(Role::Owner),
        projects: None,
        source: Source::Local,
        created_by: viewer.actor(),
        created_at: context.at,
    };
    let database = app.runtime.database();
    // It is another workspace than the one that they ask from.
    let create = store::workspace::create(database, &context, (&new, salt), (&first, &environment), &owner);
    wall::of_system(create).await?;
    Ok(new)
}

/// Goes to another workspace of the person, for as long as their session lasts: requests of it that name no workspace are
/// about this one.
///
/// # Errors
/// `NotFound` when they are not in it; `Conflict` for who has no session to keep the choice.
pub async fn choose(app: &App, viewer: &Viewer, wanted: &str) -> Result<Workspace, ServiceError> {
    let none = || {
        let message = "only the session of a browser keeps a choice; send the header `X-FlowForge-Workspace` instead";
        ServiceError::Conflict { message: message.to_owned() }
    };
    let Principal::User(user) = viewer.principal else { return Err(none()) };
    let chosen = member::one_of(app, user, Some(wanted)).await?;
    let (database, context) = (app.runtime.database(), Context::of(app, viewer));
    match (viewer.session, viewer.key) {
        // The session stays where it was opened, which may be another workspace than the one that they ask from.
        (Some(session), _) => {
            wall::of_system(store::user_session::choose(database, &context, session, chosen.id)).await?;
        }
        (None, Some(key)) => {
            wall::of_system(store::api_key::choose(database, &context, (key, user), chosen.id)).await?;
        }
        (None, None) => return Err(none()),
    }
    app.keys.clear();
    Ok(chosen)
}

/// Gives the viewer's workspace another name for people. Its slug stays.
///
/// # Errors
/// When they may not, or the name cannot be used.
pub async fn rename(app: &App, viewer: &Viewer, name: &str) -> Result<Workspace, ServiceError> {
    viewer.require(Permission::WorkspaceManage)?;
    text::key("name", name)?;
    let before = get(app, viewer).await?;
    let after = Workspace { name: name.to_owned(), ..before.clone() };
    store::workspace::rename(app.runtime.database(), &Context::of(app, viewer), &before, &after).await?;
    Ok(after)
}

fn first_project(clock: &Clock, at: Timestamp) -> Project {
    let (slug, title) = (DEFAULT_SLUG.to_owned(), "Default".to_owned());
    Project { id: ProjectId(clock.new_id()), slug, title, created_at: at }
}

/// Makes the first workspace and its first project, once an installation. Several processes may do this at once.
///
/// # Errors
/// When the database cannot be written, or the system has no random bytes for the workspace's salt.
pub async fn bootstrap(database: &Database, clock: &Clock) -> Result<Workspace, ServiceError> {
    if let Some(found) = store::workspace::find_by_slug(database, DEFAULT_SLUG).await? {
        let project = store::project::find_by_slug(database, &Scope::whole(found.id), DEFAULT_SLUG).await?;
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
    let first = first_project(clock, clock.now());
    let environment = default_environment(EnvironmentId(clock.new_id()), &first);
    store::project::bootstrap(database, made.id, &first, &environment).await?;
    tracing::info!(workspace.id = %made.id, "workspace {} is there", made.slug);
    Ok(made)
}

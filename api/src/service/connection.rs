//! Connections: named credentials of a project in an environment. Their secrets go in and never come out again.

use std::collections::BTreeMap;

use engine::error::ErrorInfo;
use engine::id::{ConnectionId, ProjectId, SecretId};
use engine::time::Timestamp;
use nodes::connection::{ConnectionType, FieldFault, SecretText, connection_type};
use runtime::secret::redact::Redactor;
use runtime::secret::{Refs, Sealed, SecretError, SecretRef, Slot, WorkspaceKey};
use serde_json::{Map, Value};

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::workflow::{self, Workflow};
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

mod need;
pub mod sign_in;

pub(super) use need::require;

const LIST: &str = "connections";
/// How often a change is tried again that another one got in the way of.
const TRIES: usize = 4;

/// A named credential, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its project's slug.
    pub project: String,
    /// The environment whose runs find it.
    pub environment: String,
    /// What nodes call it, unique in project and environment.
    pub name: String,
    /// Its type, such as `http.bearer`.
    pub r#type: String,
    /// The fields that are no secrets.
    pub fields: Map<String, Value>,
    /// Which secret each secret field has.
    pub(crate) secrets: Refs,
    /// Rises with each change.
    pub revision: i32,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How its last test went.
    pub tested: Option<Tested>,
}

impl Connection {
    /// The names of the secret fields that are set.
    pub fn secret_fields(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// When.
    pub at: Timestamp,
    /// Whether the service took the credentials.
    pub passed: bool,
    /// What it answered, or why it was not asked.
    pub message: String,
}

/// A connection to make.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// The project's slug.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: String,
    /// The fields that are no secrets.
    pub fields: Map<String, Value>,
    /// The secret fields.
    pub secrets: BTreeMap<String, SecretText>,
}

/// What is to change; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// All the fields that are no secrets, anew.
    pub fields: Option<Map<String, Value>>,
    /// New values of these secret fields.
    pub secrets: BTreeMap<String, SecretText>,
    /// The revision that the asker has seen; another one is a conflict.
    pub expected_revision: Option<i32>,
}

/// Which connections to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this project's slug.
    pub project: Option<String>,
    /// Of this environment.
    pub environment: Option<String>,
    /// Of this name.
    pub name: Option<String>,
    /// Of this type.
    pub r#type: Option<String>,
}

/// An encrypted value with its place, ready for its row.
#[derive(Debug)]
pub(crate) struct SealedSecret {
    pub(crate) at: SecretRef,
    pub(crate) sealed: Sealed,
}

fn unfit(place: &'static str) -> impl Fn(FieldFault) -> ServiceError {
    move |fault| ServiceError::invalid(place, format!("`{}` {}", fault.field, fault.message))
}

impl From<SecretError> for ServiceError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Database(error) => error.into(),
            SecretError::KeyMissing | SecretError::KeyUnknown { .. } => {
                Self::Unavailable { message: error.to_string() }
            }
            SecretError::Damaged { .. }
            | SecretError::ConnectionMissing { .. }
            | SecretError::ConnectionTypeMismatch { .. } => Self::Conflict { message: error.to_string() },
            // These name files of the server.
            SecretError::KeyFileGone { .. } | SecretError::KeyInvalid(_) | SecretError::Random(_) => {
                Self::internal(error)
            }
        }
    }
}

/// The connection of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: ConnectionId) -> Result<Connection, ServiceError> {
    viewer.require(Permission::ConnectionUse)?;
    let found = store::connection::find(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "connection" })
}

/// Connections by name.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Connection>, ServiceError> {
    viewer.require(Permission::ConnectionUse)?;
    let window = page.window(&viewer.cursors, LIST, |place| {
        let (id, name) = place.split_once(' ')?;
        Some((name.to_owned(), id.parse().ok()?))
    })?;
    let rows = store::connection::list(app.runtime.database(), &viewer.scope(), filter, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(LIST, &format!("{} {}", row.id, row.name))))
}

/// Makes a connection.
///
/// # Errors
/// When they may not, a field does not fit, the name is taken, or there is no master key.
pub async fn create(app: &App, viewer: &Viewer, new: NewConnection) -> Result<Connection, ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    text::slug("name", &new.name)?;
    text::slug("environment", &new.environment)?;
    let kind = connection_type(&new.r#type).ok_or_else(|| {
        ServiceError::invalid("type", "there is no connection type of this name; `connectionTypes` lists them")
    })?;
    let fields = kind.plain_fields(new.fields).map_err(unfit("fields"))?;
    check_secrets(kind, &new.secrets)?;
    if let Some(missing) = kind.needed_secrets().find(|field| !new.secrets.contains_key(*field)) {
        return Err(ServiceError::invalid("secrets", format!("`{missing}` is missing")));
    }
    let database = app.runtime.database();
    let project = store::project::find_by_slug(database, &viewer.scope(), &new.project).await?;
    let project = project.ok_or(ServiceError::NotFound { what: "project" })?;
    let now = app.runtime.now();
    let mut connection = Connection {
        id: ConnectionId(app.runtime.clock().new_id()),
        project_id: project.id,
        project: project.slug,
        environment: new.environment,
        name: new.name,
        r#type: kind.name.to_owned(),
        fields,
        secrets: Refs::new(),
        revision: 1,
        created_by: viewer.actor(),
        created_at: now,
        updated_by: viewer.actor(),
        updated_at: now,
        tested: None,
    };
    let key = app.runtime.secrets().workspace_key(viewer.workspace).await?;
    let sealed = seal(app, &key, &mut connection, &new.secrets)?;
    if !store::connection::insert(database, &Context::of(app, viewer), &connection, &sealed).await? {
        let Connection { name, environment, .. } = connection;
        let message = format!("the environment `{environment}` has a connection `{name}` already; change that one");
        return Err(ServiceError::Conflict { message });
    }
    tracing::info!(connection.id = %connection.id, "connection {} made", connection.name);
    Ok(connection)
}

/// Changes a connection. Secret fields that are not given keep their values.
///
/// # Errors
/// When they may not, it is not there, a field does not fit, or it was changed meanwhile.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: ConnectionId,
    change: ConnectionChange,
) -> Result<Connection, ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    let key = app.runtime.secrets().workspace_key(viewer.workspace).await?;
    for _ in 0..TRIES {
        let before = get(app, viewer, id).await?;
        if change.expected_revision.is_some_and(|expected| expected != before.revision) {
            let message = format!("the connection has revision {} by now; look at it again", before.revision);
            return Err(ServiceError::Conflict { message });
        }
        let kind = connection_type(&before.r#type)
            .ok_or_else(|| ServiceError::internal(format!("{id} is of the unknown type `{}`", before.r#type)))?;
        let fields = change.fields.clone().map(|fields| kind.plain_fields(fields)).transpose();
        check_secrets(kind, &change.secrets)?;
        let mut after = Connection {
            fields: fields.map_err(unfit("fields"))?.unwrap_or_else(|| before.fields.clone()),
            revision: before.revision.saturating_add(1),
            updated_by: viewer.actor(),
            updated_at: app.runtime.now(),
            // What was tested is not there any more.
            tested: None,
            ..before.clone()
        };
        let sealed = seal(app, &key, &mut after, &change.secrets)?;
        let context = Context::of(app, viewer);
        if store::connection::update(app.runtime.database(), &context, &before, &after, &sealed).await? {
            tracing::info!(connection.id = %id, "connection {} changed", after.name);
            return Ok(after);
        }
    }
    Err(ServiceError::Conflict { message: "the connection is being changed by others; look at it again".to_owned() })
}

fn check_secrets(kind: &ConnectionType, secrets: &BTreeMap<String, SecretText>) -> Result<(), ServiceError> {
    let mut all = secrets.iter();
    all.try_for_each(|(field, value)| kind.check_secret(field, value.expose())).map_err(unfit("secrets"))
}

/// Encrypts new values and makes the connection name them.
fn seal(
    app: &App,
    key: &WorkspaceKey,
    connection: &mut Connection,
    values: &BTreeMap<String, SecretText>,
) -> Result<Vec<SealedSecret>, ServiceError> {
    let mut all = Vec::with_capacity(values.len());
    for (field, value) in values {
        let at = match connection.secrets.get(field) {
            Some(old) => SecretRef { id: old.id, version: old.version.saturating_add(1) },
            None => SecretRef { id: SecretId(app.runtime.clock().new_id()), version: 1 },
        };
        let slot = Slot { connection: connection.id, field, secret: at.id, version: at.version };
        all.push(SealedSecret { at, sealed: key.seal(slot, value.expose())? });
        connection.secrets.insert(field.clone(), at);
    }
    Ok(all)
}

/// The workflows that name the connection in what its environment runs now.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn used_by(app: &App, viewer: &Viewer, connection: &Connection) -> Result<Vec<Workflow>, ServiceError> {
    viewer.require(Permission::ConnectionUse)?;
    let ids = need::workflows_that_name(app, viewer.workspace, connection).await?;
    let mut workflows = workflow::by_ids(app, viewer, &ids).await?;
    workflows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(workflows)
}

/// Deletes a connection and its secrets, for good.
///
/// # Errors
/// When they may not, it is not there, or, unless `force`, something deployed uses it.
pub async fn delete(app: &App, viewer: &Viewer, id: ConnectionId, force: bool) -> Result<(), ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    let connection = get(app, viewer, id).await?;
    let users = if force { Vec::new() } else { used_by(app, viewer, &connection).await? };
    if !users.is_empty() {
        let names: Vec<&str> = users.iter().take(10).map(|user| user.name.as_str()).collect();
        let message = format!(
            "the connection is used by what is deployed of {} (in all {}); deploy versions without it, or force it",
            names.join(", "),
            users.len()
        );
        return Err(ServiceError::Conflict { message });
    }
    let context = Context::of(app, viewer);
    if !store::connection::delete(app.runtime.database(), &context, &connection).await? {
        return Err(ServiceError::NotFound { what: "connection" });
    }
    tracing::info!(connection.id = %id, connection.force = force, "connection {} deleted", connection.name);
    Ok(())
}

/// Calls the connection's test URL with its credentials, and keeps how that went.
///
/// # Errors
/// When they may not, or it is not there. A test that does not pass is no error.
pub async fn test(app: &App, viewer: &Viewer, id: ConnectionId) -> Result<(Connection, Tested), ServiceError> {
    let mut connection = get(app, viewer, id).await?;
    let answer = called(app, viewer, id).await;
    let tested = Tested {
        at: app.runtime.now(),
        passed: answer.is_ok(),
        message: match answer {
            Ok(message) => message,
            Err(error) => error.to_string(),
        },
    };
    let database = app.runtime.database();
    store::connection::keep_test(database, viewer.workspace, id, connection.revision, &tested).await?;
    connection.tested = Some(tested.clone());
    Ok((connection, tested))
}

async fn called(app: &App, viewer: &Viewer, id: ConnectionId) -> Result<String, ErrorInfo> {
    let opened = app.runtime.secrets().open(viewer.workspace, id).await?;
    let opened = opened.ok_or_else(|| ErrorInfo::permanent("CONNECTION_UNKNOWN", "the connection was just deleted"))?;
    let redactor = Redactor::of(&opened);
    let _clean_lines = redactor.watch();
    let outgoing = app.runtime.outgoing_of(viewer.workspace).await.map_err(no_way_out)?;
    match opened.test(&outgoing).await {
        Ok(said) => Ok(said),
        Err(mut error) => {
            redactor.error(&mut error);
            Err(error)
        }
    }
}

fn no_way_out(error: sea_orm::DbErr) -> ErrorInfo {
    let message = format!("the workspace's list of hosts cannot be read: {error}");
    ErrorInfo::transient("OUTGOING_POLICY_UNREADABLE", message)
}

//! Who outside is told of runs. URLs and secrets go in and never come out again, save a secret that was just made.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::id::{DeliveryId, NotificationId, ProjectId, RunId};
use engine::time::Timestamp;
use nodes::connection::SecretText;
use runtime::notification::{ENDS, Hidden, KINDS, slot};
use runtime::secret::Sealed;
use serde_json::{Value, json};

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// Most notifications of a workspace.
pub(crate) const MOST: u64 = 100;
/// Longest URL.
const URL_LIMIT: usize = 2_000;
/// Bytes of a secret that is made here, and of those that are taken.
const SECRET_BYTES: usize = 32;
const SECRETS: std::ops::RangeInclusive<usize> = 24..=64;
/// Longest time for which a replaced secret signs too.
const MOST_OVERLAP: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Standard Webhooks: JSON, signed.
    Standard,
    /// A line of text, as Slack takes it.
    Slack,
    /// A line of text, as Discord takes it.
    Discord,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It is or will be sent.
    Pending,
    /// It was taken.
    Delivered,
    /// It was given up.
    Failed,
}

/// Somebody outside who is told of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// The project whose runs it is about; all when there is none.
    pub project: Option<ProjectId>,
    /// The run whose end alone it is told of, when it is a callback.
    pub run: Option<RunId>,
    /// What people call it.
    pub name: String,
    /// How messages are written.
    pub format: Format,
    /// What it is told of.
    pub events: Vec<String>,
    /// Scheme and host of its URL.
    pub target: String,
    /// Rises with each new URL or secret.
    pub version: i32,
    /// Since when nobody takes what it is sent.
    pub failing_since: Option<Timestamp>,
    /// Since when, and why nothing is sent any more.
    pub disabled: Option<(Timestamp, String)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id, which receivers know it by.
    pub id: DeliveryId,
    /// Who is told.
    pub notification: NotificationId,
    /// What happened.
    pub event: String,
    /// The id of what it happened to.
    pub entity: String,
    /// What is sent.
    pub body: Value,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was sent.
    pub attempts: i32,
    /// When it is sent next.
    pub next_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken or given up.
    pub finished_at: Option<Timestamp>,
}

/// One try of sending a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counts from 1.
    pub number: i32,
    /// When.
    pub at: Timestamp,
    /// What the receiver answered.
    pub status: Option<i32>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// A notification to make.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// The project's slug; all projects when there is none.
    pub project: Option<String>,
    /// What people call it.
    pub name: String,
    /// How messages are written.
    pub format: Format,
    /// What it is told of.
    pub events: Vec<String>,
    /// Where messages go.
    pub url: String,
    /// What they are signed with; one is made when there is none.
    pub secret: Option<SecretText>,
}

/// What is to change; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct NotificationChange {
    /// What it is told of.
    pub events: Option<Vec<String>>,
    /// Where messages go.
    pub url: Option<String>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

/// Whom a run tells that it has ended.
#[derive(Debug, Clone)]
pub struct NewCallback {
    /// Where the message goes.
    pub url: String,
    /// What it is signed with.
    pub secret: SecretText,
}

/// What the audit keeps.
pub(crate) fn shown(of: &Notification) -> Value {
    json!({"name": of.name, "events": of.events, "target": of.target, "enabled": of.disabled.is_none()})
}

/// The notification of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: NotificationId) -> Result<Notification, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::notification::find(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "notification" })
}

/// One that people made, and may change.
async fn named(app: &App, viewer: &Viewer, id: NotificationId) -> Result<Notification, ServiceError> {
    let found = get(app, viewer, id).await?;
    if found.run.is_none() { Ok(found) } else { Err(ServiceError::NotFound { what: "notification" }) }
}

/// The callbacks of runs, of those that have one.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn of_runs(app: &App, viewer: &Viewer, runs: &[RunId]) -> Result<Vec<Notification>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::notification::of_runs(app.runtime.database(), viewer.workspace, runs).await?)
}

/// Keeps whom a run is to tell that it has ended, before it is started: a run that is there has its callback.
///
/// # Errors
/// When the callback cannot be used, or there is no master key.
pub(super) async fn keep_callback(
    app: &App,
    viewer: &Viewer,
    run: RunId,
    callback: NewCallback,
) -> Result<(), ServiceError> {
    let now = app.runtime.now();
    let of = Notification {
        id: NotificationId(app.runtime.clock().new_id()),
        project: None,
        run: Some(run),
        name: run.to_string(),
        format: Format::Standard,
        events: ENDS.iter().map(|kind| (*kind).to_owned()).collect(),
        target: target(&callback.url, "callback")?,
        version: 1,
        failing_since: None,
        disabled: None,
        created_at: now,
        updated_at: now,
    };
    let secret = checked_secret(callback.secret, "callback")?;
    let sealed = seal(app, viewer, &of, &Hidden { url: callback.url, secret, previous: None }).await?;
    Ok(store::notification::insert_callback(app.runtime.database(), viewer.workspace, &of, &sealed, &viewer.actor())
        .await?)
}

/// Takes back the callback of a run that was not started.
///
/// # Errors
/// When the database fails; the callback goes by itself later.
pub(super) async fn drop_callback(app: &App, viewer: &Viewer, run: RunId) -> Result<(), ServiceError> {
    Ok(store::notification::delete_callback(app.runtime.database(), viewer.workspace, run).await?)
}

/// The notifications of the workspace, by name.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Notification>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::notification::list(app.runtime.database(), &viewer.scope()).await?)
}

/// Makes a notification; from now on it is told. Its secret comes back this once, unless the asker brought it.
///
/// # Errors
/// When they may not, a field cannot be used, the name is taken, or there is no master key.
pub async fn create(
    app: &App,
    viewer: &Viewer,
    new: NewNotification,
) -> Result<(Notification, Option<String>), ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    text::slug("name", &new.name)?;
    if new.project.is_none() && viewer.projects.is_some() {
        let message = "name a project: you see only some of this workspace's";
        return Err(ServiceError::invalid("project", message));
    }
    let project = match &new.project {
        Some(slug) => {
            let found = store::project::find_by_slug(app.runtime.database(), &viewer.scope(), slug).await?;
            Some(found.ok_or(ServiceError::NotFound { what: "project" })?.id)
        }
        None => None,
    };
    let given = new.secret.is_some();
    let secret = match new.secret {
        Some(secret) => checked_secret(secret, "secret")?,
        None => drawn_secret()?,
    };
    let now = app.runtime.now();
    let notification = Notification {
        id: NotificationId(app.runtime.clock().new_id()),
        project,
        run: None,
        name: new.name,
        format: new.format,
        events: checked_events(new.events)?,
        target: target(&new.url, "url")?,
        version: 1,
        failing_since: None,
        disabled: None,
        created_at: now,
        updated_at: now,
    };
    let hidden = Hidden { url: new.url, secret, previous: None };
    let sealed = seal(app, viewer, &notification, &hidden).await?;
    let shown_once = (!given && notification.format == Format::Standard).then(|| hidden.secret.clone());
    let context = Context::of(app, viewer);
    store::notification::insert(app.runtime.database(), &context, &notification, &sealed, &viewer.actor()).await?;
    Ok((notification, shown_once))
}

/// Changes a notification, or switches it on or off. Switched on, it is told of what happens from then on.
///
/// # Errors
/// When they may not, it is not there, or a field cannot be used.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: NotificationId,
    change: NotificationChange,
) -> Result<Notification, ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    let before = named(app, viewer, id).await?;
    let now = app.runtime.now();
    let mut after = Notification { updated_at: now, ..before.clone() };
    if let Some(events) = change.events {
        after.events = checked_events(events)?;
    }
    match change.enabled {
        Some(true) => (after.disabled, after.failing_since) = (None, None),
        Some(false) if after.disabled.is_none() => after.disabled = Some((now, "somebody switched it off".to_owned())),
        _ => {}
    }
    let sealed = match change.url {
        Some(url) => {
            let hidden = Hidden { url, ..hidden(app, viewer, &before).await? };
            after.target = target(&hidden.url, "url")?;
            after.version += 1;
            Some(seal(app, viewer, &after, &hidden).await?)
        }
        None => None,
    };
    let context = Context::of(app, viewer);
    store::notification::update(app.runtime.database(), &context, &before, &after, sealed.map(|one| (one, None)))
        .await?;
    get(app, viewer, id).await
}

/// Gives a notification another secret, which comes back this once. The one before signs too for `overlap`.
///
/// # Errors
/// When they may not, it is not there, or the overlap is too long.
pub async fn rotate(
    app: &App,
    viewer: &Viewer,
    id: NotificationId,
    overlap: Duration,
) -> Result<(Notification, String), ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    if overlap > MOST_OVERLAP {
        return Err(ServiceError::invalid("overlapSeconds", "the old secret may sign for 7 days at most"));
    }
    let before = named(app, viewer, id).await?;
    let now = app.runtime.now();
    let old = hidden(app, viewer, &before).await?;
    let hidden = Hidden { url: old.url, secret: drawn_secret()?, previous: Some(old.secret) };
    let after = Notification { version: before.version + 1, updated_at: now, ..before.clone() };
    let sealed = seal(app, viewer, &after, &hidden).await?;
    let (context, until) = (Context::of(app, viewer), Some(now.plus(overlap)));
    store::notification::update(app.runtime.database(), &context, &before, &after, Some((sealed, until))).await?;
    Ok((after, hidden.secret))
}

/// Deletes a notification with its messages.
///
/// # Errors
/// When they may not, or it is not there.
pub async fn delete(app: &App, viewer: &Viewer, id: NotificationId) -> Result<(), ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    let before = named(app, viewer, id).await?;
    Ok(store::notification::delete(app.runtime.database(), &Context::of(app, viewer), &before).await?)
}

const DELIVERIES: &str = "deliveries";

/// The messages of a notification, the latest first.
///
/// # Errors
/// When they may not, or the cursor is of another list.
pub async fn deliveries(
    app: &App,
    viewer: &Viewer,
    of: NotificationId,
    status: Option<DeliveryStatus>,
    page: &PageRequest,
) -> Result<Page<Delivery>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, DELIVERIES, |text| text.parse().ok())?;
    let rows = store::notification::deliveries(app.runtime.database(), viewer.workspace, of, status, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(DELIVERIES, &row.id.to_string())))
}

/// The tries of a message, the first one first.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn attempts(app: &App, viewer: &Viewer, of: &Delivery) -> Result<Vec<Attempt>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::notification::attempts(app.runtime.database(), of.id).await?)
}

/// Sends a message again, whatever became of it, under the same id.
///
/// # Errors
/// When they may not, it is not there, or its notification is switched off.
pub async fn replay(app: &App, viewer: &Viewer, id: DeliveryId) -> Result<Delivery, ServiceError> {
    viewer.require(Permission::RunControl)?;
    let absent = || ServiceError::NotFound { what: "delivery" };
    let database = app.runtime.database();
    let found = store::notification::delivery(database, &viewer.scope(), id).await?.ok_or_else(absent)?;
    require_enabled(&get(app, viewer, found.notification).await?)?;
    store::notification::again(database, viewer.workspace, found.notification, Some(id), None, app.runtime.now())
        .await?;
    store::notification::delivery(database, &viewer.scope(), id).await?.ok_or_else(absent)
}

/// Sends everything again that was given up since a time. How many messages.
///
/// # Errors
/// When they may not, it is not there, or it is switched off.
pub async fn replay_since(
    app: &App,
    viewer: &Viewer,
    of: NotificationId,
    since: Timestamp,
) -> Result<u64, ServiceError> {
    viewer.require(Permission::RunControl)?;
    require_enabled(&named(app, viewer, of).await?)?;
    let (database, now) = (app.runtime.database(), app.runtime.now());
    Ok(store::notification::again(database, viewer.workspace, of, None, Some(since), now).await?)
}

fn require_enabled(of: &Notification) -> Result<(), ServiceError> {
    match &of.disabled {
        None => Ok(()),
        Some((_, why)) => {
            let message = format!("nothing is sent to `{}`: {why}; switch it on first", of.name);
            Err(ServiceError::Conflict { message })
        }
    }
}

fn checked_events(events: Vec<String>) -> Result<Vec<String>, ServiceError> {
    let unknown = events.iter().find(|event| !KINDS.contains(&event.as_str()));
    if unknown.is_some() || events.is_empty() {
        let message = format!("`events` must be some of {}", KINDS.join(", "));
        return Err(ServiceError::invalid("events", message));
    }
    Ok(KINDS.iter().filter(|kind| events.iter().any(|event| event == *kind)).map(|kind| (*kind).to_owned()).collect())
}

/// Scheme and host of a URL that messages can be sent to.
fn target(url: &str, field: &'static str) -> Result<String, ServiceError> {
    let parsed = reqwest::Url::parse(url).ok().filter(|parsed| {
        matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && parsed.username().is_empty()
    });
    match parsed.filter(|_| url.len() <= URL_LIMIT) {
        Some(parsed) => Ok(nodes::outgoing::origin(&parsed)),
        None => Err(ServiceError::invalid(
            field,
            "`url` must be an http or https URL of at most 2,000 bytes, without a user",
        )),
    }
}

fn checked_secret(secret: SecretText, field: &'static str) -> Result<String, ServiceError> {
    let encoded = secret.expose().strip_prefix("whsec_");
    let length = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).map(|bytes| bytes.len());
    match length.filter(|length| SECRETS.contains(length)) {
        Some(_) => Ok(secret.expose().to_owned()),
        None => Err(ServiceError::invalid(field, "`secret` must be `whsec_` and the base64 of 24 to 64 bytes")),
    }
}

fn drawn_secret() -> Result<String, ServiceError> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| ServiceError::internal(error.to_string()))?;
    Ok(format!("whsec_{}", STANDARD.encode(bytes)))
}

async fn seal(app: &App, viewer: &Viewer, of: &Notification, hidden: &Hidden) -> Result<Sealed, ServiceError> {
    let key = app.runtime.secrets().workspace_key(viewer.workspace).await?;
    let text = SecretText::new(serde_json::to_string(hidden).map_err(ServiceError::internal)?);
    Ok(key.seal(slot(of.id, of.version), text.expose())?)
}

async fn hidden(app: &App, viewer: &Viewer, of: &Notification) -> Result<Hidden, ServiceError> {
    let sealed = store::notification::sealed(app.runtime.database(), viewer.workspace, of.id).await?;
    let sealed = sealed.ok_or(ServiceError::NotFound { what: "notification" })?;
    let text = app.runtime.secrets().unseal(viewer.workspace, slot(of.id, of.version), &sealed).await?;
    serde_json::from_str(text.expose()).map_err(ServiceError::internal)
}

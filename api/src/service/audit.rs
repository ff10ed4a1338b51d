//! Who changed what: each mutation of a use case carries a [`Context`] into the transaction that makes the change.

use engine::id::{ApiKeyId, AuditId, ServiceAccountId, UserId, WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use runtime::clock::Clock;
use runtime::event::EventBus;
use serde_json::Value;

use super::ServiceError;
use super::page::{Page, PageRequest};
use crate::app::App;
use crate::auth::{Permission, Principal, ProjectLimit, Scope, Viewer};
use crate::store;

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever showed this key.
    ApiKey(ApiKeyId),
    /// A person who signed in.
    User(UserId),
    /// A program that is a member.
    ServiceAccount(ServiceAccountId),
    /// A command on the server itself, by somebody who has its settings.
    Command,
}

impl Actor {
    /// How rows name it.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::ApiKey(id) => Some(id.to_string()),
            Self::User(id) => Some(id.to_string()),
            Self::ServiceAccount(id) => Some(id.to_string()),
            Self::Command => None,
        }
    }

    /// How rows that always name somebody call it.
    pub fn name(&self) -> String {
        self.id().unwrap_or_else(|| "command".to_owned())
    }
}

impl From<Principal> for Actor {
    fn from(principal: Principal) -> Self {
        match principal {
            Principal::ApiKey(id) => Self::ApiKey(id),
            Principal::User(id) => Self::User(id),
            Principal::ServiceAccount(id) => Self::ServiceAccount(id),
        }
    }
}

/// Who changes something, in which workspace, in which request, and when.
#[derive(Clone)]
pub struct Context {
    /// The workspace that is changed.
    pub workspace: WorkspaceId,
    /// The only projects in which something may be changed.
    pub projects: ProjectLimit,
    /// Who.
    pub actor: Actor,
    /// The request it is part of, as logs name it.
    pub request: Option<String>,
    /// Where it comes from, as far as that is known.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
    clock: Clock,
    bus: Option<EventBus>,
}

impl Context {
    /// What this viewer changes now.
    pub fn of(app: &App, viewer: &Viewer) -> Self {
        Self {
            workspace: viewer.workspace,
            projects: viewer.projects.clone(),
            actor: viewer.principal.into(),
            request: viewer.request.clone(),
            address: address(),
            at: app.runtime.now(),
            clock: app.runtime.clock().clone(),
            bus: Some(app.runtime.bus().clone()),
        }
    }

    /// The same from where it came when it was asked for.
    #[must_use]
    pub(super) fn at_address(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    /// The same in a workspace that is about to be made.
    #[must_use]
    pub(super) fn in_workspace(self, workspace: WorkspaceId) -> Self {
        Self { workspace, ..self }
    }

    /// What somebody changes by signing in, before there is a viewer.
    pub(crate) fn signing_in(app: &App, workspace: WorkspaceId, user: UserId, request: Option<&str>) -> Self {
        Self {
            workspace,
            projects: None,
            actor: Actor::User(user),
            request: request.map(str::to_owned),
            address: address(),
            at: app.runtime.now(),
            clock: app.runtime.clock().clone(),
            bus: Some(app.runtime.bus().clone()),
        }
    }

    /// What a command on the server itself changes now.
    pub fn command(workspace: WorkspaceId, clock: &Clock) -> Self {
        let (actor, at, clock) = (Actor::Command, clock.now(), clock.clone());
        Self { workspace, projects: None, actor, request: None, address: None, at, clock, bus: None }
    }

    /// What may be changed at all.
    pub(crate) fn scope(&self) -> Scope {
        Scope { workspace: self.workspace, projects: self.projects.clone() }
    }

    /// The id of a new row.
    pub(crate) fn new_id(&self) -> AuditId {
        AuditId(self.clock.new_id())
    }

    /// Tells the relay of this process that there is something to number; others find it within a second.
    pub(crate) fn committed(&self) {
        if let Some(bus) = &self.bus {
            bus.notify_outbox();
        }
    }

    /// Tells every process that somebody's rights changed; without a bus they find it within a second.
    pub(crate) fn touched(&self) {
        if let Some(bus) = &self.bus {
            bus.notify_access();
        }
    }
}

/// Where the current request comes from.
pub(super) fn address() -> Option<String> {
    crate::telemetry::request::current().and_then(|notes| notes.address()).map(|address| address.to_string())
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $told:literal;)*) => {
        /// What can be done to things. The same word names the event that readers of the workspace get.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in rows and answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether every reader of the workspace is told, with `after` as its data. What a run does about a wish
            /// tells itself, and keys are for admins only.
            pub fn is_told(self) -> bool {
                match self { $(Self::$name => $told,)* }
            }
        }
    };
}

actions! {
    /// A project was made.
    ProjectCreated = "project.created", true;
    /// A project has another title.
    ProjectUpdated = "project.updated", true;
    /// The workspace has other quotas.
    QuotaUpdated = "quota.updated", false;
    /// The workspace's nodes may call other hosts.
    AllowedHostsUpdated = "allowed_hosts.updated", false;
    /// An environment was made.
    EnvironmentCreated = "environment.created", true;
    /// An environment has another title.
    EnvironmentUpdated = "environment.updated", true;
    /// An environment is gone.
    EnvironmentDeleted = "environment.deleted", true;
    /// A workflow was made.
    WorkflowCreated = "workflow.created", true;
    /// Title, description or anything else about it was changed.
    WorkflowUpdated = "workflow.updated", true;
    /// A workflow with its versions and drafts is gone.
    WorkflowDeleted = "workflow.deleted", true;
    /// A draft was edited, taken back to a version, or published.
    DraftUpdated = "draft.updated", true;
    /// There is a new version.
    VersionPublished = "version.published", true;
    /// An environment runs another version.
    DeploymentChanged = "deployment.changed", true;
    /// A trigger was held back.
    TriggerPaused = "trigger.paused", true;
    /// A trigger goes on.
    TriggerResumed = "trigger.resumed", true;
    /// Somebody outside is told of runs.
    NotificationCreated = "notification.created", false;
    /// They are told of something else, elsewhere, or not any more.
    NotificationUpdated = "notification.updated", false;
    /// They are not told any more.
    NotificationDeleted = "notification.deleted", false;
    /// A webhook got another secret address.
    TriggerUrlRotated = "trigger.url_rotated", true;
    /// Somebody asked for runs of the past.
    BackfillBegun = "backfill.begun", true;
    /// Somebody stopped that.
    BackfillCanceled = "backfill.canceled", true;
    /// Somebody asked a run to stop.
    RunCancelRequested = "run.cancel_requested", false;
    /// Somebody let a dead letter go on.
    RunResumeRequested = "run.resume_requested", false;
    /// A variable was made.
    VariableCreated = "variable.created", true;
    /// A variable got another value.
    VariableUpdated = "variable.updated", true;
    /// A variable was deleted.
    VariableDeleted = "variable.deleted", true;
    /// Somebody may send a file.
    ArtifactUploadCreated = "artifact.upload_created", false;
    /// Somebody made a link to a file, for whoever gets it.
    ArtifactLinked = "artifact.linked", false;
    /// Somebody sent a run a signal.
    RunSignaled = "run.signaled", false;
    /// Somebody said how an uncertain node run ended.
    NodeRunResolved = "node_run.resolved", false;
    /// A connection was made.
    ConnectionCreated = "connection.created", false;
    /// Fields or secrets of a connection were changed.
    ConnectionUpdated = "connection.updated", false;
    /// A connection was deleted, with its secrets.
    ConnectionDeleted = "connection.deleted", false;
    /// Somebody became a member.
    MemberAdded = "member.added", false;
    /// A member has another role.
    MemberUpdated = "member.updated", false;
    /// Somebody is no member any more.
    MemberRemoved = "member.removed", false;
    /// Somebody was invited.
    InvitationCreated = "invitation.created", false;
    /// Somebody became a member by an invitation.
    InvitationAccepted = "invitation.accepted", false;
    /// An invitation was taken back.
    InvitationRevoked = "invitation.revoked", false;
    /// The workspace has a role of its own.
    RoleCreated = "role.created", false;
    /// A role of the workspace allows something else, or has another name.
    RoleUpdated = "role.updated", false;
    /// A role of the workspace is gone.
    RoleDeleted = "role.deleted", false;
    /// A workspace was made.
    WorkspaceCreated = "workspace.created", false;
    /// The workspace has another name.
    WorkspaceUpdated = "workspace.updated", true;
    /// A service account was made.
    ServiceAccountCreated = "service_account.created", false;
    /// A service account has another role.
    ServiceAccountUpdated = "service_account.updated", false;
    /// A service account was disabled, with its keys.
    ServiceAccountDisabled = "service_account.disabled", false;
    /// A key got a successor, and ends.
    ApiKeyRotated = "api_key.rotated", false;
    /// Somebody wanted to do what they may not.
    AccessDenied = "access.denied", false;
    /// A person signed in at the provider.
    UserSignedIn = "user.signed_in", false;
    /// A person's session ended before its time.
    UserSignedOut = "user.signed_out", false;
    /// A key was made.
    ApiKeyCreated = "api_key.created", false;
    /// A key was withdrawn.
    ApiKeyRevoked = "api_key.revoked", false;
}

/// What came of what somebody wanted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// They may not; so often within a minute.
    Denied {
        /// How often.
        times: u32,
    },
}

/// One thing that was done, for the audit and, when [`Action::is_told`], for readers of the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// What was done.
    pub action: Action,
    /// The id of what it was done to.
    pub entity: String,
    /// The workflow that is part of.
    pub workflow: Option<WorkflowId>,
    /// What changed, as it was: an object without secrets.
    pub before: Option<Value>,
    /// What changed, as it is: an object without secrets.
    pub after: Option<Value>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Done {
    /// Something was done to a thing.
    pub fn new(action: Action, entity: impl ToString) -> Self {
        Self { action, entity: entity.to_string(), workflow: None, before: None, after: None, outcome: Outcome::Done }
    }

    /// Somebody wanted to do something that takes a permission that they do not have.
    pub fn denied(target: &str, permission: &str, times: u32) -> Self {
        let after = serde_json::json!({"permission": permission});
        Self { outcome: Outcome::Denied { times }, ..Self::new(Action::AccessDenied, target).after(after) }
    }

    /// The same as part of a workflow.
    #[must_use]
    pub fn of(self, workflow: WorkflowId) -> Self {
        Self { workflow: Some(workflow), ..self }
    }

    /// The same with how things were.
    #[must_use]
    pub fn before(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    /// The same with how things are.
    #[must_use]
    pub fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }
}

/// One row of the audit, as readers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: AuditId,
    /// Counts from 1 in the workspace, without a gap.
    pub seq: i64,
    /// Who.
    pub actor: Actor,
    /// What was done; a release may read words that a later one wrote.
    pub action: String,
    /// The id of what it was done to.
    pub entity: String,
    /// What changed, as it was.
    pub before: Option<Value>,
    /// What changed, as it is.
    pub after: Option<Value>,
    /// The request it was part of.
    pub request: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// Where it came from.
    pub address: Option<String>,
    /// The hash over this row and the one before; none for rows of before the chain.
    pub hash: Option<Digest>,
}

/// Which rows; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryFilter {
    /// About the thing of this id.
    pub entity: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// One of these; any when empty.
    pub actions: Vec<String>,
    /// Only what was denied, or only what was done.
    pub denied: Option<bool>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

const LIST: &str = "audit";

/// The audit of the viewer's workspace, the latest first.
///
/// # Errors
/// When they are no admin, a cursor of another list, or the database.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    filter: &EntryFilter,
    page: &PageRequest,
) -> Result<Page<Entry>, ServiceError> {
    viewer.require(Permission::AuditRead)?;
    let window = page.window(&viewer.cursors, LIST, |place| place.parse().ok())?;
    let rows = store::audit::list(app.runtime.database(), viewer.workspace, filter, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(LIST, &row.seq.to_string())))
}

/// The row of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: AuditId) -> Result<Entry, ServiceError> {
    viewer.require(Permission::AuditRead)?;
    let found = store::audit::find(app.runtime.database(), viewer.workspace, id).await?;
    found.ok_or(ServiceError::NotFound { what: "audit entry" })
}

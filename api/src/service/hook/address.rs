//! Addresses of webhooks: readable ones, and those that are a secret.

use std::time::Duration;

use engine::id::{BindingId, ConnectionId, SecretId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use runtime::secret::{Sealed, SecretError, Slot, WorkspaceKey};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::ServiceError;
use crate::service::audit::Context;
use crate::service::trigger::{self, Binding};
use crate::store;

/// What a secret address begins with.
const SECRET: &str = "whk_";
/// Random bytes of one.
const RANDOM: usize = 24;
/// The field that the encryption of a secret address is bound to.
const FIELD: &str = "url";
/// Where webhooks run when the address does not say.
const ENVIRONMENT: &str = "default";
/// Longest time for which an address goes on working after it was replaced.
const MOST_OVERLAP: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Where a request was sent to: what follows `/hooks/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The SHA-256 of a secret.
    Secret(Digest),
    /// A readable one.
    Path {
        /// The workspace's slug.
        workspace: String,
        /// The project's slug.
        project: String,
        /// The environment.
        environment: String,
        /// Workflow and node, or what the author chose.
        path: String,
    },
}

impl Address {
    /// Reads what follows `/hooks/`: a secret, or `{workspace}/{project}/{path}`, with `@{environment}` before the path
    /// when it is not the default one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with(SECRET) && !text.contains('/') {
            return Some(Self::Secret(digest(text)));
        }
        let (workspace, rest) = text.split_once('/')?;
        let (project, rest) = rest.split_once('/')?;
        let (environment, path) = match rest.strip_prefix('@').map(|rest| rest.split_once('/')) {
            Some(found) => found?,
            None => (ENVIRONMENT, rest),
        };
        let [workspace, project, environment, path] = [workspace, project, environment, path].map(str::to_owned);
        Some(Self::Path { workspace, project, environment, path })
    }
}

fn digest(secret: &str) -> Digest {
    Digest(Sha256::digest(secret).into())
}

/// A readable address.
fn readable(workspace: &str, project: &str, environment: &str, path: &str) -> String {
    let place = if environment == ENVIRONMENT { String::new() } else { format!("@{environment}/") };
    format!("/hooks/{workspace}/{project}/{place}{path}")
}

/// A secret address that was just drawn, ready for its row.
pub(crate) struct Drawn {
    pub(crate) digest: Digest,
    pub(crate) sealed: Sealed,
}

/// Draws a secret address for the row of this id.
pub(crate) fn draw(key: &WorkspaceKey, binding: BindingId, row: SecretId) -> Result<Drawn, ServiceError> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes).map_err(|error| ServiceError::internal(error.to_string()))?;
    let secret = format!("{SECRET}{}", hex::encode(bytes));
    Ok(Drawn { digest: digest(&secret), sealed: key.seal(slot(binding, row), &secret)? })
}

fn slot(binding: BindingId, row: SecretId) -> Slot<'static> {
    // The ids of all things are drawn from one source: a binding's is no connection's.
    Slot { connection: ConnectionId(binding.0), field: FIELD, secret: row, version: 1 }
}

/// What secret addresses of a workspace are sealed by; `None` when this installation has no master key.
pub(crate) async fn sealing_key(app: &App, workspace: WorkspaceId) -> Result<Option<WorkspaceKey>, ServiceError> {
    match app.runtime.secrets().workspace_key(workspace).await {
        Ok(key) => Ok(Some(key)),
        Err(SecretError::KeyMissing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// An address of a trigger, as its row keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: SecretId,
    pub(crate) workspace: String,
    pub(crate) project: String,
    pub(crate) environment: String,
    pub(crate) path: Option<String>,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) valid_until: Option<Timestamp>,
}

/// Where requests for a trigger are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Path of the URL.
    pub path: String,
    /// Whether knowing it is enough to be believed, where the config says so.
    pub is_secret: bool,
    /// Until when it works; `None` for as long as the trigger is deployed.
    pub valid_until: Option<Timestamp>,
}

/// Where requests for a trigger are sent to. Only those who may deploy are told secret ones.
///
/// # Errors
/// When they may not, or a secret does not open.
pub async fn urls(app: &App, viewer: &Viewer, of: BindingId) -> Result<Vec<Url>, ServiceError> {
    viewer.require(Permission::Read)?;
    let kept = store::hook::urls(app.runtime.database(), viewer.workspace, of, app.runtime.now()).await?;
    let mut urls = Vec::with_capacity(kept.len());
    for one in kept {
        let (path, is_secret) = match (&one.path, &one.sealed) {
            (Some(path), _) => (readable(&one.workspace, &one.project, &one.environment, path), false),
            (None, Some(sealed)) if viewer.require(Permission::WorkflowDeploy).is_ok() => {
                let secret = app.runtime.secrets().unseal(viewer.workspace, slot(of, one.id), sealed).await?;
                (format!("/hooks/{}", secret.expose()), true)
            }
            (None, _) => continue,
        };
        urls.push(Url { path, is_secret, valid_until: one.valid_until });
    }
    Ok(urls)
}

/// Gives a webhook another secret address. The one before goes on working for `overlap`.
///
/// # Errors
/// When they may not, there is no such webhook, the overlap is too long, or there is no master key.
pub async fn rotate(app: &App, viewer: &Viewer, of: BindingId, overlap: Duration) -> Result<Binding, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    if overlap > MOST_OVERLAP {
        return Err(ServiceError::invalid("overlap", "the old address may go on working for 7 days at most"));
    }
    let row = SecretId(app.runtime.clock().new_id());
    let key = app.runtime.secrets().workspace_key(viewer.workspace).await?;
    let drawn = draw(&key, of, row)?;
    let context = Context::of(app, viewer);
    store::hook::rotate(app.runtime.database(), &context, of, row, &drawn, context.at.plus(overlap)).await?;
    trigger::get(app, viewer, of).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(environment: &str, path: &str) -> Option<Address> {
        let [workspace, project] = ["ws", "prj"].map(str::to_owned);
        Some(Address::Path { workspace, project, environment: environment.to_owned(), path: path.to_owned() })
    }

    #[test]
    fn an_address_says_where_it_leads() {
        assert_eq!(Address::parse("ws/prj/order/hook"), path("default", "order/hook"));
        assert_eq!(Address::parse("ws/prj/@staging/orders/new"), path("staging", "orders/new"));
        assert_eq!(Address::parse("whk_00"), Some(Address::Secret(digest("whk_00"))));
        for nothing in ["", "ws", "ws/prj", "ws/prj/@staging", "whk"] {
            assert_eq!(Address::parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_readable_address_reads_back() {
        for environment in ["default", "staging"] {
            let written = readable("ws", "prj", environment, "a/b");
            assert_eq!(Address::parse(written.strip_prefix("/hooks/").unwrap()), path(environment, "a/b"));
        }
    }
}

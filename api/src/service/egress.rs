//! Which hosts a workspace's nodes may call.

use nodes::outgoing::AllowedHost;
use serde_json::json;

use super::ServiceError;
use super::audit::{Action, Context, Done};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// Most entries of a list.
const MOST: usize = 1_000;

/// The viewer's workspace's list; `None` when it has none, and its nodes may call whatever the operator allows.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn get(app: &App, viewer: &Viewer) -> Result<Option<Vec<String>>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(app.runtime.allowed_hosts(viewer.workspace).await?)
}

/// Gives the viewer's workspace another list, each entry in its one form, or none. Calls under way go on.
///
/// # Errors
/// When they may not, an entry is none, or the database cannot be written.
pub async fn set(app: &App, viewer: &Viewer, hosts: Option<Vec<String>>) -> Result<Option<Vec<String>>, ServiceError> {
    viewer.require(Permission::OutgoingManage)?;
    let hosts = hosts.map(|hosts| read(&hosts)).transpose()?;
    let before = get(app, viewer).await?;
    let done = Done::new(Action::AllowedHostsUpdated, viewer.workspace)
        .before(json!({"hosts": before}))
        .after(json!({"hosts": hosts}));
    let (context, by) = (Context::of(app, viewer), viewer.actor());
    store::egress::put(app.runtime.database(), &context, hosts.as_deref(), &by, done).await?;
    app.runtime.allowed_hosts_changed(viewer.workspace);
    Ok(hosts)
}

fn read(hosts: &[String]) -> Result<Vec<String>, ServiceError> {
    if hosts.len() > MOST {
        return Err(ServiceError::invalid(
            "hosts",
            format!("there are {} hosts, and {MOST} are the most", hosts.len()),
        ));
    }
    let one = |text: &String| {
        let entry: AllowedHost = text.parse().map_err(|error| ServiceError::invalid("hosts", format!("{error}")))?;
        Ok(entry.to_string())
    };
    hosts.iter().map(one).collect()
}

//! Which hosts a workspace's nodes may call.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::Result;
use super::request::Asked as _;
use super::user_error::{UserError, settle};
use crate::service::egress;

/// The workspace's list of hosts, anew.
#[derive(InputObject)]
pub struct SetAllowedHostsInput {
    /// `host`, `host:port`, `*.example.com`, an address or a range, at most 1,000. Null takes the list away; an empty one
    /// allows no call.
    hosts: Option<Vec<String>>,
}

/// What became of `setAllowedHosts`.
#[derive(SimpleObject)]
pub struct SetAllowedHostsPayload {
    /// The list by now; null when there is none.
    hosts: Option<Vec<String>>,
    /// What the asker can mend.
    user_errors: Vec<UserError>,
}

/// Changing which hosts may be called.
#[derive(Default)]
pub struct EgressMutation;

#[Object]
impl EgressMutation {
    /// Says which hosts the workspace's nodes may call, of those that the operator lets anybody call; for admins. The
    /// hosts of URLs are compared as they are written, before they are resolved.
    async fn set_allowed_hosts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The whole list.")] input: SetAllowedHostsInput,
    ) -> Result<SetAllowedHostsPayload> {
        let (hosts, user_errors) = settle(egress::set(ctx.app()?, ctx.viewer()?, input.hosts).await)?;
        Ok(SetAllowedHostsPayload { hosts: hosts.flatten(), user_errors })
    }
}

//! Nodes that speak HTTP.

use engine::error::ErrorInfo;

use crate::NodeContext;
use crate::outgoing::{OutgoingRequest, OutgoingResponse};

pub(crate) mod graphql;
pub(crate) mod header;
pub(crate) mod request;
pub(crate) mod respond;

/// Sends a request with the credentials of the node's connection.
async fn send(context: &dyn NodeContext, mut request: OutgoingRequest) -> Result<OutgoingResponse, ErrorInfo> {
    if let Some(connection) = context.connection() {
        connection.apply(&mut request)?;
    }
    Ok(context.outgoing().send(request).await?)
}

//! Nodes that speak HTTP.

use engine::error::ErrorInfo;
use reqwest::StatusCode;

use crate::NodeContext;
use crate::outgoing::{OutgoingRequest, OutgoingResponse};

pub(crate) mod graphql;
pub(crate) mod header;
pub(crate) mod request;
pub(crate) mod respond;

/// Sends a request with the credentials of the node's connection. A token that was kept from an earlier call and is not
/// taken any more is fetched anew, once.
async fn send(context: &dyn NodeContext, request: OutgoingRequest) -> Result<OutgoingResponse, ErrorInfo> {
    let outgoing = context.outgoing();
    let Some(connection) = context.connection() else { return Ok(outgoing.send(request).await?) };
    let mut filled = request.clone();
    let token = connection.fill(&mut filled, outgoing, None).await?;
    let response = outgoing.send(filled).await?;
    match token {
        // The service refused the request, so nothing has happened and it may be sent again.
        Some((refused, false)) if response.status == StatusCode::UNAUTHORIZED && !response.acted => {
            let mut filled = request;
            connection.fill(&mut filled, outgoing, Some(&refused)).await?;
            Ok(outgoing.send(filled).await?)
        }
        _ => Ok(response),
    }
}

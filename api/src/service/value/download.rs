//! Run data whole, whatever its size.

use bytes::Bytes;
use engine::id::{NodeRunId, RunId};
use engine::run::status::NodeRunStatus;
use engine::value::ValueRef;
use futures::StreamExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::blob::Pieces;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::run::{self, NodeRun, Run};
use crate::service::veil::{self, Seen};
use crate::service::{ServiceError, value};

/// What a part of a path takes as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where in a run a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is the input of this run.
    Input(RunId),
    /// It is the output of this run.
    Output(RunId),
    /// It is the output of this node run.
    Node(NodeRunId),
}

impl Place {
    /// The run.
    pub fn run(&self) -> RunId {
        match self {
            Self::Input(run) | Self::Output(run) => *run,
            Self::Node(id) => id.run,
        }
    }

    /// Whether the schema of the run's input speaks of it. A trigger gives on what the run was given.
    pub fn is_input(&self, run: &Run) -> bool {
        match self {
            Self::Input(_) => true,
            Self::Output(_) => false,
            Self::Node(id) => id.node == run.trigger,
        }
    }

    /// Where all of it is downloaded, below the server's address.
    pub fn path(&self) -> String {
        match self {
            Self::Input(run) => format!("/api/v1/runs/{run}/input"),
            Self::Output(run) => format!("/api/v1/runs/{run}/output"),
            Self::Node(id) => {
                let id = id.to_string();
                format!("/api/v1/node-runs/{}/output", utf8_percent_encode(&id, SEGMENT))
            }
        }
    }

    /// What a file of it is called.
    fn name(&self) -> String {
        match self {
            Self::Input(run) => format!("{run}.input.json"),
            Self::Output(run) => format!("{run}.output.json"),
            Self::Node(id) => format!("{}.output.json", id.to_string().replace('/', ".")),
        }
    }
}

/// A value on its way to whoever asked for all of it.
pub struct Download {
    /// What a file of it is called.
    pub name: String,
    /// How many bytes there are.
    pub size: u64,
    /// Tells these bytes from others.
    pub tag: String,
    /// Its canonical JSON. The last bytes come only if all are what was kept.
    pub pieces: Pieces,
}

/// The whole value at a place, as the viewer may see it.
///
/// # Errors
/// `NotFound` also for another workspace's; when there is no value there yet, or it cannot be read.
pub async fn open(app: &App, viewer: &Viewer, place: &Place) -> Result<Download, ServiceError> {
    viewer.require(Permission::Read)?;
    let (run, found) = match place {
        Place::Input(id) => {
            let run = run::get(app, viewer, *id).await?;
            let input = run.input.clone();
            (run, input)
        }
        Place::Output(id) => {
            let run = run::get(app, viewer, *id).await?;
            let output = run.output.clone().ok_or_else(|| absent(id, run.status.as_str()))?;
            (run, output)
        }
        Place::Node(id) => {
            let node_run = run::get_node_run(app, viewer, id).await?;
            let run = run::get(app, viewer, id.run).await?;
            (run, output_of(node_run)?)
        }
    };
    let veil = veil::of(app, viewer, &run).await?;
    let seen = Seen { value: &found, veil: veil.as_ref(), is_input: place.is_input(&run) };
    let name = place.name();
    if veil.is_none() {
        let pieces = app.runtime.value_pieces(viewer.workspace, &found).await?;
        return Ok(Download { name, size: found.len, tag: found.digest.to_string(), pieces });
    }
    let (value, _) = value::whole(app, viewer, &seen).await?;
    let bytes = Bytes::from(value::written(&value)?);
    // What is hidden is not told by the tag either.
    let (size, tag) = (bytes.len() as u64, hex::encode(Sha256::digest(&bytes)));
    Ok(Download { name, size, tag, pieces: futures::stream::once(std::future::ready(Ok(bytes))).boxed() })
}

/// A node run keeps what an attempt gave, but it is its output only once it has succeeded.
fn output_of(node_run: NodeRun) -> Result<ValueRef, ServiceError> {
    let no_output = absent(&node_run.id(), node_run.status.as_str());
    node_run.output.filter(|_| node_run.status == NodeRunStatus::Succeeded).ok_or(no_output)
}

fn absent(id: &dyn std::fmt::Display, status: &str) -> ServiceError {
    ServiceError::Absent { message: format!("{id} has no output: it is {status}") }
}

#[cfg(test)]
mod tests {
    use engine::scope::Scope;

    use super::*;

    #[test]
    fn the_items_of_a_loop_have_an_address_and_a_name_of_one_part() {
        let run = RunId(uuid::Uuid::from_u128(7));
        let scope: Scope = "3/4".parse().unwrap();
        let place = Place::Node(NodeRunId { run, node: "each".to_owned(), scope });
        let hex = "00000000000000000000000000000007";
        assert_eq!(place.path(), format!("/api/v1/node-runs/nrun_{hex}.each.3%2F4/output"));
        assert_eq!(place.name(), format!("nrun_{hex}.each.3.4.output.json"));
    }
}

//! `flowforge run output`.

use std::path::PathBuf;
use std::process::ExitCode;

use api::service::value::download::Place;
use clap::Args;
use engine::id::RunId;
use serde_json::json;

use crate::client::Client;
use crate::download::into_file;
use crate::exit::Failure;
use crate::output::{Output, Shade};

#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// The run's id, `run_…`.
    id: String,
    /// What this node gave; of one item of a `for_each`, NODE.INDEX.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// What the run was given.
    #[arg(long, conflicts_with = "node")]
    input: bool,
    /// Where to write it; to standard output when absent.
    #[arg(long, short = 'O', value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace what is there.
    #[arg(long, requires = "to")]
    force: bool,
}

impl Wanted {
    fn place(&self) -> Result<Place, Failure> {
        let run: RunId = self.id.parse().map_err(|error| Failure::of_code("NOT_FOUND", format!("{error}")))?;
        match &self.node {
            _ if self.input => Ok(Place::Input(run)),
            None => Ok(Place::Output(run)),
            Some(node) => {
                let id = format!("nrun_{}.{node}", run.0.simple()).parse();
                id.map(Place::Node).map_err(|error| Failure::usage(format!("--node: {error}")))
            }
        }
    }
}

/// Gets a value whole, whatever its size, as the JSON that is kept.
pub(super) async fn get(client: &Client, wanted: &Wanted, output: Output) -> Result<ExitCode, Failure> {
    let path = wanted.place()?.path();
    let Some(to) = &wanted.to else {
        client.download(&path, &[], |piece| output.piece(piece)).await?;
        return Ok(ExitCode::SUCCESS);
    };
    let bytes = into_file(client, &path, to, wanted.force, None).await?;
    if output.is_json() {
        output.document(&json!({ "path": to, "bytes": bytes }));
    } else {
        output.line(&format!("{} {bytes} bytes", output.paint(Shade::Strong, &to.display().to_string())));
    }
    Ok(ExitCode::SUCCESS)
}

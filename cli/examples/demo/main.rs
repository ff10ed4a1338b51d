//! The world around the two example flows: an endpoint that often answers 503, and a control computation that does not
//! use FlowForge. `scripts/demo` calls it.

#![expect(clippy::print_stdout, reason = "a command speaks through its output")]

use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;

mod control;
mod endpoint;

/// What the demo needs besides FlowForge.
#[derive(Parser)]
enum Command {
    /// Serves the data file and takes what the flows post. Prints its address as the first line.
    Endpoint {
        /// A list of airports, as JSON.
        #[arg(long)]
        data: PathBuf,
        /// 0 takes a free port.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Compares the result of the import run (on standard input) with the data file and with what the endpoint got.
    CheckImport {
        /// The same list of airports.
        #[arg(long)]
        data: PathBuf,
        /// Where the endpoint listens.
        #[arg(long)]
        endpoint: String,
    },
    /// Compares the result of the order run (on standard input) with its input and with what the endpoint got.
    CheckOrder {
        /// The order that the run was started with.
        #[arg(long)]
        order: PathBuf,
        /// Where the endpoint listens.
        #[arg(long)]
        endpoint: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let facts = match Command::parse() {
        Command::Endpoint { data, port } => return endpoint::serve(&data, port).await,
        Command::CheckImport { data, endpoint } => {
            control::import(&from_file(&data)?, &from_stdin()?, &received(&endpoint).await?)?
        }
        Command::CheckOrder { order, endpoint } => {
            control::order(&from_file(&order)?, &from_stdin()?, &received(&endpoint).await?)?
        }
    };
    for fact in facts {
        println!("  ok  {fact}");
    }
    Ok(())
}

fn from_file(path: &std::path::Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

fn from_stdin() -> anyhow::Result<Value> {
    Ok(serde_json::from_reader(std::io::stdin().lock())?)
}

async fn received(endpoint: &str) -> anyhow::Result<Vec<endpoint::Received>> {
    Ok(reqwest::get(format!("{endpoint}/received")).await?.error_for_status()?.json().await?)
}

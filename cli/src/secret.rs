//! `flowforge secret`: single secrets of connections, and the master key that wraps all of them. A secret is never an
//! argument: those end up in the shell's history and in the list of processes.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use runtime::secret::KeyUse;
use serde_json::{Value, json};

use crate::command::Global;
use crate::connection::{self, Named};
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Shade};
use crate::question::connection as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the names of the secrets that connections have. Nobody can read their values.
    List(connection::List),
    /// Set or replace one secret of a connection: asked for on a terminal, read from standard input otherwise.
    Set(Set),
    /// Print a new master key, for a key file or FLOWFORGE__SECRETS__MASTER_KEY.
    NewKey,
    /// Say which master keys wrap something, and whether these settings have them.
    Status,
    /// Put a new master key first in the key file and wrap every workspace's key by it, while servers run.
    RotateMaster(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    of: Named,
    /// The secret field, as `flowforge connection types` lists it, such as `token`.
    field: String,
    /// The file that holds the value, instead of standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Do not rotate, but take keys that wrap nothing any more out of the key file.
    #[arg(long)]
    remove_old: bool,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    match command {
        Command::List(wanted) => list(&wanted, global).await,
        Command::Set(set) => self::set(&set, global).await,
        Command::NewKey => new_key(global),
        Command::Status => status(global).await,
        Command::RotateMaster(Rotate { remove_old: false }) => rotate(global).await,
        Command::RotateMaster(Rotate { remove_old: true }) => remove_old(global).await,
    }
}

async fn list(wanted: &connection::List, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let connections = connection::all(&global.client()?, wanted).await?;
    let secrets: Vec<Value> = connections
        .iter()
        .flat_map(|of| {
            let fields = of["secretFields"].as_array().into_iter().flatten();
            fields.map(move |field| {
                let (project, environment) = (&of["project"], &of["environment"]);
                json!({ "connection": of["name"], "field": field, "project": project, "environment": environment })
            })
        })
        .collect();
    if output.is_json() {
        output.document(&json!({ "secrets": secrets }));
    } else if secrets.is_empty() {
        output.line("no secrets");
    } else {
        let cells = |secret: &Value| {
            ["connection", "field", "project", "environment"]
                .map(|name| Cell::plain(secret[name].as_str().unwrap_or_default()))
                .into()
        };
        let rows: Vec<Vec<Cell>> = secrets.iter().map(cells).collect();
        output.table(&["CONNECTION", "FIELD", "PROJECT", "ENVIRONMENT"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(set: &Set, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    // Looked for first, so that nobody types a secret for nothing.
    let found = connection::find(&client, &set.of).await?;
    let value = match &set.file {
        Some(file) => connection::secret_value(file).map_err(|error| unreadable(file, &error))?,
        None if std::io::stdin().is_terminal() => {
            let asked = rpassword::prompt_password(format!("{} of {}: ", set.field, set.of.name()));
            asked.map_err(|error| unreadable("the terminal", &error))?
        }
        None => connection::secret_value("-").map_err(|error| unreadable("standard input", &error))?,
    };
    let input = json!({ "id": found["id"], "secrets": { &set.field: value } });
    let payload = client.change("updateConnection", question::UPDATE, input).await?;
    let connection = &payload["connection"];
    if output.is_json() {
        output.document(&json!({ "connection": connection }));
    } else {
        let name = connection["name"].as_str().unwrap_or_default();
        output.line(&format!("{} of {} is set", set.field, output.paint(Shade::Strong, name)));
    }
    Ok(ExitCode::SUCCESS)
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{what}: {error}"))
}

fn new_key(global: &Global) -> Result<ExitCode, Failure> {
    let key = runtime::secret::new_key().map_err(|error| failed(error.into()))?;
    let output = global.output();
    if output.is_json() {
        output.document(&json!({ "key": key.as_str() }));
    } else {
        output.line(&key);
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(global: &Global) -> Result<ExitCode, Failure> {
    let uses = api::secret::status(&global.settings()?).await.map_err(failed)?;
    let output = global.output();
    if output.is_json() {
        let keys: Vec<Value> = uses
            .iter()
            .map(|key| {
                json!({ "id": key.id, "workspaces": key.workspaces, "known": key.is_known, "current": key.is_current })
            })
            .collect();
        output.document(&json!({ "keys": keys }));
    } else if uses.is_empty() {
        output.line("there is no master key, and nothing needs one");
    } else {
        output.table(&["KEY", "WRAPS", "STATE"], &uses.iter().map(row).collect::<Vec<_>>());
    }
    let missing = uses.iter().any(|key| !key.is_known);
    Ok(if missing { Exit::Failed.into() } else { ExitCode::SUCCESS })
}

fn row(key: &KeyUse) -> Vec<Cell> {
    let state = match (key.is_known, key.is_current) {
        (false, _) => Cell::shaded("missing here", Shade::Bad),
        (true, true) => Cell::shaded("wraps new ones", Shade::Good),
        (true, false) => Cell::plain("older"),
    };
    vec![Cell::plain(key.id.as_str()), Cell::plain(format!("{} workspaces", key.workspaces)), state]
}

async fn rotate(global: &Global) -> Result<ExitCode, Failure> {
    let rotation = api::secret::rotate(&global.settings()?).await.map_err(failed)?;
    let output = global.output();
    if output.is_json() {
        let (current, made) = (&rotation.current, rotation.is_new);
        output.document(&json!({ "current": current, "made": made, "rewrapped": rotation.rewrapped }));
        return Ok(ExitCode::SUCCESS);
    }
    output.line(&format!("{} workspaces are wrapped anew, by {}", rotation.rewrapped, rotation.current));
    if rotation.is_new {
        output.note(
            "The old key stays valid. When every server has the new file: flowforge secret rotate-master --remove-old",
        );
    } else if rotation.rewrapped == 0 {
        output.note(
            "To change the key, put a new one (flowforge secret new-key) before the old one in every process first.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove_old(global: &Global) -> Result<ExitCode, Failure> {
    let gone = api::secret::remove_old(&global.settings()?).await.map_err(failed)?;
    let output = global.output();
    if output.is_json() {
        output.document(&json!({ "removed": gone }));
    } else if gone.is_empty() {
        output.line("nothing to remove");
    } else {
        gone.iter().for_each(|id| output.line(&format!("{id} removed")));
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: api::ServeError) -> Failure {
    match error {
        api::ServeError::Secret(error) => Failure::new(Exit::Failed, error.code(), error.to_string()),
        error => Failure::new(Exit::Failed, "DATABASE", error.to_string()),
    }
}

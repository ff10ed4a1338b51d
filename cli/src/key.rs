//! `flowforge key`: API keys, made on the database itself, because the first one has nobody before it.

use std::process::ExitCode;

use api::ServeError;
use api::auth::Role;
use api::service::ServiceError;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade};
use crate::question::key as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it, this once.
    Create(Create),
    /// List the keys of the workspace, revoked ones included.
    List,
    /// Make a key that takes another one's place; both work for a while.
    Rotate {
        /// The key's id, `key_…`.
        #[arg(value_name = "KEY")]
        key: String,
        /// How long the old key goes on working, such as 24h; at most 30 days.
        #[arg(long, default_value = "24h", value_name = "DURATION")]
        overlap: String,
    },
    /// Revoke a key: it opens nothing from now on.
    Revoke {
        /// The key's id, `key_…`.
        #[arg(value_name = "KEY")]
        key: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The workspace it opens.
    #[arg(long, default_value = "default", value_name = "NAME")]
    workspace: String,
    /// What it may do: owner, admin, editor, operator, approver or viewer.
    #[arg(long, value_parser = role, value_name = "ROLE")]
    role: Role,
    /// A project that it sees, by its name in URLs; may be repeated. All of the workspace when absent.
    #[arg(long = "project", value_name = "NAME")]
    projects: Vec<String>,
    /// What it is for.
    #[arg(long, default_value = "command line", value_name = "TEXT")]
    name: String,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    match command {
        Command::Create(create) => self::create(create, global).await,
        Command::List => list(&global.client()?, global.output()).await,
        Command::Rotate { key, overlap } => {
            let (client, output) = (global.client()?, global.output());
            let input = json!({ "keyId": key, "overlap": overlap });
            let made = client.change("rotateApiKey", question::ROTATE, input).await?;
            if output.is_json() {
                let (key, made) = (&made["secret"], &made["apiKey"]);
                output.document(&json!({ "key": key, "id": made["id"], "name": made["name"], "role": made["role"] }));
            } else {
                output.line(made["secret"].as_str().unwrap_or_default());
                output.note(&format!("This is the only time it is shown. The old key works for {overlap} more."));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Revoke { key } => {
            let (client, output) = (global.client()?, global.output());
            let made = client.change("revokeApiKey", question::REVOKE, json!({ "keyId": key })).await?;
            if output.is_json() {
                output.document(&made["apiKey"])
            } else {
                output.line(&format!("revoked {key}"))
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(client: &Client, output: Output) -> Result<ExitCode, Failure> {
    let keys = client.all(question::LIST, json!({}), "/apiKeys").await?;
    if output.is_json() {
        output.document(&json!({ "keys": keys }));
        return Ok(ExitCode::SUCCESS);
    }
    let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
    let cells = |key: &Value| {
        let end = if key["revokedAt"].is_null() { text(key, "expiresAt") } else { "revoked".to_owned() };
        vec![
            Cell::plain(text(key, "id")),
            Cell::shaded(text(key, "name"), Shade::Strong),
            Cell::plain(format!("{}…", text(key, "shown"))),
            Cell::plain(text(key, "role")),
            Cell::plain(text(key, "lastUsedAt")),
            Cell::plain(end),
        ]
    };
    let rows: Vec<Vec<Cell>> = keys.iter().map(cells).collect();
    output.table(&["KEY", "NAME", "BEGINS", "ROLE", "LAST USED", "ENDS"], &rows);
    Ok(ExitCode::SUCCESS)
}

async fn create(create: Create, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let config = global.settings()?;
    let (workspace, projects) = (&create.workspace, &create.projects);
    let created = api::create_key(&config, workspace, create.role, &create.name, projects).await.map_err(failed)?;
    let key = created.secret.expose();
    if output.is_json() {
        let made = &created.key;
        let (id, role) = (made.id.to_string(), made.role.to_string());
        output
            .document(&json!({ "key": key, "id": id, "name": made.name, "role": role, "workspace": create.workspace }));
    } else {
        output.line(key);
        output.note("This is the only time it is shown. Use it: export FLOWFORGE_API_KEY=<the key>");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn failed(error: ServeError) -> Failure {
    match error {
        ServeError::Service(error @ ServiceError::Internal(_)) => {
            // Nobody but the asker sees this output, and there is no log to look into.
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Failure::new(Exit::Failed, error.code(), cause)
        }
        ServeError::Service(error) => Failure::of_code(error.code(), error.to_string()),
        error => Failure::new(Exit::Failed, "DATABASE", error.to_string()),
    }
}

fn role(text: &str) -> Result<Role, String> {
    let found = Role::ALL.iter().find(|role| role.as_str() == text).copied();
    found.ok_or_else(|| {
        let words: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("must be one of {}", words.join(", "))
    })
}

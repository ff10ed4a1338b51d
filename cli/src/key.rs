//! `flowforge key`: API keys, made on the database itself, because the first one has nobody before it.

use std::process::ExitCode;

use api::ServeError;
use api::auth::Role;
use api::service::ServiceError;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::command::Global;
use crate::exit::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it, this once.
    Create(Create),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The workspace it opens.
    #[arg(long, default_value = "default", value_name = "NAME")]
    workspace: String,
    /// What it may do: admin, editor, operator or viewer.
    #[arg(long, value_parser = role, value_name = "ROLE")]
    role: Role,
    /// What it is for.
    #[arg(long, default_value = "command line", value_name = "TEXT")]
    name: String,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    match command {
        Command::Create(create) => self::create(create, global).await,
    }
}

async fn create(create: Create, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let config = global.settings()?;
    let created = api::create_key(&config, &create.workspace, create.role, &create.name).await.map_err(failed)?;
    let key = created.secret.expose();
    if output.is_json() {
        let made = &created.key;
        let (id, role) = (made.id.to_string(), made.role.as_str());
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

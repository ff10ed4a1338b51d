//! `flowforge admin`: what somebody with the server's settings can do without a key.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use crate::command::Global;
use crate::exit::Failure;
use crate::key::failed;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a link that signs a browser in as an admin. It works once, within an hour.
    LoginLink {
        /// The workspace it opens.
        #[arg(long, default_value = "default", value_name = "NAME")]
        workspace: String,
    },
    /// Look whether the artifact store has what the database says; ends with 1 when it has not. Changes nothing.
    CheckArtifacts,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let workspace = match command {
        Command::LoginLink { workspace } => workspace,
        Command::CheckArtifacts => return check_artifacts(global).await,
    };
    let token = api::create_login_link(&global.settings()?, &workspace).await.map_err(failed)?;
    let link = link(global.url(), &token);
    if output.is_json() {
        output.document(&json!({ "link": link, "workspace": workspace }));
    } else {
        output.line(&link);
    }
    Ok(ExitCode::SUCCESS)
}

async fn check_artifacts(global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let found = api::check_artifacts(&global.settings()?).await.map_err(failed)?;
    let is_right = found.strays.is_empty() && found.missing.is_empty();
    if output.is_json() {
        output.document(&json!({
            "objects": found.objects, "bytes": found.bytes, "underWay": found.under_way, "inUse": found.in_use,
            "strays": found.strays, "missing": found.missing,
        }));
    } else {
        let (objects, bytes, used) = (found.objects, found.bytes, found.in_use);
        output.line(&format!("{objects} objects, {bytes} bytes; {used} in use; {} under way", found.under_way));
        for name in &found.strays {
            output.line(&format!("nobody knows {name}"));
        }
        for name in &found.missing {
            output.line(&format!("missing or not whole: {name}"));
        }
    }
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The secret part stands behind `#`: browsers keep it to themselves, so it is in no log of a server or a proxy.
pub(crate) fn link(url: &str, token: &str) -> String {
    format!("{}/sign-in#{token}", url.trim_end_matches('/'))
}

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
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let Command::LoginLink { workspace } = command;
    let output = global.output();
    let token = api::create_login_link(&global.settings()?, &workspace).await.map_err(failed)?;
    let link = link(global.url(), &token);
    if output.is_json() {
        output.document(&json!({ "link": link, "workspace": workspace }));
    } else {
        output.line(&link);
    }
    Ok(ExitCode::SUCCESS)
}

/// The secret part stands behind `#`: browsers keep it to themselves, so it is in no log of a server or a proxy.
pub(crate) fn link(url: &str, token: &str) -> String {
    format!("{}/sign-in#{token}", url.trim_end_matches('/'))
}

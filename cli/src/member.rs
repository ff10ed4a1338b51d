//! `flowforge member` and `flowforge role`: who is here, and as what.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade};
use crate::question::member as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the members, those first who have been here the longest.
    List,
    /// Make a token that makes whoever accepts it a member, once.
    Invite {
        /// What they may do: owner, admin, editor, operator, approver, viewer, or the id of a role of the workspace.
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// The address that they must have at their provider; anybody with the token when absent.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// A project that they see, by its name in URLs; may be repeated. All of the workspace when absent.
        #[arg(long = "project", value_name = "NAME")]
        projects: Vec<String>,
        /// How long the token waits, such as 48h; at most 30 days.
        #[arg(long, default_value = "168h", value_name = "DURATION")]
        expires_in: String,
    },
    /// Give a member another role.
    SetRole {
        /// The member's id, `mbr_…`.
        #[arg(value_name = "MEMBER")]
        member: String,
        /// What they may do from now on.
        #[arg(value_name = "ROLE")]
        role: String,
    },
    /// Remove a member; what they have open here ends.
    Remove {
        /// The member's id, `mbr_…`.
        #[arg(value_name = "MEMBER")]
        member: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// List the roles and what each allows.
    List,
    /// Make a role.
    Create {
        /// What people call it.
        #[arg(value_name = "NAME")]
        name: String,
        /// What it allows, such as run:start; may be repeated. `read` is always among it.
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
    },
    /// Delete a role that nobody has.
    Delete {
        /// The role's id, `rol_…`.
        #[arg(value_name = "ROLE")]
        role: String,
    },
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List => list(&client, output).await,
        Command::Invite { role, email, projects, expires_in } => {
            let mut input = json!({ "role": role, "email": email, "expiresIn": expires_in });
            if !projects.is_empty() {
                input["projects"] = json!(projects);
            }
            let made = client.change("inviteMember", question::INVITE, input).await?;
            if output.is_json() {
                output.document(&json!({ "invitation": made["invitation"], "token": made["token"] }));
            } else {
                output.line(text(&made, "token"));
                output.note("This is the only time it is shown. Whoever accepts it becomes a member.");
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::SetRole { member, role } => {
            let input = json!({ "memberId": member, "role": role });
            let made = client.change("updateMember", question::UPDATE, input).await?;
            told(output, &made["member"], |member| {
                format!("{} is {} now", text(&member["user"], "name"), text(member, "roleName"))
            })
        }
        Command::Remove { member } => {
            let made = client.change("removeMember", question::REMOVE, json!({ "memberId": member })).await?;
            told(output, &made, |made| format!("{} is removed", text(made, "removedId")))
        }
    }
}

pub(crate) async fn run_role(command: RoleCommand, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        RoleCommand::List => roles(&client, output).await,
        RoleCommand::Create { name, mut permissions } => {
            if !permissions.iter().any(|word| word == "read") {
                permissions.insert(0, "read".to_owned());
            }
            let input = json!({ "name": name, "permissions": permissions });
            let made = client.change("createRole", question::CREATE_ROLE, input).await?;
            told(output, &made["role"], |role| format!("made the role {}", text(role, "key")))
        }
        RoleCommand::Delete { role } => {
            let made = client.change("deleteRole", question::DELETE_ROLE, json!({ "roleId": role })).await?;
            told(output, &made, |made| format!("deleted the role {}", text(made, "deletedId")))
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn told(output: Output, made: &Value, line: impl Fn(&Value) -> String) -> Result<ExitCode, Failure> {
    if output.is_json() {
        output.document(made)
    } else {
        output.line(&line(made))
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, output: Output) -> Result<ExitCode, Failure> {
    let members = client.all(question::LIST, json!({}), "/members").await?;
    if output.is_json() {
        output.document(&json!({ "members": members }));
        return Ok(ExitCode::SUCCESS);
    }
    let cells = |member: &Value| {
        let user = &member["user"];
        vec![
            Cell::plain(text(member, "id")),
            Cell::shaded(text(user, "name"), Shade::Strong),
            Cell::plain(text(user, "email")),
            Cell::plain(text(member, "roleName")),
            Cell::plain(text(member, "source").to_lowercase()),
            Cell::plain(text(user, "lastSeenAt")),
        ]
    };
    let rows: Vec<Vec<Cell>> = members.iter().map(cells).collect();
    output.table(&["MEMBER", "NAME", "EMAIL", "ROLE", "SOURCE", "LAST SEEN"], &rows);
    Ok(ExitCode::SUCCESS)
}

async fn roles(client: &Client, output: Output) -> Result<ExitCode, Failure> {
    let data = client.ask(question::ROLES, json!({})).await?;
    if output.is_json() {
        output.document(&data);
        return Ok(ExitCode::SUCCESS);
    }
    let cells = |role: &Value| {
        let words = role["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let words: Vec<&str> = words.collect();
        vec![
            Cell::shaded(text(role, "key"), Shade::Strong),
            Cell::plain(text(role, "name")),
            Cell::plain(words.join(" ")),
        ]
    };
    let rows: Vec<Vec<Cell>> = data["roles"].as_array().into_iter().flatten().map(cells).collect();
    output.table(&["ROLE", "NAME", "ALLOWS"], &rows);
    Ok(ExitCode::SUCCESS)
}

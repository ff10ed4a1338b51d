//! The arguments of the command, and who carries each out.

use std::path::PathBuf;
use std::process::ExitCode;

use api::config::Config;
use clap::{Args, Parser, Subcommand};

use crate::client::{Address, Client};
use crate::exit::{self, Exit, Failure};
use crate::output::{Format, Output};
use crate::{
    admin, artifact, audit, connection, key, member, migrate, notification, project, run, schema, secret, serve,
    trigger, variable, version, workflow,
};

/// The file in the data folder into which an embedded server writes its first admin key.
pub(crate) const KEY_FILE: &str = "admin.key";

/// Durable workflows on your own machine: a server and its client in one command.
#[derive(Debug, Parser)]
#[command(name = "flowforge", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What holds for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The server that client commands talk to.
    #[arg(long, global = true, env = "FLOWFORGE_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// The API key of client commands; without it, the one that a server on this machine left in its data folder.
    #[arg(long, global = true, env = "FLOWFORGE_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
    /// For people, or as one JSON document.
    #[arg(long, global = true, value_enum, default_value = "human", value_name = "FORMAT")]
    output: Format,
    /// The settings file of the server [default: flowforge.toml, when it is there].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// No colors; any value will do (https://no-color.org).
    #[arg(long, global = true, env = "NO_COLOR", hide = true, num_args = 0..=1, default_missing_value = "1")]
    no_color: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server: API, webhooks and the driver of runs in one process.
    Serve,
    /// Be a process for code; the server starts these itself.
    #[command(hide = true)]
    Sandbox,
    /// Bring the database's tables up to date, or back.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Print the GraphQL schema, or write the pages that are made from this program.
    Schema {
        /// Write the guide to problems and the pages of the node types below this folder instead.
        #[arg(long, value_name = "FOLDER")]
        pages: Option<PathBuf>,
    },
    /// API keys; making one works on the database of the settings, also while the server runs.
    #[command(subcommand)]
    Key(key::Command),
    /// Who belongs to the workspace, and as what.
    #[command(subcommand)]
    Member(member::Command),
    /// What members may do.
    #[command(subcommand)]
    Role(member::RoleCommand),
    /// Credentials that nodes use by name.
    #[command(subcommand)]
    Connection(connection::Command),
    /// Plain values that expressions read as `vars.<name>`.
    #[command(subcommand)]
    Variable(variable::Command),
    /// Secret fields of connections, and the master key that all secrets are wrapped by.
    #[command(subcommand)]
    Secret(secret::Command),
    /// Folders of workflows with environments of their own.
    #[command(subcommand)]
    Project(project::Command),
    /// Where versions of a project's workflows are deployed to.
    #[command(subcommand)]
    Environment(project::EnvironmentCommand),
    /// Publish and run workflows.
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// What starts runs by itself, and what came to it.
    #[command(subcommand)]
    Trigger(trigger::Command),
    /// Who outside is told of runs.
    #[command(subcommand)]
    Notification(notification::Command),
    /// Work on the database of the settings itself, also while the server runs.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Files of runs, and files to start runs with.
    #[command(subcommand)]
    Artifact(artifact::Command),
    /// Look at who changed what; for admins.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look at what was published, and deploy it.
    #[command(subcommand)]
    Version(version::Command),
    /// Look at runs and steer them.
    #[command(subcommand)]
    Run(run::Command),
}

impl Global {
    pub(crate) fn output(&self) -> Output {
        Output::standard(self.output, self.no_color.as_ref().is_some_and(|text| !text.is_empty()))
    }

    /// The settings of the server on this machine.
    pub(crate) fn settings(&self) -> Result<Config, Failure> {
        Config::load(self.config.as_deref())
            .map_err(|faults| Failure::new(Exit::Usage, "SETTINGS_INVALID", faults.to_string()))
    }

    /// Where client commands find the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A client of the server at `--url`.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let key = self.api_key.clone().filter(|key| !key.is_empty());
        // A client needs no settings; broken or absent ones only mean that no key is found there.
        let local_key_file = match &key {
            Some(_) => None,
            None => self.settings().ok().map(|settings| settings.data_dir.join(KEY_FILE)),
        };
        Client::new(Address { url: self.url.clone(), key, local_key_file })
    }
}

/// Carries out what the arguments say.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let Arguments { global, command } = arguments;
    let output = global.output();
    match carry_out(command, &global) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}

fn carry_out(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve => server_threads()?.block_on(serve::serve(global)),
        Command::Sandbox => Ok(sandbox::child()),
        Command::Schema { pages: Some(folder) } => schema::write_pages(&folder),
        Command::Schema { pages: None } => schema::print(global.output()),
        Command::Migrate(command) => one_thread()?.block_on(migrate::run(command, global)),
        Command::Key(command) => one_thread()?.block_on(key::run(command, global)),
        Command::Member(command) => one_thread()?.block_on(member::run(command, global)),
        Command::Role(command) => one_thread()?.block_on(member::run_role(command, global)),
        Command::Connection(command) => one_thread()?.block_on(connection::run(command, global)),
        Command::Variable(command) => one_thread()?.block_on(variable::run(command, global)),
        Command::Project(command) => one_thread()?.block_on(project::run(command, global)),
        Command::Environment(command) => one_thread()?.block_on(project::run_environment(command, global)),
        Command::Secret(command) => one_thread()?.block_on(secret::run(command, global)),
        Command::Workflow(command) => one_thread()?.block_on(workflow::run(command, global)),
        Command::Trigger(command) => one_thread()?.block_on(trigger::run(command, global)),
        Command::Notification(command) => one_thread()?.block_on(notification::run(command, global)),
        Command::Admin(command) => one_thread()?.block_on(admin::run(command, global)),
        Command::Artifact(command) => one_thread()?.block_on(artifact::run(command, global)),
        Command::Audit(command) => one_thread()?.block_on(audit::run(command, global)),
        Command::Version(command) => one_thread()?.block_on(version::run(command, global)),
        Command::Run(command) => one_thread()?.block_on(run::run(command, global)),
    }
}

fn server_threads() -> Result<tokio::runtime::Runtime, Failure> {
    started(tokio::runtime::Builder::new_multi_thread().enable_all().build())
}

fn one_thread() -> Result<tokio::runtime::Runtime, Failure> {
    started(tokio::runtime::Builder::new_current_thread().enable_all().build())
}

fn started(built: std::io::Result<tokio::runtime::Runtime>) -> Result<tokio::runtime::Runtime, Failure> {
    built.map_err(|error| Failure::new(Exit::Failed, "CANNOT_START", format!("no threads to be had: {error}")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_contradict_nowhere() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_business_key_and_an_api_key_stand_side_by_side() {
        let parsed =
            Arguments::try_parse_from(["flowforge", "workflow", "run", "orders", "--key", "o-7", "--api-key", "ff_x"]);
        assert_eq!(parsed.unwrap().global.api_key.as_deref(), Some("ff_x"));
    }
}

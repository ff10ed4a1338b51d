//! `flowforge migrate`: the database's tables. A server does `up` by itself unless its settings forbid it.

use std::process::ExitCode;

use clap::Subcommand;
use migration::{Migrator, MigratorTrait as _};
use runtime::Database;
use runtime::database::DatabaseOptions;
use serde_json::{Value, json};

use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Carry out every step that is missing.
    Up,
    /// Take steps back, the last one first. What their tables hold is lost.
    Down {
        /// How many steps.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
        steps: u32,
    },
    /// Say which steps were carried out.
    Status,
}

/// A step and whether it was carried out.
type Step = (String, bool);

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let config = global.settings()?;
    if config.database.url.is_sqlite() {
        runtime::database::make_private_folder(&config.data_dir)
            .map_err(|error| failed(format!("{} cannot be made: {error}", config.data_dir.display())))?;
    }
    let database = Database::connect(config.database.url.expose(), &DatabaseOptions::default())
        .await
        .map_err(|error| Failure::new(Exit::Unreachable, error.code(), error.to_string()))?;
    let before = steps(&database).await?;
    match command {
        Command::Up => match Migrator::up(database.write(), None).await {
            // What an administrator, or a backup, left missing since.
            Ok(()) => migration::stand_wall(database.write()).await,
            failed => failed,
        },
        Command::Down { steps } => Migrator::down(database.write(), Some(steps)).await,
        Command::Status => Ok(()),
    }
    .map_err(|error| failed(error.to_string()))?;
    let after = steps(&database).await?;
    database.close().await;
    show(global.output(), &before, &after, matches!(command, Command::Status));
    Ok(ExitCode::SUCCESS)
}

async fn steps(database: &Database) -> Result<Vec<Step>, Failure> {
    let found = Migrator::get_migration_with_status(database.write()).await;
    let found = found.map_err(|error| failed(error.to_string()))?;
    // The type of the status has a name that only the migration library knows; its words are what it prints.
    Ok(found.iter().map(|step| (step.name().to_owned(), step.status().to_string() == "Applied")).collect())
}

fn show(output: Output, before: &[Step], after: &[Step], everything: bool) {
    if output.is_json() {
        let steps: Vec<Value> =
            after.iter().map(|(name, applied)| json!({ "name": name, "applied": applied })).collect();
        output.document(&json!({ "steps": steps }));
        return;
    }
    let shown: Vec<&Step> = if everything {
        after.iter().collect()
    } else {
        after.iter().zip(before).filter(|(after, before)| after.1 != before.1).map(|(after, _)| after).collect()
    };
    if shown.is_empty() {
        output.line("nothing to do");
        return;
    }
    let rows: Vec<Vec<Cell>> = shown
        .into_iter()
        .map(|(name, applied)| {
            let (word, shade) = if *applied { ("applied", Shade::Good) } else { ("not applied", Shade::Careful) };
            vec![Cell::plain(name), Cell::shaded(word, shade)]
        })
        .collect();
    output.table(&["STEP", "STATE"], &rows);
}

fn failed(message: String) -> Failure {
    Failure::new(Exit::Failed, "MIGRATION_FAILED", message)
}

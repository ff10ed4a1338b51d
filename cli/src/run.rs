//! `flowforge run`: look at runs and steer them.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::command::Global;
use crate::exit::Failure;
use crate::output::{Output, Shade};
use crate::question::{Question, run as question};

mod events;
pub(crate) mod input;
mod list;
mod logs;
mod output;
mod progress;
mod retry;
mod show;
pub(crate) mod watch;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a run, its nodes and its result.
    Get {
        /// The run's id, `run_…`.
        id: String,
    },
    /// Get what a run, or one of its nodes, gave: all of it, whatever its size.
    Output(output::Wanted),
    /// List runs, the newest first.
    List(list::List),
    /// Tell what a run's journal says, event by event; with `--output json`, as lines of JSON.
    Logs(logs::Logs),
    /// Try a run again: a new run that takes over what succeeded.
    Retry(retry::Retry),
    /// Follow a run to its end; ends with 1 when the run does not succeed.
    Watch {
        /// The run's id, `run_…`.
        id: String,
    },
    /// Stop a run; nodes that have finished keep their results.
    Cancel(Cancel),
    /// Let a run go on that was set aside because it ended its servers.
    Resume {
        /// The run's id, `run_…`.
        id: String,
    },
    /// Send a signal to a run.
    Signal(Signal),
    /// Say how a node run ended of which nobody knows whether its effect happened.
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The run's id, `run_…`.
    id: String,
    /// Why, for people who look at the run later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not wait for effects in flight.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Signal {
    /// The run's id, `run_…`.
    id: String,
    /// The name that a node waits for.
    name: String,
    /// Tells waits of the same name apart.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    key: String,
    /// What leaves the waiting node: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    payload: Option<String>,
    /// The same key within 24 hours sends the run one signal, however often this is called.
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The node run's id, `nrun_…`, as `run get` shows it.
    id: String,
    /// How it ended.
    how: Resolution,
    /// With `succeed`, its result: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    result: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Resolution {
    /// It did not happen, or twice is harmless: do it again with the same idempotency key.
    Retry,
    /// It happened.
    Succeed,
    /// Treat it as failed.
    Fail,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    match command {
        Command::Get { id } => show::get(&global.client()?, &id, global.output()).await,
        Command::Output(wanted) => output::get(&global.client()?, &wanted, global.output()).await,
        Command::List(list) => list::list(&global.client()?, &list, global.output()).await,
        Command::Logs(logs) => logs::logs(&global.client()?, logs, global.output()).await,
        Command::Retry(retry) => retry::retry(&global.client()?, retry, global.output()).await,
        Command::Resume { id } => steer(global, "resumeRun", question::RESUME, json!({ "runId": id }), "goes on").await,
        Command::Watch { id } => watch::follow(&global.client()?, &id, global.output()).await,
        Command::Cancel(cancel) => {
            let input = json!({ "runId": cancel.id, "reason": cancel.reason, "force": cancel.force });
            steer(global, "cancelRun", question::CANCEL, input, "will stop").await
        }
        Command::Signal(signal) => {
            let payload = signal.payload.map(|text| input::json(&text, "--payload")).transpose()?;
            let input = json!({ "runId": signal.id, "name": signal.name, "key": signal.key, "payload": payload,
                "idempotencyKey": signal.idempotency_key });
            steer(global, "signalRun", question::SIGNAL, input, "has the signal").await
        }
        Command::Resolve(resolve) => {
            steer(global, "resolveNodeRun", question::RESOLVE, resolution(resolve)?, "goes on").await
        }
    }
}

fn resolution(resolve: Resolve) -> Result<Value, Failure> {
    let word = match resolve.how {
        Resolution::Retry => "RETRY",
        Resolution::Succeed => "SUCCEED",
        Resolution::Fail => "FAIL",
    };
    let mut input = Map::new();
    input.insert("nodeRunId".to_owned(), resolve.id.into());
    input.insert("resolution".to_owned(), word.into());
    match (resolve.result, resolve.how) {
        (Some(text), Resolution::Succeed) => {
            input.insert("output".to_owned(), input::json(&text, "--result")?);
        }
        (Some(_), _) => return Err(Failure::usage("--result belongs to `succeed` only")),
        (None, _) => {}
    }
    Ok(input.into())
}

/// Sends a message to a run. It is durable when the answer comes; the run takes it up in a moment.
async fn steer(
    global: &Global,
    field: &str,
    question: Question,
    input: Value,
    done: &str,
) -> Result<ExitCode, Failure> {
    let output: Output = global.output();
    let payload = global.client()?.change(field, question, input).await?;
    if output.is_json() {
        output.document(&json!({ "run": payload["run"] }));
    } else {
        let id = payload.pointer("/run/id").and_then(Value::as_str).unwrap_or("the run");
        output.line(&format!("{} {done}", output.paint(Shade::Strong, id)));
    }
    Ok(ExitCode::SUCCESS)
}

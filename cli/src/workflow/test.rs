//! `flowforge workflow test`: tries a definition that is not published.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::document::{self, Document};
use super::found;
use super::problem::Problem;
use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade};
use crate::question::workflow as question;
use crate::run::{input, watch};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// A file, or the name of a workflow whose draft is tried. A name has no `.` and no `/`.
    #[arg(value_name = "FILE|NAME")]
    what: String,
    /// The project of a name, or of a document that names none.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// Which workflow, in a file with several documents.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The environment whose variables and connections it sees.
    #[arg(long, default_value = "default", value_name = "NAME")]
    environment: String,
    /// The trigger node to start at, when there are several.
    #[arg(long, value_name = "NODE")]
    trigger: Option<String>,
    /// Run what leads to this node, and the node.
    #[arg(long, value_name = "NODE", conflicts_with = "only")]
    to: Option<String>,
    /// Run this node alone, on pins and results of the test run before.
    #[arg(long, value_name = "NODE")]
    only: Option<String>,
    /// What the run gets: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// A file that becomes a member of what the run gets, `FIELD=PATH`; may be repeated.
    #[arg(long = "file", value_name = "FIELD=PATH", value_parser = super::file)]
    files: Vec<(String, PathBuf)>,
    /// With `--only`, the node's input in the place of what leads to it: JSON, `@FILE`, or `-`.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true, requires = "only")]
    node_input: Option<String>,
    /// A result that stands for a node, which does not run then: `NODE=FILE` or `NODE.PORT=FILE`, where the file holds
    /// JSON; may be repeated.
    #[arg(long = "pin", value_name = "NODE=FILE", value_parser = pin)]
    pins: Vec<(String, PathBuf)>,
    /// Take over no results of the test run before.
    #[arg(long)]
    fresh: bool,
    /// Only say what would run, what would act outside, and what stands for the rest.
    #[arg(long)]
    plan: bool,
}

/// What is tried.
struct Tried {
    project: String,
    workflow: Value,
    definition: Value,
    /// Where problems are told, when it comes from a file.
    document: Option<Document>,
}

/// Ends with 1 when the run does not succeed, and with 2 when the definition cannot run.
pub(super) async fn test(test: &Test, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let asked = asked(test)?;
    let document = if test.what.contains(['.', '/', '\\']) { Some(document(test)?) } else { None };
    let client = global.client()?;
    let tried = match document {
        Some(document) => of_file(&client, test, document, output).await?,
        None => of_draft(&client, test).await?,
    };
    let mut input = asked;
    input.insert("workflowId".to_owned(), tried.workflow.clone());
    input.insert("definition".to_owned(), tried.definition.clone());
    if !test.files.is_empty() {
        input.insert("files".to_owned(), super::sent(&client, &test.files, &tried.project).await?);
    }
    let (question, field) = match test.plan {
        true => (question::TEST_PLAN, "testPlan"),
        false => (question::TEST, "testRun"),
    };
    let mut data = client.ask(question, json!({ "input": input })).await?;
    let mut payload = data.get_mut(field).map(Value::take).unwrap_or_default();
    let problems = Problem::all_of(&mut payload);
    if !problems.is_empty() {
        return Ok(refuse(output, &tried, problems));
    }
    if payload["userErrors"].get(0).is_some() {
        return Err(crate::client::refused(&payload, &test.what));
    }
    if test.plan {
        plan(output, &payload);
        return Ok(ExitCode::SUCCESS);
    }
    watch::follow(&client, payload["run"]["id"].as_str().unwrap_or_default(), output).await
}

/// What is asked, but for what is tried.
fn asked(test: &Test) -> Result<Map<String, Value>, Failure> {
    let mut asked = Map::new();
    let mut put = |name: &str, value: Option<Value>| value.map(|value| asked.insert(name.to_owned(), value));
    put("environment", Some(test.environment.as_str().into()));
    put("trigger", test.trigger.clone().map(Value::from));
    put("toNode", test.to.clone().map(Value::from));
    put("onlyNode", test.only.clone().map(Value::from));
    put("reuse", Some((!test.fresh).into()));
    let given = |text: &Option<String>, option| text.as_deref().map(|text| input::json(text, option)).transpose();
    put("input", given(&test.input, "--input")?);
    put("nodeInput", given(&test.node_input, "--node-input")?);
    let mut pins = Vec::new();
    for (node, file) in &test.pins {
        let wrong = |why: String| Failure::usage(format!("--pin {node}: {}: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let output: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let (node, port) = node.split_once('.').unwrap_or((node, "out"));
        pins.push(json!({ "node": node, "port": port, "output": output }));
    }
    put("pins", Some(pins.into()));
    Ok(asked)
}

/// The document of a file, or that of several which `--name` names.
fn document(test: &Test) -> Result<Document, Failure> {
    let documents = document::read(&[PathBuf::from(&test.what)]).whole()?;
    let names: Vec<String> = documents.iter().map(|document| document.metadata.name.clone()).collect();
    let fits = |document: &Document| test.name.as_ref().is_none_or(|name| *name == document.metadata.name);
    let mut fitting: Vec<Document> = documents.into_iter().filter(fits).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            Err(Failure::usage(format!("{} holds {}; choose one with --name", test.what, names.join(", "))))
        }
        (None, _) => Err(Failure::usage(format!("{} holds {} only", test.what, names.join(", ")))),
    }
}

/// A workflow that the server does not have is made first, with the file as its draft: a run belongs to a workflow.
async fn of_file(client: &Client, test: &Test, document: Document, output: Output) -> Result<Tried, Failure> {
    let (project, name) = document.place(&test.project);
    let definition = document.definition.clone();
    let workflow = match found::find(client, &project, &name).await? {
        Some(mut found) => found["id"].take(),
        None => {
            let mut input = document.metadata.input();
            input["project"] = project.as_str().into();
            input["document"] = definition.clone();
            if let Some(layout) = &document.layout {
                input["sidecar"] = layout.clone();
            }
            let mut payload = client.change("createWorkflow", question::CREATE, input).await?;
            if !output.is_json() {
                output.note(&format!("{project}/{name} was not there; it has a draft now and no version"));
            }
            payload["workflow"]["id"].take()
        }
    };
    Ok(Tried { project, workflow, definition, document: Some(document) })
}

async fn of_draft(client: &Client, test: &Test) -> Result<Tried, Failure> {
    let mut data = client.ask(question::DRAFT, json!({ "project": test.project, "name": test.what })).await?;
    let workflow = &mut data["workflow"];
    let definition = workflow["draft"]["document"].take();
    Ok(Tried { project: test.project.clone(), workflow: workflow["id"].take(), definition, document: None })
}

fn refuse(output: Output, tried: &Tried, problems: Vec<Problem>) -> ExitCode {
    let placed = |problem: Problem| match &tried.document {
        Some(document) => problem.placed(document),
        None => problem,
    };
    let problems: Vec<Problem> = problems.into_iter().map(placed).collect();
    if output.is_json() {
        output.document(&json!({ "problems": problems }));
    } else {
        output.line(&output.paint(Shade::Bad, "it cannot run"));
        let file = tried.document.as_ref().map(|document| document.file.as_path());
        problems.iter().flat_map(|problem| problem.lines(output, file)).for_each(|line| output.line(&line));
    }
    Exit::Usage.into()
}

fn plan(output: Output, plan: &Value) {
    if output.is_json() {
        let (nodes, earlier) = (&plan["nodes"], &plan["earlierRunId"]);
        return output.document(&json!({ "nodes": nodes, "effectful": plan["effectful"], "earlierRunId": earlier }));
    }
    let row = |node: &Value| {
        let text = |name: &str| node[name].as_str().unwrap_or_default();
        let acts = text("fate") == "RUNS" && text("effect") == "EFFECTFUL";
        let (shade, effect) = if acts { (Shade::Careful, "acts outside") } else { (Shade::Dim, text("effect")) };
        vec![Cell::plain(text("node")), Cell::plain(text("fate")), Cell::shaded(effect, shade)]
    };
    let rows: Vec<Vec<Cell>> = plan["nodes"].as_array().into_iter().flatten().map(row).collect();
    output.table(&["NODE", "WHAT BECOMES OF IT", "EFFECT"], &rows);
    if let Some(earlier) = plan["earlierRunId"].as_str() {
        output.line(&format!("results are taken over from {earlier}"));
    }
}

fn pin(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((node, file)) if !node.is_empty() && !file.is_empty() => Ok((node.to_owned(), file.into())),
        _ => Err("write NODE=FILE".to_owned()),
    }
}

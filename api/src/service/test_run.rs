//! Trying a definition that is not published: the whole, up to a node, or one node alone.

use std::collections::BTreeMap;

use engine::definition::problem::Problem;
use engine::definition::{Definition, canonical};
use engine::graph::Graph;
use engine::id::{RunId, WorkflowId};
use engine::run::reuse::Planned;
use runtime::again::{PinnedOutput, PromisedRun, Test, TestPart, TestSource};
use runtime::artifact::Artifact;
use serde_json::Value;

use super::artifact::upload::{self, GivenFile};
use super::run::{Run, RunMode};
use super::version::Hashes;
use super::workflow::{Workflow, trigger_nodes};
use super::{ServiceError, draft, plan, start, text, workflow};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// Most bytes of all pins together.
const PINS_LIMIT: usize = 256 * 1024;

/// What to try.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// The workflow that it is a draft of.
    pub workflow: WorkflowId,
    /// The document; the workflow's draft when absent.
    pub definition: Option<Value>,
    /// With the draft: go on only when this is its revision.
    pub expected_revision: Option<i64>,
    /// The environment whose variables and connections it sees.
    pub environment: String,
    /// The key of the trigger node.
    pub trigger: Option<String>,
    /// How much of it.
    pub part: TestPart,
    /// Results that stand for nodes, by key.
    pub pins: BTreeMap<String, PinnedOutput>,
    /// What the run gets.
    pub input: Option<Value>,
    /// Files that become members of it.
    pub files: Vec<GivenFile>,
    /// Whether results of an earlier test run are taken over.
    pub reuse: bool,
    /// The same key within 24 hours answers with the same run.
    pub idempotency_key: Option<String>,
}

/// What a test run will do.
#[derive(Debug, Clone)]
pub struct Planning {
    /// Every node with what becomes of it, by key.
    pub nodes: Vec<Planned>,
    /// The test run whose results are taken over.
    pub earlier: Option<RunId>,
}

/// What became of the wish.
#[derive(Debug)]
pub enum Tried<T> {
    /// The definition cannot run.
    Refused {
        /// All that is wrong with it.
        problems: Vec<Problem>,
    },
    /// As asked.
    Done(T),
}

/// A request that was looked at.
struct Prepared {
    workflow: Workflow,
    document: Value,
    graph: Graph,
    test: Test,
    /// What the run gets besides files, and the files, when there are any.
    given: Option<(Value, Vec<(String, Artifact)>)>,
}

/// What a test run would do, without starting it.
///
/// # Errors
/// When they may not, the workflow is not there, or the part cannot run.
pub async fn plan(app: &App, viewer: &Viewer, request: TestRun) -> Result<Tried<Planning>, ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    let prepared = match prepare(app, viewer, &request).await? {
        Tried::Done(prepared) => prepared,
        Tried::Refused { problems } => return Ok(Tried::Refused { problems }),
    };
    let planned = app.runtime.plan_test(&prepared.graph, &prepared.test).await?;
    Ok(Tried::Done(Planning { nodes: planned.plan.nodes, earlier: prepared.test.earlier.map(|source| source.run) }))
}

/// Starts a test run; it is durable when this returns. `true` says that the idempotency key had started it before.
///
/// # Errors
/// As for [`plan`], or when the key belongs to another request.
pub async fn start(app: &App, viewer: &Viewer, request: TestRun) -> Result<Tried<(Run, bool)>, ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    let Prepared { workflow, document, mut test, given, .. } = match prepare(app, viewer, &request).await? {
        Tried::Done(prepared) => prepared,
        Tried::Refused { problems } => return Ok(Tried::Refused { problems }),
    };
    let database = app.runtime.database();
    if let Some((input, files)) = given {
        let run = RunId(app.runtime.clock().new_id());
        test.promised = Some(PromisedRun { run, asked: upload::same_start(&input, &files) });
        // Of a test that does not start they go in a day.
        test.input = Some(upload::give(app, viewer, run, input, &files).await?);
    }
    let hash = canonical::hash(&document);
    store::definition::keep(database, viewer.workspace, &hash, &document, app.runtime.now()).await?;
    let start = runtime::StartRun {
        workspace: viewer.workspace,
        project: workflow.project_id,
        workflow: workflow.id,
        version: None,
        definition_hash: hash,
        environment: request.environment,
        trigger_node: test.trigger_node.clone(),
        kind: runtime::TriggerKind::Manual,
        input: Value::Null,
        idempotency_key: request.idempotency_key,
        key: None,
        labels: BTreeMap::new(),
        priority: 0,
        created_by: viewer.actor(),
        trace: crate::telemetry::request::trace(),
    };
    let started = app.runtime.test(start, &test).await?;
    let run = store::run::find(database, &viewer.scope(), started.run).await?;
    let run = run.ok_or_else(|| ServiceError::internal(format!("{} was committed and is not there", started.run)))?;
    Ok(Tried::Done((run, started.replayed)))
}

async fn prepare(app: &App, viewer: &Viewer, request: &TestRun) -> Result<Tried<Prepared>, ServiceError> {
    text::slug("environment", &request.environment)?;
    if let Some(key) = &request.idempotency_key {
        text::key("idempotencyKey", key)?;
    }
    let pinned: usize = request.pins.values().map(|pin| pin.output.to_string().len()).sum();
    if pinned > PINS_LIMIT {
        let message = format!("the pins have {pinned} bytes; at most {PINS_LIMIT} are taken");
        return Err(ServiceError::invalid("pins", message));
    }
    let workflow = workflow::get(app, viewer, request.workflow).await?;
    let document = match &request.definition {
        Some(document) => document.clone(),
        None => {
            let draft = draft::get_main(app, viewer, workflow.id).await?;
            if request.expected_revision.is_some_and(|expected| expected != draft.revision) {
                return Err(ServiceError::RevisionConflict(Box::new(draft)));
            }
            draft.document
        }
    };
    let definition = match Definition::from_json(&document) {
        Ok(definition) => definition,
        Err(problem) => return Ok(Tried::Refused { problems: vec![problem] }),
    };
    let graph = match Graph::check(&definition, app.runtime.registry()) {
        Ok(graph) => graph,
        Err(problems) => return Ok(Tried::Refused { problems }),
    };
    let trigger_node = trigger(app, &definition, request.trigger.as_deref())?;
    let mut pins = request.pins.clone();
    // What a trigger gives is what the run gets.
    let pinned = pins.remove(&trigger_node).map(|pin| pin.output);
    let mut input = request.input.clone().or(pinned);
    let mut given = None;
    if !request.files.is_empty() {
        let bare = input.take().unwrap_or(Value::Null);
        let files = upload::find_given(app, viewer, workflow.project_id, &bare, &request.files).await?;
        input = Some(upload::placed(bare.clone(), &files));
        given = Some((bare, files));
    }
    let takes_over = request.reuse && request.part != TestPart::Whole;
    let earlier = if takes_over { earlier(app, viewer, request, &definition).await? } else { None };
    let test = Test {
        workspace: viewer.workspace,
        project: workflow.project_id,
        environment: request.environment.clone(),
        trigger_node,
        part: request.part.clone(),
        pins,
        input,
        promised: None,
        earlier,
    };
    Ok(Tried::Done(Prepared { workflow, document, graph, test, given }))
}

/// The trigger of that key; the only manual one, or the only one at all.
fn trigger(app: &App, definition: &Definition, wanted: Option<&str>) -> Result<String, ServiceError> {
    let mut all = trigger_nodes(app, definition);
    match (wanted, all.next(), all.next()) {
        (None, Some((only, _)), None) => Ok(only.to_owned()),
        _ => start::trigger(app, definition, wanted),
    }
}

/// The latest test run that has ended, and which of its nodes are unchanged.
async fn earlier(
    app: &App,
    viewer: &Viewer,
    request: &TestRun,
    definition: &Definition,
) -> Result<Option<TestSource>, ServiceError> {
    let (workflow, environment) = (request.workflow, &request.environment);
    let found = store::run::latest_test(app.runtime.database(), &viewer.scope(), workflow, environment).await?;
    let Some(found) = found.filter(|run| run.mode == RunMode::Test) else { return Ok(None) };
    let before = plan::get(app, viewer.workspace, &found.hash).await?;
    let (was, is) = (Hashes::of(app, &before.definition).nodes, Hashes::of(app, definition).nodes);
    let same = is.into_iter().filter(|(key, hash)| was.get(key) == Some(hash)).map(|(key, _)| key).collect();
    Ok(Some(TestSource { run: found.id, same }))
}

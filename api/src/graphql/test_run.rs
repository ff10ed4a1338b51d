//! Trying a definition that is not published.

use std::collections::BTreeMap;

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use engine::catalog::EffectClass;
use engine::definition::problem::Problem;
use engine::run::reuse::{self, Planned};
use runtime::again::{PinnedOutput, TestPart};
use serde_json::Value;

use super::Result;
use super::artifact::RunFileInput;
use super::node_run::EffectClassName;
use super::request::{Asked as _, id};
use super::run::RunObject;
use super::user_error::{UserError, settle};
use super::workflow::ProblemObject;
use crate::service::ServiceError;
use crate::service::test_run::{self, TestRun, Tried};

/// A result that stands for a node, which does not run then.
#[derive(InputObject)]
pub struct PinInput {
    /// The node's key.
    node: String,
    /// Its result; of the trigger, what the run gets.
    output: Json<Value>,
    /// The port that it leaves by.
    #[graphql(default = "out")]
    port: String,
}

/// What to try, and how much of it: all, up to `toNode`, or `onlyNode` alone.
#[derive(InputObject)]
pub struct TestRunInput {
    /// The workflow.
    workflow_id: ID,
    /// The document in the form `flowforge/v1`, as it is being edited; the workflow's saved draft when absent.
    definition: Option<Json<Value>>,
    /// Without `definition`: the revision of the draft that is meant; another one is a `REVISION_CONFLICT`.
    expected_revision: Option<i64>,
    /// The environment whose variables and connections it sees.
    #[graphql(default = "default")]
    environment: String,
    /// The key of the trigger node; may be absent when the definition has one manual trigger, or one trigger at all.
    trigger: Option<String>,
    /// Run what leads to this node, and the node.
    to_node: Option<String>,
    /// Run this node alone, on pins and results of the earlier test run.
    only_node: Option<String>,
    /// Results that stand for nodes, at most 256 KiB together.
    #[graphql(default)]
    pins: Vec<PinInput>,
    /// What the run gets. When absent: the pin of the trigger, or what the earlier test run got when its results are taken
    /// over, or null.
    input: Option<Json<Value>>,
    /// Files that become members of `input`, at most 20; of an empty object when there is neither `input` nor a pin.
    files: Option<Vec<RunFileInput>>,
    /// With `onlyNode`: its input instead of what leads to it.
    node_input: Option<Json<Value>>,
    /// Whether `toNode` and `onlyNode` take over results of the latest test run, of nodes that are unchanged with all
    /// before them.
    #[graphql(default = true)]
    reuse: bool,
    /// For `testRun`, up to 255 characters: the same key within 24 hours answers with the same run.
    idempotency_key: Option<String>,
}

/// What becomes of a node in a test run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "TestFate", remote = "reuse::Fate")]
pub enum TestFateName {
    /// It runs, if a path leads to it.
    Runs,
    /// Its pin stands for it.
    Pinned,
    /// Its result comes from the earlier test run.
    Reused,
    /// It is outside the part that runs, or nothing can lead to it.
    LeftOut,
}

/// One node of a plan.
#[derive(Debug, SimpleObject)]
pub struct TestPlanNode {
    /// Its key.
    node: String,
    /// What becomes of it.
    fate: TestFateName,
    /// What running it may do outside.
    effect: EffectClassName,
}

impl From<Planned> for TestPlanNode {
    fn from(planned: Planned) -> Self {
        Self { node: planned.node, fate: planned.fate.into(), effect: planned.effect.into() }
    }
}

/// What a test run would do.
#[derive(SimpleObject)]
pub struct TestPlan {
    /// Every node, by key.
    nodes: Vec<TestPlanNode>,
    /// Keys of the nodes that will really act outside, and more than once is more than once.
    effectful: Vec<String>,
    /// The test run whose results are taken over.
    earlier_run_id: Option<ID>,
    /// What is wrong with the definition.
    problems: Vec<ProblemObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Looking at a test run before it starts.
#[derive(Default)]
pub struct TestRunQuery;

#[Object]
impl TestRunQuery {
    /// What a test run would do: which nodes run, which act outside, and what stands for the others. Nothing is started.
    async fn test_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to try.")] input: TestRunInput,
    ) -> Result<TestPlan> {
        let answer = match read(input) {
            Ok(request) => test_run::plan(ctx.app()?, ctx.viewer()?, request).await,
            Err(error) => Err(error),
        };
        let (tried, mut user_errors) = settle(answer)?;
        let (planned, problems) = split(tried, &mut user_errors);
        let (nodes, earlier) = planned.map_or((Vec::new(), None), |planned| (planned.nodes, planned.earlier));
        let acts = |node: &&Planned| node.fate == reuse::Fate::Runs && node.effect == EffectClass::Effectful;
        let effectful = nodes.iter().filter(acts).map(|node| node.node.clone()).collect();
        Ok(TestPlan {
            nodes: nodes.into_iter().map(TestPlanNode::from).collect(),
            effectful,
            earlier_run_id: earlier.map(|run| run.to_string().into()),
            problems,
            user_errors,
        })
    }
}

/// What came of starting a test run.
#[derive(SimpleObject)]
pub struct TestRunPayload {
    /// The run, with mode TEST; it is durable, and goes after seven days.
    run: Option<RunObject>,
    /// Whether the idempotency key had started it before.
    replayed: bool,
    /// What is wrong with the definition.
    problems: Vec<ProblemObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Trying definitions.
#[derive(Default)]
pub struct TestRunMutation;

#[Object]
impl TestRunMutation {
    /// Starts a test run. Effectful nodes act for real unless they are pinned; `testPlan` names them before.
    async fn test_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to try.")] input: TestRunInput,
    ) -> Result<TestRunPayload> {
        let answer = match read(input) {
            Ok(request) => test_run::start(ctx.app()?, ctx.viewer()?, request).await,
            Err(error) => Err(error),
        };
        let (tried, mut user_errors) = settle(answer)?;
        let (started, problems) = split(tried, &mut user_errors);
        let (run, replayed) = started.map_or((None, false), |(run, replayed)| (Some(RunObject(run)), replayed));
        Ok(TestRunPayload { run, replayed, problems, user_errors })
    }
}

fn split<T>(tried: Option<Tried<T>>, user_errors: &mut Vec<UserError>) -> (Option<T>, Vec<ProblemObject>) {
    match tried {
        None => (None, Vec::new()),
        Some(Tried::Done(done)) => (Some(done), Vec::new()),
        Some(Tried::Refused { problems }) => {
            let is_error = |problem: &&Problem| problem.severity == engine::definition::problem::Severity::Error;
            user_errors.push(UserError::definition_invalid(problems.iter().filter(is_error).count()));
            (None, problems.into_iter().map(ProblemObject::from).collect())
        }
    }
}

fn read(input: TestRunInput) -> std::result::Result<TestRun, ServiceError> {
    let part = match (input.to_node, input.only_node) {
        (None, None) => TestPart::Whole,
        (Some(node), None) => TestPart::To(node),
        (None, Some(node)) => TestPart::Only(node, input.node_input.as_ref().map(|json| json.0.clone())),
        (Some(_), Some(_)) => {
            return Err(ServiceError::invalid("onlyNode", "name one of `toNode` and `onlyNode`, not both"));
        }
    };
    if input.node_input.is_some() && !matches!(part, TestPart::Only(..)) {
        return Err(ServiceError::invalid("nodeInput", "`nodeInput` belongs to `onlyNode`"));
    }
    let pins: BTreeMap<String, PinnedOutput> =
        input.pins.into_iter().map(|pin| (pin.node, PinnedOutput { port: pin.port, output: pin.output.0 })).collect();
    let files = input.files.unwrap_or_default().into_iter().map(TryInto::try_into);
    Ok(TestRun {
        workflow: id(&input.workflow_id, "workflow")?,
        definition: input.definition.map(|definition| definition.0),
        expected_revision: input.expected_revision,
        environment: input.environment,
        trigger: input.trigger,
        part,
        pins,
        input: input.input.map(|json| json.0),
        files: files.collect::<std::result::Result<_, _>>()?,
        reuse: input.reuse,
        idempotency_key: input.idempotency_key,
    })
}

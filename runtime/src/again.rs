//! Runs that take over what earlier ones gave: tried again from a node, or tests of a part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::graph::Graph;
use engine::id::{ProjectId, RunId, TriggerEventId, WorkspaceId};
use engine::run::Run;
use engine::run::event::NodeIx;
use engine::run::reuse::{Earlier, EarlierTest, NotReusable, Part, Pin, Preparation, Retry, TestPlan, TestRun};
use engine::value::{Digest, ValueRef};
use serde_json::{Value, json};

use crate::definition::DefinitionError;
use crate::intake::Beginning;
use crate::journal::JournalError;
use crate::runtime::{Mode, Runtime, StartError, StartRun, Started};
use crate::value::Tenant;

/// A run to try again.
#[derive(Debug, Clone)]
pub struct RetryRun {
    /// What is to run now; its `input` is not looked at.
    pub start: StartRun,
    /// The run that was.
    pub of: RunId,
    /// The first node that runs; the start when absent.
    pub from: Option<String>,
    /// Keys of the nodes that do the same in both definitions.
    pub same: BTreeSet<String>,
    /// What that node gets instead of what leads to it; at the start, what the run gets.
    pub input: Option<Value>,
}

/// What came to a trigger, to be delivered once more.
#[derive(Debug, Clone)]
pub struct Redelivery {
    /// What is to run; its `input` is what came.
    pub start: StartRun,
    /// The event that was.
    pub of: TriggerEventId,
    /// How many runs before it started each other inside.
    pub depth: u32,
}

/// How much of a definition is tried.
#[derive(Debug, Clone, PartialEq)]
pub enum TestPart {
    /// All of it.
    Whole,
    /// Up to this node.
    To(String),
    /// This node alone, perhaps with an input of its own.
    Only(String, Option<Value>),
}

/// A result that stands for a node.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedOutput {
    /// The port that it leaves by.
    pub port: String,
    /// The result.
    pub output: Value,
}

/// An earlier test run whose results may be taken over.
#[derive(Debug, Clone)]
pub struct TestSource {
    /// The run.
    pub run: RunId,
    /// Keys of the nodes that do the same in both definitions.
    pub same: BTreeSet<String>,
}

/// The run that a test will be, when something was promised to it.
#[derive(Debug, Clone, PartialEq)]
pub struct PromisedRun {
    /// Its id.
    pub run: RunId,
    /// What counts as the same input again, where that is not the input: files have other ids each time.
    pub asked: Value,
}

/// A try of a definition.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its project.
    pub project: ProjectId,
    /// The environment whose variables it sees.
    pub environment: String,
    /// Key of the trigger node.
    pub trigger_node: String,
    /// How much of it.
    pub part: TestPart,
    /// Results that stand for nodes, by key.
    pub pins: BTreeMap<String, PinnedOutput>,
    /// What the run gets; what the earlier test run got when absent.
    pub input: Option<Value>,
    /// The run, when its input holds files that were given to it before it begins.
    pub promised: Option<PromisedRun>,
    /// Where results may come from.
    pub earlier: Option<TestSource>,
}

/// What a test run will do, and with what.
#[derive(Debug, Clone)]
pub struct PlannedTest {
    /// Which nodes run.
    pub plan: TestPlan,
    /// What the run gets.
    pub input: ValueRef,
    trigger: NodeIx,
    tenant: Tenant,
}

/// Why a run does not take over what an earlier one gave.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// What it names is not in the definition.
    #[error("the definition has no node `{0}`")]
    NodeMissing(String),
    /// The earlier run does not allow it.
    #[error(transparent)]
    NotReusable(#[from] NotReusable),
    /// The earlier run cannot be read.
    #[error("the earlier run cannot be read: {0}")]
    Unreadable(String),
    /// As for every start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A run that was, rebuilt.
struct Rebuilt {
    graph: Arc<Graph>,
    run: Run,
}

impl Rebuilt {
    fn earlier(&self, id: RunId) -> Earlier<'_> {
        Earlier { id, graph: &self.graph, run: &self.run }
    }
}

impl Runtime {
    /// Tries a run again: a new run that takes over what succeeded; it is durable when this returns.
    ///
    /// # Errors
    /// When something before its first node cannot be taken over, or as for [`Runtime::start`].
    pub async fn retry(&self, request: RetryRun) -> Result<Started, AgainError> {
        let RetryRun { mut start, of, from, same, input } = request;
        let asked = json!({"retry": of.to_string(), "from": &from, "version": start.definition_hash.to_string(), "input": &input});
        let (graph, tenant) =
            self.definitions().get(start.workspace, start.definition_hash).await.map_err(StartError::from)?;
        let trigger = trigger(&graph, &start.trigger_node)?;
        let first = from.as_deref().map(|key| find(&graph, key)).transpose()?;
        if let (Some(input), None) = (&input, first.filter(|node| *node != trigger)) {
            graph.check_input(input).map_err(StartError::InputInvalid)?;
        }
        let earlier = self.rebuilt(start.workspace, of).await?;
        let input = match input {
            Some(input) => Some(self.keep(&tenant, input).await?),
            None => None,
        };
        let retry = Retry { earlier: earlier.earlier(of), graph: &graph, same: &same, trigger, from: first, input };
        let Preparation { origin, input, facts } = retry.prepare()?;
        start.input = Value::Null;
        let beginning = Beginning {
            mode: Mode::Live,
            retry_of: Some((of, from)),
            origin,
            facts,
            asked: Some(asked_digest(&tenant, &asked)),
            ..Beginning::default()
        };
        Ok(self.begin(start, tenant, graph, trigger, input, beginning).await?)
    }

    /// Delivers what came once more: a new run with an event of its own; it is durable when this returns.
    ///
    /// # Errors
    /// As for [`Runtime::start`].
    pub async fn redeliver(&self, request: Redelivery) -> Result<Started, StartError> {
        let Redelivery { start, of, depth } = request;
        let tenant = self.definitions().tenant(start.workspace).await.map_err(DefinitionError::Database)?;
        let tenant = tenant.ok_or(DefinitionError::Missing(start.definition_hash))?;
        let asked = json!({"redelivery": of.to_string(), "version": start.definition_hash.to_string()});
        let asked = Some(asked_digest(&tenant, &asked));
        let beginning = Beginning { asked, redelivery_of: Some((of, depth)), ..Beginning::default() };
        self.start_as(start, beginning).await
    }

    /// What a test run of this definition would do.
    ///
    /// # Errors
    /// When it names a node that is not there, or its part cannot run.
    pub async fn plan_test(&self, graph: &Graph, test: &Test) -> Result<PlannedTest, AgainError> {
        let trigger = trigger(graph, &test.trigger_node)?;
        let tenant = self.definitions().tenant(test.workspace).await.map_err(JournalError::from)?;
        let tenant = tenant.ok_or_else(|| AgainError::Unreadable("its workspace is gone".to_owned()))?;
        let earlier = match &test.earlier {
            Some(source) => Some((source, self.rebuilt(test.workspace, source.run).await?)),
            None => None,
        };
        let given = earlier.as_ref().and_then(|(_, rebuilt)| rebuilt.run.input().cloned());
        let input = match (&test.input, &given) {
            (Some(input), _) => {
                graph.check_input(input).map_err(StartError::InputInvalid)?;
                self.keep(&tenant, input.clone()).await?
            }
            (None, Some(given)) => given.clone(),
            (None, None) => self.keep(&tenant, Value::Null).await?,
        };
        let mut pins = BTreeMap::new();
        for (key, pin) in &test.pins {
            let output = self.keep(&tenant, pin.output.clone()).await?;
            pins.insert(find(graph, key)?, Pin { port: pin.port.clone(), output });
        }
        let part = match &test.part {
            TestPart::Whole => Part::Whole,
            TestPart::To(key) => Part::To(find(graph, key)?),
            TestPart::Only(key, input) => {
                let input = match input {
                    Some(input) => Some(self.keep(&tenant, input.clone()).await?),
                    None => None,
                };
                Part::Only { node: find(graph, key)?, input }
            }
        };
        let vars = match graph.reads_vars() {
            true => Some(self.vars(&tenant, test.project, &test.environment).await.map_err(StartError::from)?),
            false => None,
        };
        let earlier = earlier.as_ref().map(|(source, rebuilt)| EarlierTest {
            earlier: rebuilt.earlier(source.run),
            same: &source.same,
            same_input: rebuilt.run.input() == Some(&input),
            same_vars: rebuilt.run.vars() == vars.as_ref(),
        });
        let plan = TestRun { graph, trigger, part, pins, earlier }.plan()?;
        Ok(PlannedTest { plan, input, trigger, tenant })
    }

    /// Starts a test run; it is durable when this returns. `start.definition_hash` names the definition that `test`
    /// is about; the other fields of `start` count, but not its `input`.
    ///
    /// # Errors
    /// As for [`Runtime::plan_test`] and [`Runtime::start`].
    pub async fn test(&self, start: StartRun, test: &Test) -> Result<Started, AgainError> {
        let (graph, _) =
            self.definitions().get(start.workspace, start.definition_hash).await.map_err(StartError::from)?;
        let PlannedTest { plan, input, trigger, tenant } = self.plan_test(&graph, test).await?;
        let same = test.promised.as_ref().map_or_else(|| json!(input.digest.to_string()), |run| run.asked.clone());
        let asked = json!({"test": start.definition_hash.to_string(), "part": format!("{:?}", test.part),
            "pins": format!("{:?}", test.pins), "input": same});
        let beginning = Beginning {
            mode: Mode::Test,
            run: test.promised.as_ref().map(|promised| promised.run),
            facts: plan.facts,
            asked: Some(asked_digest(&tenant, &asked)),
            ..Beginning::default()
        };
        Ok(self.begin(start, tenant, graph, trigger, input, beginning).await?)
    }

    async fn keep(&self, tenant: &Tenant, value: Value) -> Result<ValueRef, StartError> {
        Ok(self.values().keep(tenant, value).await?)
    }

    /// A run as its journal tells it, with the bytes of its values.
    async fn rebuilt(&self, workspace: WorkspaceId, id: RunId) -> Result<Rebuilt, AgainError> {
        let loaded = self.journal().load(id).await?;
        if loaded.workspace != workspace {
            return Err(JournalError::RunMissing(id).into());
        }
        let (graph, _) = self.definitions().get(workspace, loaded.definition_hash).await.map_err(StartError::from)?;
        let (replayed, _) = crate::rebuild::rebuild(&graph, id, &loaded).map_err(AgainError::Unreadable)?;
        Ok(Rebuilt { graph, run: replayed.run })
    }
}

fn find(graph: &Graph, key: &str) -> Result<NodeIx, AgainError> {
    graph.find(key).ok_or_else(|| AgainError::NodeMissing(key.to_owned()))
}

pub(crate) fn trigger(graph: &Graph, key: &str) -> Result<NodeIx, StartError> {
    let found = graph.find(key).filter(|ix| graph.node(*ix).is_some_and(|node| node.is_trigger));
    found.ok_or_else(|| StartError::TriggerMissing(key.to_owned()))
}

fn asked_digest(tenant: &Tenant, asked: &Value) -> Digest {
    ValueRef::of(&tenant.salt, asked).0.digest
}

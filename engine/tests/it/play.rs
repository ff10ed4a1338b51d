//! Plays a run by hand: the test is the driver.

use std::time::Duration;

use engine::catalog::{Catalog, Deprecation, EffectClass, NodeCategory, NodeDescriptor, NodeTypeName, Port, Shape};
use engine::definition::Definition;
use engine::error::ErrorInfo;
use engine::graph::Graph;
use engine::id::RunId;
use engine::port::PortType;
use engine::run::Run;
use engine::run::event::{Event, NodeRunRef, Recorded, SignalName, WaitFor};
use engine::run::status::{NodeRunStatus, RunStatus};
use engine::run::step::{Effect, step};
use engine::time::Timestamp;
use engine::value::ValueRef;
use serde_json::{Value, json};
use uuid::Uuid;

/// Types whose names say their effect class.
pub(crate) struct TestCatalog(Vec<NodeDescriptor>);

impl TestCatalog {
    pub(crate) fn new() -> Self {
        let of = |name: &str, category, outputs: &[&'static str], many: bool| NodeDescriptor {
            config_schema: json!({
                "type": "object",
                "properties": {
                    "number": {"type": "integer"}, "text": {"type": "string"}, "later": {"x-deferred": true},
                    "literal": {"type": "string", "x-literal": true}
                },
                "additionalProperties": false
            }),
            inputs: match category {
                NodeCategory::Trigger => Vec::new(),
                _ if many => vec![Port::many("in")],
                _ => vec![Port::one(
                    "in",
                    match name {
                        "test.list" => PortType::list(),
                        "test.integer" => PortType::Integer,
                        _ => PortType::Any,
                    },
                )],
            },
            outputs: outputs
                .iter()
                .map(|name| Port::one(name, if *name == "number" { PortType::Number } else { PortType::Any }))
                .collect(),
            for_each: outputs == ["out"] && !many && category != NodeCategory::Trigger,
            auth: if name == "test.get" { &["test.key"] } else { &[] },
            fresh_key_after_answer: name == "test.fresh",
            deprecated: (name == "test.old").then_some(Deprecation { since: "0.1", replacement: Some("test.pure@1") }),
            ..NodeDescriptor::new(name, 1, category)
        };
        use NodeCategory as C;
        Self(vec![
            of("test.trigger", C::Trigger, &["out"], false),
            of("test.pure", C::Data, &["out"], false),
            of("test.same", C::Data, &["out"], false),
            of("test.integer", C::Data, &["out"], false),
            of("test.old", C::Data, &["out"], false),
            of("test.list", C::Data, &["out"], false),
            of("test.number", C::Data, &["number"], false),
            of("test.if", C::Flow, &["true", "false"], false),
            of("test.merge", C::Flow, &["out"], true),
            of("test.wait", C::Flow, &["out", "timeout"], false),
            of("test.get", C::Integration, &["out"], false),
            of("test.post", C::Integration, &["out"], false),
            of("test.fresh", C::Integration, &["out"], false),
        ])
    }
}

impl Catalog for TestCatalog {
    fn descriptor(&self, r#type: &NodeTypeName) -> Option<&NodeDescriptor> {
        self.0.iter().find(|descriptor| descriptor.r#type == *r#type)
    }

    fn effect(&self, r#type: &NodeTypeName, _: &Value) -> EffectClass {
        match r#type.name.as_str() {
            "test.get" => EffectClass::Idempotent,
            "test.post" | "test.fresh" => EffectClass::Effectful,
            _ => EffectClass::Pure,
        }
    }

    fn output(&self, r#type: &NodeTypeName, _: &str, shape: &Shape<'_>) -> Option<PortType> {
        match r#type.name.as_str() {
            "test.trigger" => Some(shape.input.clone()),
            "test.same" => Some(shape.types.clone()),
            _ => None,
        }
    }
}

pub(crate) fn graph(document: Value) -> Graph {
    let definition = Definition::from_json(&document).unwrap();
    Graph::check(&definition, &TestCatalog::new()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(crate) fn value(of: Value) -> ValueRef {
    ValueRef::of(b"salt", &of).0
}

pub(crate) struct Play {
    pub graph: Graph,
    pub run: Run,
    pub at: Timestamp,
    pub journal: Vec<Recorded>,
    pub effects: Vec<Effect>,
}

impl Play {
    /// Starts a run of this document by its trigger `start`.
    pub(crate) fn start(document: Value) -> Self {
        let (mut play, id) = (Self::new(document, 1), Self::id(1));
        let trigger = play.graph.find("start").unwrap();
        play.tell(Event::RunCreated { trigger, input: value(json!({"n": 1})), origin: id.0, prepared: 0, vars: None });
        play
    }

    /// A run of this document of which nothing is known yet.
    pub(crate) fn new(document: Value, number: u128) -> Self {
        let (graph, run) = (graph(document), Run::new(Self::id(number)));
        Self { graph, run, at: Timestamp(1_000_000), journal: Vec::new(), effects: Vec::new() }
    }

    pub(crate) fn id(number: u128) -> RunId {
        RunId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + number))
    }

    pub(crate) fn tell(&mut self, fact: Event) {
        let before = self.run.seq();
        let decision = step(&self.graph, &mut self.run, self.at, fact).unwrap();
        let at = self.run.last_at();
        self.journal.extend(decision.events.into_iter().zip(before + 1..).map(|(event, seq)| Recorded {
            seq,
            at,
            event,
        }));
        self.effects.extend(decision.effects);
    }

    /// Takes the effects that were asked for since the last call, as words: `fetch`, `fetch/3`, `items of fetch`.
    pub(crate) fn asked(&mut self) -> Vec<String> {
        let name = |at: &NodeRunRef| {
            let key = &self.graph.node(at.node).unwrap().key;
            if at.scope.is_root() { key.clone() } else { format!("{key}/{}", at.scope) }
        };
        let words = self.effects.iter().map(|effect| match effect {
            Effect::Attempt { at, .. } => name(at),
            Effect::ListItems { node } => format!("items of {}", name(&NodeRunRef::root(*node))),
            Effect::Collect { node } => format!("collect {}", name(&NodeRunRef::root(*node))),
            Effect::Output => "output".into(),
            Effect::Abort { at } => format!("abort {}", name(at)),
            Effect::AbortOutput => "abort output".into(),
        });
        let words = words.collect();
        self.effects.clear();
        words
    }

    /// `fetch` or `fetch/3`.
    pub(crate) fn at(&self, name: &str) -> NodeRunRef {
        let (key, scope) = name.split_once('/').unwrap_or((name, ""));
        NodeRunRef { node: self.graph.find(key).unwrap(), scope: scope.parse().unwrap() }
    }

    fn attempt(&self, at: &NodeRunRef) -> u32 {
        self.run.node_run(at).unwrap().attempt
    }

    pub(crate) fn succeed(&mut self, name: &str) {
        self.succeed_by(name, "out");
    }

    pub(crate) fn succeed_by(&mut self, name: &str, port: &str) {
        let at = self.at(name);
        let attempt = self.attempt(&at);
        self.tell(Event::AttemptSucceeded { at, attempt, port: port.into(), output: value(json!(name)), log: None });
    }

    pub(crate) fn fail(&mut self, name: &str, error: ErrorInfo) {
        let at = self.at(name);
        let attempt = self.attempt(&at);
        self.tell(Event::AttemptFailed { at, attempt, error, log: None });
    }

    pub(crate) fn list_items(&mut self, name: &str, count: u32) {
        let node = self.at(name).node;
        self.tell(Event::ItemsListed { node, count, items: value(json!([name])) });
    }

    pub(crate) fn collect(&mut self, name: &str) {
        let node = self.at(name).node;
        self.tell(Event::ItemsCollected { node, output: value(json!([name])) });
    }

    pub(crate) fn wait_for_signal(&mut self, name: &str, signal: &str, until: Option<Duration>) {
        let at = self.at(name);
        let attempt = self.attempt(&at);
        let signal = SignalName { name: signal.into(), key: String::new() };
        let wait =
            WaitFor { signal: Some(signal), until: until.map(|until| self.at.plus(until)), passes: value(json!(null)) };
        self.tell(Event::AttemptWaits { at, attempt, wait, log: None });
    }

    pub(crate) fn signal(&mut self, signal: &str) {
        let signal = SignalName { name: signal.into(), key: String::new() };
        self.tell(Event::SignalReceived { signal, payload: value(json!({"paid": true})), kept: None });
    }

    pub(crate) fn cancel(&mut self) {
        self.tell(Event::CancelRequested { by: "ann".into(), reason: String::new(), force: false });
    }

    /// Lets time pass and fires what is due.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.at = self.at.plus(time);
        while let Some(timer) = self.run.due(self.at) {
            self.tell(Event::TimerFired { timer });
        }
    }

    pub(crate) fn status_of(&self, name: &str) -> NodeRunStatus {
        self.run.node_run(&self.at(name)).unwrap().state.status()
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.run.status()
    }
}

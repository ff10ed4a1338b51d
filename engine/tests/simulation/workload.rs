//! Node types of which only the effect class matters, and workflows that mix them.

use engine::catalog::{Catalog, EffectClass, NodeCategory, NodeDescriptor, NodeTypeName, Port};
use engine::definition::Definition;
use engine::graph::Graph;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::random::Random;

pub(crate) struct SimCatalog(Vec<NodeDescriptor>);

fn descriptor(name: &str, category: NodeCategory, outputs: &[&'static str], many: bool) -> NodeDescriptor {
    let input = if many { Port::many("in") } else { Port::one("in", PortType::Any) };
    NodeDescriptor {
        config_schema: json!({"type": "object"}),
        inputs: if category == NodeCategory::Trigger { Vec::new() } else { vec![input] },
        outputs: outputs.iter().map(|name| Port::one(name, PortType::Any)).collect(),
        for_each: !many && outputs == ["out"],
        fresh_key_after_answer: name == "sim.fresh",
        ..NodeDescriptor::new(name, 1, category)
    }
}

impl SimCatalog {
    pub(crate) fn new() -> Self {
        use NodeCategory as C;
        Self(vec![
            descriptor("sim.trigger", C::Trigger, &["out"], false),
            descriptor("sim.pure", C::Data, &["out"], false),
            descriptor("sim.branch", C::Flow, &["true", "false"], false),
            descriptor("sim.merge", C::Flow, &["out"], true),
            descriptor("sim.wait", C::Flow, &["out", "timeout"], false),
            descriptor("sim.signal", C::Flow, &["out", "timeout"], false),
            descriptor("sim.idempotent", C::Integration, &["out"], false),
            descriptor("sim.effectful", C::Integration, &["out"], false),
            descriptor("sim.fresh", C::Integration, &["out"], false),
        ])
    }
}

impl Catalog for SimCatalog {
    fn descriptor(&self, r#type: &NodeTypeName) -> Option<&NodeDescriptor> {
        self.0.iter().find(|descriptor| descriptor.r#type == *r#type)
    }

    fn effect(&self, r#type: &NodeTypeName, _: &Value) -> EffectClass {
        match r#type.name.as_str() {
            "sim.idempotent" => EffectClass::Idempotent,
            "sim.effectful" | "sim.fresh" => EffectClass::Effectful,
            _ => EffectClass::Pure,
        }
    }
}

/// A random DAG: layers of nodes, each joined to one or two earlier ones.
pub(crate) fn random_workflow(random: &mut Random) -> Graph {
    let mut nodes = serde_json::Map::new();
    let mut edges = Vec::new();
    nodes.insert("start".into(), json!({"type": "sim.trigger@1"}));
    let mut ends: Vec<String> = vec!["start".into()];
    let count = random.between(3, 12);
    for number in 0..count {
        let key = format!("n{number:02}");
        let kind = ["pure", "pure", "pure", "idempotent", "effectful", "fresh", "branch", "wait", "signal", "merge"]
            [random.below(10) as usize];
        let mut node = json!({"type": format!("sim.{kind}@1")});
        if matches!(kind, "idempotent" | "effectful" | "fresh") {
            node["retry"] = json!({"attempts": random.between(1, 4), "initial": "200ms", "cap": "2s"});
            if random.chance(15) {
                node["on_uncertain"] = json!(["retry", "fail"][random.below(2) as usize]);
            }
            if random.chance(10) {
                node["deadline"] = json!("3s");
            }
        }
        if matches!(kind, "pure" | "idempotent" | "effectful") && random.chance(30) {
            let on_item_error = ["fail", "collect", "skip"][random.below(3) as usize];
            node["for_each"] =
                json!({"items": [], "concurrency": random.between(1, 4), "on_item_error": on_item_error});
        }
        let sources = if kind == "merge" { random.between(1, 3) } else { 1 };
        let mut taken = Vec::new();
        for _ in 0..sources {
            let from = ends[random.below(ends.len() as u64) as usize].clone();
            if !taken.contains(&from) {
                edges.push(json!({"from": from, "to": key}));
                taken.push(from);
            }
        }
        if kind == "merge" && random.chance(30) {
            node["join"] = json!("any");
        }
        match kind {
            "branch" => ends.extend([format!("{key}.true"), format!("{key}.false")]),
            _ => ends.push(key.clone()),
        }
        if matches!(kind, "idempotent" | "effectful") && random.chance(30) {
            ends.push(format!("{key}.error"));
        }
        nodes.insert(key, node);
    }
    let mut document = json!({"nodes": nodes, "edges": edges});
    if random.chance(10) {
        document["settings"] = json!({"timeout": "20s"});
    }
    let definition = Definition::from_json(&document).unwrap();
    Graph::check(&definition, &SimCatalog::new()).unwrap_or_else(|problems| panic!("{document:#}\n{problems:#?}"))
}

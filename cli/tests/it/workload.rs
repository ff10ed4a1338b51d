//! Workflows that mix everything: pure chains, calls of each class, lists, waits and signals.

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sets, a branch and a merge; nothing outside.
    Chain,
    /// PUT, GET, POST, and a POST that the service recognizes when it is repeated.
    Calls,
    /// Two lists: one of PUTs, one of POSTs.
    Items,
    /// A wait for time, a call, a wait for the signal `go`, a call.
    Waits,
    /// Three calls at once and a merge.
    Fan,
}

/// The result that a person gives an uncertain call.
pub(crate) fn by_hand(node: &str) -> Value {
    json!({ "status": 200, "headers": {}, "body": { "node": node, "item": "-" } })
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Chain, Self::Calls, Self::Items, Self::Waits, Self::Fan];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Calls => "calls",
            Self::Items => "items",
            Self::Waits => "waits",
            Self::Fan => "fan",
        }
    }

    pub(crate) fn input(self, key: &str, n: u64) -> Value {
        json!({ "key": key, "n": n, "items": (0..8).collect::<Vec<u64>>(), "few": [0, 1, 2] })
    }

    /// The output of a run that nothing failed in, however often it was interrupted.
    pub(crate) fn output(self, n: u64) -> Value {
        match self {
            Self::Chain => json!(if n * 2 > 50 { n * 2 + 1_006 } else { n * 2 + 7 }),
            Self::Calls => json!("pay and keyed"),
            Self::Items => json!("8 and 3, the last 2"),
            Self::Waits => json!("keyed after yes"),
            Self::Fan => json!(["left", "pay", "right"]),
        }
    }

    pub(crate) fn definition(self, host: &str) -> Value {
        match self {
            Self::Chain => chain(),
            Self::Calls => calls(host),
            Self::Items => items(host),
            Self::Waits => waits(host),
            Self::Fan => fan(host),
        }
    }
}

/// Nodes in a row after `start`, and what the run gives.
pub(crate) fn row(nodes: &[(&str, Value)], output: &str) -> Value {
    let keys: Vec<&str> = std::iter::once("start").chain(nodes.iter().map(|(key, _)| *key)).collect();
    let edges: Vec<Value> = keys.windows(2).map(|pair| json!({ "from": pair[0], "to": pair[1] })).collect();
    let mut all: serde_json::Map<String, Value> =
        nodes.iter().map(|(key, node)| ((*key).to_owned(), node.clone())).collect();
    all.insert("start".to_owned(), json!({ "type": "trigger.manual@1" }));
    json!({ "nodes": all, "edges": edges, "output": output })
}

pub(crate) fn set(value: &str) -> Value {
    json!({ "type": "data.set@1", "config": { "value": value } })
}

/// A call of the ledger, retried for as long as it refuses.
pub(crate) fn request(host: &str, method: &str, node: &str, item: &str) -> Value {
    let url = format!("http://{host}/{{{{ run.input.key }}}}/{node}/{item}");
    let mut config = json!({ "method": method, "url": url });
    if method != "GET" {
        config["body"] = json!({ "n": "{{ run.input.n }}" });
    }
    json!({
        "type": "http.request@1",
        "config": config,
        "retry": { "attempts": 50, "initial": "10ms", "coefficient": 1.0, "jitter": 0.5 },
    })
}

fn keyed(host: &str) -> Value {
    let mut node = request(host, "POST", "keyed", "-");
    node["config"]["idempotency_header"] = json!("Idempotency-Key");
    node
}

fn each(mut node: Value, items: &str, concurrency: u32) -> Value {
    node["for_each"] = json!({ "items": items, "concurrency": concurrency });
    node
}

fn chain() -> Value {
    let plus = || set("{{ input + 1 }}");
    json!({
        "nodes": {
            "start": { "type": "trigger.manual@1" },
            "double": set("{{ run.input.n * 2 }}"),
            "large": { "type": "flow.if@1", "config": { "condition": "{{ input > 50 }}" } },
            "high": set("{{ nodes.double.output + 1000 }}"),
            "low": set("{{ nodes.double.output + 1 }}"),
            "joined": { "type": "flow.merge@1", "config": { "mode": "first" } },
            "s1": plus(), "s2": plus(), "s3": plus(), "s4": plus(), "s5": plus(), "s6": plus(),
        },
        "edges": [
            { "from": "start", "to": "double" }, { "from": "double", "to": "large" },
            { "from": "large.true", "to": "high" }, { "from": "large.false", "to": "low" },
            { "from": "high", "to": "joined" }, { "from": "low", "to": "joined" },
            { "from": "joined", "to": "s1" }, { "from": "s1", "to": "s2" }, { "from": "s2", "to": "s3" },
            { "from": "s3", "to": "s4" }, { "from": "s4", "to": "s5" }, { "from": "s5", "to": "s6" },
        ],
        "output": "{{ nodes.s6.output }}",
    })
}

fn calls(host: &str) -> Value {
    row(
        &[
            ("put", request(host, "PUT", "put", "-")),
            ("get", request(host, "GET", "get", "-")),
            ("pay", request(host, "POST", "pay", "-")),
            ("keyed", keyed(host)),
            ("last", set("{{ nodes.pay.output.body.node + ' and ' + nodes.keyed.output.body.node }}")),
        ],
        "{{ nodes.last.output }}",
    )
}

fn items(host: &str) -> Value {
    row(
        &[
            ("put", each(request(host, "PUT", "put", "{{ index }}"), "{{ run.input.items }}", 4)),
            ("pay", each(request(host, "POST", "pay", "{{ index }}"), "{{ run.input.few }}", 2)),
        ],
        "{{ string(size(nodes.put.output)) + ' and ' + string(size(nodes.pay.output)) + ', the last ' + nodes.pay.output[2].body.item }}",
    )
}

fn waits(host: &str) -> Value {
    row(
        &[
            ("nap", json!({ "type": "flow.wait@1", "config": { "for": "120ms" } })),
            ("put", request(host, "PUT", "put", "-")),
            ("go", json!({ "type": "flow.wait@1", "config": { "signal": { "name": "go" } } })),
            ("keyed", keyed(host)),
        ],
        "{{ nodes.keyed.output.body.node + ' after ' + nodes.go.output.answer }}",
    )
}

fn fan(host: &str) -> Value {
    json!({
        "nodes": {
            "start": { "type": "trigger.manual@1" },
            "left": request(host, "PUT", "left", "-"),
            "right": request(host, "GET", "right", "-"),
            "pay": request(host, "POST", "pay", "-"),
            "all": { "type": "flow.merge@1", "config": { "mode": "object" } },
        },
        "edges": [
            { "from": "start", "to": "left" }, { "from": "start", "to": "right" }, { "from": "start", "to": "pay" },
            { "from": "left", "to": "all" }, { "from": "right", "to": "all" }, { "from": "pay", "to": "all" },
        ],
        "output": "{{ [nodes.all.output.left.body.node, nodes.all.output.pay.body.node, nodes.all.output.right.body.node] }}",
    })
}

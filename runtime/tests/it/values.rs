//! Values of every size go through, and survive a change of owner.

use engine::id::{RunId, WorkspaceId};
use engine::run::event::Event;
use engine::run::status::RunStatus;
use runtime::Runtime;
use runtime::database::wall;
use serde_json::{Value, json};

use crate::home::{Home, end, on_both, until};

async fn output(home: &Home, runtime: &Runtime, run: RunId) -> Value {
    let (status, events) = end(runtime, run).await;
    assert_eq!(status, RunStatus::Succeeded, "{:#?}", events.last());
    let Some(Event::RunFinished { output: Some(output), .. }) = events.last().map(|recorded| &recorded.event) else {
        panic!("no output: {:?}", events.last());
    };
    runtime.value_of_run(home.workspace, run, output).await.unwrap().as_ref().clone()
}

async fn signal(runtime: &Runtime, workspace: WorkspaceId, run: RunId, name: &str, payload: &Value) {
    let message = runtime.signal_message(workspace, run, name, "", payload, "test").await.unwrap();
    let write = wall::of(workspace, runtime.database().begin_write()).await.unwrap();
    runtime.post_within(&write, &message).await.unwrap();
    write.commit().await.unwrap();
    runtime.bus().notify_inbox(run);
}

/// Small enough for a row, and large enough for a blob.
const SIZES: [usize; 3] = [10, 20_000, 300_000];

async fn values_of_every_size_come_out_as_they_went_in(home: Home) {
    let runtime = home.runtime().await;
    let document = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "set": {"type": "data.set@1", "config": {"fields": {"copy": "{{ input.text }}", "size": "{{ size(input.text) }}"}}},
            "each": {"type": "data.set@1", "config": {"value": "{{ item }}"}, "for_each": {"items": "{{ [1, 2, nodes.set.output.size] }}"}}
        },
        "edges": [{"from": "start", "to": "set"}, {"from": "set", "to": "each"}],
        "output": {"copy": "{{ nodes.set.output.copy }}", "each": "{{ nodes.each.output }}"}
    });
    let hash = home.define(&document).await;
    for size in SIZES {
        let text = "x".repeat(size);
        let run = runtime.start(home.request(hash, json!({"text": text}))).await.unwrap().run;
        assert_eq!(output(&home, &runtime, run).await, json!({"copy": text, "each": [1, 2, size]}));
    }
    runtime.stop().await;
}

/// A run that waits is handed back and taken by another process: what passes through the wait, what came before it and
/// a signal that nobody took yet are all still there.
async fn values_survive_a_change_of_owner(home: Home) {
    let document = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "set": {"type": "data.set@1", "config": {"fields": {"kept": "{{ input.text }}"}}},
            "gate": {"type": "flow.wait@1", "config": {"signal": {"name": "gate"}}},
            "paid": {"type": "flow.wait@1", "config": {"signal": {"name": "payment"}}}
        },
        "edges": [{"from": "start", "to": "set"}, {"from": "set", "to": "gate"}, {"from": "gate", "to": "paid"}],
        "output": {"kept": "{{ nodes.set.output.kept }}", "gate": "{{ nodes.gate.output }}", "paid": "{{ nodes.paid.output }}"}
    });
    let hash = home.define(&document).await;
    for size in SIZES {
        let text = "x".repeat(size);
        let first = home.runtime().await;
        let run = first.start(home.request(hash, json!({"text": text}))).await.unwrap().run;
        signal(&first, home.workspace, run, "payment", &json!({"by": text})).await;
        until(&first, run, |event| matches!(event, Event::SignalReceived { .. })).await;
        first.stop().await;
        let second = home.runtime().await;
        signal(&second, home.workspace, run, "gate", &json!("open")).await;
        assert_eq!(output(&home, &second, run).await, json!({"kept": text, "gate": "open", "paid": {"by": text}}));
        second.stop().await;
    }
}

/// A gate that `input` of any size passes, `after` it, and what the run gives.
fn behind_a_gate(after: &Value, output: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "id": {"type": "data.set@1", "config": {"value": "{{ input.id }}"}},
            "gate": {"type": "flow.wait@1", "config": {"signal": {"name": "gate"}}},
            "both": {"type": "flow.merge@1", "config": {"mode": "object"}},
            "after": after,
        },
        "edges": [
            {"from": "start", "to": "id"}, {"from": "id", "to": "both"}, {"from": "start", "to": "gate"},
            {"from": "gate", "to": "both"}, {"from": "both", "to": "after"},
        ],
        "output": output,
    })
}

/// Starts a run with a value of 3 MB, lets another process take it over at the gate when its large values are gone, and
/// opens the gate.
async fn without_its_large_values(home: &Home, document: &Value) -> (Runtime, RunId) {
    let hash = home.define(document).await;
    let first = home.runtime().await;
    let input = json!({"id": 7, "text": "x".repeat(3_000_000)});
    let run = first.start(home.request(hash, input)).await.unwrap().run;
    until(&first, run, |event| matches!(event, Event::AttemptWaits { .. })).await;
    until(&first, run, |event| matches!(event, Event::AttemptSucceeded { .. })).await;
    first.stop().await;
    home.lose_large_values().await;
    let second = home.runtime().await;
    signal(&second, home.workspace, run, "gate", &json!("open")).await;
    (second, run)
}

/// What nobody reads is not fetched: it may even be gone.
async fn a_large_value_that_is_not_named_is_not_read(home: Home) {
    for (after, expected) in [
        (json!({"type": "data.set@1", "config": {"value": "{{ nodes.id.output + 1 }}"}}), json!([7, 8])),
        (
            json!({"type": "flow.switch@1", "config": {"value": "{{ nodes.id.output }}", "cases": [{"port": "seven", "equals": 7}]}}),
            json!([7, {"gate": "open", "id": 7}]),
        ),
        (json!({"type": "data.set@1", "config": {"value": "{{ has(nodes.start) }}"}}), json!([7, true])),
    ] {
        let document = behind_a_gate(&after, "{{ [nodes.id.output, nodes.after.output] }}");
        let (runtime, run) = without_its_large_values(&home, &document).await;
        assert_eq!(output(&home, &runtime, run).await, expected, "{after}");
        runtime.stop().await;
    }
}

/// The other way round: who names it needs it.
async fn a_large_value_that_is_named_and_gone_fails_its_reader(home: Home) {
    let after = json!({"type": "data.set@1", "retry": {"attempts": 1}, "config": {"value": "{{ trigger.id }}"}});
    let document = behind_a_gate(&after, "{{ nodes.id.output }}");
    let (runtime, run) = without_its_large_values(&home, &document).await;
    let (status, events) = end(&runtime, run).await;
    assert_eq!(status, RunStatus::Failed);
    let failed = events.iter().find_map(|recorded| match &recorded.event {
        Event::NodeFailed { error, .. } => Some(error.code.clone()),
        _ => None,
    });
    assert_eq!(failed.as_deref(), Some("VALUE_UNAVAILABLE"));
    runtime.stop().await;
}

/// Whatever part of a large value expressions name, they see it as they would see it in the whole.
async fn parts_of_a_large_value_are_as_in_the_whole(home: Home) {
    let document = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "one": {"type": "data.set@1", "config": {"fields": {
                "last": "{{ input.rows[599].id }}", "beyond": "{{ input.rows[600] }}", "name": "{{ trigger.name }}",
                "absent": "{{ input.nothing.at.all }}", "first": "{{ nodes.start.output.rows[0].id }}",
            }}},
            "count": {"type": "data.set@1", "config": {"value": "{{ size(run.input.rows) }}"}},
            "each": {"type": "data.set@1", "config": {"value": "{{ item.id + nodes.one.output.last + index }}"},
                "for_each": {"items": "{{ trigger.rows }}", "concurrency": 50}},
            "sum": {"type": "data.set@1", "config": {"value": "{{ sum(nodes.each.output) }}"}},
        },
        "edges": [
            {"from": "start", "to": "one"}, {"from": "start", "to": "count"}, {"from": "one", "to": "each"},
            {"from": "each", "to": "sum"},
        ],
        "output": ["{{ nodes.one.output }}", "{{ nodes.count.output }}", "{{ nodes.sum.output }}", "{{ input.name }}"]
    });
    // The list alone is larger than what the cache of parsed values takes of one value.
    let pad = "x".repeat(20_000);
    let rows: Vec<Value> = (0..600).map(|id| json!({"id": id, "pad": pad})).collect();
    let input = json!({"name": "large", "rows": rows});
    let runtime = home.runtime().await;
    let run = home.start(&runtime, &document, input).await;
    let one = json!({"last": 599, "beyond": null, "name": "large", "absent": null, "first": 0});
    let sum: u64 = (0..600).map(|id| id + 599 + id).sum();
    assert_eq!(output(&home, &runtime, run).await, json!([one, 600, sum, "large"]));
    runtime.stop().await;
}

on_both! {
    not_named => super::a_large_value_that_is_not_named_is_not_read;
    named_and_gone => super::a_large_value_that_is_named_and_gone_fails_its_reader;
    parts => super::parts_of_a_large_value_are_as_in_the_whole;
    every_size => super::values_of_every_size_come_out_as_they_went_in;
    change_of_owner => super::values_survive_a_change_of_owner;
}

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

on_both! {
    every_size => super::values_of_every_size_come_out_as_they_went_in;
    change_of_owner => super::values_survive_a_change_of_owner;
}

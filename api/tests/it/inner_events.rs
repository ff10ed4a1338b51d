//! What happens inside starts runs: events that nodes publish, runs that fail, runs that end.

use serde_json::{Value, json};

use crate::app::{Home, on_both_databases};
use crate::schedules::{Process, follow, id_of};

/// Publishes its input under a subject.
fn publishing(subject: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "tell": {"type": "event.publish@1", "config": {"subject": subject, "data": "{{ input }}"}},
        },
        "edges": [{"from": "start", "to": "tell"}],
    })
}

/// A trigger that listens, and nothing else.
fn listening(kind: &str, config: Value) -> Value {
    json!({"nodes": {"ear": {"type": format!("trigger.{kind}@1"), "config": config}}})
}

fn failing() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "fail": {"type": "flow.fail@1", "config": {"code": "ORDER_EMPTY", "message": "no lines in {{ input.order }}"}},
        },
        "edges": [{"from": "start", "to": "fail"}],
    })
}

/// Starts a run and waits for its end.
async fn run(process: &Process, workflow: &str, input: Value) -> String {
    let query = "mutation($i: StartRunInput!) { startRun(input: $i) { run { id } userErrors { code message } } }";
    let data = process.ask(query, json!({"i": {"workflow": workflow, "input": input}})).await;
    assert_eq!(data["startRun"]["userErrors"], json!([]), "{data:#}");
    let id = data["startRun"]["run"]["id"].as_str().unwrap().to_owned();
    follow(process, &id).await;
    id
}

/// Everything that came to a workflow's trigger, the earliest first.
async fn came(process: &Process, workflow: &str) -> Vec<Value> {
    while process.look().await > 0 {}
    let query = "query($f: TriggerEventFilter) { triggerEvents(filter: $f, last: 100) { nodes {
        id kind node outcome reason depth sourceRun { id } run { id input { json } } payload { json } } } }";
    let events = process.ask(query, json!({"f": {"workflowId": workflow}})).await["triggerEvents"]["nodes"].clone();
    let mut events: Vec<Value> = events.as_array().unwrap().clone();
    events.reverse();
    events
}

on_both_databases! {
    async fn an_event_starts_one_run_of_each_trigger_that_hears_it(home: Home) {
        let process = Process::start(&home).await;
        id_of(&process, "shop", &publishing("order.{{ input.kind }}")).await;
        let mut ears = Vec::new();
        for (name, config) in [
            ("paid", json!({"subject": "order.paid"})),
            ("any", json!({"subject": "order.*"})),
            ("dear", json!({"subject": "order.>", "filter": "{{ trigger.data.total > 100 }}"})),
            ("other", json!({"subject": "stock.>"})),
        ] {
            ears.push(id_of(&process, name, &listening("event", config)).await);
        }
        let first = run(&process, "shop", json!({"kind": "paid", "total": 7})).await;
        run(&process, "shop", json!({"kind": "sent", "total": 700})).await;
        // Whoever looks, and however often: nothing is told twice.
        let other = Process::start(&home).await;
        tokio::join!(process.look(), other.look(), process.look());
        let mut counts = Vec::new();
        for ear in &ears {
            let events = came(&process, ear).await;
            assert!(events.iter().all(|event| event["outcome"] == "STARTED" && event["kind"] == "EVENT"), "{events:#?}");
            counts.push(events.len());
        }
        assert_eq!(counts, [1, 2, 1, 0]);
        let event = came(&process, &ears[0]).await[0].clone();
        assert_eq!((&event["sourceRun"]["id"], &event["depth"]), (&json!(first), &json!(1)));
        let given = event["run"]["input"]["json"].clone();
        assert_eq!((&given["subject"], &given["data"]["total"]), (&json!("order.paid"), &json!(7)));
        assert_eq!((&given["workflow"], &given["run"]), (&json!("shop"), &json!(first)));
        assert_eq!(event["payload"]["json"], given);
    }

    async fn what_cannot_start_says_why(home: Home) {
        let process = Process::start(&home).await;
        id_of(&process, "shop", &publishing("order.paid")).await;
        let unclear = json!({"subject": "order.paid", "filter": "{{ trigger.data }}"});
        let unclear = id_of(&process, "unclear", &listening("event", unclear)).await;
        let paused = id_of(&process, "paused", &listening("event", json!({"subject": ">"}))).await;
        let binding = process.binding(&paused).await;
        assert_eq!((&binding["kind"], &binding["nextFirings"]), (&json!("EVENT"), &json!([])));
        process.change("pauseTrigger", json!({"triggerId": binding["id"]})).await;
        let mut strict = listening("event", json!({"subject": ">"}));
        strict["input_schema"] = json!({"type": "object", "required": ["never"]});
        let strict = id_of(&process, "strict", &strict).await;
        run(&process, "shop", json!({"total": 1})).await;
        for (workflow, reason) in [(&unclear, "FILTER_FAILED"), (&paused, "PAUSED"), (&strict, "INPUT_INVALID")] {
            let events = came(&process, workflow).await;
            assert_eq!(events.len(), 1, "{events:#?}");
            assert_eq!((&events[0]["outcome"], &events[0]["reason"]), (&json!("REFUSED"), &json!(reason)));
            assert_eq!(events[0]["payload"]["json"]["subject"], json!("order.paid"));
        }
    }

    async fn a_test_run_a_result_taken_over_and_a_disabled_node_publish_nothing(home: Home) {
        let process = Process::start(&home).await;
        let mut shop = publishing("order.paid");
        shop["nodes"]["again"] = json!({"type": "event.publish@1", "config": {"subject": "order.paid"}, "disabled": true});
        shop["nodes"]["last"] = json!({"type": "flow.fail@1", "config": {"code": "LATE", "message": "late"}});
        shop["edges"] = json!([{"from": "start", "to": "tell"}, {"from": "tell", "to": "again"}, {"from": "again", "to": "last"}]);
        id_of(&process, "shop", &shop).await;
        let ear = id_of(&process, "ear", &listening("event", json!({"subject": ">"}))).await;
        let failed = run(&process, "shop", json!({"total": 1})).await;
        assert_eq!(came(&process, &ear).await.len(), 1);
        let retry = "mutation($i: RetryRunInput!) { retryRun(input: $i) { run { id } userErrors { code message } } }";
        let retried = process.ask(retry, json!({"i": {"runId": failed, "fromNode": "last"}})).await["retryRun"].clone();
        follow(&process, retried["run"]["id"].as_str().unwrap()).await;
        assert_eq!(came(&process, &ear).await.len(), 1);
    }

    async fn a_failed_run_is_told_to_others_and_an_ended_one_to_who_names_it(home: Home) {
        let process = Process::start(&home).await;
        id_of(&process, "orders", &failing()).await;
        let errors = id_of(&process, "errors", &listening("error", json!({}))).await;
        let of_other = json!({"of": "workflow", "workflow": "stock"});
        let of_other = id_of(&process, "of-other", &listening("error", of_other)).await;
        let ended = id_of(&process, "ended", &listening("workflow", json!({"workflow": "orders"}))).await;
        let well = json!({"workflow": "orders", "statuses": ["SUCCEEDED"]});
        let well = id_of(&process, "well", &listening("workflow", well)).await;
        let failed = run(&process, "orders", json!({"order": 7})).await;
        let told = came(&process, &errors).await;
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0]["kind"], json!("ERROR"));
        let given = &told[0]["run"]["input"]["json"];
        let error = json!({"code": "ORDER_EMPTY", "message": "no lines in 7", "node": "fail"});
        assert_eq!((&given["error"], &given["run"]["id"]), (&error, &json!(failed)));
        assert_eq!((&given["run"]["status"], given.get("output")), (&json!("FAILED"), None));
        assert_eq!(came(&process, &of_other).await, [] as [Value; 0]);
        let told = came(&process, &ended).await;
        assert_eq!((told.len(), &told[0]["run"]["input"]["json"]["run"]["status"]), (1, &json!("FAILED")));
        assert_eq!(came(&process, &well).await, [] as [Value; 0]);
        // The run of `errors` ends as well, but nobody asked for that.
        assert_eq!(came(&process, &errors).await.len(), 1);
    }

    async fn what_is_sensitive_in_a_failed_run_is_not_told(home: Home) {
        let process = Process::start(&home).await;
        let mut orders = failing();
        orders["input_schema"] = json!({"type": "object", "properties": {"order": {"type": "string", "x-sensitive": true}}});
        id_of(&process, "orders", &orders).await;
        let errors = id_of(&process, "errors", &listening("error", json!({}))).await;
        run(&process, "orders", json!({"order": "4111-1111"})).await;
        let told = came(&process, &errors).await;
        assert_eq!(told[0]["run"]["input"]["json"]["error"]["message"], json!("no lines in [redacted]"));
    }

    async fn runs_that_start_each_other_stop_at_ten(home: Home) {
        let process = Process::start(&home).await;
        let mut echo = publishing("echo");
        echo["nodes"]["start"] = json!({"type": "trigger.event@1", "config": {"subject": "echo"}});
        let id = id_of(&process, "echo", &echo).await;
        id_of(&process, "kick", &publishing("echo")).await;
        run(&process, "kick", json!({})).await;
        let events = loop {
            let events = came(&process, &id).await;
            let last = events.last().unwrap().clone();
            match last["run"]["id"].as_str() {
                Some(run) => follow(&process, run).await,
                None if last["reason"].is_string() => break events,
                None => {}
            }
        };
        let depths: Vec<_> = events.iter().map(|event| event["depth"].as_u64().unwrap()).collect();
        assert_eq!(depths, (1..=11).collect::<Vec<_>>());
        assert_eq!(events.last().unwrap()["reason"], json!("LOOP"));
    }

    async fn a_config_that_cannot_be_read_is_a_problem_with_its_place(home: Home) {
        let process = Process::start(&home).await;
        let config = json!({"subject": "a..b", "filter": "{{ vars.x }}"});
        let problems = process.publish("wrong", &listening("event", config)).await["problems"].clone();
        let places: Vec<_> = problems.as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect();
        assert_eq!(places, ["/nodes/ear/config/subject", "/nodes/ear/config/filter"]);
    }
}

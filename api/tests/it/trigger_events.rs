//! Every start leaves an event: with its run, or with the reason why there is none. Events can be looked at and delivered
//! again.

use api::auth::Role;
use serde_json::{Value, json};

use crate::app::{Home, doubling, on_both_databases};
use crate::schedules::{Process, id_of};

const START: &str = "mutation($i: StartRunInput!) { startRun(input: $i) { run { id } userErrors { code } } }";
const REDELIVER: &str = "mutation($i: RedeliverTriggerEventInput!) { redeliverTriggerEvent(input: $i) {
    run { id version { number } input { json } } replayed userErrors { code message } } }";

async fn events(process: &Process, workflow: &str) -> Vec<Value> {
    let query = "query($f: TriggerEventFilter) { triggerEvents(filter: $f, first: 100) { nodes {
        id kind outcome reason explanation run { id } redeliveryOf { id } payload { json redacted } } } }";
    let events = process.ask(query, json!({"f": {"workflowId": workflow}})).await["triggerEvents"]["nodes"].clone();
    events.as_array().unwrap().clone()
}

/// Doubles `n`, which has to be a number.
fn strict() -> Value {
    let mut definition = doubling();
    definition["input_schema"] = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"},
        "card": {"type": "string", "x-sensitive": true}}});
    definition
}

on_both_databases! {
    async fn a_refused_start_leaves_an_event_with_its_reason_and_what_it_carried(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "double", &strict()).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": "x", "card": "4111-1111"}}})).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": 1}, "idempotencyKey": "k"}})).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": 2}, "idempotencyKey": "k"}})).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": 3}, "key": "x".repeat(300)}})).await;
        let quota = "mutation($i: SetQuotaInput!) { setQuota(input: $i) { userErrors { code message } } }";
        process.ask(quota, json!({"i": {"runsPerMinute": 1}})).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": 4}}})).await;
        let found = events(&process, &workflow).await;
        let told: Vec<_> = found.iter().map(|event| (event["outcome"].as_str().unwrap(), event["reason"].as_str())).collect();
        assert_eq!(told, [
            ("REFUSED", Some("QUOTA_EXCEEDED")),
            ("REFUSED", Some("BAD_USER_INPUT")),
            ("REFUSED", Some("KEY_REUSED")),
            ("STARTED", None),
            ("REFUSED", Some("INPUT_INVALID")),
        ]);
        assert_eq!(found[0]["payload"]["json"], json!({"n": 4}));
        let hidden = &found[4]["payload"];
        assert_eq!((&hidden["json"]["card"], &hidden["redacted"]), (&json!("[redacted]"), &json!(true)));
        assert!(!found[4]["explanation"].as_str().unwrap().contains("4111"), "{}", found[4]);
        let one = process.ask("query($id: ID!) { triggerEvent(id: $id) { id reason } node(id: $id) { id } }",
            json!({"id": found[0]["id"]})).await;
        assert_eq!((&one["triggerEvent"]["id"], &one["node"]["id"]), (&found[0]["id"], &found[0]["id"]));
    }

    async fn what_came_is_delivered_again_to_the_same_or_the_newest_version(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "double", &strict()).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": "x"}}})).await;
        let refused = events(&process, &workflow).await[0]["id"].clone();
        let same = process.ask(REDELIVER, json!({"i": {"eventId": refused, "onto": "SAME"}})).await;
        assert_eq!(same["redeliverTriggerEvent"]["userErrors"][0]["code"], json!("BAD_USER_INPUT"));
        process.publish("double", &doubling()).await;
        let asked = json!({"i": {"eventId": refused, "idempotencyKey": "again"}});
        let first = process.ask(REDELIVER, asked.clone()).await["redeliverTriggerEvent"].clone();
        assert_eq!((&first["run"]["version"]["number"], &first["replayed"]), (&json!(2), &json!(false)), "{first}");
        assert_eq!(first["run"]["input"]["json"], json!({"n": "x"}));
        let second = process.ask(REDELIVER, asked).await["redeliverTriggerEvent"].clone();
        assert_eq!((&second["run"]["id"], &second["replayed"]), (&first["run"]["id"], &json!(true)));
        let again = events(&process, &workflow).await[0].clone();
        assert_eq!((&again["redeliveryOf"]["id"], &again["run"]["id"]), (&refused, &first["run"]["id"]));
        // What started a run can be delivered again as well, to the version that it was for.
        let third = process.ask(REDELIVER, json!({"i": {"eventId": again["id"], "onto": "SAME"}})).await;
        assert_eq!(third["redeliverTriggerEvent"]["run"]["version"]["number"], json!(2), "{third}");
    }

    async fn the_last_thing_that_came_is_an_example_for_whoever_builds(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "double", &strict()).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Workflow { sampleEvent(node: \"start\") { payload { json } } } } }";
        let sample = async || process.ask(query, json!({"id": workflow})).await["node"]["sampleEvent"].clone();
        assert_eq!(sample().await, json!(null));
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": 1}}})).await;
        assert_eq!(sample().await["payload"]["json"], json!({"n": 1}));
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": "wrong"}}})).await;
        assert_eq!(sample().await["payload"]["json"], json!({"n": "wrong"}));
    }

    async fn only_who_may_start_runs_delivers_again_and_nobody_else_sees_it(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "double", &strict()).await;
        process.ask(START, json!({"i": {"workflow": "double", "input": {"n": 1}}})).await;
        let event = events(&process, &workflow).await[0]["id"].clone();
        let viewer = home.key(Role::Viewer).await;
        let answer = process.ask_as(&viewer, REDELIVER, json!({"i": {"eventId": event}})).await;
        assert!(answer.to_string().contains("FORBIDDEN"), "{answer}");
        let strange = json!({"id": "evt_00000000000070008000000000000001"});
        let answer = process.ask_as(&process.key, "query($id: ID!) { triggerEvent(id: $id) { id } }", strange).await;
        assert_eq!(crate::app::code(&answer), "NOT_FOUND");
    }
}

//! Runs for ticks of the past: once each, at a pace, to be stopped.

use api::auth::Role;
use serde_json::{Value, json};

use crate::app::{Home, on_both_databases};
use crate::schedules::{Process, fired, id_of, left, scheduled};

const BEGIN: &str = "mutation($i: BackfillTriggerInput!) { backfillTrigger(input: $i) {
    backfill { id status ticks lookedAt hadRuns } userErrors { code message } } }";

async fn begin(process: &Process, trigger: &Value, from: &str, until: &str, per_minute: u32) -> Value {
    let input = json!({"triggerId": trigger, "from": from, "until": until, "perMinute": per_minute});
    process.ask(BEGIN, json!({"i": input})).await["backfillTrigger"].clone()
}

/// The trigger's backfills, the latest first.
async fn backfills(process: &Process, trigger: &Value) -> Vec<Value> {
    let query =
        "query($id: ID!) { triggerBackfills(triggerId: $id, first: 10) { nodes { id status ticks lookedAt hadRuns
        finishedAt outcomes { started refused waiting } } } }";
    let data = process.ask(query, json!({"id": trigger})).await;
    data["triggerBackfills"]["nodes"].as_array().unwrap().clone()
}

on_both_databases! {
    async fn ticks_of_the_past_that_started_nothing_start_one_run_each(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "hourly", &scheduled(json!({"every": "1h"}))).await;
        let trigger = process.binding(&workflow).await["id"].clone();
        process.at(3 * 3_600 + 120).await;
        process.at(4 * 3_600).await;
        let missed = |at: i64| left(at, "MISSED");
        assert_eq!(process.ticks(&workflow).await, [vec![missed(3_600), missed(7_200), missed(10_800)], fired(&[14_400])].concat());
        // From before it was deployed to the last tick, which has fired.
        let begun = begin(&process, &trigger, "2026-05-01T10:00:00Z", "2026-05-01T16:00:00Z", 600).await;
        assert_eq!(begun["backfill"]["ticks"], json!(7), "{begun}");
        for second in 0..3 {
            process.at(4 * 3_600 + second).await;
        }
        let all = fired(&[-7_200, -3_600, 0, 3_600, 7_200, 10_800, 14_400]);
        assert_eq!(process.ticks(&workflow).await, all);
        let done = backfills(&process, &trigger).await[0].clone();
        assert_eq!((&done["status"], &done["lookedAt"], &done["hadRuns"]), (&json!("DONE"), &json!(7), &json!(1)));
        assert_eq!(done["outcomes"], json!({"started": 6, "refused": 0, "waiting": 0}));
        // The same once more finds nothing left to do.
        begin(&process, &trigger, "2026-05-01T10:00:00Z", "2026-05-01T16:00:00Z", 600).await;
        process.at(4 * 3_600 + 5).await;
        process.at(4 * 3_600 + 10).await;
        assert_eq!(process.ticks(&workflow).await, all);
        assert_eq!(backfills(&process, &trigger).await[0]["hadRuns"], json!(7));
    }

    async fn a_backfill_keeps_its_pace_and_can_be_stopped(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "minutely", &scheduled(json!({"every": "1m"}))).await;
        let trigger = process.binding(&workflow).await["id"].clone();
        process.change("pauseTrigger", json!({"triggerId": trigger})).await;
        let begun = begin(&process, &trigger, "2026-05-01T11:00:00Z", "2026-05-01T11:59:00Z", 30).await;
        assert_eq!(begun["backfill"]["ticks"], json!(60));
        let same = begin(&process, &trigger, "2026-05-01T11:00:00Z", "2026-05-01T11:59:00Z", 30).await;
        assert_eq!(same["backfill"]["id"], begun["backfill"]["id"]);
        let other = begin(&process, &trigger, "2026-05-01T11:00:00Z", "2026-05-01T11:58:00Z", 30).await;
        assert_eq!(other["userErrors"][0]["code"], json!("CONFLICT"));
        for second in 0..=10 {
            process.at(second).await;
        }
        assert_eq!(process.ticks(&workflow).await.len(), 6, "one in two seconds");
        process.change("cancelBackfill", json!({"backfillId": begun["backfill"]["id"]})).await;
        process.change("cancelBackfill", json!({"backfillId": begun["backfill"]["id"]})).await;
        for second in 11..=20 {
            process.at(second).await;
        }
        assert_eq!(process.ticks(&workflow).await.len(), 6);
        let stopped = backfills(&process, &trigger).await[0].clone();
        assert_eq!((&stopped["status"], &stopped["lookedAt"]), (&json!("CANCELED"), &json!(6)));
    }

    async fn a_backfill_waits_while_the_quota_is_used_up(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "minutely", &scheduled(json!({"every": "1m"}))).await;
        let trigger = process.binding(&workflow).await["id"].clone();
        let quota = "mutation($i: SetQuotaInput!) { setQuota(input: $i) { userErrors { code message } } }";
        process.ask(quota, json!({"i": {"runsPerMinute": 2}})).await;
        begin(&process, &trigger, "2026-05-01T11:00:00Z", "2026-05-01T11:02:00Z", 600).await;
        process.at(0).await;
        assert_eq!(backfills(&process, &trigger).await[0]["outcomes"], json!({"started": 2, "refused": 0, "waiting": 1}));
        process.change("pauseTrigger", json!({"triggerId": trigger})).await;
        process.at(61).await;
        assert_eq!(backfills(&process, &trigger).await[0]["outcomes"], json!({"started": 3, "refused": 0, "waiting": 0}));
    }

    async fn what_cannot_be_made_up_for_is_refused(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "secondly", &scheduled(json!({"every": "1s"}))).await;
        let trigger = process.binding(&workflow).await["id"].clone();
        for (from, until, per_minute) in [
            ("2026-05-01T11:00:00Z", "2026-05-01T13:00:00Z", 60),
            ("2026-05-01T11:30:00Z", "2026-05-01T11:00:00Z", 60),
            ("2026-05-01T08:00:00Z", "2026-05-01T12:00:00Z", 60),
            ("2026-05-01T11:00:00Z", "2026-05-01T11:01:00Z", 601),
        ] {
            let answer = begin(&process, &trigger, from, until, per_minute).await;
            assert_eq!(answer["userErrors"][0]["code"], json!("BAD_USER_INPUT"), "{from} {until}: {answer}");
        }
        let operator = home.key(Role::Operator).await;
        let input = json!({"triggerId": trigger, "from": "2026-05-01T11:00:00Z", "until": "2026-05-01T11:01:00Z"});
        let answer = process.ask_as(&operator, BEGIN, json!({"i": input})).await;
        assert!(answer.to_string().contains("FORBIDDEN"), "{answer}");
    }
}

//! Following a run: no gap, no repeat, in order, whatever breaks in between.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, on_both_databases, waiting};
use crate::socket::{Socket, seqs, type_of};

/// Numbers that look random and are the same in every run of the test.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn events_only(envelopes: &[Value]) -> Vec<Value> {
    envelopes.iter().filter(|envelope| type_of(envelope) == "RunEvent").cloned().collect()
}

async fn signal(app: &TestApp, run: &str) {
    let query = "mutation($input: SignalRunInput!) { signalRun(input: $input) { userErrors { code } } }";
    let payload = app.ask(query, json!({"input": {"runId": run, "name": "go", "payload": 1}})).await;
    assert_eq!(payload["signalRun"]["userErrors"], json!([]));
}

on_both_databases! {
    async fn a_finished_run_is_told_from_its_first_event_to_its_last(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let id = app.start_run("double", json!({"n": 1})).await;
        let run = app.finish(&id).await;
        let envelopes = Socket::follow_to_end(&app, &id, None).await;
        let last = run["lastSeq"].as_u64().unwrap();
        assert_eq!(seqs(&envelopes), (1..=last).collect::<Vec<_>>());
        assert_eq!(envelopes[0]["payload"]["kind"], "RUN_CREATED");
        assert_eq!(envelopes[0]["payload"]["node"], "start");
        let kinds: Vec<&str> = envelopes.iter().filter_map(|envelope| envelope["payload"]["kind"].as_str()).collect();
        assert_eq!(kinds.last(), Some(&"RUN_FINISHED"));
        let marker = envelopes.last().unwrap();
        assert_eq!(marker["payload"], json!({"__typename": "CaughtUp", "lastSeq": last}));
        assert_eq!(envelopes.iter().filter(|envelope| type_of(envelope) == "CaughtUp").count(), 1);

        // Whoever comes back after the last event learns that there is nothing more.
        let after = marker["cursor"].as_str().unwrap();
        let rest = Socket::follow_to_end(&app, &id, Some(after)).await;
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0]["payload"]["lastSeq"], last);
        app.stop().await;
    }

    async fn cuts_at_any_cursor_lose_and_repeat_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        let mut chain = json!({"nodes": {"n0": {"type": "trigger.manual@1"}}, "edges": []});
        for n in 1..=20 {
            chain["nodes"][format!("n{n}")] = json!({"type": "data.set@1", "config": {"value": n}});
            chain["edges"].as_array_mut().unwrap().push(json!({"from": format!("n{}", n - 1), "to": format!("n{n}")}));
        }
        assert_eq!(app.publish("chain", &chain).await["problems"], json!([]));
        let id = app.start_run("chain", json!(null)).await;
        let whole = events_only(&Socket::follow_to_end(&app, &id, None).await);
        assert!(whole.len() > 40, "{}", whole.len());
        let mut draw = Draw(7);
        for _ in 0..6 {
            let (mut pieces, mut after) = (Vec::<Value>::new(), None::<String>);
            while pieces.len() < whole.len() {
                let mut socket = Socket::run_events(&app, &id, after.as_deref()).await;
                for _ in 0..=draw.below(15) {
                    let Some(envelope) = socket.envelope().await.unwrap() else { break };
                    after = Some(envelope["cursor"].as_str().unwrap().to_owned());
                    pieces.extend(events_only(&[envelope]));
                }
                // The socket is dropped without a word, as a lost connection is.
            }
            assert_eq!(pieces, whole);
        }
        app.stop().await;
    }

    async fn a_reader_goes_on_after_a_restart_of_the_server(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let id = app.start_run("hold", json!({})).await;
        let mut socket = Socket::run_events(&app, &id, None).await;
        let mut envelopes = Vec::new();
        loop {
            let envelope = socket.envelope().await.unwrap().unwrap();
            let waits = envelope["payload"]["kind"] == "ATTEMPT_WAITS";
            envelopes.push(envelope);
            if waits {
                break;
            }
        }
        app.stop().await;
        // What was under way on the old socket is told by close code, not by a lost connection.
        let closed = loop {
            match socket.envelope().await {
                Ok(Some(envelope)) => envelopes.push(envelope),
                Ok(None) => panic!("a run that waits has no end"),
                Err(code) => break code,
            }
        };
        assert_eq!(closed, 1001);

        let app = TestApp::start(&home).await;
        let after = envelopes.last().unwrap()["cursor"].as_str().unwrap().to_owned();
        let mut socket = Socket::run_events(&app, &id, Some(&after)).await;
        let mut signaled = false;
        while let Some(envelope) = socket.envelope().await.unwrap() {
            if type_of(&envelope) == "CaughtUp" && !signaled {
                signal(&app, &id).await;
                signaled = true;
            }
            envelopes.push(envelope);
        }
        let last = app.finish(&id).await["lastSeq"].as_u64().unwrap();
        assert_eq!(seqs(&envelopes), (1..=last).collect::<Vec<_>>());
        app.stop().await;
    }

    async fn live_events_come_after_the_marker_to_every_reader(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let id = app.start_run("hold", json!({})).await;
        let mut readers = Vec::new();
        for _ in 0..3 {
            let mut socket = Socket::run_events(&app, &id, None).await;
            let mut seen = Vec::new();
            loop {
                let envelope = socket.envelope().await.unwrap().unwrap();
                let caught_up = type_of(&envelope) == "CaughtUp";
                seen.push(envelope);
                if caught_up {
                    break;
                }
            }
            readers.push((socket, seen));
        }
        signal(&app, &id).await;
        for (mut socket, mut seen) in readers {
            while let Some(envelope) = socket.envelope().await.unwrap() {
                seen.push(envelope);
            }
            let count = u64::try_from(seqs(&seen).len()).unwrap();
            assert_eq!(seqs(&seen), (1..=count).collect::<Vec<_>>());
            assert_eq!(seen.last().unwrap()["payload"]["kind"], "RUN_FINISHED");
            assert_eq!(seen.iter().filter(|envelope| type_of(envelope) == "CaughtUp").count(), 1);
        }
        app.stop().await;
    }

    async fn a_cursor_of_something_else_is_refused(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let one = app.start_run("double", json!({"n": 1})).await;
        let two = app.start_run("double", json!({"n": 2})).await;
        let envelopes = Socket::follow_to_end(&app, &one, None).await;
        let cursor = envelopes[0]["cursor"].as_str().unwrap().to_owned();
        let mut damaged = cursor.clone();
        damaged.replace_range(3..4, if &cursor[3..4] == "A" { "B" } else { "A" });
        for (run, after) in [(&two, cursor.as_str()), (&one, damaged.as_str()), (&one, ""), (&one, "x y")] {
            let mut socket = Socket::run_events(&app, run, Some(after)).await;
            let message = socket.next().await.unwrap();
            assert_eq!(message["type"], "error", "{message:#}");
            assert_eq!(code(&json!({"errors": message["payload"]})), "BAD_USER_INPUT");
        }
        app.stop().await;
    }
}

//! Journals of every release replay for ever. `golden/<release>.journal` holds, in hex, one record a line.

use std::time::Duration;

use engine::drive::batch::Record;
use engine::error::ErrorInfo;
use engine::run::codec::{self, NO_RECORD};
use engine::run::event::{Event, NodeRunRef, Resolution, ReusedFrom};
use engine::run::replay::replay;
use engine::value::Digest;
use serde_json::{Value, json};

use crate::play::{Play, graph, value};

/// A run that meets every kind of event.
fn document() -> Value {
    json!({
        "nodes": {
            "start": {"type": "test.trigger@1"},
            "other": {"type": "test.trigger@1"},
            "check": {"type": "test.if@1"},
            "never": {"type": "test.pure@1"},
            "get": {"type": "test.get@1", "retry": {"attempts": 2, "initial": "1s"}},
            "post": {"type": "test.post@1"},
            "many": {"type": "test.get@1", "for_each": {"items": [], "concurrency": 2}},
            "wait": {"type": "test.wait@1"},
            "slow": {"type": "test.get@1", "deadline": "2s"},
            "late": {"type": "test.pure@1"},
            "end": {"type": "test.post@1"}
        },
        "edges": [
            {"from": "start", "to": "check"}, {"from": "check.true", "to": "get"}, {"from": "check.false", "to": "never"},
            {"from": "get", "to": "post"}, {"from": "get", "to": "many"}, {"from": "get", "to": "wait"}, {"from": "get", "to": "slow"},
            {"from": "slow.error", "to": "late"}, {"from": "wait", "to": "end"}
        ]
    })
}

fn play() -> Play {
    let mut play = Play::start(document());
    play.succeed_by("check", "true");
    play.fail("get", ErrorInfo::transient("HTTP_STATUS", "503"));
    play.pass(Duration::from_secs(1));
    play.succeed("get");
    let unbegun = vec![play.at("post")];
    play.tell(Event::RunReleased { unbegun });
    play.tell(Event::RunRecovered { adoptions: 1 });
    play.fail("post", ErrorInfo::unknown("HTTP_TIMEOUT", "no answer"));
    let post = play.at("post");
    play.tell(Event::UncertainResolved {
        at: post,
        resolution: Resolution::Succeed { output: value(json!("seen")) },
        by: "ann".into(),
    });
    play.list_items("many", 3);
    play.succeed("many/0");
    play.succeed("many/1");
    play.succeed("many/2");
    play.collect("many");
    play.wait_for_signal("wait", "go", Some(Duration::from_secs(60)));
    play.pass(Duration::from_secs(2));
    let late = play.at("late");
    play.tell(Event::AttemptSucceeded {
        at: late,
        attempt: 1,
        port: "out".into(),
        output: value(json!({"late": [1, 2.5, null]})),
        log: None,
    });
    play.signal("go");
    play.cancel();
    play.pass(Duration::from_secs(30));
    play
}

/// A run that tries another one again, and a test of a part: what the journal of 0.1 did not have yet.
fn prepared() -> Play {
    let mut play = Play::new(document(), 2);
    let [start, check, never, get, post, late] =
        ["start", "check", "never", "get", "post", "late"].map(|key| play.at(key));
    let reused = |at: &NodeRunRef, from, port: &str| Event::Reused {
        at: at.clone(),
        from,
        port: port.into(),
        output: value(json!(port)),
    };
    let origin = ReusedFrom::Run(Play::id(1).0);
    let facts = [
        reused(&start, origin, "out"),
        reused(&check, ReusedFrom::Pin, "true"),
        Event::InputEdited { node: get.node, input: value(json!({"edited": true})).into() },
        Event::KeysRenewed { nodes: vec![get.node, late.node] },
        Event::KeyInherited { at: post.clone(), generation: 2 },
        Event::LeftOut { nodes: vec![never.node], result: post.node },
    ];
    play.tell(Event::RunCreated {
        trigger: start.node,
        input: value(json!({"n": 1})),
        origin: Play::id(1).0,
        prepared: facts.len() as u32,
        vars: Some(value(json!({"region": "eu"})).into()),
    });
    facts.into_iter().for_each(|fact| play.tell(fact));
    play.succeed("get");
    play.cancel();
    play.pass(Duration::from_secs(30));
    play
}

fn read(text: &str) -> Vec<Record> {
    let mut prev = NO_RECORD;
    text.lines()
        .map(|line| {
            let mut parts = line.split(' ');
            let mut next = || parts.next().unwrap();
            let (first_seq, last_seq) = (next().parse().unwrap(), next().parse().unwrap());
            let digest = Digest(hex::decode(next()).unwrap().try_into().unwrap());
            let record = Record { first_seq, last_seq, body: hex::decode(next()).unwrap(), digest, prev };
            prev = digest;
            record
        })
        .collect()
}

fn write(records: &[Record]) -> String {
    records
        .iter()
        .map(|record| {
            format!("{} {} {} {}\n", record.first_seq, record.last_seq, record.digest, hex::encode(&record.body))
        })
        .collect()
}

#[test]
fn the_journal_of_release_0_1_replays_byte_for_byte() {
    let golden = include_str!("golden/0.1.journal");
    let records = read(golden);
    let id = play().run.id();
    let mut prev = NO_RECORD;
    let mut events = Vec::new();
    for record in &records {
        codec::verify(id, record, prev).unwrap();
        events.extend(codec::decode(record).unwrap());
        prev = record.digest;
    }
    let replayed = replay(&graph(document()), id, events.clone()).unwrap();
    assert!(replayed.missing.is_empty() && replayed.run.is_finished());
    assert_eq!(
        write(&codec::encode(id, &events, NO_RECORD).unwrap()),
        golden,
        "the same events are written as other bytes"
    );
}

#[test]
fn today_the_same_run_writes_the_same_journal() {
    let play = play();
    let records = codec::encode(play.run.id(), &play.journal, NO_RECORD).unwrap();
    assert_eq!(write(&records), include_str!("golden/0.1.journal"));
}

#[test]
fn the_journal_of_a_prepared_run_replays_byte_for_byte() {
    let golden = include_str!("golden/0.1-prepared.journal");
    let (id, records) = (prepared().run.id(), read(golden));
    let events: Vec<_> = records.iter().flat_map(|record| codec::decode(record).unwrap()).collect();
    let replayed = replay(&graph(document()), id, events.clone()).unwrap();
    assert!(replayed.missing.is_empty() && replayed.run.is_finished());
    assert_eq!(write(&codec::encode(id, &events, NO_RECORD).unwrap()), golden, "written as other bytes");
    let today = codec::encode(id, &prepared().journal, NO_RECORD).unwrap();
    assert_eq!(write(&today), golden, "the same run writes another journal today");
}

#[test]
fn what_is_kept_in_the_journal_comes_back_with_its_bytes() {
    let records = codec::encode(prepared().run.id(), &prepared().journal, NO_RECORD).unwrap();
    let events: Vec<_> = records.iter().flat_map(|record| codec::decode(record).unwrap()).collect();
    let replayed = replay(&graph(document()), prepared().run.id(), events).unwrap();
    let bytes = |value: Option<&engine::value::ValueRef>| value.unwrap().inline.clone().unwrap();
    assert_eq!(bytes(replayed.run.vars()), r#"{"region":"eu"}"#);
    assert_eq!(bytes(replayed.run.edited_input(prepared().at("get").node)), r#"{"edited":true}"#);
}

#[test]
fn a_changed_byte_breaks_the_chain() {
    let play = play();
    let mut records = codec::encode(play.run.id(), &play.journal, NO_RECORD).unwrap();
    records[0].body[20] ^= 1;
    assert!(codec::verify(play.run.id(), &records[0], NO_RECORD).is_err());
}

#[test]
fn bytes_that_are_no_record_are_an_error_and_no_panic() {
    let play = play();
    let good = codec::encode(play.run.id(), &play.journal, NO_RECORD).unwrap().remove(0);
    for place in 0..good.body.len() {
        for change in [1, 0x80, 0xff] {
            let mut record = good.clone();
            record.body[place] ^= change;
            // Some changes still read as events; none may panic or read past the end.
            if let Ok(events) = codec::decode(&record) {
                assert_eq!(events.len() as u64, record.last_seq + 1 - record.first_seq);
            }
        }
        let mut record = good.clone();
        record.body.truncate(place);
        assert!(codec::decode(&record).is_err());
    }
}

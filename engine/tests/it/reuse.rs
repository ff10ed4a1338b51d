//! What a new run takes over from an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use engine::error::ErrorInfo;
use engine::graph::hash::{node_hashes, type_digests};
use engine::run::event::{Event, ReusedFrom};
use engine::run::replay::replay;
use engine::run::reuse::{Earlier, EarlierTest, Fate, NotReusable, Part, Pin, Preparation, Retry, TestPlan, TestRun};
use engine::run::status::{NodeRunStatus as N, RunStatus as R};
use engine::run::step::{Effect, effect_key};
use engine::scope::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, TestCatalog, graph, value};

/// `start -> get -> post -> note -> last`, and `side` after `start`.
fn five() -> Value {
    json!({
        "nodes": {
            "start": {"type": "test.trigger@1"},
            "get": {"type": "test.get@1"},
            "post": {"type": "test.post@1"},
            "note": {"type": "test.post@1"},
            "last": {"type": "test.pure@1"}
        },
        "edges": [
            {"from": "start", "to": "get"}, {"from": "get", "to": "post"}, {"from": "post", "to": "note"},
            {"from": "note", "to": "last"}
        ]
    })
}

/// Five nodes of which the third failed.
fn failed_at_the_third() -> Play {
    let mut play = Play::start(five());
    play.succeed("get");
    play.fail("post", ErrorInfo::permanent("HTTP_STATUS", "400"));
    assert_eq!(play.status(), R::Failed);
    play
}

/// Keys of the nodes whose hashes are equal in both documents.
fn same(before: &Value, after: &Value) -> BTreeSet<String> {
    let hashes = |document: &Value| {
        let definition = engine::definition::Definition::from_json(document).unwrap();
        node_hashes(&definition, &type_digests(&definition, &TestCatalog::new()))
    };
    let (before, after) = (hashes(before), hashes(after));
    after.into_iter().filter(|(key, hash)| before.get(key) == Some(hash)).map(|(key, _)| key).collect()
}

fn prepare(
    was: &Play,
    document: &Value,
    same: &BTreeSet<String>,
    from: Option<&str>,
    input: Option<Value>,
) -> Result<Preparation, NotReusable> {
    let graph = graph(document.clone());
    let retry = Retry {
        earlier: Earlier { id: was.run.id(), graph: &was.graph, run: &was.run },
        graph: &graph,
        same,
        trigger: graph.find("start").unwrap(),
        from: from.map(|key| graph.find(key).unwrap()),
        input: input.map(value),
    };
    retry.prepare()
}

/// The new run, begun.
fn again(document: &Value, prepared: Preparation) -> Play {
    let mut play = Play::new(document.clone(), 2);
    let origin = prepared.origin.unwrap_or(play.run.id().0);
    let trigger = play.graph.find("start").unwrap();
    let count = u32::try_from(prepared.facts.len()).unwrap();
    play.tell(Event::RunCreated { trigger, input: prepared.input, origin, prepared: count, vars: None });
    prepared.facts.into_iter().for_each(|fact| play.tell(fact));
    play
}

fn all(document: &Value) -> BTreeSet<String> {
    document["nodes"].as_object().unwrap().keys().cloned().collect()
}

fn retried(was: &Play, document: &Value, from: Option<&str>, input: Option<Value>) -> Play {
    again(document, prepare(was, document, &all(document), from, input).unwrap())
}

fn reused(play: &Play) -> Vec<String> {
    let nodes = play.graph.nodes();
    nodes.filter(|(ix, _)| play.run.reused_from(*ix).is_some()).map(|(_, node)| node.key.clone()).collect()
}

/// The idempotency key that a node's call has.
fn key(play: &Play, node: &str) -> String {
    let at = play.at(node);
    let generation = play.run.node_run(&at).unwrap().generation;
    effect_key(play.run.key_origin(at.node), node, &Scope::ROOT, generation)
}

#[test]
fn a_run_tried_again_from_the_third_of_five_nodes_takes_two_over_and_runs_three() {
    let was = failed_at_the_third();
    let mut play = retried(&was, &five(), Some("post"), None);
    assert_eq!(reused(&play), ["get", "start"]);
    assert_eq!(play.asked(), ["post"]);
    assert_eq!(play.run.output_of(play.at("get").node), was.run.output_of(was.at("get").node));
    play.succeed("post");
    assert_eq!(play.asked(), ["note"]);
    play.succeed("note");
    play.succeed("last");
    assert_eq!(play.status(), R::Succeeded);
    let started = play.journal.iter().filter(|recorded| matches!(recorded.event, Event::NodeStarted { .. })).count();
    assert_eq!(started, 3);
}

#[test]
fn its_journal_begins_with_what_it_takes_over_and_replays() {
    let play = retried(&failed_at_the_third(), &five(), Some("post"), None);
    let from = ReusedFrom::Run(Play::id(1).0);
    let is_reused = |event: &Event| matches!(event, Event::Reused { from: found, .. } if *found == from);
    assert!(play.journal[1..3].iter().all(|recorded| is_reused(&recorded.event)), "{:#?}", play.journal);
    assert_eq!(play.journal[3].event, Event::RunStarted);
    for cut in 3..=play.journal.len() {
        let replayed = replay(&play.graph, play.run.id(), play.journal[..cut].iter().cloned()).unwrap();
        assert_eq!(replayed.missing, play.journal[cut..], "what follows from the last fact is decided again");
    }
}

#[test]
fn the_same_call_has_the_same_key_as_in_the_run_before() {
    let was = failed_at_the_third();
    let play = retried(&was, &five(), Some("post"), None);
    assert_eq!(key(&play, "post"), key(&was, "post"));
    let again = retried(&play, &five(), None, None);
    assert_eq!(key(&again, "get"), key(&was, "get"), "also through two runs, from the start");
}

#[test]
fn an_edited_input_makes_keys_of_its_own_from_there_on() {
    let was = failed_at_the_third();
    let mut play = retried(&was, &five(), Some("post"), Some(json!({"amount": 5})));
    assert_eq!(play.run.edited_input(play.at("post").node), Some(&value(json!({"amount": 5}))));
    assert_ne!(key(&play, "post"), key(&was, "post"));
    play.succeed("post");
    let own = effect_key(play.run.id().0, "note", &Scope::ROOT, 0);
    assert_eq!(key(&play, "note"), own);
    let restarted = retried(&was, &five(), None, Some(json!({"n": 2})));
    assert_ne!(key(&restarted, "get"), key(&was, "get"));
    assert_eq!(restarted.run.input(), Some(&value(json!({"n": 2}))));
}

#[test]
fn a_changed_node_may_run_but_nothing_before_the_first_one_may_have_changed() {
    let was = failed_at_the_third();
    let mut changed = five();
    changed["nodes"]["post"]["config"] = json!({"number": 2});
    let prepared = prepare(&was, &changed, &same(&five(), &changed), Some("post"), None).unwrap();
    let play = again(&changed, prepared);
    assert_eq!(reused(&play), ["get", "start"]);
    assert_ne!(key(&play, "post"), key(&was, "post"), "it does something else now");

    let mut upstream = five();
    upstream["nodes"]["get"]["config"] = json!({"number": 3});
    let refused = prepare(&was, &upstream, &same(&five(), &upstream), Some("note"), None).unwrap_err();
    assert_eq!(
        refused,
        NotReusable::Upstream { at: "note".into(), changed: vec!["get".into()], unfinished: Vec::new() }
    );
    assert_eq!(refused.to_string(), "the run cannot begin at `note`: `get` changed since; begin at `get` or before it");
}

#[test]
fn what_did_not_succeed_before_the_first_node_is_named() {
    let was = failed_at_the_third();
    let refused = prepare(&was, &five(), &all(&five()), Some("last"), None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the run cannot begin at `last`: `post` is FAILED there; begin at `post` or before it"
    );
}

#[test]
fn a_branch_that_was_not_taken_stays_untaken_and_cannot_be_begun() {
    let document = json!({
        "nodes": {
            "start": {"type": "test.trigger@1"}, "check": {"type": "test.if@1"}, "yes": {"type": "test.post@1"},
            "no": {"type": "test.post@1"}, "end": {"type": "test.merge@1"}
        },
        "edges": [
            {"from": "start", "to": "check"}, {"from": "check.true", "to": "yes"}, {"from": "check.false", "to": "no"},
            {"from": "yes", "to": "end"}, {"from": "no", "to": "end"}
        ]
    });
    let mut was = Play::start(document.clone());
    was.succeed_by("check", "true");
    was.fail("yes", ErrorInfo::permanent("HTTP_STATUS", "400"));
    let mut play = retried(&was, &document, Some("yes"), None);
    assert_eq!(play.asked(), ["yes"]);
    assert_eq!(play.status_of("no"), N::Skipped);
    play.succeed("yes");
    assert_eq!(play.asked(), ["end"]);
    let refused = prepare(&was, &document, &all(&document), Some("no"), None).unwrap_err();
    assert_eq!(refused, NotReusable::NotReached("no".into()));
    let mut given = retried(&was, &document, Some("no"), Some(json!({"to": "ann"})));
    assert_eq!(given.asked(), ["no", "yes"], "an input of its own starts it, and what failed runs again too");
}

#[test]
fn a_key_rises_only_after_a_definite_answer_of_a_type_that_wants_that() {
    let document = json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "pay": {"type": "test.fresh@1"}},
        "edges": [{"from": "start", "to": "pay"}]
    });
    let after = |error: ErrorInfo| {
        let mut was = Play::start(document.clone());
        was.fail("pay", error);
        if was.status() != R::Failed {
            was.tell(Event::CancelRequested { by: "ann".into(), reason: String::new(), force: true });
        }
        let play = retried(&was, &document, Some("pay"), None);
        (key(&was, "pay"), key(&play, "pay"))
    };
    let (before, now) = after(ErrorInfo::unknown("HTTP_TIMEOUT", "no answer"));
    assert_eq!(before, now);
    let (before, now) = after(ErrorInfo::transient("HTTP_STATUS", "503"));
    assert_ne!(before, now);
}

fn test_of(
    document: &Value,
    part: impl Fn(&Play) -> Part,
    pins: &[(&str, Value)],
    earlier: Option<(&Play, &BTreeSet<String>)>,
) -> Result<TestPlan, NotReusable> {
    let play = Play::new(document.clone(), 9);
    let pin = |output: &Value| Pin { port: "out".into(), output: value(output.clone()) };
    let test = TestRun {
        graph: &play.graph,
        trigger: play.at("start").node,
        part: part(&play),
        pins: pins.iter().map(|(key, output)| (play.at(key).node, pin(output))).collect::<BTreeMap<_, _>>(),
        earlier: earlier.map(|(was, same)| EarlierTest {
            earlier: Earlier { id: was.run.id(), graph: &was.graph, run: &was.run },
            same,
            same_input: true,
            same_vars: true,
        }),
    };
    test.plan()
}

fn fates(plan: &TestPlan) -> Vec<(&str, Fate)> {
    plan.nodes.iter().map(|planned| (planned.node.as_str(), planned.fate)).collect()
}

fn tested(document: &Value, plan: TestPlan) -> Play {
    again(document, Preparation { origin: None, input: value(json!({"n": 1})), facts: plan.facts })
}

#[test]
fn a_test_up_to_a_node_leaves_out_what_does_not_lead_there() {
    let plan = test_of(&five(), |play| Part::To(play.at("post").node), &[], None).unwrap();
    let expected = [
        ("get", Fate::Runs),
        ("last", Fate::LeftOut),
        ("note", Fate::LeftOut),
        ("post", Fate::Runs),
        ("start", Fate::Runs),
    ];
    assert_eq!(fates(&plan), expected);
    let mut play = tested(&five(), plan);
    play.succeed("get");
    play.succeed("post");
    assert_eq!(play.status(), R::Succeeded);
    assert_eq!(play.status_of("note"), N::Skipped);
    let ended = play.journal.iter().find_map(|recorded| match &recorded.event {
        Event::RunFinished { output, .. } => output.clone(),
        _ => None,
    });
    assert_eq!(ended, Some(value(json!("post"))), "its result is the node's");
}

#[test]
fn a_pin_stands_for_a_node_and_for_what_only_leads_to_it() {
    let plan = test_of(&five(), |play| Part::To(play.at("note").node), &[("post", json!("pinned"))], None).unwrap();
    assert_eq!(
        fates(&plan),
        [
            ("get", Fate::LeftOut),
            ("last", Fate::LeftOut),
            ("note", Fate::Runs),
            ("post", Fate::Pinned),
            ("start", Fate::LeftOut)
        ]
    );
    let mut play = tested(&five(), plan);
    assert_eq!(play.asked(), ["note"]);
    let whole = test_of(&five(), |_| Part::Whole, &[("post", json!("pinned"))], None).unwrap();
    let mut play = tested(&five(), whole);
    assert_eq!(play.asked(), ["get", "note"], "in a test of the whole everything else runs");
    let refused = test_of(&five(), |play| Part::To(play.at("note").node), &[("note", json!(1))], None).unwrap_err();
    assert_eq!(refused, NotReusable::Pinned("note".into()));
}

#[test]
fn one_node_alone_needs_its_sources_or_an_input() {
    let only = |input: Option<Value>| {
        move |play: &Play| Part::Only { node: play.at("note").node, input: input.clone().map(value) }
    };
    let refused = test_of(&five(), only(None), &[], None).unwrap_err();
    assert_eq!(refused, NotReusable::SourcesMissing { at: "note".into(), missing: vec!["post".into()] });
    for (input, pins) in [(Some(json!({"a": 1})), vec![]), (None, vec![("post", json!("pinned"))])] {
        let plan = test_of(&five(), only(input), &pins, None).unwrap();
        assert_eq!(plan.nodes.iter().filter(|planned| planned.fate == Fate::Runs).count(), 1, "{plan:#?}");
        let mut play = tested(&five(), plan);
        assert_eq!(play.asked(), ["note"]);
        play.succeed("note");
        assert_eq!(play.status(), R::Succeeded);
    }
}

#[test]
fn a_test_takes_over_what_an_earlier_one_gave_unless_it_was_pinned_or_changed() {
    let first = test_of(&five(), |play| Part::To(play.at("post").node), &[], None).unwrap();
    let mut was = tested(&five(), first);
    was.succeed("get");
    was.succeed("post");
    let to_last = |play: &Play| Part::To(play.at("last").node);
    let plan = test_of(&five(), to_last, &[], Some((&was, &all(&five())))).unwrap();
    let expected = [
        ("get", Fate::Reused),
        ("last", Fate::Runs),
        ("note", Fate::Runs),
        ("post", Fate::Reused),
        ("start", Fate::Reused),
    ];
    assert_eq!(fates(&plan), expected);
    assert_eq!(tested(&five(), plan).asked(), ["note"]);

    let mut changed = five();
    changed["nodes"]["post"]["config"] = json!({"number": 1});
    let plan = test_of(&changed, to_last, &[], Some((&was, &same(&five(), &changed)))).unwrap();
    assert_eq!(fates(&plan)[0], ("get", Fate::Reused));
    assert_eq!(fates(&plan)[3], ("post", Fate::Runs));

    let pinned = test_of(&five(), |play| Part::To(play.at("note").node), &[("get", json!("pinned"))], None).unwrap();
    let mut was = tested(&five(), pinned);
    was.succeed("post");
    was.succeed("note");
    let plan = test_of(&five(), to_last, &[], Some((&was, &all(&five())))).unwrap();
    assert_eq!(fates(&plan)[0], ("get", Fate::Runs), "a pin of then is no result of now");
    assert_eq!(fates(&plan)[3], ("post", Fate::Runs), "nor is what was made from it");
    let plan = test_of(&five(), to_last, &[("get", json!("pinned"))], Some((&was, &all(&five())))).unwrap();
    assert_eq!(fates(&plan)[3], ("post", Fate::Reused), "under the same pin it is");
}

#[test]
fn a_failure_in_a_part_is_not_handled_by_what_is_left_out() {
    let document = json!({
        "nodes": {
            "start": {"type": "test.trigger@1"}, "get": {"type": "test.get@1"}, "help": {"type": "test.pure@1"},
            "last": {"type": "test.pure@1"}
        },
        "edges": [
            {"from": "start", "to": "get"}, {"from": "get.error", "to": "help"}, {"from": "get", "to": "last"}
        ]
    });
    let plan = test_of(&document, |play| Part::To(play.at("last").node), &[], None).unwrap();
    let mut play = tested(&document, plan);
    play.fail("get", ErrorInfo::permanent("HTTP_STATUS", "404"));
    assert_eq!(play.status(), R::Failed);
}

#[test]
fn a_run_with_many_items_goes_on_with_each_items_key() {
    let document = json!({
        "nodes": {
            "start": {"type": "test.trigger@1"},
            "each": {"type": "test.fresh@1", "for_each": {"items": [], "concurrency": 2}}
        },
        "edges": [{"from": "start", "to": "each"}]
    });
    let mut was = Play::start(document.clone());
    was.list_items("each", 2);
    was.succeed("each/0");
    was.fail("each/1", ErrorInfo::transient("HTTP_STATUS", "503"));
    assert_eq!(was.status(), R::Failed);
    let mut play = retried(&was, &document, Some("each"), None);
    play.asked();
    play.list_items("each", 2);
    let generations: Vec<u32> = play
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Attempt { generation, .. } => Some(*generation),
            _ => None,
        })
        .collect();
    assert_eq!(generations, [0, 1]);
    assert_eq!(play.run.key_origin(play.at("each").node), Uuid::from_u128(was.run.id().0.as_u128()));
}

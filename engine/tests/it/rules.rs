//! What a run does next.

use std::time::Duration;

use engine::error::ErrorInfo;
use engine::run::event::{Event, Resolution};
use engine::run::replay::replay;
use engine::run::status::{NodeRunStatus as N, RunStatus as R};
use serde_json::json;

use crate::play::{Play, value};

const SECOND: Duration = Duration::from_secs(1);

fn busy() -> ErrorInfo {
    ErrorInfo::transient("HTTP_STATUS", "503")
}

fn refused() -> ErrorInfo {
    ErrorInfo::permanent("HTTP_STATUS", "400")
}

fn lost() -> ErrorInfo {
    ErrorInfo::unknown("HTTP_TIMEOUT", "no answer")
}

/// `start -> <kind>` with more fields of that node.
fn one(kind: &str, more: serde_json::Value) -> serde_json::Value {
    let mut node = json!({"type": format!("test.{kind}@1")});
    node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"nodes": {"start": {"type": "test.trigger@1"}, "work": node}, "edges": [{"from": "start", "to": "work"}]})
}

fn diamond(join: &str) -> serde_json::Value {
    json!({
        "nodes": {
            "start": {"type": "test.trigger@1"},
            "left": {"type": "test.pure@1"},
            "right": {"type": "test.pure@1"},
            "join": {"type": "test.merge@1", "join": join}
        },
        "edges": [
            {"from": "start", "to": "left"}, {"from": "start", "to": "right"},
            {"from": "left", "to": "join"}, {"from": "right", "to": "join"}
        ]
    })
}

#[test]
fn branches_run_side_by_side_and_a_join_waits_for_both() {
    let mut play = Play::start(diamond("all"));
    assert_eq!(play.asked(), ["left", "right"]);
    play.succeed("right");
    assert!(play.asked().is_empty());
    play.succeed("left");
    assert_eq!(play.asked(), ["join"]);
    play.succeed("join");
    assert_eq!(play.status(), R::Succeeded);
}

#[test]
fn an_any_join_starts_with_the_first_branch_and_ignores_the_later_one() {
    let mut play = Play::start(diamond("any"));
    play.asked();
    play.succeed("right");
    assert_eq!(play.asked(), ["join"]);
    play.succeed("left");
    assert!(play.asked().is_empty());
    play.succeed("join");
    assert_eq!(play.status(), R::Succeeded);
}

#[test]
fn a_path_not_taken_is_skipped_with_all_that_only_it_feeds() {
    let mut play = Play::start(json!({
        "nodes": {
            "start": {"type": "test.trigger@1"}, "check": {"type": "test.if@1"}, "yes": {"type": "test.pure@1"},
            "no": {"type": "test.pure@1"}, "after_no": {"type": "test.pure@1"}, "merge": {"type": "test.merge@1"}
        },
        "edges": [
            {"from": "start", "to": "check"}, {"from": "check.true", "to": "yes"}, {"from": "check.false", "to": "no"},
            {"from": "no", "to": "after_no"}, {"from": "yes", "to": "merge"}, {"from": "after_no", "to": "merge"}
        ]
    }));
    play.succeed_by("check", "true");
    assert_eq!((play.status_of("no"), play.status_of("after_no")), (N::Skipped, N::Skipped));
    play.succeed("yes");
    play.succeed("merge");
    assert_eq!(play.status(), R::Succeeded);
}

#[test]
fn a_transient_failure_is_retried_once_its_delay_has_passed_until_attempts_are_used_up() {
    let mut play = Play::start(one("get", json!({"retry": {"attempts": 2, "initial": "10s", "jitter": 0.0}})));
    play.asked();
    play.fail("work", busy());
    assert_eq!(play.status_of("work"), N::Retrying);
    assert_eq!(play.status(), R::Waiting);
    play.pass(9 * SECOND);
    assert!(play.asked().is_empty());
    play.pass(SECOND);
    assert_eq!(play.asked(), ["work"]);
    play.fail("work", busy());
    assert_eq!((play.status_of("work"), play.status()), (N::Failed, R::Failed));
}

#[test]
fn a_permanent_failure_is_never_retried() {
    let mut play = Play::start(one("get", json!({"retry": {"attempts": 5}})));
    play.fail("work", refused());
    assert_eq!(play.status(), R::Failed);
}

#[test]
fn a_connected_error_port_handles_the_failure() {
    let mut play = Play::start(json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "work": {"type": "test.post@1"}, "good": {"type": "test.pure@1"}, "bad": {"type": "test.pure@1"}},
        "edges": [{"from": "start", "to": "work"}, {"from": "work", "to": "good"}, {"from": "work.error", "to": "bad"}]
    }));
    play.asked();
    play.fail("work", refused());
    assert_eq!(play.asked(), ["bad"]);
    assert_eq!(play.status_of("good"), N::Skipped);
    play.succeed("bad");
    assert_eq!(play.status(), R::Succeeded);
}

#[test]
fn an_unknown_outcome_is_retried_for_an_idempotent_node_and_parked_for_an_effectful_one() {
    let policy = json!({"retry": {"attempts": 3}});
    let mut idempotent = Play::start(one("get", policy.clone()));
    idempotent.fail("work", lost());
    assert_eq!(idempotent.status_of("work"), N::Retrying);
    let mut effectful = Play::start(one("post", policy));
    effectful.fail("work", lost());
    assert_eq!((effectful.status_of("work"), effectful.status()), (N::Uncertain, R::Waiting));
}

#[test]
fn a_person_says_how_an_uncertain_node_ended() {
    let uncertain = || {
        let mut play = Play::start(one("post", json!({})));
        play.fail("work", lost());
        play.asked();
        play
    };
    let resolve = |play: &mut Play, resolution| {
        let at = play.at("work");
        play.tell(Event::UncertainResolved { at, resolution, by: "ann".into() });
    };
    let mut again = uncertain();
    resolve(&mut again, Resolution::Retry);
    assert_eq!(again.asked(), ["work"]);
    let mut done = uncertain();
    resolve(&mut done, Resolution::Succeed { output: value(json!(1)) });
    assert_eq!(done.status(), R::Succeeded);
    let mut failed = uncertain();
    resolve(&mut failed, Resolution::Fail);
    assert_eq!(failed.status(), R::Failed);
}

#[test]
fn a_lost_driver_repeats_what_may_be_repeated_and_nothing_else() {
    for (kind, asked, status) in
        [("pure", vec!["work"], N::Running), ("get", vec!["work"], N::Running), ("post", vec![], N::Uncertain)]
    {
        let mut play = Play::start(one(kind, json!({})));
        play.asked();
        play.tell(Event::RunRecovered { adoptions: 1 });
        assert_eq!(
            (play.asked(), play.status_of("work")),
            (asked.into_iter().map(str::to_owned).collect(), status),
            "{kind}"
        );
    }
}

#[test]
fn what_never_began_before_a_graceful_stop_begins_without_doubt() {
    let mut play = Play::start(one("post", json!({})));
    play.asked();
    let unbegun = vec![play.at("work")];
    play.tell(Event::RunReleased { unbegun });
    play.tell(Event::RunRecovered { adoptions: 0 });
    assert_eq!(play.asked(), ["work"]);
    play.tell(Event::RunRecovered { adoptions: 1 });
    assert_eq!(play.status_of("work"), N::Uncertain);
}

#[test]
fn for_each_keeps_to_its_concurrency_and_collects_once_all_items_settled() {
    let mut play = Play::start(one("pure", json!({"for_each": {"items": [], "concurrency": 2}})));
    assert_eq!(play.asked(), ["items of work"]);
    play.list_items("work", 3);
    assert_eq!(play.asked(), ["work/0", "work/1"]);
    play.succeed("work/1");
    assert_eq!(play.asked(), ["work/2"]);
    play.succeed("work/2");
    play.succeed("work/0");
    assert_eq!(play.asked(), ["collect work"]);
    play.collect("work");
    assert_eq!(play.status(), R::Succeeded);
}

#[test]
fn for_each_over_nothing_gives_an_empty_list() {
    let mut play = Play::start(one("pure", json!({"for_each": {"items": []}})));
    play.asked();
    play.list_items("work", 0);
    assert_eq!(play.asked(), ["collect work"]);
}

#[test]
fn a_failed_item_fails_its_for_each_unless_it_is_to_be_collected_or_skipped() {
    let failing = |policy: &str| {
        let mut play =
            Play::start(one("get", json!({"for_each": {"items": [], "concurrency": 2, "on_item_error": policy}})));
        play.list_items("work", 3);
        play.asked();
        play.fail("work/0", refused());
        play
    };
    let mut fail = failing("fail");
    assert_eq!(fail.asked(), ["abort work/1"]);
    assert_eq!((fail.status_of("work/1"), fail.status()), (N::Canceled, R::Failed));
    for policy in ["collect", "skip"] {
        let mut goes_on = failing(policy);
        assert_eq!(goes_on.asked(), ["work/2"]);
        goes_on.succeed("work/1");
        goes_on.succeed("work/2");
        assert_eq!(goes_on.asked(), ["collect work"]);
    }
}

#[test]
fn a_signal_ends_the_wait_for_it_whether_it_comes_before_or_after() {
    let mut after = Play::start(one("wait", json!({})));
    after.wait_for_signal("work", "payment", None);
    assert_eq!(after.status(), R::Waiting);
    after.signal("delivery");
    assert_eq!(after.status(), R::Waiting);
    after.signal("payment");
    assert_eq!(after.status(), R::Succeeded);
    let mut before = Play::start(one("wait", json!({})));
    before.signal("payment");
    before.wait_for_signal("work", "payment", None);
    assert_eq!(before.status(), R::Succeeded);
}

#[test]
fn a_wait_that_is_not_signaled_in_time_leaves_by_timeout() {
    let mut play = Play::start(json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "work": {"type": "test.wait@1"}, "late": {"type": "test.pure@1"}},
        "edges": [{"from": "start", "to": "work"}, {"from": "work.timeout", "to": "late"}]
    }));
    play.wait_for_signal("work", "payment", Some(5 * SECOND));
    play.asked();
    play.pass(5 * SECOND);
    assert_eq!(play.asked(), ["late"]);
}

#[test]
fn cancel_stops_what_can_be_stopped_and_lets_effects_in_flight_settle() {
    let mut play = Play::start(json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "get": {"type": "test.get@1"}, "post": {"type": "test.post@1"}, "next": {"type": "test.pure@1"}},
        "edges": [{"from": "start", "to": "get"}, {"from": "start", "to": "post"}, {"from": "post", "to": "next"}]
    }));
    play.asked();
    play.cancel();
    assert_eq!(play.asked(), ["abort get"]);
    assert_eq!((play.status_of("get"), play.status()), (N::Canceled, R::Running));
    play.succeed("post");
    assert!(play.asked().is_empty());
    assert_eq!((play.status_of("post"), play.status()), (N::Succeeded, R::Canceled));
}

#[test]
fn a_second_cancel_or_30_seconds_leave_a_call_in_flight_uncertain() {
    for forced in [true, false] {
        let mut play = Play::start(one("post", json!({})));
        play.cancel();
        assert_eq!(play.status(), R::Running);
        if forced {
            play.cancel()
        } else {
            play.pass(30 * SECOND)
        }
        assert_eq!((play.status_of("work"), play.status()), (N::Uncertain, R::Canceled));
    }
}

#[test]
fn a_run_that_takes_longer_than_its_workflow_allows_is_timed_out() {
    let mut document = one("wait", json!({}));
    document["settings"] = json!({"timeout": "1m"});
    let mut play = Play::start(document);
    play.wait_for_signal("work", "never", None);
    play.pass(60 * SECOND);
    assert_eq!((play.status_of("work"), play.status()), (N::Canceled, R::TimedOut));
}

#[test]
fn a_nodes_deadline_counts_all_its_attempts() {
    let mut play =
        Play::start(one("get", json!({"deadline": "5s", "retry": {"attempts": 9, "initial": "10s", "jitter": 0.0}})));
    play.fail("work", busy());
    play.pass(5 * SECOND);
    assert_eq!((play.status_of("work"), play.status()), (N::TimedOut, R::Failed));
}

#[test]
fn the_result_is_the_last_nodes_output_or_is_put_together_from_several() {
    let mut single = Play::start(one("pure", json!({})));
    single.asked();
    single.succeed("work");
    assert!(single.asked().is_empty());
    let mut several = Play::start(json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "a": {"type": "test.pure@1"}, "b": {"type": "test.pure@1"}},
        "edges": [{"from": "start", "to": "a"}, {"from": "start", "to": "b"}]
    }));
    several.asked();
    several.succeed("a");
    several.succeed("b");
    assert_eq!(several.asked(), ["output"]);
    several.tell(Event::OutputEvaluated { output: value(json!({})) });
    assert_eq!(several.status(), R::Succeeded);
}

#[test]
fn a_late_or_repeated_result_changes_nothing() {
    let mut play = Play::start(one("get", json!({"retry": {"attempts": 2, "initial": "1s"}})));
    play.fail("work", busy());
    let (at, before) = (play.at("work"), play.journal.len());
    play.tell(Event::AttemptSucceeded { at, attempt: 1, port: "out".into(), output: value(json!(1)), log: None });
    assert_eq!((play.journal.len(), play.status_of("work")), (before, N::Retrying));
}

#[test]
fn a_journal_that_other_rules_wrote_is_refused_at_the_first_difference() {
    let mut play = Play::start(one("pure", json!({})));
    play.succeed("work");
    let mut journal = play.journal.clone();
    assert!(replay(&play.graph, play.run.id(), journal.clone()).is_ok());
    let last = journal.len() - 1;
    journal[last].event = Event::NodeSkipped { node: play.at("work").node };
    assert!(replay(&play.graph, play.run.id(), journal).unwrap_err().to_string().starts_with("at seq 6"));
}

use serde_json::json;

use super::*;

fn published(subject: &str) -> Happening<'_> {
    Happening { what: What::Published(subject), workflow: "shop", same_project: true, own: false }
}

fn ended(status: RunStatus) -> Happening<'static> {
    Happening { what: What::Ended(status), workflow: "shop", same_project: true, own: false }
}

fn listener(ear: Ear, config: Value) -> Listener {
    Listener::read(ear, &config).unwrap()
}

fn faults(ear: Ear, config: Value) -> Vec<String> {
    Listener::read(ear, &config).unwrap_err().into_iter().map(|fault| fault.path).collect()
}

#[test]
fn a_pattern_names_subjects_as_nats_does() {
    for (pattern, subject, is_named) in [
        ("order.paid", "order.paid", true),
        ("order.paid", "order.paid.eu", false),
        ("order.paid.eu", "order.paid", false),
        ("order.*", "order.paid", true),
        ("order.*", "order", false),
        ("order.*", "order.paid.eu", false),
        ("*.paid", "order.paid", true),
        ("*.*.eu", "order.paid.eu", true),
        ("order.>", "order.paid", true),
        ("order.>", "order.paid.eu", true),
        ("order.>", "order", false),
        (">", "order", true),
        ("*.>", "order", false),
        ("Order.paid", "order.paid", false),
    ] {
        assert_eq!(Pattern::read(pattern).unwrap().matches(subject), is_named, "{pattern} and {subject}");
    }
}

#[test]
fn what_is_no_subject_and_no_pattern_is_told() {
    assert_eq!(check_subject("order.paid-2.EU_1"), Ok(()));
    for subject in ["order..paid", ".order", "order.", "order paid", "order.*", "order.>", "größe"] {
        assert_eq!(check_subject(subject), Err(SubjectError::Word), "{subject}");
    }
    assert_eq!(check_subject(""), Err(SubjectError::Length));
    assert_eq!(check_subject(&"a".repeat(201)), Err(SubjectError::Length));
    assert_eq!(check_subject(&vec!["a"; 17].join(".")), Err(SubjectError::Words));
    assert_eq!(Pattern::read("order.>.paid"), Err(SubjectError::RestNotLast));
    assert_eq!(Pattern::read("order.p*"), Err(SubjectError::Word));
}

#[test]
fn events_of_another_project_are_heard_only_by_who_asks_for_them() {
    let strange = Happening { same_project: false, ..published("order.paid") };
    let here = listener(Ear::Event, json!({"subject": "order.>"}));
    assert!(here.listens_to(published("order.paid")) && !here.listens_to(strange));
    let anywhere = listener(Ear::Event, json!({"subject": "order.>", "from": "workspace"}));
    assert!(anywhere.listens_to(published("order.paid")) && anywhere.listens_to(strange));
    assert!(!anywhere.listens_to(ended(RunStatus::Succeeded)));
}

#[test]
fn failures_are_those_of_others_that_nobody_wanted() {
    let failures = listener(Ear::Error, json!({}));
    for (status, counts) in [
        (RunStatus::Failed, true),
        (RunStatus::TimedOut, true),
        (RunStatus::Canceled, false),
        (RunStatus::Succeeded, false),
    ] {
        assert_eq!(failures.listens_to(ended(status)), counts, "{status:?}");
    }
    assert!(!failures.listens_to(Happening { own: true, ..ended(RunStatus::Failed) }));
    let strange = Happening { same_project: false, ..ended(RunStatus::Failed) };
    assert!(!failures.listens_to(strange));
    assert!(listener(Ear::Error, json!({"of": "workspace"})).listens_to(strange));
    let of_one = |name: &str| listener(Ear::Error, json!({"of": "workflow", "workflow": name}));
    assert!(
        of_one("shop").listens_to(ended(RunStatus::Failed)) && !of_one("stock").listens_to(ended(RunStatus::Failed))
    );
}

#[test]
fn ends_are_those_of_the_named_workflow_with_the_named_status() {
    let any = listener(Ear::Workflow, json!({"workflow": "shop"}));
    assert!(RunStatus::ALL.iter().filter(|status| status.is_final()).all(|status| any.listens_to(ended(*status))));
    let well = listener(Ear::Workflow, json!({"workflow": "shop", "statuses": ["SUCCEEDED"]}));
    assert!(well.listens_to(ended(RunStatus::Succeeded)) && !well.listens_to(ended(RunStatus::Failed)));
    assert!(!well.listens_to(Happening { workflow: "stock", ..ended(RunStatus::Succeeded) }));
}

#[test]
fn a_filter_says_yes_or_no_or_why_it_cannot() {
    let dear = listener(Ear::Event, json!({"subject": ">", "filter": "{{ trigger.data.total > 100 }}"}));
    assert_eq!(dear.lets_pass(&json!({"data": {"total": 101}})), Heard::Yes);
    assert_eq!(dear.lets_pass(&json!({"data": {"total": 100}})), Heard::No);
    assert!(
        matches!(dear.lets_pass(&json!({"data": {"total": "many"}})), Heard::Unclear(why) if why.contains("fails"))
    );
    let odd = listener(Ear::Event, json!({"subject": ">", "filter": "{{ trigger.data }}"}));
    assert!(matches!(odd.lets_pass(&json!({"data": 1})), Heard::Unclear(_)));
    assert_eq!(listener(Ear::Event, json!({"subject": ">"})).lets_pass(&json!(null)), Heard::Yes);
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    assert_eq!(faults(Ear::Event, json!({"subject": "a..b", "filter": "{{ 1 + }}"})), ["/subject", "/filter"]);
    assert_eq!(faults(Ear::Event, json!({"subject": "a", "filter": "{{ input.x > vars.limit }}"})), ["/filter"]);
    assert_eq!(faults(Ear::Error, json!({"of": "workflow"})), ["/workflow"]);
    assert_eq!(faults(Ear::Error, json!({"workflow": "shop"})), ["/workflow"]);
    assert_eq!(faults(Ear::Workflow, json!({})), ["/workflow"]);
}

//! Lists: filtered, ordered, paged both ways, while rows come.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases};

const WORKFLOWS: &str = "query($filter: WorkflowFilter! = {}, $orderBy: WorkflowOrder, $project: String, $first: Int,
    $after: String, $last: Int, $before: String) { workflows(filter: $filter, orderBy: $orderBy, project: $project,
    first: $first, after: $after, last: $last, before: $before) {
    nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn page(app: &TestApp, variables: Value) -> (Vec<String>, Value) {
    let page = app.ask(WORKFLOWS, variables).await["workflows"].clone();
    let nodes = page["nodes"].as_array().unwrap();
    (nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect(), page["pageInfo"].clone())
}

async fn make(app: &TestApp, input: Value) -> Value {
    app.changed("createWorkflow", input, "workflow { id }").await["workflow"]["id"].clone()
}

on_both_databases! {
    async fn every_order_is_paged_both_ways_while_rows_come(home: Home) {
        let app = TestApp::start(&home).await;
        let mut first: Vec<String> = Vec::new();
        for n in 0..17 {
            let name = format!("w{:02}", (n * 7) % 17);
            make(&app, json!({"name": name})).await;
            first.push(name);
        }
        let mut extra = 0;
        for field in ["NAME", "CREATED_AT", "UPDATED_AT"] {
            for direction in ["ASC", "DESC"] {
                for (size, from, info, more) in [("first", "after", "endCursor", "hasNextPage"),
                    ("last", "before", "startCursor", "hasPreviousPage")] {
                    let (mut seen, mut cursor): (Vec<Vec<String>>, Value) = (Vec::new(), json!(null));
                    loop {
                        let order = json!({"field": field, "direction": direction});
                        let (names, told) = page(&app, json!({"orderBy": order, size: 3, from: cursor})).await;
                        seen.push(names);
                        // Rows come at both ends and in the middle.
                        if extra < 60 && extra % 3 == 0 {
                            make(&app, json!({"name": format!("w{:02}x{extra}", extra % 17)})).await;
                        }
                        extra += 1;
                        if told[more] == json!(false) {
                            break;
                        }
                        cursor = told[info].clone();
                    }
                    if size == "last" {
                        seen.reverse();
                    }
                    let all: Vec<String> = seen.concat();
                    let mut once = all.clone();
                    once.sort();
                    once.dedup();
                    assert_eq!(once.len(), all.len(), "no repeat by {field} {direction}: {all:?}");
                    let mut wanted = first.clone();
                    if field == "NAME" {
                        wanted.sort();
                    }
                    if direction == "DESC" {
                        wanted.reverse();
                    }
                    let kept: Vec<String> = all.into_iter().filter(|name| wanted.contains(name)).collect();
                    assert_eq!(kept, wanted, "no skip by {field} {direction} with `{size}`");
                }
            }
        }
        app.stop().await;
    }

    async fn filters_find_what_they_say(home: Home) {
        let app = TestApp::start(&home).await;
        app.changed("createProject", json!({"slug": "other"}), "").await;
        make(&app, json!({"name": "a", "tags": ["red", "re"], "folderPath": "x", "title": "Send 100%_done"})).await;
        make(&app, json!({"name": "b", "tags": ["dark red"], "folderPath": "x/y", "description": "sends a Bill"})).await;
        make(&app, json!({"name": "c", "folderPath": "xy", "title": "sendXdone"})).await;
        let gone = make(&app, json!({"name": "d", "tags": ["red"], "folderPath": "x"})).await;
        app.changed("archiveWorkflow", json!({"workflowId": gone}), "").await;
        make(&app, json!({"name": "e", "project": "other", "tags": ["Ä/ö"]})).await;
        for (variables, wanted) in [
            (json!({}), "abce"),
            (json!({"project": "default"}), "abc"),
            (json!({"filter": {"tag": "red"}}), "a"),
            (json!({"filter": {"tag": "dark red"}}), "b"),
            (json!({"filter": {"tag": "Ä/ö"}}), "e"),
            (json!({"filter": {"tag": "r"}}), ""),
            (json!({"filter": {"tag": "%"}}), ""),
            (json!({"filter": {"folderPath": "x"}}), "ab"),
            (json!({"filter": {"folderPath": "x/y"}}), "b"),
            (json!({"filter": {"text": "SEND"}}), "abc"),
            (json!({"filter": {"text": "bill sends"}}), "b"),
            (json!({"filter": {"text": "%_"}}), "a"),
            (json!({"filter": {"archived": "ONLY"}}), "d"),
            (json!({"filter": {"archived": "INCLUDE", "tag": "red", "folderPath": "x"}}), "ad"),
        ] {
            assert_eq!(page(&app, variables.clone()).await.0.concat(), wanted, "{variables}");
        }
        app.stop().await;
    }

    async fn a_cursor_is_good_for_its_own_list_only(home: Home) {
        let app = TestApp::start(&home).await;
        for name in ["a", "b"] {
            make(&app, json!({"name": name})).await;
        }
        let (_, info) = page(&app, json!({"first": 1})).await;
        let cursor = info["endCursor"].as_str().unwrap().to_owned();
        assert_eq!(page(&app, json!({"after": cursor})).await.0, ["b"]);
        let mut tampered = cursor.clone();
        let last = if tampered.pop() == Some('A') { 'B' } else { 'A' };
        tampered.push(last);
        let by_time = json!({"field": "CREATED_AT"});
        for variables in [json!({"after": tampered}), json!({"before": "x"}), json!({"after": cursor, "orderBy": by_time}),
            json!({"first": 1, "last": 1}), json!({"last": 0})] {
            let refused = app.ask_as(&app.key, WORKFLOWS, variables.clone()).await;
            assert_eq!(code(&refused), "BAD_USER_INPUT", "{variables}");
        }
        let runs = app.ask_as(&app.key, "query($c: String) { runs(after: $c) { nodes { id } } }", json!({"c": cursor}));
        assert_eq!(code(&runs.await), "BAD_USER_INPUT");
        app.stop().await;
    }
}

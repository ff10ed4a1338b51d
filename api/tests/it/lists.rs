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

    async fn every_other_list_is_paged_both_ways_while_rows_come_and_counts_itself(home: Home) {
        let app = TestApp::start(&home).await;
        let mut chain = json!({"nodes": {"n0": {"type": "trigger.manual@1"}}, "edges": []});
        for n in 1..=6 {
            chain["nodes"][format!("n{n}")] = json!({"type": "data.set@1", "config": {"value": n}});
            chain["edges"].as_array_mut().unwrap().push(json!({"from": format!("n{}", n - 1), "to": format!("n{n}")}));
        }
        app.publish("chain", &chain).await;
        let run = app.start_run("chain", json!(1)).await;
        app.finish(&run).await;
        for n in 0..7 {
            grow(&app, &format!("b{n}"), &chain).await;
        }
        // Each list, where its rows are, and what tells them apart.
        let lists = [
            ("projects(%)", "projects", "slug"),
            ("variables(%)", "variables", "name"),
            ("connections(%)", "connections", "name"),
            ("audit(filter: {actions: [\"variable.created\"]}, %)", "audit", "id"),
            ("runs(%)", "runs", "id"),
            ("workflow(name: \"chain\") { versions(%) ? }", "workflow/versions", "number"),
            ("workflow(name: \"chain\") { deploymentChanges(%) ? }", "workflow/deploymentChanges", "id"),
            ("workflow(name: \"chain\") { draft { changes(%) ? } }", "workflow/draft/changes", "revision"),
            (&format!("run(id: \"{run}\") {{ nodeRuns(%) ? }}"), "run/nodeRuns", "id"),
        ];
        let mut grown = 0;
        for (query, place, key) in lists {
            let selection = format!("{{ totalCount nodes {{ {key} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}");
            let query = if query.contains('?') { query.replace('?', &selection) } else { format!("{query} {selection}") };
            let all = read(&app, &query, place, "first: 100").await;
            let before = keys(&all, key);
            assert!(before.len() >= 7, "{place}: {before:?}");
            assert_eq!(all["totalCount"], before.len(), "{place}");
            for (size, from, info, more) in
                [("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage")]
            {
                let (mut pages, mut bounds): (Vec<Vec<String>>, _) = (Vec::new(), format!("{size}: 3"));
                loop {
                    let page = read(&app, &query, place, &bounds).await;
                    pages.push(keys(&page, key));
                    if page["pageInfo"][more] == json!(false) {
                        break;
                    }
                    bounds = format!("{size}: 3, {from}: {}", page["pageInfo"][info]);
                    if pages.len() == 1 {
                        grown += 1;
                        grow(&app, &format!("a{grown}"), &chain).await;
                        grow(&app, &format!("c{grown}"), &chain).await;
                    }
                }
                if size == "last" {
                    pages.reverse();
                }
                let seen = pages.concat();
                let once: std::collections::BTreeSet<&String> = seen.iter().collect();
                assert_eq!(once.len(), seen.len(), "no repeat in {place} by {size}: {seen:?}");
                let kept: Vec<String> = seen.into_iter().filter(|key| before.contains(key)).collect();
                assert_eq!(kept, before, "no skip in {place} by {size}");
            }
        }
        app.stop().await;
    }
}

/// One row more in every list but that of node runs.
async fn grow(app: &TestApp, name: &str, definition: &Value) {
    app.changed("createProject", json!({"slug": name}), "project { id }").await;
    app.changed("createVariable", json!({"name": name, "value": 1}), "variable { id }").await;
    let connection = json!({"name": name, "type": "http.bearer", "secrets": {"token": "token-1"}});
    app.changed("createConnection", connection, "connection { id }").await;
    let mut definition = definition.clone();
    definition["nodes"]["n1"]["config"]["value"] = json!(name);
    app.publish("chain", &definition).await;
    app.start_run("chain", json!(1)).await;
    let draft =
        app.ask("{ workflow(name: \"chain\") { draft { id revision } } }", json!({})).await["workflow"]["draft"]
            .clone();
    let patch = json!([{"op": "add", "path": "/notes", "value": [{"text": name}]}]);
    let save = json!({"draftId": draft["id"], "expectedRevision": draft["revision"], "sidecarPatch": patch});
    app.changed("saveDraft", save, "draft { id }").await;
}

async fn read(app: &TestApp, query: &str, place: &str, bounds: &str) -> Value {
    let data = app.ask(&format!("{{ {} }}", query.replace('%', bounds)), json!({})).await;
    data.pointer(&format!("/{place}")).unwrap().clone()
}

fn keys(page: &Value, key: &str) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| node[key].to_string()).collect()
}

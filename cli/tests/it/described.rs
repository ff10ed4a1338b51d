//! What files say beside definitions: titles, tags, folders, layout; and files that are wrong.

use serde_json::{Value, json};

use crate::home::{Home, On};
use crate::terminal::Terminal;

const FILE: &str = "apiVersion: flowforge/v1
kind: Workflow
metadata:
  name: greet
  title: Greets people
  folder: people/hello
  tags: [polite, demo]
definition:
  nodes:
    start: { type: trigger.manual@1 }
    hello: { type: data.set@1, config: { value: 'Hello {{ input.name }}' } }
  edges:
    - { from: start, to: hello }
layout:
  positions: { start: { x: 1, y: 2 }, hello: { x: 3, y: 4.5 } }
  notes: [{ text: 'Say it nicely', x: 0, y: 0 }]
";

const SERVED: &str = "{ workflow(name: \"greet\") { title description folderPath tags latestVersion { number hash }
    draft { id revision sidecar } } }";

#[tokio::test]
async fn titles_tags_folders_and_layout_are_applied_and_exported() {
    for on in [On::Sqlite, On::Postgres] {
        let home = Home::new(on).await;
        let server = home.serve("server");
        let terminal = Terminal { home: &home, server: &server, key: home.key() };
        let api = crate::client::Api::at(&server.url, &terminal.key);
        let file = home.folder().join("greet.flow.yaml");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write(FILE);
        let file = file.to_str().unwrap();
        let outcome = |arguments: &[&str]| {
            terminal.done(&[&["workflow", "apply", file], arguments].concat())["workflows"][0]["outcome"].clone()
        };
        let drift = || {
            let (code, drift) = terminal.json(&["workflow", "apply", "--dry-run", file]);
            let change = drift["workflows"][0]["change"].as_str().unwrap().to_owned();
            (code, change, drift["workflows"][0]["diff"].as_str().unwrap().to_owned())
        };
        assert_eq!(outcome(&[]), "PUBLISHED");
        let served = api.ask(SERVED, json!({})).await["workflow"].clone();
        assert_eq!((&served["title"], &served["folderPath"]), (&json!("Greets people"), &json!("people/hello")));
        assert_eq!(served["tags"], json!(["demo", "polite"]));
        assert_eq!(served["draft"]["sidecar"]["positions"]["hello"], json!({"x": 3, "y": 4.5}));
        assert_eq!((drift(), outcome(&[])), ((Some(0), "NONE".to_owned(), String::new()), json!("UNCHANGED")));

        // Nothing that runs changes: no new version, but a drift and an update.
        write(&FILE.replace("[polite, demo]", "[polite]").replace("y: 4.5", "y: 5").replace("people/hello", "people"));
        let (code, change, diff) = drift();
        assert_eq!((code, change.as_str()), (Some(2), "DESCRIBE"));
        for line in [
            "-  folder: people/hello\n",
            "+  folder: people\n",
            "-  - demo\n",
            "-      \"y\": 4.5\n",
            "+      \"y\": 5\n",
        ] {
            assert!(diff.contains(line), "{line} in {diff}");
        }
        assert_eq!((outcome(&[]), outcome(&[])), (json!("UPDATED"), json!("UNCHANGED")));
        let now = api.ask(SERVED, json!({})).await["workflow"].clone();
        assert_eq!(now["latestVersion"], served["latestVersion"], "what is said about it is not in the hash");
        assert_eq!(now["tags"], json!(["polite"]));

        // Pins are the draft's own: a file neither takes nor shows them.
        let pins = json!({"draftId": now["draft"]["id"], "expectedRevision": now["draft"]["revision"],
            "sidecarPatch": [{"op": "add", "path": "/pins", "value": {"hello": "secret data"}}]});
        api.change(
            "saveDraft",
            "mutation($input: SaveDraftInput!) { saveDraft(input: $input) {
            draft { id } userErrors { code message } } }",
            pins,
        )
        .await;
        assert_eq!(drift().0, Some(0));
        write(FILE);
        assert_eq!(outcome(&[]), "UPDATED");
        let sidecar = api.ask(SERVED, json!({})).await["workflow"]["draft"]["sidecar"].clone();
        assert_eq!(
            (&sidecar["pins"]["hello"], &sidecar["positions"]["hello"]["y"]),
            (&json!("secret data"), &json!(4.5))
        );

        // What is exported applies as nothing, and is exported again letter for letter.
        let text = |arguments: &[&str]| {
            let (code, out, err) = terminal.run(&[&["workflow", "export", "greet"], arguments].concat());
            assert_eq!(code, Some(0), "{err}");
            out
        };
        let first = text(&["--layout"]);
        assert!(!first.contains("secret data") && first.contains("folder: people/hello"), "{first}");
        assert!(!text(&[]).contains("layout:"));
        write(&first);
        assert_eq!((drift().0, outcome(&[])), (Some(0), json!("UNCHANGED")));
        assert_eq!(text(&["--layout"]), first);
        let elsewhere = first.replace("name: greet\n", "name: greet2\n");
        write(&elsewhere);
        assert_eq!(outcome(&[]), "PUBLISHED");
        let (_, second, _) = terminal.run(&["workflow", "export", "greet2", "--layout"]);
        assert_eq!(second, elsewhere);
        let hash = &terminal.done(&["version", "list", "greet2"])["versions"][0]["hash"];
        assert_eq!(hash, &served["latestVersion"]["hash"]);
    }
}

#[tokio::test]
async fn a_broken_file_is_told_with_every_line_and_column_at_once() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("broken.flow.yaml");
    let other = home.folder().join("other.flow.yaml");
    std::fs::write(&file, FILE.replace("data.set@1", "data.sat@1").replace("to: hello", "to: hallo")).unwrap();
    std::fs::write(&other, "apiVersion: flowforge/v1\nkind: Workflow\nmetadata: { nam: x }\ndefinition: { nodes: [\n")
        .unwrap();
    let (file, other) = (file.to_str().unwrap(), other.to_str().unwrap());

    // As a checker of files, without a server.
    let found = home.run(&["workflow", "validate", file, other]);
    let out = crate::home::text(&found.stdout);
    assert_eq!(found.status.code(), Some(2));
    for place in [
        format!("error[NODE_TYPE_UNKNOWN] {file}:11:20 node hello"),
        format!("error[EDGE_DANGLING] {file}:13:"),
        format!("error {other}:"),
    ] {
        assert!(out.contains(&place), "{place} in {out}");
    }

    // A file that cannot be read keeps all of them from being applied.
    std::fs::write(other, FILE.replace("kind: Workflow", "kind: Workflows").replace("[polite, demo]", "polite"))
        .unwrap();
    let (code, refused) = terminal.json(&["workflow", "apply", file, other]);
    let faults = refused["error"]["faults"].as_array().unwrap();
    let places: Vec<Value> = faults.iter().map(|fault| json!([fault["line"], fault["column"]])).collect();
    assert_eq!((code, places), (Some(2), vec![json!([2, 7]), json!([7, 9])]), "{refused}");
    assert!(faults.iter().all(|fault| fault["file"] == other), "{refused}");
    let (_, _, err) = terminal.run(&["workflow", "apply", file, other]);
    assert!(err.contains(&format!("{other}:7:9: `tags` is a list of texts, not a text")), "{err}");

    // What only the server can know has its place too.
    std::fs::write(
        other,
        FILE.replace(
            "data.set@1, config: { value: 'Hello {{ input.name }}' }",
            "http.request@1, connection: crm, config: { url: 'https://a.example/{{ inputs.name }}' }",
        ),
    )
    .unwrap();
    let (code, refused) = terminal.json(&["workflow", "apply", other]);
    let problem = &refused["workflows"][0]["problems"][0];
    assert_eq!((code, &problem["code"]), (Some(2), &json!("EXPRESSION_UNKNOWN_NAME")), "{refused}");
    let line = std::fs::read_to_string(other).unwrap().lines().nth(10).unwrap().to_owned();
    let column = line.chars().count() - line.split("inputs").nth(1).unwrap().chars().count() - "inputs".len() + 1;
    assert_eq!((&problem["line"], &problem["column"]), (&json!(11), &json!(column)), "{line}");
    let mended = std::fs::read_to_string(other).unwrap().replace("inputs", "input");
    std::fs::write(other, mended).unwrap();
    let (code, refused) = terminal.json(&["workflow", "apply", other]);
    let problem = &refused["workflows"][0]["problems"][0];
    assert_eq!(
        (code, &problem["code"], &problem["line"]),
        (Some(2), &json!("CONNECTION_UNKNOWN"), &json!(11)),
        "{refused}"
    );
    assert_eq!(
        terminal.done(&["workflow", "export", "--project", "default"])["workflows"],
        json!([]),
        "nothing was made"
    );
}

#[tokio::test]
async fn a_definition_is_tried_in_whole_in_part_and_with_pins() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("order.flow.yaml");
    let text = "apiVersion: flowforge/v1
kind: Workflow
metadata: { name: order }
definition:
  nodes:
    start: { type: trigger.manual@1 }
    price: { type: data.set@1, config: { value: '{{ input.n * 10 }}' } }
    pay: { type: http.request@1, config: { method: POST, url: 'https://pay.example/{{ input }}' } }
    say: { type: data.set@1, config: { value: 'paid {{ input.status }}' } }
  edges:
    - { from: start, to: price }
    - { from: price, to: pay }
    - { from: pay, to: say }
";
    std::fs::write(&file, text).unwrap();
    let pin = home.folder().join("paid.json");
    std::fs::write(&pin, r#"{"status": 201}"#).unwrap();
    let (file, pin) = (file.to_str().unwrap(), format!("pay={}", pin.display()));
    let all = ["workflow", "test", file, "--input", r#"{"n": 4}"#];

    let tried = terminal.done(&[&all[..], &["--pin", &pin]].concat());
    assert_eq!((&tried["mode"], &tried["output"]["preview"]), (&json!("TEST"), &json!("\"paid 201\"")), "{tried}");
    assert_eq!(tried["version"], json!(null));
    let part = terminal.done(&[&all[..], &["--to", "price"]].concat());
    assert_eq!(part["output"]["preview"], "40", "{part}");
    let (code, plan, err) = terminal.run(&[&all[..], &["--plan"]].concat());
    assert_eq!(code, Some(0), "{err}");
    assert!(plan.contains("acts outside") && plan.lines().count() == 5, "{plan}");
    let only = ["workflow", "test", file, "--only", "say", "--node-input", r#"{"status": 7}"#];
    assert_eq!(terminal.done(&only)["output"]["preview"], "\"paid 7\"");

    // Nothing was published by it; the draft that it made is one to try by name, and to publish.
    assert_eq!(terminal.done(&["version", "list", "order"])["versions"], json!([]));
    let by_name = terminal.done(&["workflow", "test", "order", "--input", r#"{"n": 5}"#, "--to", "price"]);
    assert_eq!(by_name["output"]["preview"], "50", "{by_name}");
    std::fs::write(
        file,
        text.replace(
            "type: data.set@1, config: { value: '{{ input.n",
            "type: data.sat@1, config: { value: '{{ input.n",
        ),
    )
    .unwrap();
    let (code, refused) = terminal.json(&all);
    assert_eq!((code, &refused["problems"][0]["line"]), (Some(2), &json!(7)), "{refused}");
    std::fs::write(file, text.replace("input.n * 10", "input.n.size()")).unwrap();
    assert_eq!(terminal.run(&[&all[..], &["--to", "price"]].concat()).0, Some(1));
    assert_eq!(terminal.run(&["workflow", "test", "nowhere"]).0, Some(5));
    assert_eq!(terminal.run(&[&all[..], &["--pin", "pay=/nowhere/at/all"]].concat()).0, Some(2));
    assert_eq!(terminal.run(&[&all[..], &["--to", "a", "--only", "b"]].concat()).0, Some(2));
    assert_eq!(terminal.run(&[&all[..], &["--to", "no_node"]].concat()).0, Some(2));
}

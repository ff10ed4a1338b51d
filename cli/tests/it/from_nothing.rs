//! From an empty project to a workflow that was tested, published, deployed and rolled back: by GraphQL alone, by the
//! command alone, and by files alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Api;
use crate::home::{Home, On};
use crate::terminal::Terminal;

/// What the workflow says is what tells its versions apart.
fn definition(greeting: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "hello": {"type": "data.set@1", "config": {"value": format!("{greeting} {{{{ input.name }}}} of {{{{ vars.town }}}}")}},
        },
        "edges": [{"from": "start", "to": "hello"}],
    })
}

fn file(greeting: &str) -> String {
    format!(
        "apiVersion: flowforge/v1
kind: Workflow
metadata: {{ project: people, name: greet, title: Greets, tags: [polite], folder: hello }}
definition:
  nodes:
    start: {{ type: trigger.manual@1 }}
    hello: {{ type: data.set@1, config: {{ value: '{greeting} {{{{ input.name }}}} of {{{{ vars.town }}}}' }} }}
  edges:
    - {{ from: start, to: hello }}
"
    )
}

/// GraphQL as a program speaks it.
struct Speaker {
    api: Api,
}

impl Speaker {
    async fn change(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let mut kind = mutation.to_owned();
        kind[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        self.api.change(mutation, &query, input).await
    }

    /// What a run of what is deployed says in the end.
    async fn said(&self, environment: &str) -> Value {
        let input =
            json!({"project": "people", "workflow": "greet", "environment": environment, "input": {"name": "Ada"}});
        let started = self.change("startRun", input, "run { id version { number } }").await;
        self.ended(started["run"]["id"].as_str().unwrap()).await
    }

    async fn ended(&self, run: &str) -> Value {
        let is_final = |run: &Value| run["status"] == "SUCCEEDED" || run["status"] == "FAILED";
        self.api.until(run, Duration::from_secs(60), is_final).await["output"]["json"].clone()
    }
}

#[tokio::test]
async fn by_graphql_alone() {
    for on in [On::Sqlite, On::Postgres] {
        let home = Home::new(on).await;
        let server = home.serve("server");
        let speaker = Speaker { api: Api::at(&server.url, &home.key()) };
        let project = speaker.change("createProject", json!({"slug": "people"}), "project { id }").await;
        let live = json!({"projectId": project["project"]["id"], "name": "live"});
        speaker.change("createEnvironment", live, "environment { id }").await;
        for environment in ["default", "live"] {
            let town = json!({"project": "people", "environment": environment, "name": "town", "value": environment});
            speaker.change("createVariable", town, "variable { id }").await;
        }
        let input = json!({"project": "people", "name": "greet", "document": definition("Hi")});
        let made =
            speaker.change("createWorkflow", input, "workflow { id draft { id revision problems { code } } }").await;
        let (workflow, draft) = (&made["workflow"]["id"], &made["workflow"]["draft"]);
        assert_eq!(draft["problems"], json!([]));

        let asked = json!({"workflowId": workflow, "definition": definition("Hi"), "input": {"name": "Eve"}});
        let tested = speaker.change("testRun", asked, "run { id mode } problems { code }").await;
        assert_eq!(speaker.ended(tested["run"]["id"].as_str().unwrap()).await, "Hi Eve of default");

        let publish =
            |revision: Value| json!({"draftId": draft["id"], "expectedRevision": revision, "deployTo": "live"});
        let first = speaker.change("publishDraft", publish(draft["revision"].clone()), "version { id number }").await;
        assert_eq!(speaker.said("live").await, "Hi Ada of live");
        let patch = json!([{"op": "replace", "path": "", "value": definition("Good day")}]);
        let save = json!({"draftId": draft["id"], "expectedRevision": draft["revision"], "patch": patch});
        let saved = speaker.change("saveDraft", save, "draft { revision }").await;
        let second =
            speaker.change("publishDraft", publish(saved["draft"]["revision"].clone()), "version { id number }").await;
        assert_eq!((&first["version"]["number"], &second["version"]["number"]), (&json!(1), &json!(2)));
        assert_eq!(speaker.said("live").await, "Good day Ada of live");
        let back = json!({"versionId": first["version"]["id"], "environment": "live",
            "expectedVersionId": second["version"]["id"]});
        speaker.change("deployVersion", back, "deployment { version { number } }").await;
        assert_eq!(speaker.said("live").await, "Hi Ada of live");
    }
}

#[tokio::test]
async fn by_the_command_alone() {
    for on in [On::Sqlite, On::Postgres] {
        let home = Home::new(on).await;
        let server = home.serve("server");
        let terminal = Terminal { home: &home, server: &server, key: home.key() };
        let path = home.folder().join("greet.flow.yaml");
        let write = |greeting: &str| std::fs::write(&path, file(greeting)).unwrap();
        let path = path.to_str().unwrap();
        let said = || {
            let run = ["workflow", "run", "greet", "--project", "people", "--environment", "live"];
            let run = terminal.done(&[&run[..], &["--input", r#"{"name": "Ada"}"#, "--watch"]].concat());
            (run["version"]["number"].as_u64().unwrap(), run["output"]["preview"].as_str().unwrap().to_owned())
        };
        terminal.done(&["project", "create", "people"]);
        terminal.done(&["environment", "create", "live", "--project", "people"]);
        for environment in ["default", "live"] {
            let at = ["--project", "people", "--environment", environment];
            terminal.done(&[&["variable", "set", "town", environment], &at[..]].concat());
        }
        write("Hi");
        let tested = terminal.done(&["workflow", "test", path, "--input", r#"{"name": "Eve"}"#]);
        assert_eq!(tested["output"]["preview"], "\"Hi Eve of default\"", "{tested}");
        terminal.done(&["workflow", "apply", path, "--no-deploy"]);
        terminal.done(&["version", "deploy", "greet", "1", "--project", "people", "--environment", "live"]);
        assert_eq!(said(), (1, "\"Hi Ada of live\"".to_owned()));
        write("Good day");
        terminal.done(&["workflow", "apply", path, "--environment", "live", "--note", "politer"]);
        assert_eq!(said(), (2, "\"Good day Ada of live\"".to_owned()));
        let rollback = ["version", "rollback", "greet", "--project", "people", "--environment", "live"];
        let (code, out, err) = terminal.run(&rollback);
        assert_eq!((code, out.as_str()), (Some(0), "people/greet: live runs version 1 instead of 2\n"), "{err}");
        assert_eq!(said(), (1, "\"Hi Ada of live\"".to_owned()));
        assert_eq!(terminal.run(&["version", "rollback", "greet", "--project", "people"]).0, Some(5));
    }
}

#[tokio::test]
async fn by_files_alone() {
    for on in [On::Sqlite, On::Postgres] {
        let home = Home::new(on).await;
        let server = home.serve("server");
        let terminal = Terminal { home: &home, server: &server, key: home.key() };
        // What files cannot say: where they belong, and what differs between places.
        terminal.done(&["project", "create", "people"]);
        terminal.done(&["environment", "create", "live", "--project", "people"]);
        let at = ["--project", "people", "--environment", "live"];
        terminal.done(&[&["variable", "set", "town", "live"], &at[..]].concat());
        let written = |name: &str, greeting: &str| {
            let path = home.folder().join(name);
            std::fs::write(&path, file(greeting)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (first, second) = (written("first.flow.yaml", "Hi"), written("second.flow.yaml", "Good day"));
        let tested = |path: &str| {
            let tested = ["workflow", "test", path, "--environment", "live", "--input", r#"{"name": "Eve"}"#];
            terminal.done(&tested)["output"]["preview"].as_str().unwrap().to_owned()
        };
        let applied = |path: &str| {
            let applied = terminal.done(&["workflow", "apply", path, "--environment", "live"])["workflows"][0].clone();
            assert_eq!(terminal.run(&["workflow", "apply", path, "--environment", "live", "--dry-run"]).0, Some(0));
            applied
        };
        let said = || {
            let run = ["workflow", "run", "greet", "--project", "people", "--environment", "live"];
            let run = terminal.done(&[&run[..], &["--input", r#"{"name": "Ada"}"#, "--watch"]].concat());
            run["output"]["preview"].as_str().unwrap().to_owned()
        };

        assert_eq!(tested(&first), "\"Hi Eve of live\"");
        let one = applied(&first);
        assert_eq!((&one["outcome"], said()), (&json!("PUBLISHED"), "\"Hi Ada of live\"".to_owned()));
        assert_eq!(tested(&second), "\"Good day Eve of live\"");
        assert_eq!(said(), "\"Hi Ada of live\"", "a test changes nothing that runs");
        applied(&second);
        assert_eq!(said(), "\"Good day Ada of live\"");
        // Rolling back is applying the file of before: the same definition, the same hash.
        let back = applied(&first);
        assert_eq!(back["version"]["hash"], one["version"]["hash"]);
        assert_eq!(said(), "\"Hi Ada of live\"");
        assert_eq!(applied(&first)["outcome"], "UNCHANGED");
    }
}

//! The figures that are served, held against the guide that lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use runtime::blob::{BlobStore, Swept};
use runtime::clock::Clock;
use serde_json::json;

use crate::app::{Home, TestApp, doubling, on_both_databases};
use crate::in_process::idle_app;
use crate::walk::one_of_each;

/// Kind, labels and meaning of a figure.
type Listed = BTreeMap<String, (String, BTreeSet<String>, String)>;

const GUIDE: &str = include_str!("../../../docs/guides/metrics.md");

/// The rows of the guide's table.
fn documented() -> Listed {
    let mut listed = Listed::new();
    for line in GUIDE.lines().filter(|line| line.starts_with("| `flowforge_")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, meaning] = cells[..] else { panic!("four cells: {line}") };
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        let before = listed.insert(name.trim_matches('`').to_owned(), (kind.to_owned(), labels, meaning.to_owned()));
        assert_eq!(before, None, "{name} stands twice");
    }
    listed
}

/// The figures of an answer of `/metrics`.
fn served(text: &str) -> Listed {
    let mut listed = Listed::new();
    let mut meanings = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some((name, meaning)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            meanings.insert(name.to_owned(), meaning.to_owned());
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let meaning = meanings.get(name).cloned().unwrap_or_default();
            listed.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new(), meaning));
            last = name.to_owned();
        } else if let Some((_, labels)) = line.split_once('{') {
            let labels = labels.rsplit_once('}').unwrap().0;
            let names = labels.split("\",").map(|label| label.split('=').next().unwrap().to_owned());
            listed.get_mut(&last).unwrap().1.extend(names.filter(|name| name != "le"));
        }
    }
    listed
}

on_both_databases! {
    async fn the_figures_are_those_that_the_guide_lists(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("counted", &doubling()).await;
        let run = app.start_run("counted", json!({"n": 1})).await;
        app.finish(&run).await;
        app.get("/metrics").await;
        let text = app.get("/metrics").await.text().await.unwrap();
        let (served, documented) = (served(&text), documented());
        for (name, figure) in &served {
            assert_eq!(Some(figure), documented.get(name), "{name} as it is served, and as the guide has it");
        }
        let names = |listed: &Listed| listed.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&served), names(&documented));
        // What strangers make up is no label.
        for path in ["/nothing/ff_default_secret", "/hooks/a/b/c/d", "/api/v1/runs/run_0?token=geheim"] {
            app.get(path).await;
        }
        let text = app.get("/metrics").await.text().await.unwrap();
        assert!(text.contains("route=\"/hooks/{*address}\""), "{text}");
        assert!(!text.contains("secret") && !text.contains("geheim") && !text.contains("run_0"), "{text}");
        app.stop().await;
    }

    async fn what_a_sweep_deletes_is_counted(home: Home) {
        let app = TestApp::start(&home).await;
        let swept = async || {
            let text = app.get("/metrics").await.text().await.unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("flowforge_artifact_store_swept_total "));
            line.unwrap().parse::<u64>().unwrap()
        };
        let before = swept().await;
        let things = one_of_each(&app, &home).await;
        let (clock, config) = (Clock::system(), home.config());
        let blobs = BlobStore::folder(&config.artifact.folder, home.database.database.clone(), clock.clone()).unwrap();
        let inside = idle_app(&home).await;
        let workspace = things["ws"].parse().unwrap();
        assert!(inside.runtime.artifacts().delete(workspace, things["art"].parse().unwrap()).await.unwrap());
        inside.runtime.stop().await;
        let days = |count: u64| clock.now().plus(Duration::from_secs(86_400 * count + 60));
        assert_eq!(blobs.sweep(days(1)).await.unwrap(), Swept { marked: 1, deleted: 0 });
        assert_eq!(blobs.sweep(days(2)).await.unwrap(), Swept { marked: 0, deleted: 1 });
        // Other tests of this process may sweep as well.
        assert!(swept().await > before);
        app.stop().await;
    }
}

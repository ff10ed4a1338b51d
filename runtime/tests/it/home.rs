//! A workspace with one workflow on a database, and a process that drives it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::definition::canonical;
use engine::id::{ProjectId, RunId, VersionId, WorkflowId, WorkspaceId};
use engine::run::event::{Event, Recorded};
use engine::run::status::RunStatus;
use engine::value::Digest;
use nodes::Registry;
use nodes::outgoing::{Outgoing, OutgoingPolicy};
use runtime::clock::Clock;
use runtime::journal::Journal;
use runtime::testing::TestDatabase;
use runtime::{Parts, Runtime, RuntimeConfig, StartRun, TriggerKind};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::Value;

pub struct Home {
    pub test: TestDatabase,
    pub workspace: WorkspaceId,
    pub clock: Clock,
    artifacts: tempfile::TempDir,
}

impl Home {
    pub async fn new(test: TestDatabase) -> Self {
        let clock = Clock::system();
        let workspace = WorkspaceId(clock.new_id());
        let row = entity::workspace::ActiveModel {
            id: Set(workspace.0),
            slug: Set("default".into()),
            name: Set("Default".into()),
            salt: Set(vec![7; 16]),
            created_at: Set(chrono::DateTime::UNIX_EPOCH),
        };
        row.insert(test.database.write()).await.unwrap();
        Self { test, workspace, clock, artifacts: tempfile::tempdir().unwrap() }
    }

    pub async fn parts(&self) -> Parts {
        let outgoing = Outgoing::new(OutgoingPolicy {
            allow_hosts: vec!["127.0.0.1".parse().unwrap()],
            ..OutgoingPolicy::default()
        })
        .unwrap();
        let registry = Registry::built_in();
        Parts::new(self.test.database.clone(), self.artifacts.path(), registry, outgoing, self.clock.clone())
            .await
            .unwrap()
    }

    pub async fn runtime(&self) -> Runtime {
        Runtime::open(RuntimeConfig::default(), self.parts().await).await.unwrap()
    }

    /// Takes every large value out of the store, as if none of them could be had.
    pub async fn lose_large_values(&self) {
        let mut lost = 0;
        let mut folders = vec![self.artifacts.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => lost += std::fs::remove_file(entry.path()).map(|()| 1).unwrap(),
                }
            }
        }
        assert!(lost > 0, "there was no large value");
    }

    /// The same with another journal around the real one.
    pub async fn runtime_with(&self, wrap: impl FnOnce(Arc<dyn Journal>) -> Arc<dyn Journal>) -> Runtime {
        let mut parts = self.parts().await;
        parts.journal = wrap(parts.journal);
        Runtime::open(RuntimeConfig::default(), parts).await.unwrap()
    }

    /// Keeps a definition; what the API does when it publishes.
    pub async fn define(&self, document: &Value) -> Digest {
        let hash = canonical::hash(document);
        let row = entity::definition::ActiveModel {
            workspace_id: Set(self.workspace.0),
            hash: Set(hash.0.to_vec()),
            document: Set(String::from_utf8(canonical::canonical_bytes(document)).unwrap()),
            created_at: Set(chrono::DateTime::UNIX_EPOCH),
        };
        row.insert(self.test.database.write()).await.unwrap();
        hash
    }

    pub fn request(&self, definition_hash: Digest, input: Value) -> StartRun {
        StartRun {
            workspace: self.workspace,
            project: ProjectId(self.clock.new_id()),
            workflow: WorkflowId(self.clock.new_id()),
            version: Some(VersionId(self.clock.new_id())),
            definition_hash,
            environment: "default".into(),
            trigger_node: "start".into(),
            kind: TriggerKind::Manual,
            input,
            idempotency_key: None,
            key: None,
            labels: BTreeMap::new(),
            priority: 0,
            created_by: "test".into(),
            trace: None,
        }
    }

    pub async fn start(&self, runtime: &Runtime, document: &Value, input: Value) -> RunId {
        let hash = self.define(document).await;
        runtime.start(self.request(hash, input)).await.unwrap().run
    }
}

/// Reads a run's events, as any reader would, until one fits.
pub async fn until(runtime: &Runtime, run: RunId, wanted: impl Fn(&Event) -> bool) -> Vec<Recorded> {
    let mut wakes = runtime.bus().subscribe(run);
    let mut seen: Vec<Recorded> = Vec::new();
    let reading = async {
        loop {
            let after = seen.last().map_or(0, |recorded| recorded.seq);
            let new = runtime.events(run, after, 500).await.unwrap();
            let found = new.iter().any(|recorded| wanted(&recorded.event));
            seen.extend(new);
            if found {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(500), wakes.woken()).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), reading).await;
    assert!(ended.is_ok(), "{run} did not come that far: {seen:#?}");
    assert!(seen.iter().zip(1..).all(|(recorded, seq)| recorded.seq == seq), "a gap or a repeat: {seen:#?}");
    seen
}

/// Reads a run to its end and gives its status.
pub async fn end(runtime: &Runtime, run: RunId) -> (RunStatus, Vec<Recorded>) {
    let events = until(runtime, run, |event| matches!(event, Event::RunFinished { .. })).await;
    match &events.last().unwrap().event {
        Event::RunFinished { status, .. } => (*status, events),
        other => panic!("{other:?} follows the end"),
    }
}

/// One test body on both databases.
macro_rules! on_both {
    ($($name:ident => $body:path;)*) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { $body(crate::home::Home::new(runtime::testing::TestDatabase::sqlite().await).await).await; }
        )* }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { $body(crate::home::Home::new(runtime::testing::TestDatabase::postgres().await).await).await; }
        )* }
    };
}
pub(crate) use on_both;

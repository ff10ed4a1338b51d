use engine::id::{ProjectId, RunId};
use entity::{connection, secret, workspace_key};
use nodes::connection::Connection;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use super::*;
use crate::testing::TestDatabase;

/// A database with two workspaces, and a key file.
struct Home {
    test: TestDatabase,
    folder: tempfile::TempDir,
    clock: Clock,
    workspaces: [WorkspaceId; 2],
    projects: [ProjectId; 2],
}

impl Home {
    async fn new(test: TestDatabase) -> Self {
        let clock = Clock::system();
        let workspaces = [(); 2].map(|()| WorkspaceId(clock.new_id()));
        let projects = [(); 2].map(|()| ProjectId(clock.new_id()));
        let now = to_column(clock.now());
        let write = test.database.write();
        for (at, (workspace, project)) in workspaces.iter().zip(projects).enumerate() {
            let row = entity::workspace::Model {
                id: workspace.0,
                slug: format!("w{at}"),
                name: String::new(),
                salt: vec![7; 16],
                created_at: now,
            };
            entity::workspace::Entity::insert(row.into_active_model()).exec_without_returning(write).await.unwrap();
            let row = entity::project::Model {
                id: project.0,
                workspace_id: workspace.0,
                slug: "default".to_owned(),
                name: String::new(),
                created_at: now,
            };
            entity::project::Entity::insert(row.into_active_model()).exec_without_returning(write).await.unwrap();
        }
        Self { test, folder: tempfile::tempdir().unwrap(), clock, workspaces, projects }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    /// Another process with this source of keys.
    fn with(&self, source: KeySource) -> Secrets {
        Secrets::new(self.test.database.clone(), self.clock.clone(), source)
    }

    fn process(&self) -> Secrets {
        self.with(KeySource::File { path: self.file(), make: true })
    }

    async fn started(&self) -> Secrets {
        let secrets = self.process();
        secrets.prepare().await.unwrap();
        secrets
    }

    /// Keeps a bearer token; its connection's id.
    async fn keep(&self, secrets: &Secrets, whose: usize, name: &str, token: &str) -> ConnectionId {
        let (workspace, project) = (self.workspaces[whose], self.projects[whose]);
        let (id, secret) = (ConnectionId(self.clock.new_id()), SecretId(self.clock.new_id()));
        let slot = Slot { connection: id, field: "token", secret, version: 1 };
        let sealed = secrets.workspace_key(workspace).await.unwrap().seal(slot, token).unwrap();
        let now = to_column(self.clock.now());
        let refs = Refs::from([("token".to_owned(), SecretRef { id: secret, version: 1 })]);
        let row = connection::Model {
            id: id.0,
            workspace_id: workspace.0,
            project_id: project.0,
            environment: "default".to_owned(),
            name: name.to_owned(),
            r#type: "http.bearer".to_owned(),
            fields: "{}".to_owned(),
            secrets: serde_json::to_string(&refs).unwrap(),
            revision: 1,
            created_by: "test".to_owned(),
            created_at: now,
            updated_by: "test".to_owned(),
            updated_at: now,
            tested_at: None,
            test_passed: None,
            test_message: None,
        };
        let write = self.test.database.write();
        connection::Entity::insert(row.into_active_model()).exec_without_returning(write).await.unwrap();
        let row = secret::Model {
            id: secret.0,
            workspace_id: workspace.0,
            connection_id: id.0,
            version: 1,
            workspace_key_id: sealed.workspace_key.0,
            wrapped_key: sealed.wrapped_key,
            ciphertext: sealed.ciphertext,
            created_at: now,
            updated_at: now,
        };
        secret::Entity::insert(row.into_active_model()).exec_without_returning(write).await.unwrap();
        id
    }

    async fn secret_row(&self, of: ConnectionId) -> secret::Model {
        let here = secret::Column::ConnectionId.eq(of.0);
        secret::Entity::find().filter(here).one(self.test.database.read()).await.unwrap().unwrap()
    }

    async fn put(&self, row: secret::Model) {
        row.into_active_model().reset_all().update(self.test.database.write()).await.unwrap();
    }
}

fn token(connection: &Connection) -> &str {
    connection.secret("token").unwrap().expose()
}

async fn opened(secrets: &Secrets, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection, &'static str> {
    secrets.open(workspace, id).await.map(Option::unwrap).map_err(|error| error.code())
}

async fn a_secret_opens_in_its_workspace_and_after_a_restart(home: Home) {
    let secrets = home.started().await;
    let id = home.keep(&secrets, 0, "shop", "hush-hush").await;
    let [mine, other] = home.workspaces;
    assert_eq!(token(&opened(&secrets, mine, id).await.unwrap()), "hush-hush");
    assert!(secrets.open(other, id).await.unwrap().is_none());
    let again = home.started().await;
    assert_eq!(token(&opened(&again, mine, id).await.unwrap()), "hush-hush");
    let absent = again.open_for_run(mine, RunId(home.clock.new_id()), "shop", nodes::connection::HTTP).await;
    assert_eq!(absent.err().unwrap().code(), "SECRET_STORE_UNAVAILABLE");
}

async fn a_row_that_was_moved_or_put_back_does_not_open(home: Home) {
    let secrets = home.started().await;
    let [mine, other] = home.workspaces;
    let (first, second) =
        (home.keep(&secrets, 0, "a", "first-first").await, home.keep(&secrets, 0, "b", "second-second").await);
    let theirs = home.keep(&secrets, 1, "a", "their-secret").await;
    let (row, second_row, their_row) =
        (home.secret_row(first).await, home.secret_row(second).await, home.secret_row(theirs).await);
    let take = |from: &secret::Model, into: &secret::Model| secret::Model {
        workspace_key_id: from.workspace_key_id,
        wrapped_key: from.wrapped_key.clone(),
        ciphertext: from.ciphertext.clone(),
        ..into.clone()
    };
    // Copied to another workspace, with and without the key it names.
    for changed in [
        take(&row, &their_row),
        secret::Model { workspace_key_id: their_row.workspace_key_id, ..take(&row, &their_row) },
        secret::Model { ciphertext: row.ciphertext.clone(), ..their_row.clone() },
    ] {
        home.put(changed).await;
        assert_eq!(opened(&secrets, other, theirs).await.unwrap_err(), "SECRET_INTEGRITY");
    }
    // The same within the workspace: another connection's secret.
    home.put(take(&second_row, &row)).await;
    assert_eq!(opened(&secrets, mine, first).await.unwrap_err(), "SECRET_INTEGRITY");
    // A newer value is set, and the older ciphertext put back: as it was, and dressed up as the newer version.
    let refs = Refs::from([("token".to_owned(), SecretRef { id: SecretId(row.id), version: 2 })]);
    connection::Entity::update_many()
        .col_expr(connection::Column::Secrets, Expr::value(serde_json::to_string(&refs).unwrap()))
        .filter(connection::Column::Id.eq(first.0))
        .exec(home.test.database.write())
        .await
        .unwrap();
    for old in [row.clone(), secret::Model { version: 2, ..row.clone() }] {
        home.put(old).await;
        assert_eq!(opened(&secrets, mine, first).await.unwrap_err(), "SECRET_INTEGRITY");
    }
    assert_eq!(token(&opened(&secrets, mine, second).await.unwrap()), "second-second");
    // A stranger's workspace key posing as one's own.
    let theirs_wrapped = secrets.find_workspace_key(other).await.unwrap().unwrap().wrapped;
    workspace_key::Entity::update_many()
        .col_expr(workspace_key::Column::Wrapped, Expr::value(theirs_wrapped))
        .filter(workspace_key::Column::WorkspaceId.eq(mine.0))
        .exec(home.test.database.write())
        .await
        .unwrap();
    assert_eq!(opened(&home.started().await, mine, second).await.unwrap_err(), "SECRET_INTEGRITY");
}

async fn without_its_key_a_process_does_not_start_and_draws_no_other(home: Home) {
    let none = home.with(KeySource::None);
    none.prepare().await.unwrap();
    assert_eq!(none.workspace_key(home.workspaces[0]).await.err().unwrap().code(), "MASTER_KEY_MISSING");
    let secrets = home.started().await;
    let id = home.keep(&secrets, 0, "shop", "hush-hush").await;
    assert_eq!(none.prepare().await.unwrap_err().code(), "MASTER_KEY_MISSING");
    assert_eq!(opened(&none, home.workspaces[0], id).await.unwrap_err(), "MASTER_KEY_MISSING");
    let other = home.with(KeySource::Given(new_key().unwrap()));
    assert_eq!(other.prepare().await.unwrap_err().code(), "MASTER_KEY_UNKNOWN");
    assert_eq!(opened(&other, home.workspaces[0], id).await.unwrap_err(), "MASTER_KEY_UNKNOWN");
    let kept = std::fs::read_to_string(home.file()).unwrap();
    std::fs::remove_file(home.file()).unwrap();
    assert_eq!(home.process().prepare().await.unwrap_err().code(), "MASTER_KEY_MISSING");
    assert!(!home.file().exists());
    std::fs::write(home.file(), kept).unwrap();
    assert_eq!(token(&opened(&home.started().await, home.workspaces[0], id).await.unwrap()), "hush-hush");
}

async fn processes_that_start_together_agree_on_one_key_and_one_workspace_key(home: Home) {
    let processes = futures::future::join_all((0..8).map(|_| home.started())).await;
    let keys = futures::future::join_all(processes.iter().map(|secrets| secrets.workspace_key(home.workspaces[0])));
    let ids: Vec<WorkspaceKeyId> = keys.await.into_iter().map(|key| key.unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(workspace_key::Entity::find().all(home.test.database.read()).await.unwrap().len(), 1);
}

async fn readers_notice_nothing_of_a_rotation(home: Home) {
    let secrets = home.started().await;
    let ids = [home.keep(&secrets, 0, "a", "first-first").await, home.keep(&secrets, 1, "a", "other-other").await];
    let old = secrets.key_uses().await.unwrap();
    let turn = async {
        for _ in 0..4 {
            // Another process turns the key; nobody tells the readers.
            let rotating = home.process();
            let rotation = rotating.rotate().await.unwrap();
            assert!(rotation.is_new && rotation.rewrapped == 2, "{rotation:?}");
            assert_eq!(rotating.remove_old().await.unwrap().len(), 1);
        }
    };
    let reading = async {
        for at in 0..100 {
            // A process that has just started has nothing in memory.
            let reader = if at % 3 == 0 { &home.process() } else { &secrets };
            for (workspace, (id, value)) in home.workspaces.iter().zip(ids.iter().zip(["first-first", "other-other"])) {
                assert_eq!(token(&opened(reader, *workspace, *id).await.unwrap()), value);
            }
        }
    };
    tokio::join!(turn, reading);
    let uses = home.process().key_uses().await.unwrap();
    assert!(uses.len() == 1 && uses[0].is_current && uses[0].workspaces == 2, "{uses:?}");
    assert_ne!(uses[0].id, old[0].id);
}

async fn a_rotation_that_was_cut_off_is_ended_by_the_next(home: Home) {
    let secrets = home.started().await;
    let id = home.keep(&secrets, 0, "a", "first-first").await;
    home.keep(&secrets, 1, "a", "other-other").await;
    // The new key stands in the file, and nothing is wrapped by it yet.
    let path = home.file();
    file::replace(&path, &file::read(&path).unwrap().with_new().unwrap()).unwrap();
    assert!(home.process().remove_old().await.unwrap().is_empty(), "a key that is needed stays");
    let rotation = home.process().rotate().await.unwrap();
    assert!(!rotation.is_new && rotation.rewrapped == 2, "{rotation:?}");
    assert_eq!(rotation.current, file::read(&path).unwrap().current().id());
    assert_eq!(home.process().remove_old().await.unwrap().len(), 1);
    assert_eq!(token(&opened(&home.started().await, home.workspaces[0], id).await.unwrap()), "first-first");
}

async fn keys_given_outright_are_turned_by_putting_a_new_one_first(home: Home) {
    let (old, new) = (new_key().unwrap(), new_key().unwrap());
    let given = |text: String| home.with(KeySource::Given(zeroize::Zeroizing::new(text)));
    let before = given(old.to_string());
    before.prepare().await.unwrap();
    let id = home.keep(&before, 0, "a", "first-first").await;
    let both = given(format!("{},{}", *new, *old));
    both.prepare().await.unwrap();
    let rotation = both.rotate().await.unwrap();
    assert!(!rotation.is_new && rotation.rewrapped == 1, "{rotation:?}");
    assert_eq!(both.rotate().await.unwrap().rewrapped, 0);
    let after = given(new.to_string());
    after.prepare().await.unwrap();
    assert_eq!(token(&opened(&after, home.workspaces[0], id).await.unwrap()), "first-first");
    assert_eq!(given(old.to_string()).prepare().await.unwrap_err().code(), "MASTER_KEY_UNKNOWN");
}

macro_rules! on_both_databases {
    ($($name:ident)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(Home::new(TestDatabase::sqlite().await).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name(Home::new(TestDatabase::postgres().await).await).await;
            }
        }
    )*};
}

on_both_databases! {
    a_secret_opens_in_its_workspace_and_after_a_restart
    a_row_that_was_moved_or_put_back_does_not_open
    without_its_key_a_process_does_not_start_and_draws_no_other
    processes_that_start_together_agree_on_one_key_and_one_workspace_key
    readers_notice_nothing_of_a_rotation
    a_rotation_that_was_cut_off_is_ended_by_the_next
    keys_given_outright_are_turned_by_putting_a_new_one_first
}

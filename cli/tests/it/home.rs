//! A database, a folder, and the processes that work on them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

const FLOWFORGE: &str = env!("CARGO_BIN_EXE_flowforge");
const POSTGRES: &str = "FLOWFORGE_TEST_POSTGRES";
/// A start of a debug build on a machine that does other things too.
const START_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// One installation: everything that survives its processes.
pub(crate) struct Home {
    folder: TempDir,
    settings: BTreeMap<String, String>,
    database: Option<String>,
}

impl Home {
    pub(crate) async fn new(on: On) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = BTreeMap::new();
        let mut set = |key: &str, value: String| settings.insert(format!("FLOWFORGE__{key}"), value);
        set("DATA_DIR", folder.path().join("data").display().to_string());
        set("SERVER__BIND", "127.0.0.1:0".to_owned());
        set("RUNTIME__LEASE", "500ms".to_owned());
        set("LOG__LEVEL", "info".to_owned());
        let database = match on {
            On::Sqlite => None,
            On::Postgres => {
                let name = create_database().await;
                set("DATABASE__URL", url_of(&name));
                Some(name)
            }
        };
        Self { folder, settings, database }
    }

    /// The same with another setting, such as `RUNTIME__LEASE`.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(format!("FLOWFORGE__{key}"), value.to_owned());
        self
    }

    /// The same with a variable of the environment that is not a setting of ours.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What other programs connect to.
    pub(crate) fn database_url(&self) -> String {
        match &self.database {
            Some(name) => url_of(name),
            None => format!("sqlite://{}", self.folder.path().join("data/flowforge.db").display()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(FLOWFORGE);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(&self.settings).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs a command to its end that reads this from standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails before it reads closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Starts a command whose lines are read as they come.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines, said: String::new() }
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn key(&self) -> String {
        let created = self.json(&["key", "create", "--workspace", "default", "--role", "admin"]);
        created["key"].as_str().unwrap().to_owned()
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn serve(&self, name: &str) -> Server {
        self.serve_with(name, &[])
    }

    pub(crate) fn serve_with(&self, name: &str, extra: &[(&str, &str)]) -> Server {
        self.try_serve(name, extra).unwrap_or_else(|| {
            panic!("the server `{name}` did not start:\n{}", tail(&self.log(name), 30));
        })
    }

    /// `None` when the process ends before it listens.
    pub(crate) fn try_serve(&self, name: &str, extra: &[(&str, &str)]) -> Option<Server> {
        let log = File::options().create(true).append(true).open(self.log(name)).unwrap();
        let mut command = self.command();
        for (key, value) in extra {
            command.env(format!("FLOWFORGE__{key}"), value);
        }
        let mut child = command.args(["serve", "--output", "json"]).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut documents = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
            // The other side is gone when the start took too long.
            let _ = tell.send(documents.next().and_then(Result::ok));
        });
        let mut server = Server { child, url: String::new() };
        let document = told.recv_timeout(START_WITHIN).ok().flatten()?;
        server.url = document["url"].as_str()?.to_owned();
        Some(server)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = std::env::temp_dir().join(format!("flowforge-failed-{}", std::process::id()));
            println!("the logs are kept in {}", kept.display());
            let _ = std::fs::create_dir_all(&kept);
            for entry in std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
                if entry.path().extension().is_some_and(|extension| extension == "log") {
                    let _ = std::fs::copy(entry.path(), kept.join(entry.file_name()));
                }
            }
        }
        let Some(name) = self.database.take() else { return };
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        // A database that could not be dropped is cleared away by a later test.
        let _ = dropped.join();
    }
}

/// A client command under way.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: String,
}

impl Running {
    /// Reads until a line holds `part`.
    pub(crate) fn wait_for(&mut self, part: &str) {
        while !self.said.contains(part) {
            let read = self.lines.read_line(&mut self.said).unwrap();
            assert!(read > 0, "it ended before it said `{part}`: {}", self.said);
        }
    }

    /// Its exit code and all that it said.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        self.lines.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server process. It is killed with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// `kill -9`; done when the process is gone.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        // The shell has `kill` built in; the program of that name is missing on small systems.
        let line = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended_within(&mut self, patience: Duration) -> bool {
        let began = Instant::now();
        while !self.has_ended() {
            if began.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn base_url() -> String {
    std::env::var(POSTGRES)
        .unwrap_or_else(|_| panic!("{POSTGRES} names no PostgreSQL server; `make test` starts one and sets it"))
}

fn url_of(name: &str) -> String {
    let base = base_url();
    let (address, query) = base.split_once('?').map_or((base.as_str(), ""), |(address, query)| (address, query));
    let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
    if query.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{query}") }
}

async fn admin(sql: &str) {
    let options = PgConnectOptions::from_str(&base_url()).unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

/// The name tells when it was made, so that later tests clear away what killed ones left behind.
async fn create_database() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let name = format!("ff_test_{}_{}", since.as_secs() / 60, uuid::Uuid::new_v4().simple());
    admin(&format!("CREATE DATABASE {name}")).await;
    name
}

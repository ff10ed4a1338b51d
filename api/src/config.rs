//! Settings: a TOML file, then `FLOWFORGE__SECTION__KEY` from the environment, and the names that OpenTelemetry gives.
//! Nothing else reads either.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

pub mod artifact;
pub mod database;
pub mod http;
pub mod log;
pub mod oidc;
mod reader;
pub mod runtime;
pub mod sandbox;
pub mod secrets;
pub mod server;
pub mod telemetry;
#[cfg(debug_assertions)]
pub mod testing;

use artifact::ArtifactConfig;
use database::DatabaseConfig;
use http::HttpConfig;
use log::LogConfig;
use oidc::OidcConfig;
use reader::Reader;
use runtime::RuntimeSection;
use sandbox::SandboxConfig;
use secrets::SecretsConfig;
use server::ServerConfig;
use telemetry::{Standard, TelemetryConfig};

/// The file that is read when none is named and it exists in the working directory.
pub const DEFAULT_FILE: &str = "flowforge.toml";

const ENVIRONMENT_PREFIX: &str = "FLOWFORGE";
const SEPARATOR: &str = "__";

/// Every setting, with its default put in.
#[derive(Debug, Clone)]
pub struct Config {
    /// `data_dir`: where everything lives that has no URL of its own; `.flowforge` by default.
    pub data_dir: PathBuf,
    /// `[server]`
    pub server: ServerConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[artifact]`
    pub artifact: ArtifactConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[http]`
    pub http: HttpConfig,
    /// `[runtime]`
    pub runtime: RuntimeSection,
    /// `[sandbox]`
    pub sandbox: SandboxConfig,
    /// `[secrets]`
    pub secrets: SecretsConfig,
    /// `[telemetry]`
    pub telemetry: TelemetryConfig,
    /// `[auth.oidc]`; none when people do not sign in at a provider.
    pub oidc: Option<OidcConfig>,
    /// `[testing]`
    #[cfg(debug_assertions)]
    pub testing: testing::TestingConfig,
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Section and key, such as `server.bind`; or the file's name.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Fault {
    fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Everything that is wrong with the settings, at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings cannot be used:\n{}", .0.iter().map(|fault| format!("  {fault}")).collect::<Vec<_>>().join("\n"))]
pub struct Faults(pub Vec<Fault>);

impl Config {
    /// Reads `file` (or [`DEFAULT_FILE`] when none is named and it is there), then the environment over it.
    ///
    /// # Errors
    /// Every fault at once: an unreadable file, a wrong value, an unknown key.
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let path = file.map_or_else(|| PathBuf::from(DEFAULT_FILE), Path::to_path_buf);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Faults(vec![Fault::new(path.display().to_string(), error.to_string())])),
        };
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::from_parts(text.as_deref(), environment)
    }

    /// The settings of this TOML text and these variables.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_parts(file: Option<&str>, environment: HashMap<String, String>) -> Result<Self, Faults> {
        let standard = Standard::of(&environment);
        let mut sources = ::config::Config::builder();
        if let Some(text) = file {
            sources = sources.add_source(::config::File::from_str(text, ::config::FileFormat::Toml));
        }
        let variables = ::config::Environment::with_prefix(ENVIRONMENT_PREFIX)
            .prefix_separator(SEPARATOR)
            .separator(SEPARATOR)
            .ignore_empty(true)
            .source(Some(environment));
        let root = sources
            .add_source(variables)
            .build()
            .and_then(|built| built.cache.into_table())
            .map_err(|error| Faults(vec![Fault::new("settings", error.to_string())]))?;
        Self::from_table(root.into_iter().collect(), &standard)
    }

    fn from_table(mut root: BTreeMap<String, ::config::Value>, standard: &Standard) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut section = |name: &'static str| Reader::section(name, root.remove(name));
        let (mut server, mut database, mut artifact) = (section("server"), section("database"), section("artifact"));
        let (mut log, mut http, mut runtime) = (section("log"), section("http"), section("runtime"));
        let (mut secrets, mut telemetry, mut sandbox) = (section("secrets"), section("telemetry"), section("sandbox"));
        let mut auth = section("auth");
        let mut oidc = auth.inner("oidc", "auth.oidc");
        #[cfg(debug_assertions)]
        let mut testing = section("testing");
        let mut top = Reader::top(root);
        let data_dir = PathBuf::from(top.text("data_dir").unwrap_or_else(|| ".flowforge".to_owned()));
        let database_config = DatabaseConfig::read(&mut database, &data_dir);
        let config = Self {
            server: ServerConfig::read(&mut server),
            secrets: SecretsConfig::read(&mut secrets, &data_dir, &database_config.url),
            database: database_config,
            artifact: ArtifactConfig::read(&mut artifact, &data_dir),
            log: LogConfig::read(&mut log),
            http: HttpConfig::read(&mut http),
            runtime: RuntimeSection::read(&mut runtime),
            sandbox: SandboxConfig::read(&mut sandbox),
            telemetry: TelemetryConfig::read(&mut telemetry, standard),
            oidc: OidcConfig::read(&mut oidc),
            #[cfg(debug_assertions)]
            testing: testing::TestingConfig::read(&mut testing),
            data_dir,
        };
        for reader in [top, server, database, artifact, log, http, runtime, sandbox, secrets, telemetry, auth, oidc] {
            faults.extend(reader.finish());
        }
        #[cfg(debug_assertions)]
        faults.extend(testing.finish());
        faults.extend(config.check());
        if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
    }

    /// Whether links sign browsers in: in the embedded home, and where nobody can sign in at a provider.
    pub fn has_login_links(&self) -> bool {
        self.database.url.is_sqlite() || self.oidc.is_none()
    }

    /// What is wrong with values that have the right type; empty when all is well.
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.data_dir.as_os_str().is_empty() {
            faults.push(Fault::new("data_dir", "must not be empty"));
        }
        self.server.check(&mut faults);
        self.database.check(&mut faults);
        self.artifact.check(&mut faults);
        self.http.check(&mut faults);
        self.runtime.check(&mut faults);
        self.sandbox.check(&mut faults);
        self.secrets.check(&mut faults);
        self.telemetry.check(&mut faults);
        if let Some(oidc) = &self.oidc {
            oidc.check(&mut faults);
            if matches!(self.secrets.source, ::runtime::secret::KeySource::None) {
                let message = "must be set, or secrets.master_key_file: it seals the tokens of people who sign in";
                faults.push(Fault::new("secrets.master_key", message));
            }
        }
        #[cfg(debug_assertions)]
        self.testing.check(&mut faults);
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn environment(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_any_setting_the_embedded_home_is_used() {
        let config = Config::from_parts(None, HashMap::new()).unwrap();
        assert_eq!(config.server.bind.to_string(), "127.0.0.1:8080");
        assert_eq!(config.database.url.expose(), "sqlite://.flowforge/flowforge.db");
        assert!(config.artifact.folder.ends_with(".flowforge/artifacts"));
        assert!(config.database.migrate);
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let file = "data_dir = \"/srv/a\"\n[server]\nbind = \"0.0.0.0:1\"\n[runtime]\nlease = \"2s\"";
        let variables = environment(&[
            ("FLOWFORGE__SERVER__BIND", "127.0.0.1:9"),
            ("FLOWFORGE__HTTP__ALLOW_HOSTS", "a.test, b.test"),
            ("FLOWFORGE_TEST_POSTGRES", "not a setting"),
        ]);
        let config = Config::from_parts(Some(file), variables).unwrap();
        assert_eq!(config.server.bind.to_string(), "127.0.0.1:9");
        assert_eq!(config.runtime.lease, Duration::from_secs(2));
        let allowed: Vec<String> = config.http.allow_hosts.iter().map(ToString::to_string).collect();
        assert_eq!(allowed, ["a.test", "b.test"]);
        assert_eq!(config.database.url.expose(), "sqlite:///srv/a/flowforge.db");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let file = "colour = 1\n[server]\nbind = \"nowhere\"\nport = 3\n[log]\nformat = \"xml\"";
        let variables = environment(&[
            ("FLOWFORGE__DATABASE__URL", "mysql://u:geheim@h/d"),
            ("FLOWFORGE__RUNTIME__LEASE", "soon"),
            ("FLOWFORGE__ARTIFACT__URL", "gs://bucket"),
        ]);
        let faults = Config::from_parts(Some(file), variables).unwrap_err();
        let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            ["colour", "server.bind", "server.port", "log.format", "runtime.lease", "database.url", "artifact.url"]
        );
        assert!(!faults.to_string().contains("geheim"), "{faults}");
    }

    #[test]
    fn a_master_key_is_one_of_a_file_and_a_value_and_does_not_show() {
        let of = |pairs: &[(&str, &str)]| Config::from_parts(None, environment(pairs));
        let made = format!("{:?}", of(&[]).unwrap().secrets.source);
        assert_eq!(made, "File { path: \".flowforge/master.key\", make: true }");
        let postgres = ("FLOWFORGE__DATABASE__URL", "postgres://u@h/d");
        assert_eq!(format!("{:?}", of(&[postgres]).unwrap().secrets.source), "None");
        let key = ::runtime::secret::new_key().unwrap();
        let given = ("FLOWFORGE__SECRETS__MASTER_KEY", key.as_str());
        assert!(!format!("{:?}", of(&[postgres, given]).unwrap()).contains(key.as_str()));
        let file = ("FLOWFORGE__SECRETS__MASTER_KEY_FILE", "/run/secrets/master");
        let faults = of(&[given, file]).unwrap_err().to_string();
        assert!(faults.contains("set one of them") && !faults.contains(key.as_str()), "{faults}");
        let faults = of(&[("FLOWFORGE__SECRETS__MASTER_KEY", "geheimgeheim")]).unwrap_err().to_string();
        assert!(faults.contains("new-key") && !faults.contains("geheim"), "{faults}");
    }

    #[test]
    fn artifacts_lie_in_a_folder_or_a_bucket_whose_secret_does_not_show() {
        let of = |pairs: &[(&str, &str)]| Config::from_parts(None, environment(pairs));
        let bucket = ("FLOWFORGE__ARTIFACT__URL", "s3://files/of/ours");
        let key = ("FLOWFORGE__ARTIFACT__ACCESS_KEY", "k");
        let secret = ("FLOWFORGE__ARTIFACT__SECRET_KEY", "geheim");
        let endpoint = ("FLOWFORGE__ARTIFACT__ENDPOINT", "http://127.0.0.1:9000");
        let config = of(&[bucket, key, secret, endpoint]).unwrap();
        assert!(!format!("{config:?}").contains("geheim"));
        let settings = config.artifact.bucket.unwrap();
        assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("files", "of/ours"));
        assert!(settings.path_style, "servers of one's own have no names for buckets");
        assert!(!of(&[bucket]).unwrap().artifact.bucket.unwrap().path_style);
        for (pairs, wrong) in [
            ([bucket, key], "artifact.access_key"),
            ([("FLOWFORGE__ARTIFACT__URL", "s3://"), secret], "artifact.url"),
            ([bucket, ("FLOWFORGE__ARTIFACT__ENDPOINT", "localhost")], "artifact.endpoint"),
            ([("FLOWFORGE__ARTIFACT__URL", "s3://files/a b?c"), endpoint], "artifact.url"),
            ([bucket, ("FLOWFORGE__ARTIFACT__MAX_FILE", "0")], "artifact.max_file"),
        ] {
            let faults = of(&pairs).unwrap_err();
            assert!(faults.0.iter().any(|fault| fault.key == wrong), "{faults}");
        }
    }

    #[test]
    fn a_password_in_the_database_url_does_not_show() {
        let variables = environment(&[("FLOWFORGE__DATABASE__URL", "postgres://u:geheim@h/d")]);
        let config = Config::from_parts(None, variables).unwrap();
        assert!(!format!("{config:?}").contains("geheim"));
    }
}

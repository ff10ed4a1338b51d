//! `[auth.oidc]`: the OpenID provider that people sign in at, and that programs bring tokens of.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::Url;

use super::Fault;
use super::reader::Reader;
use super::server::duration;
use crate::auth::Role;

/// Where the provider sends people back to, below the public address.
pub const CALLBACK_PATH: &str = "/auth/callback";
/// Most that the clocks of provider and server may differ.
const MOST_LEEWAY: Duration = Duration::from_secs(60);
/// What an access token may be believed for.
const MIN_TOKEN: Duration = Duration::from_secs(30);
const MAX_TOKEN: Duration = Duration::from_secs(3_600);
/// Signatures that may be allowed. None that is made with a shared secret: the provider's keys are public.
const KNOWN_ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::RS256),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    ("EdDSA", Algorithm::EdDSA),
];

/// What is known of the provider, and what its people and programs may do here.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// `issuer`: the provider's name, byte for byte as its discovery document says it, such as
    /// `https://login.example.com/realms/flowforge`.
    pub issuer: String,
    /// `name`: what the button says after "Sign in with"; `single sign-on` by default.
    pub name: String,
    /// `client_id`: how the provider knows FlowForge.
    pub client_id: String,
    /// `client_secret_file` or `client_secret`: what FlowForge shows the provider.
    pub client_secret: ClientSecret,
    /// `audience`: what access tokens for this API name as their audience; `flowforge-api` by default. Never the client.
    pub audience: String,
    /// `public_url`: where browsers reach this server, such as `https://flowforge.example.com`.
    pub public_url: Url,
    /// `algorithms`: the signatures that are believed, of RS256, PS256, ES256 and EdDSA; all of them by default.
    pub algorithms: Vec<Algorithm>,
    /// `leeway`: how far clocks may differ; 30 s by default, 60 s at most.
    pub leeway: Duration,
    /// `longest_token`: how long an access token is believed after it was made, whatever it says itself; 5 min by default,
    /// an hour at most. So long somebody may go on whom the provider disabled.
    pub longest_token: Duration,
    /// `role_claims`: where tokens say roles, as JSON pointers; by default Keycloak's `/realm_access/roles` and
    /// `/resource_access/<client_id>/roles`.
    pub role_claims: Vec<String>,
    /// `group_claims`: where tokens say groups, as JSON pointers; `/groups` by default.
    pub group_claims: Vec<String>,
    /// `grants`: what roles and groups of the provider mean here; what is not listed means nothing.
    pub grants: Vec<Grant>,
    /// `service_accounts`: what programs may that have tokens by their own credentials; others may nothing.
    pub service_accounts: Vec<Grant>,
    /// `insecure_http`: whether the provider and the public address may be spoken to without TLS beyond this machine.
    /// For development only; false.
    pub insecure_http: bool,
    wrong: Vec<Fault>,
}

/// The client's secret; printing it hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// Who, in the provider's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Who has this role.
    Role(String),
    /// Who is in this group; the whole path, as in `/flowforge/editors`.
    Group(String),
    /// The program of this client id.
    Client(String),
}

/// A row of the table from the provider's words to roles here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub to: Holder,
    /// In which workspace, by its slug.
    pub workspace: String,
    /// What they are there.
    pub role: Role,
}

impl Grant {
    /// Reads `role:NAME = WORKSPACE:ROLE` or `group:/PATH = WORKSPACE:ROLE`.
    fn of_people(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not of the form `role:NAME = WORKSPACE:ROLE` or `group:/PATH = WORKSPACE:ROLE`");
        let (holder, right) = text.rsplit_once('=').ok_or_else(wrong)?;
        let to = match holder.trim().split_once(':') {
            Some(("role", name)) if !name.is_empty() => Holder::Role(name.to_owned()),
            Some(("group", path)) if path.starts_with('/') => Holder::Group(path.to_owned()),
            _ => return Err(wrong()),
        };
        Self::to(to, right).ok_or_else(wrong)?
    }

    /// Reads `CLIENT = WORKSPACE:ROLE`.
    fn of_program(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not of the form `CLIENT = WORKSPACE:ROLE`");
        let (client, right) = text.rsplit_once('=').ok_or_else(wrong)?;
        let client = Some(client.trim()).filter(|client| !client.is_empty()).ok_or_else(wrong)?;
        Self::to(Holder::Client(client.to_owned()), right).ok_or_else(wrong)?
    }

    fn to(to: Holder, right: &str) -> Option<Result<Self, String>> {
        let (workspace, word) = right.trim().split_once(':').filter(|(workspace, _)| !workspace.is_empty())?;
        let known = || Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
        let role = Role::parse(word).ok_or_else(|| format!("`{word}` is no role; there are {}", known()));
        Some(role.map(|role| Self { to, workspace: workspace.to_owned(), role }))
    }
}

impl OidcConfig {
    /// The section; `None` when nothing of it is there.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        if reader.is_empty() {
            return None;
        }
        let mut wrong = Vec::new();
        let mut needed = |reader: &mut Reader, key: &str, what: &str| {
            let text = reader.text(key).unwrap_or_default();
            if text.is_empty() {
                wrong.push(Fault::new(format!("auth.oidc.{key}"), format!("must be set: {what}")));
            }
            text
        };
        let issuer = needed(reader, "issuer", "the provider's name as its discovery document says it");
        let client_id = needed(reader, "client_id", "how the provider knows FlowForge");
        let public_url = needed(reader, "public_url", "where browsers reach this server");
        let client_secret = secret(reader, &mut wrong);
        let mut config = Self {
            name: reader.text("name").unwrap_or_else(|| "single sign-on".to_owned()),
            audience: reader.text("audience").unwrap_or_else(|| "flowforge-api".to_owned()),
            // Replaced below, or a fault.
            public_url: Url::parse("https://unset.invalid/").ok()?,
            algorithms: Vec::new(),
            leeway: reader.parsed("leeway", Duration::from_secs(30), duration),
            longest_token: reader.parsed("longest_token", Duration::from_secs(300), duration),
            role_claims: reader.list("role_claims"),
            group_claims: reader.list("group_claims"),
            grants: Vec::new(),
            service_accounts: Vec::new(),
            insecure_http: reader.value("insecure_http", false, "true or false"),
            issuer,
            client_id,
            client_secret,
            wrong,
        };
        config.read_url(&public_url);
        config.read_algorithms(&reader.list("algorithms"));
        for (key, parse) in
            [("grants", Grant::of_people as fn(&str) -> Result<Grant, String>), ("service_accounts", Grant::of_program)]
        {
            for text in reader.list(key) {
                match parse(&text) {
                    Ok(grant) if key == "grants" => config.grants.push(grant),
                    Ok(grant) => config.service_accounts.push(grant),
                    Err(message) => config.wrong.push(Fault::new(format!("auth.oidc.{key}"), message)),
                }
            }
        }
        if config.role_claims.is_empty() {
            // `~` and `/` of a client's id are written as JSON pointers want it.
            let client = config.client_id.replace('~', "~0").replace('/', "~1");
            config.role_claims = vec!["/realm_access/roles".to_owned(), format!("/resource_access/{client}/roles")];
        }
        if config.group_claims.is_empty() {
            config.group_claims = vec!["/groups".to_owned()];
        }
        Some(config)
    }

    fn read_url(&mut self, text: &str) {
        match Url::parse(text) {
            Ok(url) if url.has_host() && url.path() == "/" && url.query().is_none() && url.fragment().is_none() => {
                self.public_url = url;
            }
            _ if text.is_empty() => {}
            _ => {
                let message =
                    format!("`{text}` is not an address without a path, such as https://flowforge.example.com");
                self.wrong.push(Fault::new("auth.oidc.public_url", message));
            }
        }
    }

    fn read_algorithms(&mut self, words: &[String]) {
        for word in words {
            match KNOWN_ALGORITHMS.iter().find(|(known, _)| known == word) {
                Some((_, algorithm)) => self.algorithms.push(*algorithm),
                None => {
                    let message = format!("`{word}` is not one of RS256, PS256, ES256 and EdDSA");
                    self.wrong.push(Fault::new("auth.oidc.algorithms", message));
                }
            }
        }
        if words.is_empty() {
            self.algorithms = KNOWN_ALGORITHMS.iter().map(|(_, algorithm)| *algorithm).collect();
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        faults.extend(self.wrong.iter().cloned());
        let mut fault = |key: &str, message: String| faults.push(Fault::new(format!("auth.oidc.{key}"), message));
        if !self.issuer.is_empty() {
            match Url::parse(&self.issuer) {
                Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                    fault("issuer", "must have no `?` and no `#`".to_owned());
                }
                Ok(url) if self.may_be_called(&url) => {}
                Ok(_) => fault(
                    "issuer",
                    "must begin with https://; http:// only to this machine, or with insecure_http".to_owned(),
                ),
                Err(_) => fault("issuer", format!("`{}` is not an address", self.issuer)),
            }
        }
        if !self.may_be_called(&self.public_url) {
            fault(
                "public_url",
                "must begin with https://; http:// only on this machine, or with insecure_http".to_owned(),
            );
        }
        if self.leeway > MOST_LEEWAY {
            fault("leeway", "must be 60s at most; set the clocks instead".to_owned());
        }
        if !(MIN_TOKEN..=MAX_TOKEN).contains(&self.longest_token) {
            fault("longest_token", "must be from 30s to 1h".to_owned());
        }
        if self.audience == self.client_id && !self.audience.is_empty() {
            // Else every token that says who somebody is would also open the API.
            fault("audience", "must be another one than client_id; the provider adds it to access tokens".to_owned());
        }
        for pointer in self.role_claims.iter().chain(&self.group_claims) {
            if !pointer.starts_with('/') {
                fault("role_claims", format!("`{pointer}` is not a JSON pointer such as /realm_access/roles"));
            }
        }
    }

    /// Whether the address keeps what is said from others: by TLS, or by not leaving this machine.
    pub fn may_be_called(&self, url: &Url) -> bool {
        let is_loopback = match url.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
            None => return false,
        };
        url.scheme() == "https" || (url.scheme() == "http" && (is_loopback || self.insecure_http))
    }

    /// Where the provider sends people back to.
    pub fn redirect_url(&self) -> String {
        format!("{}{CALLBACK_PATH}", self.public_url.as_str().trim_end_matches('/'))
    }
}

fn secret(reader: &mut Reader, wrong: &mut Vec<Fault>) -> ClientSecret {
    let mut fault = |key: &str, message: String| wrong.push(Fault::new(format!("auth.oidc.{key}"), message));
    let (file, value) = (reader.text("client_secret_file"), reader.text("client_secret"));
    let text = match (file, value) {
        (Some(_), Some(_)) => {
            fault("client_secret", "is set beside client_secret_file; set one of them".to_owned());
            String::new()
        }
        (Some(path), None) => match std::fs::read_to_string(Path::new(&path)) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                fault("client_secret_file", format!("{path} cannot be read: {error}"));
                return ClientSecret(String::new());
            }
        },
        (None, value) => value.unwrap_or_default(),
    };
    if text.is_empty() {
        fault("client_secret", "must be set, or client_secret_file: what FlowForge shows the provider".to_owned());
    }
    ClientSecret(text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::{Config, Faults};

    fn config(more: &[(&str, &str)]) -> Result<OidcConfig, Faults> {
        let mut variables: HashMap<String, String> = [
            ("ISSUER", "https://login.test/realms/f"),
            ("CLIENT_ID", "flowforge"),
            ("CLIENT_SECRET", "geheim"),
            ("PUBLIC_URL", "https://flow.test"),
        ]
        .into_iter()
        .chain(more.iter().copied())
        .map(|(key, value)| (format!("FLOWFORGE__AUTH__OIDC__{key}"), value.to_owned()))
        .collect();
        variables.retain(|_, value| value != "-");
        Config::from_parts(None, variables).map(|config| config.oidc.unwrap())
    }

    #[test]
    fn without_the_section_there_is_no_provider() {
        assert!(Config::from_parts(None, HashMap::new()).unwrap().oidc.is_none());
        let file = "[auth.oidc]\nissuer = \"https://i\"\nclient_id = \"c\"\nclient_secret = \"s\"\n\
                    public_url = \"https://f\"\ngrants = [\"group:/a = default:viewer\"]";
        assert_eq!(Config::from_parts(Some(file), HashMap::new()).unwrap().oidc.unwrap().grants.len(), 1);
    }

    #[test]
    fn what_is_not_said_is_as_keycloak_has_it() {
        let config = config(&[("GRANTS", "role:boss = default:admin, group:/flow/a=b = acme:viewer")]).unwrap();
        assert_eq!(config.role_claims, ["/realm_access/roles", "/resource_access/flowforge/roles"]);
        assert_eq!(config.redirect_url(), "https://flow.test/auth/callback");
        assert_eq!((config.leeway, config.algorithms.len()), (Duration::from_secs(30), 4));
        assert_eq!(
            config.grants[0],
            Grant { to: Holder::Role("boss".into()), workspace: "default".into(), role: Role::Admin }
        );
        assert_eq!(config.grants[1].to, Holder::Group("/flow/a=b".into()));
        assert!(!format!("{config:?}").contains("geheim"));
    }

    #[test]
    fn what_would_be_unsafe_is_refused_at_the_start() {
        for (key, value, why) in [
            ("ISSUER", "-", "must be set"),
            ("ISSUER", "http://login.test/realms/f", "https"),
            ("ISSUER", "https://login.test/?a=b", "no `?`"),
            ("PUBLIC_URL", "http://flow.test", "https"),
            ("PUBLIC_URL", "https://flow.test/app", "without a path"),
            ("CLIENT_SECRET", "-", "must be set"),
            ("CLIENT_SECRET_FILE", "/no/such/file", "set one of them"),
            ("AUDIENCE", "flowforge", "another one than client_id"),
            ("ALGORITHMS", "RS256,HS256", "`HS256` is not one of"),
            ("ALGORITHMS", "none", "`none` is not one of"),
            ("LEEWAY", "61s", "60s at most"),
            ("LONGEST_TOKEN", "2h", "1h"),
            ("GRANTS", "boss = default:admin", "not of the form"),
            ("GRANTS", "group:a = default:admin", "not of the form"),
            ("GRANTS", "role:boss = default:root", "no role"),
            ("SERVICE_ACCOUNTS", "default:admin", "not of the form"),
            ("ROLE_CLAIMS", "realm_access.roles", "JSON pointer"),
            ("COLOUR", "red", "is not a setting"),
        ] {
            let faults = config(&[(key, value)]).unwrap_err().to_string();
            assert!(faults.contains(why) && !faults.contains("geheim"), "{key}={value}: {faults}");
        }
        assert!(
            config(&[("ISSUER", "http://127.0.0.1:8081/realms/f"), ("PUBLIC_URL", "http://localhost:8080")]).is_ok()
        );
        assert!(config(&[("ISSUER", "http://keycloak:8080/realms/f"), ("INSECURE_HTTP", "true")]).is_ok());
    }
}

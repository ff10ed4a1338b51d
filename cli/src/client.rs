//! A client of the GraphQL API: questions over HTTP, subscriptions over a WebSocket.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::question::Question;

mod socket;

pub(crate) use socket::Subscription;

/// How long a server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer may take; publishing 4 MiB on a busy machine is the slowest question.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Where the server is and who asks.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    /// A key that the server on this machine wrote down at its first start; never sent to another machine.
    pub(crate) local_key_file: Option<PathBuf>,
}

/// A connection to one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<String>,
}

impl Client {
    pub(crate) fn new(address: Address) -> Result<Self, Failure> {
        let base = base(&address.url)?;
        let loopback = is_loopback(&base);
        let key = address.key.or_else(|| {
            let file = address.local_key_file.filter(|_| loopback)?;
            let key = std::fs::read_to_string(file).ok()?;
            Some(key.trim().to_owned()).filter(|key| !key.is_empty())
        });
        if key.as_deref().is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            // The key itself is not repeated: what is pasted here may be another secret.
            let message = "the API key holds blanks, line breaks or characters that no key has; copy it again whole";
            return Err(Failure::usage(message));
        }
        // A WebSocket begins as an HTTP/1.1 request, and there is one connection to speak of.
        let mut http = reqwest::Client::builder().http1_only().connect_timeout(CONNECT_WITHIN);
        if loopback {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| Failure::new(Exit::Failed, "CLIENT", error.to_string()))?;
        Ok(Self { http, base, key })
    }

    /// Asks one question and hands back `data`.
    pub(crate) async fn ask(&self, question: Question, variables: Value) -> Result<Value, Failure> {
        let mut request = self
            .http
            .post(self.endpoint()?)
            .timeout(ANSWER_WITHIN)
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": question.text(), "variables": variables }));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        let answer: Value = serde_json::from_slice(&body).map_err(|_| self.not_ours(status))?;
        data(answer, status)
    }

    /// Asks for a change and hands back its payload; what the caller could have avoided (`userErrors`) is a failure.
    pub(crate) async fn change(&self, field: &str, question: Question, input: Value) -> Result<Value, Failure> {
        let mut data = self.ask(question, json!({ "input": input })).await?;
        let payload = data.get_mut(field).map(Value::take).unwrap_or_default();
        match payload.pointer("/userErrors/0") {
            Some(error) => Err(user_failure(error)),
            None => Ok(payload),
        }
    }

    /// Asks for every page of the list at a JSON pointer, and hands back its nodes. The question takes `$after`.
    pub(crate) async fn all(
        &self,
        question: Question,
        mut variables: Value,
        list: &str,
    ) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        loop {
            let mut data = self.ask(question, variables.clone()).await?;
            let mut page = data.pointer_mut(list).map(Value::take).unwrap_or_default();
            if let Some(Value::Array(nodes)) = page.get_mut("nodes").map(Value::take) {
                all.extend(nodes);
            }
            if page["pageInfo"]["hasNextPage"] != true {
                return Ok(all);
            }
            variables["after"] = page["pageInfo"]["endCursor"].take();
        }
    }

    /// Reads what a path answers piece by piece, whatever its size.
    pub(crate) async fn download(
        &self,
        path: &str,
        query: &[(&str, String)],
        mut piece: impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        let mut url =
            self.base.join(path.trim_start_matches('/')).map_err(|error| Failure::usage(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(query);
        let mut request = self.http.get(url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let mut response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
            let problem: Value = serde_json::from_slice(&body).map_err(|_| self.not_ours(status))?;
            let text = |name: &str| problem[name].as_str().map(str::to_owned);
            let code = text("code").ok_or_else(|| self.not_ours(status))?;
            return Err(Failure::of_code(&code, text("detail").unwrap_or_default()));
        }
        while let Some(bytes) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            piece(&bytes);
        }
        Ok(())
    }

    /// A URL that the server gave; below its own where it begins with `/`.
    pub(crate) fn whole(&self, url: &str) -> Result<Url, Failure> {
        let whole = match url.strip_prefix('/') {
            Some(path) => self.base.join(path),
            None => Url::parse(url),
        };
        whole.map_err(|error| {
            Failure::new(Exit::Failed, "NO_ANSWER", format!("the server gave a URL that is none: {error}"))
        })
    }

    /// Puts a file where the server said. The URL is all the leave that it takes: the key does not go along.
    pub(crate) async fn put<'a>(
        &self,
        url: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        file: std::fs::File,
        len: u64,
    ) -> Result<(), Failure> {
        let body = reqwest::Body::from(tokio::fs::File::from_std(file));
        let mut request = self.http.put(self.whole(url)?).header(CONTENT_LENGTH, len).body(body);
        for (name, value) in headers.filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem["detail"].as_str().map(str::to_owned);
        let detail = detail.unwrap_or_else(|| format!("the file was refused with {status}"));
        Err(Failure::of_code(problem["code"].as_str().unwrap_or("UNAVAILABLE"), detail))
    }

    fn endpoint(&self) -> Result<Url, Failure> {
        self.base.join("graphql").map_err(|error| Failure::usage(format!("--url: {error}")))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Failure::new(Exit::Unreachable, "NOT_REACHABLE", format!("no answer from {}: {cause}", self.base))
            .hint("start a server with `flowforge serve`, or name another with --url or FLOWFORGE_URL")
    }

    fn not_ours(&self, status: StatusCode) -> Failure {
        let message = format!("{} answered {status}, and not as a FlowForge server does", self.base);
        match status {
            StatusCode::UNAUTHORIZED => Failure::of_code("UNAUTHENTICATED", message),
            StatusCode::FORBIDDEN => Failure::of_code("FORBIDDEN", message),
            _ => Failure::new(Exit::Unreachable, "NOT_A_SERVER", message),
        }
    }
}

/// The URL of the server, ending in `/` so that a path under which it is served stays.
fn base(text: &str) -> Result<Url, Failure> {
    let wrong = |why: String| Failure::usage(format!("--url `{text}`: {why}"));
    let mut url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("must begin with http:// or https://".to_owned()));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `data` of an answer, or the first of its errors.
fn data(mut answer: Value, status: StatusCode) -> Result<Value, Failure> {
    if let Some(error) = answer.pointer("/errors/0") {
        let code = error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or("INTERNAL");
        let message = error.get("message").and_then(Value::as_str).unwrap_or("the server gave no reason");
        return Err(Failure::of_code(code, message));
    }
    match answer.get_mut("data").map(Value::take) {
        Some(data) if data.is_object() => Ok(data),
        _ => Err(Failure::new(Exit::Failed, "NO_ANSWER", format!("the server answered {status} without data"))),
    }
}

/// The first user error of a payload that holds nothing else.
pub(crate) fn refused(payload: &Value, what: &str) -> Failure {
    let mut failure = user_failure(payload.pointer("/userErrors/0").unwrap_or(&Value::Null));
    failure.message = format!("{what}: {}", failure.message);
    failure
}

fn user_failure(error: &Value) -> Failure {
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    let field = error
        .get("field")
        .and_then(Value::as_array)
        .map(|path| path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."));
    let message = text("message").unwrap_or("the server gave no reason");
    let message = match field.filter(|field| !field.is_empty()) {
        Some(field) => format!("{field}: {message}"),
        None => message.to_owned(),
    };
    Failure::of_code(text("code").unwrap_or("INTERNAL"), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_header_can_carry_is_told_before_anything_is_sent() {
        for key in ["ff key", "ff\nkey", "ffäkey"] {
            let address = Address { url: "http://127.0.0.1:1".into(), key: Some(key.to_owned()), local_key_file: None };
            let failure = Client::new(address).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.contains("API key") && !failure.message.contains(key));
        }
    }

    #[test]
    fn the_first_error_of_an_answer_decides_how_the_command_ends() {
        let answer = json!({ "data": null, "errors": [
            { "message": "no such run", "extensions": { "code": "NOT_FOUND" } },
            { "message": "later" },
        ] });
        let failure = data(answer, StatusCode::OK).unwrap_err();
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::NotFound, "no such run"));
    }

    #[test]
    fn a_user_error_names_its_field() {
        let error = json!({ "code": "BAD_USER_INPUT", "message": "must not be empty", "field": ["input", "name"] });
        let failure = user_failure(&error);
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Usage, "input.name: must not be empty"));
    }

    #[test]
    fn a_key_file_of_this_machine_is_for_this_machine_only() {
        for (url, loopback) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost", true),
            ("http://[::1]:1/", true),
            ("https://example.com", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&base(url).unwrap()), loopback, "{url}");
        }
    }

    #[test]
    fn a_server_may_live_under_a_path() {
        let url = base("https://example.com/flow?x=1").unwrap();
        assert_eq!(url.join("graphql").unwrap().as_str(), "https://example.com/flow/graphql");
        assert_eq!(base("ftp://example.com").unwrap_err().exit, Exit::Usage);
    }
}

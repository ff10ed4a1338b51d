//! `flowforge connection`: credentials that nodes use by name. Secret values come from files or standard input, never
//! from arguments: those end up in the shell's history and in the list of processes.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade};
use crate::question::connection as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List connections by name.
    List(List),
    /// List the types of connections with their fields.
    Types {
        /// The language of the texts, such as `de`.
        #[arg(long, default_value = "en", value_name = "LANGUAGE")]
        locale: String,
    },
    /// Make a connection.
    Create(Create),
    /// Change fields or secrets; secrets that are not given stay.
    Update(Update),
    /// Delete a connection and its secrets for good.
    Delete(Delete),
    /// Call the test URL with the credentials; exit 1 when it does not take them.
    Test(Named),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this project.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Only of this environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The connection's name, or its id.
    name: String,
    /// Its project.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// Its environment.
    #[arg(long, default_value = "default", value_name = "NAME")]
    environment: String,
}

#[derive(Debug, Args)]
pub(crate) struct Values {
    /// A field that is no secret, `NAME=VALUE`; a list is written as JSON. May be repeated.
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    fields: Vec<(String, String)>,
    /// A secret field and the file that holds its value, `NAME=FILE`; `-` is standard input. May be repeated.
    #[arg(long = "secret-file", value_name = "NAME=FILE", value_parser = pair)]
    secrets: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    named: Named,
    /// Its type, such as `http.bearer`.
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    #[command(flatten)]
    values: Values,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    values: Values,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    named: Named,
    /// Also when something deployed uses it; its runs will fail.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List(wanted) => list(&client, output, &wanted).await,
        Command::Types { locale } => types(&client, output, &locale).await,
        Command::Create(create) => self::create(&client, output, create).await,
        Command::Update(update) => self::update(&client, output, update).await,
        Command::Delete(delete) => self::delete(&client, output, delete).await,
        Command::Test(named) => test(&client, output, &named).await,
    }
}

impl Named {
    /// The name, or the id.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// All that is wanted, by name.
pub(crate) async fn all(client: &Client, wanted: &List) -> Result<Vec<Value>, Failure> {
    let filter = json!({ "project": wanted.project, "environment": wanted.environment });
    client.all(question::LIST, json!({ "filter": filter }), "/connections").await
}

async fn list(client: &Client, output: Output, wanted: &List) -> Result<ExitCode, Failure> {
    let all = all(client, wanted).await?;
    if output.is_json() {
        output.document(&json!({ "connections": all }));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<Cell>> = all.iter().map(row).collect();
    output.table(&["NAME", "PROJECT", "ENVIRONMENT", "TYPE", "LAST TEST"], &rows);
    Ok(ExitCode::SUCCESS)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn row(connection: &Value) -> Vec<Cell> {
    let test = match connection["lastTest"]["passed"].as_bool() {
        None => Cell::shaded("never", Shade::Dim),
        Some(true) => Cell::shaded("passed", Shade::Good),
        Some(false) => Cell::shaded("failed", Shade::Bad),
    };
    let mut cells: Vec<Cell> =
        ["name", "project", "environment", "type"].map(|name| Cell::plain(text(connection, name))).into();
    cells.push(test);
    cells
}

async fn types(client: &Client, output: Output, locale: &str) -> Result<ExitCode, Failure> {
    let data = client.ask(question::TYPES, json!({ "locale": locale })).await?;
    if output.is_json() {
        output.document(&data);
        return Ok(ExitCode::SUCCESS);
    }
    for kind in data["connectionTypes"].as_array().into_iter().flatten() {
        output.line(&format!("{}  {}", output.paint(Shade::Strong, text(kind, "name")), text(kind, "summary")));
        for (name, field) in kind["schema"]["properties"].as_object().into_iter().flatten() {
            let option = if field["x-secret"] == json!(true) { "--secret-file" } else { "--field" };
            output.line(&format!("  {option} {name}=…  {}", text(field, "description")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(client: &Client, output: Output, create: Create) -> Result<ExitCode, Failure> {
    let input = json!({
        "project": create.named.project,
        "environment": create.named.environment,
        "name": create.named.name,
        "type": create.kind,
        "fields": fields(&create.values, Map::new()),
        "secrets": secrets(&create.values)?,
    });
    let payload = client.change("createConnection", question::CREATE, input).await?;
    show(output, &payload, "created");
    Ok(ExitCode::SUCCESS)
}

async fn update(client: &Client, output: Output, update: Update) -> Result<ExitCode, Failure> {
    let found = find(client, &update.named).await?;
    let mut input = json!({ "id": found["id"], "secrets": secrets(&update.values)? });
    if !update.values.fields.is_empty() {
        // Fields go as a whole; those that are not named here stay as they were when they were looked at.
        let old = found["fields"].as_object().cloned().unwrap_or_default();
        input["fields"] = fields(&update.values, old);
        input["expectedRevision"] = found["revision"].clone();
    }
    let payload = client.change("updateConnection", question::UPDATE, input).await?;
    show(output, &payload, "changed");
    Ok(ExitCode::SUCCESS)
}

async fn delete(client: &Client, output: Output, delete: Delete) -> Result<ExitCode, Failure> {
    let found = find(client, &delete.named).await?;
    let input = json!({ "id": found["id"], "force": delete.force });
    let payload = client.change("deleteConnection", question::DELETE, input).await?;
    if output.is_json() {
        output.document(&json!({ "deletedId": payload["deletedId"] }));
    } else {
        output.line(&format!("{} deleted, with its secrets", output.paint(Shade::Strong, text(&found, "name"))));
    }
    Ok(ExitCode::SUCCESS)
}

async fn test(client: &Client, output: Output, named: &Named) -> Result<ExitCode, Failure> {
    let found = find(client, named).await?;
    let payload = client.change("testConnection", question::TEST, json!({ "id": found["id"] })).await?;
    let test = &payload["test"];
    let passed = test["passed"] == json!(true);
    if output.is_json() {
        output.document(&json!({ "test": test }));
    } else {
        let word = if passed { output.paint(Shade::Good, "passed") } else { output.paint(Shade::Bad, "failed") };
        output.line(&format!("{word}: {}", text(test, "message")));
    }
    Ok(if passed { ExitCode::SUCCESS } else { Exit::Failed.into() })
}

/// The connection that a name or an id means.
pub(crate) async fn find(client: &Client, named: &Named) -> Result<Value, Failure> {
    if named.name.starts_with("con_") {
        let mut data = client.ask(question::GET, json!({ "id": named.name })).await?;
        let found = data["node"].take();
        if found["id"].is_string() {
            return Ok(found);
        }
        return Err(Failure::of_code("NOT_FOUND", format!("{} is no connection", named.name)));
    }
    let filter = json!({ "project": named.project, "environment": named.environment, "name": named.name });
    let mut data = client.ask(question::FIND, json!({ "filter": filter })).await?;
    match data.pointer_mut("/connections/nodes/0").map(Value::take) {
        Some(found) => Ok(found),
        None => {
            let message = format!("there is no connection `{}` in {}/{}", named.name, named.project, named.environment);
            Err(Failure::of_code("NOT_FOUND", message).hint("`flowforge connection list` lists them"))
        }
    }
}

fn show(output: Output, payload: &Value, what: &str) {
    let connection = &payload["connection"];
    if output.is_json() {
        return output.document(&json!({ "connection": connection }));
    }
    output.line(&format!("{} {what}", output.paint(Shade::Strong, text(connection, "name"))));
    output.line(&format!("  {}  {}", text(connection, "id"), text(connection, "type")));
}

/// Plain fields over those that were there; what reads as a JSON list is one.
fn fields(values: &Values, mut fields: Map<String, Value>) -> Value {
    for (name, value) in &values.fields {
        let list = serde_json::from_str(value).ok().filter(Value::is_array);
        fields.insert(name.clone(), list.unwrap_or_else(|| Value::from(value.as_str())));
    }
    Value::Object(fields)
}

/// Secret values from their files, without the line break that editors and `echo` put at the end.
fn secrets(values: &Values) -> Result<Value, Failure> {
    if values.secrets.iter().filter(|(_, file)| file == "-").count() > 1 {
        return Err(Failure::usage("--secret-file: standard input can be one secret only"));
    }
    let mut secrets = BTreeMap::new();
    for (name, file) in &values.secrets {
        let wrong = |error: std::io::Error| Failure::usage(format!("--secret-file {name}: {file}: {error}"));
        secrets.insert(name.as_str(), secret_value(file).map_err(wrong)?);
    }
    Ok(json!(secrets))
}

/// What a file holds, or standard input (`-`), without the line break that editors and `echo` put at the end.
pub(crate) fn secret_value(file: &str) -> std::io::Result<String> {
    let mut value = String::new();
    if file == "-" {
        std::io::stdin().lock().read_to_string(&mut value)?;
    } else {
        value = std::fs::read_to_string(file)?;
    }
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    Ok(value)
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(fields: &[(&str, &str)], secrets: &[(&str, &str)]) -> Values {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Values { fields: owned(fields), secrets: owned(secrets) }
    }

    #[test]
    fn a_secret_is_what_its_file_holds_without_the_last_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let (plain, broken, windows) = (file("a", "hush"), file("b", "hush \n"), file("c", "one\ntwo\r\n"));
        let read = secrets(&values(&[], &[("a", &plain), ("b", &broken), ("c", &windows)])).unwrap();
        assert_eq!(read, json!({ "a": "hush", "b": "hush ", "c": "one\ntwo" }));
        let failure = secrets(&values(&[], &[("a", "/nowhere/at/all")])).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(secrets(&values(&[], &[("a", "-"), ("b", "-")])).is_err());
    }

    #[test]
    fn fields_are_texts_or_lists_over_what_was_there() {
        let old = json!({ "name": "X-Old", "test_url": "https://a/" }).as_object().cloned().unwrap();
        let new = fields(&values(&[("name", "17"), ("hosts", r#"["a.example"]"#)], &[]), old);
        assert_eq!(new, json!({ "name": "17", "hosts": ["a.example"], "test_url": "https://a/" }));
    }
}

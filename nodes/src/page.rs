//! The documentation page of a node type, made of its descriptor.

use std::fmt::Write as _;

use engine::catalog::{ERROR, NodeDescriptor, Port};
use serde_json::Value;

/// The headings of a page in one language.
struct Headings {
    made: &'static str,
    also: &'static str,
    config: &'static str,
    field: &'static str,
    what: &'static str,
    takes: &'static str,
    required: &'static str,
    default: &'static str,
    per_item: &'static str,
    ports: &'static str,
    port: &'static str,
    carries: &'static str,
    input: &'static str,
    many: &'static str,
    output: &'static str,
    error: &'static str,
    for_each: &'static str,
    connection: &'static str,
    no_config: &'static str,
    deprecated: &'static str,
}

const ENGLISH: Headings = Headings {
    made: "Made by `make schema` from the node type itself; a test compares them.",
    also: "Also found as",
    config: "Config",
    field: "field",
    what: "what",
    takes: "takes",
    required: "required",
    default: "default",
    per_item: "evaluated per item",
    ports: "Ports",
    port: "port",
    carries: "carries",
    input: "in",
    many: "any number of edges; an object by node key",
    output: "out",
    error: "when the node fails: `{error, input}`",
    for_each: "May run once per item (`for_each`).",
    connection: "Takes a connection of type",
    no_config: "None.",
    deprecated: "Deprecated since",
};

const GERMAN: Headings = Headings {
    made: "Von `make schema` aus dem Knotentyp selbst erzeugt; ein Test vergleicht beide.",
    also: "Auch zu finden als",
    config: "Konfiguration",
    field: "Feld",
    what: "was",
    takes: "nimmt",
    required: "Pflicht",
    default: "Vorgabe",
    per_item: "je Eintrag ausgewertet",
    ports: "Ports",
    port: "Port",
    carries: "trägt",
    input: "ein",
    many: "beliebig viele Kanten; ein Objekt nach Schlüsseln der Knoten",
    output: "aus",
    error: "wenn der Knoten fehlschlägt: `{error, input}`",
    for_each: "Kann einmal je Eintrag laufen (`for_each`).",
    connection: "Nimmt eine Verbindung vom Typ",
    no_config: "Keine.",
    deprecated: "Veraltet seit",
};

/// The languages that pages are made in, the first being that of the descriptors.
pub const LANGUAGES: [&str; 2] = ["en", "de"];

/// The page of a type in a language, as Markdown.
pub fn page(descriptor: &NodeDescriptor, language: &str) -> String {
    let words = descriptor.words(language);
    let headings = if words.language == "de" { &GERMAN } else { &ENGLISH };
    let mut page =
        format!("<!-- {} -->\n# {} · `{}`\n\n{}\n", headings.made, words.title, descriptor.r#type, words.summary);
    // Writing to a `String` cannot fail.
    let out = &mut page;
    if let Some(deprecation) = descriptor.deprecated {
        let replacement = deprecation.replacement.map(|name| format!(": `{name}`")).unwrap_or_default();
        let _ = write!(out, "\n**{} {}**{replacement}\n", headings.deprecated, deprecation.since);
    }
    let _ = write!(out, "\n{}: {}.\n", headings.also, words.aliases.join(", "));
    let _ = write!(out, "\n{}\n\n## {}\n\n", words.docs, headings.config);
    let mut rows = Vec::new();
    fields(&words.config_schema, "", headings, &mut rows);
    if rows.is_empty() {
        let _ = writeln!(out, "{}", headings.no_config);
    } else {
        let _ = write!(out, "| {} | {} | {} |\n|---|---|---|\n", headings.field, headings.takes, headings.what);
        for row in &rows {
            let _ = writeln!(out, "{row}");
        }
    }
    let _ = write!(out, "\n## {}\n\n| {} | | {} |\n|---|---|---|\n", headings.ports, headings.port, headings.carries);
    let mut ports = |ports: &[Port], direction: &str| {
        for port in ports {
            let carries = if port.many { headings.many.to_owned() } else { cell(&port.r#type.to_string()) };
            let _ = writeln!(out, "| `{}` | {direction} | {carries} |", port.name);
        }
    };
    ports(&descriptor.inputs, headings.input);
    ports(&descriptor.outputs, headings.output);
    if !descriptor.is_trigger() {
        let _ = writeln!(out, "| `{ERROR}` | {} | {} |", headings.output, headings.error);
    }
    if descriptor.for_each {
        let _ = write!(out, "\n{}\n", headings.for_each);
    }
    if !descriptor.auth.is_empty() {
        let types: Vec<String> = descriptor.auth.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(out, "\n{} {}.\n", headings.connection, types.join(", "));
    }
    page
}

/// A row for each field of a schema and below, in the order of `x-order`.
fn fields(schema: &Value, path: &str, headings: &Headings, rows: &mut Vec<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut properties: Vec<(&String, &Value)> = properties.into_iter().flatten().collect();
    properties.sort_by_key(|(name, field)| (field.get("x-order").and_then(Value::as_u64).unwrap_or(u64::MAX), *name));
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in properties {
        row(&format!("{path}{name}"), field, required.contains(&name.as_str()), headings, rows);
    }
    for any in ["additionalProperties", "items"] {
        if let Some(field) = schema.get(any).filter(|field| field.get("title").is_some()) {
            row(&format!("{path}*"), field, false, headings, rows);
        }
    }
}

fn row(path: &str, field: &Value, is_required: bool, headings: &Headings, rows: &mut Vec<String>) {
    let text = |key: &str| field.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut notes = Vec::new();
    if is_required {
        notes.push(format!("**{}**", headings.required));
    }
    if let Some(default) = field.get("default") {
        notes.push(format!("{} `{}`", headings.default, default.as_str().map_or(default.to_string(), str::to_owned)));
    }
    if field.get("x-deferred").and_then(Value::as_bool) == Some(true) {
        notes.push(headings.per_item.to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    let takes = match field.get("enum").and_then(Value::as_array) {
        Some(values) => {
            let values = values.iter().map(|value| format!("`{}`", value.as_str().unwrap_or_default()));
            values.collect::<Vec<_>>().join(", ")
        }
        None => engine::port::PortType::from_schema(field).0.to_string(),
    };
    let (title, description) = (text("title"), text("description"));
    rows.push(format!("| `{path}` | {} | {title}: {}{notes} |", cell(&takes), cell(description)));
    fields(field, &format!("{path}."), headings, rows);
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The name of a type's page without its ending: `http.request@1` is `http.request`, later versions carry theirs.
pub fn file_name(descriptor: &NodeDescriptor) -> String {
    let name = descriptor.r#type.name.replace('/', "-");
    if descriptor.r#type.major == 1 { name } else { format!("{name}@{}", descriptor.r#type.major) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    /// Pages as they are kept, under `docs/nodes`.
    fn kept(language: &str, name: &str) -> String {
        let folder = if language == "en" { String::new() } else { format!("{language}/") };
        let path = format!("{}/../docs/nodes/{folder}{name}.md", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn every_type_has_its_page_in_every_language() {
        for descriptor in Registry::built_in().descriptors() {
            for language in LANGUAGES {
                let name = file_name(descriptor);
                let is_same = kept(language, &name) == page(descriptor, language);
                assert!(is_same, "docs/nodes is out of date for {name} in {language}; run `make schema`");
            }
        }
    }
}

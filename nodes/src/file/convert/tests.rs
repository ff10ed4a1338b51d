//! What becomes of real files: tables, documents, archives, and what is made to do harm.

use engine::catalog::EffectClass;
use engine::error::ErrorInfo;
use serde_json::{Value, json};

use super::Convert;
use crate::NodeType as _;
use crate::testing::{Shelf, kept_by};

mod any_bytes;
mod archive;
mod document;
mod flow;
mod spreadsheet;
mod table;

/// The output, and the shelf with what was kept behind the file that came.
async fn converted(name: &str, bytes: &[u8], config: Value) -> Result<(Value, Shelf), ErrorInfo> {
    let shelf = Shelf::default();
    let mut config = config;
    config["file"] = shelf.put(name, "application/octet-stream", bytes).value();
    let output = kept_by(&Convert, &shelf, config, json!(null)).await?;
    Ok((output, shelf))
}

/// What a file becomes as a value.
async fn value_of(name: &str, bytes: impl AsRef<[u8]>, config: Value) -> Value {
    converted(name, bytes.as_ref(), config).await.unwrap().0
}

/// The name of the one file that a file becomes, and what stands in it.
async fn file_of(name: &str, bytes: impl AsRef<[u8]>, config: Value) -> (String, Vec<u8>) {
    let (output, shelf) = converted(name, bytes.as_ref(), config).await.unwrap();
    let files = shelf.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(output, files[1].0.value());
    (files[1].0.name.as_str().to_owned(), files[1].1.to_vec())
}

/// The same where it is a text.
async fn text_of(name: &str, bytes: impl AsRef<[u8]>, config: Value) -> String {
    String::from_utf8(file_of(name, bytes, config).await.1).unwrap()
}

/// Why a file becomes nothing; it leaves nothing behind.
async fn refused(name: &str, bytes: impl AsRef<[u8]>, config: Value) -> ErrorInfo {
    let shelf = Shelf::default();
    let mut config = config;
    config["file"] = shelf.put(name, "application/octet-stream", bytes.as_ref()).value();
    let error = kept_by(&Convert, &shelf, config, json!(null)).await.unwrap_err();
    assert_eq!(shelf.files().len(), 1, "{error}");
    error
}

/// What a value becomes as a file.
async fn made_of(value: Value, config: Value) -> Result<String, ErrorInfo> {
    let shelf = Shelf::default();
    let mut config = config;
    config["value"] = value;
    kept_by(&Convert, &shelf, config, json!(null)).await?;
    Ok(String::from_utf8(shelf.only().1.to_vec()).unwrap())
}

#[tokio::test]
async fn a_file_is_called_like_the_one_it_is_made_of() {
    for (name, config, wanted) in [
        ("orders.csv", json!({"to": "jsonl"}), "orders.jsonl"),
        ("a.b.csv", json!({"to": "json"}), "a.b.json"),
        ("orders", json!({"from": "csv", "to": "csv"}), "orders.csv"),
        ("photo.png", json!({"to": "base64"}), "photo.png.b64"),
        ("photo.png.b64", json!({"to": "bytes"}), "photo.png"),
        ("notes.txt", json!({"to": "text"}), "notes.txt"),
        ("a.csv", json!({"to": "jsonl", "name": "b.jsonl"}), "b.jsonl"),
    ] {
        assert_eq!(file_of(name, "", config.clone()).await.0, wanted, "{config}");
    }
    let long = format!("{}.csv", "x".repeat(250));
    assert_eq!(file_of(&long, "", json!({"to": "jsonl"})).await.0, "file.jsonl");
    let (output, _) = converted("a.b64", b"AA==", json!({"to": "bytes"})).await.unwrap();
    assert_eq!((&output["name"], &output["mediaType"]), (&json!("a"), &json!("application/octet-stream")));
    let (output, _) = converted("a.csv", b"", json!({"to": "csv", "media_type": "x/y"})).await.unwrap();
    assert_eq!(output["mediaType"], "x/y");
}

#[tokio::test]
async fn what_a_config_cannot_mean_is_named() {
    let shelf = Shelf::default();
    let file = shelf.put("a.bin", "application/octet-stream", b"a").value();
    for (config, code, says) in [
        (json!({}), "CONFIG_INVALID", "config.file is missing"),
        (json!({"file": file, "value": 1}), "CONFIG_INVALID", "both `file` and `value`"),
        (json!({"file": "a"}), "CONFIG_INVALID", "config.file is a text"),
        (json!({"file": file}), "FILE_FORMAT_UNKNOWN", "Set config.from to one of csv, json"),
        (json!({"file": file, "from": "pdf"}), "CONFIG_INVALID", "config.from"),
        (json!({"file": file, "to": "xlsx"}), "CONFIG_INVALID", "config.to"),
        (json!({"file": file, "from": "csv", "to": "xml"}), "CONFIG_INVALID", "csv does not become xml"),
        (json!({"file": file, "charset": "klingon"}), "CONFIG_INVALID", "config.charset names no encoding"),
        (json!({"file": file, "from": "csv", "csv": {"delimiter": "ab"}}), "CONFIG_INVALID", "config.csv.delimiter"),
        (json!({"file": file, "from": "csv", "csv": {"quote": "ä"}}), "CONFIG_INVALID", "config.csv.quote"),
        (json!({"file": file, "from": "csv", "csv": {"quote": ","}}), "CONFIG_INVALID", "the same character"),
        (json!({"file": file, "from": "csv", "csv": {"header": 1}}), "CONFIG_INVALID", "config.csv.header"),
        (json!({"file": file, "from": "csv", "csv": {"columns": ["a", 1]}}), "CONFIG_INVALID", "config.csv.columns"),
        (json!({"file": file, "to": "files", "zip": {"max_members": 0}}), "CONFIG_INVALID", "config.zip.max_members"),
        (json!({"file": file, "name": "a/b"}), "CONFIG_INVALID", "config.name"),
        (json!({"value": {}, "to": "value"}), "CONFIG_INVALID", "config.value cannot become value"),
        (json!({"value": {}, "to": "jsonl"}), "CONFIG_INVALID", "config.value is an object; expected a list"),
        (json!({"value": 1, "to": "text"}), "CONFIG_INVALID", "config.value is the number 1; expected a text"),
        (json!({"value": 1, "from": "csv"}), "CONFIG_INVALID", "config.value is the number 1"),
        (json!({"value": "a", "from": "xlsx"}), "CONFIG_INVALID", "config.value is no xlsx"),
        (json!({"value": "a", "from": "csv", "to": "zip"}), "CONFIG_INVALID", "config.value is no csv"),
    ] {
        let error = kept_by(&Convert, &shelf, config.clone(), json!(null)).await.unwrap_err();
        assert_eq!(error.code, code, "{config}: {error}");
        assert!(error.message.contains(says), "{config}: {error}");
    }
}

#[test]
fn what_makes_no_file_is_pure_and_what_does_may_be_done_again() {
    let effect = |to: Value| Convert.effect(&json!({"to": to}));
    assert_eq!((Convert.effect(&json!({})), effect(json!("value"))), (EffectClass::Pure, EffectClass::Pure));
    for to in ["csv", "files", "{{ input.to }}"] {
        assert_eq!(effect(json!(to)), EffectClass::Idempotent);
    }
}

#[test]
fn a_pair_that_does_not_work_is_told_before_it_runs() {
    let faults = |config: Value| Convert.faults(&config).into_iter().map(|fault| fault.path).collect::<Vec<_>>();
    assert_eq!(faults(json!({"file": "{{ input }}", "from": "csv", "to": "xml"})), ["/to"]);
    assert_eq!(faults(json!({"file": "{{ input }}", "from": "base64"})), ["/to"]);
    assert_eq!(faults(json!({"to": "csv"})), [""]);
    assert_eq!(faults(json!({"file": 1, "value": 1, "to": "csv"})), [""]);
    for config in [
        json!({"file": "{{ input }}", "to": "{{ input.to }}"}),
        json!({"file": "{{ input }}", "from": "xlsx", "to": "csv"}),
        json!({"value": null, "to": "json"}),
    ] {
        assert_eq!(faults(config), [""; 0]);
    }
}

//! Whatever the bytes are, a converter answers or says what is wrong.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::super::format::{SOURCES, TARGETS, fault};
use super::*;

/// Pieces that formats are made of, so that more than the first byte is looked at.
const PIECES: [&[u8]; 36] = [
    b"<a>",
    b"</a>",
    b"<a b='",
    b"'/>",
    b"<!DOCTYPE a [",
    b"]>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"&#x41;",
    b"&amp;",
    b"&x;",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\u00",
    b":",
    b",",
    b"1e999",
    b"null",
    b"\n",
    b"\r\n",
    b";",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"\xFF\xFE",
    b"\xEF\xBB\xBF",
    b"\0\0\0\0",
    b"\xFF\xFF\xFF\xFF",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (0..PIECES.len()).prop_map(|index| PIECES[index].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A real archive, with some bytes changed.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let whole = super::spreadsheet::small();
    let len = whole.len();
    prop::collection::vec((0..len, any::<u8>()), 0..8).prop_map(move |changes| {
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes
    })
}

/// Converts by every pair that works, as one that has panicked would not.
fn tried(bytes: &[u8], sources: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (from, format) in SOURCES.iter().filter(|(word, _)| sources.contains(word)) {
        for (to, _) in TARGETS.iter().filter(|(_, target)| fault(*format, *target).is_none()) {
            let config = json!({"from": from, "to": to});
            if let Err(error) = runtime.block_on(converted("a", bytes, config)) {
                let is_told = error.code != "FILE_UNFINISHED" && !error.message.contains("defect");
                assert!(is_told, "{from} to {to}: {error}");
            }
        }
    }
}

#[test]
fn no_bytes_end_a_converter_otherwise() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 80, failure_persistence: None, ..Default::default() });
    let all: Vec<&str> = SOURCES.iter().map(|(word, _)| *word).collect();
    let each = |bytes: Vec<u8>| {
        tried(&bytes, &all);
        Ok(())
    };
    runner.run(&bytes(), each).unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() });
    let each = |bytes: Vec<u8>| {
        tried(&bytes, &["xlsx", "zip"]);
        Ok(())
    };
    runner.run(&broken(), each).unwrap();
}

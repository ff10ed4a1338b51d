//! Archives: made and read by others than ourselves, and made to do harm.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::*;

/// An archive as others make it.
fn packed(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in members {
        if path.ends_with('/') {
            writer.add_directory(*path, SimpleFileOptions::default()).unwrap();
        } else {
            let method = if bytes.len() < 10 { CompressionMethod::Stored } else { CompressionMethod::Deflated };
            writer.start_file(*path, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A member that says whatever one wants.
#[derive(Clone)]
struct Raw {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    bytes: Vec<u8>,
    method: u16,
    flags: u16,
    size: u32,
    crc: u32,
    mode: u32,
    attributes: u16,
    at: Option<u32>,
}

impl Raw {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        Self {
            name: name.as_bytes().to_vec(),
            local_name: None,
            bytes: bytes.to_vec(),
            method: 0,
            flags: 0x800,
            size: bytes.len() as u32,
            crc: sum.sum(),
            mode: 0o100_644,
            attributes: 0,
            at: None,
        }
    }

    fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        Self { method: 8, bytes: encoder.finish().unwrap(), ..Self::new(name, bytes) }
    }
}

fn numbers(out: &mut Vec<u8>, numbers: &[(u64, usize)]) {
    for (number, len) in numbers {
        out.extend_from_slice(&number.to_le_bytes()[..*len]);
    }
}

/// The archive of these, and how many members it says it has where that is not how many there are.
fn made(members: &[Raw], count: Option<u16>) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for raw in members {
        let at = raw.at.unwrap_or(out.len() as u32);
        let head = |name: &[u8]| {
            let (size, packed) = (u64::from(raw.size), raw.bytes.len() as u64);
            let mut head = Vec::new();
            let flags = [(20, 2), (u64::from(raw.flags), 2), (u64::from(raw.method), 2), (0, 4)];
            numbers(&mut head, &flags);
            numbers(&mut head, &[(u64::from(raw.crc), 4), (packed, 4), (size, 4), (name.len() as u64, 2), (0, 2)]);
            head
        };
        if raw.at.is_none() {
            let name = raw.local_name.as_ref().unwrap_or(&raw.name);
            numbers(&mut out, &[(0x0403_4B50, 4)]);
            out.extend(head(name));
            out.extend_from_slice(name);
            out.extend_from_slice(&raw.bytes);
        }
        numbers(&mut directory, &[(0x0201_4B50, 4), (0x0314, 2)]);
        directory.extend(head(&raw.name));
        let outer = u64::from(raw.mode << 16 | u32::from(raw.attributes));
        numbers(&mut directory, &[(0, 2), (0, 2), (0, 2), (outer, 4), (u64::from(at), 4)]);
        directory.extend_from_slice(&raw.name);
    }
    let (at, len) = (out.len() as u64, directory.len() as u64);
    let count = u64::from(count.unwrap_or(members.len() as u16));
    out.extend(directory);
    numbers(&mut out, &[(0x0605_4B50, 4), (0, 2), (0, 2), (count, 2), (count, 2), (len, 4), (at, 4), (0, 2)]);
    out
}

async fn unpacked(archive: &[u8], config: Value) -> Result<Vec<(String, Vec<u8>)>, ErrorInfo> {
    let mut config = config;
    config["to"] = json!("files");
    let (output, shelf) = converted("a.zip", archive, config).await?;
    let files = shelf.files().into_iter().skip(1);
    let output = output.as_array().unwrap().clone();
    let pairs = output.into_iter().zip(files).map(|(entry, (file, bytes))| {
        assert_eq!(entry["file"], file.value());
        (entry["path"].as_str().unwrap().to_owned(), bytes.to_vec())
    });
    Ok(pairs.collect())
}

#[tokio::test]
async fn an_archive_of_others_is_unpacked_into_files() {
    let large = "0123456789".repeat(50_000);
    let archive = packed(&[("a.csv", b"a,b\n"), ("docs/", b""), ("docs/größe.txt", large.as_bytes()), ("empty", b"")]);
    let files = unpacked(&archive, json!({})).await.unwrap();
    let wanted = [("a.csv", b"a,b\n".to_vec()), ("docs/größe.txt", large.clone().into_bytes()), ("empty", Vec::new())];
    assert_eq!(files, wanted.map(|(path, bytes)| (path.to_owned(), bytes)));
    let (_, shelf) = converted("a.zip", &archive, json!({"to": "files"})).await.unwrap();
    let kept: Vec<_> =
        shelf.files().into_iter().skip(1).map(|(file, _)| (file.name.to_string(), file.media_type)).collect();
    assert_eq!(kept[0], ("a.csv".to_owned(), "text/csv".to_owned()));
    assert_eq!(kept[1], ("größe.txt".to_owned(), "text/plain".to_owned()));
    let list = value_of("a.zip", &archive, json!({})).await;
    assert_eq!(list[1], json!({"path": "docs/größe.txt", "size": 500_000}));
    // Names of old tools, and of those that write UTF-8 without saying so.
    let old = Raw { name: b"gr\x94\xE1e".to_vec(), flags: 0, ..Raw::new("", b"x") };
    let quiet = Raw { flags: 0, ..Raw::new("größe2", b"x") };
    let paths: Vec<_> = unpacked(&made(&[old, quiet], None), json!({})).await.unwrap();
    assert_eq!(paths.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["größe", "größe2"]);
    assert_eq!(unpacked(&packed(&[]), json!({})).await.unwrap(), []);
}

#[tokio::test]
async fn files_are_packed_so_that_others_unpack_them() {
    let shelf = Shelf::default();
    let (one, two) = ("a,b\n".repeat(100_000), b"\x00\xFF".to_vec());
    let first = shelf.put("größe.csv", "text/csv", one.as_bytes()).value();
    let second = shelf.put("b.bin", "x/y", &two).value();
    let config =
        json!({"to": "zip", "name": "all.zip", "file": [first, {"path": "in/a folder/b.bin", "file": second}]});
    let output = kept_by(&Convert, &shelf, config, json!(null)).await.unwrap();
    assert_eq!((&output["name"], &output["mediaType"]), (&json!("all.zip"), &json!("application/zip")));
    let archive = shelf.files()[2].1.to_vec();
    assert!(archive.len() < 5_000, "{}", archive.len());
    let mut read = ZipArchive::new(Cursor::new(&archive)).unwrap();
    for (path, bytes) in [("größe.csv", one.as_bytes()), ("in/a folder/b.bin", &two)] {
        let mut found = Vec::new();
        read.by_name(path).unwrap().read_to_end(&mut found).unwrap();
        assert!(found == bytes, "{path}");
    }
    read.validate_header_consistency().unwrap();
    assert_eq!(unpacked(&archive, json!({"zip": {"max_ratio": 1100}})).await.unwrap()[1].1, two);
    let (_, lone) = file_of("a.csv", "a", json!({"to": "zip"})).await;
    assert_eq!(unpacked(&lone, json!({})).await.unwrap(), [("a.csv".to_owned(), b"a".to_vec())]);
    for (file, says) in [
        (json!([first, first]), "config.file[1] is the second file called `größe.csv`"),
        (json!([{"path": "../a", "file": first}]), "config.file[0].path: it leads out of its folder"),
        (json!([{"path": "a/", "file": first}]), "it is a folder"),
        (json!([{"path": 1, "file": first}]), "config.file[0].path is the number 1"),
        (json!([1]), "config.file[0] is the number 1"),
        (json!({"path": "a", "file": null}), "config.file is null"),
    ] {
        let error = kept_by(&Convert, &shelf, json!({"to": "zip", "file": file}), json!(null)).await.unwrap_err();
        assert!(error.code == "CONFIG_INVALID" && error.message.contains(says), "{file}: {error}");
    }
}

#[tokio::test]
async fn e4_no_name_leads_anywhere() {
    for name in [
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "C:\\evil",
        "c:evil",
        "a\\..\\evil",
        "\\\\server\\share",
        "a//b",
        "./a",
        "..",
        "a/./b",
        "",
        "a\0b",
        "a\nb",
        "a/..",
        "../",
        &"x".repeat(2_000),
    ] {
        let error =
            refused("a.zip", made(&[Raw::new("good", b"x"), Raw::new(name, b"x")], None), json!({"to": "files"})).await;
        assert_eq!(error.code, "ZIP_UNSAFE_NAME", "{name:?}: {error}");
        assert!(error.message.contains("Nothing of it was unpacked"), "{error}");
    }
}

#[tokio::test]
async fn e4_links_and_devices_are_no_files() {
    for (mode, attributes) in [(0o120_777, 0), (0o020_666, 0), (0o060_660, 0), (0o010_644, 0), (0o140_755, 0)] {
        let raw = Raw { mode, attributes, ..Raw::new("link", b"/etc/passwd") };
        let error = refused("a.zip", made(&[raw], None), json!({"to": "files"})).await;
        assert!(error.code == "ZIP_UNSAFE_MEMBER" && error.message.contains("\"link\""), "{mode:o}: {error}");
    }
}

#[tokio::test]
async fn e4_what_unpacks_to_too_much_is_not_unpacked() {
    let zeros = Raw::deflated("zeros", &vec![0; 8 << 20]);
    let archive = made(std::slice::from_ref(&zeros), None);
    assert!(archive.len() < 10_000);
    for (config, says) in [
        (json!({"to": "files"}), "more than 200 times; bombs are made so. Set config.zip.max_ratio, up to 1100"),
        (
            json!({"to": "files", "zip": {"max_bytes": 1000}}),
            "8388608 bytes; 1000 are allowed. Set config.zip.max_bytes",
        ),
    ] {
        let error = refused("a.zip", &archive, config).await;
        assert!(error.code == "ZIP_TOO_LARGE" && error.message.contains(says), "{error}");
    }
    let trusted = json!({"zip": {"max_ratio": 1100}});
    assert_eq!(unpacked(&archive, trusted.clone()).await.unwrap()[0].1.len(), 8 << 20);
    // One that says it is small gives no byte more than it says.
    for size in [0, 1, 1_000_000] {
        let liar = Raw { size, ..zeros.clone() };
        let error = unpacked(&made(&[liar], None), trusted.clone()).await.unwrap_err();
        assert!(error.code == "ZIP_DAMAGED" && error.message.contains("more bytes than it says"), "{error}");
    }
    let many: Vec<Raw> = (0..1_001).map(|n| Raw::new(&format!("{n}"), b"")).collect();
    let error = refused("a.zip", made(&many, None), json!({"to": "files"})).await;
    assert!(error.code == "ZIP_TOO_LARGE" && error.message.contains("1001 members; 1000 are allowed"), "{error}");
    assert_eq!(unpacked(&made(&many, None), json!({"zip": {"max_members": 1001}})).await.unwrap().len(), 1_001);
    // Says that it has many, and has none: nothing is set aside for them.
    let error = refused("a.zip", made(&[], Some(900)), json!({"to": "files"})).await;
    assert_eq!(error.code, "ZIP_INVALID");
}

#[tokio::test]
async fn e4_an_archive_in_an_archive_stays_a_file() {
    let inner = packed(&[("deep.txt", b"deep")]);
    let files = unpacked(&packed(&[("inner.zip", &inner), ("42.zip", &inner)]), json!({})).await.unwrap();
    assert_eq!(files, [("inner.zip".to_owned(), inner.clone()), ("42.zip".to_owned(), inner)]);
}

#[tokio::test]
async fn e4_members_that_share_bytes_are_refused() {
    // As David Fifield's bomb: every member is the same bytes.
    let kernel = Raw::deflated("0", &vec![0; 500_000]);
    let alias = |n: usize| Raw { name: format!("{n}").into_bytes(), at: Some(0), ..kernel.clone() };
    let bomb: Vec<Raw> = std::iter::once(kernel.clone()).chain((1..5).map(alias)).collect();
    let error = refused("a.zip", made(&bomb, None), json!({"to": "files"})).await;
    assert_eq!(error.code, "ZIP_INVALID", "{error}");
    // Where the names agree, too.
    let same = |n: usize| Raw { name: vec![b'a'; n], local_name: Some(vec![b'a'; n]), ..kernel.clone() };
    let inner = Raw { bytes: made(&[same(2)], None), method: 0, ..same(1) };
    let inner = Raw { size: inner.bytes.len() as u32, ..inner };
    let overlap = Raw { at: Some(31), ..same(2) };
    let error = refused("a.zip", made(&[inner, overlap], None), json!({"to": "files"})).await;
    assert_eq!(error.code, "ZIP_OVERLAP", "{error}");
    let error = refused("a.zip", made(&[Raw::new("a", b"1"), Raw::new("a", b"2")], None), json!({"to": "files"})).await;
    assert!(error.code == "ZIP_INVALID" && error.message.contains("two members called \"a\""), "{error}");
    let other = Raw { local_name: Some(b"evil".to_vec()), ..Raw::new("good", b"x") };
    let error = refused("a.zip", made(&[other], None), json!({"to": "files"})).await;
    assert!(error.code == "ZIP_INVALID" && error.message.contains("another name"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_unpacked_says_why() {
    let archive = packed(&[("a.txt", b"hello, hello, hello, hello")]);
    for (bytes, code) in [
        (b"no archive".to_vec(), "ZIP_INVALID"),
        (Vec::new(), "ZIP_INVALID"),
        (archive[..archive.len() - 1].to_vec(), "ZIP_INVALID"),
        ([b"#!/bin/sh\n", archive.as_slice()].concat(), "ZIP_INVALID"),
        (made(&[Raw { flags: 1, ..Raw::new("a", b"x") }], None), "ZIP_ENCRYPTED"),
        (made(&[Raw { method: 14, ..Raw::new("a", b"x") }], None), "ZIP_METHOD_UNSUPPORTED"),
        (made(&[Raw { size: 5, ..Raw::new("a", b"x") }], None), "ZIP_INVALID"),
        (made(&[Raw::new("a/", b"x")], None), "ZIP_INVALID"),
        (made(&[Raw { mode: 0o040_755, ..Raw::new("a", b"x") }], None), "ZIP_INVALID"),
    ] {
        let error = refused("a.zip", bytes, json!({"to": "files"})).await;
        assert_eq!(error.code, code, "{error}");
    }
    for raw in [
        Raw { crc: 7, ..Raw::new("a", b"x") },
        Raw { size: 50, ..Raw::deflated("a", b"x") },
        Raw { bytes: vec![0xFF; 20], ..Raw::deflated("a", b"x") },
    ] {
        let error = unpacked(&made(&[raw], None), json!({})).await.unwrap_err();
        assert!(error.code == "ZIP_DAMAGED" && error.message.contains("\"a\""), "{error}");
    }
}

//! How bytes go through: a few pieces at a time, to the end or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use engine::id::ArtifactId;
use futures::StreamExt as _;

use super::*;
use crate::file::{FileBytes, FileHandle, FileName, Files, NewFile};
use crate::testing::with_files;

/// A store with one file that is never there as a whole, and that keeps nothing: it only sees how much was read whenever
/// something is written.
#[derive(Debug, Default)]
struct Stream {
    head: Bytes,
    piece: Bytes,
    count: usize,
    tail: Bytes,
    /// Before which piece the store fails.
    breaks_at: Option<usize>,
    read: AtomicUsize,
    written: AtomicUsize,
    seen: Mutex<Vec<(usize, usize)>>,
    names: Mutex<Vec<String>>,
}

impl Stream {
    /// Of a piece so many times.
    fn of(piece: &str, count: usize) -> Self {
        Self { piece: Bytes::copy_from_slice(piece.as_bytes()), count, ..Self::default() }
    }

    /// The same as a list of JSON.
    fn list_of(piece: &str, count: usize) -> Self {
        Self { head: Bytes::from("["), tail: Bytes::from("0]"), ..Self::of(piece, count) }
    }

    fn handle(&self, name: &str) -> FileHandle {
        let id = "art_01920000000070008000000000000001".parse().unwrap();
        let size = (self.head.len() + self.piece.len() * self.count + self.tail.len()) as u64;
        FileHandle { id, name: FileName::parse(name).unwrap(), media_type: String::new(), size, sha256: [0; 32] }
    }

    /// How many bytes were read of which nothing was written yet, at the most.
    fn furthest(&self) -> f64 {
        let share = self.read.load(Ordering::SeqCst) as f64 / self.written.load(Ordering::SeqCst) as f64;
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(read, written)| *read as f64 - *written as f64 * share).fold(0.0, f64::max)
    }
}

/// The same, to be read on under a name.
#[derive(Debug, Clone)]
struct Passing(Arc<Stream>, &'static str);

#[async_trait]
impl Files for Passing {
    async fn keep(&self, new: NewFile, mut bytes: FileBytes) -> Result<FileHandle, ErrorInfo> {
        let Self(stream, name) = self;
        while let Some(piece) = bytes.next().await {
            let len = piece?.len();
            let written = stream.written.fetch_add(len, Ordering::SeqCst);
            stream.seen.lock().unwrap().push((stream.read.load(Ordering::SeqCst), written));
        }
        stream.names.lock().unwrap().push(new.name.to_string());
        Ok(stream.handle(name))
    }

    async fn find(&self, _: ArtifactId) -> Result<FileHandle, ErrorInfo> {
        Ok(self.0.handle(self.1))
    }

    async fn read(&self, _: &FileHandle) -> Result<FileBytes, ErrorInfo> {
        let stream = Arc::clone(&self.0);
        let pieces = futures::stream::iter(0..stream.count + 2).map(move |n| {
            if stream.breaks_at == Some(n) {
                return Err(ErrorInfo::transient("ARTIFACT_STORE_FAILED", "the disk is gone"));
            }
            let piece = match n {
                0 => &stream.head,
                n if n == stream.count + 1 => &stream.tail,
                _ => &stream.piece,
            };
            stream.read.fetch_add(piece.len(), Ordering::SeqCst);
            Ok(piece.clone())
        });
        Ok(pieces.boxed())
    }
}

async fn passes(stream: &Arc<Stream>, name: &'static str, config: Value) -> Result<Value, ErrorInfo> {
    let mut config = config;
    let handle = stream.handle(name).value();
    config["file"] = if config["to"] == "zip" { json!([handle]) } else { handle };
    with_files(&Convert, Arc::new(Passing(Arc::clone(stream), name)), config, json!(null)).await
}

#[tokio::test]
async fn files_of_any_size_go_through_in_a_few_pieces() {
    let row = "1234567,some text,more of it,98.765\n".repeat(2_000);
    let line = "{\"a\": 12345, \"b\": \"some text\", \"c\": [1, 2, 3]}\n".repeat(1_500);
    let item = line.replace('\n', ",\n");
    let lists = |to: &str| json!({"to": to, "csv": {"header": false}});
    // Bytes that do not shrink when they are packed.
    let mut state = 1_u32;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from((state >> 25) as u8)
    })
    .take(70_000)
    .collect();
    for (name, stream, config) in [
        ("a.csv", Stream::of(&row, 60), lists("jsonl")),
        ("a.csv", Stream::of(&row, 60), lists("json")),
        ("a.csv", Stream::of(&row, 60), lists("csv")),
        ("a.jsonl", Stream::of(&line, 60), json!({"to": "csv"})),
        ("a.jsonl", Stream::of(&line, 60), json!({"to": "json"})),
        ("a.json", Stream::list_of(&item, 60), json!({"to": "jsonl"})),
        ("a.txt", Stream::of(&"grün\n".repeat(12_000), 60), json!({"to": "text"})),
        ("a.bin", Stream::of(&noise, 60), json!({"to": "base64"})),
        ("a.b64", Stream::of(&"AAAA".repeat(17_500), 60), json!({"to": "bytes"})),
        ("a.bin", Stream::of(&noise, 60), json!({"to": "zip"})),
    ] {
        let stream = Arc::new(stream);
        passes(&stream, name, config.clone()).await.unwrap();
        let (all, written) = (stream.handle(name).size as usize, stream.written.load(Ordering::SeqCst));
        assert_eq!(stream.read.load(Ordering::SeqCst), all, "{name} {config}");
        assert!(all > 4_000_000 && written > 2_000_000, "{name} {config}: {all} became {written}");
        let furthest = stream.furthest();
        assert!(furthest < 1_200_000.0, "{name} {config}: {furthest} bytes were held");
    }
}

#[tokio::test]
async fn what_is_wrong_ends_the_reading_where_it_stands() {
    let stream = Arc::new(Stream::of(&"{\"a\": 1},\n".repeat(6_000), 1_000));
    let error = passes(&stream, "a.json", json!({"to": "csv"})).await.unwrap_err();
    assert_eq!(error.code, "FILE_DOCUMENT_TOO_LARGE", "it is no list: {error}");
    assert!(stream.read.load(Ordering::SeqCst) < 18 << 20);
    let stream = Arc::new(Stream::of(&"{\"a\": 1},\n".repeat(6_000), 1_000));
    let error = passes(&stream, "a.jsonl", json!({"to": "csv"})).await.unwrap_err();
    assert_eq!(error.code, "FILE_NOT_JSON", "{error}");
    assert!(stream.read.load(Ordering::SeqCst) < 1 << 20, "{:?}", stream.read);
}

#[tokio::test]
async fn what_breaks_off_is_no_file_and_says_what_the_store_said() {
    for (name, config) in [("a.csv", json!({"to": "jsonl"})), ("a.csv", json!({})), ("a.csv", json!({"to": "zip"}))] {
        let stream = Arc::new(Stream { breaks_at: Some(5), ..Stream::of("1,2\n3,4\n", 10) });
        let error = passes(&stream, name, config.clone()).await.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("ARTIFACT_STORE_FAILED", "the disk is gone"),
            "{config}"
        );
        assert_eq!(*stream.names.lock().unwrap(), [""; 0], "{config}");
    }
    let shelf = Shelf::of_at_most(1_000_000);
    let file = shelf.put("a.csv", "", "a,b\n1,2\n".repeat(500_000).as_bytes()).value();
    for to in ["jsonl", "csv", "base64", "json", "text"] {
        let config = json!({"file": file, "to": to});
        let error = kept_by(&Convert, &shelf, config, json!(null)).await.unwrap_err();
        assert_eq!(error.code, "FILE_TOO_LARGE", "{to}");
        assert_eq!(shelf.files().len(), 1);
    }
}

#[tokio::test]
async fn many_at_a_time_wait_for_one_another() {
    let shelf = Shelf::default();
    let file = shelf.put("a.csv", "", "a,b\n1,2\n".repeat(50_000).as_bytes()).value();
    let all = (0..50).map(|_| kept_by(&Convert, &shelf, json!({"file": file, "to": "jsonl"}), json!(null)));
    for output in futures::future::join_all(all).await {
        assert_eq!(output.unwrap()["name"], "a.jsonl");
    }
}

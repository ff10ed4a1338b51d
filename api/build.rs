//! Puts the built pages of `web/dist` into the program, when somebody has built them.

#![allow(clippy::disallowed_methods, reason = "cargo tells a build script where it is by the environment")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Encodings that may lie beside a file, by their suffix.
const ENCODED: [&str; 2] = ["br", "gz"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../web/dist");
    let out = PathBuf::from(variable("OUT_DIR")?).join("pages.rs");
    // A path that is not there would run this, and compile the crate, at every build; scripts/build-web touches this file
    // when it makes the folder.
    println!("cargo::rerun-if-changed=build.rs");
    if root.is_dir() {
        println!("cargo::rerun-if-changed={}", root.display());
    }
    let mut files = Vec::new();
    if root.is_dir() {
        collect(&root, &mut files)?;
    }
    files.sort();
    let mut text = "static FILES: &[File] = &[\n".to_owned();
    for file in files.iter().filter(|file| is_served(&root, file)) {
        let path = relative(&root, file);
        let bytes = |suffix: &str| {
            let file = PathBuf::from(format!("{}{suffix}", file.display()));
            file.is_file().then(|| format!("include_bytes!({:?})", file.display().to_string()))
        };
        let optional = |code: Option<String>| code.map_or_else(|| "None".to_owned(), |code| format!("Some({code})"));
        let plain = bytes("").unwrap_or_default();
        let (br, gz) = (optional(bytes(".br")), optional(bytes(".gz")));
        // A string takes every write.
        let _ = writeln!(text, "    File {{ path: {path:?}, plain: {plain}, br: {br}, gz: {gz} }},");
    }
    text.push_str("];\n");
    fs::write(out, text)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Not what only the build needs, and not the encodings, which belong to their file.
fn is_served(root: &Path, file: &Path) -> bool {
    let is_hidden = relative(root, file).split('/').any(|part| part.starts_with('.'));
    let is_encoded =
        file.extension().and_then(|suffix| suffix.to_str()).is_some_and(|suffix| ENCODED.contains(&suffix));
    !is_hidden && !is_encoded
}

fn relative(root: &Path, file: &Path) -> String {
    let parts = file.strip_prefix(root).unwrap_or(file).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

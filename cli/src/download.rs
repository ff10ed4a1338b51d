//! What a server sends, as a file: whole, or not at all.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::client::Client;
use crate::exit::{Exit, Failure};

/// Writes what a path answers into a file, `size` bytes where it is known how many; how many came.
pub(crate) async fn into_file(
    client: &Client,
    path: &str,
    to: &Path,
    force: bool,
    size: Option<u64>,
) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, "FILE", format!("{}: {error}", to.display()));
    let mut open = OpenOptions::new();
    let open = if force { open.write(true).create(true).truncate(true) } else { open.write(true).create_new(true) };
    let mut target = open.open(to).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => failed(error).hint("replace it with --force, or name another by --to"),
        _ => failed(error),
    })?;
    let (mut wrote, mut count) = (Ok(()), 0);
    let came = client.download(path, &[], |piece| {
        if wrote.is_ok() {
            wrote = target.write_all(piece);
            count += piece.len() as u64;
        }
    });
    let came = came.await.and_then(|()| wrote.map_err(failed)).and_then(|()| match size {
        // A server that finds bytes damaged breaks off before their end.
        Some(size) if size != count => {
            let message = format!("{}: not all of the file came; try again", to.display());
            Err(Failure::new(Exit::Failed, "BROKE_OFF", message))
        }
        _ => Ok(count),
    });
    if came.is_err() {
        // Half a file looks like one.
        drop(std::fs::remove_file(to));
    }
    came
}

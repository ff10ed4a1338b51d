//! Between the store, which is asynchronous, and the converters, which are not. A converter works on a thread where it
//! may wait; it reads what a few pieces ahead of it came and writes into a few pieces, so that a file of any size goes
//! through in the same memory.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes, BytesMut};
use engine::error::ErrorInfo;
use futures::StreamExt as _;
use tempfile::SpooledTempFile;
use tokio::sync::{Semaphore, mpsc};

use crate::file::{FileBytes, FileHandle, Files, NewFile};

/// Pieces that wait between two sides.
const AHEAD: usize = 2;
/// Bytes of a piece that is written.
const PIECE: usize = 128 * 1024;
/// Bytes of a spool that stay in memory.
const IN_MEMORY: usize = 1024 * 1024;
/// Conversions at a time in a process. Threads that wait are few, and the store needs some of them itself.
static AT_ONCE: Semaphore = Semaphore::const_new(8);
/// What the file of a converter that failed ends with; never seen by anybody.
const UNFINISHED: &str = "FILE_UNFINISHED";

/// The first thing that went wrong, told past the parsers between: they would make a text of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<ErrorInfo>>>);

impl Trouble {
    /// Keeps the error, and gives one that stops whoever reads.
    pub(super) fn stop(&self, error: ErrorInfo) -> io::Error {
        let stopped = io::Error::other(error.message.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        stopped
    }

    fn take(&self) -> Option<ErrorInfo> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

enum Came {
    Bytes(Bytes),
    End,
    Failed(ErrorInfo),
}

/// The bytes of the files that a converter reads, one after another.
pub(super) struct Inputs {
    came: mpsc::Receiver<Came>,
    piece: Bytes,
    is_over: bool,
    trouble: Trouble,
}

impl Inputs {
    /// Goes on to the next file.
    pub(super) fn next_file(&mut self) {
        self.is_over = false;
    }

    /// Where to tell what went wrong in what stands between.
    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    /// All that comes, where one can go back and forth: in memory, or in a file without a name that is gone with us.
    pub(super) fn spool(&mut self) -> Result<SpooledTempFile, ErrorInfo> {
        let mut spool = SpooledTempFile::new(IN_MEMORY);
        io::copy(self, &mut spool).map_err(|error| {
            let message =
                format!("the file cannot be put on the server's disk for a while, which its format needs: {error}");
            ErrorInfo::transient("FILE_UNREADABLE", message)
        })?;
        Ok(spool)
    }
}

impl Read for Inputs {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.piece.is_empty() {
                let count = self.piece.len().min(buffer.len());
                self.piece.copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
                return Ok(count);
            }
            if self.is_over {
                return Ok(0);
            }
            match self.came.blocking_recv() {
                Some(Came::Bytes(bytes)) => self.piece = bytes,
                Some(Came::End) => self.is_over = true,
                Some(Came::Failed(error)) => return Err(self.trouble.stop(error)),
                None => return Err(self.trouble.stop(unfinished())),
            }
        }
    }
}

fn unfinished() -> ErrorInfo {
    ErrorInfo::unknown(UNFINISHED, "the conversion was given up")
}

/// What is written of one file: pieces, and none at its end.
type Piece = Option<Bytes>;

/// The files that a converter makes, one after another.
pub(super) struct Outputs {
    files: mpsc::Sender<(NewFile, mpsc::Receiver<Piece>)>,
    open: Option<mpsc::Sender<Piece>>,
    gathered: BytesMut,
}

impl Outputs {
    /// Begins a file.
    pub(super) fn begin(&mut self, new: NewFile) -> io::Result<()> {
        let (pieces, written) = mpsc::channel(AHEAD);
        self.files.blocking_send((new, written)).map_err(|_| gone())?;
        self.open = Some(pieces);
        Ok(())
    }

    /// Ends the file. One that is not ended is not kept.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let rest = self.gathered.split().freeze();
        if !rest.is_empty() {
            self.send(Some(rest))?;
        }
        self.send(None)?;
        self.open = None;
        Ok(())
    }

    fn send(&mut self, piece: Piece) -> io::Result<()> {
        self.open.as_ref().ok_or_else(gone)?.blocking_send(piece).map_err(|_| gone())
    }
}

impl Write for Outputs {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(buffer);
        while self.gathered.len() >= PIECE {
            let piece = self.gathered.split_to(PIECE).freeze();
            self.send(Some(piece))?;
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever keeps the file stopped, and says why.
fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::BrokenPipe)
}

/// What an error of writing comes to when whoever keeps the file does not say more.
pub(super) fn unwritten(error: &io::Error) -> ErrorInfo {
    ErrorInfo::unknown(UNFINISHED, format!("the file cannot be written: {error}"))
}

/// Lets `work` read these files and make others. Its result, and what it made.
pub(super) async fn run<T: Send + 'static>(
    files: &Arc<dyn Files>,
    sources: &[FileHandle],
    work: impl FnOnce(&mut Inputs, &mut Outputs) -> Result<T, ErrorInfo> + Send + 'static,
) -> Result<(T, Vec<FileHandle>), ErrorInfo> {
    let turn = AT_ONCE.acquire().await.map_err(|_| unfinished())?;
    let trouble = Trouble::default();
    let (send, came) = mpsc::channel(AHEAD);
    let (make, made) = mpsc::channel(1);
    let mut inputs = Inputs { came, piece: Bytes::new(), is_over: false, trouble: trouble.clone() };
    let mut outputs = Outputs { files: make, open: None, gathered: BytesMut::new() };
    let worker = tokio::task::spawn_blocking(move || {
        // A converter whose attempt was given up still holds its turn until it notices.
        let _turn = turn;
        work(&mut inputs, &mut outputs)
    });
    let ((), kept, worked) = tokio::join!(feed(files, sources, send), keep(files, made), worker);
    let worked = worked.unwrap_or_else(|error| {
        let message = format!("the file could not be converted, by a defect of the converter: {error}");
        Err(ErrorInfo::permanent("FILE_UNREADABLE", message))
    });
    match (kept, worked) {
        (Err(error), _) if error.code != UNFINISHED => Err(error),
        (_, Err(error)) => Err(trouble.take().unwrap_or(error)),
        (Err(error), Ok(_)) => Err(error),
        (Ok(kept), Ok(result)) => Ok((result, kept)),
    }
}

/// Brings the bytes of the files, until nobody takes any more.
async fn feed(files: &Arc<dyn Files>, sources: &[FileHandle], send: mpsc::Sender<Came>) {
    for source in sources {
        let mut pieces = match files.read(source).await {
            Ok(pieces) => pieces,
            Err(error) => {
                let _ = send.send(Came::Failed(error)).await;
                return;
            }
        };
        while let Some(piece) = pieces.next().await {
            if send.send(piece.map_or_else(Came::Failed, Came::Bytes)).await.is_err() {
                return;
            }
        }
        if send.send(Came::End).await.is_err() {
            return;
        }
    }
}

/// Keeps the files that are made.
async fn keep(
    files: &Arc<dyn Files>,
    mut made: mpsc::Receiver<(NewFile, mpsc::Receiver<Piece>)>,
) -> Result<Vec<FileHandle>, ErrorInfo> {
    let mut kept = Vec::new();
    while let Some((new, written)) = made.recv().await {
        kept.push(files.keep(new, stream(written)).await?);
    }
    Ok(kept)
}

fn stream(written: mpsc::Receiver<Piece>) -> FileBytes {
    let pieces = futures::stream::unfold(Some(written), |written| async {
        let mut written = written?;
        match written.recv().await {
            Some(Some(bytes)) => Some((Ok(bytes), Some(written))),
            Some(None) => None,
            None => Some((Err(unfinished()), None)),
        }
    });
    pieces.boxed()
}

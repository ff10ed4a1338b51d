//! A way for a driver that connects by itself to a server whose address we have checked.
//!
//! Drivers resolve names once more, and what they get then may be another address. So the driver is given a socket in
//! a folder of its own, and all that passes through goes over the connection that is there already. Encryption is
//! between driver and server, by the server's name. What the server sends is counted on the way, so that no answer can
//! fill the memory before anybody has looked at it.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener};

use super::SqlError;
use super::limit::{MOST_BYTES, MOST_SENT};

/// A socket that one driver may connect to.
pub(super) struct Tunnel {
    folder: PathBuf,
    listener: UnixListener,
}

impl Tunnel {
    /// Opens a socket of this name in a new folder that nobody else may enter.
    pub(super) fn open(name: &str) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut tries = 0;
        let folder = loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("flowforge-{}-{count}", std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => break folder,
                // Of a process that had our number and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 1_000 => tries += 1,
                Err(error) => return Err(error),
            }
        };
        match UnixListener::bind(folder.join(name)) {
            Ok(listener) => Ok(Self { folder, listener }),
            Err(error) => {
                drop(std::fs::remove_dir(&folder));
                Err(error)
            }
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does the work while what its driver says goes to the server and back.
    pub(super) async fn during<T>(
        &self,
        mut server: TcpStream,
        work: impl Future<Output = Result<T, SqlError>>,
    ) -> Result<T, SqlError> {
        let sent_too_much = AtomicBool::new(false);
        let carrying = async {
            let Ok((mut driver, _)) = self.listener.accept().await else { return };
            let (mut from_server, mut to_server) = server.split();
            let (mut from_driver, mut to_driver) = driver.split();
            let up = async {
                drop(tokio::io::copy(&mut from_driver, &mut to_server).await);
                drop(to_server.shutdown().await);
            };
            let down = async {
                let mut buffer = vec![0; 32 * 1024];
                let mut total = 0_u64;
                while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
                    total = total.saturating_add(length as u64);
                    if total > MOST_SENT {
                        return true;
                    }
                    let Some(part) = buffer.get(..length) else { break };
                    if to_driver.write_all(part).await.is_err() {
                        break;
                    }
                }
                drop(to_driver.shutdown().await);
                false
            };
            let (down, up) = (std::pin::pin!(down), std::pin::pin!(up));
            let too_much = match futures::future::select(down, up).await {
                futures::future::Either::Left((too_much, _)) => too_much,
                futures::future::Either::Right(((), down)) => down.await,
            };
            sent_too_much.store(too_much, Ordering::Relaxed);
        };
        let (work, carrying) = (std::pin::pin!(work), std::pin::pin!(carrying));
        let done = match futures::future::select(work, carrying).await {
            futures::future::Either::Left((done, _)) => done,
            // The driver sees the end of the connection, and says what that means to it.
            futures::future::Either::Right(((), work)) => work.await,
        };
        if sent_too_much.load(Ordering::Relaxed) && done.is_err() { Err(SqlError::TooLarge(MOST_BYTES)) } else { done }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

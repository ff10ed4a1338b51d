//! What a command on the server itself does with master keys.

use runtime::clock::Clock;
use runtime::secret::{KeyUse, Rotation, Secrets};

use crate::ServeError;
use crate::config::Config;
use crate::server::{prepared_database, secrets};

/// The master keys that wrap something, or are at hand.
///
/// # Errors
/// When the database or a key file cannot be used.
pub async fn status(config: &Config) -> Result<Vec<KeyUse>, ServeError> {
    with(config, async |secrets| Ok(secrets.key_uses().await?)).await
}

/// Changes the master key while servers run: each workspace's key is wrapped anew.
///
/// # Errors
/// When there is no master key, or the database or the key file cannot be used.
pub async fn rotate(config: &Config) -> Result<Rotation, ServeError> {
    with(config, async |secrets| {
        secrets.prepare().await?;
        Ok(secrets.rotate().await?)
    })
    .await
}

/// Takes master keys that wrap nothing any more out of the key file.
///
/// # Errors
/// When the keys are in no file, or the database or the file cannot be used.
pub async fn remove_old(config: &Config) -> Result<Vec<String>, ServeError> {
    with(config, async |secrets| Ok(secrets.remove_old().await?)).await
}

async fn with<T>(config: &Config, work: impl AsyncFnOnce(&Secrets) -> Result<T, ServeError>) -> Result<T, ServeError> {
    let clock = Clock::system();
    let database = prepared_database(config, &clock).await?;
    let done = work(&secrets(config, &database, &clock)).await;
    database.close().await;
    done
}

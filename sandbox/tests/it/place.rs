//! Pools of real children, and jobs for them.

use std::time::Duration;

use sandbox::{Failure, Job, Pool, PoolConfig, Report};
use serde_json::Value;

pub(crate) const MEBIBYTE: u64 = 1024 * 1024;
/// The tenant that most tests are.
pub(crate) const TENANT: u128 = 1;

pub(crate) fn config() -> PoolConfig {
    PoolConfig::new(env!("CARGO_BIN_EXE_sandbox-child").into(), "/".into())
}

pub(crate) fn pool() -> Pool {
    Pool::new(config()).unwrap()
}

/// A job with room enough for anything sensible.
pub(crate) fn job(source: &str) -> Job {
    Job {
        source: source.to_owned(),
        input: r#"{"name":"Ada","rows":[{"price":2}]}"#.to_owned(),
        now: 1_767_225_600_000,
        seed: [1, 2, 3, 4],
        time: Duration::from_secs(10),
        memory: 64 * MEBIBYTE,
        output: MEBIBYTE,
    }
}

pub(crate) async fn report(pool: &Pool, job: Job) -> Report {
    pool.execute(TENANT, job).await.unwrap()
}

/// The result of a script that ends well.
pub(crate) async fn value(pool: &Pool, source: &str) -> Value {
    let report = report(pool, job(source)).await;
    let text = report.result.unwrap_or_else(|failure| panic!("{failure:?} of {source}"));
    serde_json::from_str(&text).unwrap()
}

/// Why a script does not end well.
pub(crate) async fn failure(pool: &Pool, job: Job) -> Failure {
    let source = job.source.clone();
    match report(pool, job).await.result {
        Err(failure) => failure,
        Ok(text) => panic!("{text} of {source}"),
    }
}

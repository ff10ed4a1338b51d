//! Whose turn it is, and who has a child.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use sandbox::{Failure, Job, Pool, PoolConfig};

use crate::place::{config, job, pool, value};

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_many_tenants_all_get_their_own_results() {
    let pool = Pool::new(PoolConfig { processes: 2, ..config() }).unwrap();
    let jobs = (0..60u32).map(|n| {
        let pool = pool.clone();
        async move {
            let job = Job { input: n.to_string(), ..job("return input * 2") };
            let report = pool.execute(u128::from(n % 4), job).await.unwrap();
            assert_eq!(report.result, Ok((n * 2).to_string()));
        }
    });
    join_all(jobs).await;
    assert!(pool.resting().len() <= 3, "two children and one that is kept ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_floods_does_not_keep_another_waiting() {
    let pool = Pool::new(PoolConfig { processes: 1, ..config() }).unwrap();
    let done = Arc::new(AtomicU32::new(0));
    let flood = (0..40).map(|_| {
        let (pool, done) = (pool.clone(), done.clone());
        async move {
            let spin = Job { time: Duration::from_millis(100), ..job("while (true) {}") };
            assert_eq!(pool.execute(1, spin).await.unwrap().result, Err(Failure::Time));
            done.fetch_add(1, Ordering::SeqCst);
        }
    });
    let other = async {
        let began = Instant::now();
        assert_eq!(pool.execute(2, job("return 1")).await.unwrap().result.as_deref(), Ok("1"));
        (done.load(Ordering::SeqCst), began.elapsed())
    };
    let (_, (before, took)) = tokio::join!(join_all(flood), other);
    assert!(before <= 3, "{before} of the other tenant came first, in {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_nobody_waits_for_any_more_is_ended() {
    let pool = Pool::new(PoolConfig { processes: 1, ..config() }).unwrap();
    value(&pool, "return 1").await;
    let endless = Job { time: Duration::from_secs(3600), ..job("while (true) {}") };
    let given_up = tokio::time::timeout(Duration::from_millis(200), pool.execute(1, endless)).await;
    assert!(given_up.is_err());
    let began = Instant::now();
    assert_eq!(value(&pool, "return 2").await, 2);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_up_in_the_queue_is_passed_over() {
    let pool = Pool::new(PoolConfig { processes: 1, ..config() }).unwrap();
    value(&pool, "return 1").await;
    let busy = Job { time: Duration::from_millis(400), ..job("while (true) {}") };
    let endless = Job { time: Duration::from_secs(3600), ..job("while (true) {}") };
    let began = Instant::now();
    // Polled in this order: the first has the turn, the others wait.
    let (busy, given_up, next) = tokio::join!(
        pool.execute(1, busy),
        tokio::time::timeout(Duration::from_millis(50), pool.execute(1, endless)),
        pool.execute(1, job("return 3")),
    );
    assert_eq!(busy.unwrap().result, Err(Failure::Time));
    assert!(given_up.is_err());
    assert_eq!(next.unwrap().result.as_deref(), Ok("3"));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_child_is_replaced_after_its_share_of_scripts() {
    let pool = Pool::new(PoolConfig { most_executions: 2, processes: 1, ..config() }).unwrap();
    for n in 0..7 {
        assert_eq!(value(&pool, &format!("return {n}")).await, n);
    }
}

#[tokio::test]
async fn no_child_is_kept_for_nothing() {
    let pool = Pool::new(PoolConfig { idle: Duration::from_millis(10), ..config() }).unwrap();
    assert_eq!(pool.resting(), [] as [u32; 0], "none before the first script");
    value(&pool, "return 1").await;
    let gone = tokio::time::timeout(Duration::from_secs(10), async {
        while !pool.resting().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.unwrap();
    assert_eq!(value(&pool, "return 1").await, 1, "and there is one again when it is needed");
}

#[tokio::test]
async fn a_probe_tells_whether_scripts_can_be_run_and_leaves_none_at_work() {
    let pool = pool();
    assert!(matches!(pool.probe(), sandbox::Health::Ready(_)));
}

/// A note on speed, not a test of it: run with `--nocapture --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints how long a warm hand-over takes"]
async fn hand_over() {
    let pool = pool();
    value(&pool, "return 1").await;
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..2_000 {
        let began = Instant::now();
        pool.execute(1, job("return input.name")).await.unwrap();
        took.push(began.elapsed());
    }
    took.sort();
    println!("warm hand-over: p50 {:?}, p99 {:?}", took[1_000], took[1_980]);
}

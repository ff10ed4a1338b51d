use std::time::{Duration, Instant};

use engine::drive::batch::{Claim, FlushOutcome};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::database::JournalPool;
use crate::journal::conformance::Bench;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_flushes_are_one_statement_to_the_server_and_so_are_all_intakes() {
    let bench = Bench::postgres().await;
    let mut connection = PgConnection::connect(&bench.test.url).await.unwrap();
    connection.execute("CREATE EXTENSION pg_stat_statements").await.unwrap();
    for size in [1, 2, 50] {
        let lines = bench.owned(bench.owner, size).await;
        let flushes = lines.iter().map(|line| line.leave(Claim::Ready)).collect();
        bench.flush(bench.owner, flushes).await;
    }
    for comment in ["flush", "intake"] {
        let (entries, calls): (i64, i64) = sqlx::query_as(
            "SELECT count(*), sum(calls)::bigint FROM pg_stat_statements
             WHERE query LIKE '/* ' || $1 || ' */%'
                AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind(comment)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!((entries, calls), (1, 3), "{comment}");
    }
}

/// What a process that stopped in the middle of a transaction would hold.
async fn holding(bench: &Bench, sql: &'static str) -> PgConnection {
    let mut connection = PgConnection::connect(&bench.test.url).await.unwrap();
    connection.execute("BEGIN").await.unwrap();
    connection.execute(sql).await.unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_over_waits_for_nobody_who_holds_a_row() {
    let bench = Bench::postgres().await;
    let lost = bench.worker().await;
    let (owned, mut free) = (bench.owned(lost, 3).await, bench.ready(3).await);
    // One that is due and one that has mail.
    let dormant = bench.owned(bench.owner, 2).await;
    let mut flushes: Vec<_> = dormant.iter().map(|line| line.leave(Claim::Dormant)).collect();
    flushes[0].row.wake_at = Some(bench.now());
    bench.flush(bench.owner, flushes).await;
    bench.journal.post(&bench.message(dormant[1].run)).await.unwrap();
    free.extend(dormant);
    let mut holder = holding(&bench, "UPDATE run SET head_seq = head_seq").await;
    let began = Instant::now();
    assert_eq!(bench.journal.claim(bench.owner, bench.now(), 10).await.unwrap(), []);
    assert_eq!(bench.journal.adopt(bench.owner, lost, bench.now(), 10, false).await.unwrap().taken, []);
    assert!(began.elapsed() < Duration::from_secs(3));
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(bench.journal.claim(bench.owner, bench.now(), 10).await.unwrap().len(), free.len());
    let adopted = bench.journal.adopt(bench.owner, lost, bench.now(), 10, false).await.unwrap();
    assert_eq!(adopted.taken.len(), owned.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_was_held_up_until_its_runs_were_taken_over_writes_nothing() {
    let bench = Bench::postgres().await;
    let lost = bench.worker().await;
    let lines = bench.owned(lost, 5).await;
    // The adopter's transaction is open when the old owner's flush arrives, and commits while that waits.
    let mut adopter = PgConnection::connect(&bench.test.url).await.unwrap();
    adopter.execute("BEGIN").await.unwrap();
    sqlx::query("UPDATE run SET owner_id = $1, owner_epoch = owner_epoch + 1")
        .bind(bench.owner.0)
        .execute(&mut adopter)
        .await
        .unwrap();
    let flush = bench.flush(lost, lines.iter().map(|line| line.flush()).collect());
    let commit = async {
        // Until the flush waits for a lock.
        let JournalPool::Postgres(pool) = bench.test.database.journal() else { unreachable!("it is PostgreSQL") };
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '/* flush */%'",
            )
            .fetch_one(pool)
            .await
            .unwrap();
            if waiting > 0 {
                break;
            }
        }
        adopter.execute("COMMIT").await.unwrap();
    };
    let (outcomes, ()) = tokio::join!(flush, commit);
    assert_eq!(outcomes, [FlushOutcome::Refused; 5]);
    for line in lines {
        assert_eq!(bench.journal.load(line.run).await.unwrap().records.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_finds_its_rows_by_index_even_when_planned_on_empty_tables() {
    let bench = Bench::postgres().await;
    bench.owned(bench.owner, 1).await;
    let JournalPool::Postgres(pool) = bench.test.database.journal() else { unreachable!("it is PostgreSQL") };
    let sql = super::FLUSH.replace("/* flush */", "PREPARE planned AS");
    let mut connection = pool.acquire().await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    let nulls = vec!["NULL"; 50].join(", ");
    let explain = format!("EXPLAIN EXECUTE planned ({nulls})");
    let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    let plan = plan.join("\n");
    assert!(!plan.contains("Seq Scan"), "{plan}");
    assert!(plan.contains("hashed SubPlan"), "{plan}");
}

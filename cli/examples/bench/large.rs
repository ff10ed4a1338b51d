//! What it costs to read one field of a large value, beside reading all of it.

use std::time::{Duration, Instant};

use engine::expression::{Budget, Expression, Scope};
use serde_json::{Value, json};

/// Rows of the value, of a kibibyte each.
const ROWS: usize = 32 * 1024;
/// Times that each way is taken; the median counts.
const TIMES: usize = 9;

struct Input(Value);

impl Scope for Input {
    fn root(&self, name: &str) -> Option<&Value> {
        (name == "input").then_some(&self.0)
    }

    fn node_output(&self, _: &str) -> Option<&Value> {
        None
    }
}

/// The bytes are in memory either way.
pub(crate) fn measure() {
    let rows: Vec<Value> = (0..ROWS).map(|id| json!({"id": id, "tags": ["a", "b"], "text": "x".repeat(980)})).collect();
    let bytes = serde_json::to_vec(&json!({"name": "large", "rows": rows})).unwrap();
    let last = Expression::compile(&format!("input.rows[{}].id", ROWS - 1)).unwrap();
    let extent = last.references().of("input");
    let by = |read: &dyn Fn() -> Value| {
        median(|| {
            let input = Input(read());
            assert_eq!(last.evaluate(&input, &mut Budget::default()).unwrap(), json!(ROWS - 1));
        })
    };
    let whole = by(&|| serde_json::from_slice(&bytes).unwrap());
    let part = by(&|| extent.read(&bytes).unwrap());
    println!("\n| one field of a value of {} MiB | ms |\n|---|---|", bytes.len() / 1024 / 1024);
    println!("| reading all of it | {:.1} |", whole.as_secs_f64() * 1_000.0);
    println!("| reading the field | {:.1} |", part.as_secs_f64() * 1_000.0);
    println!("| factor | {:.1} |", whole.as_secs_f64() / part.as_secs_f64());
}

fn median(mut what: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            what();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[TIMES / 2]
}

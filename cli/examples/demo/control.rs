//! The same results by other means: plain loops over the same file, against what the runs and the endpoint say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::endpoint::{Received, refusals};

#[derive(Default)]
struct StateFacts {
    airports: u64,
    south: f64,
    north: f64,
    latitudes: f64,
}

/// Holds the import run's result against the data file and against what the endpoint got.
pub(crate) fn import(data: &Value, run: &Value, received: &[Received]) -> anyhow::Result<Vec<String>> {
    let output = &output_of(run)?;
    let rows = data.as_array().context("the data file is not a list")?;
    let (good, bad): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| is_complete(row));
    equal("rows", &output["rows"], &json!(rows.len()))?;
    equal("complete rows", &output["complete"], &json!(good.len()))?;
    let codes: Vec<&Value> = bad.iter().map(|row| &row["iata"]).collect();
    equal("rejected airports", &output["rejected"], &json!(codes))?;

    let states = by_state(&good)?;
    equal("states", &output["states"], &json!(states.len()))?;
    let most = states.iter().max_by_key(|(_, facts)| facts.airports).context("no state has an airport")?;
    equal("the state with most airports", &output["most_airports"], &json!(most.0))?;

    let posts = one_key_each(received, "states/")?;
    equal("posts", &output["posted"], &json!(posts.len()))?;
    ensure!(posts.len() == states.len(), "{} states were posted, not {}", posts.len(), states.len());
    let mut refused = 0;
    for (name, facts) in &states {
        let address = format!("states/{name}");
        let post = posts.get(address.as_str()).with_context(|| format!("{name} was not posted"))?;
        let body = post.body.as_ref().with_context(|| format!("{name} was never taken"))?;
        equal("the name of the state", &body["state"], &json!(name))?;
        facts.agree_with(body).with_context(|| format!("state {name}"))?;
        ensure!(post.calls > refusals(&address), "{name} was taken too early");
        refused += refusals(&address);
    }
    Ok(vec![
        format!("{} rows read, {} complete, {} rejected: {}", rows.len(), good.len(), bad.len(), join(&codes)),
        format!(
            "{} states: airports counted, southernmost, northernmost and mean latitude were posted as they are",
            states.len()
        ),
        format!("{} posts taken once each, after {refused} answers of 503", posts.len()),
    ])
}

/// Holds the order run's result against its input and against what the endpoint got.
pub(crate) fn order(order: &Value, run: &Value, received: &[Received]) -> anyhow::Result<Vec<String>> {
    let output = &output_of(run)?;
    let id = order["id"].as_str().context("the order has no id")?;
    let mut total = 0.0;
    for item in order["items"].as_array().context("the order has no items")? {
        total += number(item, "quantity")? * number(item, "price")?;
    }
    close("total", number(output, "total")?, total)?;
    equal("status", &output["status"], &json!("shipped"))?;
    equal("gift wrapping", &output["gift"], &json!(false))?;
    equal("payment", &output["payment"]["reference"], &json!(format!("payment-of-{id}")))?;

    let posts = one_key_each(received, "")?;
    let taken = |collection: &str| {
        let post =
            posts.get(format!("{collection}/{id}").as_str()).with_context(|| format!("nothing in {collection}"))?;
        post.body.as_ref().with_context(|| format!("{collection} was never taken"))
    };
    close("credit asked for", number(taken("credit")?, "amount")?, total)?;
    taken("stock")?;
    close("amount shipped", number(taken("shipments")?, "total")?, total)?;
    ensure!(posts.contains_key(format!("gifts/{id}").as_str()), "gift wrapping was never asked for");
    ensure!(taken("gifts").is_err(), "gift wrapping was taken");
    Ok(vec![
        format!("order {id}: total {total:.2}, credit checked because it is over the limit"),
        "gift wrapping refused (409), handled by the error port".to_owned(),
        "paid by the signal, shipped once".to_owned(),
    ])
}

/// The output out of what `flowforge run get --output json` prints.
fn output_of(run: &Value) -> anyhow::Result<Value> {
    ensure!(run["status"] == "SUCCEEDED", "the run is {}, not SUCCEEDED: {}", run["status"], run["error"]);
    ensure!(run["output"]["truncated"] == false, "the run's output is too long to be printed whole");
    let text = run["output"]["preview"].as_str().context("the run has no output")?;
    serde_json::from_str(text).context("the run's output is not JSON")
}

fn is_complete(row: &Value) -> bool {
    let is = |name: &str, wanted: &str| row[name].as_str() == Some(wanted);
    let within = |name: &str, most: f64| row[name].as_f64().is_some_and(|degrees| degrees.abs() <= most);
    is("country", "USA")
        && !is("city", "NA")
        && !is("state", "NA")
        && within("latitude", 90.0)
        && within("longitude", 180.0)
}

fn by_state(rows: &[&Value]) -> anyhow::Result<BTreeMap<String, StateFacts>> {
    let mut states: BTreeMap<String, StateFacts> = BTreeMap::new();
    for row in rows {
        let name = row["state"].as_str().context("a row without a state")?;
        let latitude = number(row, "latitude")?;
        let facts = states.entry(name.to_owned()).or_insert(StateFacts {
            south: latitude,
            north: latitude,
            ..Default::default()
        });
        facts.airports += 1;
        facts.south = facts.south.min(latitude);
        facts.north = facts.north.max(latitude);
        facts.latitudes += latitude;
    }
    Ok(states)
}

impl StateFacts {
    #[expect(clippy::cast_precision_loss, reason = "a count of airports")]
    fn agree_with(&self, told: &Value) -> anyhow::Result<()> {
        equal("airports", &told["airports"], &json!(self.airports))?;
        close("south", number(told, "south")?, self.south)?;
        close("north", number(told, "north")?, self.north)?;
        close("latitude", number(told, "latitude")?, self.latitudes / self.airports as f64)
    }
}

/// What the endpoint got below `prefix`, by address. Two keys for one address would be an effect that happened twice.
fn one_key_each<'r>(received: &'r [Received], prefix: &str) -> anyhow::Result<BTreeMap<&'r str, &'r Received>> {
    let mut posts = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for post in received.iter().filter(|post| post.address.starts_with(prefix)) {
        if posts.insert(post.address.as_str(), post).is_some() {
            twice.insert(&post.address);
        }
    }
    ensure!(twice.is_empty(), "posted with more than one idempotency key: {twice:?}");
    Ok(posts)
}

fn equal(what: &str, told: &Value, control: &Value) -> anyhow::Result<()> {
    if told != control {
        bail!("{what}: the run says {told}, the control says {control}");
    }
    Ok(())
}

fn close(what: &str, told: f64, control: f64) -> anyhow::Result<()> {
    ensure!(
        (told - control).abs() < 1e-9 * control.abs().max(1.0),
        "{what}: the run says {told}, the control {control}"
    );
    Ok(())
}

fn number(value: &Value, name: &str) -> anyhow::Result<f64> {
    value[name].as_f64().with_context(|| format!("`{name}` is not a number in {value}"))
}

fn join(codes: &[&Value]) -> String {
    codes.iter().filter_map(|code| code.as_str()).collect::<Vec<_>>().join(" ")
}

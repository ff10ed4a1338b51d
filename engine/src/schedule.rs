//! When a schedule fires: cron expressions and intervals in a time zone, and what becomes of ticks that nobody saw.
//!
//! A *tick* is a time that the rule names. It fires at the tick, or up to `jitter` later; what was decided about it is
//! remembered by the tick. Nothing here asks a clock.

use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::catalog::Fault;
use crate::time::{Timestamp, parse_duration};

#[cfg(test)]
mod tests;

/// A tick that is seen at most this late is on time.
pub const ON_TIME: Duration = Duration::from_secs(60);
/// Most ticks that are looked at together; what was missed before them is told in one.
pub const MOST_TICKS: usize = 1_000;
/// Most ticks that `all` catches up with, when the author says nothing.
const CAUGHT_UP: usize = 100;
/// Longest jitter in seconds.
const LONGEST_JITTER: u64 = 3_600;
/// A second in microseconds; ticks of cron expressions are whole seconds.
const SECOND: i64 = 1_000_000;
/// Shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);
/// Longest cron expression.
const LONGEST_EXPRESSION: usize = 200;

/// What happens to ticks that nobody saw in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out.
    Skip,
    /// The last one fires.
    Last,
    /// The last so many fire, in order.
    All(usize),
}

/// What happens when the run of an earlier tick is still under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Both run.
    #[default]
    Allow,
    /// The later tick is left out.
    Skip,
    /// The later tick waits until the run has ended.
    Queue,
    /// The run is canceled.
    Cancel,
}

/// The settings of a node `trigger.schedule@1`, read.
#[derive(Debug, Clone)]
pub struct Schedule {
    rule: Rule,
    zone: Tz,
    /// What happens to ticks that nobody saw in time.
    pub catch_up: CatchUp,
    /// What happens when the run of an earlier tick is still under way.
    pub overlap: Overlap,
    /// Most seconds that a firing comes after its tick.
    pub jitter: u64,
    input: Value,
}

#[derive(Debug, Clone)]
enum Rule {
    Cron(Box<Cron>),
    Every { micros: i64, anchor: Timestamp },
}

/// What to do next about a schedule: first leave out what was missed, then fire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Whether more ticks than [`MOST_TICKS`] came due; those before the first of `missed` are told with it.
    pub more: bool,
    /// Ticks that are left out because nobody saw them in time, in order.
    pub missed: Vec<Timestamp>,
    /// The tick that fires after them.
    pub fire: Option<Timestamp>,
}

impl Schedule {
    /// Reads a config.
    ///
    /// # Errors
    /// Everything that is wrong with it beyond what its JSON Schema says.
    pub fn read(config: &Value) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let zone = zone(config).unwrap_or_else(|fault| {
            faults.push(fault);
            Tz::UTC
        });
        let rule = rule(config).map_err(|fault| faults.push(fault)).ok();
        let jitter = config.get("jitter").and_then(Value::as_u64).unwrap_or(0).min(LONGEST_JITTER);
        let most = config.get("catch_up_most").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        let schedule = rule.map(|rule| Self {
            rule,
            zone,
            catch_up: match config.get("catch_up").and_then(Value::as_str) {
                Some("last") => CatchUp::Last,
                Some("all") => CatchUp::All(most.unwrap_or(CAUGHT_UP).clamp(1, MOST_TICKS)),
                _ => CatchUp::Skip,
            },
            overlap: match config.get("overlap").and_then(Value::as_str) {
                Some("skip") => Overlap::Skip,
                Some("queue") => Overlap::Queue,
                Some("cancel") => Overlap::Cancel,
                _ => Overlap::Allow,
            },
            jitter,
            input: config.get("input").cloned().unwrap_or(Value::Null),
        });
        match schedule {
            Some(schedule) if faults.is_empty() => match schedule.next_after(Timestamp(0)) {
                Some(_) => Ok(schedule),
                None => Err(vec![never()]),
            },
            _ => Err(faults),
        }
    }

    /// The first tick after a time; `None` when there is none any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.rule {
            Rule::Every { micros, anchor } => {
                let passed = after.0.checked_sub(anchor.0)?.div_euclid(*micros);
                Some(Timestamp(passed.checked_add(1)?.checked_mul(*micros)?.checked_add(anchor.0)?))
            }
            Rule::Cron(cron) => {
                let after = DateTime::from_timestamp_micros(after.0)?.with_timezone(&self.zone);
                whole(cron.find_next_occurrence(&after, false).ok()?)
            }
        }
    }

    /// The last tick after one time and not after another. Found by looking forward only, with ever narrower steps: what
    /// the next tick is after a time has one answer also where clocks go back.
    pub fn last_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        if let Rule::Every { micros, anchor } = &self.rule {
            let passed = until.0.checked_sub(anchor.0)?.div_euclid(*micros);
            let last = Timestamp(passed.checked_mul(*micros)?.checked_add(anchor.0)?);
            return Some(last).filter(|last| *last > after);
        }
        let next = |after: i64| self.next_after(Timestamp(after)).filter(|tick| *tick <= until);
        let mut found = next(after.0)?;
        // There is no tick after `high`.
        let (mut high, mut step) = (until.0, SECOND);
        while let Some(from) = until.0.checked_sub(step).filter(|from| *from > found.0) {
            if let Some(tick) = next(from) {
                found = tick;
                break;
            }
            high = from;
            step = step.saturating_mul(2);
        }
        while high - found.0 >= SECOND {
            let middle = found.0 + (high - found.0) / 2;
            match next(middle) {
                Some(tick) => found = tick,
                None => high = middle,
            }
        }
        Some(found)
    }

    /// When the tick of a binding fires: at most `jitter` seconds later, always the same for the same tick.
    pub fn fires_at(&self, binding: Uuid, tick: Timestamp) -> Timestamp {
        if self.jitter == 0 {
            return tick;
        }
        let digest = Sha256::new().chain_update(binding.as_bytes()).chain_update(tick.0.to_be_bytes()).finalize();
        let drawn = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        tick.plus(Duration::from_micros(drawn % (self.jitter * 1_000_000 + 1)))
    }

    /// What to do at a time about the ticks after the last one that was decided. A tick that was `held` back for an
    /// earlier run is not missed.
    pub fn due(&self, binding: Uuid, decided: Timestamp, held: Option<Timestamp>, now: Timestamp) -> Due {
        let mut ticks = Vec::new();
        let mut until = Some(now);
        let mut more = false;
        while let Some(tick) = until.and_then(|until| self.last_between(decided, until)) {
            if ticks.len() == MOST_TICKS {
                more = true;
                break;
            }
            ticks.push(tick);
            until = tick.0.checked_sub(1).map(Timestamp);
        }
        ticks.reverse();
        let ripe = ticks.iter().take_while(|tick| self.fires_at(binding, **tick) <= now).count();
        ticks.truncate(ripe);
        let from_end = |index: usize| ticks.len() - index;
        let fires = |(index, tick): &(usize, &Timestamp)| {
            held == Some(**tick)
                || match self.catch_up {
                    CatchUp::Skip => from_end(*index) == 1 && now.since(self.fires_at(binding, **tick)) <= ON_TIME,
                    CatchUp::Last => from_end(*index) == 1,
                    CatchUp::All(most) => from_end(*index) <= most,
                }
        };
        let found = ticks.iter().enumerate().find(fires).map(|(index, tick)| (index, *tick));
        let fire = found.map(|(_, tick)| tick);
        ticks.truncate(found.map_or(ticks.len(), |(index, _)| index));
        Due { more: more && !ticks.is_empty(), missed: ticks, fire }
    }

    /// What a run of this tick is given.
    pub fn input(&self, tick: Timestamp) -> Value {
        let at = DateTime::from_timestamp_micros(tick.0).unwrap_or_default();
        json!({
            "scheduled_at": at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            "local_time": at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::AutoSi, false),
            "timezone": self.zone.name(),
            "input": self.input,
        })
    }
}

fn whole(time: DateTime<Tz>) -> Option<Timestamp> {
    Some(Timestamp(time.timestamp().checked_mul(1_000_000)?))
}

fn zone(config: &Value) -> Result<Tz, Fault> {
    let Some(name) = config.get("timezone").and_then(Value::as_str) else { return Ok(Tz::UTC) };
    Tz::from_str(name).map_err(|_| Fault {
        path: "/timezone".to_owned(),
        message: format!("there is no time zone `{}`", shortened(name)),
        hint: "use a name of the IANA list, such as `Europe/Berlin` or `UTC`".to_owned(),
    })
}

fn rule(config: &Value) -> Result<Rule, Fault> {
    let text = |field: &str| config.get(field).and_then(Value::as_str);
    match (text("cron"), text("every")) {
        (Some(cron), None) => self::cron(cron),
        (None, Some(every)) => self::every(every, text("anchor")),
        (Some(_), Some(_)) => Err(Fault {
            path: String::new(),
            message: "`cron` and `every` exclude each other".to_owned(),
            hint: "keep one of them".to_owned(),
        }),
        (None, None) => Err(Fault {
            path: String::new(),
            message: "nothing says when to fire".to_owned(),
            hint: "write `cron`, such as `0 9 * * MON-FRI`, or `every`, such as `15m`".to_owned(),
        }),
    }
}

fn cron(expression: &str) -> Result<Rule, Fault> {
    let fault = |message: String| Fault {
        path: "/cron".to_owned(),
        message,
        hint: "five fields: minute, hour, day of month, month, day of week, with seconds before them if wanted, such \
               as `0 9 * * MON-FRI`"
            .to_owned(),
    };
    if expression.len() > LONGEST_EXPRESSION {
        return Err(fault(format!("a cron expression has at most {LONGEST_EXPRESSION} characters")));
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    match parser.parse(expression) {
        Ok(cron) => Ok(Rule::Cron(Box::new(cron))),
        Err(error) => Err(fault(format!("`{}` is not a cron expression: {error}", shortened(expression)))),
    }
}

fn every(interval: &str, anchor: Option<&str>) -> Result<Rule, Fault> {
    let fault =
        |path: &str, message: String, hint: &str| Fault { path: path.to_owned(), message, hint: hint.to_owned() };
    let hint = "write numbers with units, at least one second, such as `30s`, `15m` or `1h30m`";
    let interval = parse_duration(interval).map_err(|error| fault("/every", error.to_string(), hint))?;
    if interval < SHORTEST {
        return Err(fault("/every", "the interval is shorter than a second".to_owned(), hint));
    }
    let anchor = match anchor {
        None => Timestamp(0),
        Some(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Timestamp(time.with_timezone(&Utc).timestamp_micros()),
            Err(_) => {
                let message = format!("`{}` is not a time with zone", shortened(text));
                return Err(fault("/anchor", message, "write it as `2030-01-31T09:00:00+01:00`"));
            }
        },
    };
    let micros = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
    Ok(Rule::Every { micros, anchor })
}

fn never() -> Fault {
    Fault {
        path: "/cron".to_owned(),
        message: "this expression never comes true".to_owned(),
        hint: "correct the day or the month; there is no 30th of February".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

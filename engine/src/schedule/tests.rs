use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp(DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
}

fn written(time: Timestamp) -> String {
    DateTime::from_timestamp_micros(time.0).unwrap().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn every_minute(more: Value) -> Schedule {
    let mut config = json!({"cron": "* * * * *"});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Schedule::read(&config).unwrap()
}

fn faults(config: Value) -> Vec<String> {
    Schedule::read(&config).unwrap_err().into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
}

/// Minutes after noon.
fn minute(number: i64) -> Timestamp {
    Timestamp(at("2026-05-01T12:00:00Z").0 + number * 60_000_000)
}

const BINDING: Uuid = Uuid::from_u128(7);

#[test]
fn another_implementation_names_the_same_firings() {
    let table = include_str!("firings.tsv");
    assert!(table.lines().count() >= 40);
    for line in table.lines() {
        let cells: Vec<_> = line.split('\t').collect();
        let [expression, timezone, start, firings @ ..] = cells.as_slice() else { panic!("{line}") };
        let schedule = Schedule::read(&json!({"cron": expression, "timezone": timezone})).unwrap();
        let next = std::iter::successors(schedule.next_after(at(start)), |last| schedule.next_after(*last));
        let next: Vec<_> = next.take(firings.len()).collect();
        assert_eq!(next.iter().copied().map(written).collect::<Vec<_>>(), firings, "{expression} in {timezone}");
        let (first, last) = (at(start), *next.last().unwrap());
        for (before, tick) in std::iter::once(&first).chain(&next).zip(&next) {
            let between = Timestamp(before.0 + (tick.0 - before.0) / 2);
            assert_eq!(schedule.next_after(between), Some(*tick), "{expression} in {timezone}, from within");
        }
        let back = std::iter::successors(schedule.last_between(first, last), |tick| {
            schedule.last_between(first, Timestamp(tick.0 - 1))
        });
        let mut back: Vec<_> = back.collect();
        back.reverse();
        assert_eq!(back, next, "{expression} in {timezone}, backwards");
    }
}

#[test]
fn an_interval_counts_from_its_anchor_whatever_the_clocks_do() {
    let schedule =
        Schedule::read(&json!({"every": "90m", "anchor": "2026-03-29T00:30:00+01:00", "timezone": "Europe/Berlin"}));
    let schedule = schedule.unwrap();
    let next = schedule.next_after(at("2026-03-28T22:00:00Z")).unwrap();
    assert_eq!(written(next), "2026-03-28T23:30:00Z");
    assert_eq!(written(schedule.next_after(next).unwrap()), "2026-03-29T01:00:00Z");
    assert_eq!(schedule.last_between(Timestamp(0), next), Some(next));
    assert_eq!(schedule.last_between(next, next), None);
    assert_eq!(schedule.input(at("2026-03-29T01:00:00Z"))["local_time"], json!("2026-03-29T03:00:00+02:00"));
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    assert_eq!(faults(json!({"cron": "0 9 * *", "timezone": "Mars/Base"})).len(), 2);
    assert!(faults(json!({"cron": "61 * * * *"}))[0].starts_with("/cron: `61 * * * *` is not a cron expression"));
    assert_eq!(faults(json!({"cron": "0 0 30 2 *"})), ["/cron: this expression never comes true"]);
    assert_eq!(faults(json!({"every": "10ms"})), ["/every: the interval is shorter than a second"]);
    assert_eq!(faults(json!({"every": "1h", "anchor": "noon"})), ["/anchor: `noon` is not a time with zone"]);
    assert_eq!(faults(json!({"every": "1h", "cron": "* * * * *"})), [": `cron` and `every` exclude each other"]);
    assert_eq!(faults(json!({})), [": nothing says when to fire"]);
    assert!(Schedule::read(&json!({"cron": "x".repeat(10_000)})).is_err());
}

#[test]
fn a_tick_that_is_seen_in_time_fires_whatever_the_catch_up() {
    for catch_up in ["skip", "last", "all"] {
        let schedule = every_minute(json!({"catch_up": catch_up}));
        let due = schedule.due(BINDING, minute(0), None, minute(1).plus(ON_TIME).minus(Duration::from_secs(1)));
        assert_eq!(due, Due { fire: Some(minute(1)), ..Due::default() }, "{catch_up}");
        assert_eq!(schedule.due(BINDING, minute(1), None, minute(1)), Due::default());
    }
}

#[test]
fn after_an_outage_each_catch_up_does_what_it_says() {
    let outage = |more: Value| every_minute(more).due(BINDING, minute(0), None, minute(5).plus(ON_TIME / 2));
    let missed = |upto: i64| (1..=upto).map(minute).collect::<Vec<_>>();
    let due = |upto, fire| Due { missed: missed(upto), fire: Some(minute(fire)), more: false };
    assert_eq!(outage(json!({"catch_up": "skip"})), due(4, 5));
    assert_eq!(outage(json!({"catch_up": "last"})), due(4, 5));
    assert_eq!(outage(json!({"catch_up": "all"})), due(0, 1));
    assert_eq!(outage(json!({"catch_up": "all", "catch_up_most": 2})), due(3, 4));

    let daily = |catch_up: &str| {
        let schedule = Schedule::read(&json!({"cron": "0 12 * * *", "catch_up": catch_up})).unwrap();
        schedule.due(BINDING, minute(-1440), None, minute(90))
    };
    assert_eq!(daily("skip"), Due { missed: vec![minute(0)], fire: None, more: false });
    assert_eq!(daily("last"), Due { fire: Some(minute(0)), ..Due::default() });
}

#[test]
fn a_tick_that_was_held_back_is_not_missed() {
    let schedule = every_minute(json!({"catch_up": "skip"}));
    let due = schedule.due(BINDING, minute(0), Some(minute(1)), minute(9));
    assert_eq!(due, Due { fire: Some(minute(1)), ..Due::default() });
}

#[test]
fn an_endless_outage_is_told_in_bounded_pieces() {
    let schedule = Schedule::read(&json!({"every": "1s", "catch_up": "last"})).unwrap();
    let due = schedule.due(BINDING, Timestamp(0), None, minute(0));
    assert!(due.more);
    assert_eq!((due.missed.len(), due.fire), (MOST_TICKS - 1, Some(minute(0))));
}

#[test]
fn jitter_is_the_same_each_time_and_within_its_bound() {
    let schedule = every_minute(json!({"jitter": 30}));
    let delays: Vec<_> = (0..200).map(|tick| schedule.fires_at(BINDING, minute(tick)).since(minute(tick))).collect();
    assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(30)));
    assert!(delays.iter().any(|delay| *delay > Duration::from_secs(20)));
    assert_eq!(schedule.fires_at(BINDING, minute(3)), schedule.fires_at(BINDING, minute(3)));
    let fires = schedule.fires_at(BINDING, minute(1));
    assert_eq!(schedule.due(BINDING, minute(0), None, fires.minus(Duration::from_micros(1))), Due::default());
    assert_eq!(schedule.due(BINDING, minute(0), None, fires).fire, Some(minute(1)));
}

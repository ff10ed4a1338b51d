//! What the rules cost, counted and not timed.

use engine::run::event::Event;
use serde_json::json;

use crate::play::Play;

#[test]
fn a_step_costs_the_same_in_a_for_each_of_10_000_items_as_in_one_of_100() {
    let small = per_event(100);
    let large = per_event(10_000);
    assert!(large <= small + 0.5, "{small} operations an event with 100 items, {large} with 10,000");
}

fn per_event(items: u32) -> f64 {
    let node = json!({"type": "test.get@1", "retry": {"attempts": 2}, "for_each": {"items": [], "concurrency": 100, "on_item_error": "collect"}});
    let mut play = Play::start(json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "work": node},
        "edges": [{"from": "start", "to": "work"}]
    }));
    play.list_items("work", items);
    for index in 0..items {
        play.succeed(&format!("work/{index}"));
        play.effects.clear();
    }
    play.collect("work");
    assert!(matches!(play.journal.last().map(|recorded| &recorded.event), Some(Event::RunFinished { .. })));
    play.run.operations() as f64 / play.journal.len() as f64
}

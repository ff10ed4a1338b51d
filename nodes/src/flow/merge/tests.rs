use super::*;
use crate::testing::{fails, output};

#[tokio::test]
async fn by_default_the_output_is_the_object_of_sources() {
    let input = json!({"b": 1, "a": [2]});
    assert_eq!(output(&Merge, json!({}), input.clone()).await, input);
    assert_eq!(output(&Merge, json!({"mode": "object"}), input.clone()).await, input);
}

#[tokio::test]
async fn append_puts_lists_one_after_the_other_in_the_order_given() {
    let input = json!({"a": [1], "b": [2, 3], "c": []});
    assert_eq!(output(&Merge, json!({"mode": "append"}), input.clone()).await, json!([1, 2, 3]));
    let config = json!({"mode": "append", "order": ["b", "skipped", "b"]});
    assert_eq!(output(&Merge, config, input).await, json!([2, 3, 1]));
    assert_eq!(output(&Merge, json!({"mode": "append"}), json!({})).await, json!([]));
    let error = fails(&Merge, json!({"mode": "append"}), json!({"a": [], "b": {}})).await;
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("MERGE_SHAPE", "source `b` is an object; expected a list")
    );
}

#[tokio::test]
async fn zip_pairs_items_and_refuses_lists_of_different_length() {
    let input = json!({"a": [1, 2], "b": ["x", "y"]});
    assert_eq!(output(&Merge, json!({"mode": "zip"}), input).await, json!([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]));
    assert_eq!(output(&Merge, json!({"mode": "zip"}), json!({})).await, json!([]));
    let error = fails(&Merge, json!({"mode": "zip"}), json!({"a": [1], "b": []})).await;
    assert_eq!(error.message, "source `b` has 0 items and `a` 1; zip expects equally many");
}

#[tokio::test]
async fn join_by_key_extends_the_items_of_the_first_source_and_adds_the_rest() {
    let input = json!({
        "customers": [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}],
        "orders": [{"id": 2.0, "total": 5}, {"id": 2, "total": 6}, {"id": 9, "total": 7}],
    });
    let config = json!({"mode": "join_by_key", "key": "id", "order": ["orders"]});
    assert_eq!(
        output(&Merge, config, input).await,
        json!([
            {"id": 2, "name": "Bob", "total": 5},
            {"id": 2, "name": "Bob", "total": 6},
            {"id": 9, "total": 7},
            {"id": 1, "name": "Ada"},
        ])
    );
}

#[tokio::test]
async fn join_by_key_does_not_confuse_numbers_with_texts() {
    let input = json!({"a": [{"id": 1, "x": 1}], "b": [{"id": "1", "y": 2}]});
    let config = json!({"mode": "join_by_key", "key": "id"});
    assert_eq!(output(&Merge, config, input).await, json!([{"id": 1, "x": 1}, {"id": "1", "y": 2}]));
}

#[tokio::test]
async fn join_by_key_names_what_it_cannot_join() {
    let config = json!({"mode": "join_by_key", "key": "id"});
    for (input, code, part) in [
        (json!({"a": [{"id": 1}], "b": [{"id": 2}, {"id": 2}]}), "MERGE_KEY_REPEATED", "in the items 0 and 1"),
        (json!({"a": [{"x": 1}]}), "MERGE_SHAPE", "`id` of item 0 of source `a` is missing"),
        (json!({"a": [{"id": null}]}), "MERGE_SHAPE", "is null"),
        (json!({"a": [3]}), "MERGE_SHAPE", "item 0 of source `a` is the number 3; expected an object"),
        (json!({"a": 3}), "MERGE_SHAPE", "expected a list"),
    ] {
        let error = fails(&Merge, config.clone(), input).await;
        assert_eq!(error.code, code);
        assert!(error.message.contains(part), "{error}");
    }
    assert_eq!(fails(&Merge, json!({"mode": "join_by_key"}), json!({})).await.code, "CONFIG_INVALID");
}

#[tokio::test]
async fn first_takes_the_first_source_that_arrived_even_when_its_value_is_null() {
    let input = json!({"b": 1, "c": null});
    assert_eq!(output(&Merge, json!({"mode": "first"}), input.clone()).await, json!(1));
    assert_eq!(output(&Merge, json!({"mode": "first", "order": ["a", "c"]}), input).await, json!(null));
    assert_eq!(fails(&Merge, json!({"mode": "first"}), json!({})).await.code, "MERGE_SHAPE");
}

#[tokio::test]
async fn an_unknown_mode_and_a_wrong_order_are_refused() {
    let error = fails(&Merge, json!({"mode": "blend"}), json!({})).await;
    assert_eq!(error.message, "config.mode is a text; expected one of object, append, zip, join_by_key, first");
    assert_eq!(fails(&Merge, json!({"order": [1]}), json!({})).await.code, "CONFIG_INVALID");
    assert_eq!(fails(&Merge, json!({"order": "a"}), json!({})).await.code, "CONFIG_INVALID");
    assert_eq!(fails(&Merge, json!({}), json!([1])).await.code, "MERGE_SHAPE");
}

use super::*;
use crate::testing::{fails, output};

/// The one value computed by `op` over `items`.
async fn value(op: &str, items: Value) -> Value {
    let config = json!({"values": {"v": {"op": op, "of": "{{ item }}"}}});
    output(&Aggregate, config, items).await["v"].clone()
}

#[tokio::test]
async fn each_operation_passes_over_null() {
    let items = json!([3, null, 1, 3]);
    for (op, expected) in [
        ("count", json!(3)),
        ("count_distinct", json!(2)),
        ("sum", json!(7)),
        ("min", json!(1)),
        ("max", json!(3)),
        ("first", json!(3)),
        ("last", json!(3)),
        ("list", json!([3, 1, 3])),
    ] {
        assert_eq!(value(op, items.clone()).await, expected, "{op}");
    }
    assert_eq!(value("avg", json!([1, null, 2])).await, json!(1.5));
}

#[tokio::test]
async fn an_operation_over_no_values_gives_null_zero_or_an_empty_list() {
    for items in [json!([]), json!([null])] {
        for op in ["sum", "avg", "min", "max", "first", "last"] {
            assert_eq!(value(op, items.clone()).await, json!(null), "{op}");
        }
        assert_eq!(value("count", items.clone()).await, json!(0));
        assert_eq!(value("count_distinct", items.clone()).await, json!(0));
        assert_eq!(value("list", items).await, json!([]));
    }
}

#[tokio::test]
async fn count_without_an_expression_counts_items() {
    let config = json!({"values": {"n": {"op": "count"}}});
    assert_eq!(output(&Aggregate, config, json!([null, 1])).await, json!({"n": 2}));
}

#[tokio::test]
async fn sums_of_integers_are_exact_and_sums_of_fractions_compensated() {
    assert_eq!(value("sum", json!([9_007_199_254_740_993_i64, 2])).await, json!(9_007_199_254_740_995_i64));
    assert_eq!(value("sum", json!([i64::MAX, 1])).await, json!(9_223_372_036_854_775_808_u64));
    assert_eq!(value("sum", json!([i64::MAX, i64::MAX, i64::MAX, -i64::MAX, -i64::MAX])).await, json!(i64::MAX));
    assert_eq!(value("sum", json!([u64::MAX, u64::MAX])).await, json!(3.689_348_814_741_910_3e19));
    assert_eq!(value("sum", json!([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])).await, json!(1));
    assert_eq!(value("sum", json!([1e100, 1.5, -1e100])).await, json!(1.5));
    let config = json!({"values": {"v": {"op": "sum", "of": "{{ item }}"}}});
    assert_eq!(fails(&Aggregate, config, json!([1.7e308, 1.7e308])).await.code, "AGGREGATE_TYPE");
}

#[tokio::test]
async fn groups_are_sorted_and_one_equals_one_point_zero() {
    let values = json!({"n": {"op": "count"}, "v": {"op": "list", "of": "{{ item.v }}"}});
    let config = json!({"group_by": "{{ item.k }}", "values": values});
    let items = json!([
        {"k": "b", "v": 1}, {"k": 10, "v": 2}, {"v": 3}, {"k": 1, "v": 4}, {"k": 1.0, "v": 5},
        {"k": "a", "v": 6}, {"k": 9, "v": 7},
    ]);
    let rows = output(&Aggregate, config, items).await;
    assert_eq!(
        rows,
        json!([
            {"group": null, "n": 1, "v": [3]},
            {"group": 1, "n": 2, "v": [4, 5]},
            {"group": 9, "n": 1, "v": [7]},
            {"group": 10, "n": 1, "v": [2]},
            {"group": "a", "n": 1, "v": [6]},
            {"group": "b", "n": 1, "v": [1]},
        ])
    );
}

#[tokio::test]
async fn groups_of_no_items_are_an_empty_list() {
    let config = json!({"group_by": "{{ item.k }}", "values": {"n": {"op": "count"}}});
    assert_eq!(output(&Aggregate, config, json!([])).await, json!([]));
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_names_result_and_index() {
    let error = fails(&Aggregate, json!({"values": {"v": {"op": "sum", "of": "{{ item }}"}}}), json!([1, "2"])).await;
    assert_eq!(error.code, "AGGREGATE_TYPE");
    assert_eq!(error.message, "config.values.v at item 1: a text cannot be summed; expected a number or null");
    let error = fails(&Aggregate, json!({"values": {"v": {"op": "max", "of": "{{ item }}"}}}), json!([1, "2"])).await;
    assert!(error.message.contains("a text cannot be compared with the number 1"), "{error}");
    let error = fails(&Aggregate, json!({"values": {"v": {"op": "max", "of": "{{ item }}"}}}), json!([[1]])).await;
    assert_eq!(error.code, "AGGREGATE_TYPE");
}

#[tokio::test]
async fn a_config_that_makes_no_sense_is_refused() {
    for config in [
        json!({}),
        json!({"values": {"v": 1}}),
        json!({"values": {"v": {"op": "median", "of": "{{ item }}"}}}),
        json!({"values": {"v": {"op": "{{ 'sum' }}", "of": "{{ item }}"}}}),
        json!({"values": {"v": {"op": "sum"}}}),
        json!({"values": {"group": {"op": "count"}}, "group_by": "{{ item }}"}),
        json!({"values": {"v": {"op": "count"}}, "items": "text"}),
    ] {
        assert_eq!(fails(&Aggregate, config.clone(), json!([])).await.code, "CONFIG_INVALID", "{config}");
    }
}

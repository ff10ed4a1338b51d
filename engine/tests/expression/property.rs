//! What holds for any expression and any value.

use proptest::prelude::*;

use super::*;

/// Expressions that mostly compile, built from the language's own parts.
pub(crate) fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("input".to_owned()),
        Just("input.items".to_owned()),
        Just("input.nothing".to_owned()),
        Just("input.items[1].price".to_owned()),
        Just("input.address['city']".to_owned()),
        Just("nodes.fetch.output.body.users[0]".to_owned()),
        Just("nodes.fetch.output".to_owned()),
        Just("x".to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| format!("({n})")),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| format!("({f:e})")),
        "[a-zß{}\\[\\]]{0,6}".prop_map(|text| format!("'{text}'")),
    ];
    let names: Vec<&'static str> = functions().map(|function| function.name).collect();
    leaf.prop_recursive(5, 40, 3, move |inner| {
        let names = names.clone();
        let operators =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"]);
        let macros = prop::sample::select(vec!["map", "filter", "all", "exists", "exists_one", "sortBy", "groupBy"]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (prop::sample::select(names), prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))),
            (inner.clone(), macros, inner.clone()).prop_map(|(list, name, body)| format!("{list}.{name}(x, {body})")),
            (inner.clone(), inner.clone()).prop_map(|(of, at)| format!("{of}[{at}]")),
            inner.clone().prop_map(|of| format!("{of}?.a.b")),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
            (inner.clone(), inner).prop_map(|(key, value)| format!("{{{key}: {value}, 'k': {value}}}")),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "([a-z}\\\\]|\\{[^{\\\\]){0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_compiler_panic(source in "\\PC{0,80}") {
        let _ = Expression::compile(&source);
        let _ = Template::compile(&json!(source));
    }

    #[test]
    fn no_damaged_expression_makes_the_compiler_panic(row in 0_usize..300, cut in 0_usize..60, put in "[\\[\\](){}.?:,'a1 !-]{0,2}", len in 0_usize..4) {
        let (_, source, _) = table().nth(row % table().count()).expect("a row");
        let characters: Vec<char> = source.chars().collect();
        let cut = cut % (characters.len() + 1);
        let damaged: String = characters[..cut].iter().copied().chain(put.chars()).chain(characters[cut..].iter().copied().skip(len)).collect();
        if let Ok(expression) = Expression::compile(&damaged) {
            let _ = expression.evaluate(&*NAMES, &mut Budget::new(10_000, 100_000));
        }
    }

    #[test]
    fn what_an_expression_does_not_read_changes_nothing(source in any_expression()) {
        let budget = || Budget::new(10_000, 100_000);
        prop_assert_eq!(evaluated_of_parts(&source, &mut budget()), evaluated(&source, &mut budget()));
    }

    #[test]
    fn every_expression_gives_a_value_that_json_can_hold_or_an_error(source in any_expression()) {
        if let Ok(expression) = Expression::compile(&source) {
            let mut budget = Budget::new(20_000, 200_000);
            if let Ok(value) = expression.evaluate(&*NAMES, &mut budget) {
                let text = serde_json::to_string(&value).unwrap();
                prop_assert!(text.len() < 1_000_000);
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
                let again = expression.evaluate(&*NAMES, &mut Budget::new(20_000, 200_000));
                prop_assert_eq!(again, Ok(value));
            }
        }
    }

    #[test]
    fn rendering_a_template_without_expressions_changes_nothing(value in any_json()) {
        let template = Template::compile(&value).unwrap();
        prop_assert!(template.is_literal());
        prop_assert_eq!(template.render(&*NAMES, &mut Budget::new(0, 0)), Ok(value));
    }

    #[test]
    fn a_value_put_in_by_an_expression_is_that_value(value in any_json()) {
        let names = Names(json!({ "roots": { "input": value } }));
        let rendered = Template::compile(&json!(["{{ input }}"])).unwrap().render(&names, &mut Budget::default());
        prop_assert_eq!(rendered, Ok(json!([value])));
    }
}

//! The check of types against evaluation: what is refused must fail, and what comes out must be of the type.

use std::collections::BTreeMap;

use engine::definition::problem::ProblemCode;
use engine::expression::{NodeOutput, Types, check};
use engine::port::PortType;

use proptest::prelude::*;

use super::*;

/// The types of the values that the table is about.
fn types() -> Types {
    let of = |part: &str| NAMES.0.get(part).and_then(Value::as_object).into_iter().flatten();
    let mut nodes: BTreeMap<String, NodeOutput> =
        of("nodes").map(|(key, value)| (key.clone(), NodeOutput::Before(PortType::of_value(value)))).collect();
    nodes.insert("skipped".to_owned(), NodeOutput::Before(PortType::Null));
    Types::new(of("roots").map(|(name, value)| (name.clone(), PortType::of_value(value))).collect(), nodes)
}

/// What the check says against what evaluation does, where they disagree.
fn disagreement(source: &str, types: &Types) -> Option<String> {
    let checked = check(source, types);
    let refused: Vec<&str> = checked.problems.iter().map(|problem| problem.message.as_str()).collect();
    match evaluated(source, &mut Budget::default()) {
        // A branch that is not taken may be wrong all the same, and so may what no element is there for.
        Ok(_)
            if source.contains(['?', '|', '&'])
                || ["(x,", "coalesce", "orValue", "or("].iter().any(|lazy| source.contains(lazy)) =>
        {
            None
        }
        // A member that is not there is null; the check calls it a mistake.
        Ok(_) if checked.problems.iter().any(|problem| problem.code == ProblemCode::MemberUnknown) => None,
        Ok(value) if !refused.is_empty() => Some(format!("{source}: gives {value}, and is refused: {refused:?}")),
        Ok(value) if !checked.r#type.contains(&value) => {
            Some(format!("{source}: gives {value}, which is not {}", checked.r#type))
        }
        _ => None,
    }
}

#[test]
fn what_the_table_gives_is_of_the_type_that_the_check_told() {
    let types = types();
    let wrong: Vec<String> = table().filter_map(|(_, source, _)| disagreement(source, &types)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn most_expressions_of_the_table_that_fail_by_type_are_foreseen() {
    let types = types();
    let failing = table().filter(|(_, _, expected)| ["EXPRESSION_TYPE", "EXPRESSION_UNKNOWN_NAME"].contains(expected));
    let missed: Vec<&str> = failing
        .filter(|(_, source, _)| check(source, &types).problems.is_empty())
        .map(|(_, source, _)| source)
        .collect();
    assert!(missed.len() <= 3, "{missed:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_check_refuses_by_type_never_gives_a_value(source in crate::property::any_expression()) {
        prop_assert_eq!(disagreement(&source, &types()), None);
    }

    #[test]
    fn no_text_makes_the_check_or_the_proposals_panic(source in "\\PC{0,60}", at in 0_usize..70) {
        check(&source, &types());
        engine::expression::complete(&source, at, &types());
    }
}

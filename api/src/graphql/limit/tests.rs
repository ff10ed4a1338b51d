use super::*;

fn refused(query: &str) -> Code {
    admit(query, None).unwrap_err().code
}

#[test]
fn tokens_are_counted_without_blanks_comments_and_the_inside_of_strings() {
    assert_eq!(tokens("{ a }"), 3);
    assert_eq!(tokens("{a,b # c d e\n}"), 4);
    assert_eq!(tokens(r#"{a(b:"c d \" e")}"#), 8);
    assert_eq!(tokens(r#"{a(b:"""c " d \""" e""")}"#), 8);
    assert_eq!(tokens("\"never ends"), 1);
    assert_eq!(tokens("...a"), 1, "a spread and its name lie together; the bound is generous enough");
}

#[test]
fn a_document_with_too_many_tokens_is_refused_before_it_is_parsed() {
    let query = format!("{{ {} }}", "a ".repeat(TOKENS));
    assert_eq!(refused(&query), Code::CostLimitExceeded);
}

#[test]
fn a_selection_may_be_twelve_deep_and_not_thirteen() {
    let nested = |depth: usize| format!("{}{}", "{ a ".repeat(depth), "}".repeat(depth));
    assert!(admit(&nested(DEPTH), None).is_ok());
    assert_eq!(refused(&nested(DEPTH + 1)), Code::DepthLimitExceeded);
}

#[test]
fn the_schema_itself_may_be_read_deeper_but_not_multiplied() {
    let nested = |depth: usize| format!("{{ __schema {}{} }}", "{ ofType ".repeat(depth - 1), "}".repeat(depth - 1));
    assert!(admit(&nested(INTROSPECTION_DEPTH), None).is_ok());
    assert_eq!(refused(&nested(INTROSPECTION_DEPTH + 1)), Code::DepthLimitExceeded);
    let lists = |depth: usize| {
        format!(
            "{{ __schema {{ types {}name{} }} }}",
            "{ fields { type ".repeat(depth) + "{ ",
            "}".repeat(2 * depth + 1)
        )
    };
    assert!(admit(&lists(2), None).is_ok());
    assert_eq!(refused(&lists(3)), Code::DepthLimitExceeded);
}

#[test]
fn a_query_brings_few_variables_and_a_mutation_may_bring_a_document() {
    let variables = Variables::from_json(serde_json::json!({"x": "y".repeat(VARIABLES)}));
    let afforded = |query: &str| {
        let (document, _) = admit(query, None).unwrap();
        afford(&document, None, &variables, &Prices::default())
    };
    assert!(afforded("mutation { a }").is_ok());
    assert_eq!(afforded("query { a }").unwrap_err().code, Code::CostLimitExceeded);
}

#[test]
fn depth_is_counted_through_fragments() {
    let inner = format!("fragment f on Q {}{}", "{ a ".repeat(11), "}".repeat(11));
    let outer = format!("{}...f{}", "{ a ".repeat(6), "}".repeat(6));
    assert_eq!(refused(&format!("query {outer} {inner}")), Code::DepthLimitExceeded);
}

#[test]
fn aliases_directives_and_root_fields_are_bounded() {
    let aliases: String = (0..=ALIASES).map(|n| format!("a{n}: x ")).collect();
    assert_eq!(refused(&format!("{{ v {{ {aliases} }} }}")), Code::CostLimitExceeded);
    let directives = "@skip(if: false) ".repeat(DIRECTIVES + 1);
    assert_eq!(refused(&format!("{{ v {directives} }}")), Code::CostLimitExceeded);
    let roots: String = (0..=ROOT_FIELDS).map(|n| format!("f{n} ")).collect();
    assert_eq!(refused(&format!("{{ {roots} }}")), Code::CostLimitExceeded);
}

#[test]
fn fragments_that_stand_for_billions_of_fields_are_refused() {
    let mut query = "{ ...f0 }".to_owned();
    for n in 0..30 {
        query.push_str(&format!(" fragment f{n} on Q {{ ...f{} ...f{} }}", n + 1, n + 1));
    }
    query.push_str(" fragment f30 on Q { a }");
    assert_eq!(refused(&query), Code::CostLimitExceeded);
}

#[test]
fn fragments_in_a_circle_end_the_walk_and_are_left_to_validation() {
    assert!(admit("{ ...f } fragment f on Q { a { ...g } } fragment g on Q { ...f }", None).is_ok());
}

#[test]
fn the_operation_must_be_told_when_there_are_several() {
    let two = "query a { x } mutation b { y }";
    assert_eq!(refused(two), Code::OperationResolutionFailure);
    assert_eq!(admit(two, Some("b")).unwrap().1, OperationType::Mutation);
    assert_eq!(admit(two, Some("c")).unwrap_err().code, Code::OperationResolutionFailure);
    assert_eq!(admit("{ x }", Some("c")).unwrap_err().code, Code::OperationResolutionFailure);
    assert_eq!(refused("{ x"), Code::GraphqlParseFailed);
    assert_eq!(refused("fragment f on Q { a }"), Code::GraphqlParseFailed);
}

#[test]
fn a_variable_without_value_is_named() {
    let (document, _) = admit("query ($id: ID!, $n: Int! = 3, $t: String) { a }", None).unwrap();
    let none = Variables::default();
    assert_eq!(missing_variable(&document, None, &none).as_deref(), Some("the variable `$id` needs a value"));
    let null = Variables::from_json(serde_json::json!({"id": null}));
    assert!(missing_variable(&document, None, &null).is_some());
    let given = Variables::from_json(serde_json::json!({"id": "x"}));
    assert_eq!(missing_variable(&document, None, &given), None);
}

//! Hostile inputs: what is refused, and what ends with the budget.

use super::*;

/// Sources that would exhaust a parser's stack or time, each of nearly the greatest length.
fn hostile_sources() -> Vec<String> {
    let fill = |part: &str| part.repeat((SOURCE_LIMIT - 8).checked_div(part.len()).unwrap_or(0));
    let mut sources: Vec<String> = [
        "(", "[", "{", "{'a':", "-", "!", "!-", "a?b:", "a?", "a.map(x,", "f(", "'", "\"", "`", "\\", "}}", "a{", "//",
        "\n", "1", "0x", "e", "..", "?.", "a[0]", "((a)", "[[],", "a||", "&&", "\u{0}", "𝄞",
    ]
    .map(fill)
    .into();
    for (open, part, close) in [
        ("a", ".a", ""),
        ("1", "+1", ""),
        ("a", "==a", ""),
        ("a", "||a", ""),
        ("a", "&&a", ""),
        ("a", "[0]", ""),
        ("a", ".f()", ""),
        ("a", ".map(x,x)", ""),
        ("[1", ",1", "]"),
        ("{'a':1", ",'a':1", "}"),
        ("1", "+1*2", ""),
        ("1", " in[1]", ""),
        ("a", "?.a", ""),
        ("a", "?b:a", ""),
        ("f(1", ",1", ")"),
        ("'", "x", "'"),
        ("a", "", ".b"),
        ("1", "-(1)", ""),
        ("a", "&&b||c", ""),
    ] {
        sources.push(format!("{open}{}{close}", fill(part)));
        for times in [70, 140, 290, 1_000, 2_000] {
            sources.push(format!("{open}{}{close}", part.repeat(times)));
        }
    }
    for (open, close, most) in [
        ("(", ")", 47),
        ("[", "]", 47),
        ("{'a':", "}", 47),
        ("f(-a[1+2*(a&&", "))])", 15),
        ("a.map(x,", ")", 47),
        ("a?b:", "", 47),
    ] {
        for depth in [most, most + 10, 1_000] {
            sources.push(format!("{}a{}", open.repeat(depth), close.repeat(depth)));
        }
    }
    sources
}

#[test]
fn hostile_sources_compile_or_are_refused_on_half_the_stack_of_a_thread() {
    let worker = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        for source in hostile_sources() {
            if let Ok(expression) = Expression::compile(&source) {
                drop(expression.evaluate(&*NAMES, &mut Budget::default()));
            }
        }
    });
    worker.unwrap().join().unwrap();
}

#[test]
fn a_source_is_refused_by_the_limit_it_passes() {
    let code = |source: &str| Expression::compile(source).map(drop).unwrap_err().code;
    assert_eq!(code(&format!("'{}'", "x".repeat(SOURCE_LIMIT))), ExpressionErrorCode::TooLong);
    assert_eq!(code(&format!("[1{}]", ",1".repeat(3_000))), ExpressionErrorCode::TooLong);
    assert_eq!(code(&format!("{}1{}", "(".repeat(49), ")".repeat(49))), ExpressionErrorCode::TooDeep);
    assert_eq!(code(&format!("1{}", "+1".repeat(301))), ExpressionErrorCode::TooDeep);
    assert_eq!(code(&format!("a{}", ".a".repeat(301))), ExpressionErrorCode::TooDeep);
    let patterns = |different: usize| {
        let calls: Vec<_> = (0..100).map(|n| format!(r"'x'.matches(r'a{{{}}}')", n % different)).collect();
        calls.join(" && ")
    };
    assert_eq!(code(&patterns(9)), ExpressionErrorCode::TooLong);
    assert!(Expression::compile(&patterns(4)).is_ok());
    assert!(Expression::compile(&format!("{}1{}", "(".repeat(48), ")".repeat(48))).is_ok());
    assert!(Expression::compile(&format!("1{}", "+1".repeat(300))).is_ok());
    assert!(Expression::compile(&format!("a{}", "&&a".repeat(1_000))).is_ok());
}

#[test]
fn what_would_run_for_ever_or_fill_the_memory_ends_with_the_budget() {
    let texts = "range(100000).map(x, 'x').join('')";
    let sources = [
        "range(1000000000)".to_owned(),
        "range(9223372036854775807)".to_owned(),
        "'x'.repeat(1000000000)".to_owned(),
        "'x'.repeat(9223372036854775807)".to_owned(),
        "'x'.padStart(1000000000)".to_owned(),
        "range(1000).map(a, range(1000).map(b, range(1000).map(c, a * b * c)))".to_owned(),
        "range(2000).map(a, range(2000).exists(b, b < 0))".to_owned(),
        format!("range(100000).filter(x, {texts} == '')"),
        "[1]".to_owned() + &".map(x, [x, x, x, x, x, x, x, x])".repeat(12),
        "['xxxxxxxxxxxxxxxx']".to_owned() + &".map(x, x + x + x + x + x + x)".repeat(20),
        "'x'".to_owned() + &".replace('x', 'xxxxxxxxxx')".repeat(12),
        format!("range(1000).map(x, {texts}.upper())"),
        format!("range(1000).map(x, {texts}.split('x'))"),
        format!("range(1000).exists(x, {texts}.matches('(a+)+$'))"),
        "range(1000).exists(x, 'a'.matches('[a-z]{1,100}' + x))".to_owned(),
        format!("{texts}.replaceRegex('.*[^x]|x', 'y')"),
        "range(300).map(x, input).map(x, range(300).map(y, x))".to_owned(),
        "range(4000).map(x, range(4000)).flatten().sort()".to_owned(),
    ];
    for source in sources {
        let mut budget = Budget::default();
        let error = evaluated(&source, &mut budget).expect_err(&source);
        assert_eq!(error.code, ExpressionErrorCode::Budget, "{source}: {error}");
        assert!(budget.is_exhausted(), "{source}");
    }
}

#[test]
fn an_exhausted_budget_cannot_be_caught() {
    let endless = "range(1000000000)";
    for source in [
        format!("true || {endless}.size() > 0 || {endless} == null"),
        format!("{endless}.size() > 0 || true"),
        format!("{endless}.orValue(1)"),
        format!("coalesce({endless}, 1)"),
        format!("has({{'a': {endless}}}.a)"),
        format!("{{'a': {endless}}}?.a.orValue(1)"),
        format!("[1].exists(x, {endless}.size() > 0 || true)"),
    ] {
        let mut budget = Budget::default();
        match evaluated(&source, &mut budget) {
            Ok(value) => assert!(source.starts_with("true ||"), "{source} gave {value}"),
            Err(error) => assert_eq!(error.code, ExpressionErrorCode::Budget, "{source}"),
        }
    }
    let mut budget = Budget::default();
    assert!(evaluated(endless, &mut budget).is_err());
    assert_eq!(evaluated("1", &mut budget).unwrap_err().code, ExpressionErrorCode::Budget);
}

/// Steps and bytes that an expression takes.
fn cost(source: &str) -> (u64, u64) {
    let mut budget = Budget::default();
    assert!(evaluated(source, &mut budget).is_ok(), "{source}");
    (DEFAULT_STEPS - budget.steps_left(), DEFAULT_BYTES - budget.bytes_left())
}

#[test]
fn costs_grow_with_the_work_and_not_with_what_is_only_passed_by() {
    assert!(cost("input.qty + 1").0 < 10);
    assert_eq!(cost("input.items.filter(i, i.qty > 1).size()").1, cost("input.tags.filter(i, i.size() > 1).size()").1);
    let (few, _) = cost("range(100).map(x, x + 1)");
    let (many, _) = cost("range(10000).map(x, x + 1)");
    assert!((50..=150).contains(&(many / few)), "{few} and {many}");
    let (_, short) = cost("'x'.repeat(100).upper()");
    let (_, long) = cost("'x'.repeat(100000).upper()");
    assert!(long > 500 * short, "{short} and {long}");
    let (equal, _) = cost("'x'.repeat(1000000) == 'x'.repeat(1000000)");
    assert!(equal > 10_000, "{equal}");
}

#[test]
fn a_computed_pattern_is_compiled_once_and_charged_once() {
    let (once, _) = cost("range(1).map(x, 'ab'.matches('a' + 'b'))");
    let (often, _) = cost("range(1000).map(x, 'ab'.matches('a' + 'b'))");
    assert!(once > 10_000 && often < once + 30_000, "{once} and {often}");
}

#[test]
fn a_value_too_deep_for_json_readers_is_not_handed_on() {
    let deeper = format!("[1]{}", ".map(x, [x])".repeat(110));
    assert_eq!(evaluated(&deeper, &mut Budget::default()).unwrap_err().code, ExpressionErrorCode::TooDeep);
    let nested = format!("parseJson('{}{}')", "[".repeat(110), "]".repeat(110));
    assert_eq!(evaluated(&nested, &mut Budget::default()).unwrap_err().code, ExpressionErrorCode::TooDeep);
}

#[test]
fn a_value_that_is_only_named_may_be_larger_than_what_an_expression_makes() {
    let rows = vec!["x".repeat(1024 * 1024); 20];
    let names = Names(json!({"roots": {"input": {"rows": rows}}}));
    let given = |template: Value| Template::compile(&template)?.render(&names, &mut Budget::default());
    assert_eq!(given(json!({"all": "{{ input.rows }}"})), Ok(json!({"all": rows})));
    for (template, message) in [
        (json!("{{ input.rows + [1] }}"), "the expression makes too much data"),
        (json!("rows: {{ input.rows }}"), "the expression makes too much data"),
        (json!(vec!["{{ input.rows }}"; 4]), "the expression hands on too much data"),
    ] {
        let error = given(template).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (ExpressionErrorCode::Budget, message));
    }
}

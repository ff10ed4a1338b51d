//! The language of `{{ … }}`, as the table beside this file, the guide and hostile inputs see it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use engine::expression::{
    Budget, DEFAULT_BYTES, DEFAULT_STEPS, Expression, ExpressionError, ExpressionErrorCode, ItemScope, MAX_DEPTH,
    MAX_NESTING, MAX_TOKENS, SOURCE_LIMIT, Scope, Template, functions,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The values that the table is about.
struct Names(Value);

impl Scope for Names {
    fn root(&self, name: &str) -> Option<&Value> {
        self.0.get("roots")?.get(name)
    }

    fn node_output(&self, key: &str) -> Option<&Value> {
        self.0.get("nodes")?.get(key)
    }
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    Names(json!({
        "roots": {
            "input": {
                "name": "Ada Lovelace", "email": "ADA@Example.org", "price": 19.99, "qty": 3, "active": true,
                "note": null, "tags": ["new", "vip"], "empty": [], "first name": "Ada", "x-y": 1,
                "items": [
                    { "sku": "A-1", "price": 10, "qty": 2 },
                    { "sku": "B-2", "price": 2.5, "qty": 4 },
                    { "sku": "C-3", "price": 100, "qty": 1 },
                ],
                "address": { "city": "Köln", "zip": "50667" },
                "created_at": "2026-01-31T23:30:00+01:00", "big": 9_007_199_254_740_993_i64,
                "json": "{\"a\":[1,2]}", "count": "42", "template": "{{ 1 + 1 }}",
            },
            "run": { "input": { "order_id": 7 } },
            "trigger": {
                "body": { "event": "paid" },
                "headers": { "content-type": "application/json" },
                "query": { "page": "2" },
            },
            "vars": { "region": "eu", "limit": 5 },
            "item": { "id": 1 },
            "index": 4,
        },
        "nodes": {
            "fetch": { "status": 200, "body": { "users": [{ "name": "Grace" }, { "name": "Alan" }] } },
        },
    }))
});

fn evaluated(source: &str, budget: &mut Budget) -> Result<Value, ExpressionError> {
    Expression::compile(source)?.evaluate(&*NAMES, budget)
}

fn rendered(template: Value) -> Result<Value, ExpressionError> {
    Template::compile(&template)?.render(&*NAMES, &mut Budget::default())
}

/// Lines of the table: where, expression, expectation.
fn table() -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    let lines = include_str!("expressions.tsv").lines().enumerate();
    let rows = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(index, line)| {
        let (source, expected) = line.split_once('\t').unwrap_or((line, "nothing: the tab is missing"));
        (index + 1, source, expected)
    })
}

#[test]
fn every_expression_of_the_table_gives_what_stands_beside_it() {
    let mut wrong = Vec::new();
    for (line, source, expected) in table() {
        let came = match evaluated(source, &mut Budget::default()) {
            Ok(value) => value.to_string(),
            Err(error) => error.code.as_str().to_owned(),
        };
        let expected = match serde_json::from_str::<Value>(expected) {
            Ok(value) => value.to_string(),
            Err(_) => expected.to_owned(),
        };
        if came != expected {
            wrong.push(format!("line {line}: {source} gives {came}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(table().count() >= 300, "the table has lost lines");
}

#[test]
fn the_guide_lists_exactly_the_functions_there_are() {
    let guide = include_str!("../../docs/guides/expressions.md");
    let chapter = guide.split("\n## ").find(|chapter| chapter.starts_with("Functions")).unwrap();
    let listed: BTreeSet<String> = chapter.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let exist: BTreeSet<String> = functions()
        .map(|function| format!("| `{}({})` | {} |", function.name, function.arguments, function.summary))
        .collect();
    assert_eq!(listed, exist);
    for (limit, figure) in [
        (DEFAULT_STEPS, "| steps of an evaluation | 500,000 |"),
        (DEFAULT_BYTES / 1024 / 1024, "| text made and values copied | 8 MiB |"),
        (SOURCE_LIMIT as u64 / 1024, "| source of one expression | 16 KiB and 4,096 words and operators |"),
        (MAX_TOKENS as u64, "| source of one expression | 16 KiB and 4,096 words and operators |"),
        (MAX_NESTING as u64, "| brackets and conditionals inside one another | 48 |"),
        (MAX_DEPTH as u64, "| operators or members in a row | 300 |"),
    ] {
        assert!(figure.replace(',', "").contains(&limit.to_string()) && guide.contains(figure), "{figure}");
    }
}

#[test]
fn each_function_has_one_name_of_its_own() {
    let names: BTreeSet<&str> = functions().map(|function| function.name).collect();
    assert_eq!(names.len(), functions().count());
}

#[test]
fn a_mistake_is_shown_at_its_column_with_what_to_write_instead() {
    let shown = |source: &str| evaluated(source, &mut Budget::default()).unwrap_err().to_string();
    assert_eq!(shown("input.qty === 3"), "write == for equal (column 11)");
    assert_eq!(
        shown("'ö' + input.name.toUpperCase()"),
        "there is no function `toUpperCase`; here it is `upper` (column 18)"
    );
    assert_eq!(shown("input.name.trmi()"), "there is no function `trmi`; is it `trim`? (column 12)");
    assert_eq!(shown("1 + (2 * 3"), "this `(` is never closed (column 5)");
    assert_eq!(shown("input.active and true"), "`and` does not fit here; write && (column 14)");
    assert_eq!(shown("1 +"), "the expression ends too early (column 4)");
    assert_eq!(shown("1 +\n\n)"), "this `)` closes nothing (column 6)");
    assert_eq!(
        shown("1 + input.nothing * 2"),
        "null and number cannot be multiplied; a missing member is null, and x.orValue(y) gives it a default (column 19)"
    );
    assert_eq!(
        shown("nodes[input.name].output"),
        "write nodes.<key>.output with a literal key; it is how the order of nodes is checked (column 1)"
    );
}

#[test]
fn no_message_holds_data() {
    for source in
        ["int(input.email)", "parseJson(input.name)", "timestamp(input.name)", "input.name * 2", "bool(input.name)"]
    {
        let message = evaluated(source, &mut Budget::default()).unwrap_err().to_string();
        assert!(!message.contains("Ada") && !message.contains("ADA"), "{source}: {message}");
    }
}

#[test]
fn an_expression_knows_what_it_reads() {
    let reads = |source: &str| {
        let expression = Expression::compile(source).unwrap();
        let all = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        (all(&expression.references().roots), all(&expression.references().nodes))
    };
    assert_eq!(reads("1 + 1"), (String::new(), String::new()));
    assert_eq!(reads("input.a + vars.b"), ("input vars".into(), String::new()));
    assert_eq!(reads("nodes.a.output.x + nodes['b c'].output"), ("nodes".into(), "a b c".into()));
    assert_eq!(reads("input.list.map(x, x.a + item.b)"), ("input item".into(), String::new()));
    assert_eq!(reads("has(nodes.a) ? nodes.b?.output : secrets.c"), ("nodes secrets".into(), "a b".into()));
}

#[test]
fn an_item_scope_puts_item_and_index_over_the_names_below() {
    let item = json!({ "id": "second" });
    let scope = ItemScope { base: &*NAMES, item: &item, index: json!(1) };
    let expression = Expression::compile("item.id + index + vars.region + nodes.fetch.output.status").unwrap();
    assert_eq!(expression.evaluate(&scope, &mut Budget::default()), Ok(json!("second1eu200")));
}

#[test]
fn a_string_that_is_one_expression_keeps_its_type() {
    let template = json!({
        "number": "{{ input.qty }}", "list": "{{ input.tags }}", "null": "{{ input.note }}", "flag": "{{input.active}}",
        "object": "{{ {'a': {'b': 1}} }}", "tight": "{{{'a':{'b':1}}}}", "braces": "{{ '}}' + \"{{\" }}",
        "comment": "{{ 1 // one }}", "lines": "{{ 1 +\n // it's two\n 2 }}",
    });
    let expected = json!({
        "number": 3, "list": ["new", "vip"], "null": null, "flag": true,
        "object": { "a": { "b": 1 } }, "tight": { "a": { "b": 1 } }, "braces": "}}{{", "comment": 1, "lines": 3,
    });
    assert_eq!(rendered(template), Ok(expected));
}

#[test]
fn any_other_string_becomes_text() {
    let cases = [
        ("Hello {{ input.name }}!", "Hello Ada Lovelace!"),
        (" {{ input.qty }}", " 3"),
        ("{{ input.qty }}{{ input.qty }}", "33"),
        (
            "{{ input.note }}|{{ input.tags }}|{{ input.address }}|{{ 1.0 }}",
            "|[\"new\",\"vip\"]|{\"city\":\"Köln\",\"zip\":\"50667\"}|1",
        ),
        (r"\{{ input.name }}", "{{ input.name }}"),
        (r"\\{{ input.qty }}", r"\3"),
        (r"C:\dir {{ input.qty }} a\b }} {", r"C:\dir 3 a\b }} {"),
        ("{{ input.template }} stays", "{{ 1 + 1 }} stays"),
    ];
    for (template, text) in cases {
        assert_eq!(rendered(json!(template)), Ok(json!(text)), "{template}");
    }
}

#[test]
fn object_keys_are_never_evaluated() {
    let template = json!({ "{{ input.name }}": "{{ input.qty }}", "{{ broken": 1 });
    assert_eq!(rendered(template), Ok(json!({ "{{ input.name }}": 3, "{{ broken": 1 })));
}

#[test]
fn a_fault_in_a_template_names_the_string_and_the_column_in_it() {
    let place = |template: Value| {
        let error = rendered(template).unwrap_err();
        (error.code.as_str(), error.path, error.column)
    };
    let deep = json!({ "body": { "a/b": ["fine", "größe: {{ input.name + }}"] } });
    assert_eq!(place(deep), ("EXPRESSION_SYNTAX", "/body/a~1b/1".into(), Some(24)));
    assert_eq!(place(json!(["{{ input.name * 2 }}"])), ("EXPRESSION_TYPE", "/0".into(), Some(15)));
    assert_eq!(place(json!("x {{ input.name")), ("EXPRESSION_SYNTAX", String::new(), Some(3)));
    assert_eq!(place(json!("{{ }}")), ("EXPRESSION_SYNTAX", String::new(), Some(3)));
    assert_eq!(place(json!("{{ it's }}")), ("EXPRESSION_SYNTAX", String::new(), Some(6)));
}

#[test]
fn a_template_knows_what_all_its_strings_read() {
    let template =
        Template::compile(&json!({ "a": "{{ nodes.x.output }}", "b": ["{{ vars.y }} and {{ nodes.z.output }}"] }));
    let template = template.unwrap();
    assert_eq!(template.references().roots, BTreeSet::from(["nodes".into(), "vars".into()]));
    assert_eq!(template.references().nodes, BTreeSet::from(["x".into(), "z".into()]));
    assert!(!template.is_literal());
    assert!(Template::compile(&json!({ "a": [1, "}} {"] })).unwrap().is_literal());
}

#[test]
fn a_template_that_nests_too_deeply_is_refused() {
    let nested = (0..120).fold(json!("{{ 1 }}"), |inner, _| json!([inner]));
    assert_eq!(Template::compile(&nested).unwrap_err().code, ExpressionErrorCode::TooDeep);
}

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

/// Expressions that mostly compile, built from the language's own parts.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("input".to_owned()),
        Just("input.items".to_owned()),
        Just("input.nothing".to_owned()),
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

//! Strings with expressions in them.

use super::*;

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
    assert!(template.references().roots.keys().eq(["nodes", "vars"]));
    assert!(template.references().nodes.keys().eq(["x", "z"]));
    assert!(!template.is_literal());
    assert!(Template::compile(&json!({ "a": [1, "}} {"] })).unwrap().is_literal());
}

#[test]
fn a_template_that_nests_too_deeply_is_refused() {
    let nested = (0..120).fold(json!("{{ 1 }}"), |inner, _| json!([inner]));
    assert_eq!(Template::compile(&nested).unwrap_err().code, ExpressionErrorCode::TooDeep);
}

use std::collections::BTreeMap;

use super::*;

fn types() -> Types {
    let line = PortType::closed([("sku", PortType::String), ("unit price", PortType::Number)]);
    let input = PortType::open([("lines", PortType::list_of(line)), ("name", PortType::String)]);
    let nodes = [
        ("fetch", NodeOutput::Before(PortType::closed([("status", PortType::Integer), ("body", PortType::Any)]))),
        ("later", NodeOutput::NotBefore),
    ];
    let roots = [("input", input), ("index", PortType::Integer)];
    Types::new(
        roots.into_iter().map(|(name, r#type)| (name.to_owned(), r#type)).collect(),
        nodes.into_iter().map(|(key, output)| (key.to_owned(), output)).collect::<BTreeMap<_, _>>(),
    )
}

/// Labels at the place of `|`, functions left out.
fn labels(source: &str) -> Vec<String> {
    let offset = source.chars().take_while(|c| *c != '|').count();
    let found = complete(&source.replace('|', ""), offset, &types());
    let found = found.into_iter().filter(|completion| completion.kind != CompletionKind::Function);
    found.map(|completion| completion.label).collect()
}

#[test]
fn names_members_and_nodes_are_proposed_where_they_fit() {
    assert_eq!(labels("|"), ["index", "input", "nodes"]);
    assert_eq!(labels("1 + in|"), ["index", "input"]);
    assert_eq!(labels("input.|"), ["lines", "name"]);
    assert_eq!(labels("upper(input.n|)"), ["name"]);
    assert_eq!(labels("input.lines[0].|"), ["sku", "unit price"]);
    assert_eq!(labels("input.lines.first().s|"), ["sku"]);
    assert_eq!(labels("nodes.|"), ["fetch"]);
    assert_eq!(labels("nodes.fetch.|"), ["output"]);
    assert_eq!(labels("nodes.fetch.output.|"), ["body", "status"]);
}

#[test]
fn a_macro_binds_its_name_to_the_elements() {
    assert_eq!(labels("input.lines.filter(x, x.|"), ["sku", "unit price"]);
    assert_eq!(labels("input.lines.map(line, li|"), ["line"]);
    assert_eq!(labels("[input.lines].map(all, all.map(one, one.s|"), ["sku"]);
}

#[test]
fn a_member_that_is_no_name_is_put_in_backticks() {
    let found = complete("input.lines[0].unit", 19, &types());
    assert_eq!(found.first().map(|completion| completion.insert.as_str()), Some("`unit price`"));
}

#[test]
fn methods_are_those_that_take_what_stands_before() {
    let of = |source: &str| -> Vec<String> {
        let found = complete(source, source.len(), &types()).into_iter();
        found.filter(|found| found.kind == CompletionKind::Function).map(|found| found.label).collect()
    };
    assert!(of("input.name.").contains(&"upper".to_owned()));
    assert!(!of("input.name.").contains(&"groupBy".to_owned()));
    assert!(of("input.lines.").contains(&"groupBy".to_owned()));
    assert_eq!(of("input.name.starts"), ["startsWith"]);
}

#[test]
fn nothing_is_proposed_inside_a_text_or_after_what_cannot_be_read() {
    for source in ["'input.", "input.name == \"in", "input..", "nodes.later.", ").", "1.5.", "a ? b : c => "] {
        assert_eq!(complete(source, source.chars().count(), &types()), Vec::new(), "{source}");
    }
}

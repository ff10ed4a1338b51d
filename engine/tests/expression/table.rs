//! The table beside this file, the guide, and what messages say.

use super::*;

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
fn what_an_expression_does_not_read_changes_nothing() {
    for (line, source, _) in table() {
        let whole = evaluated(source, &mut Budget::default());
        assert_eq!(evaluated_of_parts(source, &mut Budget::default()), whole, "line {line}: {source}");
    }
}

#[test]
fn the_guide_lists_exactly_the_functions_there_are() {
    let guide = include_str!("../../../docs/guides/expressions.md");
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
        let all = |names: &BTreeMap<String, Extent>| names.keys().cloned().collect::<Vec<_>>().join(" ");
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

use serde_json::{Value, json};

use super::*;
use crate::expression::{Budget, Expression, ExpressionErrorCode, Scope, functions};

/// A value of each kind, under its bit.
fn samples() -> [(u8, Value); 8] {
    [
        (NULL, json!(null)),
        (BOOLEAN, json!(true)),
        (NUMBER, json!(1)),
        (TEXT, json!("2026-01-31T12:00:00Z")),
        (LIST, json!([{"key": "a", "value": 1}])),
        (LIST, json!([2, 1.5])),
        (LIST, json!(["b", "a"])),
        (OBJECT, json!({"a": 1})),
    ]
}

struct Arguments(Vec<(String, Value)>);

impl Scope for Arguments {
    fn root(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn node_output(&self, _: &str) -> Option<&Value> {
        None
    }
}

fn called(name: &str, arguments: &[Value]) -> Result<Value, ExpressionErrorCode> {
    let names: Vec<String> = (0..arguments.len()).map(|index| format!("a{index}")).collect();
    let source = format!("{name}({})", names.join(", "));
    let scope = Arguments(names.into_iter().zip(arguments.iter().cloned()).collect());
    let compiled = Expression::compile(&source).map_err(|error| error.code)?;
    compiled.evaluate(&scope, &mut Budget::default()).map_err(|error| error.code)
}

/// Every list of up to three samples.
fn combinations() -> Vec<Vec<(u8, Value)>> {
    let mut all: Vec<Vec<(u8, Value)>> = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..3 {
        let longer = last.iter().flat_map(|before| {
            samples().into_iter().map(|sample| before.iter().cloned().chain([sample]).collect::<Vec<_>>())
        });
        last = longer.collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn what_a_signature_refuses_fails_and_what_comes_out_is_of_the_type_it_gives() {
    // What the compiler makes nodes of, or binds names, has no line in the table.
    let special = ["has", "all", "exists", "exists_one", "existsOne", "filter", "map", "sortBy", "groupBy"];
    let lazy = ["coalesce", "orValue", "or"];
    let combinations = combinations();
    let mut all = Vec::new();
    for function in functions().filter(|known| !special.contains(&known.name) && !lazy.contains(&known.name)) {
        let signature = of(function.name);
        let mut ran = 0;
        let mut wrong = Vec::new();
        for arguments in &combinations {
            let values: Vec<Value> = arguments.iter().map(|(_, value)| value.clone()).collect();
            let refused = arguments.iter().enumerate().any(|(index, (kind, _))| signature.takes(index) & kind == 0);
            if let Ok(result) = called(function.name, &values) {
                ran += 1;
                if refused {
                    wrong.push(format!("refuses {values:?}, which gives {result}"));
                }
                let types: Vec<PortType> = values.iter().map(PortType::of_value).collect();
                let gives = signature.gives(&types);
                if !gives.contains(&result) {
                    wrong.push(format!("{values:?} gives {result}, not {gives}"));
                }
            }
        }
        all.extend(wrong.into_iter().take(3).map(|wrong| format!("{} {wrong}", function.name)));
        // `base64Decode`, `duration`, `parseJson` and `split` want texts of their own.
        let is_picky = ["base64Decode", "duration", "addDuration", "parseJson"].contains(&function.name);
        assert!(ran > 0 || is_picky, "{} never ran", function.name);
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn every_function_has_a_line() {
    let anything = ["has", "coalesce", "orValue", "or"];
    for function in functions() {
        let signature = of(function.name);
        let listed = !matches!(signature.gives, Gives::Any) || function.name == "parseJson";
        let is_macro = function.arguments.contains(", x, ");
        assert!(listed || is_macro || anything.contains(&function.name), "{}", function.name);
    }
}

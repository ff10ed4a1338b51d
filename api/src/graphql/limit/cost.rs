//! What an operation may cost at most, told before it is validated: a scalar costs nothing, an object 1, a connection
//! its page size times what is selected of each item, any other list of objects twice what is selected of one.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, ServiceDocument,
    Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned, Value, Variables};

/// Items of a page when the client does not say.
const DEFAULT_PAGE: u64 = 25;
/// Most items of a page; who asks for more is refused later.
const LARGEST_PAGE: u64 = 100;
/// What a list without pages counts for.
const LIST: u64 = 2;

/// What selecting a field leads to.
#[derive(Debug, Clone)]
struct Priced {
    /// The type of what it selects from.
    of: Name,
    is_list: bool,
    is_paged: bool,
}

/// The fields of the schema that cost something.
#[derive(Debug, Default)]
pub struct Prices {
    fields: HashMap<Name, HashMap<Name, Priced>>,
}

impl Prices {
    /// Reads them off the schema's text.
    pub fn of(schema: &ServiceDocument) -> Self {
        let types = || {
            schema.definitions.iter().filter_map(|definition| match definition {
                TypeSystemDefinition::Type(definition) => Some(&definition.node),
                TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
            })
        };
        let has_fields =
            |kind: &TypeKind| matches!(kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_));
        let objects: HashSet<&Name> =
            types().filter(|definition| has_fields(&definition.kind)).map(|definition| &definition.name.node).collect();
        let mut prices = Self::default();
        for definition in types() {
            let fields = match &definition.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => continue,
            };
            let in_page = definition.name.node.ends_with("Connection");
            let priced = fields.iter().filter_map(|field| {
                let (of, is_list) = innermost(&field.node.ty.node);
                let is_paged = field.node.arguments.iter().any(|argument| argument.node.name.node == "first");
                let priced = Priced { of: of.clone(), is_list: is_list && !in_page, is_paged };
                objects.contains(of).then(|| (field.node.name.node.clone(), priced))
            });
            prices.fields.insert(definition.name.node.clone(), priced.collect());
        }
        prices
    }

    /// What an operation costs at most. Its selections were counted before, so that this ends soon.
    pub fn cost(&self, document: &ExecutableDocument, operation: &OperationDefinition, variables: &Variables) -> u64 {
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut asked = Asked { prices: self, document, operation, variables, open: Vec::new() };
        asked.selections(&operation.selection_set.node, &Name::new(root))
    }
}

fn innermost(r#type: &Type) -> (&Name, bool) {
    match &r#type.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(of) => (innermost(of).0, true),
    }
}

struct Asked<'a> {
    prices: &'a Prices,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// Fragments that are open; one that comes again is a cycle, which validation names.
    open: Vec<&'a Name>,
}

impl<'a> Asked<'a> {
    fn selections(&mut self, set: &'a SelectionSet, of: &Name) -> u64 {
        set.items.iter().fold(0, |cost: u64, selection| cost.saturating_add(self.selection(selection, of)))
    }

    fn selection(&mut self, selection: &'a Positioned<Selection>, of: &Name) -> u64 {
        match &selection.node {
            Selection::Field(field) => self.field(&field.node, of),
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.clone());
                self.selections(&fragment.node.selection_set.node, &on.unwrap_or_else(|| of.clone()))
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = self.document.fragments.get(name).filter(|_| !self.open.contains(&name)) else {
                    return 0;
                };
                self.open.push(name);
                let cost =
                    self.selections(&fragment.node.selection_set.node, &fragment.node.type_condition.node.on.node);
                self.open.pop();
                cost
            }
        }
    }

    fn field(&mut self, field: &'a Field, of: &Name) -> u64 {
        let Some(priced) = self.prices.fields.get(of).and_then(|fields| fields.get(&field.name.node)) else { return 0 };
        let inside = self.selections(&field.selection_set.node, &priced.of);
        if priced.is_paged {
            inside.saturating_mul(self.page_size(field)).saturating_add(1)
        } else {
            inside.saturating_add(1).saturating_mul(if priced.is_list { LIST } else { 1 })
        }
    }

    fn page_size(&self, field: &Field) -> u64 {
        let said = field.get_argument("first").or_else(|| field.get_argument("last"));
        let size =
            said.and_then(|value| value.node.clone().into_const_with(|name| self.variable(&name).ok_or(())).ok());
        let size = match size {
            Some(Value::Number(number)) => number.as_u64(),
            _ => None,
        };
        size.unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE)
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let given = self.variables.get(name).filter(|value| **value != Value::Null);
        let default = || {
            let mut definitions = self.operation.variable_definitions.iter();
            definitions.find(|definition| definition.node.name.node == *name)?.node.default_value.as_ref()
        };
        given.or_else(|| default().map(|value| &value.node)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::types::DocumentOperations;
    use async_graphql::parser::{parse_query, parse_schema};
    use serde_json::json;

    const SCHEMA: &str = "
        type Query { viewer: Viewer runs(first: Int, after: String): RunConnection! node(id: ID!): Node }
        type Viewer { name: String! role: Role! }
        enum Role { ADMIN }
        interface Node { id: ID! }
        type Run implements Node { id: ID! tags: [String!]! workflow: Workflow! steps: [Step!]! }
        type Workflow implements Node { id: ID! runs(first: Int): RunConnection! }
        type Step { name: String! run: Run! }
        type RunConnection { nodes: [Run!]! edges: [RunEdge!]! }
        type RunEdge { cursor: String! node: Run! }";

    fn cost(query: &str, variables: serde_json::Value) -> u64 {
        let prices = Prices::of(&parse_schema(SCHEMA).unwrap());
        let document = parse_query(query).unwrap();
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation") };
        prices.cost(&document, &operation.node, &Variables::from_json(variables))
    }

    #[test]
    fn scalars_are_free_objects_cost_one_and_pages_multiply() {
        for (query, wanted) in [
            ("{ __typename }", 0),
            ("{ viewer { name role } }", 1),
            ("{ runs { nodes { id } } }", 26),
            ("{ runs(first: 10) { nodes { id tags } } }", 11),
            ("{ runs(first: 10) { edges { cursor node { id } } } }", 21),
            ("{ runs(first: 10) { nodes { workflow { id } steps { name } } } }", 41),
            ("{ runs(first: 10) { nodes { workflow { runs(first: 100) { nodes { id } } } } } }", 1031),
            ("{ runs(first: 2147483647) { nodes { id } } }", 101),
            ("{ runs(first: -5) { nodes { id } } }", 26),
            ("{ node(id: 1) { ... on Workflow { runs(first: 3) { nodes { id } } } } }", 5),
            ("{ ...A } fragment A on Query { viewer { name } ...A }", 1),
            ("{ unknown { field } __schema { types { name } } }", 0),
        ] {
            assert_eq!(cost(query, json!({})), wanted, "{query}");
        }
    }

    #[test]
    fn a_page_size_in_a_variable_counts() {
        let query = "query($n: Int = 50) { runs(first: $n) { nodes { id } } }";
        assert_eq!(cost(query, json!({"n": 3})), 4);
        assert_eq!(cost(query, json!({})), 51);
        assert_eq!(cost("query($n: Int) { runs(first: $n) { nodes { id } } }", json!({"n": null})), 26);
    }
}

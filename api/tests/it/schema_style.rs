//! The schema as people read it: everything is described, and named alike.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};

/// Lists of objects without pages, each with what keeps it short.
const SHORT_LISTS: &[(&str, &str)] = &[
    ("ArtifactUpload.headers", "those that one request needs"),
    ("ApiKey.projects", "a limit names at most 100 projects"),
    ("Invitation.projects", "a limit names at most 100 projects"),
    ("Member.projects", "a limit names at most 100 projects"),
    ("ServiceAccount.projects", "a limit names at most 100 projects"),
    ("Viewer.projects", "a limit names at most 100 projects"),
    ("AttemptLog.lines", "an attempt keeps at most 1,000 lines and 64 KiB of them"),
    ("NodeRun.attempts", "a retry policy allows at most 100 attempts"),
    ("TestPlan.nodes", "the nodes of the document that was sent along"),
    ("TestPlan.problems", "all problems of the document that was sent along"),
    ("TestRunPayload.problems", "all problems of the document that was sent along"),
    ("ValuePage.parts", "a page itself, of at most 100 parts; the value may have millions"),
    ("CheckedExpression.completions", "the members and functions at one place of one expression"),
    ("CheckedExpression.problems", "the problems of one expression, which is bounded"),
    ("Draft.problems", "all problems of one document at once; the document is bounded"),
    ("NodeDifference.fields", "the fields of one node of a document, which is bounded"),
    ("NodeType.inputs", "a node type has a handful of ports"),
    ("NodeType.outputs", "a node type has a handful of ports"),
    ("PublishWorkflowPayload.problems", "all problems of one document at once; the document is bounded"),
    ("Connection.usedBy", "the workflows of one environment that name one credential, to be shown as a whole"),
    ("Query.permissions", "what this release has built in"),
    ("Query.roles", "the built-in roles and the few that a workspace makes, to be shown as one matrix"),
    ("Query.workspaces", "the workspaces of one person, to choose from"),
    ("Query.connectionTypes", "what this release has built in"),
    ("Project.environments", "a project has a handful of environments"),
    ("Query.nodeTypes", "what this release has built in"),
    ("Query.validateDefinition", "all problems of one document at once; the document is bounded"),
    (
        "NotificationDelivery.attempts",
        "the tries of one message, of which there are eight until somebody asks for more",
    ),
    ("Query.notifications", "a workspace has at most 100"),
    ("SampleDelivery.headers", "the headers of one request, a handful"),
    ("Webhook.urls", "the URL of one trigger and those that it replaced lately"),
    ("StartRunsPayload.results", "one for each of at most 250 runs that were asked for"),
    ("Version.nodes", "the nodes of one document, which is bounded"),
    ("VersionDifference.edgesAdded", "the edges of one document, which is bounded"),
    ("VersionDifference.edgesRemoved", "the edges of one document, which is bounded"),
    ("VersionDifference.fields", "the fields of one document, which is bounded"),
    ("VersionDifference.nodes", "the nodes of two documents, which are bounded"),
    ("Workflow.deployments", "one for each environment of a workspace"),
    ("Workflow.triggerBindings", "one for each trigger node that was deployed to an environment"),
    ("Workflow.triggers", "the triggers of one document, which is bounded"),
];

fn types() -> Vec<TypeDefinition> {
    let document = parse_schema(api::graphql::schema_sdl()).unwrap();
    let definitions = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    definitions.collect()
}

fn fields(kind: &TypeKind) -> &[Positioned<FieldDefinition>] {
    match kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

fn inputs(kind: &TypeKind) -> &[Positioned<InputValueDefinition>] {
    match kind {
        TypeKind::InputObject(input) => &input.fields,
        _ => &[],
    }
}

fn is_said(description: Option<&Positioned<String>>) -> bool {
    description.is_some_and(|text| text.node.trim().len() > 3)
}

fn innermost(r#type: &Type) -> (&str, bool) {
    match &r#type.base {
        BaseType::Named(name) => (name.as_str(), false),
        BaseType::List(of) => (innermost(of).0, true),
    }
}

#[test]
fn everything_is_described() {
    let mut silent = BTreeSet::new();
    for r#type in types() {
        let name = r#type.name.node.to_string();
        // The library makes connections without a word of their own; their fields have one.
        if !is_said(r#type.description.as_ref()) && !is_page(&name) {
            silent.insert(name.clone());
        }
        for field in fields(&r#type.kind) {
            if !is_said(field.node.description.as_ref()) {
                silent.insert(format!("{name}.{}", field.node.name.node));
            }
            for argument in &field.node.arguments {
                if !is_said(argument.node.description.as_ref()) {
                    silent.insert(format!("{name}.{}({})", field.node.name.node, argument.node.name.node));
                }
            }
        }
        for field in inputs(&r#type.kind) {
            if !is_said(field.node.description.as_ref()) {
                silent.insert(format!("{name}.{}", field.node.name.node));
            }
        }
        if let TypeKind::Enum(words) = &r#type.kind {
            for word in &words.values {
                if !is_said(word.node.description.as_ref()) {
                    silent.insert(format!("{name}.{}", word.node.value.node));
                }
            }
        }
    }
    assert_eq!(silent, BTreeSet::new());
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_capitals(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn names_are_written_alike() {
    let mut odd = BTreeSet::new();
    for r#type in types() {
        let name = r#type.name.node.to_string();
        if !is_pascal(&name) {
            odd.insert(name.clone());
        }
        for field in fields(&r#type.kind) {
            if !is_camel(&field.node.name.node) {
                odd.insert(format!("{name}.{}", field.node.name.node));
            }
            odd.extend(
                field
                    .node
                    .arguments
                    .iter()
                    .filter(|argument| !is_camel(&argument.node.name.node))
                    .map(|argument| format!("{name}.{}({})", field.node.name.node, argument.node.name.node)),
            );
        }
        odd.extend(
            inputs(&r#type.kind)
                .iter()
                .filter(|field| !is_camel(&field.node.name.node))
                .map(|field| format!("{name}.{}", field.node.name.node)),
        );
        if let TypeKind::Enum(words) = &r#type.kind {
            odd.extend(
                words
                    .values
                    .iter()
                    .filter(|word| !is_capitals(&word.node.value.node))
                    .map(|word| format!("{name}.{}", word.node.value.node)),
            );
        }
    }
    assert_eq!(odd, BTreeSet::new());
}

#[test]
fn a_mutation_takes_one_input_and_answers_with_user_errors() {
    let types = types();
    let by_name: BTreeMap<&str, &TypeDefinition> =
        types.iter().map(|definition| (definition.name.node.as_str(), definition)).collect();
    for mutation in fields(&by_name["Mutation"].kind) {
        let name = mutation.node.name.node.as_str();
        let arguments: Vec<(&str, String)> = mutation
            .node
            .arguments
            .iter()
            .map(|argument| (argument.node.name.node.as_str(), argument.node.ty.node.to_string()))
            .collect();
        let capital = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        assert!(
            matches!(&arguments[..], [("input", of)] if of.ends_with("Input!")),
            "{name} takes one non-null `input` of an input type: {arguments:?}"
        );
        assert_eq!(arguments[0].1, format!("{capital}Input!"), "{name} has an input of its own");
        let payload = mutation.node.ty.node.to_string();
        let payload = payload.strip_suffix('!').expect("a mutation always answers");
        assert!(payload.ends_with("Payload"), "{name} answers with a payload, not {payload}");
        let errors = fields(&by_name[payload].kind).iter().find(|field| field.node.name.node == "userErrors");
        let errors = errors.map(|field| field.node.ty.node.to_string());
        assert_eq!(errors.as_deref(), Some("[UserError!]!"), "{payload}");
    }
}

/// Whether a type is a page of a list. A `Connection` itself is a credential.
fn is_page(name: &str) -> bool {
    name.ends_with("Connection") && name != "Connection"
}

#[test]
fn a_list_of_objects_has_pages_or_a_reason_to_be_short() {
    let types = types();
    let objects: BTreeSet<&str> = types
        .iter()
        .filter(|definition| {
            matches!(definition.kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
        })
        .map(|definition| definition.name.node.as_str())
        .collect();
    let mut lists = BTreeSet::new();
    for definition in types.iter().filter(|definition| !is_page(&definition.name.node)) {
        for field in fields(&definition.kind) {
            let (of, is_list) = innermost(&field.node.ty.node);
            if is_list && objects.contains(of) && of != "UserError" {
                lists.insert(format!("{}.{}", definition.name.node, field.node.name.node));
            }
        }
    }
    let listed: BTreeSet<String> = SHORT_LISTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(lists, listed, "left: in the schema; right: with a reason");
    assert!(SHORT_LISTS.iter().all(|(_, reason)| reason.len() > 10));
}

#[test]
fn a_connection_is_asked_with_first_and_after() {
    for definition in types() {
        for field in fields(&definition.kind) {
            if is_page(innermost(&field.node.ty.node).0) {
                let has = |name: &str| field.node.arguments.iter().any(|argument| argument.node.name.node == name);
                assert!(has("first") && has("after"), "{}.{}", definition.name.node, field.node.name.node);
            }
        }
    }
}

/// The same word means the same wherever a mistake of the asker is told.
#[test]
fn every_user_error_is_in_the_table_of_codes() {
    let types = types();
    let found = types.iter().find(|definition| definition.name.node == "UserErrorCode").unwrap();
    let TypeKind::Enum(words) = &found.kind else { panic!("an enum") };
    let unknown: Vec<&str> = words
        .values
        .iter()
        .map(|word| word.node.value.node.as_str())
        .filter(|word| api::code::Code::parse(word).is_none())
        .collect();
    assert_eq!(unknown, Vec::<&str>::new(), "add them to api/src/code.rs");
}

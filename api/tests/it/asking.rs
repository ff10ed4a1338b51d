//! Questions made from the schema, so that no mutation and no query is forgotten.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use serde_json::{Map, Value, json};

/// The schema that the server serves.
pub(crate) struct Asking(BTreeMap<String, TypeDefinition>);

impl Asking {
    pub(crate) fn read() -> Self {
        let document = parse_schema(api::graphql::schema_sdl()).unwrap();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            _ => None,
        });
        Self(types.map(|definition| (definition.name.node.to_string(), definition)).collect())
    }

    /// The fields of a root type.
    pub(crate) fn fields(&self, root: &str) -> Vec<&FieldDefinition> {
        let TypeKind::Object(object) = &self.0[root].kind else { panic!("{root} is an object") };
        object.fields.iter().map(|field| &field.node).collect()
    }

    /// The least input that a mutation takes; every id is made by `id` from the names of mutation and field.
    pub(crate) fn input(&self, mutation: &str, id: &dyn Fn(&str, &str) -> String) -> Value {
        let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let mut input = self.object(mutation, &name, id);
        let more = match mutation {
            "startRun" | "startRuns" => json!({"workflow": "nowhere"}),
            "createApiKey" => json!({"role": "viewer"}),
            _ => json!({}),
        };
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    }

    /// The ids that an input takes, also those that may be left out.
    pub(crate) fn ids(&self, mutation: &str) -> Vec<String> {
        let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let ids = self.inputs(&name).into_iter().filter(|field| base(&field.ty.node) == "ID");
        ids.map(|field| field.name.node.to_string()).collect()
    }

    fn inputs(&self, name: &str) -> Vec<&InputValueDefinition> {
        let TypeKind::InputObject(object) = &self.0[name].kind else { panic!("{name} is an input") };
        object.fields.iter().map(|field| &field.node).collect()
    }

    fn object(&self, mutation: &str, name: &str, id: &dyn Fn(&str, &str) -> String) -> Value {
        let wanted =
            self.inputs(name).into_iter().filter(|field| !field.ty.node.nullable && field.default_value.is_none());
        let of = |field: &InputValueDefinition| {
            let name = field.name.node.to_string();
            (name.clone(), self.value(mutation, &name, &field.ty.node, id))
        };
        Value::Object(wanted.map(of).collect::<Map<_, _>>())
    }

    fn value(&self, mutation: &str, field: &str, of: &Type, id: &dyn Fn(&str, &str) -> String) -> Value {
        let name = match &of.base {
            BaseType::List(item) => return json!([self.value(mutation, field, item, id)]),
            BaseType::Named(name) => name.as_str(),
        };
        match (name, field) {
            ("ID", _) => id(mutation, field).into(),
            ("String", "role") => "viewer".into(),
            ("String", "permissions") => "read".into(),
            ("String", "redirectUri") => "http://127.0.0.1:1/x".into(),
            ("String", _) => "x".into(),
            ("Int", _) => 1.into(),
            ("Boolean", _) => false.into(),
            ("DateTime", _) => "2026-01-01T00:00:00Z".into(),
            ("JSON", _) => json!({}),
            (other, _) => match &self.0[other].kind {
                TypeKind::Enum(words) => words.values[0].node.value.node.as_str().into(),
                TypeKind::InputObject(_) => self.object(mutation, other, id),
                kind => panic!("{mutation}.{field}: {kind:?}"),
            },
        }
    }

    /// A mutation that asks only for what went wrong.
    pub(crate) fn mutation(&self, mutation: &str) -> String {
        let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        format!("mutation($i: {name}!) {{ it: {mutation}(input: $i) {{ userErrors {{ code message field }} }} }}")
    }
}

fn base(of: &Type) -> &str {
    match &of.base {
        BaseType::List(item) => base(item),
        BaseType::Named(name) => name.as_str(),
    }
}

/// The kind of thing that an id in an input names.
pub(crate) fn kind(mutation: &str, field: &str) -> &'static str {
    match field {
        "workflowId" => "wf",
        "triggerId" => "trg",
        "runId" => "run",
        "projectId" => "prj",
        "environmentId" => "env",
        "versionId" | "expectedVersionId" => "ver",
        "draftId" => "drf",
        "backfillId" => "bkf",
        "eventId" => "evt",
        "nodeRunId" => "nrun",
        "memberId" => "mbr",
        "roleId" => "rol",
        "invitationId" => "inv",
        "artifactId" => "art",
        "keyId" => "key",
        "serviceAccountId" => "svc",
        "notificationId" => "ntf",
        "id" if mutation.contains("Notification") => "ntf",
        "id" if mutation.contains("Delivery") => "dlv",
        "id" if mutation.contains("Connection") => "con",
        "id" if mutation.contains("Variable") => "var",
        _ => panic!("{mutation}.{field}: say which kind of thing this id names"),
    }
}

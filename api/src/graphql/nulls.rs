//! What becomes of the values around a field that fails, as the specification of GraphQL has it (October 2021, 6.4.4): the
//! field is null where its type allows it, otherwise the value that it stands in is, and so on outwards. The library
//! leaves the field out instead, and makes null of what is left without a field.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_graphql::extensions::{ExtensionContext, NextResolve, ResolveInfo};
use async_graphql::{PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value};

/// The failures of one execution.
#[derive(Default)]
pub(super) struct Nulls {
    /// Whether there was one: hardly any execution has any, and no field of the others looks further.
    any: AtomicBool,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// What the library must not learn of, because it would leave their fields out.
    errors: Vec<ServerError>,
    /// Where values stand in which something has failed that is never null.
    broken: Vec<Vec<PathSegment>>,
}

impl Nulls {
    /// Resolves a field or an item of a list.
    pub(super) async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (node, kind) = (info.path_node, info.return_type);
        // What the library says of the type of an item is not always so; the list's own type tells.
        let is_item = matches!(node.segment, QueryPathSegment::Index(_));
        match next.run(ctx, info).await {
            Ok(value) if is_item || !self.any.load(Ordering::Relaxed) => Ok(value),
            Ok(None) => Ok(None),
            Ok(Some(mut value)) => {
                let here = path(Some(node));
                let (mut found, nullable) = (self.found(), nullable(kind));
                for inner in found.mend(&here) {
                    match (0..=inner.len()).rev().find(|level| nullable.get(*level) == Some(&true)) {
                        Some(level) => clear(&mut value, &inner[..level]),
                        None => {
                            found.broken.push(path(node.parent));
                            return Ok(Some(Value::Null));
                        }
                    }
                }
                Ok(Some(value))
            }
            Err(error) => {
                self.any.store(true, Ordering::Relaxed);
                let mut found = self.found();
                if is_item {
                    found.broken.push(path(Some(node)));
                } else {
                    found.mend(&path(Some(node)));
                    if kind.ends_with('!') {
                        found.broken.push(path(node.parent));
                        return Err(error);
                    }
                }
                found.errors.push(error);
                Ok(Some(Value::Null))
            }
        }
    }

    /// Puts what was found into the response.
    pub(super) fn settle(&self, response: &mut Response) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let mut found = self.found();
        if !found.mend(&[]).is_empty() {
            response.data = Value::Null;
        }
        response.errors.append(&mut found.errors);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    /// What is broken at a place: the way there through the lists that it may be. It is not any more once somebody has
    /// asked.
    fn mend(&mut self, here: &[PathSegment]) -> Vec<Vec<usize>> {
        let index = |segment: &PathSegment| match segment {
            PathSegment::Index(index) => Some(*index),
            PathSegment::Field(_) => None,
        };
        let way = |broken: &mut Vec<PathSegment>| broken.strip_prefix(here)?.iter().map(index).collect();
        let mut ways = Vec::new();
        self.broken.retain_mut(|broken| match way(broken) {
            Some(found) => {
                ways.push(found);
                false
            }
            None => true,
        });
        ways
    }
}

/// Whether a type may be null, then whether its items may, and so on: `[Thing!]` may, and they may not.
fn nullable(kind: &str) -> Vec<bool> {
    let (mut levels, mut rest) = (Vec::new(), Some(kind));
    while let Some(kind) = rest {
        levels.push(!kind.ends_with('!'));
        rest = kind.trim_end_matches('!').strip_prefix('[').and_then(|kind| kind.strip_suffix(']'));
    }
    levels
}

/// Makes null of an item of a list, or of the value itself.
fn clear(value: &mut Value, way: &[usize]) {
    match (way.split_first(), value) {
        (None, value) => *value = Value::Null,
        (Some((index, way)), Value::List(items)) => {
            if let Some(item) = items.get_mut(*index) {
                clear(item, way);
            }
        }
        // It has been cleared already.
        (Some(_), _) => {}
    }
}

/// Where a value stands, from the root of the response.
fn path(node: Option<&QueryPathNode<'_>>) -> Vec<PathSegment> {
    let outwards = std::iter::successors(node, |node| node.parent);
    let mut path: Vec<PathSegment> = outwards
        .map(|node| match node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(index),
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        })
        .collect();
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Result, Schema};
    use serde_json::{Value, json};

    use super::super::transport::MarkExecuted;
    use super::nullable;

    struct Query;
    struct Thing;

    #[Object]
    impl Query {
        async fn thing(&self) -> Option<Thing> {
            Some(Thing)
        }

        async fn sure_thing(&self) -> Thing {
            Thing
        }

        async fn things(&self) -> Vec<Thing> {
            vec![Thing, Thing]
        }

        async fn perhaps(&self) -> Vec<Option<Thing>> {
            vec![Some(Thing), None]
        }

        async fn some(&self) -> Option<Vec<Thing>> {
            Some(vec![Thing])
        }

        async fn nested(&self) -> Vec<Option<Vec<Thing>>> {
            vec![Some(vec![Thing]), None]
        }
    }

    #[Object]
    impl Thing {
        async fn name(&self) -> &str {
            "it"
        }

        async fn missing(&self) -> Result<Option<i32>> {
            Err("it is missing".into())
        }

        async fn broken(&self) -> Result<i32> {
            Err("it is broken".into())
        }

        async fn inner(&self) -> Option<Thing> {
            Some(Thing)
        }

        async fn sure(&self) -> Thing {
            Thing
        }
    }

    async fn answer(query: &str) -> (Value, Vec<Value>) {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).extension(MarkExecuted).finish();
        let response = schema.execute(Request::new(query)).await;
        let body = serde_json::to_value(&response).unwrap();
        let paths = body["errors"].as_array().into_iter().flatten().map(|error| error["path"].clone()).collect();
        (body["data"].clone(), paths)
    }

    #[test]
    fn types_say_what_may_be_null() {
        assert_eq!(nullable("Thing"), [true]);
        assert_eq!(nullable("Thing!"), [false]);
        assert_eq!(nullable("[[Thing!]]!"), [false, true, false]);
    }

    #[tokio::test]
    async fn a_field_that_fails_is_null_or_what_it_stands_in_is() {
        for (query, data, paths) in [
            ("{ thing { name } }", json!({"thing": {"name": "it"}}), vec![]),
            ("{ thing { missing } }", json!({"thing": {"missing": null}}), vec![json!(["thing", "missing"])]),
            (
                "{ thing { other: missing name } }",
                json!({"thing": {"other": null, "name": "it"}}),
                vec![json!(["thing", "other"])],
            ),
            ("{ thing { broken name } }", json!({"thing": null}), vec![json!(["thing", "broken"])]),
            (
                "{ thing { name inner { sure { sure { broken } } } } }",
                json!({"thing": {"name": "it", "inner": null}}),
                vec![json!(["thing", "inner", "sure", "sure", "broken"])],
            ),
            ("{ thing { name } sureThing { broken } }", json!(null), vec![json!(["sureThing", "broken"])]),
            (
                "{ sureThing { ... on Thing { inner { broken } ... on Thing { missing } } } }",
                json!({"sureThing": {"inner": null, "missing": null}}),
                vec![json!(["sureThing", "inner", "broken"]), json!(["sureThing", "missing"])],
            ),
            (
                "{ thing { name } perhaps { inner { broken } broken } }",
                json!({"thing": {"name": "it"}, "perhaps": [null, null]}),
                vec![json!(["perhaps", 0, "inner", "broken"]), json!(["perhaps", 0, "broken"])],
            ),
            ("{ some { name broken } }", json!({"some": null}), vec![json!(["some", 0, "broken"])]),
            ("{ some { missing } }", json!({"some": [{"missing": null}]}), vec![json!(["some", 0, "missing"])]),
            ("{ nested { broken } }", json!({"nested": [null, null]}), vec![json!(["nested", 0, 0, "broken"])]),
            (
                "{ things { broken } }",
                json!(null),
                vec![json!(["things", 0, "broken"]), json!(["things", 1, "broken"])],
            ),
        ] {
            let (told, mut found) = answer(query).await;
            let mut paths = paths;
            let text = |path: &Value| path.to_string();
            paths.sort_by_key(text);
            found.sort_by_key(text);
            assert_eq!((told, found), (data, paths), "{query}");
        }
    }
}

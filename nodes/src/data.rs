//! Nodes that shape data. All of them are pure.

use engine::catalog::Shape;
use engine::port::PortType;

pub(crate) mod aggregate;
pub(crate) mod dedupe;
pub(crate) mod filter;
pub(crate) mod order;
pub(crate) mod set;
pub(crate) mod sort;
pub(crate) mod text;

/// What leaves a node that gives some of its items, or all in another order.
fn list_of_items(shape: &Shape<'_>) -> Option<PortType> {
    let PortType::Object { fields: config, .. } = shape.types else { return None };
    let list = config.get("items").unwrap_or(shape.input);
    matches!(list, PortType::List { .. }).then(|| list.clone())
}

//! Keyset pages in SQL: rows after or before a place, in the order of one or more columns.

use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{Condition, IntoSimpleExpr, Order, QueryFilter, QueryOrder, QuerySelect, Value};

use crate::service::page::Window;

/// Narrows a query to a window. The columns together must be unique, and places have a value for each.
pub(super) fn within<Q, C, P>(
    mut query: Q,
    columns: &[C],
    descending: bool,
    window: Window<P>,
    values: impl Fn(P) -> Vec<Value>,
) -> Q
where
    Q: QueryFilter + QueryOrder + QuerySelect,
    C: IntoSimpleExpr + Copy,
{
    let key = || tuple(columns.iter().map(|column| column.into_simple_expr()).collect());
    let place = |place: P| tuple(values(place).into_iter().map(SimpleExpr::from).collect());
    let mut bounds = Condition::all();
    for (bound, is_upper) in [(window.after, descending), (window.before, !descending)] {
        let Some(bound) = bound else { continue };
        bounds = bounds.add(if is_upper { key().lt(place(bound)) } else { key().gt(place(bound)) });
    }
    query = QueryFilter::filter(query, bounds);
    let order = if descending == window.from_end { Order::Asc } else { Order::Desc };
    for column in columns {
        query = query.order_by(*column, order.clone());
    }
    query.limit(window.limit)
}

/// One value alone is no tuple: its parentheses would mean nothing.
fn tuple(mut values: Vec<SimpleExpr>) -> SimpleExpr {
    match values.pop() {
        Some(only) if values.is_empty() => only,
        last => Expr::tuple(values.into_iter().chain(last)),
    }
}

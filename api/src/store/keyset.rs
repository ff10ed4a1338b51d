//! Keyset pages in SQL: rows after or before a place, in the order of one or more columns.

use runtime::Database;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait as _, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    Condition, ConnectionTrait as _, DbErr, EntityTrait, IntoSimpleExpr, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, Value,
};

use crate::service::page::Window;

/// More rows than this are not counted: nobody reads so far, and counting millions costs more than reading a page.
const MOST_COUNTED: u64 = 10_000;

/// All the rows of a list, to be counted when somebody asks.
#[derive(Debug, Clone)]
pub(crate) struct Total(SelectStatement);

impl Total {
    pub(super) fn of<Q: QueryTrait<QueryStatement = SelectStatement> + Clone>(list: &Q) -> Self {
        let mut rows = list.clone().into_query();
        rows.clear_selects().expr(Expr::value(1)).limit(MOST_COUNTED + 1);
        let mut counted = Query::select();
        counted.expr_as(Expr::col(Asterisk).count(), "rows").from_subquery(rows, "list");
        Self(counted)
    }

    /// How many there are; none when there are more than ten thousand.
    pub(crate) async fn count(&self, database: &Database) -> Result<Option<u64>, DbErr> {
        let row = database.read().query_one(&self.0).await?;
        let rows: i64 = row.map(|row| row.try_get("", "rows")).transpose()?.unwrap_or_default();
        Ok(u64::try_from(rows).ok().filter(|rows| *rows <= MOST_COUNTED))
    }
}

/// Rows of a list, and all of it.
pub(crate) struct Listed<T> {
    /// In the order in which they were read.
    pub(crate) rows: Vec<T>,
    /// All of the list.
    pub(crate) total: Total,
}

/// Reads a window of a list. The columns together must be unique, and places have a value for each.
pub(super) async fn list<E, P, T>(
    database: &Database,
    select: Select<E>,
    (columns, descending): (&[E::Column], bool),
    window: Window<P>,
    values: impl Fn(P) -> Vec<Value>,
    read: impl Fn(E::Model) -> Result<T, DbErr>,
) -> Result<Listed<T>, DbErr>
where
    E: EntityTrait,
{
    let total = Total::of(&select);
    let rows = within(select, columns, descending, window, values).all(database.read()).await?;
    Ok(Listed { rows: rows.into_iter().map(read).collect::<Result<_, _>>()?, total })
}

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

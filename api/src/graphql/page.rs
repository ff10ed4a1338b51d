//! Relay connections over keyset pages.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Object, OutputType};

use super::Result;
use super::request::Asked as _;
use crate::service::ServiceError;
use crate::service::page::{Page, PageRequest, Total};

/// Items of a page when the client does not say.
const DEFAULT_FIRST: u32 = 25;
/// Most items of a page.
const MOST: u32 = 100;

/// What a page may cost at most: its size times what is selected of each item.
pub(super) fn cost(first: Option<i32>, child: usize) -> usize {
    let size = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(DEFAULT_FIRST as usize);
    1 + size.min(MOST as usize) * child
}

/// Reads `first` and `after`.
pub(super) fn request(first: Option<i32>, after: Option<String>) -> Result<PageRequest, ServiceError> {
    window(first, after, None, None)
}

/// Reads `first`, `after`, `last` and `before`.
pub(super) fn window(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<PageRequest, ServiceError> {
    let (field, size) = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(ServiceError::invalid("last", "give `first` or `last`, not both"));
        }
        (None, Some(last)) => ("last", u32::try_from(last).ok()),
        (first, None) => ("first", first.map_or(Some(DEFAULT_FIRST), |first| u32::try_from(first).ok())),
    };
    let first = size
        .filter(|size| (1..=MOST).contains(size))
        .ok_or_else(|| ServiceError::invalid(field, format!("`{field}` must be 1 to {MOST}")))?;
    Ok(PageRequest { first, after, before, from_end: last.is_some() })
}

/// A page of a list, as Relay clients read it.
pub(super) type Relay<N> = Connection<String, N, Whole>;

/// What a connection tells of its whole list.
pub(super) struct Whole(Total);

/// What a connection tells of its whole list.
#[Object]
impl Whole {
    /// How many items the list has under its filter; null when there are more than 10,000. Counted only when asked.
    #[graphql(complexity = 10)]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<Option<u64>> {
        Ok(self.0.count(ctx.app()?).await?)
    }
}

/// A page as a connection.
pub(super) fn connection<T, N: OutputType>(page: Page<T>, node: impl Fn(T) -> N) -> Relay<N> {
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, Whole(page.total));
    connection.edges.extend(page.items.into_iter().map(|(cursor, item)| Edge::new(cursor, node(item))));
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_items() {
        assert_eq!(request(None, None).unwrap().first, 25);
        assert_eq!(request(Some(100), None).unwrap().first, 100);
        for wrong in [0, -1, 101, i32::MIN] {
            assert!(request(Some(wrong), None).is_err(), "{wrong}");
            assert!(window(None, None, Some(wrong), None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_counts_from_one_end() {
        let last = window(None, None, Some(3), Some("c".into())).unwrap();
        assert_eq!((last.first, last.from_end, last.before.as_deref()), (3, true, Some("c")));
        assert!(window(Some(1), None, Some(1), None).is_err());
    }

    #[test]
    fn a_senseless_page_size_does_not_make_a_query_cheap() {
        assert_eq!(cost(None, 4), 101);
        assert_eq!(cost(Some(10), 4), 41);
        assert_eq!(cost(Some(-1), 4), 101);
        assert_eq!(cost(Some(i32::MAX), 4), 401);
    }
}

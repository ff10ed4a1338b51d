//! Keyset pages: a cursor says after or before which item to go on, so that a page is right while rows come and go.

use super::ServiceError;
use crate::auth::cursor::CursorKey;

/// Which page is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items.
    pub first: u32,
    /// The cursor of the item before the page.
    pub after: Option<String>,
    /// The cursor of the item after the page.
    pub before: Option<String>,
    /// Whether the items are the last before `before`, or of all, rather than the first.
    pub from_end: bool,
}

/// Some items in order, each with the cursor that goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Cursor and item.
    pub items: Vec<(String, T)>,
    /// Whether there are more after the last one.
    pub has_next: bool,
    /// Whether there are more before the first one.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Makes a page of rows that were read with [`Window::limit`], in the order in which they were read: from the end
    /// when the page was asked for from there.
    pub(crate) fn of(mut rows: Vec<T>, request: &PageRequest, cursor: impl Fn(&T) -> String) -> Self {
        let first = request.first as usize;
        let more = rows.len() > first;
        rows.truncate(first);
        if request.from_end {
            rows.reverse();
        }
        let (has_next, has_previous) =
            if request.from_end { (request.before.is_some(), more) } else { (more, request.after.is_some()) };
        Self { items: rows.into_iter().map(|row| (cursor(&row), row)).collect(), has_next, has_previous }
    }
}

/// A page's bounds as places in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window<P> {
    /// After this place.
    pub after: Option<P>,
    /// Before this place.
    pub before: Option<P>,
    /// Whether rows are wanted from the end.
    pub from_end: bool,
    /// How many rows to read: one more than wanted tells whether there is another page.
    pub limit: u64,
}

impl PageRequest {
    /// The page's bounds, read from its cursors of this `list`.
    ///
    /// # Errors
    /// A cursor of another list or another workspace, or none at all.
    pub(crate) fn window<P>(
        &self,
        cursors: &CursorKey,
        list: &str,
        read: impl Fn(&str) -> Option<P>,
    ) -> Result<Window<P>, ServiceError> {
        let place = |field: &'static str, cursor: &Option<String>| -> Result<Option<P>, ServiceError> {
            let Some(cursor) = cursor else { return Ok(None) };
            let place = cursors.place(list, cursor).as_deref().and_then(&read);
            place.map(Some).ok_or_else(|| not_of_this_list(field))
        };
        Ok(Window {
            after: place("after", &self.after)?,
            before: place("before", &self.before)?,
            from_end: self.from_end,
            limit: u64::from(self.first) + 1,
        })
    }
}

fn not_of_this_list(field: &'static str) -> ServiceError {
    ServiceError::invalid(field, format!("`{field}` is not a cursor of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(first: u32, after: Option<&str>, before: Option<&str>, from_end: bool) -> PageRequest {
        PageRequest { first, after: after.map(str::to_owned), before: before.map(str::to_owned), from_end }
    }

    #[test]
    fn one_row_more_than_wanted_means_that_there_is_another_page() {
        let page = Page::of(vec![1, 2, 3], &request(2, None, None, false), ToString::to_string);
        let items = vec![("1".into(), 1), ("2".into(), 2)];
        assert_eq!(page, Page { items, has_next: true, has_previous: false });
        let page = Page::of(vec![1, 2], &request(2, Some("c"), None, false), ToString::to_string);
        assert_eq!((page.has_next, page.has_previous), (false, true));
    }

    #[test]
    fn a_page_from_the_end_is_in_the_order_of_the_list() {
        let page = Page::of(vec![9, 8, 7], &request(2, None, Some("c"), true), ToString::to_string);
        let items = vec![("8".into(), 8), ("9".into(), 9)];
        assert_eq!(page, Page { items, has_next: true, has_previous: true });
    }
}

//! Keyset pages: a cursor says after or before which item to go on, so that a page is right while rows come and go.

use super::ServiceError;
use crate::app::App;
use crate::auth::cursor::CursorKey;
use crate::store::keyset as store;

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

/// All the items of a list, to be counted when somebody asks.
#[derive(Debug, Clone)]
pub struct Total(store::Total);

impl Total {
    /// How many there are; none when there are more than ten thousand.
    ///
    /// # Errors
    /// The database.
    pub async fn count(&self, app: &App) -> Result<Option<u64>, ServiceError> {
        Ok(self.0.count(app.runtime.database()).await?)
    }
}

/// Some items in order, each with the cursor that goes on after it.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Cursor and item.
    pub items: Vec<(String, T)>,
    /// Whether there are more after the last one.
    pub has_next: bool,
    /// Whether there are more before the first one.
    pub has_previous: bool,
    /// The whole list.
    pub total: Total,
}

impl<T> Page<T> {
    /// Makes a page of rows that were read with [`Window::limit`], in the order in which they were read: from the end
    /// when the page was asked for from there.
    pub(crate) fn of(list: store::Listed<T>, request: &PageRequest, cursor: impl Fn(&T) -> String) -> Self {
        let (rows, has_next, has_previous) = cut(list.rows, request);
        let items = rows.into_iter().map(|row| (cursor(&row), row)).collect();
        Self { items, has_next, has_previous, total: Total(list.total) }
    }
}

/// Takes away the row too many, which tells that there is another page on that side.
fn cut<T>(mut rows: Vec<T>, request: &PageRequest) -> (Vec<T>, bool, bool) {
    let first = request.first as usize;
    let more = rows.len() > first;
    rows.truncate(first);
    if request.from_end {
        rows.reverse();
        return (rows, request.before.is_some(), more);
    }
    (rows, more, request.after.is_some())
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
        assert_eq!(cut(vec![1, 2, 3], &request(2, None, None, false)), (vec![1, 2], true, false));
        assert_eq!(cut(vec![1, 2], &request(2, Some("c"), None, false)), (vec![1, 2], false, true));
    }

    #[test]
    fn a_page_from_the_end_is_in_the_order_of_the_list() {
        assert_eq!(cut(vec![9, 8, 7], &request(2, None, Some("c"), true)), (vec![8, 9], true, true));
    }
}

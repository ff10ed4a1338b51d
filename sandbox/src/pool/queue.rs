//! Who waits, and who is next: each tenant in turn, however many each has waiting.

use std::collections::VecDeque;

/// Those who wait, by tenant.
pub(crate) struct Queue<T> {
    /// Whose turn comes next is first.
    tenants: VecDeque<(u128, VecDeque<T>)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { tenants: VecDeque::new() }
    }
}

impl<T> Queue<T> {
    /// Waits behind the tenant's others.
    pub(crate) fn push(&mut self, tenant: u128, waiting: T) {
        match self.tenants.iter_mut().find(|(known, _)| *known == tenant) {
            Some((_, others)) => others.push_back(waiting),
            None => self.tenants.push_back((tenant, VecDeque::from([waiting]))),
        }
    }

    /// Who is next. A tenant that `stays` has not had its whole turn yet and comes before others.
    pub(crate) fn next(&mut self, stays: Option<u128>) -> Option<(u128, T)> {
        let own = stays.and_then(|tenant| self.tenants.iter().position(|(known, _)| *known == tenant));
        let (tenant, mut waiting) = self.tenants.remove(own.unwrap_or(0))?;
        let next = waiting.pop_front();
        if !waiting.is_empty() {
            match own {
                Some(at) => self.tenants.insert(at.min(self.tenants.len()), (tenant, waiting)),
                None => self.tenants.push_back((tenant, waiting)),
            }
        }
        next.map(|next| (tenant, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Queue<&'static str> {
        let mut queue = Queue::default();
        for (tenant, name) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (3, "c1"), (2, "b2")] {
            queue.push(tenant, name);
        }
        queue
    }

    #[test]
    fn tenants_take_turns_however_many_wait() {
        let mut queue = queue();
        let order: Vec<_> = std::iter::from_fn(|| queue.next(None)).map(|(_, name)| name).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn one_that_stays_comes_before_the_others_and_takes_nobodys_place() {
        let mut queue = queue();
        let first: Vec<_> = (0..3).filter_map(|_| queue.next(Some(2))).map(|(_, name)| name).collect();
        assert_eq!(first, ["b1", "b2", "a1"], "and nothing is left that could stay");
        assert_eq!(queue.next(Some(9)), Some((3, "c1")));
    }
}

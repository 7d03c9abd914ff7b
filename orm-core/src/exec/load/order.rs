//! The order of the related rows of one row, where the rows need not come in it.
//!
//! A database sorts the rows of all owners before it gives the first one. Each owner has a few of them, which nearly
//! always come in the order of their keys already: to put them in order here costs next to nothing, and the rows are
//! decoded while the database still reads.

use crate::ast::{Distinct, Expr as Node, Order, Select};
use crate::error::Result;
use crate::exec::key::cell;
use crate::value::Cells;

/// An order by integers, which are the same here as in every database.
pub(super) struct ByIntegers {
    /// Where they are, and whether they descend.
    at: Vec<(usize, bool)>,
    /// Row by row; complemented where they descend, so that all of them ascend.
    values: Vec<i64>,
}

impl ByIntegers {
    /// Takes the order over from the select, unless it decides more than how the rows of one owner stand.
    pub(super) fn instead_of(select: &mut Select) -> Result<Option<ByIntegers>> {
        let root = select.root();
        let integer = |order: &Order| match &order.expr {
            Node::Column(source, column) => *source == root && column.ty.is_integer() && !column.nullable,
            _ => false,
        };
        let only_stands = select.limit.is_none()
            && select.offset.is_none()
            && select.lock.is_none()
            && select.group.is_empty()
            && select.compound.is_empty()
            && matches!(select.distinct, Distinct::No);
        if select.order.is_empty() || !only_stands || !select.order.iter().all(integer) {
            return Ok(None);
        }
        let mut at = Vec::with_capacity(select.order.len());
        for order in std::mem::take(&mut select.order) {
            at.push((cell(select, &order.expr)?.0, order.desc));
        }
        Ok(Some(ByIntegers {
            at,
            values: Vec::new(),
        }))
    }
    pub(super) fn push(&mut self, cells: &dyn Cells) -> Result<()> {
        for &(at, desc) in &self.at {
            // the model says that there is one; where there is none it stands last, as the database would have it
            let value = cells.i64(at)?.unwrap_or(i64::MAX);
            self.values.push(if desc { !value } else { value });
        }
        Ok(())
    }
    /// The rows in this order; nothing where those of each owner came in it.
    pub(super) fn rows(&self, owners: &[u32], parents: usize) -> Option<Vec<u32>> {
        let of = |row: u32| {
            let from = row as usize * self.at.len();
            self.values.get(from..from + self.at.len())
        };
        let mut last: Vec<Option<u32>> = vec![None; parents];
        let in_order = (0..).zip(owners).all(|(row, &owner)| {
            let before = last[owner as usize].replace(row);
            before.is_none_or(|before| of(before) <= of(row))
        });
        if in_order {
            return None;
        }
        let mut rows: Vec<u32> = (0..owners.len() as u32).collect();
        rows.sort_by(|&a, &b| of(a).cmp(&of(b)));
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use crate::exec::load::order::ByIntegers;

    fn rows(desc: &[bool], values: &[i64], owners: &[u32]) -> Option<Vec<u32>> {
        let at: Vec<(usize, bool)> = desc.iter().map(|&d| (0, d)).collect();
        let values = values.iter().zip(desc.iter().cycle());
        let order = ByIntegers {
            values: values.map(|(&v, &d)| if d { !v } else { v }).collect(),
            at,
        };
        order.rows(owners, 3)
    }

    #[test]
    fn rows_of_each_owner_that_come_in_order_stay() {
        assert_eq!(rows(&[false], &[5, 1, 6, 2, 2], &[0, 2, 0, 2, 2]), None);
        assert_eq!(rows(&[true], &[5, 9, 5, i64::MIN], &[0, 1, 0, 1]), None);
        assert_eq!(rows(&[false], &[], &[]), None);
        assert_eq!(rows(&[true, false], &[3, 1, 3, 2, 1, 0], &[1, 1, 1]), None);
    }
    #[test]
    fn others_are_sorted_and_equal_ones_stay_as_they_came() {
        let extremes = [i64::MAX, 0, i64::MIN, 0];
        assert_eq!(rows(&[false], &extremes, &[0; 4]), Some(vec![2, 1, 3, 0]));
        assert_eq!(
            rows(&[true], &[i64::MIN, 0, i64::MAX, 0], &[0; 4]),
            Some(vec![2, 1, 3, 0])
        );
        assert_eq!(
            rows(&[true, false], &[3, 2, 3, 1, 4, 9], &[1, 1, 1]),
            Some(vec![2, 1, 0])
        );
    }
}

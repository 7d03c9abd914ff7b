//! Cells that stand elsewhere and read as they are.

/// The getters of [`Cells`](super::Cells) that only go to another place of the same row: for a type with `cells`,
/// `places` and a function `at`. What depends on the place's own type or name is written by hand.
macro_rules! same_cells {
    () => {
        same_cells! {
            bool: bool,
            i64: i64,
            f64: f64,
            text: &str,
            bytes: &[u8],
            uuid: [u8; 16],
            timestamp: $crate::value::Timestamp,
            local_timestamp: $crate::value::LocalTimestamp,
            date: $crate::value::Date,
            time: $crate::value::TimeOfDay,
            json: &str,
        }
        fn value(&self, i: usize, ty: Type) -> Result<Option<$crate::value::Value>> {
            self.cells.value(self.at(i), ty)
        }
        fn array(
            &self,
            i: usize,
            element: $crate::value::Element,
        ) -> Result<Option<Vec<$crate::value::Value>>> {
            self.cells.array(self.at(i), element)
        }
        fn len(&self) -> usize {
            self.places.len()
        }
        fn is_null(&self, i: usize) -> bool {
            self.cells.is_null(self.at(i))
        }
    };
    ($($f:ident: $t:ty,)*) => {$(
        fn $f(&self, i: usize) -> Result<Option<$t>> {
            self.cells.$f(self.at(i))
        }
    )*};
}
pub(crate) use same_cells;

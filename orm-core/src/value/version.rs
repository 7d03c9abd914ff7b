//! The version of a row that the database keeps by itself.

use crate::error::Result;
use crate::value::{Cells, Scalar, Type, Value};

/// The version of a row that the database keeps by itself: the transaction that wrote it last, `xmin` on PostgreSQL. As the
/// type of a field with `#[orm(version)]` it is read with the row and compared in its next write. The table has no column
/// for it.
///
/// Databases without one refuse statements on such a model, and `create_all`, as `Unsupported`. It says nothing about
/// writes of one row within one transaction, and is another one after a dump was restored.
///
/// ```
/// # use orm_core::value::RowVersion;
/// fn unchanged(before: RowVersion, now: RowVersion) -> bool {
///     before == now
/// }
/// ```
#[doc(alias = "xmin")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowVersion(i64);

impl Scalar for RowVersion {
    const TYPE: Type = Type::I64;
    fn into_value(self) -> Value {
        Value::I64(self.0)
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(cells.i64(i)?.map(RowVersion))
    }
}

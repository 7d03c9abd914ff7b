//! `rust_decimal::Decimal` as a column (feature `decimal`): exact, or refused.

use rust_decimal::Decimal;

use crate::error::{Error, Result};
use crate::value::{Cells, DecimalParts, Numeric, Scalar, Type, Value};

/// Without `#[orm(decimal(p, s))]` the column is unbounded.
impl Scalar for Decimal {
    const TYPE: Type = Type::Decimal(0, 0);
    fn into_value(self) -> Value {
        Value::Decimal(DecimalParts {
            mantissa: self.mantissa(),
            scale: self.scale(),
        })
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(parts) = cells.decimal(i)? else {
            return Ok(None);
        };
        Decimal::try_from_i128_with_scale(parts.mantissa, parts.scale)
            .map(Some)
            .map_err(|_| Error::decode("the stored number has more digits than `Decimal` holds"))
    }
}
impl Numeric for Decimal {
    type Sum = Decimal;
    type Avg = Decimal;
}

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
        cells.decimal(i)?.map(from_parts).transpose()
    }
}

fn from_parts(parts: DecimalParts) -> Result<Decimal> {
    Decimal::try_from_i128_with_scale(parts.mantissa, parts.scale)
        .map_err(|_| Error::decode("the stored number has more digits than `Decimal` holds"))
}

/// A `Decimal` in hand-written SQL, as a column with `#[orm(decimal(P, S))]` stores it.
///
/// SQLite stores up to 18 digits as an integer, and hand-written SQL does not say whose column a value meets. So
/// `sql!` refuses a bare `Decimal` there, and takes and gives one in these words on every database. A column without
/// `decimal(..)` is `Scaled<38, 0>` to SQLite: any number of digits above 18, stored as text.
///
/// ```
/// use orm_core::value::{Scalar, Scaled, Type, Value};
/// # use rust_decimal::Decimal;
/// // sql!("select id, price from products where price > {least}").fetch::<(i64, Scaled<10, 2>), _>(&db)
/// let least = Scaled::<10, 2>(Decimal::new(150, 2));
/// assert_eq!(Scaled::<10, 2>::TYPE, Type::Decimal(10, 2));
/// assert!(matches!(least.into_value(), Value::Decimal(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scaled<const P: u8, const S: u8>(pub Decimal);

impl<const P: u8, const S: u8> Scalar for Scaled<P, S> {
    const TYPE: Type = Type::Decimal(P, S);
    fn into_value(self) -> Value {
        self.0.into_value()
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let parts = cells.decimal_of(i, Self::TYPE)?;
        Ok(parts.map(from_parts).transpose()?.map(Scaled))
    }
}
impl Numeric for Decimal {
    type Sum = Decimal;
    type Avg = Decimal;
}

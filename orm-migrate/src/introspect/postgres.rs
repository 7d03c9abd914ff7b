use crate::introspect::Options;
use crate::schema::Schema;
use orm_core::error::Result;
use orm_core::exec::Exec;
pub(crate) async fn read<E: Exec + ?Sized>(_ex: &E, _options: &Options) -> Result<Schema> {
    Ok(Schema::default())
}

//! The audit trail of models with `#[orm(audit_trail)]`: who did what to which row, when, and what it was before.

use crate::exec::{Pending, Record, Serves};
use crate::model::Trailed;
use crate::value::{Id, Timestamp};
use crate::{Model, private};

pub use crate::model::AuditOperation;

/// One row of `audit_log`: one change of one row of a model with `#[orm(audit_trail)]`. Belongs into the schema beside
/// the models: `orm::schema![User, orm::AuditLog]`.
///
/// Rows are kept as JSON text: an object with the names of the fields. Dates and times are strings as SQLite stores
/// them, decimals and UUIDs are strings, bytes are hexadecimal digits. Sensitive columns are never in it. It is the same
/// text whether the library or a trigger wrote it, but for the notation of numbers like `1e15`.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
#[orm(crate = crate, append_only, table = "audit_log", index(table_name, row_key))]
pub struct AuditLog {
    /// Later entries have higher numbers.
    pub id: Id<AuditLog>,
    /// A UUID that all entries of one transaction share.
    #[orm(index)]
    pub transaction_id: String,
    /// The clock of the write, the same that fills `updated_at`.
    pub at: Timestamp,
    /// The table of the row, behind its schema where it has one.
    pub table_name: String,
    /// The key of the row: a JSON array of its values.
    pub row_key: String,
    /// What was done.
    pub operation: AuditOperation,
    /// Who did it, where the handle says so (`db.acting_as(..)`).
    pub actor: Option<String>,
    /// Whose row it is, where the handle says so (`db.tenant(..)`).
    pub tenant: Option<String>,
    /// In which request, where the handle says so (`db.request(..)`).
    pub request_id: Option<String>,
    /// The row before, unless it is new.
    pub before: Option<String>,
    /// The row as it was written, unless it is gone.
    pub after: Option<String>,
    /// The names of the fields that differ, as a JSON array: all of them when the row is new or gone.
    pub changed: String,
}

impl AuditLog {
    /// The names of the fields that differ: all of them when the row is new or gone. Sensitive ones are among them.
    pub fn changed_fields(&self) -> Vec<&str> {
        let names = self.changed.trim_matches(['[', ']']).split(',');
        names
            .map(|name| name.trim_matches('"'))
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// Reads the audit trail of a model, whoever writes it.
pub trait AuditTrail: Model {
    /// What happened to the row of this key, the latest first, also when it is gone. A handle with a tenant sees what
    /// was written for that tenant.
    ///
    /// ```
    /// # use orm::prelude::*;
    /// #[derive(Model)]
    /// #[orm(audit_trail)]
    /// pub struct Account { pub id: Id<Account>, pub owner: String }
    ///
    /// # async fn run(db: &Db, id: Id<Account>) -> orm::Result<()> {
    /// for entry in Account::trail_of(db, id).await? {
    ///     println!("{} {:?} {:?}", entry.at, entry.operation, entry.changed_fields());
    /// }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    fn trail_of<E: Serves<Self> + ?Sized>(ex: &E, id: Self::Id) -> Pending<'_, Vec<AuditLog>>
    where
        Self: Trailed,
    {
        let (table, key) = (private::table_name(Self::TABLE), private::row_key(id));
        let tenant = Self::TABLE.managed.tenant;
        let tenant = tenant.and_then(|_| private::tenant_of(&ex.raw()));
        let of_row = AuditLog::query().filter(|a| a.table_name.eq(table).and(a.row_key.eq(key)));
        let seen = match tenant {
            Some(tenant) => of_row.filter(|a| a.tenant.eq(tenant)),
            None => of_row,
        };
        seen.order_by(|a| a.id.desc()).all(ex)
    }
    /// What happened to this row, the latest first.
    #[track_caller]
    fn trail<'a, E: Serves<Self> + ?Sized>(&self, ex: &'a E) -> Pending<'a, Vec<AuditLog>>
    where
        Self: Trailed,
    {
        Self::trail_of(ex, self.id())
    }
}
impl<M: Model> AuditTrail for M {}

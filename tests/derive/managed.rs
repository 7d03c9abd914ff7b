//! Columns the library keeps: times, people, tenants, versions.

use chrono::{DateTime, Utc};
use orm::model::{Audited, Open, Signed, SoftDelete, TenantScoped, Tenanted, Writable};
use orm::prelude::Model;
use orm::query::New;
use orm::schema::{Managed, Role};
use orm::value::Id;

use crate::{Post, User};

#[derive(Model, Clone, Debug)]
pub struct Org {
    pub id: Id<Org>,
}

/// An invoice of an organisation.
#[derive(Model, Clone, Debug)]
#[orm(timestamps, soft_delete, audit(by = Id<User>), tenant(org_id), rename_all = "camelCase")]
#[orm(unique(org_id, number))]
pub struct Invoice {
    pub id: Id<Invoice>,
    #[belongs_to(org: Org)]
    pub org_id: Id<Org>,
    pub number: String,
    #[orm(version)]
    pub version: i64,
    pub created_at: DateTime<Utc>,
    #[belongs_to(creator: User)]
    pub created_by: Id<User>,
}

fn model<M: Model<Reads = R, Writes = W> + Writable, R, W>() {}
fn signed<M: Signed<Actor = A> + Tenanted<Tenant = T> + SoftDelete, A, T>() {}

#[test]
fn what_handles_must_carry() {
    model::<User, Open, Open>();
    model::<Post, Open, Open>();
    model::<Invoice, TenantScoped<Invoice>, Audited<Invoice>>();
    signed::<Invoice, Id<User>, Id<Org>>();
}

#[test]
fn positions_and_roles() {
    assert_eq!(User::TABLE.managed, Managed::NONE);
    let table = Invoice::TABLE;
    let names: Vec<_> = table.columns.iter().map(|c| (c.column.name, c.role)).collect();
    assert_eq!(
        names,
        [
            ("id", Role::Plain),
            ("orgId", Role::Tenant),
            ("number", Role::Plain),
            ("version", Role::Version),
            ("createdAt", Role::CreatedAt),
            ("createdBy", Role::CreatedBy),
            ("updatedAt", Role::UpdatedAt),
            ("deletedAt", Role::DeletedAt),
            ("updatedBy", Role::UpdatedBy),
            ("deletedBy", Role::DeletedBy),
        ]
    );
    assert_eq!(
        table.managed,
        Managed {
            version: Some(3),
            created_at: Some(4),
            updated_at: Some(6),
            created_by: Some(5),
            updated_by: Some(8),
            deleted_at: Some(7),
            deleted_by: Some(9),
            tenant: Some(1),
        }
    );
    assert_eq!(table.table.tenant.map(|c| c.name), Some("orgId"));
    assert_eq!(table.table.soft_delete.map(|c| c.name), Some("deletedAt"));
    assert_eq!(table.fields, 6);
}

#[test]
fn nothing_managed_is_given_by_the_user() {
    assert_eq!(NewInvoice::COLUMNS, [2]);
    let _ = NewInvoice { number: "1".into() };
}

#[test]
fn people_are_foreign_keys() {
    let keys: Vec<_> = Invoice::TABLE.foreign_keys.iter().map(|key| key.name).collect();
    assert_eq!(
        keys,
        [
            "fk_invoices_orgId",
            "fk_invoices_createdBy",
            "fk_invoices_updatedBy",
            "fk_invoices_deletedBy"
        ]
    );
    assert_eq!((Invoice::TABLE.foreign_keys[2].target)().name(), "users");
}

#[test]
fn versions() {
    let now = DateTime::from_timestamp(0, 0).unwrap();
    let (id, org_id, created_by) = (Id::new(1), Id::new(1), Id::new(1));
    let invoice = Invoice {
        id,
        org_id,
        number: String::new(),
        version: 3,
        created_at: now,
        created_by,
    };
    assert_eq!(invoice.version(), Some(orm::value::Value::I64(3)));
    assert_eq!(Org { id: Id::new(1) }.version(), None);
}

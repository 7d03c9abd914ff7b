//! Relations between tables, as data: used by joins, sub-queries and loaders alike.

use crate::schema::{Column, Table};
use crate::value::Value;

/// How two models relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// The foreign key is in this model.
    BelongsTo,
    /// The foreign key is in the other model, at most one row.
    HasOne,
    /// The foreign key is in the other model.
    HasMany,
    /// Both foreign keys are in a join table.
    ManyToMany,
}

/// What a delete of a row does to its related rows, before the row itself is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cascade {
    /// Nothing: the foreign key of the related rows says what the database does.
    Database,
    /// They are deleted as well, softly where their model says so, with all that their own relations say.
    Delete,
    /// They are unlinked: their foreign key becomes NULL, or the rows of the join table go.
    Unlink,
}

/// What becomes of a related row that is unlinked, or that another one replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// It stays: its foreign key becomes NULL.
    Unlink,
    /// It is deleted, softly where its model says so, with what its own relations take along.
    Delete,
}

/// A relation as its declaring model sees it.
#[derive(Debug)]
pub struct RelationDef {
    /// The name of the relation, as declared.
    pub name: &'static str,
    /// The name of the declaring model's Rust type.
    pub model: &'static str,
    /// How the two relate.
    pub kind: RelationKind,
    /// Columns of the declaring model's table that are compared.
    pub parent: fn() -> Vec<&'static Column>,
    /// The table of the related rows.
    pub table: fn() -> &'static Table,
    /// Columns of the related table that are compared, in the order of `parent`.
    pub child: fn() -> Vec<&'static Column>,
    /// The join table of a many-to-many relation.
    pub through: Option<Through>,
    /// What a delete of a row does to its related rows first.
    pub cascade: Cascade,
    /// What becomes of related rows that this one has no more.
    pub orphans: Orphans,
    /// Whether every row has a related one (a `belongs_to` over a NOT NULL key).
    pub required: bool,
    /// The relation is a polymorphic association, towards one of its models.
    pub association: Option<Association>,
}

impl RelationDef {
    /// What a discriminator must say for two rows to be related.
    pub fn label(&self) -> Option<Label> {
        self.association.and_then(|a| a.label)
    }
    /// The columns of a related row that hold the key of this one, and what else they set.
    pub(crate) fn linked(&self, key: Vec<Value>) -> Vec<(&'static Column, Value)> {
        let mut columns: Vec<_> = (self.child)().into_iter().zip(key).collect();
        if let Some(Association { label, others }) = self.association {
            columns.extend(label.map(|label| ((label.column)(), Value::Str(label.value))));
            columns.extend(others().into_iter().map(|c| (c, Value::Null(c.column.ty))));
        }
        columns
    }
    /// The columns of a related row that become NULL when it is unlinked: of a key of several columns those that may,
    /// and then it refers to nothing.
    pub(crate) fn unlinked(&self) -> Vec<(&'static Column, Value)> {
        let label = self.label().map(|label| (label.column)());
        let columns = (self.child)().into_iter().chain(label);
        columns
            .filter(|c| c.column.nullable)
            .map(|c| (c, Value::Null(c.column.ty)))
            .collect()
    }
}

/// What a polymorphic association adds to a foreign key.
#[derive(Clone, Copy, Debug)]
pub struct Association {
    /// The discriminator: the row with the key says which model it refers to.
    pub label: Option<Label>,
    /// The other foreign keys of an arc, which are NULL.
    pub others: fn() -> Vec<&'static Column>,
}

/// A discriminator, and what it must say for two rows to be related.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// The column, in the table that holds the foreign key.
    pub column: fn() -> &'static Column,
    /// The label of the model that is referred to.
    pub value: &'static str,
}

/// The join table of a many-to-many relation.
#[derive(Debug)]
pub struct Through {
    /// The join table.
    pub table: fn() -> &'static Table,
    /// Its columns that hold the declaring model's key.
    pub parent: fn() -> Vec<&'static Column>,
    /// Its columns that hold the related model's key.
    pub child: fn() -> Vec<&'static Column>,
}

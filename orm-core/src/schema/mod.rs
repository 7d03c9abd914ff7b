//! What tables look like, as plain data that the derive emits into statics.

pub mod embed;
pub mod family;
pub mod name;
mod relation;
mod table;

pub use crate::ast::Nulls;
pub use relation::{Association, Cascade, Label, Orphans, RelationDef, RelationKind, Through};
pub(crate) use table::enums_of;
pub use table::{
    Action, Check, Column, Default, ForeignKey, Fragment, Generated, Index, IndexKey, IndexMethod, IndexPart,
    Managed, Role, Table, TableKind, Trail, TrailEngine, Unique, Validator, View,
};

/// A set of tables: what [`schema!`](crate::schema!) makes of a list of models.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    tables: Vec<&'static Table>,
}

impl Schema {
    /// The schema of these tables. A variant stands for the table of all variants.
    pub fn new(tables: impl IntoIterator<Item = &'static Table>) -> Self {
        let mut all: Vec<&'static Table> = Vec::new();
        for table in tables {
            let root = table.root();
            if table.base.is_none() || !all.iter().any(|t| std::ptr::eq(*t, root)) {
                all.push(root);
            }
        }
        Schema { tables: all }
    }
    /// All tables in the order they were given.
    pub fn tables(&self) -> &[&'static Table] {
        &self.tables
    }
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&'static Table> {
        self.tables.iter().find(|t| t.name() == name).copied()
    }
    /// Tables such that a referenced table stands before the one that refers to it, as far as cycles allow.
    pub fn in_foreign_key_order(&self) -> Vec<&'static Table> {
        let mut out: Vec<&'static Table> = Vec::with_capacity(self.tables.len());
        let mut open = Vec::new();
        for t in &self.tables {
            self.place(t, &mut open, &mut out);
        }
        out
    }
    fn place(&self, t: &'static Table, open: &mut Vec<*const Table>, out: &mut Vec<&'static Table>) {
        let id = std::ptr::from_ref(t);
        if open.contains(&id) || out.iter().any(|x| std::ptr::eq(*x, t)) {
            return;
        }
        open.push(id);
        let variants = t.variants.iter().flat_map(|v| v().foreign_keys);
        for fk in t.foreign_keys.iter().chain(variants) {
            let target = (fk.target)().root();
            if self.tables.iter().any(|x| std::ptr::eq(*x, target)) {
                self.place(target, open, out);
            }
        }
        open.pop();
        out.push(t);
    }
}

/// The typed schema of a list of models.
///
/// `orm::schema![User, Post]` is a [`Schema`] that `db.create_all(&schema)` creates in foreign-key order.
#[macro_export]
macro_rules! schema {
    ($($model:ty),* $(,)?) => {
        $crate::schema::Schema::new([$(<$model as $crate::model::Model>::TABLE),*])
    };
}

/// The name of a table's primary key constraint.
pub(crate) fn primary_key_name(table: &Table) -> String {
    name::conventional("pk", table.name(), [])
}

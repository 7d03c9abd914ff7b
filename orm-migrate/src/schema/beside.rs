//! What models cannot say, beside what they say.

use crate::schema::{RowSecurity, Schema, Table};

/// Adds to these lists what the other's have under names that are not there yet.
macro_rules! add_absent {
    ($into:expr, $from:expr; $($field:ident),* $(,)?) => {$(
        for it in &$from.$field {
            if !$into.$field.iter().any(|x| x.name == it.name) {
                $into.$field.push(it.clone());
            }
        }
    )*};
}
pub(crate) use add_absent;

impl Schema {
    /// Adds objects that are not there yet, and to tables that are there triggers, policies and exclusion constraints: what
    /// models cannot say, such as [`Pulled::beside`](crate::pull::Pulled::beside), to what they say.
    ///
    /// ```
    /// use orm_migrate::schema::{Name, Schema, Table, Trigger};
    /// let users = |triggers| Table { name: Name::new("users"), triggers, ..Table::default() };
    /// let mut models = Schema { tables: vec![users(vec![])], ..Schema::default() };
    /// let trigger = Trigger { name: "t".into(), definition: "CREATE TRIGGER t …".into(), enabled: None };
    /// models.add(&Schema { tables: vec![users(vec![trigger])], ..Schema::default() });
    /// assert_eq!(models.tables[0].triggers.len(), 1);
    /// ```
    pub fn add(&mut self, beside: &Schema) {
        add_absent!(
            self,
            beside;
            extensions,
            enums,
            domains,
            composites,
            sequences,
            virtual_tables,
            views
        );
        for name in &beside.schemas {
            if !self.schemas.contains(name) {
                self.schemas.push(name.clone());
            }
        }
        for it in &beside.functions {
            let same = |x: &&crate::schema::Function| x.name == it.name && x.arguments == it.arguments;
            if !self.functions.iter().any(|x| same(&x)) {
                self.functions.push(it.clone());
            }
        }
        for grant in &beside.grants {
            if !self.grants.contains(grant) {
                self.grants.push(grant.clone());
            }
        }
        for table in &beside.tables {
            match self.tables.iter_mut().find(|t| t.name == table.name) {
                Some(own) => own.add(table),
                None if !table.columns.is_empty() => self.tables.push(table.clone()),
                None => {}
            }
        }
        self.normalize();
    }
}

impl Table {
    fn add(&mut self, beside: &Table) {
        add_absent!(self, beside; triggers, policies, exclusions);
        if self.row_security == RowSecurity::Off {
            self.row_security = beside.row_security;
        }
    }

    /// What of it a model cannot say; none when that is nothing.
    pub(crate) fn beside(&self) -> Option<Table> {
        let rest = Table {
            name: self.name.clone(),
            triggers: self.triggers.clone(),
            policies: self.policies.clone(),
            exclusions: self.exclusions.clone(),
            row_security: self.row_security,
            ..Table::default()
        };
        let empty = Table {
            name: self.name.clone(),
            ..Table::default()
        };
        (rest != empty).then_some(rest)
    }
}

//! Creating and dropping a whole schema.

use crate::ast::Statement;
use crate::ast::ddl::Ddl;
use crate::driver::Discard;
use crate::error::{Error, Result};
use crate::exec::create::{create_statements, drop_statements};
use crate::exec::fetch::step;
use crate::exec::transaction::mode_at;
use crate::exec::{Db, Exec, Tx};
use crate::schema::{Schema, Table};
use crate::sql::{self, ROW_VERSION};

impl Db {
    /// Creates all tables, enum types, constraints, indexes and comments of the schema, in foreign-key order, in one
    /// transaction. What exists already is an error.
    #[track_caller]
    pub fn create_all<'a>(&'a self, schema: &Schema) -> impl Future<Output = Result<()>> + Send + use<'a> {
        let creatable = self.creatable(schema);
        let statements = self.translated(create_statements(schema, self.dialect().features()));
        let created = self.run_ddl(statements);
        async move {
            creatable?;
            created.await
        }
    }
    /// Fails for a model whose rows could not be read here.
    fn creatable(&self, schema: &Schema) -> Result<()> {
        let dialect = self.dialect();
        let kept_by_database = |t: &&Table| t.columns.iter().any(|c| c.column.system);
        match schema.in_foreign_key_order().into_iter().find(kept_by_database) {
            Some(table) if dialect.features().row_version.is_none() => {
                Err(Error::unsupported(ROW_VERSION, dialect.name()).with_model(table.model))
            }
            _ => Ok(()),
        }
    }
    /// Drops all tables and enum types of the schema that exist, in one transaction; tables that refer to each other
    /// in a circle as well.
    pub fn drop_all<'a>(&'a self, schema: &Schema) -> impl Future<Output = Result<()>> + Send + use<'a> {
        let statements = self.translated(drop_statements(schema, self.dialect().features()));
        async move {
            let (dialect, scope) = (self.dialect(), self.shared().scope());
            let render = |ddl: &Ddl| sql::render_ddl(ddl, dialect, &scope);
            let batch = statements.iter().map(render).collect::<Result<Vec<_>>>()?;
            self.shared().listens.forget();
            self.driver().drop_tables(batch).await
        }
    }
    /// With the schemas that tables are in by the handle's map. Types are shared: they stay where they are.
    fn translated(&self, statements: Vec<Ddl>) -> Vec<Ddl> {
        let map = self.shared().scope().schemas;
        if map.is_empty() {
            return statements;
        }
        let mut schemas: Vec<String> = Vec::new();
        for ddl in &statements {
            let used = match ddl {
                Ddl::CreateTable(table) => map.used(table.name.schema.as_deref()),
                Ddl::CreateEnum { name, .. } | Ddl::CreateComposite { name, .. } => name.schema.as_deref(),
                _ => None,
            };
            if let Some(schema) = used.filter(|schema| schemas.iter().all(|s| s != schema)) {
                schemas.push(schema.to_owned());
            }
        }
        let rest = statements
            .into_iter()
            .filter(|ddl| !matches!(ddl, Ddl::CreateSchema(_) | Ddl::DropEnum(_)));
        schemas.into_iter().map(Ddl::CreateSchema).chain(rest).collect()
    }
    #[track_caller]
    fn run_ddl<'a>(&'a self, statements: Vec<Ddl>) -> impl Future<Output = Result<()>> + Send + use<'a> {
        let site = std::panic::Location::caller();
        async move {
            let tx = Tx::open(self.shared(), mode_at(site)).await?;
            for statement in statements {
                step(
                    &tx.raw(),
                    Statement::Ddl(Box::new(statement)),
                    None,
                    Box::new(Discard),
                    site,
                )
                .await?;
            }
            self.shared().listens.forget();
            tx.commit().await
        }
    }
}

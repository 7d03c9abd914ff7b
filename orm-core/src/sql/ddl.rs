//! CREATE, ALTER, DROP and COMMENT.

use crate::ast::Nulls;
use crate::ast::ddl::{
    ColumnDef, CreateIndex, CreateTable, CreateView, Ddl, DefaultDef, Definition, ForeignKey, IndexKey,
    IndexPart, Name, Refused, RowEvent,
};
use crate::ast::types::shortest;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::writer::Outcome;
use crate::sql::{Dialect, Refusal, Scope, SqlWriter, TriggerForm, decimal};
use crate::value::{Type, Value, array_text, range_text};

/// The first words of the statement, for logs.
pub(crate) fn operation(ddl: &Ddl) -> &'static str {
    match ddl {
        Ddl::CreateSchema(_) => "CREATE SCHEMA",
        Ddl::CreateEnum { .. } | Ddl::CreateComposite { .. } => "CREATE TYPE",
        Ddl::DropEnum(_) => "DROP TYPE",
        Ddl::CreateTable(_) => "CREATE TABLE",
        Ddl::DropTable(_) => "DROP TABLE",
        Ddl::CreateIndex(_) => "CREATE INDEX",
        Ddl::DropIndex(_) => "DROP INDEX",
        Ddl::AddForeignKey { .. } | Ddl::DropConstraint { .. } => "ALTER TABLE",
        Ddl::CreateRefusal(_) => "CREATE FUNCTION",
        Ddl::DropRefusal(_) => "DROP FUNCTION",
        Ddl::Refuse { .. } | Ddl::CreateRowTrigger(_) => "CREATE TRIGGER",
        Ddl::CreateRowFunction(_) => "CREATE FUNCTION",
        Ddl::DropRowFunction(_) => "DROP FUNCTION",
        Ddl::CreateContext => "CREATE TABLE",
        Ddl::DropContext => "DROP TABLE",
        Ddl::CreateView(_) => "CREATE VIEW",
        Ddl::DropView { .. } => "DROP VIEW",
        Ddl::RefreshView { .. } => "REFRESH MATERIALIZED VIEW",
        Ddl::Comment { .. } | Ddl::CommentView { .. } => "COMMENT",
        Ddl::CreateSearch(_) => "CREATE TABLE",
        Ddl::DropSearch(_) => "DROP TABLE",
        Ddl::CreateSearchTrigger { .. } => "CREATE TRIGGER",
    }
}

impl SqlWriter<'_> {
    pub(crate) fn ddl(&mut self, ddl: &Ddl) -> Result<()> {
        self.writes = true;
        match ddl {
            Ddl::CreateSchema(name) => {
                self.require(self.features().schemas, "CREATE SCHEMA")?;
                self.push("CREATE SCHEMA IF NOT EXISTS ");
                self.ident(name)
            }
            Ddl::CreateEnum { name, labels } => self.create_enum(name, labels),
            Ddl::CreateComposite { name, fields } => self.create_composite(name, fields),
            Ddl::DropEnum(name) => {
                self.require(self.features().enum_types, "DROP TYPE")?;
                self.push("DROP TYPE IF EXISTS ");
                self.type_full_name(name)
            }
            Ddl::CreateTable(table) => self.create_table(table),
            Ddl::DropTable(name) => {
                self.push("DROP TABLE IF EXISTS ");
                self.full_name(name)
            }
            Ddl::CreateIndex(index) => self.create_index(index),
            Ddl::DropIndex(name) => {
                self.push("DROP INDEX IF EXISTS ");
                self.full_name(name)
            }
            Ddl::AddForeignKey { table, key } => {
                self.require(
                    self.features().add_constraint,
                    "ALTER TABLE … ADD CONSTRAINT (the table is rebuilt instead)",
                )?;
                self.push("ALTER TABLE ");
                self.full_name(table)?;
                self.push(" ADD ");
                self.foreign_key(key)
            }
            Ddl::DropConstraint { table, name } => {
                self.require(
                    self.features().add_constraint,
                    "ALTER TABLE … DROP CONSTRAINT (the table is rebuilt instead)",
                )?;
                self.push("ALTER TABLE IF EXISTS ");
                self.full_name(table)?;
                self.push(" DROP CONSTRAINT IF EXISTS ");
                self.ident(name)
            }
            Ddl::CreateRefusal(name) => {
                let Refusal::Function(body) = self.features().refusal else {
                    return self.require(false, "CREATE FUNCTION");
                };
                self.push("CREATE FUNCTION ");
                self.full_name(name)?;
                self.push(body);
                Ok(())
            }
            Ddl::DropRefusal(name) => {
                let functions = matches!(self.features().refusal, Refusal::Function(_));
                self.drop_function(functions, name)
            }
            Ddl::CreateRowFunction(trigger) => self.row_function(trigger),
            Ddl::DropRowFunction(name) => {
                let functions = matches!(self.features().trigger, TriggerForm::Function(..));
                self.drop_function(functions, name)
            }
            Ddl::CreateRowTrigger(trigger) => self.row_trigger(trigger),
            Ddl::CreateContext => {
                let table = self.features().context_table;
                self.require(table.is_some(), "a table that tells triggers")?;
                let (name, columns) = table.unwrap_or_default();
                self.push("CREATE TABLE IF NOT EXISTS ");
                self.ident(name)?;
                self.push(columns);
                Ok(())
            }
            Ddl::DropContext => {
                let table = self.features().context_table;
                self.require(table.is_some(), "a table that tells triggers")?;
                self.push("DROP TABLE IF EXISTS ");
                self.ident(table.unwrap_or_default().0)
            }
            Ddl::Refuse {
                name,
                table,
                change,
                function,
            } => self.refuse(name, table, *change, function),
            Ddl::CreateView(view) => self.create_view(view),
            Ddl::DropView { name, materialized } => {
                self.push("DROP ");
                self.view_kind(*materialized)?;
                self.push(" IF EXISTS ");
                self.full_name(name)
            }
            Ddl::RefreshView { name, concurrently } => {
                self.push("REFRESH ");
                self.view_kind(true)?;
                self.push(if *concurrently { " CONCURRENTLY " } else { " " });
                self.full_name(name)
            }
            Ddl::CommentView {
                name,
                materialized,
                text,
            } => {
                self.require(self.features().comments, "COMMENT ON")?;
                self.push("COMMENT ON ");
                self.view_kind(*materialized)?;
                self.push(" ");
                self.full_name(name)?;
                self.push(" IS ");
                self.literal(text)
            }
            Ddl::CreateSearch(table) => self.dialect().create_search(self, table),
            Ddl::DropSearch(name) => {
                self.push("DROP TABLE IF EXISTS ");
                self.ident(name)
            }
            Ddl::CreateSearchTrigger { name, event, search } => {
                self.push("CREATE TRIGGER ");
                self.ident(name)?;
                self.push(match event {
                    RowEvent::Insert => " AFTER INSERT",
                    // most changes leave the words as they are
                    RowEvent::Update => " AFTER UPDATE OF ",
                    RowEvent::Delete => " AFTER DELETE",
                });
                if *event == RowEvent::Update {
                    let columns = search.search.columns.iter().map(|c| c.column);
                    for (i, column) in search.search.key.into_iter().chain(columns).enumerate() {
                        self.comma(i);
                        self.ident(column.name)?;
                    }
                }
                self.push(" ON ");
                self.ident(search.table)?;
                self.push(" FOR EACH ROW BEGIN ");
                self.dialect().follow_search(self, *event, search)?;
                self.push("END");
                Ok(())
            }
            Ddl::Comment { table, column, text } => self.comment(table, column.as_deref(), text),
        }
    }

    fn refuse(&mut self, name: &str, table: &Name, change: Refused, function: &Name) -> Result<()> {
        self.push("CREATE TRIGGER ");
        self.ident(name)?;
        self.push(match change {
            Refused::Update => " BEFORE UPDATE ON ",
            Refused::Delete => " BEFORE DELETE ON ",
            Refused::Truncate => " BEFORE TRUNCATE ON ",
        });
        self.full_name(table)?;
        self.push(match change {
            Refused::Update | Refused::Delete => " FOR EACH ROW ",
            Refused::Truncate => " FOR EACH STATEMENT ",
        });
        match self.features().refusal {
            Refusal::Inline(body) => self.push(body),
            Refusal::Function(_) => {
                self.push("EXECUTE FUNCTION ");
                self.full_name(function)?;
                self.push("()");
            }
        }
        Ok(())
    }
    fn drop_function(&mut self, functions: bool, name: &Name) -> Result<()> {
        self.require(functions, "DROP FUNCTION")?;
        self.push("DROP FUNCTION IF EXISTS ");
        self.full_name(name)?;
        self.push("()");
        Ok(())
    }
    pub(crate) fn full_name(&mut self, name: &Name) -> Result<()> {
        let Name { schema, name } = name;
        self.qualified(schema.as_deref(), name)
    }

    fn view_kind(&mut self, materialized: bool) -> Result<()> {
        if materialized {
            self.require(self.features().materialized_views, "a materialized view")?;
            self.push("MATERIALIZED ");
        }
        self.push("VIEW");
        Ok(())
    }
    fn create_view(&mut self, view: &CreateView) -> Result<()> {
        let CreateView {
            name,
            materialized,
            columns: _,
            definition: _,
        } = view;
        self.push("CREATE ");
        self.view_kind(*materialized)?;
        self.push(" ");
        self.full_name(name)?;
        self.push(" AS ");
        self.definition(view)
    }
    /// The query of a view, with its values as constants.
    pub(crate) fn definition(&mut self, view: &CreateView) -> Result<()> {
        let query = match view.definition {
            Definition::Sql(sql) => {
                self.push(sql.trim().trim_end_matches(';').trim_end());
                return Ok(());
            }
            Definition::Query(query) => query(),
        };
        let (names, types): (Vec<&'static str>, Vec<Type>) = view.columns.iter().copied().unzip();
        // a statement of its own: its common table expressions stand at its front
        let mut w = SqlWriter::new(self.dialect(), self.scope());
        w.constant = true;
        w.select(&query, &names, &types)?;
        let sql = w.finish(Outcome::ddl("VIEW"))?;
        self.push(&sql.text);
        Ok(())
    }
    /// A value as a constant that has its type without anything around it.
    pub(crate) fn constant(&mut self, value: Value) -> Result<()> {
        let ty = value.ty();
        if let Value::Decimal(d) = value
            && self.features().scaled_decimals
        {
            let d = shortest(d);
            return self.literal(&decimal_text(d.mantissa, d.scale));
        }
        let bare = match ty {
            Type::Bool | Type::I16 | Type::I32 | Type::I64 | Type::Text | Type::Decimal(..) => true,
            // these write their type already
            Type::Array(_) | Type::Interval | Type::Range(_) | Type::Other(_) => true,
            Type::F32 | Type::F64 | Type::Bytes | Type::Uuid | Type::Json | Type::Enum(_) => false,
            Type::Timestamp | Type::LocalTimestamp | Type::Date | Type::Time => false,
        };
        // where types are checked, a bare literal takes the type of what stands beside it
        if bare || !self.features().enum_types {
            return self.value_literal(&value, ty);
        }
        self.push("CAST(");
        self.value_literal(&value, ty)?;
        self.push(" AS ");
        self.type_name(ty)?;
        self.push(")");
        Ok(())
    }

    fn create_enum(&mut self, name: &Name, labels: &[String]) -> Result<()> {
        self.require(self.features().enum_types, "CREATE TYPE")?;
        // the schemas of a map share their types, and whoever comes second finds them there
        let shared = !self.scope().schemas.is_empty();
        let mut tag = "$create$".to_owned();
        while labels.iter().any(|label| label.contains(&tag)) {
            tag.insert(1, '_');
        }
        if shared {
            self.push("DO ");
            self.push(&tag);
            self.push(" BEGIN ");
        }
        self.push("CREATE TYPE ");
        self.type_full_name(name)?;
        self.push(" AS ENUM (");
        self.literals(labels)?;
        self.push(")");
        if shared {
            self.push("; EXCEPTION WHEN duplicate_object THEN NULL; END ");
            self.push(&tag);
        }
        Ok(())
    }
    fn create_composite(&mut self, name: &Name, fields: &[(String, Type)]) -> Result<()> {
        self.require(self.features().enum_types, "CREATE TYPE")?;
        let shared = !self.scope().schemas.is_empty();
        self.push(if shared { "DO $create$ BEGIN " } else { "" });
        self.push("CREATE TYPE ");
        self.type_full_name(name)?;
        self.push(" AS (");
        for (i, (field, ty)) in fields.iter().enumerate() {
            self.comma(i);
            self.ident(field)?;
            self.push(" ");
            self.type_name(*ty)?;
        }
        self.push(")");
        self.push(match shared {
            true => "; EXCEPTION WHEN duplicate_object THEN NULL; END $create$",
            false => "",
        });
        Ok(())
    }
    /// Types stay in the schema they were declared for, whatever tables do.
    fn type_full_name(&mut self, name: &Name) -> Result<()> {
        if let Some(schema) = &name.schema {
            self.ident(schema)?;
            self.push(".");
        }
        self.ident(&name.name)
    }
    /// Text literals separated by commas.
    pub fn literals<S: AsRef<str>>(&mut self, texts: &[S]) -> Result<()> {
        for (i, text) in texts.iter().enumerate() {
            self.comma(i);
            self.literal(text.as_ref())?;
        }
        Ok(())
    }

    fn create_table(&mut self, table: &CreateTable) -> Result<()> {
        let CreateTable {
            name,
            if_not_exists,
            columns,
            primary_key,
            uniques,
            checks,
            foreign_keys,
        } = table;
        self.push(if *if_not_exists {
            "CREATE TABLE IF NOT EXISTS "
        } else {
            "CREATE TABLE "
        });
        self.full_name(name)?;
        let inline = self.inline_key(table)?;
        let mut line = " (\n  ";
        for column in columns {
            self.push(std::mem::replace(&mut line, ",\n  "));
            let key = primary_key
                .as_ref()
                .filter(|_| inline == Some(column.name.as_str()));
            self.column_def(column, key.map(|(name, _)| name.as_str()))?;
        }
        if let (Some((name, columns)), None) = (primary_key, inline) {
            self.push(line);
            self.key(name, "PRIMARY KEY ", columns)?;
        }
        for (name, columns) in uniques {
            self.push(line);
            self.key(name, "UNIQUE ", columns)?;
        }
        for (name, condition) in checks {
            self.push(line);
            self.constraint(name)?;
            self.push("CHECK (");
            self.push(condition);
            self.push(")");
        }
        for key in foreign_keys {
            self.push(line);
            self.foreign_key(key)?;
        }
        self.push("\n)");
        self.push(self.features().table_options);
        Ok(())
    }

    /// The column that carries the primary key itself, because only so can it be generated.
    fn inline_key<'t>(&self, table: &'t CreateTable) -> Result<Option<&'t str>> {
        let generated = table
            .columns
            .iter()
            .find(|c| matches!(c.default, DefaultDef::Identity));
        let Some(column) = generated.filter(|_| self.features().inline_key) else {
            return Ok(None);
        };
        match &table.primary_key {
            Some((_, key)) if *key == [column.name.as_str()] => Ok(Some(&column.name)),
            _ => Err(self.unsupported("a generated key that is not the whole primary key")),
        }
    }

    fn constraint(&mut self, name: &str) -> Result<()> {
        self.push("CONSTRAINT ");
        self.ident(name)?;
        self.push(" ");
        Ok(())
    }
    fn key(&mut self, name: &str, what: &str, columns: &[String]) -> Result<()> {
        self.constraint(name)?;
        self.push(what);
        self.ident_list(columns)
    }

    fn column_type(&mut self, column: &ColumnDef) -> Result<()> {
        let own = self.dialect().name();
        let meant = |(dialect, _): &&(&str, &str)| dialect.is_empty() || *dialect == own;
        match column.types.iter().find(meant) {
            Some((_, written)) => self.push(written),
            None => self.type_name(column.ty)?,
        }
        Ok(())
    }

    fn column_def(&mut self, column: &ColumnDef, key: Option<&str>) -> Result<()> {
        let ColumnDef {
            name,
            ty,
            types: _,
            nullable,
            default,
            generated,
        } = column;
        self.ident(name)?;
        self.push(" ");
        self.column_type(column)?;
        if !nullable {
            self.push(" NOT NULL");
        }
        match default {
            DefaultDef::None => {}
            DefaultDef::Literal(v) => {
                self.push(" DEFAULT ");
                self.value_literal(v, *ty)
                    .map_err(|e| e.with_field(name.clone()))?;
            }
            DefaultDef::Sql(sql) => {
                self.push(" DEFAULT (");
                self.push(sql);
                self.push(")");
            }
            DefaultDef::Identity => {
                if let Some(key) = key {
                    self.push(" ");
                    self.constraint(key)?;
                    // `identity` begins with a blank of its own
                    self.push(self.dialect().identity().trim_start());
                } else {
                    self.push(self.dialect().identity());
                }
            }
        }
        if let Some((sql, stored)) = generated {
            self.push(" GENERATED ALWAYS AS (");
            self.push(sql);
            self.push(if *stored { ") STORED" } else { ") VIRTUAL" });
        }
        self.dialect().column_check(self, name, *ty)
    }

    fn foreign_key(&mut self, key: &ForeignKey) -> Result<()> {
        let ForeignKey {
            name,
            columns,
            target,
            target_columns,
            on_delete,
            on_update,
            deferrable,
        } = key;
        self.key(name, "FOREIGN KEY ", columns)?;
        self.push(" REFERENCES ");
        self.full_name(target)?;
        self.push(" ");
        self.ident_list(target_columns)?;
        for (event, action) in [(" ON DELETE ", on_delete), (" ON UPDATE ", on_update)] {
            if *action != "NO ACTION" {
                self.push(event);
                self.push(action);
            }
        }
        self.push(match deferrable {
            None => "",
            Some(false) => " DEFERRABLE INITIALLY IMMEDIATE",
            Some(true) => " DEFERRABLE INITIALLY DEFERRED",
        });
        Ok(())
    }

    fn create_index(&mut self, index: &CreateIndex) -> Result<()> {
        let CreateIndex {
            name,
            table,
            unique,
            method,
            parts,
            include,
            storage,
            filter,
        } = index;
        self.push(if *unique {
            "CREATE UNIQUE INDEX "
        } else {
            "CREATE INDEX "
        });
        self.ident(name)?;
        self.push(" ON ");
        self.full_name(table)?;
        if let Some(method) = method {
            self.require(
                self.features().index_methods,
                "an index method (leave it out for a B-tree)",
            )?;
            self.push(" USING ");
            self.name(method)?;
        }
        self.push(" (");
        for (i, part) in parts.iter().enumerate() {
            self.comma(i);
            self.index_part(part)?;
        }
        self.push(")");
        if !include.is_empty() {
            self.require(
                self.features().covering_indexes,
                "INCLUDE (add the columns to the index's key)",
            )?;
            self.push(" INCLUDE ");
            self.ident_list(include)?;
        }
        if let Some(storage) = storage {
            self.require(
                self.features().index_methods,
                "a storage parameter of an index (leave it out)",
            )?;
            self.push(" WITH (");
            self.push(storage);
            self.push(")");
        }
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.push(filter);
        }
        Ok(())
    }

    fn index_part(&mut self, part: &IndexPart) -> Result<()> {
        let IndexPart {
            key,
            op_class,
            desc,
            nulls,
        } = part;
        match key {
            IndexKey::Column(column) => self.ident(column)?,
            IndexKey::Expression(sql) => {
                self.push("(");
                self.push(sql);
                self.push(")");
            }
        }
        if let Some(op_class) = op_class {
            self.require(self.features().index_methods, "an operator class (leave it out)")?;
            self.push(" ");
            self.name(op_class)?;
        }
        let desc = *desc;
        if desc {
            self.push(" DESC");
        }
        let last = match nulls {
            Nulls::Default => return Ok(()),
            Nulls::First => false,
            Nulls::Last => true,
        };
        let by_nature = if self.features().nulls_low { desc } else { !desc };
        if last != by_nature {
            self.require(
                self.features().index_nulls,
                "NULLS FIRST and NULLS LAST in an index (leave it out)",
            )?;
            self.push(if last { " NULLS LAST" } else { " NULLS FIRST" });
        }
        Ok(())
    }

    fn comment(&mut self, table: &Name, column: Option<&str>, text: &str) -> Result<()> {
        self.require(self.features().comments, "COMMENT ON")?;
        self.push(if column.is_some() {
            "COMMENT ON COLUMN "
        } else {
            "COMMENT ON TABLE "
        });
        self.full_name(table)?;
        if let Some(column) = column {
            self.push(".");
            self.ident(column)?;
        }
        self.push(" IS ");
        if text.is_empty() {
            self.push("NULL");
            return Ok(());
        }
        self.literal(text)
    }

    /// A constant of a column of this type.
    fn value_literal(&mut self, v: &Value, ty: Type) -> Result<()> {
        match v {
            Value::Null(_) => self.push("NULL"),
            Value::Bool(b) => self.push(if *b { "TRUE" } else { "FALSE" }),
            Value::I16(_) | Value::I32(_) | Value::I64(_) | Value::Decimal(_) => {
                return self.number_literal(v, ty);
            }
            Value::F32(n) => return self.float_literal(*n as f64),
            Value::F64(n) => return self.float_literal(*n),
            Value::Text(s) | Value::Json(s) => return self.literal(s),
            Value::Str(s) | Value::Enum(_, s) => return self.literal(s),
            Value::Bytes(b) => return self.hex_literal(b, Type::Bytes),
            Value::Uuid(b) => return self.hex_literal(b, Type::Uuid),
            Value::Timestamp(t) => return self.time_literal(t.to_fixed()),
            Value::LocalTimestamp(t) => return self.time_literal(t.to_fixed()),
            Value::Date(d) => return self.time_literal(d.to_fixed()),
            Value::Time(t) => return self.literal(&t.to_fixed()),
            Value::Interval(v) => return self.text_literal(&v.to_string(), ty),
            Value::Range(_, v) => return self.text_literal(&range_text(v)?, ty),
            Value::Other(_, s) => return self.text_literal(s, ty),
            Value::Array(_, items) if !self.features().arrays => return self.literal(&array_text(items)?),
            Value::Array(element, items) => {
                self.push("CAST(ARRAY[");
                for (i, item) in items.iter().enumerate() {
                    self.comma(i);
                    self.value_literal(item, element.ty())?;
                }
                self.push("] AS ");
                self.type_name(Type::Array(*element))?;
                self.push(")");
            }
            Value::Refused(why) => return Err(Error::encode(*why)),
        }
        Ok(())
    }

    /// A constant of a type that has a text: the text alone where the text is what is stored.
    fn text_literal(&mut self, text: &str, ty: Type) -> Result<()> {
        if !self.features().arrays {
            return self.literal(text);
        }
        self.push("CAST(");
        self.literal(text)?;
        self.push(" AS ");
        self.type_name(ty)?;
        self.push(")");
        Ok(())
    }

    fn number_literal(&mut self, v: &Value, ty: Type) -> Result<()> {
        decimal::check_digits(v, ty)?;
        let scaled = decimal::scale(ty).filter(|_| self.features().scaled_decimals);
        let text = match (scaled, v) {
            (Some(scale), v) => match decimal::rescale(v, scale) {
                Some(Value::I64(n)) => n.to_string(),
                _ => return Err(Error::encode("the decimal has more digits than the column holds")),
            },
            (None, Value::Decimal(d)) => decimal_text(d.mantissa, d.scale),
            (None, Value::I16(n)) => n.to_string(),
            (None, Value::I32(n)) => n.to_string(),
            (None, Value::I64(n)) => n.to_string(),
            (None, _) => return Err(not_constant()),
        };
        if self.features().scaled_decimals && scaled.is_none() && matches!(ty, Type::Decimal(..)) {
            return self.literal(&text);
        }
        self.push(&text);
        Ok(())
    }

    fn float_literal(&mut self, n: f64) -> Result<()> {
        if !n.is_finite() {
            return Err(not_constant());
        }
        self.push(&format!("{n:?}"));
        Ok(())
    }
    fn hex_literal(&mut self, bytes: &[u8], ty: Type) -> Result<()> {
        self.push(self.dialect().hex_literal(ty));
        self.hex(bytes);
        self.push("'");
        Ok(())
    }
    fn time_literal(&mut self, text: Option<String>) -> Result<()> {
        match text {
            Some(text) => self.literal(&text),
            None => Err(Error::encode(
                "a date outside the years 0 to 9999 cannot be a default",
            )),
        }
    }
}

/// The parts of a column's definition in one database's SQL, for those who compare tables or write them anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSql {
    /// The type.
    pub ty: String,
    /// The constant or expression behind DEFAULT.
    pub default: Option<String>,
    /// The condition that the storage of the type needs, without parentheses around it.
    pub check: Option<String>,
}

/// Writes the parts of a column's definition.
///
/// # Errors
/// `Unsupported` for a type that the database has not, `Encode` for a default that no constant can say.
pub fn column_sql(column: &ColumnDef, dialect: &dyn Dialect) -> Result<ColumnSql> {
    let written = |f: &dyn Fn(&mut SqlWriter<'_>) -> Result<()>| -> Result<String> {
        let scope = Scope::default();
        let mut w = SqlWriter::new(dialect, &scope);
        f(&mut w)?;
        Ok(w.finish(Outcome::ddl("COLUMN"))?.text.to_string())
    };
    let default = match &column.default {
        DefaultDef::None | DefaultDef::Identity => None,
        DefaultDef::Sql(sql) => Some(sql.clone()),
        DefaultDef::Literal(v) => {
            Some(written(&|w| w.value_literal(v, column.ty)).map_err(|e| e.with_field(column.name.clone()))?)
        }
    };
    let check = written(&|w| dialect.column_check(w, &column.name, column.ty))?;
    let condition = check.strip_prefix(" CHECK (").and_then(|c| c.strip_suffix(")"));
    Ok(ColumnSql {
        ty: written(&|w| w.column_type(column))?,
        default,
        check: condition.map(str::to_owned),
    })
}

/// The query of a view in one database's SQL, for those who compare views or write them anew.
///
/// # Errors
/// `Unsupported` for what the database has not, `InvalidQuery` for a query that needs a handle: a tenant, somebody who acts.
pub fn view_sql(view: &CreateView, dialect: &dyn Dialect) -> Result<String> {
    let scope = Scope::default();
    let mut w = SqlWriter::new(dialect, &scope);
    w.require(
        !view.materialized || dialect.features().materialized_views,
        "a materialized view",
    )?;
    w.definition(view)?;
    Ok(w.finish(Outcome::ddl("VIEW"))?.text.to_string())
}

fn decimal_text(mantissa: i128, scale: u32) -> String {
    let digits = mantissa.unsigned_abs().to_string();
    let scale = scale as usize;
    let sign = if mantissa < 0 { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

fn not_constant() -> Error {
    Error::new(
        ErrorKind::InvalidQuery,
        "the default of the column is not a constant that SQL can write",
    )
}

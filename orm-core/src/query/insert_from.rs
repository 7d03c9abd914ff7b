//! INSERT … SELECT: new rows from a query.

use crate::ast::{
    ConflictAction, Distinct, Expr as Node, FromItem, Insert, InsertSource, Select, Source, Statement,
    sources_in,
};
use crate::model::{Model, Mutable};
use crate::query::changed::SetWrite;
use crate::query::insert::{default_of, filled};
use crate::query::operand::typed;
use crate::query::source::{Place, Reference, Root, SourceRow};
use crate::query::upsert::{conflict, set_of, update_action};
use crate::query::{Assignable, Changed, ConflictTarget, Phantom, Selection, Sets, put, returning};
use crate::schema::{Column, Default, Role, Table};

/// New rows from a query: made by [`insert_from`](crate::exec::Record::insert_from).
#[must_use = "an insert does nothing until `.exec(&db)`"]
pub struct InsertFrom<M: Model, Q: Root> {
    /// The identity of the new rows.
    source: Source,
    /// The rows of the query.
    rows: Reference,
    cols: <Q::Row as SourceRow>::Cols<M>,
    set: Vec<(&'static Column, Node)>,
    overriding: bool,
    conflict: Option<(Vec<&'static Column>, ConflictAction)>,
    _p: Phantom<(M, Q)>,
}

impl<M: Model, Q: Root> InsertFrom<M, Q> {
    pub(crate) fn new<A: Sets<M>>(
        query: Q,
        f: impl FnOnce(M::Cols<M>, <Q::Row as SourceRow>::Cols<M>) -> A,
    ) -> Self {
        let rows = query.into_source(Place {
            open: true,
            lateral: false,
        });
        let (source, mut set) = (Source::fresh(), Vec::new());
        let cols = Q::Row::cols(&rows.fields());
        f(M::cols(source), cols).add_to(&mut set);
        InsertFrom {
            source,
            rows,
            cols,
            set,
            overriding: false,
            conflict: None,
            _p: std::marker::PhantomData,
        }
    }
    /// Inserts under keys chosen by the caller, for a key that is generated otherwise. On PostgreSQL the key's sequence
    /// is moved past them.
    ///
    /// ```sql
    /// INSERT INTO "tags" ("id", "name") SELECT t0."id", t0."name" FROM "labels" AS t0
    /// ```
    pub fn with_id<V: Assignable<M, M::Id>>(
        mut self,
        f: impl FnOnce(<Q::Row as SourceRow>::Cols<M>) -> V,
    ) -> Self {
        let node = f(self.cols).into_node();
        if let Some(column) = M::TABLE.key_columns().next() {
            self.overriding = matches!(column.default, Default::Identity);
            self.set.retain(|(c, _)| !std::ptr::eq(*c, column));
            self.set.push((column, put(column, node)));
        }
        self
    }
    /// What happens where a row with the same unique columns exists: say it with `.update(..)` or `.do_nothing()`. The
    /// target is one of [`New::upsert`](crate::query::New::upsert).
    pub fn upsert<T: ConflictTarget<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> UpsertFrom<M, Q> {
        let target = f(M::cols(Source::ROOT)).columns();
        UpsertFrom { insert: self, target }
    }
    /// What comes back of the new rows: chosen columns and expressions, by [`all`](Changed::all), or inside a query, by
    /// [`cte`](crate::query::cte) on PostgreSQL.
    ///
    /// ```sql
    /// INSERT INTO "archive" ("title") SELECT t0."title" FROM "posts" AS t0 RETURNING "archive"."id"
    /// ```
    pub fn rows<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Changed<M, T::Out, Q::Model> {
        let mut rows = Vec::new();
        f(M::cols(self.source)).push(&mut rows);
        Changed::of(self.into_write(rows))
    }
    /// All of what comes back.
    pub(crate) fn into_all(self) -> SetWrite {
        let rows = returning(M::TABLE, self.source);
        self.into_write(rows)
    }
    pub(crate) fn into_write(self, returning: Vec<Node>) -> SetWrite {
        let InsertFrom {
            source,
            rows,
            set,
            overriding,
            conflict: on_conflict,
            ..
        } = self;
        let mut fault = None;
        let set = match complete(M::TABLE, set) {
            Ok(set) => set,
            Err(why) => {
                fault = Some(why);
                Vec::new()
            }
        };
        let (columns, nodes): (Vec<_>, Vec<_>) = set.into_iter().map(|(c, node)| (&c.column, node)).unzip();
        let insert = Insert {
            with: Vec::new(),
            source,
            table: &M::TABLE.table,
            columns,
            rows: InsertSource::Query(select(rows, nodes)),
            overriding,
            conflict: on_conflict.map(|(target, action)| conflict(M::TABLE, source, &target, action)),
            returning,
        };
        SetWrite {
            fault,
            ..SetWrite::of(Statement::Insert(Box::new(insert)))
        }
    }
}

/// After `.upsert(..)`: say what happens to rows that exist.
#[must_use = "an upsert needs `.update(|u, new| ..)` or `.do_nothing()`, then `.exec(&db)`"]
pub struct UpsertFrom<M: Model, Q: Root> {
    insert: InsertFrom<M, Q>,
    target: Vec<&'static Column>,
}

impl<M: Model, Q: Root> UpsertFrom<M, Q> {
    /// Changes rows that exist; `new` is the row that was to be inserted. Several rows of the query for one that exists
    /// are an error of PostgreSQL; SQLite takes one after the other.
    ///
    /// A row that this handle does not see, because it was deleted softly or is another tenant's, stays as it is.
    pub fn update<A: Sets<M>>(mut self, f: impl FnOnce(M::Cols<M>, M::Cols<M>) -> A) -> InsertFrom<M, Q>
    where
        M: Mutable,
    {
        let source = self.insert.source;
        let set = set_of::<M, A>(source, f);
        let action = update_action(M::TABLE, source, &self.target, set, false);
        self.insert.conflict = Some((self.target, action));
        self.insert
    }
    /// Keeps rows that exist: they are not counted, and do not come back.
    pub fn do_nothing(mut self) -> InsertFrom<M, Q> {
        self.insert.conflict = Some((self.target, ConflictAction::Nothing));
        self.insert
    }
}

/// What a new row of the table holds: what is assigned, the defaults, and what the library fills in.
fn complete(
    table: &'static Table,
    mut row: Vec<(&'static Column, Node)>,
) -> Result<Vec<(&'static Column, Node)>, Box<str>> {
    let model = table.model;
    if !table.variants.is_empty() {
        return Err(format!("`{model}` is an enum of models: insert rows of one of its variants").into());
    }
    if let Some((other, _)) = row.iter().find(|(c, _)| table.position(&c.column).is_none()) {
        let name = other.field;
        return Err(
            format!("rows are inserted into `{model}`, and `{name}` is a column of another table").into(),
        );
    }
    for column in table.columns {
        if row.iter().any(|(c, _)| std::ptr::eq(*c, column)) {
            continue;
        }
        let field = column.field;
        let default = match column.default {
            Default::Literal(f) => Some(Node::Value(typed(column, f()))),
            Default::Function(_) => {
                let text = format!(
                    "`{model}::insert_from` leaves out `{field}`, whose default the program makes row by row: \
                     assign it, or a key by `.with_id(..)`"
                );
                return Err(text.into());
            }
            Default::Sql(_) => default_of(table, column),
            Default::None | Default::Identity => None,
        };
        let in_database = matches!(column.default, Default::Sql(_) | Default::Identity)
            || column.generated.is_some()
            || column.column.system;
        match filled(table, column).or(default) {
            Some(node) => row.push((column, node)),
            None if in_database || column.column.nullable || column.role != Role::Plain => {}
            None => {
                let text =
                    format!("`{model}::insert_from` leaves out `{field}`, which has no default: assign it");
                return Err(text.into());
            }
        }
    }
    Ok(row)
}

/// A select of these expressions over the rows of a query. The query itself where they are its columns and constants, so
/// that the database sees one query, and rows come in its order.
fn select(rows: Reference, nodes: Vec<Node>) -> Box<Select> {
    let Reference { table, filter, .. } = rows;
    if let FromItem::Query { query, columns, .. } = &table.item
        && let Some(nodes) = inside(query, columns, table.source, &nodes)
    {
        let mut select = query.clone();
        select.columns = nodes;
        return select;
    }
    let mut select = Select::from(table);
    select.filter = filter;
    select.columns = nodes;
    Box::new(select)
}

/// The expressions as those of the query itself.
fn inside(query: &Select, names: &[&'static str], source: Source, nodes: &[Node]) -> Option<Vec<Node>> {
    if !matches!(query.distinct, Distinct::No) || !query.compound.is_empty() {
        return None;
    }
    let of_query = |node: &Node| match node {
        Node::Column(s, column) if *s == source => {
            let at = names.iter().position(|name| *name == column.name)?;
            query.columns.get(at).cloned()
        }
        node => {
            let mut node = node.clone();
            let mut constant = true;
            sources_in(&mut node, &mut |_| constant = false);
            constant.then_some(node)
        }
    };
    nodes.iter().map(of_query).collect()
}

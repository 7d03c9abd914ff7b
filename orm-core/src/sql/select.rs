//! SELECT, clause by clause in the order SQL has them.

use crate::ast::{
    Cte, Deleted, Distinct, Expr, FromItem, GroupBy, Guard, Join, JoinKind, Lock, LockStrength, LockWait,
    Nulls, Order, Select, SetOp, SetOperation, Source, Statement, Table, TableRef, Window,
};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::compound::without_all;
use crate::sql::expr::LONGEST_CHAIN;
use crate::sql::totals;
use crate::sql::types::type_of;
use crate::sql::window::Named;
use crate::sql::writer::{Frame, RECURSIVE, SqlWriter, WITH};
use crate::sql::{decimal, distinct};
use crate::value::{Type, Value};

impl SqlWriter<'_> {
    /// Writes a select. `names` are the aliases of its columns, `types` the decimals they must have; both may be
    /// shorter than the list of columns.
    pub(crate) fn select(&mut self, s: &Select, names: &[&'static str], types: &[Type]) -> Result<()> {
        let Select {
            with,
            distinct,
            columns,
            from,
            joins,
            filter,
            group,
            having,
            windows,
            compound,
            order,
            limit,
            offset,
            lock,
            fault,
        } = s;
        if let Some(fault) = fault {
            return Err(Error::new(ErrorKind::InvalidQuery, fault.to_string()));
        }
        if !self.features().nested_compound
            && let Some(same) = without_all(s)
        {
            return self.select(&same, names, types);
        }
        distinct::check(s)?;
        if !self.features().distinct_on
            && let Some(same) = distinct::without_on(s)
        {
            return self.select(&same, names, types);
        }
        if !self.features().grouping_sets
            && let Some(same) = totals::without_sets(s)
        {
            return self.select(&same, names, types);
        }
        let outermost = std::mem::replace(&mut self.outermost, false);
        let (repeatable, as_of) = (self.repeatable, self.as_of);
        self.repeatable |= must_repeat(s);
        self.as_of = from.as_ref().and_then(|f| f.guard.as_of).or(as_of);
        let frame = self.enter(from.as_ref().map(|f| f.source));
        let outer = (
            std::mem::replace(&mut self.windows, Named::of(windows)),
            std::mem::take(&mut self.in_window),
            std::mem::replace(
                &mut self.totals,
                group.iter().any(|g| !matches!(g, GroupBy::Expr(_))),
            ),
        );
        self.with(with)?;
        self.open_compound(compound);
        self.define_all(from.iter(), joins, &frame);
        self.push("SELECT ");
        self.distinct(distinct)?;
        self.outermost = outermost;
        self.select_list(columns, names, types)?;
        self.outermost = false;
        self.from(" FROM ", from.as_slice(), joins)?;
        let mut clause = Clause(" WHERE ");
        self.all_of(&mut clause, filter)?;
        self.guards(&mut clause, from.as_slice(), joins)?;
        self.where_at_least(&mut clause);
        self.group(group)?;
        self.all_of(&mut Clause(" HAVING "), having)?;
        self.windows(windows)?;
        self.compound(compound, columns, outermost)?;
        if !order.is_empty() {
            self.push(" ORDER BY ");
            self.order_items(order, (!compound.is_empty()).then_some(columns))?;
        }
        self.limit(*limit, *offset)?;
        if let Some(lock) = lock {
            self.lock(lock, from.as_ref())?;
        }
        self.leave(frame);
        (self.repeatable, self.as_of) = (repeatable, as_of);
        (self.windows, self.in_window, self.totals) = outer;
        Ok(())
    }

    pub(crate) fn with(&mut self, with: &[Cte]) -> Result<()> {
        if with.is_empty() {
            return Ok(());
        }
        let recursive = with.iter().any(|c| c.recursive);
        self.begin_with(recursive);
        self.push(if recursive { RECURSIVE } else { WITH });
        for (i, cte) in with.iter().enumerate() {
            self.comma(i);
            self.cte(cte)?;
        }
        self.push(" ");
        Ok(())
    }

    /// `"name" ("columns", …) AS (…)`.
    pub(crate) fn cte(&mut self, cte: &Cte) -> Result<()> {
        let Cte {
            name,
            columns,
            body,
            recursive: _,
            materialized,
        } = cte;
        self.ident(name)?;
        if !columns.is_empty() {
            self.push(" ");
            self.ident_list(columns)?;
        }
        self.push(match materialized {
            None => " AS (",
            Some(true) => " AS MATERIALIZED (",
            Some(false) => " AS NOT MATERIALIZED (",
        });
        self.cte_body(body)?;
        self.push(")");
        Ok(())
    }

    fn cte_body(&mut self, body: &Statement) -> Result<()> {
        let writing = self.features().writing_cte;
        let feature = "a write inside WITH";
        match body {
            Statement::Select(s) => self.select(s, &[], &[]),
            Statement::Insert(s) => {
                self.require(writing, feature)?;
                self.insert(s)
            }
            Statement::Update(s) => {
                self.require(writing, feature)?;
                self.update(s)
            }
            Statement::Delete(s) => {
                self.require(writing, feature)?;
                self.delete(s)
            }
            Statement::Raw(raw) => self.raw(&raw.parts),
            Statement::Ddl(_) => Err(Error::new(
                ErrorKind::InvalidQuery,
                "a schema statement inside WITH",
            )),
        }
    }

    /// Gives aliases to the sources of FROM and its joins.
    pub(crate) fn define_all<'t>(
        &mut self,
        from: impl Iterator<Item = &'t TableRef>,
        joins: &[Join],
        frame: &Frame,
    ) {
        for t in from {
            self.define_ref(t, false);
        }
        for j in joins {
            if matches!(j.kind, JoinKind::Right | JoinKind::Full) {
                self.outer_since(frame);
            }
            self.define_ref(&j.table, matches!(j.kind, JoinKind::Left | JoinKind::Full));
        }
    }

    fn define_ref(&mut self, t: &TableRef, outer: bool) {
        self.define(t.source, outer);
        match &t.item {
            FromItem::Query { columns, .. } | FromItem::Values { columns, .. } => {
                self.define_columns(t.source, columns);
            }
            FromItem::Common(cte) => self.define_columns(t.source, &cte.columns),
            FromItem::Table(table) => self.saw_table(table),
            FromItem::Unnest { column, .. } => self.define_columns(t.source, &[*column]),
            FromItem::Cte(_) | FromItem::Function { .. } => {}
        }
    }

    fn distinct(&mut self, distinct: &Distinct) -> Result<()> {
        match distinct {
            Distinct::No => Ok(()),
            Distinct::Yes => {
                self.push("DISTINCT ");
                Ok(())
            }
            Distinct::On(exprs) => {
                self.require(self.features().distinct_on, "DISTINCT ON")?;
                self.push("DISTINCT ON ");
                self.parenthesised(exprs)?;
                self.push(" ");
                Ok(())
            }
        }
    }

    fn select_list(&mut self, columns: &[Expr], names: &[&'static str], types: &[Type]) -> Result<()> {
        if columns.is_empty() {
            self.push("1");
        }
        for (i, e) in columns.iter().enumerate() {
            self.comma(i);
            let ty = types.get(i).copied();
            match ty.and_then(decimal::scale) {
                Some(scale) if self.features().scaled_decimals => self.scaled(e, scale)?,
                None if self.features().scaled_decimals && matches!(ty, Some(Type::Decimal(..))) => {
                    self.decimal_text(e)?
                }
                _ => self.output(e)?,
            }
            if let Some(name) = names.get(i) {
                self.push(" AS ");
                self.ident(name)?;
            }
        }
        Ok(())
    }

    /// A result column. A sensitive one does not make the bound values of the statement sensitive.
    pub(crate) fn output(&mut self, e: &Expr) -> Result<()> {
        if self.outermost && self.features().enum_types {
            let ty = type_of(e);
            if ty.is_cast() {
                return self.as_text(e, ty);
            }
            let outermost = std::mem::replace(&mut self.outermost, false);
            self.plain_output(e)?;
            self.outermost = outermost;
            return Ok(());
        }
        self.plain_output(e)
    }

    /// A result of a type that the client reads as text.
    #[cold]
    fn as_text(&mut self, e: &Expr, ty: Type) -> Result<()> {
        self.outermost = false;
        self.push("CAST(");
        self.plain_output(e)?;
        self.push(" AS ");
        self.type_name(match ty {
            Type::Array(_) => Type::Array(crate::value::Element::Text),
            _ => Type::Text,
        })?;
        self.push(")");
        self.outermost = true;
        Ok(())
    }

    fn plain_output(&mut self, e: &Expr) -> Result<()> {
        match e {
            Expr::Column(source, column) => self.column(*source, column),
            e => self.expr(e),
        }
    }

    /// ` FROM a, b JOIN c ON …`.
    pub(crate) fn from(&mut self, lead: &str, from: &[TableRef], joins: &[Join]) -> Result<()> {
        // the preserved side of an outer join must be filtered before the join, or hidden rows come back with NULLs
        let filtered = keeps_right_rows(joins);
        for (i, t) in from.iter().enumerate() {
            self.push(if i == 0 { lead } else { ", " });
            self.table_ref(t, filtered)?;
            self.parts(t, filtered)?;
        }
        for join in joins {
            let Join { kind, table, on } = join;
            self.push(match kind {
                JoinKind::Inner => " JOIN ",
                JoinKind::Left => " LEFT JOIN ",
                JoinKind::Right => " RIGHT JOIN ",
                JoinKind::Full => " FULL JOIN ",
                JoinKind::Cross => " CROSS JOIN ",
            });
            let several = self.has_parts(table);
            if several {
                self.push("(");
            }
            self.table_ref(table, filtered)?;
            self.parts(table, filtered)?;
            if several {
                self.push(")");
            }
            if *kind == JoinKind::Cross {
                continue;
            }
            let mut clause = Clause(" ON ");
            self.all_of(&mut clause, on)?;
            if *kind == JoinKind::Left && !filtered {
                self.guard_of(&mut clause, table)?;
            }
            if clause.is_empty() {
                self.push(" ON TRUE");
            }
        }
        Ok(())
    }

    fn table_ref(&mut self, t: &TableRef, filtered: bool) -> Result<()> {
        let TableRef { source, item, guard } = t;
        match item {
            FromItem::Table(table) if filtered && self.is_guarded(table, *guard) => {
                self.push("(SELECT * FROM ");
                self.table(self.seen(table, *guard).unwrap_or(table))?;
                self.push(" AS ");
                self.source(*source, table.name)?;
                self.guard(&mut Clause(" WHERE "), *source, table, *guard)?;
                self.push(")");
            }
            FromItem::Table(table) => self.table(self.seen(table, *guard).unwrap_or(table))?,
            FromItem::Query {
                query,
                columns,
                lateral,
            } => {
                if *lateral {
                    self.require(self.features().lateral, "LATERAL")?;
                    self.push("LATERAL ");
                }
                self.push("(");
                self.select(query, columns, &[])?;
                self.push(")");
            }
            FromItem::Cte(name) => self.ident(name)?,
            FromItem::Common(cte) => self.common(cte)?,
            FromItem::Values { rows, columns } => self.values(rows, columns)?,
            FromItem::Unnest { array, column } => {
                let columns = self.features().function_columns;
                self.dialect().unnest(self, array)?;
                self.push(" AS ");
                self.source(*source, column)?;
                return match columns {
                    true => self.ident_list([column]),
                    false => Ok(()),
                };
            }
            FromItem::Function { name, args, columns } => {
                self.name(name)?;
                self.parenthesised(args)?;
                self.push(" AS ");
                self.source(*source, name)?;
                if self.features().function_columns && !columns.is_empty() {
                    self.ident_list(columns.iter().map(|(name, _)| name))?;
                }
                return Ok(());
            }
        }
        self.push(" AS ");
        self.source(*source, "")
    }

    /// Whether the reference joins tables with further columns: those that every row has, and those that are read.
    fn has_parts(&self, t: &TableRef) -> bool {
        let FromItem::Table(table) = t.item else {
            return false;
        };
        let mut parts = (1..).zip(table.parts);
        parts.any(|(i, part)| part.required || self.uses(t.source, i))
    }

    /// ` JOIN "dogs" AS t0_1 ON t0_1."id" = t0."id"`.
    fn parts(&mut self, t: &TableRef, filtered: bool) -> Result<()> {
        let FromItem::Table(table) = t.item else {
            return Ok(());
        };
        if filtered && self.has_parts(t) {
            let message = "RIGHT and FULL JOIN with a model whose columns are in several tables";
            return Err(Error::new(ErrorKind::InvalidQuery, message));
        }
        for (i, part) in (1..).zip(table.parts) {
            if !part.required && !self.uses(t.source, i) {
                continue;
            }
            self.push(if part.required { " JOIN " } else { " LEFT JOIN " });
            self.table(part.table)?;
            self.push(" AS ");
            self.source(t.source, "")?;
            self.part_suffix(i);
            let mut lead = " ON ";
            for key in part.table.unique.first().copied().unwrap_or_default() {
                self.push(lead);
                lead = " AND ";
                self.source(t.source, "")?;
                self.part_suffix(i);
                self.push(".");
                self.ident(key.name)?;
                self.push(" = ");
                self.column(t.source, key)?;
            }
        }
        Ok(())
    }

    /// Constant rows. Named through a select, because not every database takes names behind the alias.
    fn values(&mut self, rows: &[Vec<Expr>], columns: &[&'static str]) -> Result<()> {
        if rows.is_empty() || rows.iter().any(|r| r.len() != columns.len()) {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "VALUES needs rows of as many values as it has columns",
            ));
        }
        self.push("(SELECT ");
        for (i, name) in columns.iter().enumerate() {
            self.comma(i);
            self.push("column");
            self.number(i as u64 + 1);
            self.push(" AS ");
            self.ident(name)?;
        }
        self.push(" FROM (VALUES ");
        for (i, row) in rows.iter().enumerate() {
            self.comma(i);
            self.parenthesised(row)?;
        }
        self.push(") AS v)");
        Ok(())
    }

    /// Conditions joined by AND.
    pub(crate) fn all_of(&mut self, clause: &mut Clause, conditions: &[Expr]) -> Result<()> {
        if conditions.len() > LONGEST_CHAIN {
            clause.next(self);
            self.push("(");
            self.joined(conditions, " AND ", "TRUE")?;
            self.push(")");
            return Ok(());
        }
        for e in conditions {
            // a conjunction in a conjunction needs no parentheses
            if let Expr::All(items) = e
                && !items.is_empty()
            {
                self.all_of(clause, items)?;
                continue;
            }
            clause.next(self);
            self.condition(e)?;
        }
        Ok(())
    }

    /// The guards of FROM and of inner joins; those of outer joins stand in their ON.
    pub(crate) fn guards(&mut self, clause: &mut Clause, from: &[TableRef], joins: &[Join]) -> Result<()> {
        if keeps_right_rows(joins) {
            return Ok(());
        }
        for t in from {
            self.guard_of(clause, t)?;
        }
        for j in joins {
            if matches!(j.kind, JoinKind::Inner | JoinKind::Cross) {
                self.guard_of(clause, &j.table)?;
            }
        }
        Ok(())
    }

    fn guard_of(&mut self, clause: &mut Clause, t: &TableRef) -> Result<()> {
        match &t.item {
            FromItem::Table(table) => self.guard(clause, t.source, table, t.guard),
            FromItem::Query { .. }
            | FromItem::Cte(_)
            | FromItem::Common(_)
            | FromItem::Values { .. }
            | FromItem::Unnest { .. }
            | FromItem::Function { .. } => Ok(()),
        }
    }

    /// The conditions that every reference to this table carries.
    pub(crate) fn guard(
        &mut self,
        clause: &mut Clause,
        source: Source,
        table: &'static Table,
        guard: Guard,
    ) -> Result<()> {
        let Guard {
            deleted,
            all_tenants,
            unfiltered,
            as_of,
        } = guard;
        if let Some(tag) = table.tag {
            clause.next(self);
            self.column(source, tag.column)?;
            self.push(" = ");
            self.literal(tag.label)?;
        }
        if let (Some(_), Some(at)) = (table.history, as_of.or(self.as_of)) {
            clause.next(self);
            self.column(source, Table::VALID_FROM)?;
            self.push(" <= ");
            self.param(Value::Timestamp(at))?;
            self.push(" AND (");
            self.column(source, Table::VALID_TO)?;
            self.push(" IS NULL OR ");
            self.column(source, Table::VALID_TO)?;
            self.push(" > ");
            self.param(Value::Timestamp(at))?;
            self.push(")");
        }
        if let Some(column) = table.soft_delete {
            let test = match deleted {
                Deleted::Hidden => Some(" IS NULL"),
                Deleted::Only => Some(" IS NOT NULL"),
                Deleted::Included => None,
            };
            if let Some(test) = test {
                clause.next(self);
                self.column(source, column)?;
                self.push(test);
            }
        }
        if let (Some(column), false) = (table.tenant, all_tenants) {
            clause.next(self);
            self.column(source, column)?;
            self.push(" = ");
            self.tenant()?;
        }
        for (_, filter) in table.filters_but(unfiltered) {
            self.begin_filter(table, filter)?;
            self.all_of(clause, std::slice::from_ref(&(filter.condition)(source)))?;
            self.end_filter();
        }
        Ok(())
    }

    fn where_at_least(&mut self, clause: &mut Clause) {
        if self.force_where && clause.is_first(" WHERE ") {
            self.push(" WHERE TRUE");
        }
    }

    fn group(&mut self, group: &[GroupBy]) -> Result<()> {
        for (i, entry) in group.iter().enumerate() {
            self.push(if i == 0 { " GROUP BY " } else { ", " });
            if !matches!(entry, GroupBy::Expr(_)) {
                self.require(self.features().grouping_sets, "GROUPING SETS, ROLLUP and CUBE")?;
            }
            match entry {
                GroupBy::Expr(e) => self.expr(e)?,
                GroupBy::Rollup(items) => {
                    self.push("ROLLUP ");
                    self.parenthesised(items)?;
                }
                GroupBy::Cube(items) => {
                    self.push("CUBE ");
                    self.parenthesised(items)?;
                }
                GroupBy::Sets(sets) => {
                    self.push("GROUPING SETS (");
                    for (i, set) in sets.iter().enumerate() {
                        self.comma(i);
                        self.parenthesised(set)?;
                    }
                    self.push(")");
                }
            }
        }
        Ok(())
    }

    fn windows(&mut self, windows: &[(&'static str, Window)]) -> Result<()> {
        for (i, (name, window)) in windows.iter().enumerate() {
            if windows[..i].iter().any(|(before, _)| before == name) {
                let text = format!("two windows are called `{name}`");
                return Err(Error::new(ErrorKind::InvalidQuery, text));
            }
            self.push(if i == 0 { " WINDOW " } else { ", " });
            self.ident(name)?;
            self.push(" AS (");
            self.window(window)?;
            self.push(")");
        }
        Ok(())
    }

    /// Operations go from left to right. Where INTERSECT binds tighter, what stands before it is put in parentheses.
    fn open_compound(&mut self, compound: &[SetOperation]) {
        if self.features().nested_compound {
            (0..compound.len())
                .filter(|i| closes_before(compound, *i))
                .for_each(|_| self.push("("));
        }
    }

    fn compound(&mut self, compound: &[SetOperation], columns: &[Expr], outermost: bool) -> Result<()> {
        if compound.is_empty() {
            return Ok(());
        }
        let types: Vec<Type> = match self.features().scaled_decimals {
            true => columns.iter().map(type_of).collect(),
            false => Vec::new(),
        };
        for (i, operation) in compound.iter().enumerate() {
            let SetOperation { op, all, query } = operation;
            if self.features().nested_compound && closes_before(compound, i) {
                self.push(")");
            }
            self.push(match op {
                SetOp::Union => " UNION ",
                SetOp::Intersect => " INTERSECT ",
                SetOp::Except => " EXCEPT ",
            });
            if *all {
                self.require(
                    self.features().nested_compound || *op == SetOp::Union,
                    "INTERSECT ALL and EXCEPT ALL",
                )?;
                self.push("ALL ");
            }
            self.outermost = outermost;
            self.arm(query, &types)?;
            self.outermost = false;
        }
        Ok(())
    }

    fn arm(&mut self, query: &Select, types: &[Type]) -> Result<()> {
        let simple = query.with.is_empty()
            && query.compound.is_empty()
            && query.order.is_empty()
            && query.limit.is_none()
            && query.offset.is_none()
            && query.lock.is_none();
        if simple {
            return self.select(query, &[], types);
        }
        self.push(if self.features().nested_compound {
            "("
        } else {
            "SELECT * FROM ("
        });
        self.select(query, &[], types)?;
        self.push(")");
        if !self.features().nested_compound && self.force_where {
            self.push(" WHERE TRUE");
        }
        Ok(())
    }

    /// Entries of ORDER BY. Behind UNION and friends they are result columns, named by position.
    pub(crate) fn order_items(&mut self, order: &[Order], positions: Option<&Vec<Expr>>) -> Result<()> {
        for (i, o) in order.iter().enumerate() {
            let Order { expr, desc, nulls } = o;
            self.comma(i);
            let ty = type_of(expr);
            if self.features().scaled_decimals
                && matches!(ty, Type::Decimal(..))
                && decimal::scale(ty).is_none()
            {
                return Err(self.unbounded());
            }
            match positions {
                Some(columns) => {
                    let n = self.position_of(expr, columns)?;
                    self.number(n as u64 + 1);
                }
                None => self.operand(expr)?,
            }
            if *desc {
                self.push(" DESC");
            }
            self.nulls(
                *desc,
                *nulls,
                positions.is_some() || self.totals || self.nullable(expr),
            );
        }
        Ok(())
    }

    fn position_of(&self, e: &Expr, columns: &[Expr]) -> Result<usize> {
        let same = |x: &Expr| match (x, e) {
            (Expr::Column(s, c), Expr::Column(t, d)) => {
                std::ptr::eq(*c, *d) && self.resolve(*s) == self.resolve(*t)
            }
            (x, e) => format!("{x:?}") == format!("{e:?}"),
        };
        columns.iter().position(same).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidQuery,
                "a query with UNION, INTERSECT or EXCEPT is ordered by columns that it selects",
            )
        })
    }

    /// NULLs stand last ascending and first descending unless told otherwise. Nothing is written for a column without
    /// NULLs, so that an index can serve the order.
    fn nulls(&mut self, desc: bool, nulls: Nulls, nullable: bool) {
        let last = match nulls {
            Nulls::Default => !desc,
            Nulls::First => false,
            Nulls::Last => true,
        };
        let by_nature = if self.features().nulls_low { desc } else { !desc };
        if nullable && last != by_nature {
            self.push(if last { " NULLS LAST" } else { " NULLS FIRST" });
        }
    }

    fn limit(&mut self, limit: Option<u64>, offset: Option<u64>) -> Result<()> {
        let bound = |n: u64| Value::I64(i64::try_from(n).unwrap_or(i64::MAX));
        if let Some(n) = limit {
            self.push(if self.features().limit_is_peeked {
                " LIMIT +"
            } else {
                " LIMIT "
            });
            self.param(bound(n))?;
        }
        if let Some(n) = offset {
            if limit.is_none() && !self.features().bare_offset {
                self.push(" LIMIT -1");
            }
            self.push(" OFFSET ");
            self.param(bound(n))?;
        }
        Ok(())
    }

    fn lock(&mut self, lock: &Lock, from: Option<&TableRef>) -> Result<()> {
        let Lock { strength, of, wait } = lock;
        if !self.features().row_locks {
            return self.require(*wait != LockWait::SkipLocked, "SKIP LOCKED");
        }
        self.push(match strength {
            LockStrength::Update => " FOR UPDATE",
            LockStrength::NoKeyUpdate => " FOR NO KEY UPDATE",
            LockStrength::Share => " FOR SHARE",
            LockStrength::KeyShare => " FOR KEY SHARE",
        });
        // rows that an optional part lacks cannot be locked
        let only = from.filter(|t| of.is_empty() && !is_whole(t) && self.uses_any(t.source));
        for (i, source) in of.iter().chain(only.map(|t| &t.source)).enumerate() {
            self.push(if i == 0 { " OF " } else { ", " });
            self.source(*source, "")?;
        }
        self.push(match wait {
            LockWait::Wait => "",
            LockWait::NoWait => " NOWAIT",
            LockWait::SkipLocked => " SKIP LOCKED",
        });
        Ok(())
    }
}

/// PostgreSQL knows a selected or ordered expression as the one grouped by, or as one of the distinct ones, only if
/// binds and aliases agree.
fn must_repeat(s: &Select) -> bool {
    let plain = |e: &Expr| matches!(e, Expr::Column(..) | Expr::Field(..));
    s.group.iter().any(|g| !matches!(g, GroupBy::Expr(e) if plain(e)))
        || (!matches!(s.distinct, Distinct::No) && s.order.iter().any(|o| !plain(&o.expr)))
}

/// The lead of a clause (` WHERE `), then ` AND `.
pub(crate) struct Clause(pub(crate) &'static str);

impl Clause {
    pub(crate) fn next(&mut self, w: &mut SqlWriter<'_>) {
        w.push(self.0);
        self.0 = " AND ";
    }
    fn is_empty(&self) -> bool {
        self.0 != " AND "
    }
    fn is_first(&self, lead: &str) -> bool {
        self.0 == lead
    }
}

fn keeps_right_rows(joins: &[Join]) -> bool {
    joins
        .iter()
        .any(|j| matches!(j.kind, JoinKind::Right | JoinKind::Full))
}

/// Whether every row of the reference has a row in each of its tables.
fn is_whole(t: &TableRef) -> bool {
    let FromItem::Table(table) = t.item else {
        return true;
    };
    table.parts.iter().all(|part| part.required)
}

impl SqlWriter<'_> {
    /// The table with its versions, where rows of the past are read.
    fn seen(&self, table: &'static Table, guard: Guard) -> Option<&'static Table> {
        guard.as_of.or(self.as_of).and(table.history)
    }
    fn is_guarded(&self, table: &'static Table, guard: Guard) -> bool {
        table.tag.is_some()
            || (table.soft_delete.is_some() && guard.deleted != Deleted::Included)
            || (table.tenant.is_some() && !guard.all_tenants)
            || table.filters_but(guard.unfiltered).next().is_some()
            || self.seen(table, guard).is_some()
    }
}

/// Whether the left side of this operation, a mix of others, must be closed before an INTERSECT.
fn closes_before(compound: &[SetOperation], i: usize) -> bool {
    compound[i].op == SetOp::Intersect && compound[..i].iter().any(|o| o.op != SetOp::Intersect)
}

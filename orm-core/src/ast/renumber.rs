//! New identities for the table references of a cloned query.
//!
//! A query and its clone may meet in one statement, one inside the other. With the same identities, a column of the
//! outer one would silently mean the inner one.

use std::sync::Arc;

use crate::ast::{
    Aggregate, Column, Conflict, ConflictAction, Cte, Delete, Distinct, Expr, Frame, FrameBound, FromItem,
    GroupBy, InList, Insert, InsertSource, Join, Order, Raw, RawPart, Select, Source, Statement, Table,
    TableRef, Update, Window, WindowFn,
};

/// Gives every table reference defined in the query an identity of its own, and lets its columns follow. What became
/// of each identity is returned, for columns that are kept elsewhere.
pub(crate) fn renumber(select: &mut Select) -> Vec<(Source, Source)> {
    let mut map: Vec<(Source, Source)> = Vec::new();
    walk(select, &mut |source: &mut Source, used: Use| {
        if matches!(used, Use::Defines) && !map.iter().any(|(old, _)| old == source) {
            map.push((*source, Source::fresh()));
        }
    });
    walk(select, &mut |source: &mut Source, _: Use| {
        if let Some((_, new)) = map.iter().find(|(old, _)| old == source) {
            *source = *new;
        }
    });
    map
}

/// The columns of this table reference that the conditions name.
pub(crate) fn columns_of(source: Source, list: &[Expr]) -> Vec<&'static Column> {
    let mut out = Vec::new();
    // the walk is one for all, and can change what it sees
    exprs(&mut list.to_vec(), &mut |s: &mut Source, used: Use| {
        if let (Use::Column(column), true) = (used, *s == source) {
            out.push(column);
        }
    });
    out
}

/// Calls for every table reference that the condition names a column of.
pub(crate) fn sources_in(condition: &mut Expr, found: &mut dyn FnMut(Source)) {
    expr(condition, &mut |source: &mut Source, used: Use| {
        if !matches!(used, Use::Defines | Use::Reads(_) | Use::Common(_)) {
            found(*source);
        }
    });
}

/// Shows an expression, and what is inside it, to a visitor.
pub(crate) fn visit(e: &mut Expr, visitor: &mut dyn Visit) {
    expr(e, visitor);
}

/// Whether a window function is part of the expression, not counting queries inside.
pub(crate) fn has_window(e: &Expr) -> bool {
    let mut windows = Windows(false);
    expr(&mut e.clone(), &mut windows);
    windows.0
}

/// Whether there was one.
struct Windows(bool);
impl Visit for Windows {
    fn enters(&mut self, e: &mut Expr) -> bool {
        self.0 |= matches!(e, Expr::Window(_));
        !matches!(
            e,
            Expr::Subquery(_) | Expr::Exists(_) | Expr::Quantified(..) | Expr::In(..)
        )
    }
}

/// The tables that the query reads, by their names and those of its common table expressions.
pub(crate) fn tables_in(mut select: Select) -> Vec<&'static Table> {
    let mut out = Vec::new();
    walk(&mut select, &mut |_: &mut Source, used: Use| match used {
        Use::Reads(table) => out.push(table),
        Use::Common(cte) => match &cte.body {
            Statement::Select(body) => out.extend(tables_in((**body).clone())),
            // a write is no part of a definition
            Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Ddl(_)
            | Statement::Raw(_) => {}
        },
        Use::Defines | Use::Column(_) | Use::Other => {}
    });
    out
}

/// How a source is named.
#[derive(Clone)]
pub(crate) enum Use {
    /// By a table reference that defines it.
    Defines,
    /// By the table it is, beside being defined.
    Reads(&'static Table),
    /// As a common table expression, whose definition is not walked.
    Common(Arc<Cte>),
    /// By a column of it.
    Column(&'static Column),
    Other,
}

/// What is called on the way.
pub(crate) trait Visit {
    /// For every source.
    fn source(&mut self, _: &mut Source, _: Use) {}
    /// For every expression, which it may put another one in the place of; whether what is inside it is seen as well.
    fn enters(&mut self, _: &mut Expr) -> bool {
        true
    }
}
impl<F: FnMut(&mut Source, Use)> Visit for F {
    fn source(&mut self, source: &mut Source, used: Use) {
        self(source, used);
    }
}

fn walk(s: &mut Select, f: &mut dyn Visit) {
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
        limit: _,
        offset: _,
        lock,
        fault: _,
    } = s;
    ctes(with, f);
    match distinct {
        Distinct::No | Distinct::Yes => {}
        Distinct::On(on) => exprs(on, f),
    }
    exprs(columns, f);
    from.iter_mut().for_each(|t| table(t, f));
    joins.iter_mut().for_each(|j| join(j, f));
    exprs(filter, f);
    for g in group {
        match g {
            GroupBy::Expr(e) => expr(e, f),
            GroupBy::Rollup(list) | GroupBy::Cube(list) => exprs(list, f),
            GroupBy::Sets(sets) => sets.iter_mut().for_each(|set| exprs(set, f)),
        }
    }
    exprs(having, f);
    windows.iter_mut().for_each(|(_, w)| window(w, f));
    compound.iter_mut().for_each(|c| walk(&mut c.query, f));
    orders(order, f);
    if let Some(lock) = lock {
        lock.of.iter_mut().for_each(|s| f.source(s, Use::Other));
    }
}

fn ctes(list: &mut [Cte], f: &mut dyn Visit) {
    for cte in list {
        match &mut cte.body {
            Statement::Select(s) => walk(s, f),
            Statement::Insert(i) => insert(i, f),
            Statement::Update(u) => update(u, f),
            Statement::Delete(d) => delete(d, f),
            Statement::Ddl(_) => {}
            Statement::Raw(Raw {
                parts: list,
                columns: _,
            }) => parts(list, f),
        }
    }
}

fn insert(i: &mut Insert, f: &mut dyn Visit) {
    let Insert {
        with,
        source,
        table: _,
        columns: _,
        rows,
        overriding: _,
        conflict,
        returning,
    } = i;
    ctes(with, f);
    f.source(source, Use::Defines);
    match rows {
        InsertSource::Default | InsertSource::Values(_) => {}
        InsertSource::Rows(list) => exprs(list, f),
        InsertSource::Arrays { arrays: _, constant } => exprs(constant, f),
        InsertSource::Query(q) => walk(q, f),
    }
    if let Some(Conflict {
        target: _,
        target_filter,
        action,
    }) = conflict
    {
        exprs(target_filter, f);
        match action {
            ConflictAction::Nothing => {}
            ConflictAction::Update { set, filter } => {
                set.iter_mut().for_each(|a| expr(&mut a.value, f));
                exprs(filter, f);
            }
        }
    }
    exprs(returning, f);
}

fn update(u: &mut Update, f: &mut dyn Visit) {
    let Update {
        with,
        source,
        table: _,
        guard: _,
        set,
        from,
        joins,
        filter,
        returning,
    } = u;
    ctes(with, f);
    f.source(source, Use::Defines);
    set.iter_mut().for_each(|a| expr(&mut a.value, f));
    from.iter_mut().for_each(|t| table(t, f));
    joins.iter_mut().for_each(|j| join(j, f));
    exprs(filter, f);
    exprs(returning, f);
}

fn delete(d: &mut Delete, f: &mut dyn Visit) {
    let Delete {
        with,
        source,
        table: _,
        guard: _,
        using,
        filter,
        returning,
    } = d;
    ctes(with, f);
    f.source(source, Use::Defines);
    using.iter_mut().for_each(|t| table(t, f));
    exprs(filter, f);
    exprs(returning, f);
}

fn table(t: &mut TableRef, f: &mut dyn Visit) {
    let TableRef {
        source,
        item,
        guard: _,
    } = t;
    f.source(source, Use::Defines);
    match item {
        FromItem::Table(table) => f.source(source, Use::Reads(table)),
        // a definition sees nothing of the statements that use it
        FromItem::Common(cte) => f.source(source, Use::Common(cte.clone())),
        FromItem::Cte(_) => {}
        FromItem::Query {
            query,
            columns: _,
            lateral: _,
        } => walk(query, f),
        FromItem::Values { rows, columns: _ } => rows.iter_mut().for_each(|row| exprs(row, f)),
        FromItem::Unnest { array, column: _ } => expr(array, f),
        FromItem::Function {
            name: _,
            args,
            columns: _,
        } => exprs(args, f),
    }
}

fn join(j: &mut Join, f: &mut dyn Visit) {
    let Join {
        kind: _,
        table: t,
        on,
    } = j;
    table(t, f);
    exprs(on, f);
}

fn orders(list: &mut [Order], f: &mut dyn Visit) {
    list.iter_mut().for_each(|o| expr(&mut o.expr, f));
}

fn exprs(list: &mut [Expr], f: &mut dyn Visit) {
    list.iter_mut().for_each(|e| expr(e, f));
}

fn parts(list: &mut [RawPart], f: &mut dyn Visit) {
    for part in list {
        match part {
            RawPart::Expr(e) => expr(e, f),
            RawPart::Text(_) | RawPart::Name(_) | RawPart::List(..) => {}
        }
    }
}

fn expr(e: &mut Expr, f: &mut dyn Visit) {
    if !f.enters(e) {
        return;
    }
    match e {
        Expr::Column(source, column) => f.source(source, Use::Column(column)),
        Expr::Field(source, _, _) => f.source(source, Use::Other),
        Expr::Value(_) | Expr::Clock | Expr::Actor | Expr::Tenant => {}
        Expr::Not(e) | Expr::Negate(e) | Expr::IsNull(e, _) | Expr::IsTrue(e) | Expr::Cast(e, _) => {
            expr(e, f)
        }
        Expr::All(list) | Expr::Any(list) | Expr::Call(_, list) | Expr::Tuple(list) => exprs(list, f),
        Expr::Compare(_, a, b) | Expr::Math(_, a, b) | Expr::Text(_, a, b) => {
            expr(a, f);
            expr(b, f);
        }
        Expr::Between(three) => exprs(&mut three[..], f),
        Expr::In(e, list) => {
            expr(e, f);
            match &mut **list {
                InList::Values(_, _) => {}
                InList::Exprs(list) => exprs(list, f),
                InList::Query(q) => walk(q, f),
            }
        }
        Expr::Aggregate(call) => aggregate(call, f),
        Expr::Window(call) => {
            match &mut call.function {
                WindowFn::RowNumber | WindowFn::Rank | WindowFn::DenseRank => {}
                WindowFn::PercentRank | WindowFn::CumeDist => {}
                WindowFn::Ntile(e) | WindowFn::FirstValue(e) | WindowFn::LastValue(e) => expr(e, f),
                WindowFn::Lag(list) | WindowFn::Lead(list) => exprs(list, f),
                WindowFn::NthValue(a, b) => {
                    expr(a, f);
                    expr(b, f);
                }
                WindowFn::Aggregate(call) => aggregate(call, f),
            }
            window(&mut call.window, f);
        }
        Expr::Case {
            operand,
            arms,
            otherwise,
        } => {
            operand.iter_mut().for_each(|e| expr(e, f));
            for (condition, value) in arms {
                expr(condition, f);
                expr(value, f);
            }
            otherwise.iter_mut().for_each(|e| expr(e, f));
        }
        Expr::Exists(q) | Expr::Subquery(q) => walk(q, f),
        Expr::Quantified(_, _, e, q) => {
            expr(e, f);
            walk(q, f);
        }
        Expr::Search(call) => f.source(&mut call.source, Use::Other),
        Expr::Raw(list, _) => parts(list, f),
    }
}

fn aggregate(call: &mut Aggregate, f: &mut dyn Visit) {
    let Aggregate {
        function: _,
        args,
        distinct: _,
        filter,
        order,
    } = call;
    exprs(args, f);
    filter.iter_mut().for_each(|e| expr(e, f));
    orders(order, f);
}

fn window(w: &mut Window, f: &mut dyn Visit) {
    let Window {
        base: _,
        partition,
        order,
        frame,
    } = w;
    exprs(partition, f);
    orders(order, f);
    if let Some(Frame {
        unit: _,
        start,
        end,
        exclude: _,
    }) = frame
    {
        for bound in std::iter::once(start).chain(end) {
            match bound {
                FrameBound::Preceding(e) | FrameBound::Following(e) => expr(e, f),
                FrameBound::UnboundedPreceding | FrameBound::CurrentRow | FrameBound::UnboundedFollowing => {}
            }
        }
    }
}

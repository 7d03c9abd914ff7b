//! Expressions.

use crate::ast::{
    CompareOp, DateUnit, Expr, Function, InList, Join, JoinKind, MathOp, Quantifier, RawPart, SearchCall,
    SearchOp, Select, numbered,
};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::decimal::{self, Common, concerns, meet};
use crate::sql::dialect::ListForm;
use crate::sql::types::{common, type_of};
use crate::sql::{SqlWriter, dates, list};
use crate::value::{Type, Value};

/// Chains of AND and OR longer than this are cut in halves: databases parse them to the left, each link one level
/// deeper, and SQLite goes down 1000 levels at most.
pub(crate) const LONGEST_CHAIN: usize = 128;

/// Whether a column of a query may hold NULL: by itself, or because an outer join found no row for it.
fn may_be_null(q: &Select) -> bool {
    let outer = |j: &Join| !matches!(j.kind, JoinKind::Inner | JoinKind::Cross);
    let may = |e: &Expr| match e {
        Expr::Column(_, column) => column.nullable || !q.compound.is_empty() || q.joins.iter().any(outer),
        _ => true,
    };
    q.columns.is_empty() || q.columns.iter().any(may)
}

/// Whether hand-written SQL is a bare number, which needs no parentheses.
fn is_number(parts: &[RawPart]) -> bool {
    matches!(parts, [RawPart::Text(text)] if text.bytes().all(|b| b.is_ascii_digit()))
}

impl SqlWriter<'_> {
    /// Writes an expression.
    pub fn expr(&mut self, e: &Expr) -> Result<()> {
        match e {
            Expr::Column(source, column) => {
                self.sensitive |= column.sensitive;
                self.column(*source, column)
            }
            Expr::Field(source, name, _) => self.field(*source, name),
            Expr::Value(v) => self.param(v.clone()),
            Expr::Clock => self.clock(),
            Expr::Actor => self.actor(),
            Expr::Tenant => self.tenant(),
            Expr::Not(e) => self.not(e),
            Expr::Negate(e) => {
                self.push("-");
                self.operand(e)
            }
            Expr::All(items) => self.joined(items, " AND ", "TRUE"),
            Expr::Any(items) => self.joined(items, " OR ", "FALSE"),
            Expr::Compare(op, a, b) => self.compare(*op, a, b),
            Expr::Math(op, a, b) => self.math(*op, a, b),
            Expr::IsNull(e, negated) => {
                self.operand(e)?;
                self.push(if *negated { " IS NOT NULL" } else { " IS NULL" });
                Ok(())
            }
            Expr::IsTrue(e) => {
                self.push("(");
                self.expr(e)?;
                self.push(") IS TRUE");
                Ok(())
            }
            Expr::Between(three) => self.between(three),
            Expr::In(e, items) => self.is_in(e, items),
            Expr::Text(op, a, b) => self.dialect().text(self, *op, a, b),
            Expr::Call(f, args) => self.call(**f, args),
            Expr::Aggregate(a) => self.dialect().aggregate(self, a, None),
            Expr::Window(w) => self.window_call(w),
            Expr::Case {
                operand,
                arms,
                otherwise,
            } => self.case(operand.as_deref(), arms, otherwise.as_deref()),
            Expr::Cast(e, ty) => self.dialect().cast(self, e, *ty),
            Expr::Exists(q) => {
                self.push("EXISTS ");
                self.subquery(q)
            }
            Expr::Subquery(q) => self.subquery(q),
            Expr::Quantified(op, quantifier, e, q) => self.quantified(*op, *quantifier, e, q),
            Expr::Tuple(items) => self.parenthesised(items),
            Expr::Search(call) => self.search(call),
            Expr::Raw(parts, _) => self.raw(parts),
        }
    }

    fn search(&mut self, call: &SearchCall) -> Result<()> {
        let fault = |text: String| Error::new(ErrorKind::InvalidQuery, text);
        if self.as_of.is_some() {
            return Err(self.unsupported("a full-text search of the past"));
        }
        if self.is_query(call.source) {
            let text = "a full-text search is over a table: search it before it becomes a source";
            return Err(fault(text.to_owned()));
        }
        if let SearchOp::Highlight(column) | SearchOp::Headline(column) = call.op
            && call.search.position(column).is_none()
        {
            return Err(fault(format!(
                "the column `{}` is not searched: name it in `search(..)`",
                column.name
            )));
        }
        self.sensitive |= call.search.columns.iter().any(|c| c.column.sensitive);
        self.dialect().search(self, call)
    }

    /// Writes an expression such that it can stand beside any operator.
    pub fn operand(&mut self, e: &Expr) -> Result<()> {
        let closed = match e {
            Expr::Column(..)
            | Expr::Field(..)
            | Expr::Value(_)
            | Expr::Clock
            | Expr::Actor
            | Expr::Tenant
            | Expr::Call(..)
            | Expr::Aggregate(_)
            | Expr::Window(_)
            | Expr::Case { .. }
            | Expr::Cast(..)
            | Expr::Exists(_)
            | Expr::Subquery(_)
            | Expr::Search(_)
            | Expr::Tuple(_) => true,
            Expr::All(items) | Expr::Any(items) => items.is_empty(),
            Expr::Not(_)
            | Expr::Negate(_)
            | Expr::Compare(..)
            | Expr::Math(..)
            | Expr::IsNull(..)
            | Expr::IsTrue(_)
            | Expr::Between(_)
            | Expr::In(..)
            | Expr::Text(..)
            | Expr::Quantified(..) => false,
            Expr::Raw(parts, _) => is_number(parts),
        };
        if closed {
            self.expr(e)
        } else {
            self.in_parentheses(e)
        }
    }

    fn in_parentheses(&mut self, e: &Expr) -> Result<()> {
        self.push("(");
        self.expr(e)?;
        self.push(")");
        Ok(())
    }

    /// An operand of a comparison: arithmetic binds tighter anyway.
    fn side(&mut self, e: &Expr) -> Result<()> {
        match e {
            Expr::Math(..) | Expr::Negate(_) => self.expr(e),
            e => self.operand(e),
        }
    }

    /// Expressions separated by commas.
    pub fn list(&mut self, items: &[Expr]) -> Result<()> {
        for (i, e) in items.iter().enumerate() {
            self.comma(i);
            self.expr(e)?;
        }
        Ok(())
    }
    pub(crate) fn parenthesised(&mut self, items: &[Expr]) -> Result<()> {
        self.push("(");
        self.list(items)?;
        self.push(")");
        Ok(())
    }

    pub(crate) fn joined(&mut self, items: &[Expr], with: &str, empty: &str) -> Result<()> {
        if items.is_empty() {
            self.push(empty);
        }
        if items.len() > LONGEST_CHAIN {
            let (left, right) = items.split_at(items.len() / 2);
            self.push("(");
            self.joined(left, with, empty)?;
            self.push(")");
            self.push(with);
            self.push("(");
            self.joined(right, with, empty)?;
            self.push(")");
            return Ok(());
        }
        for (i, e) in items.iter().enumerate() {
            if i > 0 {
                self.push(with);
            }
            if items.len() == 1 {
                self.expr(e)?
            } else {
                self.condition(e)?
            }
        }
        Ok(())
    }

    /// A condition among others joined by AND or OR.
    pub(crate) fn condition(&mut self, e: &Expr) -> Result<()> {
        match e {
            Expr::All(items) | Expr::Any(items) if items.len() > 1 => self.in_parentheses(e),
            Expr::All(items) | Expr::Any(items) if items.len() == 1 => self.condition(&items[0]),
            Expr::Raw(..) => self.in_parentheses(e),
            e => self.expr(e),
        }
    }

    fn not(&mut self, e: &Expr) -> Result<()> {
        if let Expr::In(e, list) = e
            && let InList::Query(q) = &**list
            && may_be_null(q)
        {
            return self.is_in_values_of(e, q, "NOT ");
        }
        self.push("NOT ");
        let outside = std::mem::replace(&mut self.negated, true);
        let written = self.operand(e);
        self.negated = outside;
        written
    }

    fn compare(&mut self, op: CompareOp, a: &Expr, b: &Expr) -> Result<()> {
        if concerns(self, a) || concerns(self, b) {
            return self.compare_decimals(op, a, b);
        }
        self.side(a)?;
        self.push(compare_text(op));
        self.side(b)
    }

    fn math(&mut self, op: MathOp, a: &Expr, b: &Expr) -> Result<()> {
        if concerns(self, a) || concerns(self, b) {
            return self.decimal_math(op, a, b);
        }
        self.math_operand(op, a, false)?;
        self.push(match op {
            MathOp::Add => " + ",
            MathOp::Sub => " - ",
            MathOp::Mul => " * ",
            MathOp::Div => " / ",
            MathOp::Rem => {
                if [a, b].iter().any(|e| matches!(type_of(e), Type::F32 | Type::F64)) {
                    return Err(self.unsupported("the remainder of floats"));
                }
                " % "
            }
            MathOp::Concat => " || ",
            MathOp::BitAnd => " & ",
            MathOp::BitOr => " | ",
        });
        self.math_operand(op, b, true)
    }

    /// `a + b - c` and `a + b * c` need no parentheses; everything else gets them, since precedence differs between
    /// databases.
    fn math_operand(&mut self, outer: MathOp, e: &Expr, right: bool) -> Result<()> {
        let bare = match (outer, e) {
            (MathOp::Add | MathOp::Sub, Expr::Math(MathOp::Mul, ..)) => true,
            (MathOp::Add | MathOp::Sub, Expr::Math(MathOp::Add | MathOp::Sub, ..)) => !right,
            (MathOp::Concat, Expr::Math(MathOp::Concat, ..)) => !right,
            _ => false,
        };
        if bare { self.expr(e) } else { self.operand(e) }
    }

    fn between(&mut self, three: &[Expr; 3]) -> Result<()> {
        let form = three.iter().any(|e| concerns(self, e)).then(|| meet(three));
        if form == Some(Common::Text) {
            return Err(self.unbounded());
        }
        for (e, before) in three.iter().zip(["", " BETWEEN ", " AND "]) {
            self.push(before);
            match form {
                Some(form) => self.decimal_as(e, form)?,
                None => self.side(e)?,
            }
        }
        Ok(())
    }

    fn is_in(&mut self, e: &Expr, items: &InList) -> Result<()> {
        match items {
            InList::Values(_, values) if values.is_empty() => self.push("FALSE"),
            InList::Exprs(items) if items.is_empty() => self.push("FALSE"),
            InList::Values(ty, values) if concerns(self, e) => return self.decimal_in_values(e, *ty, values),
            InList::Values(_, values) if values.len() == 1 => {
                self.side(e)?;
                self.push(" = ");
                self.param(values[0].clone())?;
            }
            InList::Values(ty, values) => {
                self.side(e)?;
                self.in_values(*ty, values)?;
            }
            InList::Exprs(items) if concerns(self, e) && !matches!(e, Expr::Tuple(_)) => {
                let form = meet(std::iter::once(e).chain(items));
                self.decimal_as(e, form)?;
                self.push(" IN (");
                for (i, item) in items.iter().enumerate() {
                    self.comma(i);
                    self.decimal_as(item, form)?;
                }
                self.push(")");
            }
            InList::Exprs(items) => {
                self.side(e)?;
                if concerns(self, e) {
                    return Err(self.unsupported("a decimal in a list of rows"));
                }
                // row values: the form with VALUES is the one that every database reads
                let rows = matches!(e, Expr::Tuple(_));
                self.push(if rows { " IN (VALUES " } else { " IN (" });
                self.list(items)?;
                self.push(")");
            }
            InList::Query(q) if self.negated && may_be_null(q) => return self.is_in_values_of(e, q, ""),
            InList::Query(q) => {
                self.same_scale(e, q)?;
                self.side(e)?;
                self.push(" IN ");
                self.subquery(q)?;
            }
        }
        Ok(())
    }

    /// `IN` or `NOT IN` over the rows that are not NULL: one NULL among them would make the opposite true for no row at
    /// all.
    fn is_in_values_of(&mut self, e: &Expr, q: &Select, not: &str) -> Result<()> {
        self.same_scale(e, q)?;
        if let Expr::Tuple(items) = e {
            return self.is_row_of(items, q, not);
        }
        self.side(e)?;
        self.push(" ");
        self.push(not);
        self.push("IN (SELECT \"n\".\"v\" FROM (");
        self.select(q, &["v"], &[])?;
        self.push(") AS \"n\" WHERE \"n\".\"v\" IS NOT NULL)");
        Ok(())
    }

    /// A row of the query equals this one, or none does: a row with a NULL equals none.
    fn is_row_of(&mut self, items: &[Expr], q: &Select, not: &str) -> Result<()> {
        let names: Vec<_> = (0..items.len()).map(numbered).collect();
        self.push(not);
        self.push("EXISTS (SELECT 1 FROM (");
        self.select(q, &names, &[])?;
        self.push(") AS \"n\" WHERE ");
        for (i, (item, name)) in items.iter().zip(&names).enumerate() {
            self.push(if i == 0 { "" } else { " AND " });
            self.push("\"n\".");
            self.ident(name)?;
            self.push(" = ");
            self.side(item)?;
        }
        self.push(")");
        Ok(())
    }

    fn in_values(&mut self, ty: Type, values: &[Value]) -> Result<()> {
        match self.dialect().list(ty) {
            ListForm::Array => match ty.element() {
                Some(element) => {
                    self.push(" = ANY(");
                    self.param(Value::Array(element, values.into()))?;
                    self.push(")");
                    Ok(())
                }
                None => self.each_value(values),
            },
            ListForm::Json => {
                let json = list::json(values)?;
                self.push(match ty {
                    Type::Bytes | Type::Uuid => " IN (SELECT unhex(value) FROM json_each(",
                    _ => " IN (SELECT value FROM json_each(",
                });
                self.param(Value::Text(json))?;
                self.push("))");
                Ok(())
            }
            ListForm::Each => self.each_value(values),
        }
    }
    fn each_value(&mut self, values: &[Value]) -> Result<()> {
        self.push(" IN (");
        for (i, v) in values.iter().enumerate() {
            self.comma(i);
            self.param(v.clone())?;
        }
        self.push(")");
        Ok(())
    }

    fn decimal_in_values(&mut self, e: &Expr, ty: Type, values: &[Value]) -> Result<()> {
        let exprs: Vec<Expr> = values.iter().cloned().map(Expr::Value).collect();
        let form = meet(std::iter::once(e).chain(&exprs));
        self.decimal_as(e, form)?;
        match form {
            Common::Scaled(s) => {
                let scaled: Option<Vec<Value>> = values.iter().map(|v| decimal::rescale(v, s)).collect();
                let scaled =
                    scaled.ok_or_else(|| self.unsupported("a decimal beyond 18 digits in a list"))?;
                self.in_values(Type::I64, &scaled)
            }
            Common::Text | Common::Float => {
                let _ = ty;
                self.each_value(values)
            }
        }
    }

    /// Refuses a comparison of decimals of different scale with a query: neither side could be converted.
    fn same_scale(&self, e: &Expr, q: &Select) -> Result<()> {
        let items = match e {
            Expr::Tuple(items) => &items[..],
            e => std::slice::from_ref(e),
        };
        let differs =
            |(e, inner): (&Expr, &Expr)| decimal::scale(type_of(e)) != decimal::scale(type_of(inner));
        if self.features().scaled_decimals && items.iter().zip(&q.columns).any(differs) {
            return Err(self.unsupported("a comparison of a decimal with a query of another scale"));
        }
        Ok(())
    }

    fn call(&mut self, f: Function, args: &[Expr]) -> Result<()> {
        dates::check(f, args)?;
        if let Function::DateDiff(DateUnit::Months) = f {
            return self.expr(&dates::months_between(args)?);
        }
        let decimals = self.features().scaled_decimals && args.first().is_some_and(|e| concerns(self, e));
        if decimals
            && !matches!(
                f,
                Function::Coalesce
                    | Function::NullIf
                    | Function::Abs
                    | Function::Sign
                    | Function::Float(_)
                    | Function::Named(..)
                    | Function::Declared(_)
            )
        {
            let ok = matches!(
                f,
                Function::Greatest
                    | Function::Least
                    | Function::Round
                    | Function::Floor
                    | Function::Ceil
                    | Function::Trunc
            ) && decimal::scale(common(args.iter().take(if f == Function::Round {
                1
            } else {
                args.len()
            })))
            .is_some();
            if !ok {
                return Err(self.unsupported("this function of decimals"));
            }
        }
        self.dialect().function(self, f, args)
    }

    /// Arguments that are alternatives of one another, brought to one form.
    pub fn alternatives(&mut self, items: &[Expr]) -> Result<()> {
        let form = self.form_of(items);
        for (i, e) in items.iter().enumerate() {
            self.comma(i);
            self.alternative(e, form)?;
        }
        Ok(())
    }
    /// The form in which decimals among these meet, if there are any.
    pub(crate) fn form_of<'e>(&self, items: impl IntoIterator<Item = &'e Expr> + Clone) -> Option<Common> {
        let any = self.features().scaled_decimals && items.clone().into_iter().any(|e| concerns(self, e));
        any.then(|| meet(items))
    }
    pub(crate) fn alternative(&mut self, e: &Expr, form: Option<Common>) -> Result<()> {
        match form {
            Some(form) => self.decimal_as(e, form),
            None => self.expr(e),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<()> {
        let results = arms.iter().map(|(_, r)| r).chain(otherwise);
        let form = self.form_of(results);
        let tested =
            operand.and_then(|o| self.form_of(std::iter::once(o).chain(arms.iter().map(|(w, _)| w))));
        self.push("CASE");
        if let Some(operand) = operand {
            self.push(" ");
            self.alternative(operand, tested)?;
        }
        for (when, then) in arms {
            self.push(" WHEN ");
            self.alternative(when, tested)?;
            self.push(" THEN ");
            self.alternative(then, form)?;
        }
        if let Some(otherwise) = otherwise {
            self.push(" ELSE ");
            self.alternative(otherwise, form)?;
        }
        self.push(" END");
        Ok(())
    }

    pub(crate) fn subquery(&mut self, q: &Select) -> Result<()> {
        self.push("(");
        self.select(q, &[], &[])?;
        self.push(")");
        Ok(())
    }

    fn quantified(&mut self, op: CompareOp, quantifier: Quantifier, e: &Expr, q: &Select) -> Result<()> {
        self.same_scale(e, q)?;
        let any = quantifier == Quantifier::Any;
        if matches!(e, Expr::Tuple(items) if items.is_empty()) {
            let message = "the rows of a query (`any_row`, `all_rows`) stand on the right of a comparison";
            return Err(Error::new(ErrorKind::InvalidQuery, message));
        }
        self.require(
            !matches!(op, CompareOp::IsDistinct | CompareOp::IsNotDistinct),
            "IS DISTINCT FROM with ANY or ALL",
        )?;
        let is_in = any && op == CompareOp::Eq;
        if !self.features().quantified && !is_in {
            return self.compared_rows(op, any, e, q);
        }
        self.side(e)?;
        if is_in {
            self.push(" IN ");
            return self.subquery(q);
        }
        self.push(compare_text(op));
        self.push(if any { "ANY " } else { "ALL " });
        self.subquery(q)
    }

    /// ANY and ALL where the database lacks them: the least or the greatest of all comparisons, where truth values are
    /// numbers, and NULL where only those that are NULL could decide.
    fn compared_rows(&mut self, op: CompareOp, any: bool, e: &Expr, q: &Select) -> Result<()> {
        self.push(match any {
            true => "(SELECT CASE WHEN max(\"n\".\"c\") = 1 THEN TRUE WHEN count(*) > count(\"n\".\"c\") THEN NULL ELSE FALSE END",
            false => "(SELECT CASE WHEN min(\"n\".\"c\") = 0 THEN FALSE WHEN count(*) > count(\"n\".\"c\") THEN NULL ELSE TRUE END",
        });
        self.push(" FROM (SELECT ");
        self.side(e)?;
        self.push(compare_text(op));
        self.push("\"v\".\"v\" AS \"c\" FROM (");
        self.select(q, &["v"], &[])?;
        self.push(") AS \"v\") AS \"n\")");
        Ok(())
    }

    pub(crate) fn raw(&mut self, parts: &[RawPart]) -> Result<()> {
        for part in parts {
            match part {
                RawPart::Text(sql) => self.push(sql),
                RawPart::Expr(e) => self.operand(e)?,
                RawPart::Name(name) => self.ident(name)?,
                RawPart::List(ty, values) if values.is_empty() => {
                    // a query without rows: `IN (NULL)` would be right, but `NOT IN (NULL)` is never true
                    self.push("SELECT CAST(NULL AS ");
                    self.type_name(*ty)?;
                    self.push(") WHERE 1 = 0");
                }
                RawPart::List(ty, values) => {
                    for (i, v) in values.iter().enumerate() {
                        self.comma(i);
                        let stored = decimal::stored(self, v, *ty)?;
                        self.param(stored)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The operator between blanks.
pub(crate) fn compare_text(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => " = ",
        CompareOp::Ne => " <> ",
        CompareOp::Lt => " < ",
        CompareOp::Le => " <= ",
        CompareOp::Gt => " > ",
        CompareOp::Ge => " >= ",
        CompareOp::IsDistinct => " IS DISTINCT FROM ",
        CompareOp::IsNotDistinct => " IS NOT DISTINCT FROM ",
    }
}

//! Expressions.

use crate::ast::{Column, Order, SearchCall, Select, Source};
use crate::value::{Type, Value};

/// An SQL expression. As large as a value, which is what bulk inserts have many of: rarer and larger parts are boxed.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A column of a table reference.
    Column(Source, &'static Column),
    /// A column of a derived table or common table expression, by its name there.
    Field(Source, &'static str, Type),
    /// A bound value.
    Value(Value),
    /// The clock of this operation: the server's where the backend says so, else the client's.
    Clock,
    /// The acting user of the handle, or an `InvalidQuery` error when there is none.
    Actor,
    /// The tenant of the handle, or an `InvalidQuery` error when there is none.
    Tenant,
    /// NOT.
    Not(Box<Expr>),
    /// Arithmetic negation.
    Negate(Box<Expr>),
    /// AND; true when empty.
    All(Vec<Expr>),
    /// OR; false when empty.
    Any(Vec<Expr>),
    /// A comparison.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Arithmetic, or concatenation of text.
    Math(MathOp, Box<Expr>, Box<Expr>),
    /// IS NULL, or IS NOT NULL when negated.
    IsNull(Box<Expr>, bool),
    /// IS TRUE: a comparison that is selected as a value and must not be NULL.
    IsTrue(Box<Expr>),
    /// `expr BETWEEN low AND high`.
    Between(Box<[Expr; 3]>),
    /// Membership in a list or a query; an empty list is false.
    In(Box<Expr>, Box<InList>),
    /// A text predicate.
    Text(TextOp, Box<Expr>, Box<Expr>),
    /// A call of a known function.
    Call(Box<Function>, Vec<Expr>),
    /// An aggregate.
    Aggregate(Box<Aggregate>),
    /// A window function call.
    Window(Box<WindowCall>),
    /// CASE: with an operand (`CASE x WHEN v …`) or without.
    Case {
        /// What the arms are compared with.
        operand: Option<Box<Expr>>,
        /// Condition or value, and result.
        arms: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// CAST.
    Cast(Box<Expr>, Type),
    /// EXISTS.
    Exists(Box<Select>),
    /// A scalar sub-query.
    Subquery(Box<Select>),
    /// `expr op ANY (query)` or `ALL`.
    Quantified(CompareOp, Quantifier, Box<Expr>, Box<Select>),
    /// A row value.
    Tuple(Vec<Expr>),
    /// Something about a full-text search.
    Search(Box<SearchCall>),
    /// Hand-written SQL of a stated type with expressions in between.
    Raw(Vec<RawPart>, Type),
}

impl Expr {
    /// A call of a known function.
    pub fn call(function: Function, args: Vec<Expr>) -> Expr {
        Expr::Call(Box::new(function), args)
    }
    /// The constant 1, for sub-queries and probes whose columns do not matter.
    pub fn one() -> Expr {
        Expr::Raw(vec![RawPart::Text("1")], Type::I32)
    }
}

/// A piece of hand-written SQL.
#[derive(Clone, Debug)]
pub enum RawPart {
    /// Text written by the programmer.
    Text(&'static str),
    /// An expression put in between.
    Expr(Expr),
    /// A name in the database, quoted.
    Name(Box<str>),
    /// A list of values of this type; a query without rows when empty, so that `in (…)` finds nothing and
    /// `not in (…)` everything.
    List(Type, Vec<Value>),
}

/// Right-hand side of IN.
#[derive(Clone, Debug)]
pub enum InList {
    /// Bound values, all of one type.
    Values(Type, Vec<Value>),
    /// Expressions.
    Exprs(Vec<Expr>),
    /// A query with one column.
    Query(Box<Select>),
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`.
    Eq,
    /// `<>`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// IS DISTINCT FROM: NULL differs from every value and equals NULL.
    IsDistinct,
    /// IS NOT DISTINCT FROM.
    IsNotDistinct,
}

/// ANY or ALL of a sub-query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one row.
    Any,
    /// Every row.
    All,
}

/// Arithmetic and concatenation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MathOp {
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`: truncated towards zero between integers on every backend.
    Div,
    /// `%`.
    Rem,
    /// `||`.
    Concat,
    /// `&`.
    BitAnd,
    /// `|`.
    BitOr,
}

/// Text predicates. The plain ones take the right side literally; `Like` takes a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOp {
    /// Contains it, case-sensitively.
    Contains,
    /// Starts with it, case-sensitively.
    StartsWith,
    /// Ends with it, case-sensitively.
    EndsWith,
    /// Contains it in any case.
    ContainsNoCase,
    /// Starts with it in any case.
    StartsWithNoCase,
    /// Ends with it in any case.
    EndsWithNoCase,
    /// Equal in any case.
    EqNoCase,
    /// LIKE, case-sensitive, `\` escapes.
    Like,
    /// LIKE in any case (`ILIKE`), `\` escapes.
    LikeNoCase,
    /// A POSIX regular expression, case-sensitive.
    Regex,
    /// A POSIX regular expression in any case.
    RegexNoCase,
}

/// Functions with one meaning on every backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// First argument that is not NULL.
    Coalesce,
    /// NULL when both are equal.
    NullIf,
    /// Largest argument; NULLs do not count.
    Greatest,
    /// Smallest argument; NULLs do not count.
    Least,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Lower case of the letters of ASCII, and of no others.
    AsciiLower,
    /// Upper case of the letters of ASCII.
    AsciiUpper,
    /// Characters of a text.
    Length,
    /// Without blanks at both ends.
    Trim,
    /// Without blanks in front.
    TrimStart,
    /// Without blanks behind.
    TrimEnd,
    /// `(text, from, to)` replaced everywhere.
    Replace,
    /// `(text, start from 1, length)`.
    Substring,
    /// `(text, part)`: position from 1, or 0.
    Position,
    /// Absolute value.
    Abs,
    /// `(number, digits)`.
    Round,
    /// Next integer below.
    Floor,
    /// Next integer above.
    Ceil,
    /// Next integer towards zero.
    Trunc,
    /// -1, 0 or 1.
    Sign,
    /// A function of floats.
    Float(FloatFn),
    /// `(text, n)`: the first characters.
    Left,
    /// `(text, n)`: the last characters.
    Right,
    /// `(text, length, fill)`: filled up in front, cut off behind.
    PadStart,
    /// `(text, length, fill)`: filled up or cut off behind.
    PadEnd,
    /// `(text, separator, n from 1)`: a part, empty where there is none.
    SplitPart,
    /// Part of a date or instant, as an integer.
    DatePart(DatePart),
    /// Date or instant cut down to the start of its part.
    DateTrunc(DatePart),
    /// `(date or instant, n)`: so many units later.
    DateAdd(DateUnit),
    /// `(later, earlier)`: whole units between them, cut towards zero. Days are those of the calendar.
    DateDiff(DateUnit),
    /// Date or instant as text, by a pattern of `%Y %m %d %H %M %S %j %F %T %%`.
    DateFormat(&'static str),
    /// The day of an instant.
    DateOf,
    /// Something in a JSON document.
    Json(JsonFn),
    /// Something about an array.
    Array(ArrayFn),
    /// Something about a range.
    Range(RangeFn),
    /// `(vector, vector)`: how far they are from each other.
    Distance(DistanceFn),
    /// A database function by name; the caller vouches for it.
    Named(&'static str, Type),
    /// A database function that was declared.
    Declared(&'static Declared),
}

/// A database function as it was declared.
#[derive(Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// Its names by dialect where they differ: on other dialects there is none.
    pub names: &'static [(&'static str, &'static str)],
    /// What it returns.
    pub ty: Type,
}

/// What is done at a place of a JSON document. The arguments begin with the document; bound texts (keys) and integers
/// (places in arrays, from 0, or from -1 at the end) lead to the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFn {
    /// What stands there, as JSON.
    Get,
    /// As text without quotes; NULL for a JSON null.
    Text,
    /// As an integer, cut towards zero; NULL unless it is a number.
    Int,
    /// As a float; NULL unless it is a number.
    Float,
    /// As a truth value; NULL unless it is one.
    Bool,
    /// `null`, `boolean`, `number`, `string`, `array`, `object`.
    Kind,
    /// How many items the array has; NULL unless it is one.
    Length,
    /// Whether it contains the last argument.
    Contains,
    /// Whether one of the keys in the last argument, an array, is a key of the object or a text in the array.
    HasAny,
    /// Whether all of them are.
    HasAll,
    /// The document with the last argument there.
    Set,
    /// The document without it.
    Remove,
    /// The document with the keys of an object, which is the second argument; keys and values follow one by one.
    Merge,
}

/// What is asked of an array, the first argument, or made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayFn {
    /// `(array, item)`: whether an item equals it; NULL where only a NULL could.
    Has,
    /// `(array, array)`: whether each item of the second is in the first.
    HasAll,
    /// `(array, array)`: whether an item of the second is in the first.
    HasAny,
    /// How many items it has.
    Length,
    /// `(array, place from 1)`: the item, NULL beyond the ends.
    At,
    /// `(array, first, last)`: the items from one place to another, both included.
    Slice,
    /// `(array, item)`: with the item at its end.
    Append,
    /// `(array, array)`: one behind the other. A NULL is as an empty array.
    Concat,
    /// `(array, item)`: without the items that equal it.
    Remove,
}

/// What is asked of a range, the first argument, or made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeFn {
    /// `(range, value)`: whether the value lies in it.
    Has,
    /// `(range, range)`: whether the second lies in the first.
    Contains,
    /// `(range, range)`: whether a value lies in both.
    Overlaps,
    /// `(range, range)`: whether nothing lies between them, and nothing in both.
    Adjacent,
    /// `(range, range)`: whether the first ends before the second begins.
    Before,
    /// `(range, range)`: whether the first begins behind the end of the second.
    After,
    /// `(range, range)`: what lies in both.
    Intersect,
    /// `(range, range)`: the smallest range that both lie in.
    Merge,
    /// Where it begins; NULL where it is open, or empty.
    Lower,
    /// Where it ends.
    Upper,
    /// Whether nothing lies in it.
    IsEmpty,
}

/// Distances of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistanceFn {
    /// That of two points.
    Euclidean,
    /// One less the cosine of the angle between them.
    Cosine,
    /// The negative inner product.
    InnerProduct,
}

/// A part of a date or instant, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePart {
    /// Year.
    Year,
    /// Quarter, 1–4.
    Quarter,
    /// Month, 1–12.
    Month,
    /// ISO week, 1–53.
    Week,
    /// Day of the month.
    Day,
    /// Day of the week, Monday 1 to Sunday 7.
    Weekday,
    /// Day of the year.
    DayOfYear,
    /// Hour.
    Hour,
    /// Minute.
    Minute,
    /// Second, without fraction.
    Second,
    /// Microseconds of the second, 0–999999.
    Microsecond,
    /// Whole seconds since 1970-01-01T00:00:00, in UTC.
    Epoch,
}

/// What is added to dates and instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateUnit {
    /// Calendar months; the day is at most the last one of its month.
    Months,
    /// Calendar days.
    Days,
    /// Seconds.
    Seconds,
    /// Microseconds.
    Micros,
}

/// Functions of double precision floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatFn {
    /// Square root.
    Sqrt,
    /// `(base, exponent)`.
    Power,
    /// e to this power.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Logarithm to base 10.
    Log10,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// Tangent of radians.
    Tan,
    /// Inverse sine, in radians.
    Asin,
    /// Inverse cosine, in radians.
    Acos,
    /// Inverse tangent, in radians.
    Atan,
    /// `(y, x)`: the angle of a point, in radians.
    Atan2,
}

impl FloatFn {
    /// The name that databases have for it.
    pub const fn name(self) -> &'static str {
        match self {
            FloatFn::Sqrt => "sqrt",
            FloatFn::Power => "power",
            FloatFn::Exp => "exp",
            FloatFn::Ln => "ln",
            FloatFn::Log10 => "log10",
            FloatFn::Sin => "sin",
            FloatFn::Cos => "cos",
            FloatFn::Tan => "tan",
            FloatFn::Asin => "asin",
            FloatFn::Acos => "acos",
            FloatFn::Atan => "atan",
            FloatFn::Atan2 => "atan2",
        }
    }
}

/// An aggregate call.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFn,
    /// Its arguments; `count` without one counts rows.
    pub args: Vec<Expr>,
    /// Whether equal inputs count once.
    pub distinct: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// ORDER BY inside the call.
    pub order: Vec<Order>,
}

/// Aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFn {
    /// `count`.
    Count,
    /// `sum`; of integers a 64-bit integer, overflow is an error.
    Sum,
    /// `avg`; of integers a float.
    Avg,
    /// `min`.
    Min,
    /// `max`.
    Max,
    /// Texts joined by the second argument.
    StringAgg,
    /// True when all are.
    BoolAnd,
    /// True when one is.
    BoolOr,
    /// All values as an array.
    ArrayAgg,
    /// All values as a JSON array.
    JsonAgg,
    /// Ordered-set aggregate `percentile_cont(fraction) WITHIN GROUP (ORDER BY …)`.
    PercentileCont,
    /// Ordered-set aggregate `percentile_disc(fraction) WITHIN GROUP (ORDER BY …)`.
    PercentileDisc,
    /// Ordered-set aggregate `mode() WITHIN GROUP (ORDER BY …)`.
    Mode,
    /// Standard deviation of a sample.
    StddevSamp,
    /// Standard deviation of all there is.
    StddevPop,
    /// Variance of a sample.
    VarSamp,
    /// Variance of all there is.
    VarPop,
    /// Which of the keys a row of totals sums over.
    Grouping,
    /// An aggregate by name; the caller vouches for it.
    Named(&'static str, Type),
}

/// A window function call.
#[derive(Clone, Debug)]
pub struct WindowCall {
    /// The function: a window function or an aggregate.
    pub function: WindowFn,
    /// Its window.
    pub window: Window,
}

/// What is computed over a window.
#[derive(Clone, Debug)]
pub enum WindowFn {
    /// `row_number()`.
    RowNumber,
    /// `rank()`.
    Rank,
    /// `dense_rank()`.
    DenseRank,
    /// `percent_rank()`.
    PercentRank,
    /// `cume_dist()`.
    CumeDist,
    /// `ntile(n)`.
    Ntile(Expr),
    /// `lag(expr, offset, default)`.
    Lag(Vec<Expr>),
    /// `lead(expr, offset, default)`.
    Lead(Vec<Expr>),
    /// `first_value(expr)`.
    FirstValue(Expr),
    /// `last_value(expr)`.
    LastValue(Expr),
    /// `nth_value(expr, n)`.
    NthValue(Expr, Expr),
    /// An aggregate.
    Aggregate(Aggregate),
}

/// OVER (…).
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// A window named in the statement's WINDOW clause that this one starts from.
    pub base: Option<&'static str>,
    /// PARTITION BY.
    pub partition: Vec<Expr>,
    /// ORDER BY.
    pub order: Vec<Order>,
    /// ROWS, RANGE or GROUPS.
    pub frame: Option<Frame>,
}

/// A window frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What is counted.
    pub unit: FrameUnit,
    /// Where it begins.
    pub start: FrameBound,
    /// Where it ends; the current row when absent.
    pub end: Option<FrameBound>,
    /// EXCLUDE.
    pub exclude: FrameExclude,
}

/// Which rows around the current one a frame leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FrameExclude {
    /// None.
    #[default]
    Nothing,
    /// The current row.
    CurrentRow,
    /// The current row and those equal to it in the window's order.
    Group,
    /// Those equal to the current row, but not itself.
    Ties,
}

/// What a frame counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// Values.
    Range,
    /// Peer groups.
    Groups,
}

/// An end of a frame.
#[derive(Clone, Debug)]
pub enum FrameBound {
    /// The partition's first row.
    UnboundedPreceding,
    /// So many before.
    Preceding(Expr),
    /// Here.
    CurrentRow,
    /// So many after.
    Following(Expr),
    /// The partition's last row.
    UnboundedFollowing,
}

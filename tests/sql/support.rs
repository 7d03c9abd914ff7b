//! Tables, short constructors, and the comparison of texts.

use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::sql::{Dialect, Scope, Sql, render};
use orm_core::value::{DecimalParts, EnumType, Timestamp, Type, Value};

pub(crate) static MOOD: EnumType = EnumType {
    schema: None,
    name: "mood",
    labels: &["happy", "sad"],
};

const fn column(name: &'static str, ty: Type, nullable: bool) -> Column {
    Column {
        name,
        ty,
        nullable,
        sensitive: false,
        system: false,
        part: 0,
    }
}

pub(crate) static ID: Column = column("id", Type::I64, false);
pub(crate) static EMAIL: Column = column("email", Type::Text, false);
pub(crate) static NAME: Column = column("name", Type::Text, true);
pub(crate) static AGE: Column = column("age", Type::I32, false);
pub(crate) static SCORE: Column = column("score", Type::F64, false);
pub(crate) static ACTIVE: Column = column("active", Type::Bool, false);
pub(crate) static MOOD_COLUMN: Column = column("mood", Type::Enum(&MOOD), false);
pub(crate) static PRICE: Column = column("price", Type::Decimal(10, 2), false);
pub(crate) static RATE: Column = column("rate", Type::Decimal(8, 4), false);
pub(crate) static TOTAL: Column = column("total", Type::Decimal(0, 0), true);
pub(crate) static AT: Column = column("at", Type::Timestamp, false);
pub(crate) static DAY: Column = column("day", Type::Date, true);
pub(crate) static UID: Column = column("uid", Type::Uuid, false);
pub(crate) static SECRET: Column = Column {
    name: "secret",
    ty: Type::Text,
    nullable: true,
    sensitive: true,
    system: false,
    part: 0,
};
pub(crate) static USERS: Table = Table {
    schema: None,
    name: "users",
    unique: &[&[&ID], &[&EMAIL, &AGE]],
    soft_delete: None,
    tenant: None,
    filters: &[],
    history: None,
    tag: None,
    parts: &[],
};

pub(crate) static POST_ID: Column = column("id", Type::I64, false);
pub(crate) static AUTHOR: Column = column("author_id", Type::I64, true);
pub(crate) static TITLE: Column = column("title", Type::Text, false);
pub(crate) static DELETED_AT: Column = column("deleted_at", Type::Timestamp, true);
pub(crate) static ORG: Column = column("org_id", Type::I64, false);
pub(crate) static POSTS: Table = Table {
    schema: None,
    name: "posts",
    unique: &[&[&POST_ID]],
    soft_delete: Some(&DELETED_AT),
    tenant: Some(&ORG),
    filters: &[],
    history: None,
    tag: None,
    parts: &[],
};

const CREATE: &str = r#"
CREATE TABLE "users" ("id" INTEGER NOT NULL PRIMARY KEY, "email" TEXT NOT NULL, "name" TEXT, "age" INTEGER NOT NULL,
  "score" REAL NOT NULL, "active" INTEGER NOT NULL, "mood" TEXT NOT NULL, "price" INTEGER NOT NULL,
  "rate" INTEGER NOT NULL, "total" TEXT, "at" TEXT NOT NULL, "day" TEXT, "uid" BLOB NOT NULL, "secret" TEXT) STRICT;
CREATE UNIQUE INDEX "uq_users_email" ON "users" ("email");
CREATE UNIQUE INDEX "uq_users_name" ON "users" ("name") WHERE "day" IS NULL;
CREATE TABLE "posts" ("id" INTEGER NOT NULL PRIMARY KEY, "author_id" INTEGER, "title" TEXT NOT NULL, "deleted_at" TEXT,
  "org_id" INTEGER NOT NULL) STRICT;
"#;

pub(crate) fn postgres() -> &'static dyn Dialect {
    &orm_postgres::dialect::DIALECT
}
pub(crate) fn sqlite() -> &'static dyn Dialect {
    &orm_sqlite::dialect::DIALECT
}

/// A handle with everything.
pub(crate) fn scope() -> Scope {
    Scope {
        actor: Some(Value::I64(77)),
        tenant: Some(Value::I64(5)),
        clock: Some(Timestamp::from_micros(0)),
        ..Scope::default()
    }
}

/// Both texts, as they must be; the SQLite one is prepared by SQLite.
#[track_caller]
pub(crate) fn check(statement: impl Into<Any>, on_postgres: &str, on_sqlite: &str) -> (Sql, Sql) {
    let statement = statement.into().0;
    let a = render(&statement, postgres(), &scope()).unwrap();
    let b = render(&statement, sqlite(), &scope()).unwrap();
    assert_eq!(&*a.text, on_postgres);
    assert_eq!(&*b.text, on_sqlite);
    prepare(&b.text);
    (a, b)
}

/// One text for both but for the sign of placeholders.
#[track_caller]
pub(crate) fn same(statement: impl Into<Any>, on_postgres: &str) -> (Sql, Sql) {
    check(statement, on_postgres, &on_postgres.replace('$', "?"))
}

/// The text on PostgreSQL; SQLite refuses the feature.
#[track_caller]
pub(crate) fn only_postgres(statement: impl Into<Any>, text: &str, feature: &str) {
    let statement = statement.into().0;
    assert_eq!(&*render(&statement, postgres(), &scope()).unwrap().text, text);
    let refused = render(&statement, sqlite(), &scope()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(refused.message(), format!("{feature} is not supported on sqlite"));
}

/// The text on SQLite alone.
#[track_caller]
pub(crate) fn on_sqlite(statement: impl Into<Any>, text: &str) -> Sql {
    let sql = render(&statement.into().0, sqlite(), &scope()).unwrap();
    assert_eq!(&*sql.text, text);
    prepare(&sql.text);
    sql
}

/// Both refuse with this message.
#[track_caller]
pub(crate) fn refused(statement: impl Into<Any>, kind: ErrorKind, message: &str) {
    let statement = statement.into().0;
    for dialect in [postgres(), sqlite()] {
        let e = render(&statement, dialect, &scope()).unwrap_err();
        assert_eq!((e.kind(), e.message()), (kind, message), "{}", dialect.name());
    }
}

/// A SQLite with the tables of these tests.
pub(crate) fn with_sqlite<T>(f: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
    use sqlx::Connection;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut c = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(CREATE).execute(&mut c).await.unwrap();
        f(&mut c).await
    })
}

#[track_caller]
fn prepare(text: &str) {
    use sqlx::{Executor, SqlSafeStr};
    // functions of our own: this SQLite does not have them, the suite runs them
    if text.contains("orm_") {
        return;
    }
    let text = sqlx::AssertSqlSafe(text.to_owned()).into_sql_str();
    let prepared = with_sqlite(async |c| c.prepare(text).await.map(|_| ()));
    if let Err(e) = prepared {
        panic!("{e}");
    }
}

/// Any statement.
pub(crate) struct Any(pub(crate) Statement);
impl From<Select> for Any {
    fn from(s: Select) -> Self {
        Any(Statement::Select(Box::new(s)))
    }
}
impl From<Insert> for Any {
    fn from(s: Insert) -> Self {
        Any(Statement::Insert(Box::new(s)))
    }
}
impl From<Update> for Any {
    fn from(s: Update) -> Self {
        Any(Statement::Update(Box::new(s)))
    }
}
impl From<Delete> for Any {
    fn from(s: Delete) -> Self {
        Any(Statement::Delete(Box::new(s)))
    }
}
impl From<ddl::Ddl> for Any {
    fn from(s: ddl::Ddl) -> Self {
        Any(Statement::Ddl(Box::new(s)))
    }
}
impl From<Statement> for Any {
    fn from(s: Statement) -> Self {
        Any(s)
    }
}
/// A condition on users becomes a select of ids.
impl From<Expr> for Any {
    fn from(e: Expr) -> Self {
        let mut s = users();
        s.filter = vec![e];
        s.into()
    }
}

pub(crate) fn table(source: Source, table: &'static Table) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(table),
        guard: Guard::default(),
    }
}
pub(crate) fn join(kind: JoinKind, table: TableRef, on: Expr) -> Join {
    Join {
        kind,
        table,
        on: vec![on],
    }
}
/// `SELECT t0."id" FROM "users" AS t0`.
pub(crate) fn users() -> Select {
    let mut s = Select::from(table(Source::fresh(), &USERS));
    s.columns = vec![c(&ID)];
    s
}
/// A column of the root.
pub(crate) fn c(column: &'static Column) -> Expr {
    Expr::Column(Source::ROOT, column)
}
pub(crate) fn of(source: Source, column: &'static Column) -> Expr {
    Expr::Column(source, column)
}
pub(crate) fn v(n: i64) -> Expr {
    Expr::Value(Value::I64(n))
}
pub(crate) fn text(s: &'static str) -> Expr {
    Expr::Value(Value::Str(s))
}
pub(crate) fn decimal(mantissa: i128, scale: u32) -> Value {
    Value::Decimal(DecimalParts { mantissa, scale })
}
pub(crate) fn dec(mantissa: i128, scale: u32) -> Expr {
    Expr::Value(decimal(mantissa, scale))
}
pub(crate) fn compare(op: CompareOp, a: Expr, b: Expr) -> Expr {
    Expr::Compare(op, Box::new(a), Box::new(b))
}
pub(crate) fn eq(a: Expr, b: Expr) -> Expr {
    compare(CompareOp::Eq, a, b)
}
pub(crate) fn math(op: MathOp, a: Expr, b: Expr) -> Expr {
    Expr::Math(op, Box::new(a), Box::new(b))
}
pub(crate) fn order(expr: Expr, desc: bool, nulls: Nulls) -> Order {
    Order { expr, desc, nulls }
}
pub(crate) fn aggregate(function: AggregateFn, args: Vec<Expr>) -> Aggregate {
    Aggregate {
        function,
        args,
        distinct: false,
        filter: None,
        order: vec![],
    }
}
pub(crate) fn agg(function: AggregateFn, args: Vec<Expr>) -> Expr {
    Expr::Aggregate(Box::new(aggregate(function, args)))
}

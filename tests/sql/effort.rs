use orm_core::ast::*;
use orm_core::sql::{Effort, render};
use orm_core::value::{Type, Value};

use crate::support::*;
use crate::writes::{delete, insert, update};

fn effort(statement: impl Into<Any>) -> Effort {
    render(&statement.into().0, sqlite(), &scope()).unwrap().effort
}

#[test]
fn reads() {
    let with = |f: &dyn Fn(&mut Select)| {
        let mut s = users();
        f(&mut s);
        effort(s)
    };
    assert_eq!(with(&|s| s.filter = vec![eq(c(&ID), v(1))]), Effort::Short);
    assert_eq!(
        with(&|s| s.filter = vec![eq(c(&AGE), v(1)), eq(text("a"), c(&EMAIL))]),
        Effort::Short
    );
    assert_eq!(
        with(&|s| s.filter = vec![Expr::In(
            Box::new(c(&ID)),
            Box::new(InList::Values(Type::I64, vec![Value::I64(1)]))
        )]),
        Effort::Short
    );
    assert_eq!(with(&|s| s.filter = vec![eq(c(&EMAIL), text("a"))]), Effort::Rows);
    assert_eq!(
        with(&|s| s.filter = vec![Expr::Any(vec![eq(c(&ID), v(1)), eq(c(&ID), v(2))])]),
        Effort::Rows
    );
    assert_eq!(with(&|_| ()), Effort::Rows);
    assert_eq!(
        with(&|s| s.order = vec![order(c(&AGE), false, Nulls::Default)]),
        Effort::Rows
    );
    assert_eq!(
        with(&|s| s.columns = vec![agg(AggregateFn::Count, vec![])]),
        Effort::Long
    );
    assert_eq!(with(&|s| s.distinct = Distinct::Yes), Effort::Long);
    assert_eq!(
        with(&|s| s.filter = vec![Expr::Exists(Box::new(users()))]),
        Effort::Long
    );
    assert_eq!(
        with(&|s| s.filter = vec![Expr::Raw(vec![RawPart::Text("true")], Type::Bool)]),
        Effort::Long
    );
}

#[test]
fn a_join_by_key_stays_short() {
    let p = Source::fresh();
    let mut s = users();
    s.filter = vec![eq(c(&ID), v(1))];
    s.joins = vec![join(
        JoinKind::Left,
        table(p, &POSTS),
        eq(of(p, &POST_ID), c(&AGE)),
    )];
    assert_eq!(effort(s.clone()), Effort::Short);
    s.joins = vec![join(JoinKind::Left, table(p, &POSTS), eq(of(p, &AUTHOR), c(&ID)))];
    assert_eq!(effort(s), Effort::Rows);
}

#[test]
fn uniqueness_among_living_rows_says_nothing_about_deleted_ones() {
    static NOTES: Table = Table {
        schema: None,
        name: "posts",
        unique: &[&[&POST_ID], &[&TITLE]],
        soft_delete: Some(&DELETED_AT),
        tenant: None,
        filters: &[],
        history: None,
        tag: None,
        parts: &[],
    };
    let with = |deleted: Deleted, filter: Expr| {
        let mut from = table(Source::ROOT, &NOTES);
        from.guard.deleted = deleted;
        let mut s = Select::from(from);
        s.columns = vec![c(&TITLE)];
        s.filter = vec![filter];
        effort(s)
    };
    let by_title = || eq(c(&TITLE), text("a"));
    assert_eq!(with(Deleted::Hidden, by_title()), Effort::Short);
    assert_eq!(with(Deleted::Included, by_title()), Effort::Rows);
    assert_eq!(with(Deleted::Only, by_title()), Effort::Rows);
    assert_eq!(with(Deleted::Included, eq(c(&POST_ID), v(1))), Effort::Short);
}

#[test]
fn writes() {
    let rows = |n: usize| insert(&USERS, vec![&ID], InsertSource::Rows(vec![v(1); n]));
    assert_eq!(effort(rows(1)), Effort::Short);
    // row by row, so that it can be stopped between them
    assert_eq!(effort(rows(100)), Effort::Rows);
    let values = |n: usize| insert(&USERS, vec![&ID], InsertSource::Values(vec![Value::I64(1); n]));
    assert_eq!(effort(values(8)), Effort::Short);
    assert_eq!(effort(values(9)), Effort::Rows);
    // a value may take any time, and so may a query
    let slow = Expr::Raw(vec![RawPart::Text("slow()")], Type::I64);
    assert_eq!(
        effort(insert(&USERS, vec![&ID], InsertSource::Rows(vec![slow; 100]))),
        Effort::Long
    );
    let query = InsertSource::Query(Box::new(users()));
    assert_eq!(effort(insert(&USERS, vec![&ID], query)), Effort::Long);
    let set = || {
        vec![Assignment {
            column: &AGE,
            value: v(1),
        }]
    };
    assert_eq!(
        effort(update(&USERS, set(), vec![eq(c(&ID), v(1))])),
        Effort::Short
    );
    assert_eq!(effort(update(&USERS, set(), vec![])), Effort::Long);
    assert_eq!(effort(delete(&USERS, vec![eq(c(&ID), v(1))])), Effort::Short);
    assert_eq!(effort(delete(&USERS, vec![])), Effort::Long);
}

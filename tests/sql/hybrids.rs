//! The SQL of `#[orm::hybrid]`.

use orm::prelude::*;
use orm::query::Selection;

use crate::support::{postgres, sqlite};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum State {
    Draft,
    Live,
    Gone,
}

#[derive(Model)]
struct Page {
    id: Id<Page>,
    title: String,
    note: Option<String>,
    live: bool,
    views: i64,
    likes: Option<i64>,
    state: State,
}

#[orm::hybrid]
impl Page {
    fn is_popular(&self) -> bool {
        self.views > 100 && self.live
    }
    fn quiet(&self, limit: i64) -> bool {
        !self.is_popular() || self.views * 2 < limit
    }
    fn same(&self) -> bool {
        self.likes == Some(3)
    }
    fn ratio(&self) -> Option<i64> {
        self.views.checked_div(self.likes.unwrap_or(0))
    }
    fn grade(&self) -> i32 {
        if self.views > 10 {
            1
        } else if self.live {
            2
        } else {
            3
        }
    }
    fn rank(&self) -> i64 {
        match self.state {
            State::Draft | State::Gone => 0,
            State::Live => self.views,
        }
    }
    fn noted(&self) -> String {
        match &self.note {
            Some(note) => format!("{}: {note}", self.title),
            None => self.title.to_ascii_lowercase(),
        }
    }
    fn small(&self) -> bool {
        let size = self.title.chars().count() + self.title.len();
        (1..=9).contains(&size) && matches!(self.state, State::Live)
    }
}

#[track_caller]
fn expression<T: Selection<Page>>(f: impl Fn(PageCols<Page>) -> T, on_postgres: &str, on_sqlite: &str)
where
    T::Out: 'static,
{
    for (dialect, expected) in [(postgres(), on_postgres), (sqlite(), on_sqlite)] {
        let sql = Page::query().select(&f).to_sql(dialect).unwrap();
        assert_eq!(&*sql.text, format!(r#"SELECT {expected} FROM "pages" AS t0"#));
    }
}
#[track_caller]
fn same<T: Selection<Page>>(f: impl Fn(PageCols<Page>) -> T, on_postgres: &str) {
    expression(f, on_postgres, &on_postgres.replace('$', "?"));
}

#[test]
fn bodies_are_expressions() {
    same(|p| p.is_popular(), r#"(t0."views" > $1 AND t0."live") IS TRUE"#);
    same(
        |p| p.quiet(7),
        r#"(NOT (t0."views" > $1 AND t0."live") OR t0."views" * $2 < $3) IS TRUE"#,
    );
    same(|p| p.same(), r#"t0."likes" IS NOT DISTINCT FROM $1"#);
    same(
        |p| p.ratio(),
        r#"t0."views" / nullif(coalesce(t0."likes", $1), $2)"#,
    );
    same(
        |p| p.grade(),
        r#"CASE WHEN t0."views" > $1 THEN $2 WHEN t0."live" THEN $3 ELSE $4 END"#,
    );
    expression(
        |p| p.rank(),
        r#"CASE t0."state" WHEN CAST($1 AS "state") THEN $2 WHEN CAST($3 AS "state") THEN $4 ELSE t0."views" END"#,
        r#"CASE t0."state" WHEN ?1 THEN ?2 WHEN ?3 THEN ?4 ELSE t0."views" END"#,
    );
    expression(
        |p| p.noted(),
        r#"CASE WHEN t0."note" IS NOT NULL THEN t0."title" || $1 || t0."note" ELSE translate(t0."title", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') END"#,
        r#"CASE WHEN t0."note" IS NOT NULL THEN t0."title" || ?1 || t0."note" ELSE lower(t0."title") END"#,
    );
    expression(
        |p| p.small(),
        r#"(CAST(length(t0."title") AS bigint) + CAST(octet_length(t0."title") AS bigint) BETWEEN $1 AND $2 AND t0."state" = CAST($3 AS "state")) IS TRUE"#,
        r#"(length(t0."title") + CAST(octet_length(t0."title") AS INTEGER) BETWEEN ?1 AND ?2 AND t0."state" = ?3) IS TRUE"#,
    );
}

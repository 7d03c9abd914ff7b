//! EXPLAIN: words in front of the statement as it is, with its binds.

use orm::sql::plan::ExplainOptions;
use orm_core::ast::Expr;
use orm_core::error::ErrorKind;
use orm_core::sql::{Effort, Sql, explained, render};
use orm_core::value::Value;

use crate::support::*;

fn asked(options: ExplainOptions) -> [orm::Result<Sql>; 2] {
    let mut select = users();
    select.filter = vec![eq(c(&EMAIL), Expr::Value(Value::Text("ann@x.io".into())))];
    let statement = Any::from(select).0;
    [postgres(), sqlite()].map(|dialect| explained(render(&statement, dialect, &scope())?, &options, dialect))
}

#[test]
fn the_statement_stands_behind_explain_with_its_binds() -> orm::Result<()> {
    let [a, b] = asked(ExplainOptions::default());
    let (a, b) = (a?, b?);
    assert_eq!(
        &*a.text,
        r#"EXPLAIN (FORMAT JSON) SELECT t0."id" FROM "users" AS t0 WHERE t0."email" = $1"#
    );
    assert_eq!(
        &*b.text,
        r#"EXPLAIN QUERY PLAN SELECT t0."id" FROM "users" AS t0 WHERE t0."email" = ?1"#
    );
    for sql in [a, b] {
        assert_eq!(sql.params, [Value::Text("ann@x.io".into())]);
        assert_eq!(
            (sql.operation, sql.effort, sql.writes),
            ("EXPLAIN", Effort::Short, false)
        );
    }
    Ok(())
}

#[test]
fn each_question_is_an_option() -> orm::Result<()> {
    let words = |options: ExplainOptions| -> orm::Result<String> {
        let [sql, _] = asked(options);
        let text = sql?.text;
        Ok(text
            .split_once(" SELECT")
            .map_or("", |(words, _)| words)
            .to_owned())
    };
    let none = ExplainOptions::default();
    let analyze = ExplainOptions {
        analyze: true,
        ..none
    };
    for (options, expected) in [
        (analyze, "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS OFF)"),
        (
            ExplainOptions {
                buffers: true,
                ..analyze
            },
            "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS)",
        ),
        (
            ExplainOptions {
                verbose: true,
                settings: true,
                ..none
            },
            "EXPLAIN (FORMAT JSON, VERBOSE, SETTINGS)",
        ),
        (
            ExplainOptions {
                wal: true,
                without_timing: true,
                ..analyze
            },
            "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS OFF, WAL, TIMING OFF)",
        ),
    ] {
        assert_eq!(words(options)?, expected);
    }
    Ok(())
}

#[test]
fn what_a_database_does_not_tell_is_refused_before_it_is_asked() {
    let none = ExplainOptions::default();
    for (options, feature) in [
        (
            ExplainOptions {
                analyze: true,
                ..none
            },
            "EXPLAIN ANALYZE",
        ),
        (
            ExplainOptions {
                buffers: true,
                ..none
            },
            "EXPLAIN (BUFFERS)",
        ),
        (
            ExplainOptions {
                verbose: true,
                ..none
            },
            "EXPLAIN (VERBOSE)",
        ),
        (
            ExplainOptions {
                settings: true,
                ..none
            },
            "EXPLAIN (SETTINGS)",
        ),
    ] {
        let [_, refused] = asked(options);
        let e = refused.unwrap_err();
        assert_eq!(
            (e.kind(), e.message()),
            (
                ErrorKind::Unsupported,
                format!("{feature} is not supported on sqlite").as_str()
            )
        );
    }
    let [refused, _] = asked(ExplainOptions { wal: true, ..none });
    let e = refused.unwrap_err();
    assert_eq!(
        (e.kind(), e.message()),
        (
            ErrorKind::InvalidQuery,
            "`wal` and `without_timing` are about a statement that runs: add `.analyze()`"
        )
    );
}

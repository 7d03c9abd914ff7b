//! Rules on SQL written by hand: each with a script that it finds and one that it leaves alone.

use orm_migrate::Backend::{self, Postgres, Sqlite};
use orm_migrate::lint::{Finding, Options, Severity, lint_sql};

fn found(script: &str, backend: Backend) -> Vec<Finding> {
    lint_sql(script, backend, &Options::default()).unwrap()
}

/// `rule, bad, good` of each.
#[track_caller]
fn rules(backend: Backend, cases: &[(&str, &str, &str)]) {
    for (rule, bad, good) in cases {
        let in_bad = found(bad, backend);
        let Some(finding) = in_bad.iter().find(|f| f.rule == *rule) else {
            panic!("{rule} was not found in {bad}: {in_bad:#?}");
        };
        assert!(finding.about.starts_with("statement "), "{finding:?}");
        assert!(!finding.why.is_empty());
        let in_good = found(good, backend);
        assert!(
            !in_good.iter().any(|f| f.rule == *rule),
            "{rule} was found in {good}: {in_good:#?}"
        );
    }
}

#[test]
fn constraints_and_indexes_on_postgres() {
    rules(
        Postgres,
        &[
            (
                "index-not-concurrent",
                "CREATE UNIQUE INDEX i ON s.t (a)",
                "CREATE INDEX CONCURRENTLY i ON t (a)",
            ),
            (
                "index-not-concurrent",
                "CREATE INDEX ON ONLY \"T\" (a)",
                "CREATE TABLE T (a text); CREATE INDEX ON public.t (a)",
            ),
            (
                "drop-index-not-concurrent",
                "DROP INDEX IF EXISTS i",
                "DROP INDEX CONCURRENTLY i",
            ),
            (
                "reindex-not-concurrent",
                "REINDEX TABLE t",
                "REINDEX TABLE CONCURRENTLY t",
            ),
            (
                "reindex-not-concurrent",
                "REINDEX (VERBOSE) INDEX i",
                "REINDEX (CONCURRENTLY, VERBOSE) INDEX i",
            ),
            (
                "concurrently-in-transaction",
                "CREATE INDEX CONCURRENTLY i ON t (a); SELECT 1",
                "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a); SELECT 1",
            ),
            (
                "add-fk-validated",
                "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (id)",
                "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (id) NOT VALID",
            ),
            // a column of NULLs refers to nothing
            (
                "add-fk-validated",
                "ALTER TABLE t ADD a int DEFAULT 1 REFERENCES b (id)",
                "ALTER TABLE t ADD COLUMN a int REFERENCES b (id) ON DELETE SET NULL",
            ),
            (
                "add-check-validated",
                "ALTER TABLE ONLY t ADD CHECK (a > 0)",
                "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
            ),
            (
                "add-check-validated",
                "ALTER TABLE t ADD a int CHECK (a > 0)",
                "ALTER TABLE t ADD a int DEFAULT 0",
            ),
            (
                "add-unique-direct",
                "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b)",
                "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX u",
            ),
            (
                "add-unique-direct",
                "ALTER TABLE t ADD a int UNIQUE",
                "ALTER TABLE t ADD a int",
            ),
            (
                "add-pk-direct",
                "ALTER TABLE t ADD PRIMARY KEY (id)",
                "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX p",
            ),
            (
                "add-exclusion",
                "ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (a WITH &&)",
                "CREATE TABLE t (a box); ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (a WITH &&)",
            ),
            (
                "validate-in-same-transaction",
                "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c",
                "-- no-transaction\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c",
            ),
            (
                "set-not-null-scan",
                "ALTER TABLE t ALTER a SET NOT NULL",
                "-- no-transaction\nALTER TABLE t ADD CONSTRAINT n CHECK (a IS NOT NULL) NOT VALID;
                 ALTER TABLE t VALIDATE CONSTRAINT n; ALTER TABLE t ALTER COLUMN a SET NOT NULL;
                 ALTER TABLE t DROP CONSTRAINT n",
            ),
            (
                "drop-constraint",
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS c",
                "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t DROP CONSTRAINT c",
            ),
        ],
    );
}

#[test]
fn columns_and_types_on_postgres() {
    let long = format!("CREATE TABLE \"{}\" (a bigint)", "x".repeat(64));
    let short = format!("CREATE TABLE \"{}\" (a bigint)", "x".repeat(63));
    rules(
        Postgres,
        &[
            (
                "add-required-column",
                "ALTER TABLE t ADD a text NOT NULL",
                "ALTER TABLE t ADD a text NOT NULL DEFAULT ''",
            ),
            (
                "add-required-column",
                "ALTER TABLE t ADD b int, ADD COLUMN a numeric(3, 1) NOT NULL DEFAULT NULL",
                "CREATE TABLE t (b int); ALTER TABLE t ADD COLUMN a text NOT NULL",
            ),
            (
                "volatile-default",
                "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()",
                "ALTER TABLE t ADD a timestamptz NOT NULL DEFAULT now()",
            ),
            (
                "stored-generated-column",
                "ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED",
                "ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) VIRTUAL",
            ),
            (
                "add-identity",
                "ALTER TABLE t ADD a bigint GENERATED ALWAYS AS IDENTITY",
                "ALTER TABLE t ADD a bigint",
            ),
            (
                "add-identity",
                "ALTER TABLE t ADD a bigserial",
                "CREATE TABLE t (a bigserial)",
            ),
            (
                "type-change-rewrite",
                "ALTER TABLE t ALTER a TYPE bigint USING a::bigint",
                "ALTER TABLE t ALTER a SET DEFAULT 1",
            ),
            (
                "drop-not-null",
                "ALTER TABLE t ALTER a DROP NOT NULL",
                "ALTER TABLE t ALTER a SET DEFAULT 1",
            ),
            (
                "drop-default",
                "ALTER TABLE t ALTER a DROP DEFAULT",
                "ALTER TABLE t ALTER a SET DEFAULT 1",
            ),
            (
                "ban-char",
                "CREATE TABLE t (a char(3))",
                "CREATE TABLE t (a character varying(3), b \"char\")",
            ),
            (
                "ban-money",
                "ALTER TABLE t ADD a money",
                "ALTER TABLE t ADD a numeric",
            ),
            (
                "prefer-jsonb",
                "CREATE TABLE t (a json)",
                "CREATE TABLE t (a jsonb)",
            ),
            (
                "prefer-timestamptz",
                "CREATE TABLE t (a timestamp(3) without time zone)",
                "CREATE TABLE t (a timestamp(3) with time zone, b timestamptz)",
            ),
            (
                "prefer-identity",
                "CREATE TABLE t (id serial PRIMARY KEY)",
                "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)",
            ),
            (
                "prefer-bigint",
                "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)",
                "CREATE TABLE t (id bigint PRIMARY KEY, n int)",
            ),
            ("identifier-too-long", &long, &short),
            (
                "domain-check",
                "CREATE DOMAIN d AS int CHECK (VALUE > 0)",
                "CREATE DOMAIN d AS int",
            ),
            (
                "domain-check",
                "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)",
                "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
            ),
        ],
    );
}

#[test]
fn names_and_what_goes() {
    let both = [
        (
            "drop-column",
            "ALTER TABLE t DROP a",
            "CREATE TABLE t (a int); ALTER TABLE t DROP a",
        ),
        (
            "drop-table",
            "DROP TABLE IF EXISTS t",
            "CREATE TABLE t (a text); DROP TABLE t",
        ),
        (
            "drop-view",
            "DROP VIEW v",
            "CREATE VIEW v AS SELECT 1; DROP VIEW v",
        ),
        (
            "rename-table",
            "ALTER TABLE t RENAME TO u",
            "CREATE TABLE t (a text); ALTER TABLE t RENAME TO u",
        ),
        (
            "rename-column",
            "ALTER TABLE t RENAME a TO b",
            "ALTER TABLE t ADD b int",
        ),
        (
            "update-without-where",
            "UPDATE t SET a = (SELECT b FROM c WHERE c.id = 1)",
            "UPDATE t SET a = 1 WHERE a IS NULL",
        ),
        (
            "delete-without-where",
            "DELETE FROM t",
            "CREATE TABLE t (a int REFERENCES u ON DELETE CASCADE); DELETE FROM t; DELETE FROM u WHERE true",
        ),
        (
            "transaction-nesting",
            "BEGIN; SELECT 1; COMMIT",
            "SELECT 'BEGIN; COMMIT'",
        ),
        (
            "prefer-robust",
            "-- no-transaction\nCREATE TABLE t (a bigint); DROP VIEW v",
            "CREATE TABLE t (a bigint); DROP VIEW v",
        ),
        (
            "comment-not-read",
            "SELECT 1;\n-- orm: phase=contract\nSELECT 2",
            "-- orm: phase=contract\nSELECT 1;\n-- orms are good\nSELECT 2",
        ),
    ];
    rules(Postgres, &both);
    rules(Sqlite, &both);
    rules(
        Postgres,
        &[
            (
                "delete-without-where",
                "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x WHERE a = 1",
                "WITH x AS (DELETE FROM t WHERE a = 1) SELECT 1",
            ),
            ("drop-schema", "DROP SCHEMA s", "CREATE SCHEMA s; DROP SCHEMA s"),
            ("drop-database", "DROP DATABASE d", "CREATE DATABASE d"),
            (
                "drop-sequence",
                "DROP SEQUENCE s",
                "CREATE SEQUENCE s; DROP SEQUENCE s",
            ),
            (
                "drop-domain",
                "DROP DOMAIN d",
                "CREATE DOMAIN d AS int; DROP DOMAIN d",
            ),
            (
                "drop-type",
                "DROP TYPE y",
                "CREATE TYPE y AS ENUM ('a'); DROP TYPE y",
            ),
            ("drop-extension", "DROP EXTENSION e", "CREATE EXTENSION e"),
            (
                "drop-function",
                "DROP FUNCTION f(int, text)",
                "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ DROP FUNCTION g $$",
            ),
            (
                "drop-trigger",
                "DROP TRIGGER g ON t",
                "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
            ),
            ("drop-cascade", "DROP TYPE y CASCADE", "DROP TYPE y RESTRICT"),
            (
                "row-security",
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                "CREATE TABLE t (a text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true)",
            ),
            (
                "row-security",
                "DROP POLICY p ON t",
                "CREATE TABLE t (a text); DROP POLICY p ON t",
            ),
            (
                "revoke",
                "REVOKE SELECT ON t FROM r",
                "GRANT SELECT, UPDATE ON t TO r",
            ),
            (
                "disable-trigger",
                "ALTER TABLE t DISABLE TRIGGER ALL",
                "ALTER TABLE t ENABLE TRIGGER ALL",
            ),
            (
                "partition-detach",
                "ALTER TABLE t DETACH PARTITION p",
                "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            ),
            (
                "rename-enum-label",
                "ALTER TYPE y RENAME VALUE 'a' TO 'b'",
                "ALTER TYPE y ADD VALUE 'b'",
            ),
            (
                "rename-type",
                "ALTER TYPE y RENAME TO z",
                "CREATE TYPE y AS ENUM ('a'); ALTER TYPE y RENAME TO z",
            ),
            (
                "rename-schema",
                "ALTER SCHEMA s RENAME TO z",
                "ALTER SCHEMA s OWNER TO r",
            ),
            (
                "rename-object",
                "ALTER VIEW v RENAME TO w",
                "ALTER VIEW v OWNER TO r",
            ),
            (
                "truncate",
                "TRUNCATE TABLE t, u",
                "CREATE TABLE t (a text); TRUNCATE t",
            ),
            ("truncate-cascade", "TRUNCATE t CASCADE", "TRUNCATE t"),
            ("vacuum-full", "VACUUM (FULL) t", "VACUUM t"),
            ("cluster", "CLUSTER t USING i", "SELECT 1"),
            (
                "set-tablespace",
                "ALTER TABLE t SET TABLESPACE s",
                "ALTER TABLE t SET (fillfactor = 90)",
            ),
            (
                "set-logged",
                "ALTER TABLE t SET UNLOGGED",
                "CREATE TABLE t (a text); ALTER TABLE t SET UNLOGGED",
            ),
            (
                "lock-table",
                "LOCK TABLE t IN SHARE MODE",
                "CREATE TABLE t (a text); LOCK TABLE t",
            ),
            (
                "refresh-not-concurrent",
                "REFRESH MATERIALIZED VIEW v",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            ),
            (
                "enum-value-used",
                "ALTER TYPE y ADD VALUE 'b'; UPDATE t SET a = 'b' WHERE a = 'c'",
                "ALTER TYPE y ADD VALUE 'b'; SELECT 'c'",
            ),
            (
                "dml-with-ddl",
                "ALTER TABLE t ADD a int; UPDATE t SET a = 1 WHERE a IS NULL",
                "CREATE TABLE t (a bigint); INSERT INTO t SELECT 1 FROM u",
            ),
            (
                "dml-with-ddl",
                "UPDATE t SET a = 1 WHERE a IS NULL; ALTER TABLE t ADD b int",
                "-- no-transaction\nUPDATE t SET a = 1 WHERE a IS NULL; ALTER TABLE t ADD b int",
            ),
            (
                "dml-with-ddl",
                "ALTER TABLE t ADD a int; INSERT INTO u SELECT 1 FROM t",
                "ALTER TABLE t ADD a int; INSERT INTO u VALUES (1)",
            ),
            (
                "many-locks",
                "ALTER TABLE a ADD x int; ALTER TABLE b ADD x int; ALTER TABLE c ADD x int; ALTER TABLE d ADD x int; ALTER TABLE e ADD x int",
                "ALTER TABLE a ADD x int; ALTER TABLE b ADD x int; ALTER TABLE c ADD x int; ALTER TABLE d ADD x int; ALTER TABLE d ADD y int",
            ),
            ("not-looked-into", "DO $$ BEGIN PERFORM 1; END $$", "SELECT 1"),
        ],
    );
}

#[test]
fn rules_of_sqlite() {
    let rebuild = "CREATE TABLE new_t (a INTEGER); INSERT INTO new_t SELECT a FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t";
    let off = format!("-- orm: foreign_keys=off\n{rebuild}");
    rules(
        Sqlite,
        &[
            (
                "foreign-keys-pragma",
                "PRAGMA foreign_keys = OFF; SELECT 1",
                "PRAGMA foreign_key_check",
            ),
            ("foreign-keys-on", rebuild, &off),
            (
                "foreign-keys-on",
                "DROP TABLE t",
                "-- orm: foreign_keys=off\nDROP TABLE t",
            ),
            ("table-rebuild", rebuild, "DROP TABLE t"),
            ("drop-table", "DROP TABLE t", rebuild),
            ("rename-table", "ALTER TABLE t RENAME TO u", rebuild),
            (
                "add-required-column",
                "ALTER TABLE t ADD a TEXT NOT NULL",
                "ALTER TABLE t ADD a TEXT NOT NULL DEFAULT ''",
            ),
            (
                "add-column-refused",
                "ALTER TABLE t ADD a TEXT UNIQUE",
                "ALTER TABLE t ADD a TEXT CHECK (a <> '')",
            ),
            (
                "add-column-refused",
                "ALTER TABLE t ADD a TEXT DEFAULT CURRENT_TIMESTAMP",
                "ALTER TABLE t ADD a TEXT DEFAULT 'now'",
            ),
            (
                "add-column-refused",
                "ALTER TABLE t ADD a INT DEFAULT 1 REFERENCES u (id)",
                "ALTER TABLE t ADD a INT REFERENCES u (id) ON DELETE SET DEFAULT",
            ),
            (
                "add-column-refused",
                "ALTER TABLE t ADD a INT AS (b + 1) STORED",
                "ALTER TABLE t ADD a INT AS (b + 1)",
            ),
        ],
    );
    // one writes at a time in any case, and triggers are not looked into
    let script = "CREATE INDEX i ON t (a); DROP INDEX j; REINDEX t; VACUUM;
        CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = 1; DELETE FROM u; END";
    assert_eq!(found(script, Sqlite), []);
    // a rebuild with references off is what the planner writes: nothing to stop it
    assert!(!found(&off, Sqlite).iter().any(Finding::stops));
}

#[test]
fn where_it_is_and_what_to_write_instead() {
    let script = "SELECT 1;\n\nALTER TABLE \"S\".t\n  ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (id);";
    let all = found(script, Postgres);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].about, "statement 2 (line 3): add constraint k on S.t");
    assert_eq!(
        all[0].instead,
        [
            "ALTER TABLE \"S\".t\n  ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (id) NOT VALID",
            "-- in a migration of its own\nALTER TABLE \"S\".t VALIDATE CONSTRAINT k",
        ]
    );
    assert_eq!(
        found("drop index s.i", Postgres)[0].instead,
        ["drop index CONCURRENTLY s.i"]
    );
    assert_eq!(
        found("REINDEX TABLE t", Postgres)[0].instead,
        ["REINDEX TABLE CONCURRENTLY t"]
    );
    assert_eq!(
        found("ALTER TABLE t ALTER \"A b\" SET NOT NULL", Postgres)[0].instead[0],
        "ALTER TABLE t ADD CONSTRAINT \"nn_A b\" CHECK (\"A b\" IS NOT NULL) NOT VALID"
    );
    // the text of a routine is not looked at, and nothing breaks on words in odd places
    for script in [
        "",
        ";",
        "DROP",
        "ALTER TABLE",
        "ALTER TABLE t ADD",
        "CREATE INDEX",
        "ALTER TABLE t ALTER",
        "DELETE",
        "ALTER TYPE x ADD VALUE",
        "CREATE TABLE t (",
        "UPDATE ( )",
        "REINDEX (",
        "ALTER TABLE t ADD a",
    ] {
        for backend in [Postgres, Sqlite] {
            lint_sql(script, backend, &Options::default()).unwrap();
        }
    }
    assert!(lint_sql("SELECT 'x", Postgres, &Options::default()).is_err());
}

#[test]
fn inside_a_transaction_of_the_script() {
    let severity = |script: &str, rule: &str| {
        let all = found(script, Postgres);
        all.iter().find(|f| f.rule == rule).map(|f| f.severity)
    };
    let concurrently = "CREATE INDEX CONCURRENTLY i ON t (a); SELECT 1";
    let rule = "concurrently-in-transaction";
    assert_eq!(severity(concurrently, rule), Some(Severity::Info));
    assert_eq!(
        severity(&format!("BEGIN; {concurrently}; COMMIT"), rule),
        Some(Severity::Error)
    );
    assert_eq!(severity("CREATE INDEX CONCURRENTLY i ON t (a)", rule), None);
    let used = "ALTER TYPE y ADD VALUE 'b'; INSERT INTO t VALUES ('b')";
    assert_eq!(severity(used, "enum-value-used"), Some(Severity::Info));
    assert_eq!(
        severity(&format!("BEGIN; {used}; COMMIT"), "enum-value-used"),
        Some(Severity::Error)
    );
}

#[test]
fn what_is_allowed_says_why() {
    let allowed = |script: &str| -> Vec<(&'static str, Option<String>)> {
        let all = found(script, Postgres);
        all.into_iter().map(|f| (f.rule, f.allowed)).collect()
    };
    let why = Some("unread".to_owned());
    // above the first statement it is not of the header
    assert_eq!(
        allowed(
            "-- orm: phase=contract\n-- orm: allow=drop-column, why=\"unread\"\nALTER TABLE t DROP a; DROP TYPE y"
        ),
        [("drop-column", why.clone()), ("drop-type", None)]
    );
    // behind the statement, on its line
    assert_eq!(
        allowed(
            "DROP TYPE x; -- orm: allow=drop-type, why=unread\nDROP TYPE y; /* -- orm: allow=drop-type */"
        ),
        [("drop-type", why.clone()), ("drop-type", None)]
    );
    assert_eq!(
        allowed("-- orm: allow=\"drop-column:t.a\", why=unread\nALTER TABLE t DROP a, DROP b"),
        [("drop-column", why.clone()), ("drop-column", None)]
    );
    assert_eq!(
        allowed("SELECT 1;\n-- orm: allow=drop-type\nDROP TYPE x"),
        [("drop-type", None), ("allow-without-reason", None)]
    );
    assert_eq!(
        allowed("-- orm: allow=drop-type, why=\" \"\nDROP TYPE x"),
        [("drop-type", None), ("allow-without-reason", None)]
    );
    assert_eq!(
        allowed("-- orm: allow=drop-tpye, why=unread\nDROP TYPE x"),
        [("drop-type", None), ("allow-unused", None)]
    );
    let options = Options {
        allow: vec![("drop-type:x".into(), "unread".into())],
        ..Options::default()
    };
    let all = lint_sql("DROP TYPE x, y", Postgres, &options).unwrap();
    assert_eq!((all[0].allowed.clone(), all[1].allowed.clone()), (why, None));
    // the rest of a header has a line of its own
    assert!(
        lint_sql(
            "-- orm: allow=a, phase=contract\nSELECT 1",
            Postgres,
            &Options::default()
        )
        .is_err()
    );
}

#[test]
fn an_allowance_is_no_key_of_the_header() {
    let text =
        "-- orm: why=header\n-- orm: allow=drop-type, why=\"statement\"\n-- orm: phase=contract\nDROP TYPE x";
    let header = orm_migrate::Header::read(text).unwrap();
    assert_eq!(header.why.as_deref(), Some("header"));
    assert_eq!(header.phase, Some(orm_migrate::Phase::Contract));
}

#[test]
fn no_script_makes_it_panic() {
    const WORDS: [&str; 40] = [
        "ALTER",
        "TABLE",
        "t",
        "ADD",
        "COLUMN",
        "CONSTRAINT",
        "CHECK",
        "(",
        ")",
        ",",
        "DROP",
        "CREATE",
        "INDEX",
        "ON",
        "UNIQUE",
        "NOT",
        "NULL",
        "DEFAULT",
        "REINDEX",
        "TYPE",
        "VALUE",
        "'ä'",
        "\"ä\"",
        ".",
        ";",
        "RENAME",
        "TO",
        "SET",
        "VALIDATE",
        "BEGIN",
        "COMMIT",
        "UPDATE",
        "DELETE",
        "FROM",
        "OR",
        "TRUNCATE",
        "PRAGMA",
        "-- orm: allow=a\n",
        "IF",
        "EXISTS",
    ];
    let mut seed = 7u64;
    let mut dice = |sides: usize| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as usize % sides
    };
    for _ in 0..20_000 {
        let length = 1 + dice(14);
        let script: Vec<&str> = (0..length).map(|_| WORDS[dice(WORDS.len())]).collect();
        let script = script.join(" ");
        for backend in [Postgres, Sqlite] {
            let _ = lint_sql(&script, backend, &Options::default());
        }
    }
}

//! Running migrations and looking at how they stand.

use std::process::Stdio;

use serde_json::json;

use crate::support::Project;

fn with_users(project: &Project) {
    project
        .write(
            "migrations/1_users.up.sql",
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        )
        .write("migrations/1_users.down.sql", "DROP TABLE users;\n")
        .write(
            "migrations/2_nicks.up.sql",
            "ALTER TABLE users ADD COLUMN nick TEXT;\n",
        )
        .write(
            "migrations/2_nicks.down.sql",
            "ALTER TABLE users DROP COLUMN nick;\n",
        );
}

#[test]
fn there_and_back() {
    for project in Project::on_each() {
        with_users(&project);
        let check = project.orm(&["migrate", "check", "--json"]).ends(2).json();
        assert_eq!(check["pending"], json!([1, 2]));

        let plan = project.orm(&["migrate", "up", "--dry-run"]).ends(0);
        assert!(
            plan.out.contains("-- apply 1_users\nCREATE TABLE users"),
            "{}",
            plan.out
        );
        project.orm(&["migrate", "check"]).ends(2);

        let preflight = project
            .orm(&["migrate", "preflight", "--drift", "--json"])
            .ends(0)
            .json();
        assert_eq!(preflight["migrations"][0]["name"], "users");
        let up = project.orm(&["migrate", "up", "+1", "--json"]).ends(0).json();
        assert_eq!(up["ran"][0]["version"], 1);
        assert_eq!(up["ran"].as_array().unwrap().len(), 1);
        let up = project.orm(&["migrate", "up"]).ends(0);
        assert!(up.out.starts_with("applied 2_nicks, 1 statement, "), "{}", up.out);
        assert_eq!(project.orm(&["migrate", "up"]).ends(0).out, "nothing to do\n");
        assert_eq!(
            project.orm(&["migrate", "check"]).ends(0).out,
            "the database is where the files are\n"
        );

        let redo = project.orm(&["migrate", "redo", "--json"]).ends(0).json();
        let ways: Vec<_> = redo["ran"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| &r["direction"])
            .collect();
        assert_eq!(ways, ["down", "up"]);
        let down = project.orm(&["migrate", "down"]).ends(0);
        assert!(down.out.starts_with("undone  2_nicks"), "{}", down.out);
        project.orm(&["migrate", "to", "head"]).ends(0);
        project.orm(&["migrate", "to", "-2"]).ends(0);
        let plan = project
            .orm(&["migrate", "plan", "users", "--json"])
            .ends(0)
            .json();
        assert_eq!(plan["plan"][0]["name"], "users");
        let status = project.orm(&["migrate", "status", "--json"]).ends(0).json();
        let stands: Vec<_> = status["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| &m["status"])
            .collect();
        assert_eq!(stands, ["pending", "pending"]);
        let status = project.orm(&["migrate", "status"]).ends(0);
        assert_eq!(status.out, "pending   1_users\npending   2_nicks\n");
        assert!(!status.out.contains('\u{1b}'));
    }
}

#[test]
fn a_failure_shows_its_line() {
    for project in Project::on_each() {
        with_users(&project);
        project.write(
            "migrations/3_bad.up.sql",
            "-- the third\nCREATE TABLE a (id INTEGER);\n\nINSERT INTO users (id)\n  SELECT id FROM people;\n",
        );
        project.write("migrations/3_bad.down.sql", "DROP TABLE a;");
        let failed = project.orm(&["migrate", "up"]).ends(6);
        assert!(
            failed
                .err
                .starts_with("error: migration 3_bad, statement 2 (line 4): "),
            "{}",
            failed.err
        );
        let shown = " --> migrations/3_bad.up.sql:5:18\n  |\n5 |   SELECT id FROM people;\n  |                  ^^^^^^\n";
        assert!(failed.err.contains(shown), "{}", failed.err);
        assert!(failed.err.contains("\nhelp: "), "{}", failed.err);
        assert!(!failed.err.contains('\u{1b}'));

        let failed = project.orm(&["migrate", "up", "--json"]).ends(6).json();
        assert_eq!(failed["error"]["kind"], "failed");
        assert_eq!(
            failed["error"]["place"],
            json!({ "file": "migrations/3_bad.up.sql", "line": 4 })
        );
        project.write("migrations/3_bad.up.sql", "CREATE TABLE a (id INTEGER);");
        project.orm(&["migrate", "up"]).ends(0);
    }
}

#[test]
fn nothing_is_lost_without_agreement() {
    for project in Project::on_each() {
        with_users(&project);
        project.orm(&["migrate", "up"]).ends(0);
        project.write(
            "migrations/3_no_names.up.sql",
            "-- orm: loses=\"column users.name\"\nALTER TABLE users DROP COLUMN name;\n",
        );
        project.write(
            "migrations/3_no_names.down.sql",
            "ALTER TABLE users ADD COLUMN name TEXT;\n",
        );
        let plan = project.orm(&["migrate", "plan", "--json"]).ends(0).json();
        let digest = plan["plan"][0]["needs_acknowledgement"]
            .as_str()
            .unwrap()
            .to_owned();
        let refused = project.orm(&["migrate", "up"]).ends(4);
        let flag = format!("--allow-destructive={digest}");
        assert!(
            refused.err.contains(&format!("help: to agree: `{flag}`")),
            "{}",
            refused.err
        );
        project
            .orm(&["migrate", "up", "--allow-destructive=0123456789ab"])
            .ends(4);
        project.orm(&["migrate", "up", &flag]).ends(0);
    }
}

#[test]
fn edited_files_and_repairs() {
    for project in Project::on_each() {
        with_users(&project);
        project.orm(&["migrate", "up"]).ends(0);
        project.write(
            "migrations/2_nicks.up.sql",
            "ALTER TABLE users ADD COLUMN nick VARCHAR(9);\n",
        );
        let check = project.orm(&["migrate", "check", "--json"]).ends(3).json();
        assert_eq!(check["edited"], json!([2]));
        assert!(
            project
                .orm(&["migrate", "status"])
                .ends(0)
                .out
                .contains("changed since")
        );
        project.orm(&["migrate", "up"]).ends(3);
        let mended = project
            .orm(&["migrate", "repair", "--checksums", "--json"])
            .ends(0)
            .json();
        assert_eq!(mended["changed"], json!([2]));
        project.orm(&["migrate", "check"]).ends(0);
        project.orm(&["migrate", "repair"]).ends(1);
        project.orm(&["migrate", "repair", "--applied", "7"]).ends(1);
    }
}

#[test]
fn a_history_is_written_and_taken_over() {
    for project in Project::on_each() {
        with_users(&project);
        let stamped = project.orm(&["migrate", "stamp", "users"]).ends(0);
        assert!(stamped.out.contains("applied up to users"), "{}", stamped.out);
        let check = project.orm(&["migrate", "check", "--json"]).ends(2).json();
        assert_eq!(check["pending"], json!([2]));
        let adopted = project.orm(&["migrate", "adopt"]).ends(1);
        assert!(adopted.err.contains("has rows already"), "{}", adopted.err);
        project.orm(&["migrate", "stamp", "base", "--purge"]).ends(0);
        let adopted = project.orm(&["migrate", "adopt", "--json"]).ends(0).json();
        assert!(adopted["from"].is_null());
    }
}

#[test]
fn another_migrator_keeps_the_lock() {
    for project in Project::on_each() {
        let slow = match project.is_postgres() {
            true => "SELECT pg_sleep(4);",
            false => {
                "CREATE TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) \
                 SELECT count(*) AS n FROM n;"
            }
        };
        project
            .write("migrations/1_quick.sql", "CREATE TABLE a (id INTEGER);")
            .write("migrations/2_slow.sql", slow);
        let mut first = project
            .command(&["migrate", "up"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // once the first migration is there, the lock is taken
        loop {
            let status = project.orm(&["migrate", "status", "--json"]);
            if status.code == 0 && status.json()["migrations"][0]["applied"] == true {
                break;
            }
            assert!(first.try_wait().unwrap().is_none(), "it ended before it was seen");
        }
        let waited = project.orm(&["migrate", "up", "--lock-wait", "0", "--json"]);
        assert_eq!(waited.ends(5).json()["error"]["kind"], "lock_timeout");
        assert!(first.wait().unwrap().success());
    }
}

#[test]
fn files_without_a_database() {
    let mut project = Project::at("");
    project.url = String::new();
    with_users(&project);
    project.write(
        "migrations/3_people.up.sql",
        "-- orm: parent=1, why=\"names\", phase=expand\nCREATE TABLE people (id INTEGER);",
    );
    let heads = project.orm(&["migrate", "heads"]).ends(0);
    assert_eq!(heads.out, "2_nicks\n3_people\n");
    assert_eq!(
        project.orm(&["migrate", "heads", "--json"]).ends(0).json()["heads"],
        json!([2, 3])
    );
    let history = project.orm(&["migrate", "history"]).ends(0);
    assert_eq!(
        history.out,
        "1_users\n2_nicks  (head)\n3_people  (head, expand)  names\n"
    );
    let unsaid = project.orm(&["migrate", "sql"]).ends(1);
    assert!(unsaid.err.contains("--backend"), "{}", unsaid.err);

    for backend in ["postgres", "sqlite"] {
        let sql = project
            .orm(&["migrate", "sql", "users:2", "--backend", backend])
            .ends(0);
        assert!(sql.out.contains("BEGIN;\n") && sql.out.contains("ALTER TABLE users ADD COLUMN nick TEXT;"));
        assert!(sql.out.contains("INSERT INTO orm_migrations") && !sql.out.contains("CREATE TABLE users"));
        let sql = project
            .orm(&["migrate", "sql", "2:base", "--backend", backend, "--json"])
            .ends(0)
            .json();
        assert!(sql["sql"].as_str().unwrap().contains("DROP TABLE users;"));

        let lint = project
            .orm(&["migrate", "lint", "--backend", backend, "--json"])
            .ends(4)
            .json();
        assert_eq!(lint["files"].as_array().unwrap().len(), 3);
        assert_eq!(lint["whole"][0]["rule"], "several-heads");
        project.write("drop.sql", "ALTER TABLE users DROP COLUMN name;\n");
        let lint = project
            .orm(&["migrate", "lint", "--backend", backend, "drop.sql"])
            .ends(4);
        assert!(
            lint.out
                .contains("error drop-column: statement 1 (line 1): drop column users.name"),
            "{}",
            lint.out
        );
        let allow = "drop-column=nobody reads it";
        project
            .orm(&[
                "migrate",
                "lint",
                "--backend",
                backend,
                "drop.sql",
                "--allow",
                allow,
            ])
            .ends(0);
    }
}

#[test]
fn a_merge_joins_heads() {
    for project in Project::on_each() {
        with_users(&project);
        project.write(
            "migrations/3_people.up.sql",
            "-- orm: parent=1\nCREATE TABLE people (id INTEGER);",
        );
        project.orm(&["migrate", "up"]).ends(1);
        let merged = project.orm(&["migrate", "merge", "--json"]).ends(0).json();
        assert_eq!(merged["heads"], json!([2, 3]));
        let file = merged["written"][0].as_str().unwrap();
        assert!(
            project.read(file).contains("parent=2+3"),
            "{}",
            project.read(file)
        );
        let up = project.orm(&["migrate", "up", "--json"]).ends(0).json();
        assert_eq!(up["ran"].as_array().unwrap().len(), 4);
        assert!(
            project
                .orm(&["migrate", "merge"])
                .ends(0)
                .out
                .contains("one head")
        );
    }
}

#[test]
fn many_become_one() {
    for project in Project::on_each() {
        with_users(&project);
        let squashed = project
            .orm(&["migrate", "squash", "1..2", "all users", "--json"])
            .ends(0)
            .json();
        assert_eq!(squashed["replaces"], json!([1, 2]));
        assert_eq!(squashed["written"][0], "migrations/3_all_users.up.sql");
        let up = project.orm(&["migrate", "up", "--json"]).ends(0).json();
        assert_eq!(up["ran"][0]["version"], 3);
        assert_eq!(up["ran"].as_array().unwrap().len(), 1);
        let gone = project
            .orm(&["migrate", "squash", "--drop-replaced", "3"])
            .ends(0);
        assert!(
            gone.out.contains("removed migrations/1_users.up.sql\n"),
            "{}",
            gone.out
        );
        project.orm(&["migrate", "check"]).ends(0);
        project.orm(&["migrate", "squash"]).ends(1);
        project.orm(&["migrate", "squash", "1..nothing"]).ends(1);
    }
}

#[test]
fn a_branch_goes_behind_the_other() {
    let project = Project::at("sqlite:none.db");
    with_users(&project);
    project.write(
        "migrations/3_people.up.sql",
        "-- orm: parent=1\nCREATE TABLE people (id INTEGER);",
    );
    project.write("migrations/3_people.down.sql", "DROP TABLE people;");
    let moved = project.orm(&["migrate", "rebase", "2", "--json"]).ends(0).json();
    assert_eq!(moved["from"], 2);
    let heads = project.orm(&["migrate", "heads", "--json"]).ends(0).json();
    assert_eq!(heads["heads"], json!([moved["to"]]));
}

#[test]
fn what_is_not_understood_is_usage() {
    let project = Project::at("sqlite:none.db");
    project.orm(&["migrate"]).ends(1);
    project.orm(&["migrate", "upp"]).ends(1);
    project.orm(&["--help"]).ends(0);
    project.orm(&["migrate", "up", "--help"]).ends(0);
    project.orm(&["--version"]).ends(0);
    // looking makes no file
    let missing = project.orm(&["migrate", "status"]).ends(1);
    assert!(
        missing.err.contains("`cargo orm db create` makes it"),
        "{}",
        missing.err
    );
    assert!(!project.folder.join("none.db").exists());
    for shell in ["bash", "zsh", "fish"] {
        let script = project.orm(&["completions", shell]).ends(0).out;
        assert!(
            script.contains("cargo-orm") && script.contains("migrate"),
            "{shell}"
        );
    }
}

#[test]
fn where_the_database_is_said() {
    let [mut project, _] = Project::on_each();
    let url = std::mem::take(&mut project.url);
    let from = |project: &Project, args: &[&str]| {
        let all = [args, &["doctor", "--json"]].concat();
        let doctor = project.orm(&all).json();
        let lines = doctor["checks"].as_array().unwrap().clone();
        let line = lines.into_iter().find(|c| c["what"] == "database").unwrap();
        line["found"].as_str().unwrap().to_owned()
    };
    assert_eq!(from(&project, &[]), "none is named");
    let unsaid = project.orm(&["migrate", "status"]).ends(1);
    assert!(unsaid.err.contains("`--database-url`"), "{}", unsaid.err);
    project.write(
        "orm.toml",
        &format!("database-url = \"{url}\"\ndir = \"db/steps\"\n"),
    );
    assert!(from(&project, &[]).ends_with("(from orm.toml)"));
    project.write(".env", &format!("# ours\nOTHER=1\nDATABASE_URL=\"{url}\"\n"));
    assert!(from(&project, &[]).ends_with("(from .env)"));
    assert!(from(&project, &["--no-env-file"]).ends_with("(from orm.toml)"));
    assert!(from(&project, &["--database-url", &url]).ends_with("(from --database-url)"));

    project.write("db/steps/1_users.sql", "CREATE TABLE users (id INTEGER);");
    project.orm(&["migrate", "up"]).ends(0);
    assert_eq!(
        project.orm(&["migrate", "heads", "--dir", "nowhere"]).ends(0).out,
        "no migrations\n"
    );
    project.url = url;
    assert!(from(&project, &[]).ends_with("(from DATABASE_URL)"));

    project.write("orm.toml", "dirr = \"x\"\n");
    let wrong = project.orm(&["migrate", "heads"]).ends(1);
    assert!(
        wrong.err.contains("orm.toml`, line 1: unknown field `dirr`"),
        "{}",
        wrong.err
    );
}

#[test]
fn scripts_are_formatted_after_they_are_written() {
    let project = Project::at("sqlite:none.db");
    project.write(
        "orm.toml",
        "[new]\nafter-write = [[\"sed\", \"-i\", \"s/the way there/SELECT 1;/;s/^-- SELECT/SELECT/\"]]\n",
    );
    let made = project
        .orm(&["migrate", "new", "by hand", "--empty", "--json"])
        .ends(0)
        .json();
    let script = project.read(made["written"][0].as_str().unwrap());
    assert!(script.contains("\nSELECT 1;\n"), "{script}");
    // the digests are those of what stands there now
    project.orm(&["migrate", "sql"]).ends(0);
    project.write("orm.toml", "[new]\nafter-write = [[\"false\"]]\n");
    let failed = project.orm(&["migrate", "new", "again", "--empty"]).ends(1);
    assert!(failed.err.contains("then `false` failed"), "{}", failed.err);
}

#[test]
fn a_change_of_rows_is_a_file_of_rust() {
    use orm::migrate::schema::{Column, Key, Name, Schema, Table};
    let project = Project::at("sqlite:none.db");
    let without = project.orm(&["migrate", "new", "fill", "--data"]).ends(1);
    assert!(
        without.err.contains("no migration has a snapshot"),
        "{}",
        without.err
    );
    let column = |name: &str, ty: &str| Column {
        name: name.into(),
        ty: ty.into(),
        ..Column::default()
    };
    let users = Table {
        name: Name::new("users"),
        columns: vec![column("id", "INTEGER"), column("name", "TEXT")],
        primary_key: Some(Key {
            columns: vec!["id".into()],
            ..Key::default()
        }),
        options: "STRICT".into(),
        ..Table::default()
    };
    let schema = Schema {
        tables: vec![users],
        ..Schema::default()
    };
    project.write(
        "migrations/1_users.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;\n",
    );
    project.write(
        "migrations/1_users.snap.json",
        &orm::migrate::snapshot::write(&schema, "sqlite"),
    );
    let new = [
        "migrate",
        "new",
        "lower names",
        "--data",
        "--tables",
        "users",
        "--phase",
        "expand",
        "--json",
    ];
    let made = project.orm(&new).ends(0).json();
    let file = made["written"][0].as_str().unwrap();
    assert!(file.ends_with("_lower_names.rs"), "{file}");
    let source = project.read(file);
    assert!(
        source.contains("rows: Vec<frozen::User>") && source.contains("Phase::Expand"),
        "{source}"
    );
    let shown = project
        .orm(&["migrate", "new", "all", "--data", "--dry-run"])
        .ends(0);
    assert!(shown.out.contains("async fn up(tx: &mut Tx)"), "{}", shown.out);
    // it is no script
    assert_eq!(project.orm(&["migrate", "heads"]).ends(0).out, "1_users\n");
    let lost = project
        .orm(&["migrate", "new", "x", "--data", "--tables", "nobody"])
        .ends(1);
    assert!(
        lost.err.contains("the last snapshot has no table nobody"),
        "{}",
        lost.err
    );
    project.orm(&["migrate", "new", "x", "--data", "--empty"]).ends(1);
}

/// The verbs of a help text.
fn verbs(help: &str) -> Vec<String> {
    let commands = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let lines = commands.lines().take_while(|l| l.starts_with("  "));
    let words = lines.filter_map(|l| l.split_whitespace().next());
    words.filter(|w| *w != "help").map(str::to_owned).collect()
}

#[test]
fn every_verb_is_in_the_guide() {
    let project = Project::at("sqlite:none.db");
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/19-command-line.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let rows: Vec<&str> = guide.lines().filter(|l| l.starts_with("| `")).collect();
    let mut count = 0;
    for verb in verbs(&project.orm(&["--help"]).ends(0).out) {
        let below = verbs(&project.orm(&[&verb, "--help"]).ends(0).out);
        for name in if below.is_empty() {
            vec![verb.clone()]
        } else {
            below
        } {
            count += 1;
            let listed = rows.iter().any(|row| {
                let cell = row.split('|').nth(1).unwrap();
                let has =
                    |text: &str| cell.contains(&format!("`{text}`")) || cell.contains(&format!("`{text} "));
                row.contains(&format!("`{verb}")) && (has(&name) || has(&format!("{verb} {name}")))
            });
            assert!(
                listed,
                "`{verb} {name}` has no row in docs/guide/19-command-line.md"
            );
        }
    }
    assert!(count > 30, "{count}");
}

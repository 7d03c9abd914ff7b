//! The database itself.

use crate::support::{Project, Ran};

#[test]
fn made_and_dropped() {
    for project in Project::without_databases() {
        let made = project.orm(&["db", "create"]).ends(0);
        assert!(made.out.starts_with("made "), "{}", made.out);
        let again = project.orm(&["db", "create", "--json"]).ends(0).json();
        assert_eq!(again["created"], false);

        let refused = project.orm(&["db", "drop"]).ends(1);
        assert!(refused.err.contains("answer with `--yes`"), "{}", refused.err);
        let refused = project.orm(&["db", "drop", "--json"]).ends(1).json();
        assert_eq!(refused["error"]["kind"], "needs_decision");

        project.orm(&["db", "drop", "--yes"]).ends(0);
        let again = project.orm(&["db", "drop", "--yes", "--json"]).ends(0).json();
        assert_eq!(again["dropped"], false);
    }
}

#[test]
fn made_anew_with_all_migrations() {
    for project in Project::without_databases() {
        project.write("migrations/1_users.up.sql", "CREATE TABLE users (id INTEGER);");
        let anew = project.orm(&["db", "reset", "--yes"]).ends(0);
        assert!(anew.out.contains("1 migration applied"), "{}", anew.out);
        let anew = project.orm(&["db", "reset", "--yes", "--json"]).ends(0).json();
        assert_eq!(anew["ran"], serde_json::json!([1]));

        // files that are not usable cost no database
        project.write("migrations/1_users.down.sql", "");
        project.orm(&["db", "reset", "--yes"]).ends(1);
        let status = std::fs::remove_file(project.folder.join("migrations/1_users.down.sql"));
        status.unwrap();
        let status = project.orm(&["migrate", "status", "--json"]).ends(0).json();
        assert_eq!(status["migrations"][0]["status"], "applied");
        project.orm(&["db", "drop", "--yes"]).ends(0);
    }
}

#[test]
fn the_clients_of_the_databases() {
    for project in Project::on_each() {
        let client = if project.is_postgres() { "psql" } else { "sqlite3" };
        let without = std::process::Command::new(client)
            .arg("--version")
            .output()
            .is_err();
        let ran: Ran = project.orm(&["db", "shell", "--command", "SELECT 40 + 2 AS answer"]);
        match without {
            true => {
                let said = ran.ends(1).err;
                assert!(said.contains(&format!("install `{client}`")), "{said}");
            }
            false => assert!(ran.ends(0).out.contains("42")),
        }
    }
}

#[test]
fn no_password_comes_out() {
    let project = Project::at("postgres://ann:s3cret@127.0.0.1:1/app?application_name=t0ken");
    for args in [
        &["db", "create"][..],
        &["db", "drop"],
        &["db", "create", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["migrate", "up"],
        &["migrate", "status", "--json"],
        &["dump", "--url", "postgres://bob:s3cret@127.0.0.1:1/app"],
        &["db", "create", "postgres://bob:s3cret@127.0.0.1:1/app"],
        &["--database-url", "s3cret://x", "db", "create"],
        &["diff", "mysql://bob:s3cret@h/app", "last"],
    ] {
        let ran = project.orm(args);
        assert_ne!(ran.code, 0, "{args:?}");
        assert!(!format!("{ran:?}").contains("s3cret"), "{args:?}\n{ran:?}");
        assert!(!format!("{ran:?}").contains("t0ken"), "{args:?}\n{ran:?}");
    }
    project.write(".env", "DATABASE_URL=postgres://bob:s3cret@h/a b c\n");
    project.write("orm.toml", "database-url = \"postgres://bob:s3cret@h\"\nno = 1\n");
    let ran = project.orm(&["migrate", "heads"]).ends(1);
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
}

#[test]
fn rows_go_to_another_database() {
    let [old, new] = Project::on_each();
    old.write(
        "migrations/1_users.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, age INTEGER);\nINSERT INTO users VALUES (1, 30), (2, 'old');",
    );
    old.orm(&["migrate", "up"]).ends(0);
    let from = ["transfer", "--from", &old.url, "--only", "users", "--json"];
    let dry = new.orm(&[&from[..], &["--dry-run"]].concat());
    assert_eq!(dry.json()["dry_run"], true);
    let rule = ["--rule", "users.age: integer", "--rejects", "rejects.jsonl"];
    let report = new.orm(&[&from[..], &rule].concat()).ends(4).json();
    assert_eq!(report["tables"][0]["written"], 1);
    assert_eq!(report["tables"][0]["rejected"], 1);
    assert_eq!(new.read("rejects.jsonl").lines().count(), 1);
    new.orm(&["transfer", "--forget"]).ends(0);
    new.orm(&["transfer"]).ends(1);
    new.orm(&["transfer", "--from", "sqlite:none.db"]).ends(1);
}

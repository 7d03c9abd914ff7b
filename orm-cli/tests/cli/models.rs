//! Verbs that need the models of a package, and those that read schemas from elsewhere.

use serde_json::json;

use crate::support::Project;

const SHOP: &str = "\
use orm::prelude::*;

/// Who buys.
#[derive(Model, Clone, Debug)]
#[has_many(orders: Order)]
pub struct Customer {
    pub id: Id<Customer>,
    #[orm(unique)]
    pub email: String,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
pub struct Order {
    pub id: Id<Order>,
    #[belongs_to(customer: Customer)]
    pub customer_id: Id<Customer>,
    pub total: i64,
}

pub fn schema() -> orm::Schema {
    orm::schema![Customer, Order]
}
";

/// On SQLite, in a folder that other tests do not use.
fn shop(name: &str, library: &str) -> Project {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let url = format!("sqlite:{}", folder.join(format!("{name}.db")).display());
    let project = Project::package(name, library, &url);
    project.orm(&["db", "drop", "--yes"]).ends(0);
    project.orm(&["db", "create"]).ends(0);
    project
}

#[test]
fn migrations_and_papers_of_models() {
    let project = shop("shop", SHOP);
    let made = project
        .orm(&["migrate", "new", "first", "--why", "a shop", "--json"])
        .ends(0)
        .json();
    assert_eq!(made["changes"][1], "create table orders");
    let files = made["written"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    let up = project.read(files[0].as_str().unwrap());
    assert!(up.starts_with("-- orm: why=\"a shop\"\n"), "{up}");
    let again = project.orm(&["migrate", "new", "again"]).ends(0);
    assert_eq!(
        again.out,
        "nothing to do: the models are what the last migration left\n"
    );
    project.orm(&["migrate", "up"]).ends(0);
    project.orm(&["migrate", "lint", "--models"]).ends(0);
    assert_eq!(
        project.orm(&["drift", "--models", "--json"]).ends(0).json()["clean"],
        true
    );

    // four sources of one schema
    project.orm(&["dump", "--out", "models.json"]).ends(0);
    project
        .orm(&["dump", "--url", &project.url, "--out", "live.json"])
        .ends(0);
    for (from, to) in [
        ("models", "last"),
        ("models.json", "models"),
        ("last", "database"),
        ("live.json", &*project.url),
    ] {
        let same = project.orm(&["diff", from, to]).ends(0);
        assert_eq!(same.out, "no difference\n", "{from} {to}");
    }
    let erd = project.orm(&["erd"]).ends(0).out;
    assert!(
        erd.starts_with("erDiagram\n") && erd.contains("customers ||--o{ orders : \"customer_id\""),
        "{erd}"
    );
    let erd = project
        .orm(&["erd", "database", "--format", "plantuml", "--tables", "orders"])
        .ends(0)
        .out;
    assert!(
        erd.starts_with("@startuml") && !erd.contains("customers"),
        "{erd}"
    );
    project.orm(&["erd", "--tables", "persons"]).ends(1);
    // comments of tables are there where the database has them
    let dictionary = project.orm(&["dictionary", "--backend", "postgres"]).ends(0).out;
    assert!(dictionary.contains("Who buys."), "{dictionary}");
    project
        .orm(&[
            "dictionary",
            "last",
            "--format",
            "html",
            "--out",
            "docs/dictionary.html",
        ])
        .ends(0);
    assert!(project.read("docs/dictionary.html").contains("<table"));
    let lint = project.orm(&["schema", "lint", "--json"]).ends(0).json();
    assert!(lint["findings"].is_array());

    let rows = project.orm(&["schema", "rows", "--json"]).ends(0).json();
    assert!(rows["checked"].as_array().unwrap().len() > 5);

    let lives = project.orm(&["evolution", "--json"]).ends(0).json();
    assert_eq!(lives["tables"][0]["table"], "customers");
    assert_eq!(lives["tables"][0]["events"][0]["why"], "a shop");
    project.orm(&["evolution", "--out", "docs/evolution.md"]).ends(0);

    // what models cannot say is kept beside them
    project.write("orm.toml", "beside = \"beside.json\"\n");
    project.orm(&["migrate", "new", "more"]).ends(1);
    project
        .orm(&["pull", "--out", "src/pulled.rs", "--beside", "beside.json"])
        .ends(0);
    let more = project.orm(&["migrate", "new", "more", "--json"]).ends(0).json();
    assert_eq!(more["changes"], json!([]));

    // what somebody did by hand
    project.write(
        "migrations/29991231000000_by_hand.sql",
        "ALTER TABLE customers ADD COLUMN nick TEXT;",
    );
    std::fs::remove_file(project.folder.join("migrations/migrations.lock")).unwrap();
    project.orm(&["migrate", "up"]).ends(0);
    let drift = project.orm(&["drift"]).ends(3);
    assert!(
        drift.out.contains("done by hand:\n  add column customers.nick\n"),
        "{}",
        drift.out
    );
    let pulled = project
        .orm(&["pull", "--out", "src/pulled.rs", "--force"])
        .ends(0);
    assert!(pulled.out.starts_with("wrote src/pulled.rs"), "{}", pulled.out);
    assert!(project.read("src/pulled.rs").contains("pub nick: Option<String>"));
    project.orm(&["pull", "--out", "src/pulled.rs"]).ends(1);
    let pulled = project
        .orm(&["pull", "--url", &project.url, "--json"])
        .ends(0)
        .json();
    assert!(pulled["source"].as_str().unwrap().contains("pub struct Customer"));

    let doctor = project.orm(&["doctor", "--json"]).ends(0).json();
    let models = &doctor["checks"][3];
    assert_eq!(models["found"], "shop::schema of package `shop`");
}

#[test]
fn a_rename_is_decided_by_a_flag_where_nobody_can_be_asked() {
    let project = shop("kiosk", SHOP);
    project.orm(&["migrate", "new", "first"]).ends(0);
    project.write(
        "src/lib.rs",
        &SHOP.replace("pub name: String", "pub full_name: String"),
    );
    let open = project.orm(&["migrate", "new", "second"]).ends(1);
    assert!(
        open.err.ends_with(
            "error: The column customers.name is gone and customers.full_name is new. Was it renamed?\n\
             help: answer with `--rename customers.name=full_name` or `--no-rename customers.name`\n"
        ),
        "{}",
        open.err
    );
    let open = project
        .orm(&["migrate", "new", "second", "--json"])
        .ends(1)
        .json();
    assert_eq!(open["error"]["kind"], "needs_decision");
    project
        .orm(&["migrate", "new", "x", "--rename", "customers.names=full_name"])
        .ends(1);

    let dry = ["migrate", "new", "second", "--dry-run", "--json"];
    let renamed = project
        .orm(&[&dry[..], &["--rename", "customers.name=full_name"]].concat())
        .ends(0)
        .json();
    assert_eq!(
        renamed["changes"],
        json!(["rename column customers.name to full_name"])
    );
    assert_eq!(renamed["written"], json!([]));
    let new = project
        .orm(&[&dry[..], &["--no-rename", "customers.name"]].concat())
        .ends(0)
        .json();
    assert!(new["up"].as_str().unwrap().contains("-- orm: loses="), "{new}");

    let made = project
        .orm(&["migrate", "new", "second", "--rename", "customers.name=full_name"])
        .ends(0);
    assert!(made.out.contains("error rename-column"), "{}", made.out);
    let lint = project.orm(&["migrate", "lint", "--json"]).ends(4).json();
    assert_eq!(lint["files"][1]["findings"][0]["rule"], "rename-column");
    // the file says why it may
    let empty = project
        .orm(&["migrate", "new", "by hand", "--empty", "--json"])
        .ends(0)
        .json();
    assert!(
        project
            .read(empty["written"][0].as_str().unwrap())
            .contains("irreversible")
    );
}

#[test]
fn code_and_functions_at_other_places() {
    let library = format!(
        "{SHOP}\npub mod db {{\n    pub use crate::schema as tables;\n\n    pub fn code() -> orm::Result<orm::migrate::Migrations> {{\n        \
         use orm::migrate::{{Backfill, Migration, Migrations}};\n        let fill = Backfill::new(\"customers\", \"id\", \
         \"name = email\");\n        Migrations::of([])?.with(Migration::backfill(29990101000000, \"fill\", fill)?)\n    }}\n}}\n"
    );
    let project = shop("stall", &library);
    let manifest = project
        .read("Cargo.toml")
        .replace("\"sqlite\", ", "\"sqlite\", \"migrate\", ");
    project.write("Cargo.toml", &manifest);
    project.write("orm.toml", "schema = \"db::tables\"\nmigrations = \"db::code\"\n");
    project.orm(&["migrate", "new", "first"]).ends(0);
    let up = project.orm(&["migrate", "up", "--json"]).ends(0).json();
    assert_eq!(up["ran"][1]["name"], "fill");
    let history = project.orm(&["migrate", "history", "--json"]).ends(0).json();
    assert_eq!(history["migrations"][1]["code"], true);
    // exit codes come through
    project.orm(&["migrate", "to", "no_such_migration"]).ends(1);
    project.write("orm.toml", "schema = \"db::tables()\"\n");
    project.orm(&["erd"]).ends(1);
}

#[test]
fn packages_without_models_are_told_what_to_do() {
    let project = Project::package("booth", "pub struct User;\n", "sqlite:none.db");
    let without = project.orm(&["erd"]).ends(1);
    assert!(
        without.err.contains("cannot find value `schema`"),
        "{}",
        without.err
    );
    assert!(
        without.err.contains("it needs `pub fn schema() -> orm::Schema"),
        "{}",
        without.err
    );

    std::fs::remove_file(project.folder.join("src/lib.rs")).unwrap();
    project.write("src/main.rs", "fn main() {}\n");
    let without = project.orm(&["erd"]).ends(1);
    assert!(
        without.err.contains("package `booth` has no library")
            && without.err.contains("move the models to src/lib.rs"),
        "{}",
        without.err
    );
    // what needs none works all the same
    project.orm(&["migrate", "heads"]).ends(0);
}

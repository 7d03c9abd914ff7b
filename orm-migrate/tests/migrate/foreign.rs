//! Schemas that nobody here wrote: read, turned into models that compile, compared, made again in an empty database.
//!
//! Zabbix' schema for PostgreSQL (GPL, so it is fetched when the test runs and never kept in the repository) comes out
//! of Debian's package; it lies under the target folder afterwards. Where it cannot be fetched, the test says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use orm::prelude::*;
use orm::testing::{fresh_postgres, fresh_sqlite};
use orm_migrate::diff::{Diff, Renames, diff};
use orm_migrate::drift::in_words_of;
use orm_migrate::introspect::introspect;
use orm_migrate::plan::plan;
use orm_migrate::pull::{self, Pulled};
use orm_migrate::schema::Schema;
use orm_migrate::{Backend, snapshot, statements};

use crate::support::{backend, exec};

#[allow(unreachable_pub)] // it is a part of an example as well
#[path = "../../../examples/chinook/models.rs"]
mod chinook;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
/// Where fetched files and the generated crate lie: under the target folder.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../foreign")
}

/// The output of a command, or why there is none.
fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command
        .output()
        .map_err(|e| format!("`{name}` cannot be run: {}", e.kind()))?;
    match done.status.success() {
        true => Ok(done.stdout),
        false => Err(format!(
            "`{name}` failed: {}",
            String::from_utf8_lossy(&done.stderr).trim()
        )),
    }
}

/// The text of the schema; the first time from a package.
fn zabbix() -> Result<String, String> {
    let kept = cache().join("zabbix-6.0-postgresql.sql");
    if let Ok(text) = std::fs::read_to_string(&kept) {
        return Ok(text);
    }
    let work = cache().join(format!("fetch-{}", std::process::id()));
    std::fs::create_dir_all(&work).map_err(|e| e.to_string())?;
    let fetched = fetch(&work);
    let text = fetched.and_then(|package| unpack(&package, &work));
    let _ = std::fs::remove_dir_all(&work);
    let text = text?;
    let beside = cache().join(format!("zabbix-{}.new", std::process::id()));
    std::fs::write(&beside, &text).map_err(|e| e.to_string())?;
    std::fs::rename(&beside, &kept).map_err(|e| e.to_string())?;
    Ok(text)
}

fn fetch(work: &Path) -> Result<PathBuf, String> {
    let apt = output(
        Command::new("apt-get")
            .args(["download", "zabbix-server-pgsql"])
            .current_dir(work),
    );
    let found = |e: &std::fs::DirEntry| e.path().extension().is_some_and(|x| x == "deb");
    let package = || {
        let mut files = std::fs::read_dir(work).ok()?.flatten();
        files.find(found).map(|e| e.path())
    };
    if let (Ok(_), Some(package)) = (&apt, package()) {
        return Ok(package);
    }
    const POOL: &str = "http://deb.debian.org/debian/pool/main/z/zabbix/";
    let get = |url: &str| {
        output(Command::new("curl").args(["-fsSL", "--max-time", "60", url]))
            .or_else(|_| output(Command::new("wget").args(["-qO-", "--timeout=60", url])))
    };
    let index = get(POOL)?;
    let index = String::from_utf8_lossy(&index);
    let name = index
        .split('"')
        .rfind(|n| n.starts_with("zabbix-server-pgsql_6.0") && n.ends_with("_amd64.deb"))
        .ok_or("the mirror has no package of version 6.0")?;
    let package = work.join("zabbix.deb");
    std::fs::write(&package, get(&format!("{POOL}{name}"))?).map_err(|e| e.to_string())?;
    Ok(package)
}

fn unpack(package: &Path, work: &Path) -> Result<String, String> {
    let dpkg = output(Command::new("dpkg-deb").arg("-x").arg(package).arg(work));
    if dpkg.is_err() {
        output(Command::new("ar").arg("x").arg(package).current_dir(work))?;
        output(Command::new("tar").args(["xf", "data.tar.xz"]).current_dir(work))?;
    }
    let packed = work.join("usr/share/zabbix-server-pgsql/schema.sql.gz");
    let text = output(Command::new("gzip").arg("-dc").arg(packed))?;
    String::from_utf8(text).map_err(|e| e.to_string())
}

async fn shape(db: &Db) -> Schema {
    let mut schema = introspect(db).await.unwrap();
    schema.grants.clear();
    schema
}

fn changes(from: &Schema, to: &Schema) -> Vec<String> {
    let mut renames = Renames::default();
    loop {
        match diff(from, to, &renames) {
            Diff::Changes(changes) => return changes.iter().map(|c| c.describe()).collect(),
            Diff::NeedsDecision(questions) => renames.denied.extend(questions),
        }
    }
}

/// Made in an empty database, it is the same.
async fn made_again(schema: &Schema, empty: &Db) {
    let plan = plan(&Schema::default(), schema, &Renames::default(), backend(empty)).unwrap();
    for statement in plan.decided().unwrap().up.statements() {
        exec(empty, statement)
            .await
            .unwrap_or_else(|e| panic!("{e}: {statement}"));
    }
    let found = shape(empty).await;
    for (found, meant) in found.tables.iter().zip(&schema.tables) {
        assert_eq!(found, meant);
    }
    assert_eq!(&found, schema);
}

/// The schemas of generated models, by a program that is compiled of them.
fn compiled(sources: &[(&str, Backend, &Pulled)]) -> Vec<Schema> {
    let folder = cache().join("models");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let root = root().canonicalize().unwrap();
    // the same settings, so that what is compiled already is taken
    let whole = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let profiles: String = whole
        .split("\n[")
        .filter(|section| section.starts_with("profile."))
        .map(|section| format!("\n[{section}"))
        .collect();
    let manifest = format!(
        "[package]\nname = \"foreign-models\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         orm = {{ path = {:?}, default-features = false, features = [\"sqlite\", \"postgres\", \"chrono\", \"uuid\", \"json\", \
         \"decimal\", \"migrate\", \"testing\"] }}\nrust_decimal = {{ version = \"1\", default-features = false, features = [\"std\"] }}\n\
         serde_json = {{ version = \"1\", default-features = false, features = [\"std\"] }}\n\
         uuid = {{ version = \"1\", default-features = false, features = [\"std\"] }}\n\
         tokio = {{ version = \"1\", default-features = false, features = [\"rt\", \"rt-multi-thread\", \"macros\", \"time\"] }}\n{profiles}",
        root
    );
    let mut main = String::from("fn main() {\n");
    for (name, backend, pulled) in sources {
        std::fs::write(folder.join(format!("src/{name}.rs")), &pulled.source).unwrap();
        main += &format!(
            "    let schema = orm::migrate::schema::Schema::of_models(&{name}::schema(), &orm::{backend}::DIALECT).unwrap();\n    \
             std::fs::write(\"{name}.json\", orm::migrate::snapshot::write(&schema, \"{backend}\")).unwrap();\n"
        );
    }
    main += "}\n";
    for (name, ..) in sources {
        main += &format!("#[allow(dead_code)]\nmod {name};\n");
    }
    std::fs::write(folder.join("src/main.rs"), main).unwrap();
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["run", "--quiet", "--offline"])
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(".."),
        )
        .current_dir(&folder);
    // the test runner's own settings are not the program's
    for (name, _) in
        std::env::vars().filter(|(n, _)| n.starts_with("CARGO_PKG") || n.starts_with("CARGO_MANIFEST"))
    {
        cargo.env_remove(name);
    }
    output(&mut cargo).unwrap_or_else(|e| panic!("the models do not compile: {e}"));
    let read = |(name, backend, _): &(&str, Backend, &Pulled)| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        snapshot::read(&text, backend.name()).unwrap()
    };
    sources.iter().map(read).collect()
}

/// What differs between a database and its pulled models, without what was said to be left out.
async fn unexplained(db: &Db, live: &Schema, models: &Schema, left_out: &[String]) -> Vec<String> {
    let (models, as_written) = in_words_of(db, models).await.unwrap();
    assert_eq!(as_written, Vec::<String>::new());
    let (live, _) = in_words_of(db, live).await.unwrap();
    // of the models' own tables, models say names of foreign keys otherwise, and add indexes to them
    let explained = |change: &String| {
        let kind = ["create index ", "rename constraint "]
            .iter()
            .any(|k| change.starts_with(k));
        let words: Vec<&str> = change.split([' ', '.', '(']).collect();
        let table = |said: &String| said.split([':', ' ']).next().is_some_and(|t| words.contains(&t));
        kind && left_out.iter().any(table)
    };
    changes(&live, &models)
        .into_iter()
        .filter(|c| !explained(c))
        .collect()
}

#[tokio::test]
async fn foreign_schemas_become_models_and_tables_again() -> orm::Result<()> {
    let shop = orm::schema![
        chinook::Artist,
        chinook::Album,
        chinook::Genre,
        chinook::MediaType,
        chinook::Track,
        chinook::Playlist,
        chinook::PlaylistTrack,
        chinook::Employee,
        chinook::Customer,
        chinook::Invoice,
        chinook::InvoiceLine
    ];
    let (lite, post) = (fresh_sqlite().await?, fresh_postgres().await?);
    lite.create_all(&shop).await?;
    post.create_all(&shop).await?;
    let mut dbs: Vec<(&str, &Db)> = vec![("chinook_sqlite", &lite), ("chinook_postgres", &post)];

    let monitor = fresh_postgres().await?;
    match zabbix() {
        Ok(text) => {
            for statement in statements(&text, Backend::Postgres)? {
                exec(&monitor, &statement.text).await?;
            }
            dbs.push(("zabbix", &monitor));
        }
        Err(why) => eprintln!("skipped: Zabbix' schema cannot be fetched: {why}"),
    }
    let mut found = Vec::new();
    for (name, db) in dbs {
        let live = shape(db).await;
        if name == "zabbix" {
            let keys: usize = live.tables.iter().map(|t| t.foreign_keys.len()).sum();
            assert!(
                live.tables.len() >= 170 && keys >= 220,
                "{} {keys}",
                live.tables.len()
            );
        }
        let empty = match backend(db) {
            Backend::Sqlite => fresh_sqlite().await?,
            Backend::Postgres => fresh_postgres().await?,
        };
        made_again(&live, &empty).await;
        found.push((name, db, pull::models(&live, backend(db)), live));
    }
    let sources: Vec<_> = found
        .iter()
        .map(|(name, db, pulled, _)| (*name, backend(db), pulled))
        .collect();
    let models = compiled(&sources);
    for ((name, db, pulled, live), models) in found.iter().zip(models) {
        let mut models = models;
        models.add(&pulled.beside);
        let differs = unexplained(db, live, &models, &pulled.left_out).await;
        assert_eq!(differs, Vec::<String>::new(), "{name}: {:#?}", pulled.left_out);
        let empty = match backend(db) {
            Backend::Sqlite => fresh_sqlite().await?,
            Backend::Postgres => fresh_postgres().await?,
        };
        let (printed, _) = in_words_of(db, &models).await?;
        made_again(&printed, &empty).await;
    }
    Ok(())
}

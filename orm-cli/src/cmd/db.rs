//! The database itself.

use orm::driver::Discard;
use orm::migrate::{Backend, Migrator};
use orm::prelude::*;
use orm::sql::{Effort, Sql};
use serde_json::json;

use crate::args::{self, Gone};
use crate::cmd::{Context, open, shell};
use crate::reply::{Reply, Stop, unusable};
use crate::url::{self, Server};

pub(crate) async fn carry_out(mut context: Context, verb: args::Db) -> Result<Reply, Stop> {
    match verb {
        args::Db::Create => {
            let made = create(context.config.url()?).await?;
            let place = url::shown(context.config.url()?);
            let said = if made { "made" } else { "there already:" };
            Ok(Reply::new(
                format!("{said} {place}"),
                json!({ "database": place, "created": made }),
            ))
        }
        args::Db::Drop(gone) => {
            let place = sure(&mut context, &gone, "drop")?;
            let dropped = drop_database(context.config.url()?, gone.force).await?;
            let said = if dropped { "dropped" } else { "not there:" };
            Ok(Reply::new(
                format!("{said} {place}"),
                json!({ "database": place, "dropped": dropped }),
            ))
        }
        args::Db::Reset(gone) => {
            let place = sure(&mut context, &gone, "drop and make anew")?;
            // what cannot be applied afterwards is no reason to drop it first
            let migrations = context.migrations()?;
            migrations.verify_chain(context.config.backend()?)?;
            let url = context.config.url()?;
            drop_database(url, gone.force).await?;
            create(url).await?;
            let db = open(url).await?;
            let report = Migrator::new(&db, migrations)?.up().await?;
            let count = report.ran.len();
            let plural = if count == 1 { "" } else { "s" };
            Ok(Reply::new(
                format!("made {place} anew, {count} migration{plural} applied"),
                json!({ "database": place, "ran": report.versions() }),
            ))
        }
        args::Db::Shell { command } => shell::shell(&context, command.as_deref()).await,
    }
}

/// Asks before everything is gone; gives back what may be shown of the URL.
fn sure(context: &mut Context, gone: &Gone, what: &str) -> Result<String, Stop> {
    let place = url::shown(context.config.url()?);
    let question = format!("{what} {place} with all that is in it?");
    if gone.yes || context.ask.yes(&question, Some(false), "`--yes`")? {
        return Ok(place);
    }
    Err(Stop::declined())
}

/// Whether it was made now.
async fn create(url: &str) -> Result<bool, Stop> {
    match url::backend(url)? {
        Backend::Sqlite => {
            let there = file_of(url)?.exists();
            if let Some(folder) = file_of(url)?.parent().filter(|f| !f.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|e| unusable(folder, &e))?;
            }
            let db = open(url).await?;
            // a file of no bytes is none that other programs know
            run(&db, "PRAGMA user_version = 0".to_owned()).await?;
            db.close().await;
            Ok(!there)
        }
        Backend::Postgres => command(url, "CREATE DATABASE", "", "42P04").await,
    }
}

/// Whether it was there.
async fn drop_database(url: &str, force: bool) -> Result<bool, Stop> {
    match url::backend(url)? {
        Backend::Sqlite => {
            let file = file_of(url)?;
            let there = file.exists();
            for ending in ["", "-wal", "-shm", "-journal", "-migrate.lock"] {
                let mut path = file.clone().into_os_string();
                path.push(ending);
                match std::fs::remove_file(&path) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(unusable(&file, &e)),
                    _ => {}
                }
            }
            Ok(there)
        }
        Backend::Postgres => {
            let end = if force { " WITH (FORCE)" } else { "" };
            command(url, "DROP DATABASE", end, "3D000").await
        }
    }
}

fn file_of(url: &str) -> Result<std::path::PathBuf, Stop> {
    url::sqlite_file(url)
        .ok_or_else(|| Stop::usage("a database in memory is made and dropped by connections"))
}

/// A command about the URL's database, sent to another database of its server. `false` when the server answers with this
/// code, which says that it is so already.
async fn command(url: &str, verb: &str, end: &str, already: &str) -> Result<bool, Stop> {
    let server = Server::of(url)?;
    let name = server.database.replace('"', "\"\"");
    let text = format!("{verb} \"{name}\"{end}");
    let other = if server.database == "postgres" {
        "template1"
    } else {
        "postgres"
    };
    let db = open(&server.url_of(other)).await?;
    let done = run(&db, text).await;
    db.close().await;
    match done {
        Ok(()) => Ok(true),
        Err(e) if e.code() == Some(already) => Ok(false),
        Err(e) if e.code() == Some("55006") => {
            Err(Stop::from(e).help("`--force` ends the other connections"))
        }
        Err(e) => Err(e.into()),
    }
}

async fn run(db: &Db, text: String) -> orm::Result<()> {
    let statement = Sql {
        text: text.into(),
        params: Vec::new(),
        columns: [].into(),
        effort: Effort::Long,
        writes: true,
        operation: "DDL",
        target: None,
        sensitive: false,
        site: None,
    };
    db.driver().run(statement, Box::new(Discard)).await.map(drop)
}

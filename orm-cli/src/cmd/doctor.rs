//! `doctor`: what the command line finds here, for when something is not found.

use std::fmt::Write as _;

use orm::migrate::{Graph, Migrator};
use orm::prelude::*;
use serde_json::json;

use crate::cmd::{Context, open};
use crate::output::Paint;
use crate::reply::{Reply, Stop};
use crate::{host, url};

/// Nothing stops it: what does not work is a line of its own.
pub(crate) async fn doctor(context: &Context) -> Result<Reply, Stop> {
    let config = &context.config;
    let mut lines: Vec<Line> = Vec::new();
    lines.push(Line::of("orm-cli", Ok(env!("CARGO_PKG_VERSION").to_owned())));
    lines.push(Line::of("project", Ok(config.root.display().to_string())));
    let settings = config.root.join("orm.toml");
    let settings = if settings.is_file() { "read" } else { "none" };
    lines.push(Line::of("orm.toml", Ok(settings.to_owned())));
    lines.push(Line::of("models", host::library(config)));
    let migrations = context.migrations();
    lines.push(Line::of(
        "migrations",
        match &migrations {
            Ok(all) => Graph::of(all).map_err(Stop::from).map(|graph| {
                let dir = config.dir.display();
                let heads = graph.heads().len();
                format!(
                    "{} in {dir}, {heads} head{}",
                    all.iter().len(),
                    if heads == 1 { "" } else { "s" }
                )
            }),
            Err(stop) => Err(Stop::usage(stop.message())),
        },
    ));
    match config.url_if_any() {
        None => lines.push(Line::of("database", Err(Stop::usage("none is named")))),
        Some(url) => {
            let said = format!("{} (from {})", url::shown(url), config.url_from);
            lines.push(Line::of("database", Ok(said)));
            let missing = url::sqlite_file(url).is_some_and(|f| !f.exists());
            let db = match missing {
                true => Err(Stop::usage("the file is not there")),
                false => open(url).await,
            };
            match (db, migrations) {
                (Ok(db), Ok(migrations)) => lines.push(Line::of("state", state(&db, migrations).await)),
                (Err(stop), _) | (_, Err(stop)) => lines.push(Line::of("state", Err(stop))),
            }
        }
    }
    let paint = Paint::stdout();
    let mut text = String::new();
    for line in &lines {
        let (mark, said) = match &line.found {
            Ok(said) => (paint.good("ok"), said.clone()),
            Err(stop) => (paint.bad("no"), stop.message().to_owned()),
        };
        _ = writeln!(text, "{mark} {:<11} {said}", line.what);
    }
    let list = lines.iter().map(|line| {
        let (ok, said) = match &line.found {
            Ok(said) => (true, said.as_str()),
            Err(stop) => (false, stop.message()),
        };
        json!({ "what": line.what, "ok": ok, "found": said })
    });
    let code = u8::from(lines.iter().any(|l| l.found.is_err()));
    Ok(Reply::new(text, json!({ "checks": list.collect::<Vec<_>>() })).ending(code))
}

struct Line {
    what: &'static str,
    found: Result<String, Stop>,
}

impl Line {
    fn of(what: &'static str, found: Result<String, Stop>) -> Self {
        Line { what, found }
    }
}

async fn state(db: &Db, migrations: orm::migrate::Migrations) -> Result<String, Stop> {
    let check = Migrator::new(db, migrations)?.check().await?;
    Ok(match check.exit_code() {
        0 => "the database is where the files are".to_owned(),
        2 => format!("{} pending", check.pending.len()),
        _ => "files and history do not agree: see `cargo orm migrate check`".to_owned(),
    })
}

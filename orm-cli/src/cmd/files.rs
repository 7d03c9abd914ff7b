//! Files of migrations, brought together: merge, rebase, squash.

use orm::migrate::squash::{drop_replaced, merge_heads, rebase, squash};
use orm::migrate::{Backend, Draft, Graph, Migrations};
use serde_json::json;

use crate::args::Squash;
use crate::cmd::Context;
use crate::config::short;
use crate::reply::{Reply, Stop};

/// One migration after several heads.
pub(crate) fn merge(context: &Context, name: &str) -> Result<Reply, Stop> {
    let backend = context.config.backend()?;
    let migrations = context.migrations()?;
    let heads = Graph::of(&migrations)?.heads();
    if heads.len() < 2 {
        let text = "nothing to do: there is one head";
        return Ok(Reply::new(text, json!({ "written": [], "heads": heads })));
    }
    let mut reply = write(context, merge_heads(&migrations, name, backend)?, backend)?;
    reply.json["heads"] = json!(heads);
    Ok(reply)
}

/// A migration that was applied nowhere yet goes behind all others.
pub(crate) fn behind(context: &Context, id: &str) -> Result<Reply, Stop> {
    let version = find(&context.config.files()?, id)?;
    let now = rebase(&context.config.dir, version, context.config.backend()?)?;
    let text = format!("{version} is {now} now, behind all others");
    Ok(Reply::new(text, json!({ "from": version, "to": now })))
}

/// One in the place of many.
pub(crate) fn squashed(context: &Context, typed: &Squash) -> Result<Reply, Stop> {
    let backend = context.config.backend()?;
    if let Some(id) = &typed.drop_replaced {
        let version = find(&context.config.files()?, id)?;
        let gone = drop_replaced(&context.config.dir, version, backend)?;
        let names: Vec<String> = gone.into_iter().map(|f| short(f).display().to_string()).collect();
        let text: String = names.iter().map(|n| format!("removed {n}\n")).collect();
        return Ok(Reply::new(text, json!({ "removed": names })));
    }
    let migrations = context.migrations()?;
    let range = typed.range.as_deref().unwrap_or_default();
    let (first, last) = range
        .split_once("..")
        .or_else(|| range.split_once(':'))
        .ok_or_else(|| Stop::usage("a range is `FIRST..LAST`, both included"))?;
    let without: Result<Vec<i64>, Stop> = typed.without.iter().map(|id| find(&migrations, id)).collect();
    let (first, last) = (find(&migrations, first)?, find(&migrations, last)?);
    let draft = squash(&migrations, first, last, &typed.name, &without?, backend)?;
    let replaces = draft.header.replaces.clone();
    let mut reply = write(context, draft, backend)?;
    reply.json["replaces"] = json!(replaces);
    reply.text.push_str(
        "the old files stay until every database is past them; `migrate squash --drop-replaced` removes them then\n",
    );
    Ok(reply)
}

fn find(migrations: &Migrations, id: &str) -> Result<i64, Stop> {
    let found = Graph::of(migrations)?.find(id, 0)?;
    found.ok_or_else(|| Stop::usage(format!("there is no migration `{id}`")))
}

fn write(context: &Context, draft: Draft, backend: Backend) -> Result<Reply, Stop> {
    let written = draft.write(&context.config.dir, backend)?;
    let names: Vec<String> = written
        .into_iter()
        .map(|f| short(f).display().to_string())
        .collect();
    let text: String = names.iter().map(|n| format!("wrote {n}\n")).collect();
    Ok(Reply::new(text, json!({ "written": names })))
}

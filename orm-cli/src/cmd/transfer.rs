//! `transfer`: the rows of one database into another.

use orm::migrate::transfer::{Rule, Transfer, forget};
use serde_json::{Value, json};

use crate::args;
use crate::cmd::{Context, open};
use crate::output::Progress;
use crate::reply::{Reply, Stop};
use crate::url;

pub(crate) async fn transfer(context: &Context, typed: &args::Transfer) -> Result<Reply, Stop> {
    let target = match &typed.to {
        Some(to) => open(to).await?,
        None => open(context.config.url()?).await?,
    };
    if typed.forget {
        forget(&target).await?;
        return Ok(Reply::new(
            "the journal of transfers is gone",
            json!({ "forgotten": true }),
        ));
    }
    let from = typed.from.as_deref().unwrap_or_default();
    if let Some(file) = url::sqlite_file(from).filter(|f| !f.exists()) {
        return Err(Stop::usage(format!("there is no database `{}`", file.display())));
    }
    let shown = Progress::start("reading");
    let bar = shown.handle();
    let mut transfer =
        Transfer::new(&open(from).await?, &target).on_progress(move |now| bar.tell(&now.to_string()));
    for rule in &typed.rule {
        transfer = transfer.rule(rule.parse::<Rule>()?);
    }
    for tables in &typed.only {
        transfer = transfer.only(tables);
    }
    for tables in &typed.except {
        transfer = transfer.except(tables);
    }
    if let Some(rows) = typed.batch {
        transfer = transfer.batch(rows);
    }
    if let Some(file) = &typed.rejects {
        transfer = transfer.rejects(file);
    }
    let report = match typed.dry_run {
        true => transfer.dry_run().await?,
        false => transfer.run().await?,
    };
    drop(shown);
    let json = serde_json::to_value(&report).unwrap_or(Value::Null);
    let code = match (report.accounts() && report.verified(), report.rejected()) {
        (false, _) => 6,
        (true, 0) => 0,
        (true, _) => 4,
    };
    Ok(Reply::new(report.to_markdown(), json).ending(code))
}

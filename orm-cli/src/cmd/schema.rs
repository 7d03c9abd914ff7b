//! Schemas read, compared and looked at.

use std::fmt::Write as _;

use orm::migrate::change::Change;
use orm::migrate::diff::Renames;
use orm::migrate::plan::{Plan, Planned, Script, plan};
use orm::migrate::schema::Schema;
use orm::migrate::{Backend, data, drift, lint, pull, snapshot};
use serde_json::{Value, json};

use crate::args;
use crate::cmd::new::{Said, answer};
use crate::cmd::{Context, docs, findings, migrate, written};
use crate::output::Paint;
use crate::reply::{Reply, Stop};

pub(crate) async fn pull(context: &Context, typed: &args::Pull) -> Result<Reply, Stop> {
    let named = typed.url.as_deref().unwrap_or("database");
    let files = [typed.out.as_deref(), typed.beside.as_deref()];
    if let Some(path) = files.into_iter().flatten().find(|p| p.exists() && !typed.force) {
        return Err(
            Stop::usage(format!("`{}` is there already", path.display())).help("`--force` writes over it")
        );
    }
    let (schema, backend) = context.schema_of(named, None).await?;
    let pulled = pull::models(&schema, backend);
    let json = json!({ "source": pulled.source, "left_out": pulled.left_out });
    if let Some(file) = &typed.beside {
        let text = snapshot::write(&pulled.beside, backend.name());
        written(text, Value::Null, Some(file))?;
    }
    let mut reply = written(pulled.source, json, typed.out.as_deref())?;
    if typed.out.is_some() {
        reply.json["left_out"] = json!(pulled.left_out);
        if !pulled.left_out.is_empty() {
            reply.text.push_str("\nmodels cannot say, or say otherwise:\n");
        }
        for what in &pulled.left_out {
            _ = writeln!(reply.text, "  {what}");
        }
    }
    Ok(reply)
}

pub(crate) async fn dump(context: &Context, typed: &args::Dump) -> Result<Reply, Stop> {
    let named = typed.url.as_deref().unwrap_or("models");
    let (schema, backend) = context.schema_of(named, None).await?;
    let text = snapshot::write(&schema, backend.name());
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    written(text, json, typed.out.as_deref())
}

pub(crate) async fn diff(context: &Context, typed: &args::Diff) -> Result<Reply, Stop> {
    let (from, to, backend) = both(context, &typed.from, &typed.to).await?;
    let mut said = Said::of(&typed.rename, &typed.no_rename)?;
    let plan = planned(&from, &to, &mut said, backend)?;
    said.all_used()?;
    let text = match typed.sql {
        true => plan.up.to_sql(),
        false => sentences(&plan),
    };
    let text = if plan.changes.is_empty() {
        "no difference\n".to_owned()
    } else {
        text
    };
    Ok(Reply::new(text, changes_json(&plan)))
}

/// Both schemas, and the database they are of. What is said without its database follows the other.
async fn both(context: &Context, from: &str, to: &str) -> Result<(Schema, Schema, Backend), Stop> {
    let loose = |named: &str| matches!(named, "models" | "last");
    let ((a, of), (b, and)) = match loose(from) && !loose(to) {
        true => {
            let second = context.schema_of(to, None).await?;
            (context.schema_of(from, Some(second.1)).await?, second)
        }
        false => {
            let first = context.schema_of(from, None).await?;
            let follows = loose(to).then_some(first.1);
            let second = context.schema_of(to, follows).await?;
            (first, second)
        }
    };
    if of != and {
        return Err(Stop::usage(format!(
            "one schema is of {of} and the other of {and}: their types cannot be compared"
        )));
    }
    Ok((a, b, of))
}

/// The plan, with what flags say about renames; what they do not say is no rename, since nothing is run here.
fn planned(from: &Schema, to: &Schema, said: &mut Said, backend: Backend) -> Result<Plan, Stop> {
    let mut told = Renames::default();
    loop {
        match plan(from, to, &told, backend)? {
            Planned::Plan(plan) => return Ok(plan),
            Planned::NeedsDecision(questions) => {
                for question in questions {
                    let yes = said.answer(&question).unwrap_or(false);
                    answer(&mut told, question, yes);
                    if yes {
                        break;
                    }
                }
            }
        }
    }
}

fn sentences(plan: &Plan) -> String {
    plan.changes
        .iter()
        .map(|c| format!("{}\n", c.describe()))
        .collect()
}

fn changes_json(plan: &Plan) -> Value {
    let changes = plan
        .changes
        .iter()
        .map(|c| json!({ "change": c.describe(), "loses": c.loses() }));
    json!({
        "changes": changes.collect::<Vec<_>>(),
        "up": plan.up.to_sql(),
        "down": plan.down.to_sql(),
    })
}

pub(crate) async fn drift(context: &Context, typed: &args::Drift) -> Result<Reply, Stop> {
    let migrator = migrate::migrator(context).await?;
    let options = drift::Options {
        leave_out: context.left_out(&typed.leave_out),
        unknown_counts: !typed.ignore_unknown,
        ..Default::default()
    };
    let models = match typed.models {
        true => Some(context.models_schema(context.config.backend()?)?),
        false => None,
    };
    let found = migrator.drift(models.as_ref(), &options).await?;
    let mut text = String::new();
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            _ = writeln!(text, "{title}:");
        }
        for line in lines {
            _ = writeln!(text, "  {line}");
        }
    };
    let words = |changes: &[Change]| changes.iter().map(Change::describe).collect();
    let sql = |script: &Script| script.to_sql().lines().map(str::to_owned).collect();
    list("done by hand", words(&found.by_hand));
    list("made by no migration", words(&found.unknown));
    list("to become what the models say", words(&found.models));
    if !found.is_clean() {
        list("to undo it", sql(&found.restore));
        list("to do it elsewhere too, as a migration", sql(&found.adopt));
    }
    list("compared as it is written", found.as_written.clone());
    list("applied without a snapshot", found.without_snapshot.clone());
    if found.is_clean() {
        text.push_str("nobody has changed anything by hand\n");
    }
    let json = serde_json::to_value(&found).unwrap_or(Value::Null);
    Ok(Reply::new(text, json).ending(found.exit_code()))
}

pub(crate) async fn lint(
    context: &Context,
    of: &str,
    allow: &[String],
    soft_delete: bool,
) -> Result<Reply, Stop> {
    let options = context.config.lint_options(allow, soft_delete)?;
    let (schema, _) = context.schema_of(of, None).await?;
    let found = lint::lint_schema(&schema, &options);
    let text = format!(
        "{}{}\n",
        findings::listed(&found, Paint::stdout()),
        findings::counted(&found)
    );
    let code = if found.iter().any(lint::Finding::stops) {
        4
    } else {
        0
    };
    Ok(Reply::new(text, json!({ "findings": found })).ending(code))
}

pub(crate) async fn rows(context: &Context, of: &str, tables: &[String]) -> Result<Reply, Stop> {
    let db = context.db().await?;
    let (schema, _) = context.schema_of(of, Some(Backend::of(&db)?)).await?;
    let options = data::Options {
        tables: docs::named(&schema, tables)?,
        ..Default::default()
    };
    let found = data::check(&db, &schema, &options).await?;
    let told = found.iter().filter(|c| c.is_broken() || c.unknown.is_some());
    let mut text: String = told.map(|c| format!("{c}\n")).collect();
    let broken = found.iter().filter(|c| c.is_broken()).count();
    _ = writeln!(text, "{} constraints looked at, {broken} broken", found.len());
    let code = if broken > 0 { 4 } else { 0 };
    Ok(Reply::new(text, json!({ "checked": found })).ending(code))
}

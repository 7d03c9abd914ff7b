//! `migrate lint`: what scripts would do to a database in use, and how a folder of them hangs together.

use std::fmt::Write as _;

use orm::migrate::lint::{self, Finding};
use orm::migrate::{Graph, Migrations};
use serde_json::{Value, json};

use crate::args;
use crate::cmd::{Context, findings};
use crate::output::Paint;
use crate::reply::{Reply, Stop, unusable};

pub(crate) fn lint(context: &Context, typed: &args::Lint) -> Result<Reply, Stop> {
    match typed.files.is_empty() {
        true => folder(context, typed),
        false => files(context, typed),
    }
}

/// Scripts that need not be migrations.
fn files(context: &Context, typed: &args::Lint) -> Result<Reply, Stop> {
    let backend = context.config.backend()?;
    let options = context.config.lint_options(&typed.allow, false)?;
    let mut groups = Vec::new();
    for path in &typed.files {
        let text = std::fs::read_to_string(path).map_err(|e| unusable(path, &e))?;
        let name = path.display().to_string();
        let found = lint::lint_sql(&text, backend, &options)
            .map_err(|e| Stop::usage(format!("{name}: {}", e.message())))?;
        groups.push((name, found));
    }
    let list = groups
        .iter()
        .map(|(name, found)| json!({ "file": name, "findings": found }));
    let json = json!({ "files": list.collect::<Vec<_>>() });
    Ok(reply(groups, json))
}

/// All migrations, each by itself and all of them together.
fn folder(context: &Context, typed: &args::Lint) -> Result<Reply, Stop> {
    let backend = context.config.backend()?;
    let migrations = context.migrations()?;
    let mut options = context.config.lint_options(&typed.allow, false)?;
    if let Some(after) = &typed.after {
        options.after = Graph::of(&migrations)?.find(after, 0)?;
    }
    let models = match typed.models {
        true => Some(context.models_schema(backend)?),
        false => None,
    };
    let found = lint::folder(&migrations, models.as_ref(), backend, &options)?;
    let mut json = serde_json::to_value(&found).unwrap_or(Value::Null);
    let mut groups: Vec<(String, Vec<Finding>)> =
        found.files.into_iter().map(|f| (f.file, f.findings)).collect();
    groups.push(("all together".to_owned(), found.whole));
    if let Some(base) = &typed.base {
        let theirs = Migrations::read(base)?;
        let found = lint::against(&theirs, &migrations, backend, &options)?;
        json["against"] = json!(found);
        groups.push((format!("against {}", base.display()), found));
    }
    Ok(reply(groups, json))
}

fn reply(groups: Vec<(String, Vec<Finding>)>, json: Value) -> Reply {
    let mut text = String::new();
    let mut all = Vec::new();
    for (name, found) in groups {
        if !found.is_empty() {
            _ = writeln!(text, "{name}\n{}", findings::listed(&found, Paint::stdout()));
        }
        all.extend(found);
    }
    _ = writeln!(text, "{}", findings::counted(&all));
    let code = if all.iter().any(Finding::stops) { 4 } else { 0 };
    Reply::new(text, json).ending(code)
}

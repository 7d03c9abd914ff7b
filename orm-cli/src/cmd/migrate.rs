//! Running migrations, and looking at how they stand.

use std::fmt::Write as _;
use std::time::Duration;

use orm::migrate::{
    self, Direction, Failure, Graph, Kind, Limits, Migration, Migrations, Migrator, Outcome, Report,
};
use serde_json::{Value, json};

use crate::args::{self, Migrate, Rows, Run};
use crate::cmd::{Context, files, lint, open};
use crate::output::{Paint, Progress, named};
use crate::reply::{Place, Reply, Stop};

pub(crate) async fn carry_out(mut context: Context, verb: Migrate) -> Result<Reply, Stop> {
    match verb {
        Migrate::New(new) => crate::cmd::new::new(context, &new),
        Migrate::Up(up) => {
            let going = match up.target.as_str() {
                "head" => Going::Head,
                target => Going::Up(target.to_owned()),
            };
            let more = |mut migrator: Migrator| {
                if let Some(phase) = up.phase {
                    migrator = migrator.phase(phase.into());
                }
                if let Some(kind) = up.kind {
                    migrator = migrator.kind(kind.into());
                }
                migrator.allow_out_of_order(up.out_of_order)
            };
            run(&mut context, &up.run, going, more).await
        }
        Migrate::Down(down) => run(&mut context, &down.run, Going::Down(down.target), |m| m).await,
        Migrate::To(to) => run(&mut context, &to.run, Going::To(to.target), |m| m).await,
        Migrate::Redo(redo) => run(&mut context, &redo, Going::Redo, |m| m).await,
        Migrate::Status => status(&context).await,
        Migrate::Plan(plan) => planned(&migrator(&context).await?, &plan.target).await,
        Migrate::Preflight(typed) => preflight(&context, &typed).await,
        Migrate::Check => check(&context).await,
        Migrate::Lint(typed) => lint::lint(&context, &typed),
        Migrate::Merge { name } => files::merge(&context, &name),
        Migrate::Rebase { id } => files::behind(&context, &id),
        Migrate::Squash(typed) => files::squashed(&context, &typed),
        Migrate::Stamp { target, purge } => {
            let report = Migrator::stamp(&migrator_to_write(&context).await?, &target, purge).await?;
            let text = format!("the history says: applied up to {target}, nothing behind it");
            Ok(Reply::new(text, ran_json(&report)))
        }
        Migrate::Repair(typed) => repair(&context, typed).await,
        Migrate::Adopt => adopt(&context).await,
        Migrate::Sql { range } => sql(&context, &range),
        Migrate::History => history(&context),
        Migrate::Heads => heads(&context),
    }
}

impl From<args::Phase> for migrate::Phase {
    fn from(phase: args::Phase) -> Self {
        match phase {
            args::Phase::Expand => migrate::Phase::Expand,
            args::Phase::Contract => migrate::Phase::Contract,
        }
    }
}
impl From<Rows> for Kind {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Schema => Kind::Schema,
            Rows::Data => Kind::Data,
        }
    }
}

/// Over a database that is there.
pub(crate) async fn migrator(context: &Context) -> Result<Migrator, Stop> {
    let migrations = context.migrations()?;
    Ok(Migrator::new(&context.db().await?, migrations)?)
}
/// Over a database that is made, if it is a file that is not there.
async fn migrator_to_write(context: &Context) -> Result<Migrator, Stop> {
    // what is wrong with the files is said before a database is touched
    let migrations = context.migrations()?;
    Ok(Migrator::new(&open(context.config.url()?).await?, migrations)?)
}

#[derive(Clone, Debug)]
enum Going {
    Head,
    Up(String),
    Down(String),
    To(String),
    Redo,
}

async fn run(
    context: &mut Context,
    typed: &Run,
    going: Going,
    more: impl Fn(Migrator) -> Migrator,
) -> Result<Reply, Stop> {
    let mut migrator = more(migrator_to_write(context).await?);
    let target = match &going {
        Going::Head => "head",
        Going::Up(target) | Going::Down(target) | Going::To(target) => target,
        Going::Redo => "-1",
    };
    if typed.dry_run {
        return planned(&migrator, target).await;
    }
    let settings = &context.config.settings.run;
    if let Some(ms) = typed.lock_timeout.or(settings.lock_timeout) {
        migrator = migrator.limits(Limits {
            lock: Duration::from_millis(ms),
            ..Limits::default()
        });
    }
    if let Some(seconds) = typed.lock_wait.or(settings.lock_wait) {
        migrator = migrator.lock_wait(Duration::from_secs(seconds));
    }
    for digest in &typed.allow_destructive {
        migrator = migrator.allow_destructive(digest);
    }
    if context.ask.somebody() {
        migrator = agreed(context, migrator, typed, target).await?;
    }
    let came = {
        let _shown = Progress::start("migrating");
        match &going {
            Going::Head => migrator.up().await,
            Going::Up(target) => migrator.up_to(target).await,
            Going::Down(target) => migrator.down(target).await,
            Going::To(target) => migrator.to(target).await,
            Going::Redo => migrator.redo().await,
        }
    };
    match came {
        Ok(report) => Ok(ran(&report)),
        Err(failure) => Err(failed(context, &going, failure)),
    }
}

/// Asks about each loss that nobody agreed to yet.
async fn agreed(
    context: &mut Context,
    mut migrator: Migrator,
    typed: &Run,
    target: &str,
) -> Result<Migrator, Stop> {
    // what cannot be planned fails in the run, with its reason
    let Ok(plan) = migrator.plan(target).await else {
        return Ok(migrator);
    };
    for migration in plan {
        let Some(digest) = migration.needs_acknowledgement else {
            continue;
        };
        if typed.allow_destructive.contains(&digest) {
            continue;
        }
        let question = format!(
            "{}_{} loses {}: go on?",
            migration.version,
            migration.name,
            migration.loses.join(", ")
        );
        let flag = format!("`--allow-destructive={digest}`");
        match context.ask.yes(&question, Some(false), &flag)? {
            true => migrator = migrator.allow_destructive(&digest),
            false => return Err(Stop::declined()),
        }
    }
    Ok(migrator)
}

/// What was run, as text and as JSON.
fn ran(report: &Report) -> Reply {
    let paint = Paint::stdout();
    let mut text = String::new();
    for one in &report.ran {
        let way = match one.direction {
            Direction::Up => paint.good("applied"),
            Direction::Down => paint.warn("undone "),
        };
        let plural = if one.statements == 1 { "" } else { "s" };
        _ = write!(
            text,
            "{way} {}_{}, {} statement{plural}, {} ms",
            one.version,
            one.name,
            one.statements,
            one.took.as_millis()
        );
        if let Some(at) = one.resumed_at {
            _ = write!(text, ", went on after statement {at}");
        }
        if one.retries > 0 {
            _ = write!(text, ", {} tries for a lock", one.retries + 1);
        }
        text.push('\n');
    }
    if report.ran.is_empty() {
        text.push_str("nothing to do\n");
    }
    if !report.unknown.is_empty() {
        let list: Vec<String> = report.unknown.iter().map(i64::to_string).collect();
        _ = writeln!(
            text,
            "{} a newer program was here before: {}",
            paint.warn("note:"),
            list.join(", ")
        );
    }
    Reply::new(text, ran_json(report))
}

fn ran_json(report: &Report) -> Value {
    let ran = report.ran.iter().map(|r| {
        json!({
            "version": r.version,
            "name": r.name,
            "direction": direction(r.direction),
            "statements": r.statements,
            "resumed_at": r.resumed_at,
            "retries": r.retries,
            "ms": r.took.as_millis() as u64,
        })
    });
    json!({
        "ran": ran.collect::<Vec<_>>(),
        "unknown": report.unknown,
        "waited_ms": report.waited.as_millis() as u64,
    })
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// A failure with the line of the script it happened on, and what to do next.
fn failed(context: &Context, going: &Going, failure: Failure) -> Stop {
    let outcome = failure.outcome();
    let place = place(context, going, &failure);
    let digest = acknowledgement(failure.error().message()).map(str::to_owned);
    let mut stop = Stop::from(failure);
    if let Some(place) = place {
        stop = stop.at(place);
    }
    match (outcome, digest) {
        (Outcome::Refused, Some(digest)) => stop.help(format!("to agree: `--allow-destructive={digest}`")),
        (Outcome::Failed, _) => {
            stop.help("when the cause is gone, the same command goes on where this one ended")
        }
        (Outcome::LockTimeout, _) => stop.help("`--lock-wait` says how long to wait for it"),
        _ => stop,
    }
}

/// The digest that a refusal names.
fn acknowledgement(message: &str) -> Option<&str> {
    let mut digests = message.split(|c: char| !c.is_ascii_alphanumeric());
    let is_digest = |w: &&str| w.len() == 12 && w.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    digests.rfind(is_digest)
}

fn place(context: &Context, going: &Going, failure: &Failure) -> Option<Place> {
    let at = failure.place()?;
    let line = at.line?;
    let undoing = match going {
        Going::Head | Going::Up(_) => false,
        Going::Down(_) => true,
        Going::Redo => failure.ran().is_empty(),
        Going::To(_) => {
            // the statement itself tells, where the ways differ in length
            let migrations = context.config.files().ok()?;
            let up = migrations.get(at.version)?.up()?;
            up.text.lines().count() < line
        }
    };
    let label = format!("{}_{}", at.version, at.name);
    let endings: &[&str] = if undoing {
        &["down.sql"]
    } else {
        &["up.sql", "sql"]
    };
    let file = endings
        .iter()
        .map(|end| context.config.dir.join(format!("{label}.{end}")))
        .find(|f| f.is_file())?;
    let text = std::fs::read_to_string(&file).ok()?;
    let error = failure.error();
    let mut words = named(error.message());
    words.extend(error.constraint().map(str::to_owned));
    words.extend(error.columns().iter().cloned());
    words.extend(error.table().map(str::to_owned));
    Some(Place {
        file,
        line,
        text,
        words,
    })
}

async fn planned(migrator: &Migrator, target: &str) -> Result<Reply, Stop> {
    let plan = migrator.plan(target).await?;
    let paint = Paint::stdout();
    let mut text = String::new();
    let mut list = Vec::new();
    for one in &plan {
        let way = match one.direction {
            Direction::Up => "apply",
            Direction::Down => "undo",
        };
        _ = writeln!(
            text,
            "{} {}_{}",
            paint.dim(&format!("-- {way}")),
            one.version,
            one.name
        );
        for lost in &one.loses {
            _ = writeln!(text, "{} {lost}", paint.warn("-- loses"));
        }
        if let Some(digest) = &one.needs_acknowledgement {
            _ = writeln!(text, "-- needs --allow-destructive={digest}");
        }
        for (i, part) in one.parts.iter().enumerate() {
            if one.parts.len() > 1 {
                _ = writeln!(text, "{}", paint.dim(&format!("-- part {}", i + 1)));
            }
            for statement in part {
                _ = writeln!(text, "{};", statement.trim_end().trim_end_matches(';'));
            }
        }
        if one.parts.is_empty() {
            text.push_str("-- code, or nothing to run\n");
        }
        text.push('\n');
        list.push(json!({
            "version": one.version,
            "name": one.name,
            "direction": direction(one.direction),
            "parts": one.parts,
            "loses": one.loses,
            "needs_acknowledgement": one.needs_acknowledgement,
        }));
    }
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    }
    let text = text.trim_end().to_owned();
    Ok(Reply::new(text, json!({ "plan": list })))
}

async fn status(context: &Context) -> Result<Reply, Stop> {
    let migrator = migrator(context).await?;
    let states = migrator.status().await?;
    let paint = Paint::stdout();
    let mut text = String::new();
    let mut list = Vec::new();
    for state in &states {
        let entry = state.entry.as_ref();
        let stands = match entry.map(|e| e.status) {
            Some(status) if status != migrate::Status::RolledBack => match (status, state.is_applied()) {
                (migrate::Status::Done, true) => "applied",
                (other, _) => other.name(),
            },
            _ => "pending",
        };
        let padded = format!("{stands:<9}");
        let shown = match stands {
            "applied" => paint.good(&padded),
            "pending" => paint.warn(&padded),
            _ => paint.bad(&padded),
        };
        _ = write!(text, "{shown} {}_{}", state.version, state.name);
        if let Some(entry) = entry.filter(|_| state.is_applied()) {
            if let Some(time) = &entry.started_at {
                _ = write!(text, "  {}", paint.dim(&moment(&time.to_string())));
            }
            if let Some(ms) = entry.ms {
                _ = write!(text, "  {ms} ms");
            }
        }
        if let Some(error) = entry
            .filter(|_| stands == "failed")
            .and_then(|e| e.error.as_ref())
        {
            _ = write!(text, "  {error}");
        }
        if state.edited {
            _ = write!(text, "  {}", paint.bad("changed since"));
        }
        if !state.known {
            _ = write!(text, "  {}", paint.bad("no file"));
        }
        text.push('\n');
        list.push(json!({
            "version": state.version,
            "name": state.name,
            "status": stands,
            "applied": state.is_applied(),
            "edited": state.edited,
            "known": state.known,
            "started_at": entry.and_then(|e| e.started_at.as_ref()).map(ToString::to_string),
            "ms": entry.and_then(|e| e.ms),
            "by": entry.map(|e| e.by.clone()),
            "error": entry.and_then(|e| e.error.clone()),
        }));
    }
    if states.is_empty() {
        text.push_str("no migrations\n");
    }
    Ok(Reply::new(text, json!({ "migrations": list })))
}

/// Without fractions of seconds.
fn moment(time: &str) -> String {
    let short = time.split_once('.').map_or(time, |(before, _)| before);
    short.replace('T', " ")
}

async fn check(context: &Context) -> Result<Reply, Stop> {
    let check = migrator(context).await?.check().await?;
    let mut text = String::new();
    for (what, list) in [
        ("pending", &check.pending),
        ("changed since it was applied", &check.edited),
        ("applied, and without a file", &check.missing),
        ("applied by a newer program", &check.unknown),
        ("not applied, although some that follow are", &check.out_of_order),
        ("begun and not finished", &check.unfinished),
    ] {
        for version in list {
            _ = writeln!(text, "{version} {what}");
        }
    }
    let many = check.heads.len() > 1;
    if many {
        let heads: Vec<String> = check.heads.iter().map(i64::to_string).collect();
        _ = writeln!(
            text,
            "several heads: {} (`migrate merge` joins them)",
            heads.join(", ")
        );
    }
    if text.is_empty() {
        text.push_str("the database is where the files are\n");
    }
    let json = json!({
        "pending": check.pending,
        "edited": check.edited,
        "missing": check.missing,
        "unknown": check.unknown,
        "out_of_order": check.out_of_order,
        "unfinished": check.unfinished,
        "heads": check.heads,
    });
    let code = match check.exit_code() {
        0 if many => Outcome::Usage.exit_code(),
        code => code,
    };
    Ok(Reply::new(text, json).ending(code))
}

async fn preflight(context: &Context, typed: &args::Preflight) -> Result<Reply, Stop> {
    let migrator = migrator(context).await?;
    let mut options = migrate::preflight::Options {
        lint: context.config.lint_options(&[], false)?,
        drift: typed.drift.then(|| migrate::drift::Options {
            leave_out: context.left_out(&[]),
            ..Default::default()
        }),
        ..Default::default()
    };
    if typed.models {
        options.models = Some(context.models_schema(context.config.backend()?)?);
    }
    if typed.no_data {
        options.data = None;
    }
    let found = migrator.preflight(&typed.target, &options).await?;
    let json = serde_json::to_value(&found).unwrap_or(Value::Null);
    Ok(Reply::new(found.to_markdown(), json).ending(found.exit_code()))
}

async fn repair(context: &Context, typed: args::Repair) -> Result<Reply, Stop> {
    if typed.checksums && context.config.dir.is_dir() {
        // the digests there are as old as those in the history, and stop every other verb
        let files = context.config.files()?;
        files.write_chain(&context.config.dir, context.config.backend()?)?;
    }
    let migrator = migrator(context).await?;
    let version = |id: &str| -> Result<i64, Stop> {
        match migrator.graph().find(id, 0)? {
            Some(version) => Ok(version),
            None => Err(Stop::usage(format!("there is no migration `{id}`"))),
        }
    };
    let what = match (&typed.applied, &typed.rolled_back) {
        (Some(id), _) => migrate::Repair::Applied(version(id)?),
        (_, Some(id)) => migrate::Repair::RolledBack(version(id)?),
        _ if typed.checksums => migrate::Repair::Checksums,
        _ => migrate::Repair::Missing,
    };
    let changed = migrator.repair(what).await?;
    let mut text = String::new();
    for version in &changed {
        _ = writeln!(text, "mended {version}");
    }
    if changed.is_empty() {
        text.push_str("nothing to mend in the history\n");
    }
    Ok(Reply::new(text, json!({ "changed": changed })))
}

async fn adopt(context: &Context) -> Result<Reply, Stop> {
    let adopted = migrator(context).await?.adopt().await?;
    let Some(from) = adopted.from else {
        let text = "no history of sqlx, diesel or SeaORM is there";
        return Ok(Reply::new(
            text,
            json!({ "from": null, "stamped": [], "unknown": [] }),
        ));
    };
    let mut text = format!(
        "taken over from `{}`: {} migrations\n",
        from.table(),
        adopted.stamped.len()
    );
    for version in &adopted.unknown {
        _ = writeln!(text, "{version} has no file here");
    }
    let json = json!({ "from": from.table(), "stamped": adopted.stamped, "unknown": adopted.unknown });
    Ok(Reply::new(text, json))
}

fn sql(context: &Context, range: &str) -> Result<Reply, Stop> {
    let (from, to) = range.split_once(':').unwrap_or(("base", range));
    let script = migrate::script(&context.migrations()?, context.config.backend()?, from, to)?;
    let json = json!({ "from": from, "to": to, "sql": script });
    Ok(Reply::new(script, json))
}

fn history(context: &Context) -> Result<Reply, Stop> {
    let migrations = context.migrations()?;
    let graph = Graph::of(&migrations)?;
    let heads = graph.heads();
    let paint = Paint::stdout();
    let mut text = String::new();
    let mut list = Vec::new();
    for version in graph.order().iter().chain(graph.repeatable()) {
        let Some(migration) = migrations.get(*version) else {
            continue;
        };
        let header = migration.header();
        _ = write!(text, "{}", migration.label());
        let mut notes = Vec::new();
        notes.extend(heads.contains(version).then(|| "head".to_owned()));
        notes.extend((header.kind != Kind::Schema).then(|| header.kind.name().to_owned()));
        notes.extend(header.phase.map(|p| format!("{p:?}").to_lowercase()));
        notes.extend(header.label.as_ref().map(|l| format!("label {l}")));
        if let Some(parents) = header.parents.as_ref().filter(|p| p.len() != 1) {
            let parents: Vec<String> = parents.iter().map(i64::to_string).collect();
            notes.push(format!("follows {}", parents.join(" and ")));
        }
        if !notes.is_empty() {
            _ = write!(text, "  {}", paint.dim(&format!("({})", notes.join(", "))));
        }
        if let Some(why) = &header.why {
            _ = write!(text, "  {why}");
        }
        text.push('\n');
        list.push(described(migration, heads.contains(version)));
    }
    if list.is_empty() {
        text.push_str("no migrations\n");
    }
    Ok(Reply::new(text, json!({ "migrations": list })))
}

fn described(migration: &Migration, head: bool) -> Value {
    let header = migration.header();
    json!({
        "version": migration.version,
        "name": migration.name,
        "head": head,
        "kind": header.kind.name(),
        "phase": header.phase.map(|p| format!("{p:?}").to_lowercase()),
        "label": header.label,
        "why": header.why,
        "parents": header.parents,
        "depends_on": header.depends_on,
        "loses": header.loses,
        "irreversible": header.irreversible,
        "code": migration.up().is_none(),
    })
}

fn heads(context: &Context) -> Result<Reply, Stop> {
    let migrations: Migrations = context.migrations()?;
    let heads = Graph::of(&migrations)?.heads();
    let labels: Vec<String> = heads
        .iter()
        .filter_map(|v| migrations.get(*v))
        .map(Migration::label)
        .collect();
    let text = match labels.is_empty() {
        true => "no migrations".to_owned(),
        false => labels.join("\n"),
    };
    Ok(Reply::new(text, json!({ "heads": heads })))
}

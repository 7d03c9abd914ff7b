//! `migrate new`: from the models to the files of a migration.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use orm::migrate::diff::{Question, Renames};
use orm::migrate::generate::{self, Generated, generate_with};
use orm::migrate::lint::{Finding, Severity, lint};
use orm::migrate::plan::Plan;
use orm::migrate::schema::Name;
use orm::migrate::{Backend, Draft, Migrations, frozen};
use serde_json::{Value, json};

use crate::args::New;
use crate::cmd::{Context, findings};
use crate::config::short;
use crate::output::Paint;
use crate::reply::{Reply, Stop};

pub(crate) fn new(mut context: Context, typed: &New) -> Result<Reply, Stop> {
    let backend = context.config.backend()?;
    let migrations = context.migrations()?;
    migrations.verify_chain(backend)?;
    if typed.empty {
        return empty(&context, typed, backend);
    }
    if typed.data {
        return data(&context, typed, &migrations, backend);
    }
    let heads = orm::migrate::Graph::of(&migrations)?.heads();
    if heads.len() > 1 {
        return Err(Stop::usage("there are several heads").help("`cargo orm migrate merge` joins them first"));
    }
    let models = context.models_schema(backend)?;
    let mut renames = Said::of(&typed.rename, &typed.no_rename)?;
    let mut told = Renames::default();
    // in the plain form first: what is wrong with that is what somebody has to know
    let make = |told: &Renames, direct: bool| {
        let how = generate::Options {
            renames: told.clone(),
            direct,
        };
        generate_with(&typed.name, &migrations, &models, &how, backend)
    };
    let (mut draft, plan) = loop {
        match make(&told, true)? {
            Generated::Draft(made) => break *made,
            Generated::Nothing => {
                let text = "nothing to do: the models are what the last migration left";
                return Ok(Reply::new(
                    text,
                    json!({ "written": [], "changes": [], "findings": [] }),
                ));
            }
            Generated::NeedsDecision(questions) => {
                let Some(question) = questions.into_iter().next() else {
                    return Err(Stop::usage("a question without a text"));
                };
                let yes = match renames.answer(&question) {
                    Some(yes) => yes,
                    None => ask(&mut context, &question)?,
                };
                answer(&mut told, question, yes);
            }
        }
    };
    renames.all_used()?;
    let found = lint(&plan, backend, &context.config.lint_options(&[], false)?);
    let mut text = changes(&plan);
    // that a new table is gone after the way back is known to who reads `create table`
    let shown: Vec<Finding> = found
        .iter()
        .filter(|f| f.severity > Severity::Info)
        .cloned()
        .collect();
    if !shown.is_empty() {
        let (count, list) = (
            findings::counted(&shown),
            findings::listed(&shown, Paint::stdout()),
        );
        text = format!("{text}\n{count}:\n\n{list}");
    }
    let wrote_safe = is_to_be_safe(&mut context, typed, &found, &text)?;
    if context.ask.somebody() && !context.json && found.iter().any(|f| f.rewritten) {
        // it was shown before the question
        text = String::new();
    }
    if wrote_safe && let Generated::Draft(made) = make(&told, false)? {
        draft = made.0;
        _ = writeln!(text, "written in the form that lets others work");
    }
    draft.header.why = typed.why.clone();
    draft.header.phase = typed.phase.map(Into::into);
    draft.header.label = typed.label.clone();
    let said: Vec<String> = plan.changes.iter().map(|c| c.describe()).collect();
    let json = json!({ "changes": said, "findings": found, "safe": wrote_safe });
    finish(&context, typed, draft, backend, text, json)
}

/// A file for somebody to write into. It keeps the schema as it is, until that somebody says otherwise.
fn empty(context: &Context, typed: &New, backend: Backend) -> Result<Reply, Stop> {
    let mut draft = Draft::new(&typed.name);
    draft.up = "-- the way there\n".to_owned();
    draft.header.why = typed.why.clone();
    draft.header.phase = typed.phase.map(Into::into);
    draft.header.label = typed.label.clone();
    draft.header.irreversible = Some("not written yet".to_owned());
    let json = json!({ "changes": [], "findings": [], "safe": false });
    let mut reply = finish(context, typed, draft, backend, String::new(), json)?;
    reply.text.push_str(
        "write the statements, and the way back into a file that ends with `.down.sql` (then remove `irreversible`);\n\
         `cargo orm migrate repair --checksums` writes migrations.lock anew\n",
    );
    Ok(reply)
}

/// A file of Rust beside the scripts, which no verb reads: the program registers it.
fn data(context: &Context, typed: &New, migrations: &Migrations, backend: Backend) -> Result<Reply, Stop> {
    let name = |said: &String| match said.split_once('.') {
        Some((schema, name)) => Name::within(schema, name),
        None => Name::new(said),
    };
    let tables: Vec<Name> = typed.tables.iter().map(name).collect();
    let mut made = frozen::generate(&typed.name, migrations, &tables, backend)?;
    made.header.why = typed.why.clone();
    made.header.phase = typed.phase.map(Into::into);
    made.header.label = typed.label.clone();
    if typed.dry_run {
        let source = made.source();
        return Ok(Reply::new(
            source.clone(),
            json!({ "written": [], "source": source }),
        ));
    }
    let file = short(made.write(&context.config.dir)?).display().to_string();
    let text = format!(
        "wrote {file}\nwrite its function, make it a module (`#[path = \"…/{file}\"] mod {0};`), and add \
         `.with({0}::migration()?)?`\nto the migrations of the program: the function that `migrations` in orm.toml names\n",
        made.name
    );
    Ok(Reply::new(text, json!({ "written": [file] })))
}

fn finish(
    context: &Context,
    typed: &New,
    draft: Draft,
    backend: Backend,
    mut text: String,
    mut json: Value,
) -> Result<Reply, Stop> {
    if typed.dry_run {
        let script = format!("{}{}", draft.header.write(), draft.up);
        _ = write!(text, "\n{script}");
        json["up"] = json!(script);
        json["down"] = json!(draft.down);
        json["written"] = json!([]);
        return Ok(Reply::new(text, json));
    }
    let files = draft.write(&context.config.dir, backend)?;
    after_write(context, &files, backend)?;
    let mut names = Vec::new();
    for file in files {
        let name = short(file).display().to_string();
        _ = writeln!(text, "wrote {name}");
        names.push(name);
    }
    json["written"] = json!(names);
    Ok(Reply::new(text, json))
}

/// Runs what orm.toml names on the scripts; their digests are those of afterwards.
fn after_write(context: &Context, files: &[PathBuf], backend: Backend) -> Result<(), Stop> {
    let config = &context.config;
    let scripts = || files.iter().filter(|f| f.extension().is_some_and(|e| e == "sql"));
    for command in &config.settings.new.after_write {
        let Some((program, args)) = command.split_first() else {
            continue;
        };
        // what it says is no part of a reply that is read by programs
        let ran = Command::new(program)
            .args(args)
            .args(scripts())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        match ran {
            Ok(ended) if ended.success() => {}
            Ok(ended) => {
                return Err(Stop::usage(format!(
                    "the files are written, and then `{program}` failed: {ended}"
                )));
            }
            Err(e) => {
                let why = e.kind();
                return Err(Stop::usage(format!(
                    "the files are written, and `{program}` cannot be started: {why}"
                )));
            }
        }
    }
    if !config.settings.new.after_write.is_empty() {
        Migrations::read(&config.dir)?.write_chain(&config.dir, backend)?;
    }
    Ok(())
}

fn changes(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        let what = change.describe();
        match change.loses() {
            Some(lost) => _ = writeln!(text, "  {what}, which loses {lost}"),
            None => _ = writeln!(text, "  {what}"),
        }
    }
    text
}

/// Whether to write the form that lets others work: as it was said, or as somebody answers, or, with nobody to ask, yes.
fn is_to_be_safe(context: &mut Context, typed: &New, found: &[Finding], text: &str) -> Result<bool, Stop> {
    let can = found.iter().any(|f| f.rewritten && f.allowed.is_none());
    if !can || typed.as_is {
        return Ok(false);
    }
    if typed.safe || !context.ask.somebody() || context.json {
        return Ok(true);
    }
    let question = format!("{text}\nWrite it in the form that lets others work meanwhile?");
    context.ask.yes(&question, Some(true), "`--safe` or `--as-is`")
}

fn ask(context: &mut Context, question: &Question) -> Result<bool, Stop> {
    let (from, to) = both(question);
    let what = match question {
        Question::RenameTable { .. } => "table",
        Question::RenameColumn { .. } => "column",
    };
    let (flag, old) = match question {
        Question::RenameTable { from, to } => (format!("{from}={to}"), from.to_string()),
        Question::RenameColumn { table, from, to } => {
            (format!("{table}.{from}={to}"), format!("{table}.{from}"))
        }
    };
    let said = format!("The {what} {from} is gone and {to} is new. Was it renamed?");
    let flags = format!("`--rename {flag}` or `--no-rename {old}`");
    context.ask.yes(&said, None, &flags)
}

/// What goes and what comes, in full.
fn both(question: &Question) -> (String, String) {
    match question {
        Question::RenameTable { from, to } => (from.to_string(), to.to_string()),
        Question::RenameColumn { table, from, to } => (format!("{table}.{from}"), format!("{table}.{to}")),
    }
}

pub(crate) fn answer(told: &mut Renames, question: Question, yes: bool) {
    match question {
        _ if !yes => told.denied.push(question),
        Question::RenameTable { from, to } => told.tables.push((from, to)),
        Question::RenameColumn { table, from, to } => told.columns.push((table, from, to)),
    }
}

/// What flags say about renames, and whether anything asked for it.
pub(crate) struct Said {
    /// The old name in full, the new one in full, whether it was of use.
    renamed: Vec<(String, String, bool)>,
    not: Vec<(String, bool)>,
}

impl Said {
    pub(crate) fn of(renames: &[String], denied: &[String]) -> Result<Self, Stop> {
        let mut renamed = Vec::new();
        for said in renames {
            let (old, new) = said
                .split_once('=')
                .filter(|(old, new)| !old.is_empty() && !new.is_empty())
                .ok_or_else(|| {
                    Stop::usage(format!(
                        "`--rename {said}` is `users=people` or `users.name=full_name`"
                    ))
                })?;
            renamed.push((old.to_owned(), new.to_owned(), false));
        }
        let not = denied.iter().map(|old| (old.clone(), false)).collect();
        Ok(Said { renamed, not })
    }

    /// The answer to a question, if a flag gives one.
    pub(crate) fn answer(&mut self, question: &Question) -> Option<bool> {
        let (from, to) = both(question);
        let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
        // the new name may be written with its table or without
        let same = |said: &str| said == to || said == last(&to);
        // the column's table may have been renamed by the same command
        let before = match question {
            Question::RenameColumn { table, from, .. } => {
                self.old_name(table).map(|old| format!("{old}.{from}"))
            }
            Question::RenameTable { .. } => None,
        };
        let meant = |old: &str| old == from || Some(old) == before.as_deref();
        if let Some((_, new, used)) = self.renamed.iter_mut().find(|(old, _, _)| meant(old)) {
            let yes = same(new);
            *used |= yes;
            return Some(yes);
        }
        // what a rename has taken is no candidate for others
        if self
            .renamed
            .iter()
            .any(|(old, new, _)| !meant(old) && same(new) && same_table(old, &from))
        {
            return Some(false);
        }
        let (_, used) = self.not.iter_mut().find(|(old, _)| meant(old))?;
        *used = true;
        Some(false)
    }

    fn old_name(&self, table: &Name) -> Option<String> {
        let table = table.to_string();
        let found = self.renamed.iter().find(|(_, new, _)| *new == table);
        found.map(|(old, _, _)| old.clone())
    }

    /// A flag that answers nothing is a mistake that would lose data.
    pub(crate) fn all_used(&self) -> Result<(), Stop> {
        let renamed = self.renamed.iter().find(|(_, _, used)| !used);
        let not = self.not.iter().find(|(_, used)| !used);
        match (renamed, not) {
            (Some((old, new, _)), _) => Err(Stop::usage(format!(
                "`--rename {old}={new}`: nothing called so goes while the other comes"
            ))),
            (None, Some((old, _))) => Err(Stop::usage(format!(
                "`--no-rename {old}`: nothing called so goes while something like it comes"
            ))),
            (None, None) => Ok(()),
        }
    }
}

fn same_table(a: &str, b: &str) -> bool {
    a.rsplit_once('.').map(|(t, _)| t) == b.rsplit_once('.').map(|(t, _)| t)
}

#[cfg(test)]
mod tests {
    use orm::migrate::diff::Question;
    use orm::migrate::schema::Name;

    use crate::cmd::new::Said;

    fn column(from: &str, to: &str) -> Question {
        Question::RenameColumn {
            table: Name::new("users"),
            from: from.into(),
            to: to.into(),
        }
    }

    #[test]
    fn flags_answer_questions() {
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let mut said = Said::of(&strings(&["users.name=full_name"]), &strings(&["users.nick"])).unwrap();
        assert_eq!(said.answer(&column("name", "nick_name")), Some(false));
        assert!(said.all_used().is_err());
        assert_eq!(said.answer(&column("name", "full_name")), Some(true));
        assert_eq!(said.answer(&column("nick", "nick_name")), Some(false));
        assert_eq!(said.answer(&column("age", "years")), None);
        // taken by the other
        assert_eq!(said.answer(&column("title", "full_name")), Some(false));
        said.all_used().unwrap();
        assert!(Said::of(&strings(&["users.name"]), &[]).is_err());
    }

    #[test]
    fn a_column_of_a_renamed_table() {
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let mut said = Said::of(&strings(&["people=users", "people.name=full_name"]), &[]).unwrap();
        let table = Question::RenameTable {
            from: Name::new("people"),
            to: Name::new("users"),
        };
        assert_eq!(said.answer(&table), Some(true));
        assert_eq!(said.answer(&column("name", "full_name")), Some(true));
        said.all_used().unwrap();
    }
}

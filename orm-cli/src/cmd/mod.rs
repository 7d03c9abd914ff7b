//! The verbs. Each is a function from what was typed to a reply; nothing is printed here.

mod completions;
mod db;
mod docs;
mod doctor;
mod files;
mod findings;
mod lint;
mod migrate;
mod new;
mod schema;
mod shell;
mod transfer;

use std::path::Path;

use orm::migrate::schema::Schema;
use orm::migrate::{Backend, Failure, Migrations, snapshot};
use orm::prelude::*;
use orm::sql::Dialect;

use crate::args::{self, Migrate, Verb};
use crate::ask::Ask;
use crate::config::{Config, Settings};
use crate::reply::{Reply, Stop, unusable};
use crate::url;

/// What the program that hosts the command line knows.
#[derive(Default)]
pub(crate) struct Models {
    pub(crate) schema: Option<Box<dyn Fn() -> orm::Schema>>,
    pub(crate) migrations: Option<Box<CodeMigrations>>,
}

type CodeMigrations = dyn Fn() -> Result<Migrations, Failure>;

/// What a verb works with.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) models: Models,
    pub(crate) ask: Ask,
    pub(crate) json: bool,
}

/// Whether the verb needs what only a program with the models knows.
pub(crate) fn needs_models(verb: &Verb, settings: &Settings) -> bool {
    let models = |of: &str| of == "models";
    match verb {
        // its place is behind the code of the program
        Verb::Migrate(Migrate::New(new)) if new.data => settings.migrations.is_some(),
        Verb::Migrate(Migrate::New(new)) => !new.empty,
        Verb::Migrate(Migrate::Lint(lint)) => lint.models,
        Verb::Migrate(Migrate::Preflight(typed)) => typed.models || settings.migrations.is_some(),
        // code may be among what is applied
        Verb::Migrate(_) | Verb::Db(args::Db::Reset(_)) => settings.migrations.is_some(),
        Verb::Dump(dump) => dump.url.is_none(),
        Verb::Diff(diff) => models(&diff.from) || models(&diff.to),
        Verb::Drift(drift) => drift.models,
        Verb::Erd(erd) => models(&erd.of),
        Verb::Dictionary(dictionary) => models(&dictionary.of),
        Verb::Schema(args::Schema::Lint { of, .. } | args::Schema::Rows { of, .. }) => models(of),
        Verb::Db(_)
        | Verb::Pull(_)
        | Verb::Transfer(_)
        | Verb::Evolution(_)
        | Verb::Doctor
        | Verb::Completions { .. } => false,
    }
}

/// Does what was asked for.
pub(crate) async fn carry_out(context: Context, verb: Verb) -> Result<Reply, Stop> {
    match verb {
        Verb::Db(verb) => db::carry_out(context, verb).await,
        Verb::Migrate(Migrate::New(typed)) => new::new(context, &typed),
        Verb::Migrate(verb) => migrate::carry_out(context, verb).await,
        Verb::Pull(typed) => schema::pull(&context, &typed).await,
        Verb::Dump(typed) => schema::dump(&context, &typed).await,
        Verb::Diff(typed) => schema::diff(&context, &typed).await,
        Verb::Drift(typed) => schema::drift(&context, &typed).await,
        Verb::Erd(typed) => docs::erd(&context, &typed).await,
        Verb::Dictionary(typed) => docs::dictionary(&context, &typed).await,
        Verb::Schema(args::Schema::Lint {
            of,
            allow,
            soft_delete,
        }) => schema::lint(&context, &of, &allow, soft_delete).await,
        Verb::Schema(args::Schema::Rows { of, tables }) => schema::rows(&context, &of, &tables).await,
        Verb::Evolution(typed) => docs::evolution(&context, &typed),
        Verb::Transfer(typed) => transfer::transfer(&context, &typed).await,
        Verb::Doctor => doctor::doctor(&context).await,
        Verb::Completions { shell } => Ok(completions::completions(shell)),
    }
}

impl Context {
    /// The database. A file that is not there is not made by looking at it.
    async fn db(&self) -> Result<Db, Stop> {
        let url = self.config.url()?;
        if let Some(file) = url::sqlite_file(url).filter(|f| !f.exists()) {
            return Err(Stop::usage(format!("there is no database `{}`", file.display()))
                .help("`cargo orm db create` makes it"));
        }
        open(url).await
    }

    /// The migrations: scripts of the folder, and code of the program.
    fn migrations(&self) -> Result<Migrations, Stop> {
        let mut all = self.config.files()?;
        if let Some(code) = &self.models.migrations {
            for migration in code()?.iter().filter(|m| m.up().is_none()) {
                all = all.with(migration.clone())?;
            }
        }
        Ok(all)
    }

    /// The schema of the models.
    fn models_schema(&self, backend: Backend) -> Result<Schema, Stop> {
        let mut schema = Schema::of_models(&self.models()?, dialect(backend)?)?;
        if let Some(file) = &self.config.settings.beside {
            let file = self.config.root.join(file);
            let text = std::fs::read_to_string(&file).map_err(|e| unusable(&file, &e))?;
            schema.add(&snapshot::read(&text, backend.name())?);
        }
        Ok(schema)
    }
    fn models(&self) -> Result<orm::Schema, Stop> {
        match &self.models.schema {
            Some(schema) => Ok(schema()),
            None => Err(Stop::usage("this needs the models, and this program has none")),
        }
    }

    /// The schema that the last migration left.
    fn last_schema(&self, backend: Backend) -> Result<Schema, Stop> {
        let files = self.config.files()?;
        match files.iter().rev().find_map(|m| m.snapshot.as_deref()) {
            Some(text) => Ok(snapshot::read(text, backend.name())?),
            None => Ok(Schema::default()),
        }
    }

    /// The schema that was named: `models`, `database`, `last`, a URL, or a snapshot's file.
    async fn schema_of(&self, named: &str, backend: Option<Backend>) -> Result<(Schema, Backend), Stop> {
        let usual = || backend.map_or_else(|| self.config.backend(), Ok);
        match named {
            "models" => Ok((self.models_schema(usual()?)?, usual()?)),
            "last" => Ok((self.last_schema(usual()?)?, usual()?)),
            "database" => self.live(&self.db().await?).await,
            url if url.contains(':') && url::backend(url).is_ok() => {
                let missing = url::sqlite_file(url).filter(|f| !f.exists());
                match missing {
                    Some(file) => Err(Stop::usage(format!("there is no database `{}`", file.display()))),
                    None => self.live(&open(url).await?).await,
                }
            }
            file => of_file(Path::new(file)),
        }
    }
    async fn live(&self, db: &Db) -> Result<(Schema, Backend), Stop> {
        let options = orm::migrate::introspect::Options {
            leave_out: self.left_out(&[]),
            ..Default::default()
        };
        let schema = orm::migrate::introspect::introspect_with(db, &options).await?;
        Ok((schema, Backend::of(db)?))
    }
    /// Objects that are not looked at: the library's own books, what orm.toml names, and these.
    fn left_out(&self, typed: &[String]) -> Vec<String> {
        let mut all = orm::migrate::introspect::Options::default().leave_out;
        all.extend(self.config.settings.drift.leave_out.iter().chain(typed).cloned());
        all
    }
}

/// Opens a database.
pub(crate) async fn open(url: &str) -> Result<Db, Stop> {
    url::backend(url)?;
    Db::connect(url).await.map_err(|e| {
        let shown = url::shown(url);
        Stop::from(e).help(format!("the database is {shown}"))
    })
}

/// A snapshot's file, or what `dump` wrote.
fn of_file(path: &Path) -> Result<(Schema, Backend), Stop> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        unusable(path, &e)
            .help("a schema is `models`, `database`, `last`, a URL, or a file that `dump` wrote")
    })?;
    for backend in [Backend::Postgres, Backend::Sqlite] {
        if let Ok(schema) = snapshot::read(&text, backend.name()) {
            return Ok((schema, backend));
        }
    }
    Err(snapshot::read(&text, "postgres").map_or_else(Stop::from, |_| Stop::usage("the file is no snapshot")))
}

pub(crate) fn dialect(backend: Backend) -> Result<&'static dyn Dialect, Stop> {
    match backend {
        #[cfg(feature = "postgres")]
        Backend::Postgres => Ok(&orm::postgres::DIALECT),
        #[cfg(feature = "sqlite")]
        Backend::Sqlite => Ok(&orm::sqlite::DIALECT),
        #[allow(unreachable_patterns, reason = "with both features, none is left")]
        other => Err(Stop::usage(format!(
            "this program was built without `{other}`: enable that feature of `orm`"
        ))),
    }
}

/// An artefact: to the file that was named, or to standard output.
fn written(text: String, json: serde_json::Value, out: Option<&Path>) -> Result<Reply, Stop> {
    let Some(path) = out else {
        return Ok(Reply::new(text, json));
    };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| unusable(folder, &e))?;
    }
    std::fs::write(path, text).map_err(|e| unusable(path, &e))?;
    let said = path.display().to_string();
    Ok(Reply::new(
        format!("wrote {said}"),
        serde_json::json!({ "written": [said] }),
    ))
}

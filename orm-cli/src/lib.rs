//! The command line of the `orm` crate: `cargo orm`.
//!
//! ```text
//! cargo orm ── verbs that need no models ──▶ carried out at once
//!     └─ the others ──▶ a small program in the target folder, with your library in it ──▶ Cli::main
//! ```
//!
//! A library with `pub fn schema() -> orm::Schema` is all that `cargo orm` asks for. A program of your own hosts the same
//! command line in a line:
//!
//! ```
//! use orm::prelude::*;
//!
//! #[derive(Model)]
//! pub struct City { pub id: Id<City>, pub name: String }
//!
//! pub fn schema() -> orm::Schema {
//!     orm::schema![City]
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     # if true { return std::process::ExitCode::SUCCESS; }
//!     orm_cli::main(schema)
//! }
//! ```
//!
//! Exit codes: 0 done, 1 not usable as it was asked for, 2 pending migrations, 3 drift, 4 findings or a loss that nobody
//! agreed to, 5 another migrator kept the lock, 6 failed, to be run again.
#![forbid(unsafe_code)]

mod args;
mod ask;
mod cmd;
mod config;
mod host;
mod output;
mod reply;
mod url;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use orm::Schema;
use orm::migrate::{Failure, Migrations};

use crate::args::Typed;
use crate::cmd::{Context, Models};
use crate::config::Config;
use crate::reply::{Reply, Stop};

/// The command line over these models, with the arguments of the process.
///
/// ```no_run
/// # fn schema() -> orm::Schema { orm::schema![] }
/// fn main() -> std::process::ExitCode {
///     orm_cli::main(schema)
/// }
/// ```
pub fn main(schema: impl Fn() -> Schema + 'static) -> ExitCode {
    Cli::new(schema).main()
}

/// What `cargo orm` runs: verbs that need no models at once, the others in a program that it builds around the library
/// of the package in this folder.
pub fn cargo() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    // cargo calls `cargo-orm orm ..`
    if args.get(1).is_some_and(|a| a == "orm") {
        args.remove(1);
    }
    let cli = Cli {
        models: Models::default(),
        folder: None,
        front: true,
    };
    ExitCode::from(cli.run(args))
}

/// The command line, to be hosted by a program that knows its models.
pub struct Cli {
    models: Models,
    folder: Option<PathBuf>,
    front: bool,
}

impl Cli {
    /// Over these models.
    pub fn new(schema: impl Fn() -> Schema + 'static) -> Self {
        Cli {
            models: Models {
                schema: Some(Box::new(schema)),
                migrations: None,
            },
            folder: None,
            front: false,
        }
    }

    /// With migrations written in Rust ([`Migration::code`](orm::migrate::Migration::code),
    /// [`backfill`](orm::migrate::Migration::backfill)). Scripts that the set holds too are passed over: they are read
    /// from the folder.
    ///
    /// ```no_run
    /// use orm::migrate::{Backfill, Migration, Migrations};
    ///
    /// fn migrations() -> orm::Result<Migrations> {
    ///     let fill = Backfill::new("users", "id", "nick = lower(name)").only("nick IS NULL");
    ///     Migrations::of([])?.with(Migration::backfill(20260202090000, "fill_nicknames", fill)?)
    /// }
    ///
    /// # fn schema() -> orm::Schema { orm::schema![] }
    /// fn main() -> std::process::ExitCode {
    ///     orm_cli::Cli::new(schema).migrations(migrations).main()
    /// }
    /// ```
    pub fn migrations<E: Into<Failure>>(
        mut self,
        migrations: impl Fn() -> Result<Migrations, E> + 'static,
    ) -> Self {
        self.models.migrations = Some(Box::new(move || migrations().map_err(Into::into)));
        self
    }

    /// The folder of the project, where `orm.toml`, `.env` and `migrations` lie. Without it, they are looked for in the
    /// current folder and above.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Runs it with the arguments of the process.
    pub fn main(self) -> ExitCode {
        ExitCode::from(self.run(std::env::args_os()))
    }

    /// Runs it with these arguments, the first being the program's name. Gives back the exit code; everything was printed.
    ///
    /// ```
    /// let cli = orm_cli::Cli::new(|| orm::schema![]);
    /// assert_eq!(cli.run(["orm", "completions", "no-such-shell"]), 1);
    /// ```
    pub fn run<A: Into<OsString> + Clone>(self, args: impl IntoIterator<Item = A>) -> u8 {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let typed = match Typed::try_parse_from(&args) {
            Ok(typed) => typed,
            Err(error) => return refused(&error),
        };
        let json = typed.common.json;
        if self.front {
            match self.hosted(&typed, &args) {
                Ok(Some(code)) => return code,
                Ok(None) => {}
                Err(stop) => return output::print(Err(stop), json),
            }
        }
        let came = self.carry_out(typed);
        output::print(came, json)
    }

    /// Hands verbs that need models to a program that has them.
    fn hosted(&self, typed: &Typed, args: &[OsString]) -> Result<Option<u8>, Stop> {
        let folder = host::folder(&typed.common)?;
        let config = Config::of(&typed.common, &folder)?;
        match cmd::needs_models(&typed.verb, &config.settings) {
            true => host::run(&typed.common, &config.settings, args).map(Some),
            false => Ok(None),
        }
    }

    fn carry_out(self, typed: Typed) -> Result<Reply, Stop> {
        let folder = match self.folder {
            Some(folder) => folder,
            None => host::folder(&typed.common)?,
        };
        let context = Context {
            config: Config::of(&typed.common, &folder)?,
            models: self.models,
            ask: ask::Ask::terminal(),
            json: typed.common.json,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Stop::usage(format!("no runtime: {}", e.kind())))?;
        runtime.block_on(cmd::carry_out(context, typed.verb))
    }
}

/// What clap says: help and versions are no errors, everything else is the wrong use. It may have been given a URL.
fn refused(error: &clap::Error) -> u8 {
    if !error.use_stderr() {
        // a closed pipe is nothing to report
        _ = error.print();
        return 0;
    }
    eprint!("{}", url::without_passwords(&error.to_string()));
    1
}

//! What was typed. No work is done here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Migrations from models, the migrator, diagrams and checks of the `orm` crate.
#[derive(Debug, Parser)]
#[command(name = "orm", bin_name = "cargo orm", version, max_term_width = 100)]
pub(crate) struct Typed {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb takes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// The database; else DATABASE_URL, `.env`, `database_url` in orm.toml
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// The folder with migrations [default: migrations]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// The database's kind, where no database is named
    #[arg(long, global = true, value_name = "KIND")]
    pub(crate) backend: Option<Kind>,
    /// One JSON value on standard output instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not read `.env`
    #[arg(long, global = true)]
    pub(crate) no_env_file: bool,
    /// The package whose library has the models
    #[arg(long, short, global = true, value_name = "PACKAGE")]
    pub(crate) package: Option<String>,
    /// Its Cargo.toml, when it is not the one of this folder
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Cargo features of that package, separated by commas
    #[arg(long, global = true, value_name = "FEATURES")]
    pub(crate) features: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make, drop or open the database itself
    #[command(subcommand)]
    Db(Db),
    /// Migrations: write, apply, undo, look at
    #[command(subcommand)]
    Migrate(Migrate),
    /// Write models for the tables of a database
    Pull(Pull),
    /// A schema as JSON, in the form of snapshots
    Dump(Dump),
    /// The changes that turn one schema into another
    Diff(Diff),
    /// What was changed in a database by hand, beside its migrations
    Drift(Drift),
    /// An entity-relationship diagram
    Erd(Erd),
    /// Every table and column, with what is known about it
    Dictionary(Dictionary),
    /// What every table and column has gone through, out of the snapshots
    Evolution(Evolution),
    /// Checks of the schema
    #[command(subcommand)]
    Schema(Schema),
    /// The rows of one database into another
    Transfer(Transfer),
    /// What the command line finds here: project, models, files, database
    Doctor,
    /// Completions for a shell
    Completions {
        /// Which one
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Make the database, if it is not there
    Create,
    /// Drop the database with all that is in it
    Drop(Gone),
    /// Drop it, make it anew, apply all migrations
    Reset(Gone),
    /// Open psql or sqlite3 on it
    Shell {
        /// Run this and leave
        #[arg(long, short, value_name = "SQL")]
        command: Option<String>,
    },
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Gone {
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Also while others are connected (PostgreSQL)
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Write the migration that brings the last schema to that of the models
    New(New),
    /// Apply what is not applied
    Up(Up),
    /// Undo, the last one or down to a target
    Down(Down),
    /// Apply or undo, up to a target
    To(To),
    /// Undo the last one and apply it again
    Redo(Run),
    /// All migrations, and how they stand
    Status,
    /// What a run would do
    Plan(Plan),
    /// Everything that is known before a run: locks, sizes, rows that break new constraints, who stands in the way
    Preflight(Preflight),
    /// Whether the database is where the files are: 0 yes, 2 pending, 3 otherwise
    Check,
    /// What the scripts would do to a database in use
    Lint(Lint),
    /// Write a migration that joins all heads
    Merge {
        /// Its name
        #[arg(default_value = "merge heads")]
        name: String,
    },
    /// Give a migration that was applied nowhere yet a place behind all others
    Rebase {
        /// Which one
        id: String,
    },
    /// Write one migration in the place of many
    Squash(Squash),
    /// Write to the history that everything up to a target is applied, and run nothing
    Stamp {
        /// Up to where
        target: String,
        /// Forget what the history says first
        #[arg(long)]
        purge: bool,
    },
    /// Mend the history, after somebody has looked at the database
    Repair(Repair),
    /// Take over the history of sqlx, diesel or SeaORM
    Adopt,
    /// The SQL from one target to another, for people who run it by hand
    Sql {
        /// `from:to`, or `to`
        #[arg(default_value = "base:head")]
        range: String,
    },
    /// The migrations of the files, with what they say about themselves
    History,
    /// The last migrations of the files
    Heads,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct New {
    /// What it does, in a few words
    pub(crate) name: String,
    /// A rename: `users=people` of a table, `users.name=full_name` of a column
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// No rename: this table or column (`users.name`) goes, and what comes is new
    #[arg(long, value_name = "OLD")]
    pub(crate) no_rename: Vec<String>,
    /// Write the form that lets others work, without asking
    #[arg(long, conflicts_with = "as_is")]
    pub(crate) safe: bool,
    /// Write the plain form, whatever is found
    #[arg(long)]
    pub(crate) as_is: bool,
    /// An empty migration, to be written by hand
    #[arg(long)]
    pub(crate) empty: bool,
    /// A change of rows in Rust, with models frozen as the last migration left the tables
    #[arg(long, conflicts_with_all = ["empty", "safe", "as_is", "rename", "no_rename"])]
    pub(crate) data: bool,
    /// With `--data`: only these tables; the rows of the first are walked through in batches
    #[arg(long, value_name = "TABLES", value_delimiter = ',', requires = "data")]
    pub(crate) tables: Vec<String>,
    /// The reason, for readers
    #[arg(long)]
    pub(crate) why: Option<String>,
    /// On which side of a deployment it stands
    #[arg(long)]
    pub(crate) phase: Option<Phase>,
    /// A name for the branch that starts here
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Write nothing, show what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phase {
    Expand,
    Contract,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rows {
    Schema,
    Data,
}

/// How a run is made.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Run {
    /// Show what would be run, run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Agree to what the script with this digest loses
    #[arg(long, value_name = "DIGEST")]
    pub(crate) allow_destructive: Vec<String>,
    /// How long to wait for another migrator, in seconds [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lock_wait: Option<u64>,
    /// How long a statement waits for a lock, in milliseconds [default: 3000] (PostgreSQL)
    #[arg(long, value_name = "MS")]
    pub(crate) lock_timeout: Option<u64>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    /// Up to where: `+1`, a version, a name
    #[arg(default_value = "head")]
    pub(crate) target: String,
    /// Only what stands on this side of a deployment
    #[arg(long)]
    pub(crate) phase: Option<Phase>,
    /// Only migrations of this kind
    #[arg(long)]
    pub(crate) kind: Option<Rows>,
    /// Also those that were to be applied before others that are
    #[arg(long)]
    pub(crate) out_of_order: bool,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Down {
    /// Down to where: `-2`, `base`, a version, a name
    #[arg(default_value = "-1", allow_hyphen_values = true)]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct To {
    /// `head`, `base`, `+2`, `-1`, a version, a name
    #[arg(allow_hyphen_values = true)]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Plan {
    /// `head`, `base`, `+2`, `-1`, a version, a name
    #[arg(default_value = "head", allow_hyphen_values = true)]
    pub(crate) target: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Squash {
    /// `FIRST..LAST`, both included
    #[arg(required_unless_present = "drop_replaced")]
    pub(crate) range: Option<String>,
    /// Its name
    #[arg(default_value = "base")]
    pub(crate) name: String,
    /// Code and data that a new database does not need
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) without: Vec<String>,
    /// Remove the files that this migration stands for: when every database is past them
    #[arg(long, value_name = "MIGRATION", conflicts_with = "range")]
    pub(crate) drop_replaced: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Preflight {
    /// `head`, `base`, `+2`, `-1`, a version, a name
    #[arg(default_value = "head", allow_hyphen_values = true)]
    pub(crate) target: String,
    /// Look at the models too
    #[arg(long)]
    pub(crate) models: bool,
    /// Look for changes by hand too
    #[arg(long)]
    pub(crate) drift: bool,
    /// Do not try new constraints on the rows that are there
    #[arg(long)]
    pub(crate) no_data: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Lint {
    /// Files; those of the folder when none is named
    pub(crate) files: Vec<PathBuf>,
    /// A rule that is allowed, and why: `drop-column=nobody reads it`
    #[arg(long, value_name = "RULE=WHY")]
    pub(crate) allow: Vec<String>,
    /// Only migrations behind this one: those before were written without it
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) after: Option<String>,
    /// The folder as the branch has it that this one is merged into: files of there stay as they are
    #[arg(long, value_name = "FOLDER")]
    pub(crate) base: Option<PathBuf>,
    /// Compare with the models too
    #[arg(long)]
    pub(crate) models: bool,
}

#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Repair {
    /// Files that were changed on purpose: write their digests to the history and to migrations.lock
    #[arg(long)]
    pub(crate) checksums: bool,
    /// Rows of the history without a file: forget them
    #[arg(long)]
    pub(crate) missing: bool,
    /// An unfinished migration was finished by hand
    #[arg(long, value_name = "VERSION")]
    pub(crate) applied: Option<String>,
    /// An unfinished migration was undone by hand
    #[arg(long, value_name = "VERSION")]
    pub(crate) rolled_back: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Pull {
    /// The database to read
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The file to write; standard output when none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The file that takes what models cannot say, as it is: name it in orm.toml as `beside`
    #[arg(long, value_name = "FILE")]
    pub(crate) beside: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Dump {
    /// The database to read; the models when none is named
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The file to write; standard output when none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Diff {
    /// A snapshot's file, a URL, `models`, `database`, or `last` (the last migration)
    pub(crate) from: String,
    /// The same, of the schema to come to
    pub(crate) to: String,
    /// A rename, as with `migrate new`
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// No rename, as with `migrate new`
    #[arg(long, value_name = "OLD")]
    pub(crate) no_rename: Vec<String>,
    /// Statements instead of sentences
    #[arg(long)]
    pub(crate) sql: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Drift {
    /// Objects that are left out: `name`, `schema.name`, with `*`
    #[arg(long, value_name = "NAME")]
    pub(crate) leave_out: Vec<String>,
    /// Objects that no migration made are no drift
    #[arg(long)]
    pub(crate) ignore_unknown: bool,
    /// Compare with the models too
    #[arg(long)]
    pub(crate) models: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Transfer {
    /// Where the rows are
    #[arg(long, value_name = "URL", required_unless_present = "forget")]
    pub(crate) from: Option<String>,
    /// Where they go; the project's database when none is named
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// What is known about a column: `orders.placed: timestamptz via dates(%d/%m/%Y), zone(+01:00)`
    #[arg(long)]
    pub(crate) rule: Vec<String>,
    /// Only tables of this name, with `*`
    #[arg(long, value_name = "TABLES")]
    pub(crate) only: Vec<String>,
    /// Not the tables of this name, with `*`
    #[arg(long, value_name = "TABLES")]
    pub(crate) except: Vec<String>,
    /// How many rows are committed at once [default: 5000]
    #[arg(long, value_name = "ROWS")]
    pub(crate) batch: Option<usize>,
    /// The file that takes the rows which cannot go over
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Read everything, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Drop the journal that a transfer has left
    #[arg(long, conflicts_with = "from")]
    pub(crate) forget: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Erd {
    /// A snapshot's file, a URL, `models`, `database`, or `last`
    #[arg(default_value = "models")]
    pub(crate) of: String,
    /// The language
    #[arg(long, default_value = "mermaid")]
    pub(crate) format: ErdFormat,
    /// How much it shows
    #[arg(long, default_value = "logical")]
    pub(crate) detail: Detail,
    /// Only these tables, separated by commas
    #[arg(long, value_delimiter = ',')]
    pub(crate) tables: Vec<String>,
    /// The file to write; standard output when none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Evolution {
    /// The file to write; standard output when none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErdFormat {
    Mermaid,
    Dot,
    Plantuml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Detail {
    Conceptual,
    Logical,
    Physical,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Dictionary {
    /// A snapshot's file, a URL, `models`, `database`, or `last`
    #[arg(default_value = "models")]
    pub(crate) of: String,
    /// The form
    #[arg(long, default_value = "markdown")]
    pub(crate) format: DictionaryFormat,
    /// The file to write; standard output when none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DictionaryFormat {
    Markdown,
    Html,
    Json,
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// Whether the rows of the database keep what a schema says of them
    Rows {
        /// A snapshot's file, `models`, `database`, or `last`
        #[arg(default_value = "models")]
        of: String,
        /// Only these tables, separated by commas
        #[arg(long, value_delimiter = ',')]
        tables: Vec<String>,
    },
    /// What a schema should not look like
    Lint {
        /// A snapshot's file, a URL, `models`, `database`, or `last`
        #[arg(default_value = "models")]
        of: String,
        /// A rule that is allowed, and why: `no-primary-key:log=rows are never changed`
        #[arg(long, value_name = "RULE=WHY")]
        allow: Vec<String>,
        /// Report tables without soft delete too
        #[arg(long)]
        soft_delete: bool,
    },
}

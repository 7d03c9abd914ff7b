//! The command line, read into finished values before anything runs.

use crate::harness::Workload;
use crate::report::Format;

pub(crate) const USAGE: &str = "\
Times the same work through every library, side by side in one process.

Usage: peers --backend sqlite|postgres [--workload WORKLOAD] [--peer P] [--rounds N] [--workers N] [--json]
       peers --list

  --backend B    sqlite or postgres
  --workload W   only this workload (see --list)
  --peer P       only this library, for a profiler
  --rounds N     rounds in which every library has one turn (15)
  --workers N    worker threads of the runtime (2); 1 repeats better where a wake-up of another CPU is dear
  --json         one JSON object a line instead of a table
  --list         print backends, workloads and libraries

PostgreSQL is started for the run and deleted after it.
toasty takes part in `associations` when it is built, which is apart from the workspace:
cargo build --release --manifest-path benches/toasty/Cargo.toml
On Linux, `taskset -c 1` in front of the command makes runs repeat better.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    pub(crate) const ALL: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Help,
    List,
    Run(Run),
}

#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) backend: Backend,
    pub(crate) workloads: Vec<Workload>,
    /// Only this library.
    pub(crate) peer: Option<String>,
    pub(crate) rounds: usize,
    /// Worker threads of the runtime.
    pub(crate) workers: usize,
    pub(crate) format: Format,
}

/// Reads the arguments after the program's name; the error is a sentence for the user.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut backend, mut workloads, mut format) = (None, Workload::ALL.to_vec(), Format::Table);
    let (mut rounds, mut workers, mut peer) = (15, 2, None);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--list" => return Ok(Command::List),
            "--json" => format = Format::Json,
            "--backend" => backend = Some(backend_named(&value()?)?),
            "--workload" => workloads = vec![workload_named(&value()?)?],
            "--peer" => peer = Some(value()?),
            "--rounds" => rounds = number_above_zero(&value()?)?,
            "--workers" => workers = number_above_zero(&value()?)?,
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    let backend = backend.ok_or("--backend is missing")?;
    Ok(Command::Run(Run {
        backend,
        workloads,
        peer,
        rounds,
        workers,
        format,
    }))
}

fn backend_named(name: &str) -> Result<Backend, String> {
    let found = Backend::ALL.into_iter().find(|backend| backend.name() == name);
    found.ok_or_else(|| format!("no backend {name}: sqlite or postgres"))
}

fn workload_named(name: &str) -> Result<Workload, String> {
    Workload::named(name).ok_or_else(|| format!("no workload {name}: see --list"))
}

fn number_above_zero(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&rounds| rounds > 0)
        .ok_or_else(|| format!("{text} is not a number above zero"))
}

//! Compares libraries on the same rows, the same statements and the same machine in the same minute.
//!
//! `cargo run --release -p peers -- --backend sqlite|postgres [--workload W] [--json]`. The first column is the raw
//! driver, ratio 1.
//!
//! Whatever hops between threads takes one of two times, depending on whether it wakes another CPU; which one is
//! chance, and lasts for many operations. On Linux `taskset -c 1` in front of the command takes that chance away, for
//! a server the run starts as well.
//!
//! toasty takes part when the package beside this one is built, in a process of its own:
//! `cargo build --release --manifest-path benches/toasty/Cargo.toml`.
//!
//! Whoever adds a library adds a file below `sqlite/` or `postgres/` and two lines in its `mod.rs`.

mod args;
mod data;
mod harness;
mod library;
mod orm;
mod postgres;
mod report;
mod sea_orm;
mod sqlite;
mod toasty;

use std::process::ExitCode;

use ::orm::testing::Cluster;

use crate::args::{Backend, Command, Run};
use crate::harness::{Result, Runner, Task, Workload, measure};

fn main() -> ExitCode {
    let done = match args::parse(std::env::args().skip(1)) {
        Err(message) => {
            eprintln!("{message}\n\n{}", args::USAGE);
            return ExitCode::from(1);
        }
        Ok(Command::Help) => {
            println!("{}", args::USAGE);
            Ok(())
        }
        Ok(Command::List) => {
            list();
            Ok(())
        }
        Ok(Command::Run(run)) => start(run),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn list() {
    let workloads = Workload::ALL.map(Workload::name);
    println!("workloads  {}", workloads.join(" "));
    println!("sqlite     {}", sqlite::NAMES.join(" "));
    println!("postgres   {}", postgres::NAMES.join(" "));
    println!("on both    {} (associations only)", toasty::NAME);
}

/// The whole run is one task on a worker thread, as a request handler would be: `block_on` itself would put the
/// peers on a thread the sockets' events never arrive on.
fn start(run: Run) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(run.workers)
        .enable_all()
        .build()?;
    runtime.block_on(async { tokio::spawn(compare(run)).await? })
}

async fn compare(run: Run) -> Result<()> {
    match run.backend {
        Backend::Sqlite => {
            let folder = tempfile::tempdir()?;
            let mut peers = sqlite::open(folder.path()).await?;
            keep(&run, &mut peers)?;
            report(&run, &mut peers).await
        }
        Backend::Postgres => {
            let server = start_postgres()?;
            let address = |database: &str| server.tcp_url(database);
            let mut peers = postgres::open(&address).await?;
            let reported = match keep(&run, &mut peers) {
                Ok(()) => report(&run, &mut peers).await,
                Err(error) => Err(error),
            };
            drop(peers);
            postgres::remove(&address).await?;
            reported
        }
    }
}

/// Only the library that was asked for.
fn keep(run: &Run, peers: &mut Vec<Box<dyn Runner>>) -> Result<()> {
    if let Some(name) = &run.peer {
        peers.retain(|peer| peer.name() == name);
    }
    let unbuilt = toasty::program().is_none();
    match &run.peer {
        Some(name) if peers.is_empty() && unbuilt && name == toasty::NAME => Err(toasty::ABSENT.into()),
        Some(name) if peers.is_empty() => Err(format!("no library {name}: see --list").into()),
        None if unbuilt && run.workloads.contains(&Workload::Associations) => {
            eprintln!("{}", toasty::ABSENT);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Where the PostgreSQL peers run.
fn start_postgres() -> Result<Cluster> {
    Ok(Cluster::start()?)
}

async fn report(run: &Run, peers: &mut [Box<dyn Runner>]) -> Result<()> {
    let names: Vec<_> = peers.iter().map(|peer| peer.name()).collect();
    for peer in peers.iter_mut() {
        peer.check().await?;
    }
    run.format.head(&names);
    for task in Task::of(&run.workloads) {
        let medians = measure(peers, task, run.rounds).await?;
        run.format.line(run.backend.name(), task, &medians);
    }
    Ok(())
}

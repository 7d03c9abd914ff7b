//! Compares libraries on the same rows, the same statements and the same machine in the same minute.
//!
//! `cargo run --release -p peers -- --backend sqlite|postgres [--workload W] [--json]`. The first column is the raw
//! driver, ratio 1.
//!
//! Whatever hops between threads takes one of two times, depending on whether it wakes another CPU; which one is
//! chance, and lasts for many operations. On Linux `taskset -c 1` in front of the command takes that chance away, for
//! a server the run starts as well.
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
            report(&run, &mut peers).await
        }
        Backend::Postgres => {
            let server = start_postgres()?;
            let address = |database: &str| server.tcp_url(database);
            let mut peers = postgres::open(&address).await?;
            let reported = report(&run, &mut peers).await;
            drop(peers);
            postgres::remove(&address).await?;
            reported
        }
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

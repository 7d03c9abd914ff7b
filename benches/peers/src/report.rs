//! All printing: an aligned table for people, one JSON object a line for programs.

use crate::harness::{Median, Task};

/// How one line of results is written; the first peer is the driver every ratio refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
}

impl Format {
    pub(crate) fn head(self, peers: &[&str]) {
        if self == Format::Table {
            print!("{:<12}{:>6}", "workload", "rows");
            peers.iter().for_each(|peer| print!("{peer:>20}"));
            println!();
        }
    }

    pub(crate) fn line(self, backend: &str, task: Task, medians: &[Median]) {
        let driver = medians.first().map_or(f64::NAN, |first| first.nanoseconds);
        match self {
            Format::Table => table_line(task, medians, driver),
            Format::Json => medians
                .iter()
                .filter(|median| !median.nanoseconds.is_nan())
                .for_each(|median| json_line(backend, task, median, driver)),
        }
    }
}

fn table_line(task: Task, medians: &[Median], driver: f64) {
    print!("{:<12}{:>6}", task.workload.name(), task.rows);
    for Median { nanoseconds, .. } in medians {
        if nanoseconds.is_nan() {
            print!("{:>20}", "–");
            continue;
        }
        print!("{:>12}{:>8.2}", duration(*nanoseconds), nanoseconds / driver);
    }
    println!();
}

fn json_line(backend: &str, task: Task, median: &Median, driver: f64) {
    let line = serde_json::json!({
        "backend": backend,
        "workload": task.workload.name(),
        "rows": task.rows,
        "peer": median.peer,
        "median_ns": median.nanoseconds.round() as u64,
        "ratio_to_driver": (median.nanoseconds / driver * 1000.0).round() / 1000.0,
    });
    println!("{line}");
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

//! Findings of lints, as text.

use std::fmt::Write as _;

use orm::migrate::lint::{Finding, Lock, Severity, Work};

use crate::output::Paint;

/// Each finding with what to do instead, the worst first.
pub(crate) fn listed(findings: &[Finding], paint: Paint) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|f| std::cmp::Reverse((f.allowed.is_none(), f.severity)));
    let mut out = String::new();
    for finding in sorted {
        let severity = match finding.severity {
            _ if finding.allowed.is_some() => paint.dim("allowed"),
            Severity::Info => paint.dim("info"),
            Severity::Warning => paint.warn("warning"),
            Severity::Error => paint.bad("error"),
        };
        _ = writeln!(out, "{severity} {}: {}", paint.bold(finding.rule), finding.about);
        let held = finding
            .lock
            .map(|lock| held(lock, finding.work))
            .unwrap_or_default();
        _ = writeln!(out, "  {}{held}", finding.why);
        if let Some(why) = &finding.allowed {
            _ = writeln!(out, "  allowed: {why}");
            continue;
        }
        for instead in &finding.instead {
            let lines = instead.trim_end().replace('\n', "\n           ");
            _ = writeln!(out, "  instead: {lines}");
        }
    }
    out
}

fn held(lock: Lock, work: Work) -> String {
    let lock = match lock {
        Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
        Lock::Share => "SHARE",
        Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
        Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        Lock::Writer => "the writer's lock",
    };
    let work = match work {
        Work::Catalogue => "for a moment",
        Work::Scan => "while every row is read",
        Work::Rewrite => "while every row is written",
    };
    format!(" ({lock} {work})")
}

/// `3 findings, 1 of them an error`.
pub(crate) fn counted(findings: &[Finding]) -> String {
    let open = findings.iter().filter(|f| f.allowed.is_none()).count();
    let errors = findings.iter().filter(|f| f.stops()).count();
    let plural = if open == 1 { "" } else { "s" };
    match (open, errors) {
        (0, _) => "nothing found".to_owned(),
        (_, 0) => format!("{open} finding{plural}"),
        (_, 1) => format!("{open} finding{plural}, 1 of them an error"),
        _ => format!("{open} finding{plural}, {errors} of them errors"),
    }
}

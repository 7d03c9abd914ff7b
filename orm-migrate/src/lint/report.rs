//! The review of a migration, for the one who has to agree to it.

use std::fmt::Write as _;

use orm_core::error::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::Backend;
use crate::lint::{Finding, Lock, Options, Severity, Work, lint};
use crate::plan::Plan;

/// What a plan does, what it may lose, how it stops others, and how to come back. Serialised as it stands, it is the
/// JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Whether it can be run while the database is in use: no error was found that nobody allowed, and nothing is lost.
    pub safe_to_run: bool,
    /// Whether the program of before works afterwards.
    pub old_program_works: bool,
    /// What it does, in order.
    pub changes: Vec<String>,
    /// What it loses.
    pub losses: Vec<String>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// The statements of the way back.
    pub rollback: Vec<String>,
    /// What the way back loses.
    pub rollback_losses: Vec<String>,
}

impl Review {
    /// Looks at a plan.
    pub fn of(plan: &Plan, database: Backend, options: &Options) -> Review {
        let mut findings = lint(plan, database, options);
        findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let losses = owned(plan.up.losses());
        Review {
            safe_to_run: losses.is_empty() && !findings.iter().any(Finding::stops),
            old_program_works: !findings
                .iter()
                .any(|f| f.breaks_old_program && f.allowed.is_none()),
            changes: plan.changes.iter().map(|c| c.describe()).collect(),
            losses,
            findings,
            rollback: plan.down.statements().map(str::to_owned).collect(),
            rollback_losses: owned(plan.down.losses()),
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// `Encode` when it cannot be written, which no plan is known to cause.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Encode, format!("the review as JSON: {e}")))
    }

    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        let yes = |is| if is { "yes" } else { "**no**" };
        let mut out = String::from("# Migration review\n\n");
        _ = writeln!(
            out,
            "- Safe to run while the database is in use: {}",
            yes(self.safe_to_run)
        );
        _ = writeln!(
            out,
            "- The program of before works afterwards: {}",
            yes(self.old_program_works)
        );
        let mut list = |title: &str, lines: &mut dyn Iterator<Item = String>| {
            let lines: Vec<String> = lines.collect();
            if !lines.is_empty() {
                _ = writeln!(out, "\n## {title}\n");
            }
            for line in lines {
                _ = writeln!(out, "{line}");
            }
        };
        list("Changes", &mut self.changes.iter().map(|c| format!("- {c}")));
        list(
            "Data that is lost",
            &mut self.losses.iter().map(|l| format!("- {l}")),
        );
        list("Findings", &mut self.findings.iter().map(described));
        list(
            "The way back",
            &mut self
                .rollback
                .iter()
                .map(|s| format!("    {};", s.replace('\n', "\n    "))),
        );
        list(
            "Data that the way back loses",
            &mut self.rollback_losses.iter().map(|l| format!("- {l}")),
        );
        out
    }
}

pub(crate) fn described(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let mut out = format!(
        "- **{severity}** `{}`, {}: {}",
        finding.rule, finding.about, finding.why
    );
    if let Some(lock) = finding.lock {
        let lock = lock_name(lock);
        let work = match finding.work {
            Work::Catalogue => "for a moment",
            Work::Scan => "while every row is read",
            Work::Rewrite => "while every row is written",
        };
        out += &format!(" ({lock} {work})");
    }
    if let Some(why) = &finding.allowed {
        out += &format!("; allowed: {why}");
    }
    for what in &finding.instead {
        out += &format!("\n  - instead: `{what}`");
    }
    out
}

/// A lock as the database calls it.
pub(crate) fn lock_name(lock: Lock) -> &'static str {
    match lock {
        Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
        Lock::Share => "SHARE",
        Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
        Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        Lock::Writer => "the writer's lock",
    }
}

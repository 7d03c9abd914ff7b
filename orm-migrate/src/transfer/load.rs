//! The run: what is done in which order, and the report at its end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use orm_core::error::{Error, ErrorKind, Result};

use crate::Backend;
use crate::introspect::introspect;
use crate::sql::name;
use crate::transfer::convert::{Cell, Datum, convert};
use crate::transfer::links;
use crate::transfer::map::{Plan, Sides, Way, plan};
use crate::transfer::read::{Reader, Wanted};
use crate::transfer::report::{
    Checksums, ColumnReport, Progress, Reason, Reject, RejectCount, Report, TableReport,
};
use crate::transfer::rule::How;
use crate::transfer::sums::Sums;
use crate::transfer::target::{Journal, Phase, Standing, Target, reason, text_of};
use crate::transfer::{Numbers, Told, Transfer};
use crate::words::quoted;

pub(super) async fn run(transfer: &Transfer) -> Result<Report> {
    let start = Instant::now();
    let (from, to) = transfer.backends()?;
    let schema = introspect(&transfer.source).await?;
    let wishes = &transfer.wishes;
    // before the session: a database in memory has one connection
    let there = introspect(&transfer.target).await?;
    let mut target = Target::open(&transfer.target, to).await?;
    let found = target.journal().await?;
    let resumed = found.is_some();
    let mut reader;
    let mut journal = match found {
        Some(journal) => {
            if journal.plan.digest != wishes.digest(&schema, to)? {
                return Err(Error::config(
                    "the target has the journal of a transfer with other rules, or of another source: go on with those, or forget it",
                ));
            }
            if let Some(report) = journal.report {
                write_rejects(transfer.rejects.as_deref(), &mut target).await?;
                return Ok(Report { resumed, ..report });
            }
            reader = Reader::open(&transfer.source, from).await?;
            journal
        }
        None => {
            reader = Reader::open(&transfer.source, from).await?;
            let numbers = numbers(&mut reader, from).await?;
            let sides = Sides {
                source: &schema,
                target: &there,
                from,
                to,
                numbers: &numbers,
            };
            target.start(&plan(&sides, wishes)?).await?
        }
    };
    let counts = counts(&mut reader, &journal.plan).await?;
    let mut telling = Telling::new(transfer.told.clone(), start, &counts, &journal);
    if journal.phase == Phase::Rows {
        for i in 0..journal.plan.tables.len() {
            let way = Arc::new(journal.plan.tables[i].clone());
            let (beat, standing) = &mut journal.tables[i];
            while !standing.done {
                load(
                    &mut reader,
                    &mut target,
                    &way,
                    i,
                    transfer.batch,
                    beat,
                    standing,
                    &mut telling,
                )
                .await?;
            }
        }
        step(&mut target, (Phase::Rows, 0), (Phase::Links, 0)).await?;
        journal.phase = Phase::Links;
    }
    reader.close().await?;
    if journal.phase == Phase::Links {
        links::settle(&mut target, &mut journal).await?;
        step(&mut target, (Phase::Links, 0), (Phase::After, 0)).await?;
        (journal.phase, journal.step) = (Phase::After, 0);
    }
    let after = journal.plan.after.clone();
    while let Some(text) = after.get(journal.step) {
        target.begin().await?;
        // the journal first: another transfer waits there, and is told so, instead of making the same index
        let next = (Phase::After, journal.step + 1);
        let done = match target.go_on((Phase::After, journal.step), next).await {
            Ok(()) => target.exec(text, vec![]).await,
            Err(e) => Err(e),
        };
        match done {
            Ok(_) => target.commit().await?,
            Err(e) => return Err(target.undone(e).await),
        }
        journal.step += 1;
    }
    // as late as can be, so that what came in meanwhile is not missed
    let mut reader = Reader::open(&transfer.source, from).await?;
    let counts = self::counts(&mut reader, &journal.plan).await?;
    reader.close().await?;
    drop(target);
    let report = finished(transfer, &journal, &counts, resumed, start).await?;
    let mut target = Target::open(&transfer.target, to).await?;
    write_rejects(transfer.rejects.as_deref(), &mut target).await?;
    target.begin().await?;
    match target.finish(journal.step, &report).await {
        Ok(()) => target.commit().await?,
        Err(e) => return Err(target.undone(e).await),
    }
    Ok(report)
}

async fn step(target: &mut Target, from: (Phase, usize), to: (Phase, usize)) -> Result<()> {
    target.begin().await?;
    match target.go_on(from, to).await {
        Ok(()) => target.commit().await,
        Err(e) => Err(target.undone(e).await),
    }
}

async fn numbers(reader: &mut Reader, from: Backend) -> Result<Numbers> {
    let mut numbers = Numbers::new();
    if from == Backend::Postgres {
        return Ok(numbers);
    }
    let there = "SELECT name FROM main.sqlite_schema WHERE name = 'sqlite_sequence'";
    if reader.texts(there, 1).await?.is_empty() {
        return Ok(numbers);
    }
    for row in reader
        .texts("SELECT name, CAST(seq AS TEXT) FROM main.sqlite_sequence", 2)
        .await?
    {
        let mut row = row.into_iter().flatten();
        if let (Some(table), Some(Ok(last))) = (row.next(), row.next().map(|n| n.parse())) {
            numbers.insert(table, last);
        }
    }
    Ok(numbers)
}

async fn counts(reader: &mut Reader, plan: &Plan) -> Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(plan.tables.len());
    for way in &plan.tables {
        counts.push(reader.count(&way.source).await?);
    }
    Ok(counts)
}

/// A row on its way.
struct Moved {
    key: serde_json::Map<String, serde_json::Value>,
    data: Vec<Datum>,
}

/// A piece, looked at.
struct Sorted {
    rows: Vec<Moved>,
    rejects: Vec<Reject>,
    found: Vec<BTreeMap<String, u64>>,
    read: u64,
}

/// Reads the rest of a table, a piece at a time.
#[expect(clippy::too_many_arguments, reason = "they are the state of one loop")]
async fn load(
    reader: &mut Reader,
    target: &mut Target,
    way: &Arc<Way>,
    table: usize,
    batch: usize,
    beat: &mut i64,
    standing: &mut Standing,
    telling: &mut Telling,
) -> Result<()> {
    let mut rows = reader.rows(wanted(way, standing.read, batch)).await?;
    loop {
        let piece = rows.piece().await?;
        let mut next = standing.clone();
        target.begin().await?;
        let done = match piece {
            Some(piece) => store(target, way, table, *beat, &mut next, piece).await,
            None => {
                next.done = true;
                mark(target, table, *beat, &next).await
            }
        };
        match done {
            Ok(()) => target.commit().await?,
            Err(e) => return Err(target.undone(e).await),
        }
        *beat += 1;
        *standing = next;
        if standing.done {
            return Ok(());
        }
        telling.tell(way, table, standing);
    }
}

async fn mark(target: &mut Target, table: usize, beat: i64, standing: &Standing) -> Result<()> {
    target.claim(table, beat).await?;
    target.note(table, standing).await
}

/// Writes a piece inside the open transaction.
async fn store(
    target: &mut Target,
    way: &Arc<Way>,
    table: usize,
    beat: i64,
    standing: &mut Standing,
    piece: Vec<Vec<Cell>>,
) -> Result<()> {
    target.claim(table, beat).await?;
    let mut sorted = blocking({
        let way = way.clone();
        move || sort(&way, piece)
    })
    .await?;
    let (keys, data): (Vec<_>, Vec<_>) = sorted.rows.into_iter().map(|row| (row.key, row.data)).unzip();
    let mut keys: Vec<Option<_>> = keys.into_iter().map(Some).collect();
    let mut stays = vec![true; data.len()];
    for (i, error) in target.write(way, &data).await? {
        stays[i] = false;
        let key = keys[i].take().unwrap_or_default();
        sorted.rejects.push(refused(way, key, &error));
    }
    standing.read += sorted.read;
    standing.written += stays.iter().filter(|s| **s).count() as u64;
    for (all, new) in standing.found.iter_mut().zip(sorted.found) {
        for (name, n) in new {
            *all.entry(name).or_default() += n;
        }
    }
    for reject in &sorted.rejects {
        standing.reject(reject);
    }
    let mut sums = std::mem::take(&mut standing.sums);
    standing.sums = blocking({
        let way = way.clone();
        move || {
            let compared = compared(&way);
            let kept = data.iter().zip(&stays).filter(|(_, stays)| **stays);
            kept.for_each(|(row, _)| sums.add(row, &compared));
            sums
        }
    })
    .await?;
    target.keep_rejects(table, &sorted.rejects).await?;
    target.note(table, standing).await
}

pub(super) fn compared(way: &Way) -> Vec<bool> {
    way.columns.iter().map(|c| c.compared).collect()
}

/// Work that keeps a thread busy, away from those that serve others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::new(ErrorKind::Database, "the work on a piece of rows was cancelled"))
}

/// The columns in the order of the plan, and behind them what the key needs beside.
fn wanted(way: &Way, skip: u64, batch: usize) -> Wanted<'_> {
    let mut columns: Vec<&str> = way.columns.iter().map(|c| c.source.as_str()).collect();
    columns.extend(beside(way));
    Wanted {
        table: &way.source,
        columns,
        order: way.order.clone(),
        skip,
        batch,
    }
}

/// Columns of the key that do not go over themselves.
fn beside(way: &Way) -> impl Iterator<Item = &str> {
    let known = |name: &&str| !way.columns.iter().any(|c| c.source == *name);
    way.key.iter().map(String::as_str).filter(known)
}

fn sort(way: &Way, piece: Vec<Vec<Cell>>) -> Sorted {
    let mut sorted = Sorted {
        rows: Vec::with_capacity(piece.len()),
        rejects: Vec::new(),
        found: vec![BTreeMap::new(); way.columns.len()],
        read: piece.len() as u64,
    };
    for cells in piece {
        let key = key(way, &cells);
        let mut data = Vec::with_capacity(way.columns.len());
        let mut first: Option<(usize, Reason, &'static str)> = None;
        for (i, (column, cell)) in way.columns.iter().zip(cells).enumerate() {
            let (found, made) = convert(&column.kind, &column.how, cell);
            match sorted.found[i].get_mut(found.as_ref()) {
                Some(n) => *n += 1,
                None => {
                    sorted.found[i].insert(found.into_owned(), 1);
                }
            }
            match made {
                Ok(Datum::Null) if column.required => {
                    first.get_or_insert((i, Reason::Null, "NULL where the target wants a value"));
                    data.push(Datum::Null);
                }
                Ok(datum) => data.push(datum),
                Err((reason, detail)) => {
                    first.get_or_insert((i, reason, detail));
                    data.push(Datum::Null);
                }
            }
        }
        match first {
            None => sorted.rows.push(Moved { key, data }),
            Some((i, reason, detail)) => sorted.rejects.push(Reject {
                table: way.source.to_string(),
                key,
                column: Some(way.columns[i].source.clone()),
                reason,
                detail: detail.to_owned(),
            }),
        }
    }
    sorted
}

/// What tells a row of the source from others; all its values where nothing does.
fn key(way: &Way, cells: &[Cell]) -> serde_json::Map<String, serde_json::Value> {
    let names = way.columns.iter().map(|c| c.source.as_str()).chain(beside(way));
    let all = names.zip(cells);
    let among = |name: &str| way.key.is_empty() || way.key.iter().any(|k| k == name);
    all.filter(|(name, _)| among(name))
        .map(|(name, cell)| (name.to_owned(), json(cell)))
        .collect()
}

pub(super) fn json(cell: &Cell) -> serde_json::Value {
    use serde_json::Value;
    let hex = |bytes: &[u8]| {
        let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        Value::String(format!("x'{digits}'"))
    };
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(v) => Value::from(*v),
        Cell::Real(v) => {
            serde_json::Number::from_f64(*v).map_or_else(|| Value::String(v.to_string()), Value::Number)
        }
        Cell::Text(text) => Value::String(text.clone()),
        Cell::Mangled(bytes) | Cell::Blob(bytes) => hex(bytes),
    }
}

/// A row that the target refused.
fn refused(way: &Way, key: serde_json::Map<String, serde_json::Value>, error: &Error) -> Reject {
    let of_source = |name: &String| {
        let found = way.columns.iter().find(|c| c.target == *name);
        found.map_or_else(|| name.clone(), |c| c.source.clone())
    };
    let columns: Vec<String> = error.columns().iter().map(of_source).collect();
    let reason = reason(error);
    let mut detail = match reason {
        Reason::Duplicate => "a row with the same values came before".to_owned(),
        Reason::Orphan => "the row it refers to is not there".to_owned(),
        Reason::Check => "a condition of the target does not hold".to_owned(),
        Reason::Null => "NULL where the target wants a value".to_owned(),
        _ => format!("the target refused it: {}", error.message()),
    };
    match (error.constraint(), error.code()) {
        (Some(constraint), _) => detail += &format!(" ({constraint})"),
        (None, Some(code)) => detail += &format!(" ({code})"),
        (None, None) => {}
    }
    Reject {
        table: way.source.to_string(),
        key,
        column: (!columns.is_empty()).then(|| columns.join(", ")),
        reason,
        detail,
    }
}

/// Who is told, and what of the whole is done.
struct Telling {
    told: Option<Told>,
    start: Instant,
    totals: Vec<u64>,
    read: Vec<u64>,
    rejected: Vec<u64>,
    /// Rows that earlier runs have read.
    before: u64,
}

impl Telling {
    fn new(told: Option<Told>, start: Instant, totals: &[u64], journal: &Journal) -> Self {
        let read: Vec<u64> = journal.tables.iter().map(|(_, s)| s.read).collect();
        Telling {
            told,
            start,
            totals: totals.to_vec(),
            before: read.iter().sum(),
            rejected: journal.tables.iter().map(|(_, s)| s.rejected).collect(),
            read,
        }
    }
    fn tell(&mut self, way: &Way, table: usize, standing: &Standing) {
        self.read[table] = standing.read;
        self.rejected[table] = standing.rejected;
        let Some(told) = &self.told else {
            return;
        };
        let (rows, total): (u64, u64) = (self.read.iter().sum(), self.totals.iter().sum());
        let took = self.start.elapsed();
        let done = rows.saturating_sub(self.before);
        let left = (done > 0).then(|| {
            let seconds = took.as_secs_f64() / done as f64 * total.saturating_sub(rows) as f64;
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        });
        told(&Progress {
            table: &way.source.to_string(),
            table_rows: standing.read,
            table_total: self.totals[table],
            rows,
            total,
            rejected: self.rejected.iter().sum(),
            took,
            left,
        });
    }
}

/// Reads the target back, and puts the report together.
async fn finished(
    transfer: &Transfer,
    journal: &Journal,
    counts: &[u64],
    resumed: bool,
    start: Instant,
) -> Result<Report> {
    let (from, to) = transfer.backends()?;
    let mut reader = Reader::open(&transfer.target, to).await?;
    let mut tables = Vec::new();
    for ((way, (_, standing)), count) in journal.plan.tables.iter().zip(&journal.tables).zip(counts) {
        let (there, sums) = read_back(&mut reader, &Arc::new(way.clone()), transfer.batch).await?;
        let sides = |written, found| Checksums { written, found };
        let mut table = outline(way, standing, *count);
        table.in_target = Some(there);
        table.rows = Some(sides(standing.sums.rows, sums.rows));
        for (i, column) in table.columns.iter_mut().enumerate() {
            column.checksums = way.columns[i]
                .compared
                .then(|| sides(standing.sums.columns[i], sums.columns[i]));
        }
        tables.push(table);
    }
    reader.close().await?;
    Ok(Report {
        source: from.name().to_owned(),
        target: to.name().to_owned(),
        dry_run: false,
        resumed,
        tables,
        left_out: journal.plan.left_out.clone(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

async fn read_back(reader: &mut Reader, way: &Arc<Way>, batch: usize) -> Result<(u64, Sums)> {
    let wanted = Wanted {
        table: &way.target,
        columns: way.columns.iter().map(|c| c.target.as_str()).collect(),
        order: String::new(),
        skip: 0,
        batch,
    };
    let mut rows = reader.rows(wanted).await?;
    let (mut count, mut sums) = (0, Sums::of(way.columns.len()));
    while let Some(piece) = rows.piece().await? {
        count += piece.len() as u64;
        let way = way.clone();
        sums = blocking(move || {
            let compared = compared(&way);
            for cells in piece {
                sums.add(&read_as(&way, cells), &compared);
            }
            sums
        })
        .await?;
    }
    Ok((count, sums))
}

/// A row of the target as values. One that does not read is like none that was written.
pub(super) fn read_as(way: &Way, cells: Vec<Cell>) -> Vec<Datum> {
    let plain = How::default();
    let one = |(column, cell): (&crate::transfer::map::ColumnWay, Cell)| {
        let (_, made) = convert(&column.kind, &plain, cell);
        made.unwrap_or_else(|_| Datum::Stored(Cell::Text("unreadable".to_owned())))
    };
    way.columns.iter().zip(cells).map(one).collect()
}

fn outline(way: &Way, standing: &Standing, in_source: u64) -> TableReport {
    let columns = way
        .columns
        .iter()
        .zip(&standing.found)
        .map(|(column, found)| ColumnReport {
            source: column.source.clone(),
            source_type: column.source_type.clone(),
            target: column.target.clone(),
            target_type: column.target_type.clone(),
            found: found.clone(),
            checksums: None,
        });
    let mut rejects = standing.rejects.clone();
    rejects.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.cmp(b)));
    TableReport {
        source: way.source.to_string(),
        target: way.target.to_string(),
        in_source,
        read: standing.read,
        written: standing.written,
        rejected: standing.rejected,
        in_target: None,
        rejects,
        suspects: Vec::new(),
        rows: None,
        columns: columns.collect(),
    }
}

pub(super) async fn dry_run(transfer: &Transfer) -> Result<Report> {
    let start = Instant::now();
    let (from, to) = transfer.backends()?;
    let source = introspect(&transfer.source).await?;
    let there = introspect(&transfer.target).await?;
    let mut reader = Reader::open(&transfer.source, from).await?;
    let numbers = numbers(&mut reader, from).await?;
    let sides = Sides {
        source: &source,
        target: &there,
        from,
        to,
        numbers: &numbers,
    };
    let plan = plan(&sides, &transfer.wishes)?;
    let counts = counts(&mut reader, &plan).await?;
    let journal = Journal {
        phase: Phase::Rows,
        step: 0,
        report: None,
        tables: plan.tables.iter().map(|way| (0, Standing::of(way))).collect(),
        plan,
    };
    let mut telling = Telling::new(transfer.told.clone(), start, &counts, &journal);
    let mut lines = match &transfer.rejects {
        Some(path) => Some(Lines::create(path.clone()).await?),
        None => None,
    };
    let mut tables = Vec::new();
    let ways: Vec<Arc<Way>> = journal.plan.tables.iter().cloned().map(Arc::new).collect();
    for (i, (way, (_, mut standing))) in ways.iter().zip(journal.tables).enumerate() {
        let mut rows = reader.rows(wanted(way, 0, transfer.batch)).await?;
        while let Some(piece) = rows.piece().await? {
            let sorted = blocking({
                let way = way.clone();
                move || sort(&way, piece)
            })
            .await?;
            standing.read += sorted.read;
            standing.written += sorted.rows.len() as u64;
            for (all, new) in standing.found.iter_mut().zip(sorted.found) {
                for (name, n) in new {
                    *all.entry(name).or_default() += n;
                }
            }
            let mut text = String::new();
            for reject in &sorted.rejects {
                standing.reject(reject);
                text += &text_of(reject)?;
                text.push('\n');
            }
            if let Some(some) = lines.take() {
                lines = Some(some.write(text).await?);
            }
            telling.tell(way, i, &standing);
        }
        let mut table = outline(way, &standing, counts[i]);
        table.suspects = suspects(&mut reader, &journal.plan, i).await?;
        tables.push(table);
    }
    if let Some(lines) = lines {
        lines.finish().await?;
    }
    reader.close().await?;
    Ok(Report {
        source: from.name().to_owned(),
        target: to.name().to_owned(),
        dry_run: true,
        resumed: false,
        tables,
        left_out: journal.plan.left_out,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Keys that occur twice, and rows that refer to nothing, as the source compares values.
async fn suspects(reader: &mut Reader, plan: &Plan, table: usize) -> Result<Vec<RejectCount>> {
    let way = &plan.tables[table];
    let mut found = Vec::new();
    let count = |rows: Vec<Vec<Option<String>>>| -> u64 {
        let first = rows
            .into_iter()
            .next()
            .and_then(|r| r.into_iter().next().flatten());
        first.and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    let mut keep = |reason, columns: &[String], rows| {
        if rows > 0 {
            found.push(RejectCount {
                reason,
                column: Some(columns.join(", ")),
                rows,
            });
        }
    };
    for set in &way.uniques {
        let list: Vec<String> = set.iter().map(|c| quoted(c)).collect();
        let (list, all) = (list.join(", "), all_there(set, ""));
        let query = format!(
            "SELECT CAST(coalesce(sum(n - 1), 0) AS TEXT) FROM (SELECT count(*) AS n FROM {} WHERE {all} GROUP BY {list}) AS g",
            name(&way.source)
        );
        keep(Reason::Duplicate, set, count(reader.texts(&query, 1).await?));
    }
    for link in plan.links.iter().filter(|l| l.child == table) {
        let Some(parent) = plan.tables.iter().find(|t| t.target == link.parent) else {
            continue;
        };
        let of = |way: &Way, names: &[String]| -> Option<Vec<String>> {
            let one = |name: &String| {
                way.columns
                    .iter()
                    .find(|c| c.target == *name)
                    .map(|c| c.source.clone())
            };
            names.iter().map(one).collect()
        };
        let (Some(own), Some(theirs)) = (of(way, &link.columns), of(parent, &link.parent_columns)) else {
            continue;
        };
        let pairs = theirs
            .iter()
            .zip(&own)
            .map(|(p, c)| format!("p.{} = c.{}", quoted(p), quoted(c)));
        let query = format!(
            "SELECT CAST(count(*) AS TEXT) FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
            name(&way.source),
            all_there(&own, "c."),
            name(&parent.source),
            pairs.collect::<Vec<_>>().join(" AND ")
        );
        keep(Reason::Orphan, &own, count(reader.texts(&query, 1).await?));
    }
    Ok(found)
}

/// No one of these is NULL.
pub(super) fn all_there(columns: &[String], alias: &str) -> String {
    let each: Vec<String> = columns
        .iter()
        .map(|c| format!("{alias}{} IS NOT NULL", quoted(c)))
        .collect();
    each.join(" AND ")
}

/// The file of rejects, written beside its place and put there when it is whole.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    async fn create(path: PathBuf) -> Result<Self> {
        let made = blocking(move || {
            let file = File::create(beside_path(&path))?;
            Ok(Lines {
                path,
                file: BufWriter::new(file),
            })
        });
        made.await?.map_err(unwritable)
    }
    async fn write(mut self, text: String) -> Result<Self> {
        let done = blocking(move || self.file.write_all(text.as_bytes()).map(|()| self));
        done.await?.map_err(unwritable)
    }
    async fn finish(self) -> Result<()> {
        let done = blocking(move || {
            self.file
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?
                .sync_all()?;
            std::fs::rename(beside_path(&self.path), &self.path)
        });
        done.await?.map_err(unwritable)
    }
}

fn beside_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn unwritable(error: std::io::Error) -> Error {
    Error::config(format!("the file of rejects cannot be written: {}", error.kind()))
}

async fn write_rejects(path: Option<&Path>, target: &mut Target) -> Result<()> {
    let Some(path) = path else {
        return Ok(());
    };
    let mut lines = Lines::create(path.to_owned()).await?;
    let mut behind = i64::MIN;
    loop {
        let some = target.rejects(behind).await?;
        let Some((last, _)) = some.last() else {
            return lines.finish().await;
        };
        behind = *last;
        let text: String = some.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        lines = lines.write(text).await?;
    }
}

//! What is timed and how: peers take turns inside every round, so that whatever disturbs the machine disturbs all
//! of them, and only ratios within one run are meant to be read.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::data::{NewPerson, Person, SEEDED, keys};
use crate::library::{AUTHORS, EACH, Shelf, expected};

/// Any failure of a peer ends the run, so one opaque error is enough.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The shortest batch worth reading the clock for.
const BATCH_TIME: Duration = Duration::from_millis(5);
const LARGEST_BATCH: usize = 1 << 14;

/// Rows of one bulk insert.
const BULK: i64 = 1_000;

/// One library on one backend, connected to a `people` table nobody else touches.
pub(crate) trait Peer: Send {
    const NAME: &'static str;
    /// What the library decodes a row into.
    type Row: Into<Person> + Send;

    /// Reads the person with this key.
    fn find(&mut self, id: i64) -> impl Future<Output = Result<Self::Row>> + Send;

    /// Reads the people with the keys `1..=rows` in the order of their keys. A range of keys rather than a bound
    /// `LIMIT`: SQLite looks at the value of that while it plans, and so compiles the statement again for each run.
    fn select(&mut self, rows: i64) -> impl Future<Output = Result<Vec<Self::Row>>> + Send;

    /// Writes one person and returns the key the database chose.
    fn insert(&mut self, new: NewPerson) -> impl Future<Output = Result<i64>> + Send;

    /// Writes many people, all or none.
    fn insert_many(&mut self, new: Vec<NewPerson>) -> impl Future<Output = Result<()>> + Send;

    /// Changes one column of one person; returns how many rows were changed.
    fn update(&mut self, id: i64, age: i32) -> impl Future<Output = Result<u64>> + Send;

    /// An author with all that is below, as the library builds it.
    type Shelf: Into<Shelf> + Send;

    /// Reads all authors with their books with their chapters, in the order of their keys.
    fn associations(&mut self) -> impl Future<Output = Result<Vec<Self::Shelf>>> + Send;

    /// Deletes everybody whose key is above [`SEEDED`]; never timed.
    fn clear(&mut self) -> impl Future<Output = Result<()>> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    FindByPk,
    Select,
    InsertOne,
    InsertMany,
    UpdateOne,
    Associations,
}

impl Workload {
    pub(crate) const ALL: [Workload; 6] = [
        Workload::FindByPk,
        Workload::Select,
        Workload::InsertOne,
        Workload::InsertMany,
        Workload::UpdateOne,
        Workload::Associations,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Workload::FindByPk => "find_by_pk",
            Workload::Select => "select",
            Workload::InsertOne => "insert_one",
            Workload::InsertMany => "insert_many",
            Workload::UpdateOne => "update_one",
            Workload::Associations => "associations",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Workload> {
        Workload::ALL.into_iter().find(|workload| workload.name() == name)
    }

    /// The row counts this workload is measured with.
    fn sizes(self) -> &'static [i64] {
        match self {
            Workload::Select => &[1, 10, 100, 1_000, SEEDED],
            Workload::InsertMany => &[BULK],
            Workload::Associations => &[AUTHORS * EACH * EACH],
            Workload::FindByPk | Workload::InsertOne | Workload::UpdateOne => &[1],
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) workload: Workload,
    pub(crate) rows: i64,
}

impl Task {
    pub(crate) fn of(workloads: &[Workload]) -> Vec<Task> {
        workloads
            .iter()
            .flat_map(|&workload| workload.sizes().iter().map(move |&rows| Task { workload, rows }))
            .collect()
    }
}

/// The median time of one operation of one peer; not a number when it took no part.
#[derive(Clone, Debug)]
pub(crate) struct Median {
    pub(crate) peer: &'static str,
    pub(crate) nanoseconds: f64,
}

pub(crate) type Job<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A [`Peer`] behind a pointer. One call times a whole batch, so that the pointer and the box cost nothing that
/// shows in an operation.
pub(crate) trait Runner: Send {
    fn name(&self) -> &'static str;

    /// Whether it takes part in this workload.
    fn runs(&self, _: Workload) -> bool {
        true
    }

    /// Fills the empty table by the peer's own bulk insert, so that each peer reads values in the form it writes.
    fn seed(&mut self) -> Job<'_, ()>;

    /// Fails unless every operation does to the table what the other peers' do.
    fn check(&mut self) -> Job<'_, ()>;

    /// Runs the task `batch` times and returns how long that took altogether.
    fn time(&mut self, task: Task, batch: usize, salt: u64) -> Job<'_, Duration>;
}

impl<P: Peer> Runner for P {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn seed(&mut self) -> Job<'_, ()> {
        Box::pin(async move {
            for first in (1..=SEEDED).step_by(BULK as usize) {
                self.insert_many(NewPerson::several(first, BULK)).await?;
            }
            Ok(())
        })
    }

    fn check(&mut self) -> Job<'_, ()> {
        Box::pin(check(self))
    }

    fn time(&mut self, task: Task, batch: usize, salt: u64) -> Job<'_, Duration> {
        Box::pin(time(self, task, batch, salt))
    }
}

/// Measures one task: `rounds` rounds, in each of which every peer runs one batch, the first peer being another
/// one each time.
pub(crate) async fn measure(peers: &mut [Box<dyn Runner>], task: Task, rounds: usize) -> Result<Vec<Median>> {
    let mut batches = Vec::with_capacity(peers.len());
    for peer in peers.iter_mut() {
        batches.push(match peer.runs(task.workload) {
            true => Some(calibrate(peer.as_mut(), task).await?),
            false => None,
        });
    }
    let mut samples = vec![Vec::with_capacity(rounds); peers.len()];
    for round in 0..rounds {
        for turn in 0..peers.len() {
            let index = (round + turn) % peers.len();
            let Some(batch) = batches[index] else { continue };
            let elapsed = peers[index].time(task, batch, round as u64 + 1).await?;
            samples[index].push(elapsed.as_nanos() as f64 / batch as f64);
        }
    }
    let medians = samples.iter_mut().map(|of_peer| median(of_peer));
    Ok(peers
        .iter()
        .zip(medians)
        .map(|(peer, nanoseconds)| Median {
            peer: peer.name(),
            nanoseconds,
        })
        .collect())
}

/// Doubles the batch until it is long enough; this warms caches and prepares statements as well.
async fn calibrate(peer: &mut dyn Runner, task: Task) -> Result<usize> {
    let mut batch = 1;
    while peer.time(task, batch, 0).await? < BATCH_TIME && batch < LARGEST_BATCH {
        batch *= 2;
    }
    Ok(batch)
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples {
        [] => f64::NAN,
        _ if samples.len() % 2 == 1 => samples[middle],
        _ => (samples[middle - 1] + samples[middle]) / 2.0,
    }
}

/// One operation goes ahead of the clock in every batch, because the peer before has filled the caches with its own.
async fn time<P: Peer>(peer: &mut P, task: Task, batch: usize, salt: u64) -> Result<Duration> {
    match task.workload {
        Workload::FindByPk => {
            let keys = keys(batch, salt);
            black_box(peer.find(keys[0]).await?);
            let start = Instant::now();
            for id in keys {
                black_box(peer.find(id).await?);
            }
            Ok(start.elapsed())
        }
        Workload::Select => {
            black_box(peer.select(task.rows).await?);
            let start = Instant::now();
            for _ in 0..batch {
                black_box(peer.select(task.rows).await?);
            }
            Ok(start.elapsed())
        }
        Workload::InsertOne => {
            let people = NewPerson::several(SEEDED + 1, batch as i64);
            peer.insert(people[0].clone()).await?;
            let start = Instant::now();
            for person in people {
                black_box(peer.insert(person).await?);
            }
            let elapsed = start.elapsed();
            peer.clear().await?;
            Ok(elapsed)
        }
        Workload::InsertMany => {
            let people = NewPerson::several(SEEDED + 1, task.rows);
            let copies = vec![people.clone(); batch];
            peer.insert_many(people).await?;
            let start = Instant::now();
            for copy in copies {
                peer.insert_many(copy).await?;
            }
            let elapsed = start.elapsed();
            peer.clear().await?;
            Ok(elapsed)
        }
        Workload::Associations => {
            black_box(peer.associations().await?);
            let start = Instant::now();
            for _ in 0..batch {
                black_box(peer.associations().await?);
            }
            Ok(start.elapsed())
        }
        Workload::UpdateOne => {
            let keys = keys(batch, salt);
            let mut updated = 0;
            peer.update(keys[0], 0).await?;
            let start = Instant::now();
            for id in keys {
                updated += peer.update(id, id as i32).await?;
            }
            let elapsed = start.elapsed();
            expect(P::NAME, "rows updated", updated == batch as u64)?;
            Ok(elapsed)
        }
    }
}

async fn check<P: Peer>(peer: &mut P) -> Result<()> {
    let name = P::NAME;
    for id in [1, 2, 3, SEEDED] {
        expect(
            name,
            "find",
            peer.find(id).await?.into() == NewPerson::numbered(id).keyed(id),
        )?;
    }
    let all = peer.select(SEEDED + 1).await?;
    expect(name, "number of rows", all.len() as i64 == SEEDED)?;
    for (row, id) in all.into_iter().zip(1..) {
        expect(name, "select", row.into() == NewPerson::numbered(id).keyed(id))?;
    }

    let new = NewPerson::numbered(4_711);
    let id = peer.insert(new.clone()).await?;
    expect(
        name,
        "insert",
        id > SEEDED && peer.find(id).await?.into() == new.clone().keyed(id),
    )?;
    expect(name, "update", peer.update(id, 3).await? == 1)?;
    expect(
        name,
        "updated row",
        peer.find(id).await?.into() == NewPerson { age: 3, ..new }.keyed(id),
    )?;
    peer.insert_many(NewPerson::several(1, BULK)).await?;
    expect(
        name,
        "bulk insert",
        peer.select(2 * SEEDED).await?.len() as i64 == SEEDED + 1 + BULK,
    )?;
    let shelves: Vec<Shelf> = peer.associations().await?.into_iter().map(Into::into).collect();
    expect(name, "associations", shelves == expected())?;
    peer.clear().await?;
    expect(
        name,
        "clear",
        peer.select(2 * SEEDED).await?.len() as i64 == SEEDED,
    )
}

pub(crate) fn expect(peer: &str, what: &str, holds: bool) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(format!("{peer}: {what} is not what the other peers do").into())
    }
}

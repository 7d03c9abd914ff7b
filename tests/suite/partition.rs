//! Generated queries keep what logic says of them, whatever they are: living rows and deleted rows are all rows, and a
//! condition, its opposite and "unknown" leave nothing out. On every terminal and along every relation.
//!
//! `ORM_TEST_QUERIES=5000` checks more conditions, `ORM_TEST_SEED=17` that one alone.

use std::collections::{BTreeMap, BTreeSet};

use orm::prelude::*;
use orm::query::Filter;
use orm::schema::Schema;

use crate::random::{Gen, seeds};

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[has_many(works: Work, by = author_id)]
#[has_many(edited: Work, by = editor_id)]
pub struct Writer {
    pub id: Id<Writer>,
    pub name: Option<String>,
    pub age: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[has_many(remarks: Remark)]
#[many_to_many(topics: Topic, via = Tagging)]
pub struct Work {
    pub id: Id<Work>,
    #[belongs_to(author: Writer)]
    pub author_id: Option<Id<Writer>>,
    #[belongs_to(editor: Writer)]
    pub editor_id: Id<Writer>,
    pub title: Option<String>,
    pub score: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[many_to_many(works: Work, via = Tagging)]
pub struct Topic {
    pub id: Id<Topic>,
    pub label: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete, id(work_id, topic_id))]
pub struct Tagging {
    #[belongs_to(work: Work)]
    pub work_id: Id<Work>,
    #[belongs_to(topic: Topic)]
    pub topic_id: Id<Topic>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
pub struct Remark {
    pub id: Id<Remark>,
    #[belongs_to(work: Work)]
    pub work_id: Option<Id<Work>>,
    pub stars: Option<i32>,
}

fn press() -> Schema {
    orm::schema![Writer, Work, Topic, Tagging, Remark]
}

fn number(g: &mut Gen) -> i64 {
    g.below(6) as i64
}
fn word(g: &mut Gen) -> String {
    g.pick(&["", "a", "b", "ab", "ba", "%"]).to_owned()
}

// ---- conditions over each model, inside a query rooted at `S`

fn work<S: Model>(g: &mut Gen, w: WorkCols<S>, depth: u32) -> Filter<S> {
    if let Some(both) = combined(g, depth, |g, depth| work(g, w, depth)) {
        return both;
    }
    let below = depth.saturating_sub(1);
    match g.below(if depth == 0 { 8 } else { 21 }) {
        0 => w.score.gt(number(g)),
        1 => w.score.eq_opt(g.maybe(number)),
        2 => w.score.is_null(),
        3 => w.title.contains(word(g)),
        4 => w
            .score
            .in_((0..g.below(3)).map(|_| number(g)).collect::<Vec<_>>()),
        5 => w
            .score
            .not_in((0..g.below(3)).map(|_| number(g)).collect::<Vec<_>>()),
        6 => w.author_id.is_null(),
        7 => w.title.ne_opt(g.maybe(word)),
        8 => w.author.any(|a| writer(g, a, below)),
        9 => w.author.none(|a| writer(g, a, below)),
        10 => w.editor.any(|a| writer(g, a, below)),
        11 => w.editor.col(|a| a.age).le(number(g) as i32),
        12 => w.author.col(|a| a.name).is_null(),
        13 => w.remarks.any(|r| remark(g, r, below)),
        14 => w.remarks.all(|r| remark(g, r, below)),
        15 => w.remarks.count().ge(number(g) / 2),
        16 => w.remarks.agg(|r| r.stars.sum()).lt(2 * number(g)),
        17 => w.topics.none(|t| topic(g, t, below)),
        18 => w.topics.count_where(|t| topic(g, t, below)).ne(number(g) / 2),
        19 => w.id.in_(remarked(g, below)),
        _ => w.id.not_in(remarked(g, below)),
    }
}

/// The keys that remarks have: NULL among them.
fn remarked(g: &mut Gen, depth: u32) -> Query<Remark, Option<Id<Work>>> {
    Remark::query()
        .filter(|r| remark(g, r, depth))
        .select(|r| r.work_id)
}

fn writer<S: Model>(g: &mut Gen, w: WriterCols<S>, depth: u32) -> Filter<S> {
    if let Some(both) = combined(g, depth, |g, depth| writer(g, w, depth)) {
        return both;
    }
    let below = depth.saturating_sub(1);
    match g.below(if depth == 0 { 3 } else { 6 }) {
        0 => w.age.between(number(g) as i32, 4),
        1 => w.name.starts_with(word(g)),
        2 => w.age.is_not_null(),
        3 => w.works.any(|w| work(g, w, below)),
        4 => w.edited.count().gt(number(g) / 2),
        _ => w.works.agg(|w| w.score.max()).ge(number(g)),
    }
}

fn topic<S: Model>(g: &mut Gen, t: TopicCols<S>, depth: u32) -> Filter<S> {
    match g.below(if depth == 0 { 2 } else { 3 }) {
        0 => t.label.eq_opt(g.maybe(word)),
        1 => t.label.ne(word(g)),
        _ => t.works.none(|w| work(g, w, depth.saturating_sub(1))),
    }
}

fn remark<S: Model>(g: &mut Gen, r: RemarkCols<S>, depth: u32) -> Filter<S> {
    match g.below(if depth == 0 { 3 } else { 4 }) {
        0 => r.stars.gt(number(g) as i32),
        1 => r.stars.ne_opt(g.maybe(|g| number(g) as i32)),
        2 => r.work_id.is_null().or(r.stars.lt(number(g) as i32)),
        _ => r.work.any(|w| work(g, w, depth.saturating_sub(1))),
    }
}

/// Sometimes a condition of several.
fn combined<S: Model>(
    g: &mut Gen,
    depth: u32,
    mut one: impl FnMut(&mut Gen, u32) -> Filter<S>,
) -> Option<Filter<S>> {
    if depth == 0 || g.one_in(2) {
        return None;
    }
    let depth = depth - 1;
    Some(match g.below(5) {
        0 => one(g, depth).and(one(g, depth)),
        1 => one(g, depth).or(one(g, depth)),
        2 => one(g, depth).not(),
        3 => all_of((0..g.below(4)).map(|_| one(g, depth)).collect::<Vec<_>>()),
        _ => any_of((0..g.below(4)).map(|_| one(g, depth)).collect::<Vec<_>>()),
    })
}

/// The condition is neither true nor false.
fn unknown<S>(p: Filter<S>, same: Filter<S>) -> Filter<S> {
    case(p, 1i64).when(same.not(), 0i64).or_null().is_null()
}

// ---- rows, and what is true of them

/// Rows of every kind with NULLs in all places, a third of each deleted.
async fn fill(db: &Db, seed: u64) -> orm::Result<()> {
    let g = &mut Gen::new(seed);
    let writers = (0..9).map(|_| {
        let (name, age) = (g.maybe(word), g.maybe(|g| number(g) as i32));
        NewWriter {}.set(|w| (w.name.to(name), w.age.to(age)))
    });
    let writers = NewWriter::insert_all(db, writers.collect::<Vec<_>>()).await?;
    let any_writer = |g: &mut Gen| writers[g.below(9) as usize].id;
    let works = (0..26).map(|_| {
        let author = g.maybe(any_writer);
        let (title, score) = (g.maybe(word), g.maybe(number));
        let new = NewWork {
            editor_id: any_writer(g),
        };
        new.set(|w| (w.author_id.to(author), w.title.to(title), w.score.to(score)))
    });
    let works = NewWork::insert_all(db, works.collect::<Vec<_>>()).await?;
    let topics = (0..6).map(|_| {
        let label = g.maybe(word);
        NewTopic {}.set(|t| t.label.to(label))
    });
    let topics = NewTopic::insert_all(db, topics.collect::<Vec<_>>()).await?;
    let pairs: BTreeSet<(u64, u64)> = (0..40).map(|_| (g.below(26), g.below(6))).collect();
    let tag = |&(w, t): &(u64, u64)| NewTagging {
        work_id: works[w as usize].id,
        topic_id: topics[t as usize].id,
    };
    let taggings = NewTagging::insert_all(db, pairs.iter().map(tag)).await?;
    let remarks = (0..40).map(|_| {
        let (of, stars) = (
            g.maybe(|g| works[g.below(26) as usize].id),
            g.maybe(|g| number(g) as i32),
        );
        NewRemark {}.set(|r| (r.work_id.to(of), r.stars.to(stars)))
    });
    let remarks = NewRemark::insert_all(db, remarks.collect::<Vec<_>>()).await?;
    let mut third = |_: &_| g.one_in(3);
    macro_rules! delete {
        ($rows:expr) => {
            for row in $rows {
                if third(&()) {
                    row.delete(db).await?;
                }
            }
        };
    }
    delete!(writers);
    delete!(works);
    delete!(topics);
    delete!(taggings);
    delete!(remarks);
    Ok(())
}

/// Keys of the rows that live, asked of the database without any help.
struct Truth {
    writers: BTreeSet<i64>,
    works: BTreeSet<i64>,
    topics: BTreeSet<i64>,
    taggings: Vec<(i64, i64)>,
}

async fn truth(db: &Db) -> orm::Result<Truth> {
    let set = |keys: Vec<i64>| keys.into_iter().collect();
    let writers = sql!("select id from writers where deleted_at is null")
        .fetch(db)
        .await?;
    let works = sql!("select id from works where deleted_at is null")
        .fetch(db)
        .await?;
    let topics = sql!("select id from topics where deleted_at is null")
        .fetch(db)
        .await?;
    let taggings = sql!("select work_id, topic_id from taggings where deleted_at is null");
    Ok(Truth {
        writers: set(writers),
        works: set(works),
        topics: set(topics),
        taggings: taggings.fetch(db).await?,
    })
}

/// Which rows a query sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum See {
    Living,
    Deleted,
    All,
}

const SEE: [See; 3] = [See::Living, See::Deleted, See::All];

fn works(see: See) -> Query<Work> {
    match see {
        See::Living => Work::query(),
        See::Deleted => Work::query().only_deleted(),
        See::All => Work::query().with_deleted(),
    }
}

fn sorted<T: Ord>(lists: impl IntoIterator<Item = Vec<T>>) -> Vec<T> {
    let mut all: Vec<T> = lists.into_iter().flatten().collect();
    all.sort();
    all
}

async fn keys(db: &Db, query: Query<Work>) -> orm::Result<Vec<i64>> {
    let keys = query.select(|w| w.id).all(db).await?;
    Ok(sorted([keys.into_iter().map(Id::raw).collect()]))
}

// ---- the properties

/// Rows: living and deleted ones are all, and a condition, its opposite and "unknown" are all.
async fn rows(db: &Db, seed: u64, truth: &Truth) -> orm::Result<()> {
    let p = |w: WorkCols<Work>| work(&mut Gen::new(seed), w, 3);
    let mut seen = Vec::new();
    for see in SEE {
        let yes = keys(db, works(see).filter(p)).await?;
        let no = keys(db, works(see).filter(|w| p(w).not())).await?;
        let open = keys(db, works(see).filter(|w| unknown(p(w), p(w)))).await?;
        let all = keys(db, works(see)).await?;
        assert_eq!(
            sorted([yes.clone(), no, open]),
            all,
            "{see:?}: three parts are all"
        );
        let lives = |key: &i64| truth.works.contains(key);
        assert!(
            see == See::All || all.iter().all(|key| lives(key) == (see == See::Living)),
            "{see:?}"
        );
        let marked = works(see).select(|w| (w.id, p(w))).all(db).await?;
        let marked = marked.into_iter().filter(|(_, yes)| *yes).map(|(id, _)| id.raw());
        assert_eq!(sorted([marked.collect()]), yes, "{see:?}: a selected condition");
        seen.push(yes);
    }
    assert_eq!(
        sorted([seen[0].clone(), seen[1].clone()]),
        seen[2],
        "living and deleted are all"
    );
    terminals(db, seed, &seen).await
}

/// Every terminal tells of the same rows.
async fn terminals(db: &Db, seed: u64, seen: &[Vec<i64>]) -> orm::Result<()> {
    let p = |w: WorkCols<Work>| work(&mut Gen::new(seed), w, 3);
    let mut sums = Vec::new();
    for (see, expected) in SEE.into_iter().zip(seen) {
        let query = || works(see).filter(p);
        assert_eq!(
            query().count(db).await? as usize,
            expected.len(),
            "{see:?}: count"
        );
        assert_eq!(
            query().distinct().count(db).await? as usize,
            expected.len(),
            "{see:?}: distinct"
        );
        assert_eq!(query().exists(db).await?, !expected.is_empty(), "{see:?}: exists");
        let ordered = || query().order_by(|w| (w.score.desc(), w.id.asc()));
        let list = ordered().select(|w| w.id).all(db).await?;
        assert_eq!(
            sorted([list.iter().map(|id| id.raw()).collect()]),
            *expected,
            "{see:?}: in order"
        );
        let size = Gen::new(seed).below(7) + 1;
        let mut paged = Vec::new();
        for page in 0..=list.len() as u64 / size {
            let rows = ordered().limit(size).offset(page * size).all(db).await?;
            paged.extend(rows.into_iter().map(|w| w.id));
        }
        assert_eq!(paged, list, "{see:?}: pages");
        let at = list.len() as u64 / 2;
        let middle = ordered().offset(at).first(db).await?;
        assert_eq!(
            middle.map(|w| w.id),
            list.get(at as usize).copied(),
            "{see:?}: first"
        );
        let mut tx = db.begin().await?;
        let mut stream = ordered().stream(&mut tx);
        let mut streamed = Vec::new();
        while let Some(row) = stream.next().await? {
            streamed.push(row.id);
        }
        drop(stream);
        tx.rollback().await?;
        assert_eq!(streamed, list, "{see:?}: stream");
        let all = query().aggregate(|w| (w.score.sum(), w.score.count(), w.score.min(), w.score.max()));
        let all: (Option<i64>, i64, Option<i64>, Option<i64>) = all.one(db).await?;
        let groups: Vec<(Option<i64>, i64)> = query()
            .group_by(|w| w.score)
            .select(|g| (g.key(), g.count()))
            .all(db)
            .await?;
        let groups: BTreeMap<Option<i64>, i64> = groups.into_iter().collect();
        sums.push((all, groups));
    }
    let [(a, in_a), (b, in_b), (all, in_all)] = sums.try_into().expect("three");
    let sum = |a: Option<i64>, b: Option<i64>| a.map_or(b, |a| Some(a + b.unwrap_or(0)));
    assert_eq!((sum(a.0, b.0), a.1 + b.1), (all.0, all.1), "sums and counts");
    let least = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
    assert_eq!(
        (least(a.2, b.2), a.3.max(b.3)),
        (all.2, all.3),
        "least and greatest"
    );
    let mut groups = in_a;
    for (key, n) in in_b {
        *groups.entry(key).or_default() += n;
    }
    assert_eq!(groups, in_all, "groups");
    Ok(())
}

/// Joins: the guard of each table holds, and conditions over both tables leave nothing out.
async fn joins(db: &Db, seed: u64, truth: &Truth) -> orm::Result<()> {
    let p = |(w, t): (WorkCols<Work>, TopicCols<Work>)| {
        let g = &mut Gen::new(seed);
        match g.below(3) {
            0 => work(g, w, 2).and(topic(g, t, 1)),
            1 => work(g, w, 2).or(topic(g, t, 1)),
            _ => t.label.eq(w.title).or(work(g, w, 1)),
        }
    };
    let mut seen = Vec::new();
    for see in SEE {
        let pairs = || works(see).join(|w| w.topics);
        let part = async |query: orm::query::Join<Work, (WorkCols<Work>, TopicCols<Work>)>| {
            let pairs = query.select(|(w, t)| (w.id, t.id)).all(db).await?;
            let raw = pairs.into_iter().map(|(w, t)| (w.raw(), t.raw())).collect();
            orm::Result::Ok(sorted([raw]))
        };
        let yes = part(pairs().filter(p)).await?;
        let no = part(pairs().filter(|c| p(c).not())).await?;
        let open = part(pairs().filter(|c| unknown(p(c), p(c)))).await?;
        let all = part(pairs()).await?;
        assert_eq!(
            sorted([yes.clone(), no, open]),
            all,
            "{see:?}: three parts of a join"
        );
        let expected = truth.taggings.iter().copied().filter(|(w, t)| {
            let right = see == See::All || truth.works.contains(w) == (see == See::Living);
            right && truth.topics.contains(t)
        });
        assert_eq!(all, sorted([expected.collect()]), "{see:?}: guards of a join");
        seen.push(yes);
    }
    assert_eq!(
        sorted([seen[0].clone(), seen[1].clone()]),
        seen[2],
        "a join of all"
    );

    let p = |w: WorkCols<Work>| work(&mut Gen::new(seed), w, 2);
    for see in SEE {
        let plain: Vec<Work> = works(see).filter(p).order_by(|w| w.id.asc()).all(db).await?;
        let left = works(see)
            .left_join(|w| w.author)
            .filter(|(w, _)| p(w))
            .order_by(|(w, _)| w.id.asc());
        let left = left.select(|(w, a)| (w.id, a.map(|a| a.id))).all(db).await?;
        let lives = |id: Id<Writer>| truth.writers.contains(&id.raw());
        let expected: Vec<_> = plain
            .iter()
            .map(|w| (w.id, w.author_id.filter(|id| lives(*id))))
            .collect();
        assert_eq!(left, expected, "{see:?}: a left join to authors who live");
        let inner = works(see)
            .join(|w| w.editor)
            .filter(|(w, _)| p(w))
            .order_by(|(w, _)| w.id.asc());
        let inner = inner.select(|(w, e)| (w.id, e.id)).all(db).await?;
        let expected: Vec<_> = plain.iter().map(|w| (w.id, w.editor_id)).collect();
        assert_eq!(
            inner, expected,
            "{see:?}: a required row is there, deleted or not"
        );
    }
    Ok(())
}

/// Relations: what is loaded, counted and asked for in conditions are the same rows, and the living and the deleted
/// ones among them are all.
async fn relations(db: &Db, seed: u64, truth: &Truth) -> orm::Result<()> {
    let of = |g: u64| Gen::new(seed.wrapping_mul(3).wrapping_add(g));
    let p = |w: WorkCols<Work>| work(&mut of(0), w, 2);
    fn r<S: Model>(mut g: Gen, r: RemarkCols<S>) -> Filter<S> {
        remark(&mut g, r, 2)
    }
    fn t<S: Model>(mut g: Gen, t: TopicCols<S>) -> Filter<S> {
        topic(&mut g, t, 2)
    }
    let query = || Work::query().filter(p).order_by(|w| w.id.asc());
    let ids = |rows: &[Remark]| sorted([rows.iter().map(|r| r.id.raw()).collect::<Vec<_>>()]);
    let living = query()
        .with(|w| w.remarks.filter(|c| r(of(1), c)))
        .all(db)
        .await?;
    let deleted = query()
        .with(|w| w.remarks.filter(|c| r(of(1), c)).only_deleted())
        .all(db)
        .await?;
    let all = query()
        .with(|w| w.remarks.filter(|c| r(of(1), c)).with_deleted())
        .all(db)
        .await?;
    for ((living, deleted), all) in living.iter().zip(&deleted).zip(&all) {
        assert_eq!(
            sorted([ids(&living.remarks), ids(&deleted.remarks)]),
            ids(&all.remarks),
            "loads"
        );
    }
    let whole = query().with(|w| w.remarks).all(db).await?;
    let asked = query().select(|w| {
        (
            w.remarks.any(|c| r(of(1), c)),
            w.remarks.none(|c| r(of(1), c)),
            w.remarks.all(|c| r(of(1), c)),
            w.remarks.count(),
            w.remarks.count_where(|c| r(of(1), c)),
            w.remarks.agg(|r| r.stars.sum()),
        )
    });
    let asked = asked.all(db).await?;
    assert_eq!((asked.len(), whole.len()), (living.len(), living.len()));
    for ((met, whole), asked) in living.iter().zip(&whole).zip(asked) {
        let (met, stars) = (met.remarks.len(), whole.remarks.iter().filter_map(|r| r.stars));
        let stars: Vec<i64> = stars.map(i64::from).collect();
        let sum = (!stars.is_empty()).then(|| stars.iter().sum::<i64>());
        let n = whole.remarks.len();
        let expected = (met > 0, met == 0, met == n, n as i64, met as i64, sum);
        assert_eq!(asked, expected, "what is asked of a relation and what is loaded");
    }
    // over a join table
    let topics = query().with(|w| w.topics).all(db).await?;
    for w in &topics {
        let loaded = sorted([w.topics.iter().map(|t| t.id.raw()).collect::<Vec<_>>()]);
        let expected = truth
            .taggings
            .iter()
            .filter(|(of, t)| *of == w.id.raw() && truth.topics.contains(t));
        assert_eq!(loaded, sorted([expected.map(|(_, t)| *t).collect()]), "topics");
    }
    let some = query().with(|w| w.topics.filter(|c| t(of(2), c))).all(db).await?;
    let asked = query().select(|w| (w.topics.count(), w.topics.any(|c| t(of(2), c))));
    for ((whole, some), asked) in topics.iter().zip(&some).zip(asked.all(db).await?) {
        assert_eq!(
            asked,
            (whole.topics.len() as i64, !some.topics.is_empty()),
            "topics in conditions"
        );
    }
    // to one row, by a statement of its own and in the same one
    let apart = query()
        .with(|w| w.author)
        .with(|w| w.editor.with(|e| e.edited))
        .all(db)
        .await?;
    let joined = query()
        .with(|w| w.author.joined())
        .with(|w| w.editor.joined().with(|e| e.edited))
        .all(db)
        .await?;
    for (apart, joined) in apart.iter().zip(&joined) {
        assert_eq!(apart.author, joined.author);
        assert_eq!(*apart.editor, *joined.editor);
        assert_eq!(apart.editor.edited.len(), joined.editor.edited.len());
        let expected = apart.author_id.filter(|id| truth.writers.contains(&id.raw()));
        assert_eq!(
            joined.author.as_ref().map(|a| a.id),
            expected,
            "an author who lives"
        );
        assert_eq!(joined.editor.id, joined.editor_id, "an editor, deleted or not");
    }
    let apart = query()
        .with(|w| w.editor.live())
        .with(|w| w.author.filter(|a| a.age.ge(2)))
        .all(db)
        .await?;
    let joined = query()
        .with(|w| w.editor.joined().live())
        .with(|w| w.author.joined().filter(|a| a.age.ge(2)))
        .all(db)
        .await?;
    for (apart, joined) in apart.iter().zip(&joined) {
        assert_eq!((&apart.editor, &apart.author), (&joined.editor, &joined.author));
    }
    Ok(())
}

/// Writes by condition meet the living rows of the condition, all of them and no others.
async fn writes(db: &Db, seed: u64) -> orm::Result<()> {
    let p = |w: WorkCols<Work>| work(&mut Gen::new(seed), w, 3);
    let met = keys(db, Work::query().filter(p)).await?;
    let left = keys(db, Work::query().filter(|w| p(w).not())).await?;
    let open = keys(db, Work::query().filter(|w| unknown(p(w), p(w)))).await?;
    let tx = db.begin().await?;
    let changed = Work::update_where(p).set(|w| w.score.to(99)).exec(&tx).await?;
    let now = works(See::All)
        .filter(|w| w.score.eq(99))
        .select(|w| w.id)
        .all(&tx)
        .await?;
    assert_eq!(
        sorted([now.into_iter().map(Id::raw).collect()]),
        met,
        "changed rows"
    );
    assert_eq!(changed as usize, met.len());
    tx.rollback().await?;
    let tx = db.begin().await?;
    assert_eq!(
        Work::delete_where(p).exec(&tx).await? as usize,
        met.len(),
        "deleted rows"
    );
    let rest = Work::query().select(|w| w.id).all(&tx).await?;
    assert_eq!(
        sorted([rest.into_iter().map(Id::raw).collect()]),
        sorted([left, open]),
        "what stays"
    );
    tx.rollback().await
}

#[orm::test(schema = press())]
async fn living_and_deleted_rows_are_all_rows_of_every_query(db: Db) -> orm::Result<()> {
    fill(&db, 1).await?;
    let truth = truth(&db).await?;
    for seed in seeds(50) {
        rows(&db, seed, &truth).await?;
        joins(&db, seed, &truth).await?;
        relations(&db, seed, &truth).await?;
        writes(&db, seed).await?;
    }
    Ok(())
}

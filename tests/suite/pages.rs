//! Keyset pages: whatever the order, all pages together are the whole list, forwards and backwards; numbered pages.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use orm::ErrorKind;
use orm::prelude::*;
use orm::query::{Order, Paged};
use orm::{NumberedPage, Page, PageCursor};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::models::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub enum Size {
    Small,
    Large,
    Medium,
}

/// A column of every kind that an order may have, with few different values, so that most rows are equal in most orders.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Thing {
    pub id: Id<Thing>,
    pub small: i16,
    pub rank: Option<i32>,
    pub flag: bool,
    pub score: Option<f64>,
    pub ratio: f32,
    pub name: Option<String>,
    pub code: Vec<u8>,
    pub uid: Uuid,
    pub at: Option<DateTime<Utc>>,
    pub day: Option<NaiveDate>,
    pub time: NaiveTime,
    #[orm(decimal(10, 2))]
    pub price: Option<Decimal>,
    pub size: Size,
}

/// A line of numbers that look random.
struct Random(u64);
impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
    fn some<T>(&mut self, of: &[T]) -> Option<T>
    where
        T: Clone,
    {
        of.get(self.below(of.len() as u64 + 1) as usize).cloned()
    }
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

fn thing(r: &mut Random) -> orm::query::Insert<Thing> {
    let day = |n: i64| DateTime::from_timestamp_micros(n * 86_400_000_123).expect("a time");
    let (rank, score) = (r.some(&[1, 2]), r.some(&[-0.5, 1.25, 1e300]));
    let name = r.some(&["", "a", "Ä'); --", "b\u{1F600}"]).map(String::from);
    let (at, date) = (
        r.some(&[day(1), day(-2)]),
        r.some(&[day(3).date_naive(), day(400).date_naive()]),
    );
    let price = r.some(&[
        Decimal::new(-150, 2),
        Decimal::new(2, 0),
        Decimal::new(12_345_678, 2),
    ]);
    let new = NewThing {
        small: r.one(&[-1, 0, 7]),
        flag: r.one(&[true, false]),
        ratio: r.one(&[0.1, -2.5]),
        code: r.one(&[vec![], vec![0, 255], vec![1]]),
        uid: r.one(&[Uuid::nil(), Uuid::max()]),
        time: r.one(&[
            NaiveTime::MIN,
            NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("a time"),
        ]),
        size: r.one(&[Size::Small, Size::Large, Size::Medium]),
    };
    new.set(|t| {
        (
            t.rank.to(rank),
            t.score.to(score),
            t.name.to(name),
            t.at.to(at),
            t.day.to(date),
            t.price.to(price),
        )
    })
}

async fn things(db: &Db, r: &mut Random, n: usize) -> orm::Result<()> {
    let rows: Vec<_> = (0..n).map(|_| thing(r)).collect();
    NewThing::exec_all(db, rows).await?;
    Ok(())
}

/// Any order of up to three terms.
fn order<S>(r: &mut Random, t: ThingCols<S>) -> Vec<Order<S>> {
    let mut terms = Vec::new();
    for _ in 0..r.below(4) {
        let desc = r.below(2) == 1;
        macro_rules! by {
            ($($column:expr),*) => {{
                let all = [$(if desc { $column.desc() } else { $column.asc() }),*];
                r.one(&all)
            }};
        }
        let term = by!(
            t.small,
            t.rank,
            t.flag,
            t.score,
            t.ratio,
            t.name,
            t.name.lower(),
            t.code,
            t.uid,
            t.at,
            t.day,
            t.time,
            t.price,
            t.size,
            t.id
        );
        terms.push(match r.below(4) {
            0 => term.nulls_first(),
            1 => term.nulls_last(),
            _ => term,
        });
    }
    terms
}

/// Goes from page to page until there is none.
async fn walk<O>(db: &Db, pages: &Paged<Thing, O>, backwards: bool) -> orm::Result<Vec<Vec<O>>>
where
    O: orm::value::Output,
{
    let mut all = Vec::new();
    let mut pages = if backwards {
        pages.clone().last()
    } else {
        pages.clone()
    };
    loop {
        let page: Page<O> = pages.clone().fetch(db).await?;
        let cursor = if backwards { page.previous } else { page.next };
        all.push(page.items);
        // through its text, as a client sends it
        let cursor: Option<PageCursor> = cursor.map(|c| c.to_string().parse()).transpose()?;
        pages = match (cursor, backwards) {
            (None, _) => return Ok(all),
            (Some(cursor), false) => pages.after(cursor),
            (Some(cursor), true) => pages.before(cursor),
        };
    }
}

#[orm::test(schema = orm::schema![Thing])]
async fn all_pages_are_the_whole_list_in_any_order(db: Db) -> orm::Result<()> {
    let mut r = Random(11);
    things(&db, &mut r, 61).await?;
    for round in 0..60 {
        let size = 1 + r.below(25);
        let seed = r.0;
        let ordered = || Thing::query().order_by(|t| order(&mut Random(seed), t));
        let whole: Vec<Thing> = {
            // what pages add to the order, said by hand
            let terms = ordered().ast().order.clone();
            let down = terms.last().is_some_and(|o| o.desc);
            ordered()
                .order_by(|t| if down { t.id.desc() } else { t.id.asc() })
                .all(&db)
                .await?
        };
        let forwards = walk(&db, &ordered().page(size), false).await?;
        assert!(
            forwards
                .iter()
                .all(|page| !page.is_empty() && page.len() <= size as usize)
        );
        assert_eq!(forwards.concat(), whole, "round {round}, pages of {size}");
        let mut backwards = walk(&db, &ordered().page(size), true).await?;
        backwards.reverse();
        assert_eq!(
            backwards.concat(),
            whole,
            "round {round}, backwards, pages of {size}"
        );
        // filters and selections change nothing about it
        let some = || ordered().filter(|t| t.small.ge(0)).select(|t| t.id);
        let expected: Vec<Id<Thing>> = whole.iter().filter(|t| t.small >= 0).map(|t| t.id).collect();
        assert_eq!(walk(&db, &some().page(size), false).await?.concat(), expected);
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Thing])]
async fn rows_that_come_and_go_shift_no_others(db: Db) -> orm::Result<()> {
    let mut r = Random(5);
    things(&db, &mut r, 80).await?;
    for _ in 0..8 {
        let before: Vec<Id<Thing>> = Thing::query().select(|t| t.id).all(&db).await?;
        let seed = r.0;
        let ordered = || Thing::query().order_by(|t| order(&mut Random(seed), t)).page(7);
        let (mut seen, mut gone) = (Vec::new(), Vec::new());
        let mut page = ordered().fetch(&db).await?;
        loop {
            seen.extend(page.items.iter().map(|t| t.id));
            let Some(next) = page.next else { break };
            // one that was seen, perhaps the one that the cursor is of, and one that may not have been
            for id in [*seen.last().expect("a row"), r.one(&before)] {
                Thing::delete_where(|t| t.id.eq(id)).exec(&db).await?;
                gone.push(id);
            }
            things(&db, &mut r, 3).await?;
            page = ordered().after(next).fetch(&db).await?;
        }
        let mut once = seen.clone();
        once.sort_by_key(|id| id.raw());
        once.dedup();
        assert_eq!(once.len(), seen.len(), "no row came twice");
        let left_out = before.iter().find(|id| !gone.contains(id) && !seen.contains(id));
        assert_eq!(left_out, None, "every row that stayed was there");
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Thing])]
async fn a_page_tells_what_lies_beside_it(db: Db) -> orm::Result<()> {
    things(&db, &mut Random(3), 10).await?;
    let pages = || {
        Thing::query()
            .order_by(|t| t.id.asc())
            .select(|t| t.id.expr())
            .page(4)
    };
    let ids: Vec<Id<Thing>> = Thing::query()
        .order_by(|t| t.id.asc())
        .select(|t| t.id)
        .all(&db)
        .await?;
    let first = pages().fetch(&db).await?;
    assert_eq!(first.items, ids[..4]);
    assert!(first.has_more() && first.previous.is_none());
    let second = pages().after(first.next.clone()).fetch(&db).await?;
    assert_eq!(second.items, ids[4..8]);
    let back = pages().before(second.previous.clone()).fetch(&db).await?;
    assert_eq!((back.items, back.previous.is_some()), (first.items, false));
    let third = pages().after(second.next.clone()).fetch(&db).await?;
    assert_eq!((third.items.as_slice(), third.has_more()), (&ids[8..], false));
    let last = pages().last().fetch(&db).await?;
    assert_eq!((last.items.as_slice(), last.has_more()), (&ids[6..], false));
    // a page of exactly the rest has none behind it
    let rest = pages().after(pages().fetch(&db).await?.next).fetch(&db).await?;
    let rest = Thing::query()
        .order_by(|t| t.id.asc())
        .select(|t| t.id.expr())
        .page(2)
        .after(rest.next);
    assert_eq!(rest.fetch(&db).await?.next, None);
    // an empty page still leads back, to the row that its cursor was of
    Thing::delete_where(|t| t.id.gt(ids[7])).exec(&db).await?;
    let empty = pages().after(second.next).fetch(&db).await?;
    assert_eq!((empty.items.len(), empty.next), (0, None));
    let back = pages().before(empty.previous).fetch(&db).await?;
    assert_eq!(back.items, ids[4..8]);
    // no rows at all
    Thing::delete_where(|t| t.small.lt(100)).exec(&db).await?;
    let none = pages().fetch(&db).await?;
    assert_eq!(
        none,
        Page {
            items: vec![],
            next: None,
            previous: None
        }
    );
    Ok(())
}

#[orm::test(schema = orm::schema![Thing])]
async fn a_cursor_is_text_and_knows_its_query(db: Db) -> orm::Result<()> {
    things(&db, &mut Random(9), 9).await?;
    let pages = |least: i16| {
        let query = Thing::query().filter(|t| t.small.ge(least));
        query.order_by(|t| (t.name.desc(), t.price.asc())).page(2)
    };
    let next = pages(-1).fetch(&db).await?.next.expect("more");
    let text = next.to_string();
    assert!(
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    );
    assert_eq!(text.parse::<PageCursor>()?, next);
    let json = serde_json::to_string(&next).expect("json");
    assert_eq!(serde_json::from_str::<PageCursor>(&json).expect("json"), next);
    assert_eq!(format!("{next:?}"), "PageCursor(..)");
    // other values in the same conditions are the same query
    assert!(pages(0).after(next.clone()).fetch(&db).await.is_ok());
    let foreign = |result: orm::Result<Page<Thing>>| {
        let e = refused(result);
        assert_eq!(e.kind(), ErrorKind::InvalidCursor, "{e}");
        assert_eq!(e.model(), Some("Thing"));
    };
    let other_order = Thing::query()
        .filter(|t| t.small.ge(0))
        .order_by(|t| (t.name.desc(), t.price.desc()));
    foreign(other_order.page(2).after(next.clone()).fetch(&db).await);
    let other_filter = Thing::query()
        .filter(|t| t.small.gt(0))
        .order_by(|t| (t.name.desc(), t.price.asc()));
    foreign(other_filter.page(2).before(next.clone()).fetch(&db).await);
    // every other text is refused or is a place in the same rows
    for i in (0..text.len()).step_by(2) {
        for c in ["A", "_", "", "%", "é", "AAAA"] {
            let mut other = text.clone();
            other.replace_range(i..=i, c);
            match other.parse::<PageCursor>() {
                Err(e) => assert_eq!(e.kind(), ErrorKind::InvalidCursor),
                Ok(cursor) => match pages(0).after(cursor).fetch(&db).await {
                    Ok(page) => assert!(page.items.len() <= 2),
                    Err(e) => assert!(
                        matches!(
                            e.kind(),
                            ErrorKind::InvalidCursor | ErrorKind::Encode | ErrorKind::OutOfRange
                        ),
                        "{e:?}"
                    ),
                },
            }
        }
    }
    for garbage in ["", "A", "hello world", "AQAA", "AQ==", "\u{0}"] {
        assert_eq!(
            refused(garbage.parse::<PageCursor>()).kind(),
            ErrorKind::InvalidCursor
        );
    }
    assert!(serde_json::from_str::<PageCursor>("\"nothing\"").is_err());
    Ok(())
}

#[orm::test(schema = blog())]
async fn joins_groups_and_distinct_rows_have_pages(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let tags = [tag(&db, "a").await, tag(&db, "b").await, tag(&db, "c").await];
    for n in 0..9 {
        let author = if n % 3 == 0 { &ann } else { &bob };
        let p = post(&db, author, ["x", "y"][n % 2]).await;
        for tag in &tags[..n % 4] {
            label(&db, &p, tag).await;
        }
    }
    // rows of a to-many join are told apart by the keys of both sides, also where one side is missing
    let pairs = || {
        let joined = Post::query()
            .left_join(|p| p.tags)
            .order_by(|(p, t)| (p.title.asc(), t.map(|t| t.name).desc()));
        joined.select(|(p, t)| (p.id, p.title, t.map(|t| t.name)))
    };
    let whole = pairs().all(&db).await?;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = pairs().page(2).after(cursor).fetch(&db).await?;
        seen.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), whole.len());
    let sorted = |mut rows: Vec<(Id<Post>, String, Option<String>)>| {
        rows.sort_by_key(|(id, title, tag)| (title.clone(), id.raw(), tag.clone()));
        rows
    };
    assert_eq!(sorted(seen), sorted(whole));
    // groups: by an aggregate, then by the group's key
    let groups = || {
        let grouped = Post::query().group_by(|p| (p.author_id, p.title));
        grouped
            .order_by(|g| g.count().desc())
            .select(|g| (g.key().0, g.key().1, g.count()))
    };
    let first = groups().page(3).fetch(&db).await?;
    let rest = groups().page(3).after(first.next.clone()).fetch(&db).await?;
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (3, 1, None));
    assert!(first.items.windows(2).all(|two| two[0].2 >= two[1].2));
    assert!(rest.items.iter().all(|g| !first.items.contains(g)));
    let back = groups().page(3).before(rest.previous).fetch(&db).await?;
    assert_eq!(back.items, first.items);
    // equal rows once
    let titles = || {
        Post::query()
            .distinct()
            .order_by(|p| p.title.desc())
            .select(|p| p.title)
    };
    let first = titles().page(1).fetch(&db).await?;
    let rest = titles().page(1).after(first.next).fetch(&db).await?;
    assert_eq!(
        (first.items, rest.items, rest.next),
        (vec!["y".into()], vec!["x".into()], None)
    );
    Ok(())
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Post)]
struct Card {
    title: String,
    #[rel(tags, select = |t| t.name, order = |t| t.name.asc())]
    tags: Vec<String>,
}

#[orm::test(schema = blog())]
async fn shapes_and_loaded_relations_have_pages(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (a, b) = (tag(&db, "a").await, tag(&db, "b").await);
    for n in 0..5 {
        let p = post(&db, &ann, &format!("post {n}")).await;
        label(&db, &p, if n % 2 == 0 { &a } else { &b }).await;
        comment(&db, &p, &ann, &format!("on {n}")).await;
    }
    let cards = || Post::query().order_by(|p| p.views.asc()).shape::<Card>().page(2);
    let first = orm::assert_statements!(db, 2, { cards().fetch(&db).await? });
    let card = |n: usize| Card {
        title: format!("post {n}"),
        tags: vec![["a", "b"][n % 2].into()],
    };
    assert_eq!(first.items, [card(0), card(1)]);
    let last = cards().last().fetch(&db).await?;
    assert_eq!(last.items, [card(3), card(4)]);
    let before = cards().before(last.previous).fetch(&db).await?;
    assert_eq!(before.items, [card(1), card(2)]);
    let loaded = || {
        Post::query()
            .with(|p| p.comments)
            .with(|p| p.author.joined())
            .order_by(|p| p.id.desc())
    };
    let first = loaded().page(3).fetch(&db).await?;
    let bodies = |page: &Page<_>| -> Vec<String> {
        page.items
            .iter()
            .map(|p: &PostWithAuthor<PostWithComments>| p.comments[0].body.clone())
            .collect()
    };
    assert_eq!(bodies(&first), ["on 4", "on 3", "on 2"]);
    assert!(first.items.iter().all(|p| p.author == ann));
    let second = loaded().page(3).after(first.next).fetch(&db).await?;
    assert_eq!(bodies(&second), ["on 1", "on 0"]);
    // the relation of a row in memory, and an expression as order
    let own = ann
        .posts()
        .order_by(|p| (p.comments.count().desc(), p.title.lower().desc()))
        .page(4)
        .fetch(&db)
        .await?;
    assert_eq!(own.items[0].title, "post 4");
    let rest = ann
        .posts()
        .order_by(|p| (p.comments.count().desc(), p.title.lower().desc()))
        .page(4)
        .after(own.next);
    assert_eq!(rest.fetch(&db).await?.items[0].title, "post 0");
    assert_eq!(
        ann.posts().page(2).fetch(&db).await?.map(|p| p.title).items,
        ["post 0", "post 1"]
    );
    Ok(())
}

#[orm::test(schema = books())]
async fn a_cursor_leads_to_no_other_tenant(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1_i64), db.tenant(2_i64));
    for n in 0..4 {
        NewInvoice { total: n }.insert(&one).await?;
        NewInvoice { total: n * 10 }.insert(&two).await?;
    }
    let page = || Invoice::query().order_by(|i| i.total.asc()).page(2);
    let first = page().fetch(&one).await?;
    assert_eq!(first.items.iter().map(|i| i.total).collect::<Vec<_>>(), [0, 1]);
    let other = page().after(first.next).fetch(&two).await?;
    assert!(other.items.iter().all(|i| i.org == 2));
    Ok(())
}

#[derive(Model, Clone, Debug)]
pub struct Login {
    pub id: Id<Login>,
    #[orm(sensitive)]
    pub secret: String,
    pub tags: Option<String>,
}

#[orm::test(schema = orm::schema![Login])]
async fn queries_without_pages_say_why(db: Db) -> orm::Result<()> {
    let say = |e: Error, text: &str| {
        assert_eq!(e.kind(), ErrorKind::InvalidQuery);
        assert!(e.to_string().contains(text), "{e}");
    };
    say(
        refused(Login::query().page(0).fetch(&db).await),
        "at least one row",
    );
    say(
        refused(Login::query().limit(3).page(2).fetch(&db).await),
        "takes its limit",
    );
    say(
        refused(
            Login::query()
                .order_by(|l| l.secret.asc())
                .page(2)
                .fetch(&db)
                .await,
        ),
        "sensitive column",
    );
    say(
        refused(
            Login::query()
                .aggregate(|l| l.id.count())
                .page(2)
                .fetch(&db)
                .await,
        ),
        "aggregates has no pages",
    );
    say(
        refused(Login::query().page(2).number(0).fetch(&db).await),
        "counted from 1",
    );
    assert_eq!(db.statements_sent(), {
        let sent = db.statements_sent();
        let _ = Login::query().page(0).fetch(&db).await;
        sent
    });
    Ok(())
}

#[orm::test(schema = blog())]
async fn numbered_pages_know_how_many_there_are(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    for n in 0..7 {
        let p = post(&db, if n < 5 { &ann } else { &bob }, ["x", "y"][n % 2]).await;
        comment(&db, &p, &bob, "hm").await;
    }
    let page = |number| {
        Post::query()
            .filter(|p| p.author_id.eq(ann.id))
            .order_by(|p| p.title.desc())
            .page(2)
            .number(number)
    };
    let second: NumberedPage<Post> = orm::assert_statements!(db, 1, { page(2).fetch(&db).await? });
    assert_eq!(
        (second.items.len(), second.number, second.pages, second.total),
        (2, 2, 3, 5)
    );
    assert_eq!(
        second.items.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(),
        ["x", "x"]
    );
    let third = page(3).fetch(&db).await?;
    assert_eq!((third.items.len(), third.total), (1, 5));
    let behind = orm::assert_statements!(db, 2, { page(9).fetch(&db).await? });
    assert_eq!((behind.items.len(), behind.pages, behind.total), (0, 3, 5));
    let none = Post::query()
        .filter(|p| p.views.gt(9))
        .page(2)
        .number(1)
        .fetch(&db)
        .await?;
    assert_eq!((none.items.len(), none.pages, none.total), (0, 0, 0));
    // soft-deleted rows are counted no more than they are seen
    third.items[0].clone().delete(&db).await?;
    assert_eq!(page(1).fetch(&db).await?.total, 4);
    // groups, equal rows, loaded relations, inside a transaction
    let tx = db.begin().await?;
    let titles = Post::query()
        .distinct()
        .order_by(|p| p.title.asc())
        .select(|p| p.title)
        .page(1)
        .number(2);
    assert_eq!(
        titles.fetch(&tx).await?,
        NumberedPage {
            items: vec!["y".into()],
            number: 2,
            pages: 2,
            total: 2
        }
    );
    let groups = Post::query()
        .group_by(|p| p.author_id)
        .order_by(|g| g.count().desc())
        .select(|g| (g.key(), g.count()));
    let groups = groups.page(5).number(1).fetch(&tx).await?;
    assert_eq!((groups.items, groups.total), (vec![(ann.id, 4), (bob.id, 2)], 2));
    let loaded = Post::query()
        .with(|p| p.comments)
        .page(4)
        .number(1)
        .fetch(&tx)
        .await?;
    assert!(loaded.items.iter().all(|p| p.comments.len() == 1));
    assert_eq!((loaded.items.len(), loaded.total), (4, 6));
    tx.rollback().await?;
    Ok(())
}

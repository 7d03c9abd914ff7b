//! Writes of many rows as one statement: from a query, joined with other tables, and what comes back of them.

use orm::ErrorKind;
use orm::prelude::*;

use crate::chains::Booking;
use crate::models::*;

/// What is kept of posts that nobody reads.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(timestamps)]
pub struct Archived {
    pub id: Id<Archived>,
    #[orm(unique)]
    pub post_id: Id<Post>,
    pub title: String,
    #[orm(default = "none")]
    pub reason: String,
    #[orm(default(sql = "40 + 2"))]
    pub weight: i64,
    pub note: Option<String>,
    #[orm(version)]
    pub version: i64,
}

fn archive() -> orm::schema::Schema {
    orm::schema![User, Profile, Post, PostTag, Tag, Category, Comment, Archived]
}

async fn titles(db: &Db) -> orm::Result<Vec<String>> {
    let all = Post::query().order_by(|p| p.title.asc());
    all.select(|p| p.title).all(db).await
}

#[orm::test(schema = archive())]
async fn rows_of_a_query_become_rows_of_a_model(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    for title in ["a", "b", "c", "gone"] {
        post(&db, &ann, title).await;
    }
    Post::delete_where(|p| p.title.eq("gone")).exec(&db).await?;
    let before = Timestamp::now();
    let posts = Post::query()
        .filter(|p| p.title.ne("b"))
        .order_by(|p| p.title.desc())
        .select(|p| (p.id, p.title));
    let new = || {
        Archived::insert_from(posts.clone(), |new, (id, title)| {
            (new.post_id.to(id), new.title.to(title))
        })
    };
    let rows = new().returning(&db).await?;
    assert_eq!(rows.len(), 2);
    let all = Archived::query()
        .order_by(|a| a.id.asc())
        .select(|a| (a.title, a.reason, a.weight, a.note, a.version))
        .all(&db)
        .await?;
    let row = |title: &str| (title.to_owned(), "none".to_owned(), 42, None, 1);
    // the order of the query is that of the keys
    assert_eq!(all, [row("c"), row("a")]);
    let times = Archived::query()
        .select(|a| (a.created_at, a.updated_at))
        .all(&db)
        .await?;
    for (created, updated) in times {
        assert!(created == updated && (created.micros() - before.micros()).abs() < 60_000_000);
    }
    // a unique value that is there
    let e = refused(new().exec(&db).await);
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    assert_eq!(e.model(), Some("Archived"));
    assert_eq!(new().upsert(|a| a.post_id).do_nothing().exec(&db).await?, 0);

    post(&db, &ann, "d").await;
    let kept = new().upsert(|a| a.post_id).do_nothing().rows(|a| a.title);
    assert_eq!(kept.all(&db).await?, ["d"]);
    let changed = new()
        .upsert(|a| a.post_id)
        .update(|a, new| (a.weight.to(a.weight + 1), a.note.to(new.reason)));
    let mut changed = changed.rows(|a| (a.title, a.weight, a.version)).all(&db).await?;
    changed.sort();
    let row = |title: &str| (title.to_owned(), 43, 2);
    assert_eq!(changed, [row("a"), row("c"), row("d")]);
    Ok(())
}

#[orm::test(schema = archive())]
async fn groups_sets_and_memory_are_inserted(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    for (author, title) in [(&ann, "a1"), (&ann, "a2"), (&bob, "b1")] {
        post(&db, author, title).await;
    }
    let counts = Post::query()
        .group_by(|p| p.author_id)
        .select(|g| (g.key(), g.count(), g.max(|p| p.title)));
    let new = Comment::insert_from(
        User::query()
            .join_on(counts, |u, (author, _, _)| u.id.eq(author))
            .join_on(Post::query(), |(u, _), p| p.author_id.eq(u.id))
            .filter(|(_, (_, n, last), p)| n.gt(1).and(p.title.eq(last.or_else(""))))
            .select(|(u, _, p)| (u.id, p.id, u.name)),
        |new, (author, post, name)| {
            (
                new.author_id.to(author),
                new.post_id.to(post),
                new.body.to(name.concat("!")),
            )
        },
    );
    let rows: Vec<Comment> = new.returning(&db).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].author_id, rows[0].body.as_str()), (ann.id, "ann!"));

    let names = User::query().select(|u| u.name);
    let new = Tag::insert_from(names.union(Post::query().select(|p| p.title)), |new, name| {
        new.name.to(name)
    });
    assert_eq!(new.exec(&db).await?, 5);
    let new = Tag::insert_from(orm::values(["x", "y", "ann"]), |new, name| new.name.to(name));
    let mut new = new
        .upsert(|t| t.name)
        .do_nothing()
        .rows(|t| t.name)
        .all(&db)
        .await?;
    new.sort();
    assert_eq!(new, ["x", "y"]);
    let first = orm::cte(
        "first",
        Tag::query().filter(|t| t.name.eq("x")).select(|t| t.name),
    );
    let new = Tag::insert_from(&first, |new, name| new.name.to(name.concat(name)));
    assert_eq!(new.exec(&db).await?, 1);
    assert_eq!(Tag::query().filter(|t| t.name.eq("xx")).count(&db).await?, 1);
    // every type of the source that the target has
    assert_eq!(Tag::query().count(&db).await?, 8);
    Ok(())
}

#[orm::test(schema = archive())]
async fn rows_move_from_one_table_to_another(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    for title in ["a", "b"] {
        post(&db, &ann, title).await;
    }
    let gone = orm::cte(
        "gone",
        Post::delete_where(|p| p.title.eq("a")).rows(|p| (p.id, p.title)),
    );
    let new = Archived::insert_from(&gone, |new, (id, title)| {
        (new.post_id.to(id), new.title.to(title))
    });
    let done = new.exec(&db).await;
    if !db.dialect().features().writing_cte {
        assert_eq!(refused(done).kind(), ErrorKind::Unsupported);
        assert_eq!(titles(&db).await?, ["a", "b"]);
        return Ok(());
    }
    assert_eq!((done?, titles(&db).await?), (1, vec!["b".to_owned()]));
    // and new rows are read in the statement that inserts them
    let new = Archived::insert_from(Post::query(), |new, p| {
        (new.post_id.to(p.id), new.title.to(p.title))
    });
    let new = orm::cte("new", new.rows(|a| (a.id, a.title)));
    let rows = orm::from(&new).select(|(_, title)| title).all(&db).await?;
    assert_eq!(rows, ["b"]);
    assert_eq!(Archived::query().count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = archive())]
async fn keys_of_ones_own_are_left_behind_by_the_sequence(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let tags: Vec<Tag> = NewTag::insert_all(&db, ["a", "b"].map(|name| NewTag { name: name.into() })).await?;
    let shift = tags[1].id.raw() + 10;
    let new = Category::insert_from(Tag::query().select(|t| (t.id, t.name)), |new, (_, name)| {
        new.name.to(name)
    });
    let new = new.with_id(|(id, _)| (id.cast::<i64>() + shift).cast::<Id<Category>>());
    let mut rows = new.rows(|c| (c.id, c.name)).all(&db).await?;
    rows.sort();
    let ids: Vec<i64> = rows.iter().map(|(id, _)| id.raw()).collect();
    assert_eq!(ids, [tags[0].id.raw() + shift, tags[1].id.raw() + shift]);
    let next = NewCategory { name: "next".into() }.insert(&db).await?;
    assert!(next.id.raw() > ids[1], "{} > {}", next.id, ids[1]);
    let _ = ann;
    Ok(())
}

#[orm::test(schema = books())]
async fn tenants_and_actors_are_filled_in_and_kept_apart(db: Db) -> orm::Result<()> {
    let me = user(&db, "me").await;
    let (one, two) = (
        db.tenant(1_i64).acting_as(me.id),
        db.tenant(2_i64).acting_as(me.id),
    );
    for (db, number) in [(&one, "a"), (&one, "b"), (&two, "a")] {
        NewAccount {
            number: number.into(),
        }
        .insert(db)
        .await?;
    }
    let copies = || {
        Account::insert_from(
            Account::query().select(|a| (a.number, a.balance)),
            |new, (n, b)| (new.number.to(n.concat("2")), new.balance.to(b + 5)),
        )
    };
    // only rows of the tenant are read, and only such are made
    assert_eq!(copies().exec(&one).await?, 2);
    let all = Account::query().order_by(|a| a.number.asc());
    let rows = all
        .clone()
        .select(|a| (a.number, a.balance, a.created_by, a.version))
        .all(&one)
        .await?;
    let row = |n: &str, b: i64| (n.to_owned(), b, me.id, 1);
    assert_eq!(rows, [row("a", 0), row("a2", 5), row("b", 0), row("b2", 5)]);
    assert_eq!(all.clone().count(&two).await?, 1);

    // a row of another tenant is never changed
    let again = copies()
        .upsert(|a| a.org_number())
        .update(|a, new| a.balance.to(a.balance + new.balance));
    assert_eq!(again.exec(&two).await?, 1);
    assert_eq!(all.clone().count(&one).await?, 4);
    assert_eq!(all.clone().count(&two).await?, 2);

    // joined: both tables are those of the tenant
    let account = Account::query().filter(|a| a.number.eq("a")).one(&one).await?;
    for amount in [3, 4] {
        let account_id = account.id;
        NewLine { account_id, amount }.insert(&one).await?;
    }
    let sums = || {
        Line::query()
            .group_by(|l| l.account_id)
            .select(|g| (g.key(), g.sum(|l| l.amount)))
    };
    let booked = Account::update_where(|a| a.balance.ge(0))
        .join_on(sums(), |a, (account, _)| a.id.eq(account))
        .set(|(a, (_, sum))| a.balance.to(a.balance + sum.or_else(0)));
    assert_eq!(booked.exec(&two).await?, 0);
    let booked = Account::update_where(|a| a.balance.ge(0))
        .join_on(sums(), |a, (account, _)| a.id.eq(account))
        .set(|(a, (_, sum))| a.balance.to(a.balance + sum.or_else(0)));
    let rows: Vec<Account> = booked.returning(&one).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].balance, rows[0].version), (7, 2));

    // deleted along a relation: softly, and of this tenant only
    let gone = || Line::delete_where(|l| l.amount.gt(3)).join(|l| l.account);
    let gone = |number: &'static str| gone().filter(move |(_, a)| a.number.eq(number));
    assert_eq!(gone("a").exec(&two).await?, 0);
    assert_eq!(gone("b").exec(&one).await?, 0);
    assert_eq!(gone("a").rows(|l| l.amount).all(&one).await?, [4]);
    assert_eq!(Line::query().count(&one).await?, 1);
    assert_eq!(Line::query().with_deleted().count(&one).await?, 2);
    Ok(())
}

#[orm::test(schema = archive())]
async fn changes_see_other_rows(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    for (author, title) in [(&ann, "a1"), (&ann, "a2"), (&bob, "b1"), (&bob, "hidden")] {
        let post = post(&db, author, title).await;
        comment(&db, &post, &bob, "x").await;
        if title == "a1" {
            comment(&db, &post, &ann, "y").await;
        }
    }
    Post::delete_where(|p| p.title.eq("hidden")).exec(&db).await?;
    let per_post = Comment::query()
        .group_by(|c| c.post_id)
        .select(|g| (g.key(), g.count()));
    let counted = Post::update_where(|p| p.title.ne("a2"))
        .join_on(per_post, |p, (post, _)| p.id.eq(post))
        .set(|(p, (_, n))| p.views.to(p.views + n));
    let mut rows = counted.rows(|p| (p.title, p.views, p.version)).all(&db).await?;
    rows.sort();
    let row = |title: &str, views: i64| (title.to_owned(), views, 2);
    assert_eq!(rows, [row("a1", 2), row("b1", 1)]);

    // along a relation, and of a row that is joined with several: it is changed once
    let named = Post::update_where(|p| p.views.gt(0))
        .join(|p| p.author)
        .join(|(p, _)| p.comments)
        .filter(|(_, a, _)| a.name.eq("ann"))
        .set(|(p, a, _)| p.title.to(a.name.concat(" wrote ").concat(p.title)));
    assert_eq!(named.exec(&db).await?, 1);
    assert_eq!(titles(&db).await?, ["a2", "ann wrote a1", "b1"]);

    // the same table once more
    let same = User::update_where(|u| u.bio.is_null())
        .join_on(User::query().filter(|u| u.name.eq("ann")), |u, other| {
            u.id.gt(other.id)
        })
        .set(|(u, other)| u.bio.to(other.email));
    let rows: Vec<User> = same.returning(&db).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].name.as_str(), rows[0].bio.as_deref()),
        ("bob", Some("ann@x.io"))
    );

    // what comes back may look further
    let further = Post::update_where(|p| p.title.eq("b1")).set(|p| p.views.to(7));
    let further = further.rows(|p| (p.views * 2, p.author.col(|a| a.name), p.comments.count()));
    assert_eq!(further.all(&db).await?, [(14, "bob".to_owned(), 1)]);

    // nothing is set
    let idle = Post::update_where(|p| p.views.gt(0)).join(|p| p.author);
    assert_eq!(idle.exec(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = archive())]
async fn deletes_see_other_rows(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let (first, second) = (post(&db, &ann, "a").await, post(&db, &ann, "b").await);
    for (post, author, body) in [(&first, &ann, "1"), (&first, &bob, "2"), (&second, &bob, "3")] {
        comment(&db, post, author, body).await;
    }
    // for good, by two conditions on two tables
    let gone = Comment::delete_where(|c| c.body.ne("9"))
        .join(|c| c.author)
        .join(|(c, _)| c.post)
        .filter(|(_, u, p)| u.name.eq("bob").and(p.title.eq("a")));
    let rows: Vec<Comment> = gone.returning(&db).await?;
    assert_eq!(rows.iter().map(|c| c.body.as_str()).collect::<Vec<_>>(), ["2"]);
    // a row that meets several goes once
    let gone = Comment::delete_everything().join_on(Post::query(), |c, p| c.post_id.le(p.id));
    assert_eq!(gone.rows(|c| c.body).all(&db).await?.len(), 2);
    assert_eq!(Comment::query().count(&db).await?, 0);
    // softly
    comment(&db, &second, &bob, "4").await;
    let gone = Post::delete_where(|p| p.views.eq(0)).join(|p| p.comments);
    assert_eq!(
        gone.rows(|p| (p.title, p.version)).all(&db).await?,
        [("b".to_owned(), 2)]
    );
    assert_eq!(titles(&db).await?, ["a"]);
    assert_eq!(Post::query().only_deleted().count(&db).await?, 1);
    // what is deleted already is not seen, neither as the row nor beside it
    let gone = Post::delete_where(|p| p.views.eq(0)).join(|p| p.comments);
    assert_eq!(gone.exec(&db).await?, 0);
    let all: Vec<Post> = Post::delete_where(|p| p.views.eq(0)).returning(&db).await?;
    assert_eq!((all.len(), all[0].title.as_str()), (1, "a"));
    Ok(())
}

#[orm::test(schema = archive())]
async fn mistakes_are_told_before_anything_is_sent(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "a").await;
    let untitled = Archived::insert_from(Post::query(), |new, p| new.post_id.to(p.id));
    let e = refused(untitled.exec(&db).await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::InvalidQuery, Some("Archived")));
    assert_eq!(
        e.message(),
        "`Archived::insert_from` leaves out `title`, which has no default: assign it"
    );
    let other = Post::update_where(|p| p.views.eq(0))
        .join(|p| p.author)
        .set(|(_, a)| a.name.to("x"));
    assert_eq!(refused(other.exec(&db).await).kind(), ErrorKind::InvalidQuery);
    let ranked = Post::delete_where(|p| p.views.eq(0));
    let ranked = ranked.rows(|p| orm::window::rank().over(|w| w.order_by(p.views.asc())));
    assert_eq!(refused(ranked.all(&db).await).kind(), ErrorKind::InvalidQuery);
    let copy = || {
        Archived::insert_from(Post::query(), |new, p| {
            (new.post_id.to(p.id), new.title.to(p.title))
        })
    };
    assert!(!copy().explain(&db).await?.to_string().is_empty());
    assert!(!copy().rows(|a| a.id).explain(&db).await?.to_string().is_empty());
    let joined = || Post::update_where(|p| p.views.eq(0)).join(|p| p.author);
    assert_eq!(
        joined().explain(&db).await.unwrap_err().kind(),
        ErrorKind::InvalidQuery
    );
    let renamed = joined().set(|(p, a)| p.title.to(a.name));
    assert!(!renamed.explain(&db).await?.to_string().is_empty());
    let gone = Post::delete_where(|p| p.views.eq(0)).join(|p| p.author);
    assert!(!gone.explain(&db).await?.to_string().is_empty());
    let loose = Post::delete_where(|p| p.views.eq(0)).join_on(User::query(), |p, _| p.title.eq("a"));
    assert_eq!(refused(loose.exec(&db).await).kind(), ErrorKind::InvalidQuery);
    assert_eq!(titles(&db).await?, ["a"]);
    Ok(())
}

#[orm::test(schema = books())]
async fn a_default_that_the_program_makes_row_by_row(db: Db) -> orm::Result<()> {
    let one = db.tenant(1_i64);
    let first = NewInvoice { total: 3 }.insert(&one).await?;
    let copy = || Invoice::insert_from(Invoice::query(), |new, i| new.total.to(i.total));
    let e = refused(copy().exec(&one).await);
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    assert!(
        e.message().contains("whose default the program makes row by row"),
        "{e}"
    );
    let id = Id::new(uuid::Uuid::now_v7());
    let rows: Vec<Invoice> = copy().with_id(|_| id).returning(&one).await?;
    assert_eq!((rows[0].id, rows[0].total), (id, first.total));
    Ok(())
}

#[orm::test(schema = crate::hooks::schema())]
async fn validators_and_hooks_see_what_was_written(db: Db) -> orm::Result<()> {
    use crate::hooks::*;
    // rows come back, and a bad one undoes all
    let tasks = |title: &'static str| {
        Task::insert_from(
            orm::values([(title, 50_i64), ("b", 60)]),
            |new, (title, percent)| (new.title.to(title), new.percent.to(percent)),
        )
    };
    let e = refused(tasks(" ").exec(&db).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Validation, Some("title")));
    assert_eq!(Task::query().count(&db).await?, 0);
    assert_eq!(tasks("a").exec(&db).await?, 2);
    let bad = Task::update_where(|t| t.percent.gt(0))
        .join_on(orm::values([("b", 101_i64)]), |t, (title, _)| t.title.eq(title))
        .set(|(t, (_, percent))| t.percent.to(percent));
    assert_eq!(refused(bad.exec(&db).await).kind(), ErrorKind::Validation);
    let rows = Task::query().order_by(|t| t.title.asc()).select(|t| t.percent);
    assert_eq!(rows.all(&db).await?, [50, 60]);
    // a rule of the whole row, over columns that were chosen
    let done = Task::update_where(|t| t.title.eq("a")).set(|t| t.done.to(true));
    assert_eq!(
        refused(done.rows(|t| t.id).all(&db).await).kind(),
        ErrorKind::Validation
    );

    let notes = Note::insert_from(orm::values(["X", "Y"]), |new, text| new.text.to(text));
    assert_eq!(notes.exec(&db).await?, 2);
    assert_eq!(seen(&db).await?, ["Insert 1 text"]);
    // a constant is seen before
    let veto = Note::insert_from(orm::values([1]), |new, _| new.text.to("veto"));
    assert_eq!(refused(veto.exec(&db).await).kind(), ErrorKind::Validation);
    let low = Note::insert_from(orm::values([1]), |new, _| new.text.to("LOW"));
    assert_eq!(low.rows(|n| n.text).all(&db).await?, ["low"]);
    let low = Note::insert_from(orm::values(["X", "Z"]), |new, text| new.text.to(text));
    let low = low
        .upsert(|n| n.text)
        .update(|n, new| n.text.to(new.text.concat("2")));
    assert_eq!(low.exec(&db).await?, 2);
    assert_eq!(seen(&db).await?.last().map(String::as_str), Some("Upsert 1 text"));

    // hooks that need rows get them
    let prices = Price::insert_from(orm::values([(1_i64, "a"), (2, "b")]), |new, (cents, name)| {
        (new.cents.to(cents), new.name.to(name))
    });
    assert_eq!(prices.exec(&db).await?, 2);
    assert_eq!(
        seen(&db).await?.last().map(String::as_str),
        Some("Insert [] [1, 2] []")
    );
    let raised = || {
        Price::update_where(|p| p.cents.gt(1))
            .join_on(orm::values([("b", 5_i64), ("b", 5)]), |p, (name, _)| {
                p.name.eq(name)
            })
            .set(|(p, (_, cents))| p.cents.to(cents))
    };
    assert_eq!(refused(raised().exec(&db).await).kind(), ErrorKind::InvalidQuery);
    assert_eq!(raised().each().exec(&db).await?, 1);
    assert_eq!(
        seen(&db).await?.last().map(String::as_str),
        Some(r#"Update [2] [5] [["cents"]]"#)
    );
    let gone = Price::delete_everything().join_on(orm::values(["b"]), |p, name| p.name.eq(name));
    assert_eq!(gone.each().rows(|p| p.cents).all(&db).await?, [5]);
    assert_eq!(
        seen(&db).await?.last().map(String::as_str),
        Some("Delete [5] [] []")
    );
    Ok(())
}

#[orm::test(schema = crate::chains::schema())]
async fn rows_of_a_query_are_chained(db: Db) -> orm::Result<()> {
    let rows = orm::values([("cash", 5_i64), ("bank", 7)]);
    let new = Booking::insert_from(rows, |new, (account, cents)| {
        (new.account.to(account), new.cents.to(cents))
    });
    assert_eq!(new.exec(&db).await?, 2);
    let copies = Booking::insert_from(Booking::query(), |new, b| {
        (new.account.to(b.account), new.cents.to(b.cents + 1))
    });
    assert_eq!(copies.rows(|b| b.two).all(&db).await?, [2, 2]);
    let report = Booking::verify_chain(&db).await?;
    assert!(report.is_intact());
    assert_eq!(report.head.map(|h| h.position), Some(4));
    Ok(())
}

#[orm::test(schema = crate::history::schema())]
async fn rows_of_a_query_have_a_history(db: Db) -> orm::Result<()> {
    use crate::history::{Offer, OfferLine};
    let new = Offer::insert_from(orm::values([("a", 1_i64), ("b", 2)]), |new, (number, cents)| {
        (new.number.to(number), new.cents.to(cents))
    });
    let ids: Vec<Id<Offer>> = new.rows(|o| o.id).all(&db).await?;
    let lines = OfferLine::insert_from(Offer::query(), |new, o| {
        (new.offer_id.to(o.id), new.text.to(o.number))
    });
    assert_eq!(lines.exec(&db).await?, 2);
    let raised = Offer::update_where(|o| o.cents.gt(0))
        .join_on(OfferLine::query(), |o, l| l.offer_id.eq(o.id).and(l.text.eq("a")))
        .set(|(o, l)| o.note.to(l.text));
    assert_eq!(raised.exec(&db).await?, 1);
    assert_eq!(Offer::versions(&db, ids[0]).await?.len(), 2);
    assert_eq!(Offer::versions(&db, ids[1]).await?.len(), 1);
    // its lines go with it
    let gone = Offer::delete_where(|o| o.cents.gt(0))
        .join_on(OfferLine::query(), |o, l| l.offer_id.eq(o.id).and(l.text.eq("a")));
    let gone = gone.rows(|o| (o.number, o.revision)).all(&db).await?;
    assert_eq!(gone, [("a".to_owned(), 3)]);
    assert_eq!(OfferLine::query().select(|l| l.text).all(&db).await?, ["b"]);
    Ok(())
}

#[orm::test(schema = crate::cascade::teams())]
async fn what_hangs_on_deleted_rows_goes_too(db: Db) -> orm::Result<()> {
    use crate::cascade::*;
    for name in ["a", "b"] {
        team(&db, name).await?;
    }
    assert_eq!(living(&db).await?, (2, 6, 6, 2));
    let gone = Team::delete_everything()
        .join_on(orm::values(["a", "a"]), |t, name| t.name.eq(name))
        .rows(|t| (t.name, t.version));
    // as it was left by the delete
    assert_eq!(gone.all(&db).await?, [("a".to_owned(), 2)]);
    assert_eq!(living(&db).await?, (1, 3, 3, 1));
    let gone: Vec<Team> = Team::delete_where(|t| t.name.eq("b")).returning(&db).await?;
    assert_eq!((gone.len(), gone[0].version), (1, 2));
    assert_eq!(living(&db).await?, (0, 0, 0, 0));
    // rows that really go are read before
    let top = NewFolder {}.insert(&db).await?;
    let inner = NewFolder {}.set(|f| f.parent_id.to(top.id)).insert(&db).await?;
    NewFolder {}.set(|f| f.parent_id.to(inner.id)).insert(&db).await?;
    let gone = Folder::delete_where(|f| f.parent_id.is_null()).rows(|f| f.id);
    assert_eq!(gone.all(&db).await?, [top.id]);
    assert_eq!(Folder::query().count(&db).await?, 0);
    let none = Folder::delete_where(|f| f.parent_id.is_null()).rows(|f| f.id);
    assert_eq!(none.all(&db).await?, []);
    Ok(())
}

#[orm::test(schema = crate::inheritance::schema())]
async fn rows_of_a_query_are_those_of_a_variant(db: Db) -> orm::Result<()> {
    use crate::inheritance::{Animal, Cat, Dog};
    let dogs = Dog::insert_from(
        orm::values([("rex", "collie"), ("ada", "pug")]),
        |new, (name, breed)| (new.name.to(name), new.breed.to(breed)),
    );
    let mut rows = dogs
        .rows(|d| (d.name, d.tricks, d.mood, d.version))
        .all(&db)
        .await?;
    rows.sort();
    let row = |name: &str| (name.to_owned(), 3, "abc".to_owned(), 1);
    assert_eq!(rows, [row("ada"), row("rex")]);
    let cats = Cat::insert_from(Dog::query(), |new, d| {
        (new.name.to(d.name.concat("'s cat")), new.lives.to(9))
    });
    assert_eq!(cats.exec(&db).await?, 2);
    assert_eq!(Animal::query().count(&db).await?, 4);
    assert_eq!(Dog::query().count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = crate::inheritance_joined::company())]
async fn rows_that_lie_in_several_tables(db: Db) -> orm::Result<()> {
    use crate::inheritance_joined::*;
    staff(&db).await?;
    let new = Engineer::insert_from(orm::values(["x"]), |new, name| {
        (new.name.to(name), new.language.to("C"))
    });
    assert_eq!(refused(new.exec(&db).await).kind(), ErrorKind::Unsupported);
    let joined = Engineer::update_where(|e| e.level.gt(0))
        .join(|e| e.team)
        .set(|(e, t)| e.language.to(t.name));
    assert_eq!(refused(joined.exec(&db).await).kind(), ErrorKind::Unsupported);
    // what comes back is of all tables
    let level = Engineer::update_where(|e| e.level.gt(0)).set(|e| e.level.to(e.level + 1));
    let rows = level.rows(|e| (e.name, e.language, e.level)).all(&db).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].2, 6);
    let interns = Intern::insert_from(
        Engineer::query().select(|e| (e.name, e.language)),
        |new, (name, l)| (new.name.to(name.concat(" jr")), new.school.to(l)),
    );
    assert_eq!(interns.exec(&db).await?, 1);
    let gone = Engineer::delete_where(|e| e.level.gt(0)).join(|e| e.team);
    assert_eq!(gone.rows(|e| e.language).all(&db).await?, [rows[0].1.clone()]);
    assert_eq!(Engineer::query().count(&db).await?, 0);
    Ok(())
}

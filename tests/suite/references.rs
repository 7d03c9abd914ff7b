//! References between rows, as they are read: keys of every kind in every place, and keys that refer to nothing.

use orm::prelude::*;
use orm::testing::TestDb;
use orm::{DbOptions, Echo, ErrorKind, assert_statements};

use crate::loading::{Item, ItemWithOrder, Label, NewItem, NewLabel, NewOrder, Order, OrderLabel};
use crate::models::*;
use crate::observe::Log;

/// An item of an order, as a shape.
#[derive(Shape, Debug, PartialEq)]
#[shape(Order)]
struct Basket {
    code: String,
    #[count(items)]
    items: i64,
    #[rel(order = |l| l.name.asc(), select = |l| l.name)]
    labels: Vec<String>,
}

/// A relation over two columns compares both, each with its own, wherever a relation may stand. Rows of another order
/// with the same code are beside it all the time.
#[orm::test(schema = orm::schema![Order, Item, Label, OrderLabel])]
async fn a_key_of_two_columns_in_every_place(db: Db) -> orm::Result<()> {
    let order = |tenant, code: &str| NewOrder {
        tenant,
        code: code.into(),
    };
    let orders =
        NewOrder::insert_all(&db, [order(1, "a"), order(1, "b"), order(2, "a"), order(2, "b")]).await?;
    let labels = ["x", "y", "z"].map(|name| NewLabel { name: name.into() });
    let labels = NewLabel::insert_all(&db, labels).await?;
    let item = |tenant: i32, code: Option<&str>, label: Option<usize>| {
        let (code, label) = (code.map(str::to_owned), label.map(|l| labels[l].id));
        NewItem { tenant }.set(move |i| (i.order_code.to(code), i.label_id.to(label)))
    };
    let items = [
        item(1, Some("a"), Some(0)),
        item(1, Some("a"), Some(1)),
        item(2, Some("a"), Some(2)),
        item(1, None, Some(0)),
        item(2, Some("b"), None),
    ];
    let items = NewItem::insert_all(&db, items).await?;
    for (order, label) in [(0, 0), (0, 1), (2, 1)] {
        assert_eq!(orders[order].labels().link(&db, [labels[label].id]).await?, 1);
    }
    async fn keys(db: &Db, query: Query<Order>) -> orm::Result<Vec<String>> {
        let sorted = query.order_by(|o| (o.tenant.asc(), o.code.asc()));
        let rows: Vec<(i32, String)> = sorted.select(|o| (o.tenant, o.code)).all(db).await?;
        Ok(rows
            .into_iter()
            .map(|(tenant, code)| format!("{tenant}{code}"))
            .collect())
    }
    let all = Order::query;
    let (x, y) = (labels[0].id, labels[1].id);
    // conditions
    assert_eq!(
        keys(&db, all().filter(|o| o.items.exist())).await?,
        ["1a", "2a", "2b"]
    );
    assert_eq!(
        keys(&db, all().filter(|o| o.items.any(|i| i.label_id.eq(x)))).await?,
        ["1a"]
    );
    assert_eq!(
        keys(&db, all().filter(|o| o.items.none(|i| i.label_id.is_not_null()))).await?,
        ["1b", "2b"]
    );
    assert_eq!(
        keys(&db, all().filter(|o| o.items.all(|i| i.label_id.eq(x)))).await?,
        ["1b"],
        "NULL does not meet a condition"
    );
    assert_eq!(
        keys(&db, all().filter(|o| o.labels.any(|l| l.id.eq(y)))).await?,
        ["1a", "2a"]
    );
    assert_eq!(
        keys(&db, all().filter(|o| o.labels.none(|l| l.id.eq(y)))).await?,
        ["1b", "2b"]
    );
    assert_eq!(
        keys(
            &db,
            all().filter(|o| o.items.any(|i| i.label.col(|l| l.name).eq("z")))
        )
        .await?,
        ["2a"]
    );
    // counts, aggregates, columns of the related row
    let counts = all()
        .order_by(|o| (o.items.count().desc(), o.tenant.asc(), o.code.asc()))
        .select(|o| (o.items.count(), o.labels.count(), o.labels.agg(|l| l.name.max())));
    let name = |s: &str| Some(s.to_owned());
    assert_eq!(
        counts.all(&db).await?,
        [(2, 2, name("y")), (1, 1, name("y")), (1, 0, None), (0, 0, None)]
    );
    let codes = Item::query()
        .order_by(|i| i.id.asc())
        .select(|i| (i.order.col(|o| o.code), i.order.col(|o| o.tenant)));
    assert_eq!(
        codes.all(&db).await?,
        [
            (name("a"), Some(1)),
            (name("a"), Some(1)),
            (name("a"), Some(2)),
            (None, None),
            (name("b"), Some(2))
        ]
    );
    // joins
    let joined = Item::query()
        .join(|i| i.order)
        .select(|(i, o)| (i.tenant, o.tenant));
    let mut joined = joined.all(&db).await?;
    joined.sort_unstable();
    assert_eq!(joined, [(1, 1), (1, 1), (2, 2), (2, 2)]);
    let left = all()
        .left_join(|o| o.labels)
        .group_by(|(o, _)| (o.tenant, o.code))
        .order_by(|g| (g.key().0.asc(), g.key().1.asc()))
        .select(|g| (g.key().0, g.count()));
    assert_eq!(left.all(&db).await?, [(1, 2), (1, 1), (2, 1), (2, 1)]);
    // loads, whole and limited for each row, from both sides
    let read = all()
        .with(|o| o.items.order_by(|i| i.label_id.desc()).limit(1))
        .with(|o| o.labels.counted())
        .order_by(|o| (o.tenant.asc(), o.code.asc()));
    let seen: Vec<_> = read
        .all(&db)
        .await?
        .iter()
        .map(|o| (o.items.len(), o.labels))
        .collect();
    assert_eq!(seen, [(1, 2), (0, 0), (1, 1), (1, 0)]);
    let read: Vec<ItemWithOrder> = items.clone().load(&db, |i| i.order).await?;
    let seen: Vec<_> = read
        .iter()
        .map(|i| i.order.as_ref().map(|o| (o.tenant, o.code.clone())))
        .collect();
    let key = |tenant, code: &str| Some((tenant, code.to_owned()));
    assert_eq!(seen, [key(1, "a"), key(1, "a"), key(2, "a"), None, key(2, "b")]);
    let shapes = all()
        .order_by(|o| (o.tenant.asc(), o.code.asc()))
        .shape::<Basket>()
        .all(&db)
        .await?;
    assert_eq!(
        (shapes[0].items, shapes[0].labels.clone()),
        (2, vec!["x".to_owned(), "y".to_owned()])
    );
    assert_eq!(
        (shapes[2].items, shapes[2].labels.len(), shapes[2].code.as_str()),
        (1, 1, "a")
    );
    // a row in hand, and writes along the relation
    assert_eq!(orders[0].items().count(&db).await?, 2);
    assert_eq!(items[2].order().one(&db).await?, orders[2]);
    assert_eq!(items[3].order().optional(&db).await?, None);
    assert_eq!(orders[1].items().link(&db, [items[0].id]).await?, 1);
    let made = orders[3].items().create(&db, NewItem { tenant: 9 }).await?;
    assert_eq!((made.tenant, made.order_code.as_deref()), (2, Some("b")));
    let done = orders[0]
        .labels()
        .replace(&db, [labels[2].id, labels[1].id])
        .await?;
    assert_eq!((done.linked, done.unlinked), (1, 1));
    assert_eq!(orders[2].labels().count(&db).await?, 1, "of another order");
    let counts = all()
        .order_by(|o| (o.tenant.asc(), o.code.asc()))
        .select(|o| o.items.count());
    assert_eq!(counts.all(&db).await?, [1, 1, 1, 2]);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(tomes: Tome, via = Theme, by = subject_code)]
pub struct Subject {
    #[orm(id)]
    pub code: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(subjects: Subject, via = Theme, to = subject_code)]
pub struct Tome {
    pub id: Id<Tome, uuid::Uuid>,
    pub title: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(subject_code, tome_id))]
pub struct Theme {
    #[belongs_to(subject: Subject)]
    pub subject_code: String,
    #[belongs_to(tome: Tome)]
    pub tome_id: Id<Tome, uuid::Uuid>,
}

/// A join table between a key of text and a UUID: the two ends never take each other's key.
#[orm::test(schema = orm::schema![Subject, Tome, Theme])]
async fn a_join_table_between_keys_of_two_kinds(db: Db) -> orm::Result<()> {
    let subjects = ["art", "b'io", "chess"].map(|code| NewSubject { code: code.into() });
    let subjects = NewSubject::insert_all(&db, subjects).await?;
    let tomes = ["one", "two"].map(|title| NewTome { title: title.into() });
    let tomes = NewTome::insert_all(&db, tomes).await?;
    assert_eq!(tomes[0].subjects().add(&db, &subjects[..2]).await?, 2);
    assert_eq!(subjects[1].tomes().link(&db, [tomes[1].id]).await?, 1);
    let codes = async |tome: &Tome| {
        let codes = tome.subjects().order_by(|s| s.code.asc()).select(|s| s.code);
        codes.all(&db).await
    };
    assert_eq!(codes(&tomes[0]).await?, ["art", "b'io"]);
    let read = Subject::query()
        .with(|s| s.tomes.order_by(|t| t.title.asc()).with(|t| t.subjects.counted()))
        .order_by(|s| s.code.desc())
        .all(&db)
        .await?;
    let seen: Vec<Vec<(&str, i64)>> = read
        .iter()
        .map(|s| s.tomes.iter().map(|t| (t.title.as_str(), t.subjects)).collect())
        .collect();
    assert_eq!(seen, [vec![], vec![("one", 2), ("two", 1)], vec![("one", 2)]]);
    let both = Subject::query()
        .filter(|s| s.tomes.count().eq(2))
        .select(|s| s.code);
    assert_eq!(both.all(&db).await?, ["b'io"]);
    let ids = [tomes[1].id];
    let of = Tome::query().filter(|t| t.subjects.any(|s| s.tomes.any(|t| t.id.in_(ids))));
    assert_eq!(of.count(&db).await?, 2, "through the join table and back");
    let done = tomes[0].subjects().replace(&db, ["chess".to_owned()]).await?;
    assert_eq!((done.linked, done.unlinked), (1, 2));
    assert_eq!(codes(&tomes[1]).await?, ["b'io"]);
    Ok(())
}

/// A table without the foreign key that the model of the same table has: as rows were before somebody made it.
#[derive(Model, Clone, Debug)]
#[orm(table = "pets")]
pub struct LoosePet {
    pub id: Id<LoosePet>,
    pub owner_id: Option<i64>,
    pub vet_id: i64,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "pets")]
pub struct Pet {
    pub id: Id<Pet>,
    #[belongs_to(owner: User)]
    pub owner_id: Option<Id<User>>,
    #[belongs_to(vet: User)]
    pub vet_id: Id<User>,
}

/// A key that is NULL and a key of a row that is not there are both nothing; no row of another key comes in their place,
/// and where nothing can be there, nothing is asked. A required key without its row is an error that names it.
#[orm::test(schema = orm::schema![User, LoosePet])]
async fn keys_that_refer_to_nothing(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let pet = |owner: Option<i64>| NewLoosePet { vet_id: ann.id.raw() }.set(move |p| p.owner_id.to(owner));
    NewLoosePet::exec_all(
        &db,
        [pet(None), pet(Some(999)), pet(Some(ann.id.raw())), pet(None)],
    )
    .await?;
    let read = assert_statements!(db, 2, {
        Pet::query()
            .with(|p| p.owner)
            .order_by(|p| p.id.asc())
            .all(&db)
            .await?
    });
    let owners: Vec<_> = read.iter().map(|p| p.owner.as_ref().map(|o| o.id)).collect();
    assert_eq!(owners, [None, None, Some(ann.id), None]);
    let owned = |f: fn(PetCols<Pet>) -> orm::query::Filter<Pet>| Pet::query().filter(f).count(&db);
    assert_eq!(owned(|p| p.owner.exist()).await?, 1);
    assert_eq!(owned(|p| p.owner.exist().not()).await?, 3);
    let names = Pet::query()
        .order_by(|p| p.id.asc())
        .select(|p| p.owner.col(|o| o.name));
    assert_eq!(names.all(&db).await?, [None, None, Some("ann".to_owned()), None]);
    let nowhere = || Pet::query().filter(|p| p.owner_id.is_null()).with(|p| p.owner);
    assert_eq!(assert_statements!(db, 1, { nowhere().all(&db).await? }).len(), 2);

    LoosePet::update_where(|p| p.owner_id.eq(999))
        .set(|p| p.vet_id.to(998))
        .exec(&db)
        .await?;
    let e = refused(Pet::query().with(|p| p.vet).all(&db).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::NotFound, Some("Pet"), Some("vet"))
    );
    let seen = Pet::query()
        .with(|p| p.vet.filter(|v| v.age.ge(0)))
        .order_by(|p| p.id.asc());
    let vets: Vec<bool> = seen.all(&db).await?.iter().map(|p| p.vet.is_some()).collect();
    assert_eq!(vets, [true, false, true, true]);
    Ok(())
}

/// Every column of a row may be NULL: it is still a row, and not taken for none.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(table = "blanks")]
#[has_one(next: Blank, by = before_id)]
pub struct Blank {
    pub text: Option<String>,
    pub flag: Option<bool>,
    pub number: Option<f64>,
    pub bytes: Option<Vec<u8>>,
    pub day: Option<chrono::NaiveDate>,
    pub at: Option<Timestamp>,
    pub json: Option<serde_json::Value>,
    pub mood: Option<Mood>,
    #[orm(decimal(10, 2))]
    pub price: Option<rust_decimal::Decimal>,
    #[belongs_to(before: Blank)]
    pub before_id: Option<Id<Blank>>,
    pub id: Id<Blank>,
}

#[orm::test(schema = orm::schema![Blank])]
async fn a_row_of_nulls_is_a_row(db: Db) -> orm::Result<()> {
    let first = NewBlank {}.insert(&db).await?;
    let second = NewBlank {}
        .set(|b| b.before_id.to(Some(first.id)))
        .insert(&db)
        .await?;
    let read = Blank::query()
        .with(|b| b.before)
        .with(|b| b.next)
        .order_by(|b| b.id.asc())
        .all(&db)
        .await?;
    assert_eq!(read[0].next, Some(second));
    assert_eq!(read[1].before, Some(first));
    assert!(read[1].next.is_none() && read[0].before.is_none());
    let texts = Blank::query()
        .left_join(|b| b.before)
        .order_by(|(b, _)| b.id.asc())
        .select(|(_, before)| (before.map(|b| b.text), before.map(|b| b.id)));
    let texts = texts.all(&db).await?;
    assert_eq!(
        texts
            .iter()
            .map(|t| (t.0.is_none(), t.1.is_some()))
            .collect::<Vec<_>>(),
        [(true, false), (true, true)]
    );
    Ok(())
}

/// The row that many rows belong to is asked for by the key they hold, once, without their own table.
#[orm::test(schema = blog())]
async fn what_rows_belong_to_is_read_by_their_own_key(db: TestDb) -> orm::Result<()> {
    let loud = db
        .again(DbOptions {
            echo: Echo::Values,
            ..DbOptions::default()
        })
        .await?;
    let (ann, bob) = (user(&loud, "ann").await, user(&loud, "bob").await);
    for title in ["a", "b", "c"] {
        post(&loud, &ann, title).await;
    }
    post(&loud, &bob, "d").await;
    let log = Log::default();
    // beside a single subscriber a thread without one, that meets an event first, switches it off for all
    let _second = tracing::Dispatch::new(Log::default());
    let on = tracing::subscriber::set_default(log.clone());
    let posts = Post::query()
        .with(|p| p.author)
        .with(|p| p.category)
        .all(&loud)
        .await?;
    drop(on);
    assert_eq!(posts.len(), 4);
    let seen = log.taken();
    assert_eq!(seen.len(), 2, "no category, no statement");
    let text = seen[1].get("db.query.text").unwrap();
    assert!(
        text.contains("users") && !text.contains("posts") && !text.contains("JOIN"),
        "{text}"
    );
    let values = seen[1].get("db.query.values").unwrap();
    let digits: Vec<&str> = values
        .split(|c: char| !c.is_ascii_digit())
        .filter(|s| !s.is_empty())
        .collect();
    let key = |u: &User| u.id.raw().to_string();
    assert_eq!(digits.iter().filter(|d| **d == key(&ann)).count(), 1, "{values}");
    assert_eq!(digits.iter().filter(|d| **d == key(&bob)).count(), 1, "{values}");
    Ok(())
}

/// A limit counts rows and not what is loaded beside them: each of them comes with all of its own.
#[orm::test(schema = blog())]
async fn a_limit_leaves_what_is_loaded_whole(db: Db) -> orm::Result<()> {
    for name in ["a", "b", "c"] {
        let u = user(&db, name).await;
        for title in 0..4 {
            let p = post(&db, &u, &format!("{name}{title}")).await;
            comment(&db, &p, &u, "x").await;
        }
    }
    let page = assert_statements!(db, 3, {
        User::query()
            .with(|u| u.posts.with(|p| p.comments))
            .order_by(|u| u.name.desc())
            .limit(2)
            .offset(1)
            .all(&db)
            .await?
    });
    let seen: Vec<_> = page
        .iter()
        .map(|u| {
            (
                u.name.as_str(),
                u.posts.len(),
                u.posts.iter().map(|p| p.comments.len()).sum::<usize>(),
            )
        })
        .collect();
    assert_eq!(seen, [("b", 4, 4), ("a", 4, 4)]);
    let first = User::query()
        .with(|u| u.posts)
        .order_by(|u| u.name.asc())
        .first(&db)
        .await?;
    assert_eq!(
        first.map(|u| (u.name.clone(), u.posts.len())),
        Some(("a".to_owned(), 4))
    );
    Ok(())
}

/// Related rows find their rows whatever the order of either: these are shuffled, and come mixed.
#[orm::test(schema = blog())]
async fn related_rows_of_rows_in_no_order(db: Db) -> orm::Result<()> {
    let names = ["f", "b", "d", "a", "e", "c"];
    let mut users = Vec::new();
    for name in names {
        users.push(user(&db, name).await);
    }
    for title in 0..3 {
        for u in &users {
            post(&db, u, &format!("{title}{}", u.name)).await;
        }
    }
    let read = User::query()
        .with(|u| u.posts.order_by(|p| p.title.asc()))
        .with(|u| u.profile)
        .order_by(|u| u.name.asc())
        .all(&db)
        .await?;
    for u in &read {
        let titles: Vec<&str> = u.posts.iter().map(|p| p.title.as_str()).collect();
        let expected: Vec<String> = (0..3).map(|t| format!("{t}{}", u.name)).collect();
        assert_eq!(titles, expected);
    }
    let posts = Post::query()
        .with(|p| p.author)
        .order_by(|p| p.title.desc())
        .all(&db)
        .await?;
    assert!(posts.iter().all(|p| p.title.ends_with(&p.author.name)));
    Ok(())
}

/// More keys of several columns than one statement takes: as many statements as they need, and every row with its own.
#[orm::test(schema = orm::schema![Order, Item, Label, OrderLabel])]
async fn keys_of_two_columns_in_several_statements(db: Db) -> orm::Result<()> {
    const PER_STATEMENT: i32 = 1024;
    let n = 2 * PER_STATEMENT + 1;
    let orders = (0..n).map(|tenant| NewOrder {
        tenant,
        code: format!("{}", tenant % 7),
    });
    let orders = NewOrder::insert_all(&db, orders).await?;
    // none in the first row of a statement, two in its last
    let items = orders.iter().flat_map(|o| {
        let (tenant, code) = (o.tenant, o.code.clone());
        let times = match tenant % PER_STATEMENT {
            0 => 0,
            1023 => 2,
            _ => 1,
        };
        std::iter::repeat_n((tenant, code), times)
            .map(|(tenant, code)| NewItem { tenant }.set(|i| i.order_code.to(Some(code))))
    });
    NewItem::exec_all(&db, items).await?;
    let loaded = assert_statements!(db, 3, { orders.load(&db, |o| o.items).await? });
    assert_eq!(loaded.len(), n as usize);
    for o in &loaded {
        let expected = match o.tenant % PER_STATEMENT {
            0 => 0,
            1023 => 2,
            _ => 1,
        };
        assert_eq!(o.items.len(), expected, "order {}", o.tenant);
        assert!(o.items.iter().all(|i| i.tenant == o.tenant));
    }
    // exactly what one statement takes is one statement
    let orders: Vec<Order> = loaded.into_iter().take(1024).map(|o| o.into_parts().0).collect();
    assert_statements!(db, 1, { orders.load(&db, |o| o.items).await? });
    Ok(())
}

/// What ends a query keeps its order, its limit and its offset.
#[orm::test(schema = blog())]
async fn every_end_of_a_query_keeps_order_limit_and_offset(db: Db) -> orm::Result<()> {
    for name in ["a", "b", "c", "d"] {
        tag(&db, name).await;
    }
    let tags = || Tag::query().order_by(|t| t.name.desc());
    let name = |t: Option<Tag>| t.map(|t| t.name);
    assert_eq!(name(tags().offset(1).first(&db).await?).as_deref(), Some("c"));
    assert_eq!(name(tags().limit(0).first(&db).await?), None);
    assert_eq!(name(tags().offset(3).optional(&db).await?).as_deref(), Some("a"));
    assert_eq!(
        tags().limit(1).offset(2).one(&db).await?.name,
        "b",
        "a limit of one is one row"
    );
    assert_eq!(
        refused(tags().offset(2).one(&db).await).kind(),
        ErrorKind::MoreThanOne
    );
    assert!(refused(tags().offset(4).one(&db).await).is_not_found());
    assert_eq!(tags().offset(1).count(&db).await?, 3);
    assert_eq!(tags().limit(2).offset(3).count(&db).await?, 1);
    assert!(tags().offset(3).exists(&db).await? && !tags().offset(4).exists(&db).await?);
    assert!(!tags().limit(0).exists(&db).await?);
    // a count has no order of its own, and its type is wide
    let n: i64 = tags().distinct().select(|t| t.name).count(&db).await?;
    assert_eq!(n, 4);
    assert_eq!(
        tags().select(|t| t.name).limit(3).all(&db).await?,
        ["d", "c", "b"]
    );
    let mut tx = db.begin().await?;
    let mut rows = tags().limit(2).offset(1).stream(&mut tx);
    let mut seen = Vec::new();
    while let Some(tag) = rows.next().await? {
        seen.push(tag.name);
    }
    assert_eq!(seen, ["c", "b"]);
    Ok(())
}

/// The same relation again in one condition is the same row again.
#[orm::test(schema = blog())]
async fn a_relation_named_twice_in_a_condition(db: Db) -> orm::Result<()> {
    let (ann, bob, cid) = (
        user(&db, "ann").await,
        user(&db, "bob").await,
        user(&db, "cid").await,
    );
    for (author, title) in [(&ann, "a"), (&bob, "b"), (&cid, "c")] {
        post(&db, author, title).await;
    }
    let of = Post::query()
        .filter(|p| {
            p.author
                .col(|u| u.name)
                .eq("ann")
                .or(p.author.col(|u| u.name).eq("cid"))
        })
        .order_by(|p| (p.author.col(|u| u.name).desc(), p.author.col(|u| u.id).asc()))
        .select(|p| (p.title, p.author.col(|u| u.name), p.author.col(|u| u.email)));
    let row = |title: &str, name: &str| (title.to_owned(), name.to_owned(), format!("{name}@x.io"));
    assert_eq!(of.all(&db).await?, [row("c", "cid"), row("a", "ann")]);
    let both = User::query().filter(|u| {
        u.posts
            .any(|p| p.title.eq("a"))
            .and(u.posts.any(|p| p.title.eq("b")))
    });
    assert_eq!(
        both.count(&db).await?,
        0,
        "two conditions over two rows, of one author each"
    );
    Ok(())
}

/// `none` and `all` are about rows: a NULL among the related values neither empties nor fills them.
#[orm::test(schema = blog())]
async fn nulls_among_related_rows(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let news = NewCategory { name: "news".into() }.insert(&db).await?;
    let empty = NewCategory { name: "empty".into() }.insert(&db).await?;
    let in_news = post(&db, &ann, "n").await;
    in_news
        .update()
        .set(|p| p.category_id.to(Some(news.id)))
        .save(&db)
        .await?;
    post(&db, &ann, "without").await;
    let names = async |f: fn(CategoryCols<Category>) -> orm::query::Filter<Category>| {
        let found = Category::query()
            .filter(f)
            .order_by(|c| c.id.asc())
            .select(|c| c.name);
        found.all(&db).await
    };
    assert_eq!(names(|c| c.posts.none(|p| p.title.eq("n"))).await?, ["empty"]);
    assert_eq!(names(|c| c.posts.exist().not()).await?, ["empty"]);
    assert_eq!(
        names(|c| c.posts.none(|p| p.score.gt(1))).await?,
        ["news", "empty"]
    );
    assert_eq!(names(|c| c.posts.all(|p| p.score.gt(1))).await?, ["empty"]);
    let listed = Category::query().filter(|c| c.id.not_in(Post::query().select(|p| p.category_id)));
    assert_eq!(
        listed.one(&db).await?,
        empty,
        "a NULL in the list excludes nobody"
    );
    Ok(())
}

/// The first rows of each row are the first living ones, and counts leave deleted rows out as lists do.
#[orm::test(schema = blog())]
async fn the_first_living_rows_of_each(db: Db) -> orm::Result<()> {
    for name in ["ann", "bob"] {
        let u = user(&db, name).await;
        for (i, title) in ["z", "y", "x", "w"].iter().enumerate() {
            let p = post(&db, &u, &format!("{title}{name}")).await;
            if i == 0 || (i == 2 && name == "ann") {
                p.delete(&db).await?;
            }
        }
    }
    let read = User::query()
        .with(|u| {
            u.posts
                .order_by(|p| p.title.desc())
                .limit(2)
                .with(|p| p.comments.counted())
        })
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    let titles: Vec<Vec<&str>> = read
        .iter()
        .map(|u| u.posts.iter().map(|p| p.title.as_str()).collect())
        .collect();
    assert_eq!(titles, [["yann", "wann"], ["ybob", "xbob"]]);
    let counts = User::query().order_by(|u| u.id.asc());
    let counted = counts.clone().select(|u| {
        (
            u.posts.count(),
            u.posts.agg(|p| p.title.max()),
            u.posts.count_where(|p| p.title.ge("x")),
        )
    });
    assert_eq!(
        counted.all(&db).await?,
        [(2, Some("yann".to_owned()), 1), (3, Some("ybob".to_owned()), 2)]
    );
    let beside: Vec<i64> = counts
        .with(|u| u.posts.counted())
        .all(&db)
        .await?
        .iter()
        .map(|u| u.posts)
        .collect();
    assert_eq!(beside, [2, 3]);
    Ok(())
}

/// Models that refer to each other are loaded round and round as deep as asked, and no deeper; a row without its
/// required relation loaded is as good as any for writing.
#[orm::test(schema = blog())]
async fn relations_that_lead_round(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "a").await;
    let read = assert_statements!(db, 5, {
        User::query()
            .with(|u| u.posts.with(|p| p.author.with(|u| u.posts.with(|p| p.author))))
            .one(&db)
            .await?
    });
    assert_eq!(read.posts[0].author.posts[0].author, ann);
    let again = p.load(&db, |p| p.author).await?;
    comment(&db, &again, &again.author, "c").await;
    assert_eq!(
        Comment::query()
            .with(|c| c.post.with(|p| p.author))
            .one(&db)
            .await?
            .post
            .author
            .name,
        "ann"
    );
    Ok(())
}

/// What a query says about deleted rows says nothing about tenants: other tenants' rows stay out of sight and out of
/// reach.
#[orm::test(schema = books())]
async fn a_choice_of_deleted_rows_keeps_the_tenant(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.tenant(2i64).acting_as(ann.id),
    );
    let account = NewAccount { number: "1".into() }.insert(&one).await?;
    for amount in [1, 2] {
        let line = NewLine {
            account_id: account.id,
            amount,
        };
        let line = line.insert(&one).await?;
        if amount == 2 {
            line.delete(&one).await?;
        }
    }
    for (of, all, deleted) in [(&one, 2, 1), (&two, 0, 0)] {
        assert_eq!(Line::query().with_deleted().count(of).await?, all);
        assert_eq!(Line::query().only_deleted().count(of).await?, deleted);
        assert_eq!(account.lines().with_deleted().count(of).await?, all);
    }
    let read = Account::query()
        .with(|a| a.lines.with_deleted())
        .all(&one)
        .await?;
    assert_eq!(read[0].lines.len(), 2);
    let mine = NewAccount { number: "1".into() }.insert(&two).await?;
    let read = Account::query()
        .with(|a| a.lines.with_deleted())
        .all(&two)
        .await?;
    assert!(read.len() == 1 && read[0].id == mine.id && read[0].lines.is_empty());
    let gone = Line::query().only_deleted().select(|l| l.id).one(&one).await?;
    assert!(!Line::restore(&two, gone).await?);
    assert!(!Line::purge(&two, gone).await?);
    assert_eq!(Line::delete_everything().exec(&two).await?, 0);
    assert_eq!(
        Line::update_where(|l| l.amount.gt(0))
            .set(|l| l.amount.to(9))
            .exec(&two)
            .await?,
        0
    );
    assert!(Line::restore(&one, gone).await?);
    assert_eq!(
        Line::query()
            .select(|l| l.amount)
            .order_by(|l| l.amount.asc())
            .all(&one)
            .await?,
        [1, 2]
    );
    Ok(())
}

//! Units of work and graphs of new rows.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{ErrorKind, assert_statements};

use crate::models::*;

/// Refers to its own table, and to a table that refers back.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(staff: Employee, by = boss_id)]
pub struct Employee {
    pub id: Id<Employee>,
    #[belongs_to(boss: Self)]
    pub boss_id: Option<Id<Employee>>,
    #[belongs_to(office: Office)]
    pub office_id: Option<Id<Office>>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Office {
    pub id: Id<Office>,
    #[belongs_to(head: Employee)]
    pub head_id: Id<Employee>,
    #[orm(unique)]
    pub door: i32,
}

/// Two tables that cannot be filled at all: each needs the other first.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Hen {
    pub id: Id<Hen>,
    #[belongs_to(egg: Egg)]
    pub egg_id: Id<Egg>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Egg {
    pub id: Id<Egg>,
    #[belongs_to(hen: Hen)]
    pub hen_id: Id<Hen>,
}

fn company() -> Schema {
    orm::schema![Employee, Office, Hen, Egg]
}

fn new_post(author_id: Id<User>, title: &str) -> NewPost {
    NewPost {
        author_id,
        title: title.into(),
    }
}

/// The clock is asked for first where the server's is used.
fn clock(db: &Db) -> u64 {
    db.dialect().features().server_clock as u64
}

#[orm::test(schema = blog())]
async fn rows_without_keys_refer_to_each_other(db: Db) -> orm::Result<()> {
    let mut unit = db.unit_of_work();
    assert!(unit.is_empty());
    let ann = unit.insert(NewUser {
        email: "ann".into(),
        name: "Ann".into(),
    })?;
    let bob = unit.insert(NewUser {
        email: "bob".into(),
        name: "Bob".into(),
    })?;
    let mut posts = Vec::new();
    for (author, title) in [(&ann, "a"), (&bob, "b"), (&ann, "c")] {
        posts.push(unit.insert(new_post(author.id(), title))?);
    }
    let tag = unit.insert(NewTag { name: "t".into() })?;
    for post in &posts {
        unit.insert(NewPostTag {
            post_id: post.id(),
            tag_id: tag.id(),
        })?;
    }
    assert_eq!(unit.len(), 9);
    // users, tags, posts and links: one statement each
    let mut done = assert_statements!(db, 4 + clock(&db), { unit.commit().await? });
    assert_eq!((done.inserted(), done.updated(), done.deleted()), (9, 0, 0));
    let (ann, bob) = (done.take(&ann)?, done.take(&bob)?);
    let made: Vec<Post> = posts.iter().map(|p| done.take(p)).collect::<orm::Result<_>>()?;
    assert_eq!(
        made.iter()
            .map(|p| (p.title.as_str(), p.author_id))
            .collect::<Vec<_>>(),
        [("a", ann.id), ("b", bob.id), ("c", ann.id)]
    );
    assert!(ann.id.raw() > 0);
    assert_eq!(done.get(&tag).map(|t| t.name.as_str()), Some("t"));
    assert_eq!(made[0].tags().count(&db).await?, 1);
    assert!(refused(done.take(&posts[0])).is_not_found(), "each is taken once");
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_order_of_calls_does_not_matter(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let mine = post(&db, &ann, "mine").await;
    let first = comment(&db, &mine, &ann, "first").await;
    let again = || NewUser {
        email: ann.email.clone(),
        name: "Ann again".into(),
    };
    // posts are softly deleted, so their author cannot go: nothing of the unit stays
    let mut unit = db.unit_of_work();
    let of_another_unit = unit.insert(again())?;
    unit.delete(ann.clone());
    unit.delete(mine.clone());
    unit.delete(first.clone());
    let e = refused(unit.commit().await);
    assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(Comment::query().count(&db).await?, 1);

    Comment::delete_everything().exec(&db).await?;
    Post::purge(&db, mine.id).await?;
    // a parent is deleted after its children, and a unique value that goes is free for who takes it, in any order
    let profile = NewProfile {
        user_id: ann.id,
        avatar_url: "ann.png".into(),
    };
    let profile = profile.insert(&db).await?;
    let mut unit = db.unit_of_work();
    let row = unit.insert(again())?;
    unit.delete(ann.clone());
    unit.delete(profile);
    let mut done = unit.commit().await?;
    assert_eq!((done.inserted(), done.deleted()), (1, 2));
    assert!(
        done.take(&of_another_unit).is_err(),
        "a reference into another unit"
    );
    assert_eq!(done.take(&row)?.email, ann.email);
    assert_eq!(User::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn changes_of_one_shape_share_a_statement(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let mut posts = Vec::new();
    for i in 0..20 {
        posts.push(post(&db, &ann, &format!("{i}")).await);
    }
    let mut unit = db.unit_of_work();
    let mut refs = Vec::new();
    for (i, post) in posts.iter().enumerate() {
        let mut edit = post.clone().edit();
        match i {
            0..10 => edit.views = i as i64 + 100,
            10..15 => edit.score = (i % 2 == 0).then_some(i as i64),
            _ => {}
        }
        refs.push(unit.save(edit)?);
    }
    // views of ten rows; scores of those three that differ from NULL; the others send nothing
    assert_eq!(unit.len(), 13);
    let done = assert_statements!(db, 2 + clock(&db), { unit.commit().await? });
    assert_eq!(done.updated(), 13);
    for (i, (post, row)) in posts.iter().zip(&refs).enumerate() {
        let now = done.get(row).unwrap();
        assert_eq!(now, &Post::get(&db, post.id).await?);
        let changed = i < 10 || [10, 12, 14].contains(&i);
        assert_eq!(now.version, post.version + changed as i64, "row {i}");
        assert_eq!(now.views, if i < 10 { i as i64 + 100 } else { 0 });
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn stale_and_missing_rows_undo_the_unit(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (a, b) = (post(&db, &ann, "a").await, post(&db, &ann, "b").await);
    a.update().set(|p| p.views.to(1)).save(&db).await?;
    for gone in [false, true] {
        if gone {
            Post::get(&db, a.id).await?.delete(&db).await?;
        }
        let mut unit = db.unit_of_work();
        for post in [&b, &a] {
            let mut edit = post.clone().edit();
            edit.title = format!("{}!", post.title);
            unit.save(edit)?;
        }
        unit.insert(NewTag { name: "t".into() })?;
        let e = refused(unit.commit().await);
        let expected = if gone {
            ErrorKind::NotFound
        } else {
            ErrorKind::Stale
        };
        assert_eq!((e.kind(), e.model()), (expected, Some("Post")));
        let mut unit = db.unit_of_work();
        unit.delete(a.clone());
        assert_eq!(refused(unit.commit().await).kind(), expected);
    }
    assert_eq!(Post::get(&db, b.id).await?, b);
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = company())]
async fn trees_and_circles(db: Db) -> orm::Result<()> {
    let mut unit = db.unit_of_work();
    let named = |name: &str| NewEmployee { name: name.into() };
    let boss = unit.insert(named("boss"))?;
    let office = unit.insert(NewOffice {
        head_id: boss.id(),
        door: 1,
    })?;
    let mut staff = Vec::new();
    for i in 0..3 {
        let row = named(&format!("{i}"))
            .set(|e| (e.boss_id.to(Some(boss.id())), e.office_id.to(Some(office.id()))));
        staff.push(unit.insert(row)?);
    }
    let leaf = unit.insert(named("leaf").set(|e| e.boss_id.to(Some(staff[1].id()))))?;
    // the boss sits in the office whose head he is: a circle, closed by one more statement
    unit.set(&boss, |e| e.office_id.to(Some(office.id())))?;
    let mut done = unit.commit().await?;
    let (boss, office) = (done.take(&boss)?, done.take(&office)?);
    assert_eq!(office.head_id, boss.id);
    for row in &staff {
        let row = done.get(row).unwrap();
        assert_eq!((row.boss_id, row.office_id), (Some(boss.id), Some(office.id)));
    }
    let leaf = done.take(&leaf)?;
    assert_eq!(leaf.boss_id, Some(done.take(&staff[1])?.id));
    assert_eq!(boss.office_id, Some(office.id));
    assert_eq!(Employee::get(&db, boss.id).await?, boss);
    // a row that was only kept becomes a changed one
    let mut unit = db.unit_of_work();
    let kept = unit.save(boss.clone().edit())?;
    assert!(unit.is_empty());
    unit.set(&kept, |e| e.name.to("chief"))?;
    assert_eq!(unit.commit().await?.get(&kept).unwrap().name, "chief");
    Ok(())
}

#[orm::test(schema = company())]
async fn a_circle_without_a_way_in_is_an_error(db: Db) -> orm::Result<()> {
    let mut unit = db.unit_of_work();
    let hen = unit.insert(NewHen { egg_id: Id::new(0) })?;
    let egg = unit.insert(NewEgg { hen_id: hen.id() })?;
    unit.set(&hen, |h| h.egg_id.to(egg.id()))?;
    let e = refused(unit.commit().await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::InvalidQuery, Some("Hen")));
    Ok(())
}

#[orm::test(schema = company())]
async fn unique_values_move_from_row_to_row(db: Db) -> orm::Result<()> {
    let head = NewEmployee { name: "h".into() }.insert(&db).await?;
    let office = |door| NewOffice {
        head_id: head.id,
        door,
    };
    let (one, two) = (office(1).insert(&db).await?, office(2).insert(&db).await?);
    let mut unit = db.unit_of_work();
    // in the order of the calls each value would still be taken
    unit.insert(office(1))?;
    let mut edit = one.clone().edit();
    edit.door = 2;
    unit.save(edit)?;
    unit.delete(two);
    unit.commit().await?;
    let doors = Office::query()
        .order_by(|o| o.door.asc())
        .select(|o| o.door)
        .all(&db)
        .await?;
    assert_eq!(doors, [1, 2]);
    assert_eq!(Office::get(&db, one.id).await?.door, 2);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_graph_in_one_expression(db: Db) -> orm::Result<()> {
    let sql = tag(&db, "sql").await;
    let new = NewUser {
        email: "ann".into(),
        name: "Ann".into(),
    };
    let graph = new
        .set(|u| u.age.to(7))
        .with(
            |u| u.profile,
            |user_id| {
                [NewProfile {
                    user_id,
                    avatar_url: "ann.png".into(),
                }]
            },
        )
        .with(
            |u| u.posts,
            move |author_id| {
                ["a", "b"].map(|title| {
                    new_post(author_id, title)
                        .with(|p| p.tags, move |_| [NewTag { name: title.into() }])
                        .link(|p| p.tags, [sql.id])
                        .with(
                            |p| p.comments,
                            move |post_id| {
                                [NewComment {
                                    post_id,
                                    author_id,
                                    body: format!("on {title}"),
                                }]
                            },
                        )
                })
            },
        );
    // users, profiles, posts, tags, links, comments
    let ann = assert_statements!(db, 6 + clock(&db), { graph.insert(&db).await? });
    assert_eq!((ann.name.as_str(), ann.age), ("Ann", 7));
    assert_eq!(ann.profile.as_ref().unwrap().avatar_url, "ann.png");
    let posts: Vec<_> = ann
        .posts
        .iter()
        .map(|p| {
            (
                p.title.as_str(),
                p.tags[0].name.as_str(),
                p.comments[0].body.as_str(),
            )
        })
        .collect();
    assert_eq!(posts, [("a", "a", "on a"), ("b", "b", "on b")]);
    let read = User::query()
        .with(|u| u.profile)
        .with(|u| {
            u.posts
                .order_by(|p| p.id.asc())
                .with(|p| p.tags.order_by(|t| t.name.asc()))
                .with(|p| p.comments)
        })
        .one(&db)
        .await?;
    assert_eq!(read.posts[0].comments, ann.posts[0].comments);
    let tags: Vec<&str> = read.posts[1].tags.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(tags, ["b", "sql"]);
    // nothing of a graph stays when a part of it fails
    let twice = NewUser {
        email: "bob".into(),
        name: "Bob".into(),
    }
    .with(|u| u.posts, |author_id| [new_post(author_id, "c")])
    .with(
        |u| u.profile,
        |user_id| {
            [1, 2].map(|n| NewProfile {
                user_id,
                avatar_url: format!("{n}"),
            })
        },
    );
    assert_eq!(
        refused(twice.insert(&db).await).kind(),
        ErrorKind::UniqueViolation
    );
    assert_eq!(User::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = books())]
async fn actor_and_tenant_act_in_units(db: Db) -> orm::Result<()> {
    let me = user(&db, "me").await;
    let db2 = db.tenant(7_i64);
    let db2 = db2.acting_as(me.id);
    let tx = db2.begin().await?;
    let mut unit = tx.unit_of_work();
    let account = unit.insert(NewAccount { number: "1".into() })?;
    unit.insert(NewLine {
        account_id: account.id(),
        amount: 5,
    })?;
    let mut done = unit.commit().await?;
    let account = done.take(&account)?;
    assert_eq!((account.org, account.version), (7, 1));
    tx.rollback().await?;
    assert_eq!(
        Account::query().count(&db2).await?,
        0,
        "a part of the transaction it was made on"
    );
    Ok(())
}

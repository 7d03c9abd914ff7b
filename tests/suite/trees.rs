//! Walks along relations that lead back to their own model: trees, rings, graphs, and moves.

use orm::prelude::*;
use orm::schema::Schema;
use uuid::Uuid;

use crate::models::{Category, NewCategory, refused};

/// Soft-deleted, of a tenant.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete, tenant(org))]
#[has_many(parts: Part, by = whole_id)]
pub struct Part {
    pub id: Id<Self>,
    pub org: i64,
    #[belongs_to(whole: Self, on_delete = no_action)]
    pub whole_id: Option<Id<Self>>,
    pub name: String,
    #[orm(version)]
    pub version: i64,
}

/// Everybody has a superior; the one at the top is his own. The key is a UUID.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(reports: Officer, by = superior_id)]
pub struct Officer {
    pub id: Id<Self, Uuid>,
    #[belongs_to(superior: Self)]
    pub superior_id: Id<Self, Uuid>,
    pub name: String,
}

/// Keys of two columns, one of which the foreign key shares.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(doc, no))]
#[belongs_to(above: Section, by = (doc, above_no), on_delete = no_action)]
#[has_many(below: Section, by = (doc, above_no))]
pub struct Section {
    pub doc: i64,
    pub no: i32,
    pub above_no: Option<i32>,
    pub title: String,
}

/// A list: each has one behind it at most.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_one(next: Link, by = prev_id)]
pub struct Link {
    pub id: Id<Self>,
    #[belongs_to(prev: Self)]
    #[orm(unique)]
    pub prev_id: Option<Id<Self>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(follows: Person, via = Follow, by = follower_id, to = followed_id)]
#[many_to_many(followers: Person, via = Follow, by = followed_id, to = follower_id)]
pub struct Person {
    pub id: Id<Self>,
    pub name: String,
    #[orm(default = true)]
    pub open: bool,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(follower_id, followed_id))]
pub struct Follow {
    #[belongs_to(follower: Person)]
    pub follower_id: Id<Person>,
    #[belongs_to(followed: Person)]
    pub followed_id: Id<Person>,
}

/// The models of this file and of `graphs`.
pub fn trees() -> Schema {
    orm::schema![Category, Part, Officer, Section, Link, Person, Follow]
}

pub(crate) async fn category(db: &Db, name: &str, parent: Option<&Category>) -> Category {
    let new = NewCategory {
        name: name.to_owned(),
    };
    let new = new.set(|c| c.parent_id.to(parent.map(|p| p.id)));
    new.insert(db).await.expect("a category")
}

/// Two trees: music (rock (punk, metal (doom)), jazz) and film.
pub(crate) async fn shelf(db: &Db) -> [Category; 7] {
    let music = category(db, "music", None).await;
    let film = category(db, "film", None).await;
    let rock = category(db, "rock", Some(&music)).await;
    let jazz = category(db, "jazz", Some(&music)).await;
    let punk = category(db, "punk", Some(&rock)).await;
    let metal = category(db, "metal", Some(&rock)).await;
    let doom = category(db, "doom", Some(&metal)).await;
    [music, film, rock, jazz, punk, metal, doom]
}

pub(crate) fn names<'a>(rows: impl IntoIterator<Item = &'a Category>) -> Vec<&'a str> {
    rows.into_iter().map(|c| c.name.as_str()).collect()
}

/// Depth first, indented by dots.
fn listed(forest: &Forest<Category>) -> Vec<String> {
    let line = |(depth, tree): (usize, &Tree<Category>)| format!("{}{}", ".".repeat(depth), tree.node.name);
    forest.depth_first().map(line).collect()
}

#[orm::test(schema = trees())]
async fn descendants_and_ancestors(db: Db) -> orm::Result<()> {
    let [music, film, rock, _, _, _, doom] = shelf(&db).await;
    let below = orm::assert_statements!(db, 1, {
        music
            .walk(|c| c.children)
            .order_by(|c| c.id.asc())
            .all(&db)
            .await?
    });
    assert_eq!(names(&below), ["rock", "jazz", "punk", "metal", "doom"]);
    let above = doom.walk(|c| c.parent).breadth_first().all(&db).await?;
    assert_eq!(names(&above), ["metal", "rock", "music"]);
    let crumbs = doom
        .walk(|c| c.parent)
        .include_start()
        .breadth_first()
        .all(&db)
        .await?;
    assert_eq!(names(&crumbs), ["doom", "metal", "rock", "music"]);
    assert_eq!(crumbs[0], doom, "whole rows");
    assert_eq!(rock.walk(|c| c.children).count(&db).await?, 3);
    assert_eq!(rock.walk(|c| c.children).include_start().count(&db).await?, 4);
    assert!(!film.walk(|c| c.children).exists(&db).await?);
    assert!(doom.walk(|c| c.children).all(&db).await?.is_empty());
    assert!(music.walk(|c| c.parent).all(&db).await?.is_empty());
    Ok(())
}

#[orm::test(schema = trees())]
async fn from_any_query(db: Db) -> orm::Result<()> {
    let [.., doom] = shelf(&db).await;
    let walk = || {
        Category::query()
            .filter(|c| c.name.eq("rock"))
            .walk(|c| c.children)
    };
    let below = walk().order_by(|c| c.name.asc()).all(&db).await?;
    assert_eq!(names(&below), ["doom", "metal", "punk"]);
    // where one start stands under another, neither comes unless asked for, and then once
    let nested = || {
        Category::query()
            .filter(|c| c.name.in_(["music", "metal"]))
            .walk(|c| c.children)
    };
    let below = nested().order_by(|c| c.id.asc()).all(&db).await?;
    assert_eq!(names(&below), ["rock", "jazz", "punk", "doom"]);
    let all = nested().include_start().order_by(|c| c.id.asc()).all(&db).await?;
    assert_eq!(names(&all), ["music", "rock", "jazz", "punk", "metal", "doom"]);
    let limited = Category::query()
        .order_by(|c| c.id.desc())
        .limit(2)
        .walk(|c| c.parent);
    let above = limited.include_start().order_by(|c| c.id.asc()).all(&db).await?;
    assert_eq!(names(&above), ["music", "rock", "metal", "doom"]);
    let none = Category::query()
        .filter(|c| c.name.eq("folk"))
        .walk(|c| c.children)
        .all(&db)
        .await?;
    assert!(none.is_empty());
    // a walk from what a walk has reached: everything that shares an ancestor
    let family = doom
        .walk(|c| c.parent)
        .query()
        .walk(|c| c.children)
        .include_start();
    assert_eq!(family.count(&db).await?, 6);
    Ok(())
}

#[orm::test(schema = trees())]
async fn depths_and_their_limit(db: Db) -> orm::Result<()> {
    let [music, .., doom] = shelf(&db).await;
    let rows = music
        .walk(|c| c.children)
        .include_start()
        .with_depth()
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    let seen: Vec<(&str, i64)> = rows.iter().map(|(c, depth)| (c.name.as_str(), *depth)).collect();
    let all = [
        ("music", 0),
        ("rock", 1),
        ("jazz", 1),
        ("punk", 2),
        ("metal", 2),
        ("doom", 3),
    ];
    assert_eq!(seen, all);
    for k in 0..5 {
        let walk = music.walk(|c| c.children).max_depth(k).include_start();
        let within = all.iter().filter(|(_, depth)| *depth <= i64::from(k)).count();
        assert_eq!(walk.count(&db).await?, within as i64, "exactly {k} levels more");
    }
    let levels: Vec<(String, i64)> = doom
        .walk(|c| c.parent)
        .max_depth(2)
        .select_with_depth(|c, depth| (c.name, depth * -1))
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    assert_eq!(levels, [("rock".to_owned(), -2), ("metal".to_owned(), -1)]);
    let siblings = music
        .walk(|c| c.children)
        .order_siblings_by(|c| c.name.desc())
        .breadth_first()
        .all(&db)
        .await?;
    assert_eq!(names(&siblings), ["rock", "jazz", "punk", "metal", "doom"]);
    Ok(())
}

#[orm::test(schema = trees())]
async fn what_is_walked_and_what_comes_back(db: Db) -> orm::Result<()> {
    let [music, ..] = shelf(&db).await;
    let walk = || music.walk(|c| c.children);
    let through = walk().through(|c| c.name.ne("rock")).all(&db).await?;
    assert_eq!(
        names(&through),
        ["jazz"],
        "what only leads through rock is not there"
    );
    let without = walk()
        .filter(|c| c.name.ne("rock"))
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    assert_eq!(names(&without), ["jazz", "punk", "metal", "doom"]);
    // a condition made outside of the closure means the row of the step
    let not_metal = Category::cols::<Category>(orm::ast::Source::ROOT)
        .name
        .ne("metal");
    assert_eq!(walk().through(|_| not_metal).count(&db).await?, 3);
    // all of the query language applies to what was reached
    let page = walk()
        .order_by(|c| c.name.asc())
        .limit(2)
        .offset(1)
        .select(|c| c.name)
        .all(&db)
        .await?;
    assert_eq!(page, ["jazz", "metal"]);
    let loaded = walk()
        .with(|c| c.parent)
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    let parents: Vec<_> = loaded
        .iter()
        .map(|c| c.parent.as_ref().map_or("", |p| p.name.as_str()))
        .collect();
    assert_eq!(parents, ["music", "music", "rock", "rock", "metal"]);
    let members = Category::query()
        .filter(|c| c.id.in_(walk().select(|c| c.id)))
        .count(&db)
        .await?;
    assert_eq!(members, 5);
    let counted = walk()
        .query()
        .group_by(|c| c.parent_id)
        .order_by(|g| g.key().asc())
        .select(|g| g.count());
    assert_eq!(counted.all(&db).await?, [2, 2, 1]);
    let query = walk().query();
    assert_eq!(
        query
            .clone()
            .filter(|c| c.id.in_(query.select(|c| c.id)))
            .count(&db)
            .await?,
        5
    );
    Ok(())
}

/// The rows are locked, not what was computed to find them.
#[orm::test(schema = trees())]
async fn a_walk_under_locks(db: Db) -> orm::Result<()> {
    let [music, ..] = shelf(&db).await;
    let tx = db.begin().await?;
    let before = Category::query().filter(|c| c.id.eq(music.id)).for_update();
    assert_eq!(before.walk(|c| c.children).all(&tx).await?.len(), 5);
    let after = music.walk(|c| c.children).query().for_update();
    assert_eq!(after.all(&tx).await?.len(), 5);
    let depths = music.walk(|c| c.children).with_depth().for_share();
    assert_eq!(depths.all(&tx).await?.len(), 5);
    tx.commit().await
}

#[orm::test(schema = trees())]
async fn roots_and_leaves(db: Db) -> orm::Result<()> {
    shelf(&db).await;
    let roots = || Category::query().roots(|c| c.children);
    assert_eq!(
        names(&roots().order_by(|c| c.id.asc()).all(&db).await?),
        ["music", "film"]
    );
    let leaves = Category::query()
        .leaves(|c| c.children)
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    assert_eq!(names(&leaves), ["film", "jazz", "punk", "doom"]);
    let both = roots().leaves(|c| c.children).all(&db).await?;
    assert_eq!(names(&both), ["film"]);
    assert_eq!(roots().walk(|c| c.children).count(&db).await?, 5);
    Ok(())
}

#[orm::test(schema = trees())]
async fn nested_trees_in_one_statement(db: Db) -> orm::Result<()> {
    let [music, ..] = shelf(&db).await;
    let forest: Forest<Category> = orm::assert_statements!(db, 1, {
        let roots = Category::query().roots(|c| c.children).walk(|c| c.children);
        roots
            .include_start()
            .order_siblings_by(|c| c.name.asc())
            .tree(&db)
            .await?
    });
    let all = ["film", "music", ".jazz", ".rock", "..metal", "...doom", "..punk"];
    assert_eq!(listed(&forest), all);
    assert_eq!((forest.len(), forest.height()), (2, 4));
    let level: Vec<&str> = forest
        .breadth_first()
        .map(|(_, t)| t.node.name.as_str())
        .collect();
    assert_eq!(level, ["film", "music", "jazz", "rock", "metal", "punk", "doom"]);
    let rock = forest.find(|c| c.name == "rock").expect("rock");
    assert_eq!((rock.children.len(), rock.height()), (2, 3));
    let path = forest.path_to(|c| c.name == "doom").expect("a path");
    assert_eq!(names(path), ["music", "rock", "metal", "doom"]);
    assert!(forest.path_to(|c| c.name == "folk").is_none());
    // every row as a start: still each row once, in its place
    let every = Category::query().walk(|c| c.children).include_start();
    assert_eq!(
        listed(&every.order_siblings_by(|c| c.name.asc()).tree(&db).await?),
        all
    );
    let below = music
        .walk(|c| c.children)
        .max_depth(2)
        .order_siblings_by(|c| c.name.desc())
        .tree(&db)
        .await?;
    assert_eq!(listed(&below), ["rock", ".punk", ".metal", "jazz"]);
    let mut owned = below.into_iter();
    let rock = owned.next().expect("rock");
    assert_eq!(
        (rock.node.name.as_str(), rock.children.into_vec().len()),
        ("rock", 2)
    );
    Ok(())
}

/// a → b → c → a, and d under c.
pub(crate) async fn ring(db: &Db) -> [Category; 4] {
    let a = category(db, "a", None).await;
    let b = category(db, "b", Some(&a)).await;
    let c = category(db, "c", Some(&b)).await;
    let d = category(db, "d", Some(&c)).await;
    let a = a
        .update()
        .set(|x| x.parent_id.to(c.id))
        .save(db)
        .await
        .expect("a ring");
    [a, b, c, d]
}

#[orm::test(schema = trees())]
async fn a_ring_in_the_data_ends(db: Db) -> orm::Result<()> {
    let [a, b, _, d] = ring(&db).await;
    let own = category(&db, "own", None).await;
    let own = own.update().set(|x| x.parent_id.to(own.id)).save(&db).await?;
    let down = a
        .walk(|c| c.children)
        .with_depth()
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    let seen: Vec<(&str, i64)> = down.iter().map(|(c, depth)| (c.name.as_str(), *depth)).collect();
    assert_eq!(
        seen,
        [("b", 1), ("c", 2), ("d", 3)],
        "the start is not its own descendant"
    );
    let around = b
        .walk(|c| c.children)
        .include_start()
        .breadth_first()
        .all(&db)
        .await?;
    assert_eq!(around.len(), 4);
    // the way up leads into a ring that the start is not a part of
    let up = d
        .walk(|c| c.parent)
        .with_depth()
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    let seen: Vec<(&str, i64)> = up.iter().map(|(c, depth)| (c.name.as_str(), *depth)).collect();
    assert_eq!(seen, [("a", 3), ("b", 2), ("c", 1)]);
    assert_eq!(own.walk(|c| c.children).include_start().count(&db).await?, 1);
    assert_eq!(own.walk(|c| c.parent).count(&db).await?, 0);
    let tree = b
        .walk(|c| c.children)
        .include_start()
        .order_siblings_by(|c| c.id.asc())
        .tree(&db)
        .await?;
    assert_eq!(listed(&tree), ["b", ".c", "..a", "..d"]);
    let every = Category::query()
        .walk(|c| c.children)
        .include_start()
        .order_siblings_by(|c| c.id.asc());
    assert_eq!(listed(&every.tree(&db).await?), ["a", ".b", "..c", "...d", "own"]);
    let moved = refused(
        d.move_to(&db, |c| c.parent, Some(a.id))
            .await
            .map(|_| ())
            .and(a.move_to(&db, |c| c.parent, Some(d.id)).await),
    );
    assert_eq!(moved.kind(), ErrorKind::Cycle);
    Ok(())
}

#[orm::test(schema = trees())]
async fn rings_of_every_length_with_tails_of_every_length(db: Db) -> orm::Result<()> {
    for (tail, length) in (0..6).flat_map(|tail| (1..8).map(move |length| (tail, length))) {
        let mut rows = vec![category(&db, "0", None).await];
        for i in 1..tail + length {
            let parent = rows.last().cloned();
            rows.push(category(&db, &i.to_string(), parent.as_ref()).await);
        }
        // the root hangs under a row, so that the way up from the last one is a tail of `tail` rows and then a ring
        let entry = &rows[length - 1];
        rows[0]
            .update()
            .set(|x| x.parent_id.to(entry.id))
            .save(&db)
            .await?;
        let last = rows.last().expect("a row");
        let up = last
            .walk(|c| c.parent)
            .include_start()
            .with_depth()
            .order_by(|c| c.id.desc());
        let depths: Vec<i64> = up.all(&db).await?.iter().map(|(_, depth)| *depth).collect();
        let expected: Vec<i64> = (0..(tail + length) as i64).collect();
        assert_eq!(depths, expected, "a ring of {length} behind {tail} rows");
        let down = rows[0]
            .walk(|c| c.children)
            .include_start()
            .with_depth()
            .order_by(|c| c.id.asc());
        let depths: Vec<i64> = down.all(&db).await?.iter().map(|(_, depth)| *depth).collect();
        assert_eq!(depths, expected, "a ring of {length} before {tail} rows");
    }
    Ok(())
}

#[orm::test(schema = trees())]
async fn a_thousand_levels(db: Db) -> orm::Result<()> {
    let rows = NewCategory::insert_all(&db, (0..1000).map(|i| NewCategory { name: i.to_string() })).await?;
    let mut tx = db.begin().await?;
    for pair in rows.windows(2) {
        pair[1]
            .update()
            .set(|c| c.parent_id.to(pair[0].id))
            .save(&tx)
            .await?;
    }
    tx.commit().await?;
    tx = db.begin().await?;
    let (top, end) = (&rows[0], &rows[999]);
    let down = top
        .walk(|c| c.children)
        .with_depth()
        .order_by(|c| c.id.asc())
        .all(&tx)
        .await?;
    assert!(down.iter().map(|(_, depth)| *depth).eq(1..1000));
    let up = end.walk(|c| c.parent).breadth_first().all(&tx).await?;
    assert!(up.iter().rev().map(|c| c.id).eq(rows[..999].iter().map(|c| c.id)));
    let tree = top.walk(|c| c.children).include_start().tree(&tx).await?;
    assert_eq!((tree.len(), tree.height()), (1, 1000));
    let path = top.walk(|c| c.children).shortest_path_to(end.id).all(&tx).await?;
    assert_eq!(path.len(), 1000);
    tx.rollback().await
}

pub(crate) async fn part(db: &impl Writes<Part>, name: &str, whole: Option<&Part>) -> Part {
    let new = NewPart {
        name: name.to_owned(),
    };
    let new = new.set(|p| p.whole_id.to(whole.map(|w| w.id)));
    new.insert(db).await.expect("a part")
}

#[orm::test(schema = trees())]
async fn a_deleted_row_hides_what_is_under_it(db: Db) -> orm::Result<()> {
    let db = db.tenant(1);
    let car = part(&db, "car", None).await;
    let engine = part(&db, "engine", Some(&car)).await;
    let piston = part(&db, "piston", Some(&engine)).await;
    let wheel = part(&db, "wheel", Some(&car)).await;
    engine.clone().delete(&db).await?;
    let walk = || car.walk(|p| p.parts);
    let live: Vec<String> = walk().select(|p| p.name).all(&db).await?;
    assert_eq!(live, ["wheel"]);
    let all = walk()
        .with_deleted()
        .order_by(|p| p.id.asc())
        .select(|p| p.name)
        .all(&db)
        .await?;
    assert_eq!(all, ["engine", "piston", "wheel"]);
    assert_eq!(piston.walk(|p| p.whole).count(&db).await?, 0);
    assert_eq!(piston.walk(|p| p.whole).with_deleted().count(&db).await?, 2);
    assert_eq!(
        engine.walk(|p| p.parts).count(&db).await?,
        0,
        "a deleted start leads nowhere"
    );
    assert_eq!(engine.walk(|p| p.parts).with_deleted().count(&db).await?, 1);
    let roots = Part::query()
        .roots(|p| p.parts)
        .select(|p| p.name)
        .all(&db)
        .await?;
    assert_eq!(roots, ["car"], "the parts of a deleted one are no roots");
    let tree = walk().include_start().tree(&db).await?;
    assert_eq!(tree.depth_first().count(), 2);
    // all of it at once, by one statement
    let ids = walk().include_start().select(|p| p.id);
    assert_eq!(Part::delete_where(|p| p.id.in_(ids)).exec(&db).await?, 2);
    assert_eq!(Part::query().filter(|p| p.id.ne(piston.id)).count(&db).await?, 0);
    let started = Part::query()
        .only_deleted()
        .filter(|p| p.id.eq(wheel.id))
        .walk(|p| p.whole)
        .include_start();
    assert_eq!(
        started.select(|p| p.name).all(&db).await?,
        ["wheel"],
        "the start's own choice of deleted rows holds"
    );
    Ok(())
}

#[orm::test(schema = trees())]
async fn nobody_walks_into_another_tenant(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1), db.tenant(2));
    let car = part(&one, "car", None).await;
    let stolen = part(&two, "stolen", Some(&car)).await;
    part(&two, "screw", Some(&stolen)).await;
    assert_eq!(car.walk(|p| p.parts).count(&one).await?, 0);
    assert_eq!(car.walk(|p| p.parts).include_start().count(&two).await?, 0);
    assert_eq!(stolen.walk(|p| p.whole).count(&two).await?, 0);
    assert_eq!(stolen.walk(|p| p.parts).count(&two).await?, 1);
    let error = refused(stolen.move_to(&two, |p| p.whole, Some(car.id)).await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}

#[orm::test(schema = trees())]
async fn keys_of_other_types(db: Db) -> orm::Result<()> {
    let officer = async |name: &str, superior: Option<Id<Officer, Uuid>>| {
        let id: Id<Officer, Uuid> = Uuid::now_v7().into();
        let new = NewOfficer {
            superior_id: superior.unwrap_or(id),
            name: name.to_owned(),
        };
        new.with_id(id).insert(&db).await
    };
    let general = officer("general", None).await?;
    let major = officer("major", Some(general.id)).await?;
    let captain = officer("captain", Some(major.id)).await?;
    let other = officer("other", None).await?;
    let down = general
        .walk(|o| o.reports)
        .breadth_first()
        .select(|o| o.name)
        .all(&db)
        .await?;
    assert_eq!(down, ["major", "captain"]);
    let up = captain
        .walk(|o| o.superior)
        .breadth_first()
        .select(|o| o.name)
        .all(&db)
        .await?;
    assert_eq!(up, ["major", "general"]);
    let roots = Officer::query()
        .roots(|o| o.reports)
        .order_by(|o| o.name.asc())
        .select(|o| o.name)
        .all(&db)
        .await?;
    assert_eq!(roots, ["general", "other"], "a root may be its own parent");
    let tree = general.walk(|o| o.reports).include_start().tree(&db).await?;
    let path = tree.path_to(|o| o.name == "captain").expect("a path");
    assert_eq!(path.len(), 3);
    let moved = captain.move_to(&db, |o| o.superior, Some(other.id)).await?;
    assert_eq!(moved.superior_id, other.id);
    let error = refused(other.move_to(&db, |o| o.superior, Some(moved.id)).await);
    assert_eq!(error.kind(), ErrorKind::Cycle);
    let error = refused(major.move_to(&db, |o| o.superior, None).await);
    assert_eq!(
        error.to_string(),
        "the row must have one: it cannot be moved to the top (Officer.superior)"
    );
    Ok(())
}

#[orm::test(schema = trees())]
async fn keys_of_several_columns(db: Db) -> orm::Result<()> {
    let section = async |doc: i64, no: i32, above: Option<i32>| {
        let new = NewSection {
            doc,
            no,
            title: format!("{doc}.{no}"),
        };
        new.set(|s| s.above_no.to(above)).insert(&db).await
    };
    let one = section(1, 1, None).await?;
    let two = section(1, 2, Some(1)).await?;
    let three = section(1, 3, Some(2)).await?;
    let foreign = section(2, 1, None).await?;
    section(2, 2, Some(1)).await?;
    let down = one
        .walk(|s| s.below)
        .breadth_first()
        .select(|s| s.title)
        .all(&db)
        .await?;
    assert_eq!(down, ["1.2", "1.3"]);
    let up = three
        .walk(|s| s.above)
        .breadth_first()
        .select(|s| s.title)
        .all(&db)
        .await?;
    assert_eq!(up, ["1.2", "1.1"]);
    let tree = Section::query()
        .roots(|s| s.below)
        .walk(|s| s.below)
        .include_start();
    let tree = tree
        .order_siblings_by(|s| (s.doc.asc(), s.no.asc()))
        .tree(&db)
        .await?;
    let seen: Vec<_> = tree
        .depth_first()
        .map(|(depth, t)| (depth, t.node.title.as_str()))
        .collect();
    assert_eq!(seen, [(0, "1.1"), (1, "1.2"), (2, "1.3"), (0, "2.1"), (1, "2.2")]);
    let path = one
        .walk(|s| s.below)
        .shortest_path_to((1, 3))
        .select(|s| s.no)
        .all(&db)
        .await?;
    assert_eq!(path, [1, 2, 3]);
    let astray = one.walk(|s| s.below).shortest_path_to((2, 2)).all(&db).await?;
    assert!(astray.is_empty());
    let moved = three.move_to(&db, |s| s.above, Some((1, 1))).await?;
    assert_eq!((moved.doc, moved.above_no), (1, Some(1)));
    assert_eq!(
        refused(one.move_to(&db, |s| s.above, Some((1, 2))).await).kind(),
        ErrorKind::Cycle
    );
    let error = refused(
        two.move_to(&db, |s| s.above, Some((foreign.doc, foreign.no)))
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    let top = two.move_to(&db, |s| s.above, None).await?;
    assert_eq!((top.doc, top.above_no), (1, None));
    Ok(())
}

#[orm::test(schema = trees())]
async fn a_list(db: Db) -> orm::Result<()> {
    let mut links = vec![NewLink {}.insert(&db).await?];
    for i in 0..3 {
        let prev = links[i].id;
        links.push(NewLink {}.set(|l| l.prev_id.to(prev)).insert(&db).await?);
    }
    let ids: Vec<Id<Link>> = links.iter().map(|l| l.id).collect();
    let forward = links[1]
        .walk(|l| l.next)
        .breadth_first()
        .select(|l| l.id)
        .all(&db)
        .await?;
    assert_eq!(forward, ids[2..]);
    let back = links[2]
        .walk(|l| l.prev)
        .include_start()
        .breadth_first()
        .select(|l| l.id)
        .all(&db)
        .await?;
    assert_eq!(back, [ids[2], ids[1], ids[0]]);
    let error = refused(links[3].move_to(&db, |l| l.next, Some(ids[0])).await);
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::InvalidQuery, Some("next"))
    );
    Ok(())
}

#[orm::test(schema = trees())]
async fn moving_a_subtree(db: Db) -> orm::Result<()> {
    let [music, film, rock, jazz, _, metal, doom] = shelf(&db).await;
    let moved = metal.move_to(&db, |c| c.parent, Some(jazz.id)).await?;
    assert_eq!(moved.parent_id, Some(jazz.id));
    assert_eq!(
        names(&jazz.walk(|c| c.children).breadth_first().all(&db).await?),
        ["metal", "doom"]
    );
    let top = moved.move_to(&db, |c| c.parent, None).await?;
    assert_eq!(top.parent_id, None);
    assert_eq!(
        top.walk(|c| c.children).count(&db).await?,
        1,
        "what is under it comes along"
    );
    for (row, place) in [
        (&music, &music),
        (&music, &rock),
        (&music, &rock),
        (&metal, &doom),
    ] {
        let error = refused(row.move_to(&db, |c| c.parent, Some(place.id)).await);
        assert_eq!(error.kind(), ErrorKind::Cycle);
        let text = "the row would become its own ancestor: the new place is the row itself or under it (Category.parent)";
        assert_eq!(error.to_string(), text);
    }
    film.clone().delete(&db).await?;
    let error = refused(rock.move_to(&db, |c| c.parent, Some(film.id)).await);
    assert_eq!(
        (error.kind(), error.model()),
        (ErrorKind::NotFound, Some("Category"))
    );
    let error = refused(film.move_to(&db, |c| c.parent, Some(rock.id)).await);
    assert_eq!(error.kind(), ErrorKind::NotFound, "the row itself is gone");
    // a refused move spoils no transaction
    let tx = db.begin().await?;
    assert_eq!(
        refused(music.move_to(&tx, |c| c.parent, Some(rock.id)).await).kind(),
        ErrorKind::Cycle
    );
    rock.move_to(&tx, |c| c.parent, Some(doom.id)).await?;
    tx.commit().await?;
    assert_eq!(rock.walk(|c| c.parent).count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = trees())]
async fn a_move_keeps_versions_and_deleted_rows_in_mind(db: Db) -> orm::Result<()> {
    let db = db.tenant(1);
    let car = part(&db, "car", None).await;
    let engine = part(&db, "engine", Some(&car)).await;
    let piston = part(&db, "piston", Some(&engine)).await;
    let moved = piston.move_to(&db, |p| p.whole, Some(car.id)).await?;
    assert_eq!(moved.version, piston.version + 1);
    assert!(refused(piston.move_to(&db, |p| p.whole, None).await).is_stale());
    let piston = moved.move_to(&db, |p| p.whole, Some(engine.id)).await?;
    engine.clone().delete(&db).await?;
    let error = refused(car.move_to(&db, |p| p.whole, Some(piston.id)).await);
    assert_eq!(
        error.kind(),
        ErrorKind::Cycle,
        "the deleted row between them may be restored"
    );
    assert!(refused(piston.move_to(&db, |p| p.whole, Some(engine.id)).await).is_not_found());
    Ok(())
}

/// Moves that would make a cycle together: one of them is refused, whatever comes first.
#[orm::test(schema = trees())]
async fn moves_at_the_same_time_make_no_cycle(db: Db) -> orm::Result<()> {
    for round in 0..8 {
        let rows = NewCategory::insert_all(
            &db,
            (0..3).map(|i| NewCategory {
                name: format!("{round}.{i}"),
            }),
        )
        .await?;
        let by = |from: usize, to: usize| {
            let (db, row, place) = (db.clone(), rows[from].clone(), rows[to].id);
            tokio::spawn(async move { row.move_to(&db, |c| c.parent, Some(place)).await })
        };
        let (a, b, c) = (by(0, 1), by(1, 2), by(2, 0));
        let results = [
            a.await.expect("a task"),
            b.await.expect("a task"),
            c.await.expect("a task"),
        ];
        let refused: Vec<ErrorKind> = results
            .iter()
            .filter_map(|r| r.as_ref().err())
            .map(Error::kind)
            .collect();
        assert_eq!(refused, [ErrorKind::Cycle], "round {round}");
        let ids = rows.iter().map(|c| c.id);
        let roots = Category::query().filter(|c| c.id.in_(ids)).roots(|c| c.children);
        assert_eq!(roots.walk(|c| c.children).include_start().count(&db).await?, 3);
    }
    Ok(())
}

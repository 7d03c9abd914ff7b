//! Walks in the order of an outline, and the path of each row.

use orm::Path;
use orm::prelude::*;
use uuid::Uuid;

use crate::models::{Category, CategoryCols, NewCategory, refused};
use crate::trees::{
    NewFollow, NewLink, NewOfficer, NewPerson, NewSection, Officer, Section, category, names, part, ring,
    shelf, trees,
};

fn lines(rows: &[(Category, Path<Category>)]) -> Vec<String> {
    let line = |(c, path): &(Category, Path<Category>)| format!("{}{}", ".".repeat(path.depth()), c.name);
    rows.iter().map(line).collect()
}

/// Each row before those under it, siblings in the order that was asked for, else by their keys; as a nested tree has
/// them, but in rows.
#[orm::test(schema = trees())]
async fn depth_first_is_the_order_of_an_outline(db: Db) -> orm::Result<()> {
    let [music, _, rock, ..] = shelf(&db).await;
    let all = || {
        Category::query()
            .roots(|c| c.children)
            .walk(|c| c.children)
            .include_start()
            .depth_first()
    };
    let by_key = orm::assert_statements!(db, 1, { all().all(&db).await? });
    assert_eq!(
        names(&by_key),
        ["music", "rock", "punk", "metal", "doom", "jazz", "film"]
    );
    let by_name = all()
        .order_siblings_by(|c| c.name.asc())
        .with_path()
        .all(&db)
        .await?;
    let expected = ["film", "music", ".jazz", ".rock", "..metal", "...doom", "..punk"];
    assert_eq!(lines(&by_name), expected);
    let down = all()
        .order_siblings_by(|c| c.name.desc())
        .with_depth()
        .all(&db)
        .await?;
    let down: Vec<String> = down.iter().map(|(c, d)| format!("{d}{}", c.name)).collect();
    assert_eq!(
        down,
        ["0music", "1rock", "2punk", "2metal", "3doom", "1jazz", "0film"]
    );
    // an order by what the row refers to, a limit, columns, and what is loaded beside
    let page = all()
        .order_siblings_by(|c| c.children.count().desc())
        .query()
        .limit(3)
        .offset(1);
    assert_eq!(page.select(|c| c.name).all(&db).await?, ["rock", "metal", "doom"]);
    let loaded = rock
        .walk(|c| c.children)
        .depth_first()
        .with(|c| c.parent)
        .all(&db)
        .await?;
    let above: Vec<_> = loaded
        .iter()
        .map(|c| c.parent.as_ref().map(|p| p.name.as_str()))
        .collect();
    assert_eq!(above, [Some("rock"), Some("rock"), Some("metal")]);
    assert_eq!(all().count(&db).await?, 7);
    assert_eq!(
        music
            .walk(|c| c.children)
            .max_depth(1)
            .depth_first()
            .count(&db)
            .await?,
        2
    );
    let names = music
        .walk(|c| c.children)
        .depth_first()
        .filter(|c| c.name.ne("rock"));
    assert_eq!(
        names.select(|c| c.name).all(&db).await?,
        ["punk", "metal", "doom", "jazz"]
    );
    Ok(())
}

/// A path holds the keys from the start to the row, both included, whatever the query leaves out.
#[orm::test(schema = trees())]
async fn the_path_of_each_row(db: Db) -> orm::Result<()> {
    let [music, _, rock, _, punk, metal, doom] = shelf(&db).await;
    let below = music
        .walk(|c| c.children)
        .with_path()
        .order_by(|c| c.id.desc())
        .limit(2);
    let below = orm::assert_statements!(db, 1, { below.all(&db).await? });
    let keys: Vec<Vec<Id<Category>>> = below.iter().map(|(_, path)| path.to_vec()).collect();
    assert_eq!(
        keys,
        [
            vec![music.id, rock.id, metal.id, doom.id],
            vec![music.id, rock.id, metal.id]
        ]
    );
    let only = music
        .walk(|c| c.children)
        .with_path()
        .filter(|c| c.name.eq("punk"));
    let (row, path) = only.one(&db).await?;
    assert_eq!(
        (row, path.clone().into_vec()),
        (punk, vec![music.id, rock.id, path[2]])
    );
    assert_eq!(format!("{path:?}"), format!("{:?}", path.to_vec()));
    let start = music
        .walk(|c| c.children)
        .include_start()
        .with_path()
        .filter(|c| c.name.eq("music"));
    let (_, path) = start.one(&db).await?;
    assert_eq!((path.depth(), path.to_vec()), (0, vec![music.id]));
    // upwards the path leads from the start as well
    let (_, path) = doom
        .walk(|c| c.parent)
        .with_path()
        .filter(|c| c.name.eq("music"))
        .one(&db)
        .await?;
    assert_eq!(path.to_vec(), [doom.id, metal.id, rock.id, music.id]);
    let wide = music
        .walk(|c| c.children)
        .breadth_first()
        .order_siblings_by(|c| c.name.asc());
    assert_eq!(
        lines(&wide.with_path().all(&db).await?),
        [".jazz", ".rock", "..metal", "..punk", "...doom"]
    );
    Ok(())
}

/// A start under another one begins an outline of its own, and rows that several starts lead up to come once, under
/// the first of those that are nearest.
#[orm::test(schema = trees())]
async fn several_starts(db: Db) -> orm::Result<()> {
    shelf(&db).await;
    let starts = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        Category::query().filter(|c| c.name.in_(names))
    };
    let down = starts(&["music", "metal"])
        .walk(|c| c.children)
        .include_start()
        .depth_first();
    assert_eq!(
        lines(&down.with_path().all(&db).await?),
        ["music", ".rock", "..punk", ".jazz", "metal", ".doom"]
    );
    let up = starts(&["doom", "punk", "jazz"])
        .walk(|c| c.parent)
        .include_start()
        .depth_first();
    assert_eq!(
        lines(&up.with_path().all(&db).await?),
        ["jazz", ".music", "punk", ".rock", "doom", ".metal"]
    );
    let flat = Category::query()
        .walk(|c| c.children)
        .include_start()
        .depth_first();
    assert!(
        flat.with_path()
            .all(&db)
            .await?
            .iter()
            .all(|(_, path)| path.depth() == 0)
    );
    Ok(())
}

/// A ring in the data ends the outline as it ends the walk: each row once, from the start.
#[orm::test(schema = trees())]
async fn rings_end(db: Db) -> orm::Result<()> {
    let [a, b, ..] = ring(&db).await;
    let from_b = b
        .walk(|c| c.children)
        .include_start()
        .depth_first()
        .with_path()
        .all(&db)
        .await?;
    assert_eq!(lines(&from_b), ["b", ".c", "..a", "..d"]);
    let up = a.walk(|c| c.parent).depth_first().with_path().all(&db).await?;
    assert_eq!(lines(&up), [".c", "..b"]);
    assert_eq!(up[1].1.len(), 3);
    let every = Category::query()
        .walk(|c| c.children)
        .include_start()
        .depth_first();
    assert_eq!(every.count(&db).await?, 4);
    Ok(())
}

/// Keys of every kind that a path holds: UUIDs, several columns, text with anything in it.
#[orm::test(schema = trees())]
async fn paths_of_other_keys(db: Db) -> orm::Result<()> {
    let mut officers: Vec<Officer> = Vec::new();
    for name in ["general", "major", "captain"] {
        let id: Id<Officer, Uuid> = Uuid::now_v7().into();
        let superior_id = officers.last().map_or(id, |o| o.id);
        let new = NewOfficer {
            superior_id,
            name: name.into(),
        };
        officers.push(new.with_id(id).insert(&db).await?);
    }
    let down = officers[0]
        .walk(|o| o.reports)
        .depth_first()
        .with_path()
        .all(&db)
        .await?;
    let ids: Vec<_> = officers.iter().map(|o| o.id).collect();
    assert_eq!(
        down.iter().map(|(o, _)| o.name.as_str()).collect::<Vec<_>>(),
        ["major", "captain"]
    );
    assert_eq!(down[1].1.to_vec(), ids);
    for (doc, no, above) in [
        (1, 1, None),
        (1, 12, Some(1)),
        (1, 3, Some(1)),
        (1, 7, Some(12)),
        (2, 1, None),
    ] {
        let new = NewSection {
            doc,
            no,
            title: format!("{doc}.{no}"),
        };
        new.set(|s| s.above_no.to(above)).insert(&db).await?;
    }
    let all = Section::query()
        .roots(|s| s.below)
        .walk(|s| s.below)
        .include_start()
        .depth_first();
    let all = all.with_path().all(&db).await?;
    let seen: Vec<(&str, Vec<(i64, i32)>)> =
        all.iter().map(|(s, p)| (s.title.as_str(), p.to_vec())).collect();
    assert_eq!(
        seen,
        [
            ("1.1", vec![(1, 1)]),
            ("1.3", vec![(1, 1), (1, 3)]),
            ("1.12", vec![(1, 1), (1, 12)]),
            ("1.7", vec![(1, 1), (1, 12), (1, 7)]),
            ("2.1", vec![(2, 1)]),
        ]
    );
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(within: Region, by = outer_code)]
pub struct Region {
    #[orm(id)]
    pub code: String,
    #[belongs_to(outer: Self)]
    pub outer_code: Option<String>,
}

#[orm::test(schema = orm::schema![Region])]
async fn paths_of_text_hold_any_text(db: Db) -> orm::Result<()> {
    let codes = ["3:a1:", "", "ü日本", "1:1:1:", "a'b\"c\\"];
    let mut above: Option<String> = None;
    for code in codes {
        let new = NewRegion { code: code.into() }.set(|r| r.outer_code.to(above.clone()));
        above = Some(new.insert(&db).await?.code);
    }
    let top = Region::get(&db, codes[0].to_owned()).await?;
    let rows = top.walk(|r| r.within).depth_first().with_path().all(&db).await?;
    for (i, (row, path)) in rows.iter().enumerate() {
        assert_eq!(row.code, codes[i + 1]);
        assert_eq!(path.to_vec(), codes[..i + 2]);
    }
    assert_eq!(rows.len(), 4);
    Ok(())
}

/// Deleted rows and other tenants' hide what is under them in an outline too; and a graph has no outline.
#[orm::test(schema = trees())]
async fn what_an_outline_leaves_out(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1), db.tenant(2));
    let car = part(&one, "car", None).await;
    let engine = part(&one, "engine", Some(&car)).await;
    part(&one, "piston", Some(&engine)).await;
    part(&one, "wheel", Some(&car)).await;
    part(&two, "stolen", Some(&car)).await;
    engine.delete(&one).await?;
    let walk = || car.walk(|p| p.parts).depth_first();
    let seen = walk().with_path().all(&one).await?;
    assert_eq!(
        seen.iter().map(|(p, _)| p.name.as_str()).collect::<Vec<_>>(),
        ["wheel"]
    );
    let all = walk().with_deleted().select(|p| p.name).all(&one).await?;
    assert_eq!(all, ["engine", "piston", "wheel"]);
    let through = walk()
        .with_deleted()
        .through(|p| p.name.ne("engine"))
        .select(|p| p.name);
    assert_eq!(through.all(&one).await?, ["wheel"]);
    assert_eq!(walk().count(&two).await?, 0);
    let people = ["a", "b"].map(|name| NewPerson { name: name.into() });
    let people = NewPerson::insert_all(&db, people).await?;
    let follows = NewFollow {
        follower_id: people[0].id,
        followed_id: people[1].id,
    };
    follows.insert(&db).await?;
    let graph = || people[0].walk(|p| p.follows).max_depth(3);
    for e in [
        refused(graph().depth_first().all(&db).await),
        refused(graph().with_path().all(&db).await),
    ] {
        assert_eq!(e.kind(), ErrorKind::Encode, "before anything is sent");
        assert!(e.to_string().contains("shortest_path_to"), "{e}");
    }
    Ok(())
}

/// A relation to one row is a list: each behind the one before.
#[orm::test(schema = trees())]
async fn an_outline_of_a_list(db: Db) -> orm::Result<()> {
    let mut links = vec![NewLink {}.insert(&db).await?];
    for i in 0..3 {
        let prev = links[i].id;
        links.push(NewLink {}.set(|l| l.prev_id.to(prev)).insert(&db).await?);
    }
    let rows = links[0]
        .walk(|l| l.next)
        .depth_first()
        .with_path()
        .all(&db)
        .await?;
    assert!(rows.iter().map(|(l, _)| l.id).eq(links[1..].iter().map(|l| l.id)));
    assert_eq!(rows[2].1.to_vec(), links.iter().map(|l| l.id).collect::<Vec<_>>());
    Ok(())
}

/// Outlines of forests that nobody drew: the order and the paths are those of a walk in memory.
#[orm::test(schema = trees())]
async fn outlines_of_any_forest(db: Db) -> orm::Result<()> {
    let mut seed = 7u64;
    let mut below = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % n
    };
    let mut rows: Vec<Category> = Vec::new();
    for i in 0..120 {
        let parent = match i < 3 || below(9) == 0 {
            true => None,
            false => Some(rows[below(rows.len())].clone()),
        };
        let name = format!("{:02}", below(20));
        rows.push(category(&db, &name, parent.as_ref()).await);
    }
    let roots = || {
        Category::query()
            .roots(|c| c.children)
            .walk(|c| c.children)
            .include_start()
    };
    let siblings = |c: CategoryCols<Category>| (c.name.desc(), c.id.asc());
    let outline = roots()
        .order_siblings_by(siblings)
        .depth_first()
        .with_path()
        .all(&db)
        .await?;
    let forest = roots().order_siblings_by(siblings).tree(&db).await?;
    let nested: Vec<(usize, Category)> = forest.depth_first().map(|(d, t)| (d, t.node.clone())).collect();
    let flat: Vec<(usize, Category)> = outline.iter().map(|(c, p)| (p.depth(), c.clone())).collect();
    assert_eq!(flat, nested);
    for (row, path) in &outline {
        let expected: Vec<_> = forest
            .path_to(|c| c.id == row.id)
            .expect("it is there")
            .iter()
            .map(|c| c.id)
            .collect();
        assert_eq!(path.to_vec(), expected);
    }
    Ok(())
}

/// A thousand rows, a chain of five hundred levels and a row of five hundred siblings, take no quadratic time.
#[orm::test(schema = trees())]
async fn deep_and_wide(db: Db) -> orm::Result<()> {
    let rows = NewCategory::insert_all(&db, (0..1000).map(|i| NewCategory { name: i.to_string() })).await?;
    let tx = db.begin().await?;
    for i in 1..1000 {
        let parent = rows[if i < 500 { i - 1 } else { 250 }].id;
        rows[i].update().set(|c| c.parent_id.to(parent)).save(&tx).await?;
    }
    let start = std::time::Instant::now();
    let outline = rows[0]
        .walk(|c| c.children)
        .include_start()
        .depth_first()
        .with_path()
        .all(&tx)
        .await?;
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!(outline.len(), 1000);
    assert!(
        outline[..500]
            .iter()
            .map(|(c, _)| c.id)
            .eq(rows[..500].iter().map(|c| c.id))
    );
    assert!(outline.iter().skip(500).all(|(_, path)| path.depth() == 251));
    assert_eq!(outline[499].1.len(), 500);
    tx.rollback().await
}

//! Walks over a join table: reachability, distances and shortest ways in a graph.

use orm::prelude::*;

use crate::models::refused;
use crate::trees::{NewFollow, NewPerson, Person, trees};

async fn people(db: &Db, edges: &[(usize, usize)]) -> Vec<Person> {
    let count = edges.iter().map(|(a, b)| a.max(b) + 1).max().unwrap_or(0);
    let new = (0..count).map(|i| NewPerson {
        name: format!("p{i}"),
    });
    let people = NewPerson::insert_all(db, new).await.expect("people");
    let follows = edges.iter().map(|(a, b)| NewFollow {
        follower_id: people[*a].id,
        followed_id: people[*b].id,
    });
    NewFollow::insert_all(db, follows).await.expect("follows");
    people
}

fn who(rows: &[Person]) -> Vec<&str> {
    rows.iter().map(|p| p.name.as_str()).collect()
}

#[orm::test(schema = trees())]
async fn a_graph_over_a_join_table(db: Db) -> orm::Result<()> {
    // a diamond 0 → {1, 2} → 3, a ring 3 → 4 → 0, a tail 4 → 5, and 6 → 0 from outside
    let edges = [
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 3),
        (3, 4),
        (4, 0),
        (4, 5),
        (6, 0),
        (5, 5),
    ];
    let p = people(&db, &edges).await;
    let reached = p[0].walk(|p| p.follows).order_by(|p| p.id.asc()).all(&db).await?;
    assert_eq!(
        who(&reached),
        ["p1", "p2", "p3", "p4", "p5"],
        "without a limit, each once"
    );
    let followers = p[5].walk(|p| p.followers).count(&db).await?;
    assert_eq!(followers, 6);
    let rows = p[0]
        .walk(|p| p.follows)
        .max_depth(9)
        .include_start()
        .with_depth()
        .order_by(|p| p.id.asc());
    let seen: Vec<i64> = rows.all(&db).await?.iter().map(|(_, depth)| *depth).collect();
    assert_eq!(seen, [0, 1, 1, 2, 3, 4], "the shortest distances");
    let near = p[0]
        .walk(|p| p.follows)
        .max_depth(2)
        .breadth_first()
        .order_by(|p| p.id.asc())
        .all(&db)
        .await?;
    assert_eq!(who(&near), ["p1", "p2", "p3"]);
    assert_eq!(p[0].walk(|p| p.follows).max_depth(0).count(&db).await?, 0);
    let open = Person::update_where(|x| x.id.eq(p[3].id)).set(|x| x.open.to(false));
    open.exec(&db).await?;
    let through = p[0]
        .walk(|p| p.follows)
        .through(|p| p.open)
        .order_by(|p| p.id.asc())
        .all(&db)
        .await?;
    assert_eq!(who(&through), ["p1", "p2"]);
    let error = refused(p[0].walk(|p| p.follows).with_depth().all(&db).await);
    assert_eq!(
        error.message(),
        "depths over a join table are counted only up to a limit: give the walk a `.max_depth(n)`"
    );
    let error = refused(p[0].walk(|p| p.follows).tree(&db).await);
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::InvalidQuery, Some("follows"))
    );
    let roots = Person::query()
        .roots(|p| p.follows)
        .select(|p| p.name)
        .all(&db)
        .await?;
    assert_eq!(roots, ["p6"]);
    assert_eq!(Person::query().leaves(|p| p.follows).count(&db).await?, 0);
    assert_eq!(
        Person::query()
            .leaves(|p| p.followers)
            .select(|p| p.name)
            .all(&db)
            .await?,
        ["p6"]
    );
    Ok(())
}

#[orm::test(schema = trees())]
async fn shortest_paths(db: Db) -> orm::Result<()> {
    // two ways of three steps from 0 to 3, a longer one, a ring back, an island
    let edges = [
        (0, 1),
        (1, 2),
        (2, 3),
        (0, 4),
        (4, 5),
        (5, 3),
        (0, 6),
        (6, 7),
        (7, 8),
        (8, 3),
        (3, 0),
        (9, 0),
    ];
    let p = people(&db, &edges).await;
    let way = async |from: usize, to: usize, most: u32| {
        let walk = p[from].walk(|p| p.follows).max_depth(most);
        walk.shortest_path_to(p[to].id).all(&db).await
    };
    let found = orm::assert_statements!(db, 1, { way(0, 3, 10).await? });
    assert_eq!(who(&found), ["p0", "p1", "p2", "p3"], "the same of two each time");
    assert_eq!(way(0, 3, 3).await?.len(), 4);
    assert!(way(0, 3, 2).await?.is_empty(), "too far");
    assert!(way(0, 9, 10).await?.is_empty(), "no way leads there");
    assert_eq!(who(&way(0, 0, 10).await?), ["p0"]);
    assert_eq!(who(&way(9, 8, 10).await?), ["p9", "p0", "p6", "p7", "p8"]);
    assert_eq!(who(&way(8, 6, 5).await?), ["p8", "p3", "p0", "p6"]);
    let around = p[0].walk(|p| p.follows).max_depth(9).through(|x| x.name.ne("p2"));
    let around = around.shortest_path_to(p[3].id).all(&db).await?;
    assert_eq!(who(&around), ["p0", "p4", "p5", "p3"]);
    let nearer = Person::query()
        .filter(|p| p.name.in_(["p9", "p7"]))
        .walk(|p| p.follows)
        .max_depth(9);
    let keys = nearer.shortest_path_to(p[3].id).select(|p| p.id).all(&db).await?;
    assert_eq!(keys, [p[7].id, p[8].id, p[3].id]);
    let error = refused(p[0].walk(|p| p.follows).shortest_path_to(p[3].id).all(&db).await);
    assert_eq!(error.kind(), ErrorKind::Encode);
    Ok(())
}

/// Every two of many: the number of ways is beyond counting, the number of rows is not.
#[orm::test(schema = trees())]
async fn a_dense_graph_is_walked_in_no_time(db: Db) -> orm::Result<()> {
    let edges: Vec<(usize, usize)> = (0..40)
        .flat_map(|a| (0..40).filter(move |b| a != *b).map(move |b| (a, b)))
        .collect();
    let p = people(&db, &edges).await;
    assert_eq!(p[0].walk(|p| p.follows).count(&db).await?, 39);
    assert_eq!(p[0].walk(|p| p.follows).max_depth(12).count(&db).await?, 39);
    let way = p[0].walk(|p| p.follows).max_depth(12).shortest_path_to(p[39].id);
    assert_eq!(way.count(&db).await?, 2);
    Ok(())
}

/// The same reachability as a search in memory, on random graphs.
#[orm::test(schema = trees())]
async fn distances_are_those_of_a_search_in_memory(db: Db) -> orm::Result<()> {
    let mut seed = 7_u64;
    let mut random = |n: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    for _ in 0..10 {
        let mut edges: Vec<(usize, usize)> = (0..18)
            .map(|_| (random(12), random(12)))
            .chain([(11, 11)])
            .collect();
        edges.sort_unstable();
        edges.dedup();
        let p = people(&db, &edges).await;
        let mut near = [None; 12];
        near[0] = Some(0);
        for depth in 0..12 {
            for (a, b) in &edges {
                if near[*a] == Some(depth) && near[*b].is_none() {
                    near[*b] = Some(depth + 1);
                }
            }
        }
        let rows = p[0]
            .walk(|p| p.follows)
            .max_depth(12)
            .include_start()
            .with_depth()
            .all(&db)
            .await?;
        let mut seen: Vec<(Id<Person>, i64)> = rows.iter().map(|(p, depth)| (p.id, *depth)).collect();
        seen.sort_unstable();
        let expected = near
            .iter()
            .enumerate()
            .filter_map(|(i, depth)| Some((p[i].id, (*depth)?)));
        let expected: Vec<(Id<Person>, i64)> = expected.collect();
        assert_eq!(seen, expected, "{edges:?}");
        for (to, depth) in near.iter().enumerate() {
            let way = p[0]
                .walk(|p| p.follows)
                .max_depth(12)
                .shortest_path_to(p[to].id)
                .all(&db)
                .await?;
            assert_eq!(way.len(), depth.map_or(0, |depth| depth as usize + 1));
            let place = |x: &Person| p.iter().position(|other| other.id == x.id).expect("a person");
            let is_edge = |two: &[Person]| edges.contains(&(place(&two[0]), place(&two[1])));
            assert!(way.windows(2).all(is_edge));
        }
    }
    Ok(())
}

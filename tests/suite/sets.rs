//! UNION, INTERSECT, EXCEPT, VALUES, rows as values, ANY and ALL.

use orm::prelude::*;
use orm::query::{Compound, all_rows, any_row, row, values};

use crate::models::*;

async fn names(db: &Db) -> orm::Result<[User; 4]> {
    let mut users = Vec::new();
    for (name, age) in [("ann", 30), ("bob", 40), ("cid", 40), ("dan", 50)] {
        let user = user(db, name).await;
        users.push(user.update().set(|u| u.age.to(age)).save(db).await?);
    }
    users[3] = users[3].update().set(|u| u.bio.to("old")).save(db).await?;
    for title in ["bob", "cid", "cid", "eve", "eve"] {
        post(db, &users[0], title).await;
    }
    post(db, &users[0], "ann").await.delete(db).await?;
    Ok(users.try_into().unwrap())
}

fn people() -> Query<User, String> {
    User::query().select(|u| u.name)
}
fn titles() -> Query<Post, String> {
    Post::query().select(|p| p.title)
}

fn sorted(mut rows: Vec<String>) -> String {
    rows.sort();
    rows.join(" ")
}

#[orm::test(schema = blog())]
async fn every_operation(db: Db) -> orm::Result<()> {
    names(&db).await?;
    let of_people = [
        ("ann bob cid dan eve", people().union(titles())),
        (
            "ann bob bob cid cid cid dan eve eve",
            people().union_all(titles()),
        ),
        ("bob cid", people().intersect(titles())),
        ("ann dan", people().except(titles())),
        // from left to right
        ("bob cid eve", people().union(titles()).intersect(titles())),
        (
            "ann bob cid dan eve",
            people().union(titles().intersect(titles())),
        ),
        ("ann dan", people().except(titles().union(titles()))),
    ];
    let of_titles = [
        ("eve", titles().except(people())),
        // duplicates count
        ("bob cid", titles().intersect_all(people())),
        ("bob cid cid eve eve", titles().intersect_all(titles())),
        ("cid eve eve", titles().except_all(people())),
        ("", titles().except_all(titles())),
        ("eve", titles().except_all(people()).except(people())),
        (
            "cid eve eve eve",
            titles().except_all(people()).union_all(titles().except(people())),
        ),
    ];
    yield_rows(&db, of_people).await?;
    yield_rows(&db, of_titles).await
}

async fn yield_rows<M: Model>(
    db: &impl Serves<M>,
    cases: impl IntoIterator<Item = (&str, Compound<M, String>)>,
) -> orm::Result<()> {
    for (expected, query) in cases {
        assert_eq!(sorted(query.clone().all(db).await?), expected);
        let count = expected.split(' ').filter(|w| !w.is_empty()).count() as i64;
        assert_eq!(query.clone().count(db).await?, count, "{expected}");
        assert_eq!(query.exists(db).await?, count > 0, "{expected}");
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn orders_and_limits_of_each_and_of_all(db: Db) -> orm::Result<()> {
    names(&db).await?;
    let last = || {
        User::query()
            .order_by(|u| u.name.desc())
            .limit(2)
            .select(|u| (u.name, u.age))
    };
    let first = User::query()
        .order_by(|u| u.name.asc())
        .limit(1)
        .select(|u| (u.name, u.age));
    let both = last()
        .union_all(first.clone())
        .order_by(|(name, age)| (age.desc(), name.asc()));
    assert_eq!(
        both.clone().all(&db).await?,
        [("dan".into(), 50), ("cid".into(), 40), ("ann".into(), 30)]
    );
    assert_eq!(
        both.clone().offset(1).limit(1).all(&db).await?,
        [("cid".to_string(), 40)]
    );
    assert_eq!(both.clone().first(&db).await?, Some(("dan".to_string(), 50)));
    let e = both.clone().one(&db).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::MoreThanOne);
    let mut tx = db.begin().await?;
    let mut rows = both.stream(&mut tx);
    let mut read = Vec::new();
    while let Some(row) = rows.next().await? {
        read.push(row.1);
    }
    assert_eq!(read, [50, 40, 30]);
    drop(rows);
    tx.commit().await?;
    // the limit is one of all rows
    let limited = first.union_all(last()).limit(2).union(last().limit(1));
    assert!(limited.count(&db).await? <= 3);
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_of_a_model(db: Db) -> orm::Result<()> {
    let [ann, _, _, dan] = names(&db).await?;
    let young = User::query().filter(|u| u.age.lt(35));
    let old = User::query().filter(|u| u.age.gt(45));
    let both = young.union(old).order_by(|u| u.age.desc());
    assert_eq!(both.clone().all(&db).await?, [dan.clone(), ann.clone()]);
    let writers: Vec<String> = orm::from(both)
        .filter(|u| u.posts.exist())
        .select(|u| u.name)
        .all(&db)
        .await?;
    assert_eq!(writers, ["ann"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_from_memory(db: Db) -> orm::Result<()> {
    names(&db).await?;
    let wanted = || values([("ann", Some(1i64)), ("cid", None), ("zoe", Some(3))]);
    let rows: Vec<(String, Option<i64>)> = User::query()
        .join_on(wanted(), |u, (name, _)| u.name.eq(name))
        .order_by(|(u, _)| u.name.asc())
        .select(|(u, (_, n))| (u.name, n))
        .all(&db)
        .await?;
    assert_eq!(rows, [("ann".into(), Some(1)), ("cid".into(), None)]);
    let missing: Vec<Option<i64>> = User::query()
        .right_join_on(wanted(), |u, (name, _)| u.name.eq(name))
        .filter(|(u, _)| u.map(|u| u.id).is_null())
        .select(|(_, (_, n))| n)
        .all(&db)
        .await?;
    assert_eq!(missing, [Some(3)]);
    let ages = values([40, 50]);
    let by_age: Vec<(i32, i64)> = User::query()
        .join_on(ages, |u, age| u.age.eq(age))
        .group_by(|(_, age)| age)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(by_age, [(40, 2), (50, 1)]);
    // a query may begin with them
    let mut squares: Vec<(i32, i64)> = orm::from(values([3, 2, 1]))
        .left_join_on(User::query(), |n, u| u.age.eq(n * 20))
        .group_by(|(n, _)| n)
        .select(|g| (g.key(), g.agg(|(_, u)| u.map(|u| u.id).count())))
        .all(&db)
        .await?;
    squares.sort();
    assert_eq!(squares, [(1, 0), (2, 2), (3, 0)]);
    assert_eq!(
        orm::from(values(["b", "a"]))
            .order_by(|t| t.asc())
            .select(|t| t)
            .all(&db)
            .await?,
        ["a", "b"]
    );
    let none: [&str; 0] = [];
    let nobody = User::query()
        .join_on(values(none), |u, name| u.name.eq(name))
        .select(|(u, _)| u.id);
    assert_eq!(nobody.count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_as_values(db: Db) -> orm::Result<()> {
    names(&db).await?;
    let among =
        |list: Vec<(&'static str, i32)>| User::query().filter(move |u| row((u.name, u.age)).in_(list));
    assert_eq!(among(vec![("ann", 30), ("bob", 30)]).count(&db).await?, 1);
    assert_eq!(among(vec![]).count(&db).await?, 0);
    let not_among = User::query().filter(|u| row((u.name, u.age)).not_in(Vec::<(String, i32)>::new()));
    assert_eq!(not_among.count(&db).await?, 4);
    let query = User::query().filter(|u| {
        let others = User::query().filter(|o| o.id.ne(u.id)).select(|o| (o.age, o.age));
        row((u.age, u.age)).in_(others)
    });
    assert_eq!(query.count(&db).await?, 2);
    // three have no bio, and NULL equals nothing and differs from nothing
    let bios = || User::query().select(|u| (u.bio, u.age));
    let not = User::query().filter(|u| row((u.name, u.age)).not_in(bios()));
    assert_eq!(not.count(&db).await?, 4);
    let after = User::query().filter(|u| row((u.age, u.name)).gt((u.age * 0 + 40, u.name.lower())));
    assert_eq!(after.count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn every_row_and_any_row(db: Db) -> orm::Result<()> {
    names(&db).await?;
    let ages = |name: &'static str| User::query().filter(move |u| u.name.ge(name)).select(|u| u.age);
    let count = async |f: fn(UserCols<User>, Query<User, i32>) -> Filter<User>, name| {
        User::query().filter(|u| f(u, ages(name))).count(&db).await
    };
    assert_eq!(count(|u, q| u.age.ge(all_rows(q)), "a").await?, 1);
    assert_eq!(count(|u, q| u.age.lt(any_row(q)), "a").await?, 3);
    assert_eq!(count(|u, q| u.age.eq(any_row(q)), "b").await?, 3);
    assert_eq!(count(|u, q| u.age.ne(all_rows(q)), "b").await?, 1);
    // of no rows all is true and any is false
    assert_eq!(count(|u, q| u.age.gt(all_rows(q)), "x").await?, 4);
    assert_eq!(count(|u, q| u.age.gt(any_row(q)), "x").await?, 0);
    // a NULL leaves it open, unless another row decides
    let bios = || User::query().select(|u| u.bio);
    let above = |f: Filter<User>| User::query().filter(|_| f).count(&db);
    let name = || orm::query::value::<User, String>("pat".into());
    assert_eq!(above(name().gt(all_rows(bios()))).await?, 0);
    assert_eq!(above(name().gt(all_rows(bios())).not()).await?, 0);
    assert_eq!(above(name().lt(all_rows(bios())).not()).await?, 4);
    assert_eq!(above(name().gt(any_row(bios()))).await?, 4);
    assert_eq!(above(name().lt(any_row(bios())).not()).await?, 0);
    Ok(())
}

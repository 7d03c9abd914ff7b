//! How the database answers, as a tree; and that asking changes nothing.

use orm::Plan;
use orm::prelude::*;
use orm::query::cte;
use orm::sql::plan::NodeKind;

use crate::models::*;
use crate::observe::{Log, Login};

/// Whether some step touches this table.
fn reads(plan: &Plan, relation: &str) -> bool {
    plan.nodes().any(|n| n.relation.as_deref() == Some(relation))
}

#[orm::test(schema = blog())]
async fn queries_of_every_kind_tell_their_plan(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "a").await;
    let age = 3;
    for plan in [
        User::query().filter(|u| u.age.gt(3)).explain(&db).await?,
        User::query().select(|u| (u.id, u.name)).explain(&db).await?,
        User::query()
            .group_by(|u| u.age)
            .select(|g| (g.key(), g.count()))
            .explain(&db)
            .await?,
        User::query().union_all(User::query()).explain(&db).await?,
        orm::from(cte(
            "grown",
            User::query().filter(|u| u.age.gt(17)).select(|u| u.id),
        ))
        .select(|id| id)
        .explain(&db)
        .await?,
        User::query()
            .order_by(|u| u.name.asc())
            .page(5)
            .explain(&db)
            .await?,
        User::query()
            .order_by(|u| u.name.asc())
            .page(5)
            .number(2)
            .explain(&db)
            .await?,
        sql!("select name from users where age > {age}")
            .explain(&db)
            .await?,
    ] {
        assert!(reads(&plan, "users"), "{plan}");
        assert!(plan.to_string().contains("users"), "{plan}");
        assert!(plan.sequential_scans().next().is_some(), "{plan}");
    }
    let joined = Post::query()
        .join(|p| p.author)
        .select(|(p, u)| (p.title, u.name));
    let plan = joined.explain(&db).await?;
    assert!(reads(&plan, "users") && reads(&plan, "posts"), "{plan}");
    let plan = ann.posts().explain(&db).await?;
    assert!(reads(&plan, "posts"), "{plan}");
    // the order needs a sort
    let plan = User::query().order_by(|u| u.name.asc()).explain(&db).await?;
    assert!(plan.nodes().any(|n| n.kind == NodeKind::Sort), "{plan}");
    // values are binds, and the loads beside the rows are statements of their own
    let plan = User::query()
        .with(|u| u.posts)
        .filter(|u| u.name.eq("'); drop table users; --"))
        .explain(&db)
        .await?;
    assert!(reads(&plan, "users") && !reads(&plan, "posts"), "{plan}");
    let plan = User::query().with(|u| u.profile.joined()).explain(&db).await?;
    assert!(reads(&plan, "profiles"), "{plan}");
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_index_that_is_used_is_named(db: Db) -> orm::Result<()> {
    let new = |i: i32| NewUser {
        email: format!("{i}@x.io"),
        name: "n".into(),
    };
    NewUser::insert_all(&db, (0..3000).map(new)).await?;
    sql!("analyze").exec(&db).await?;
    let plan = User::query()
        .filter(|u| u.email.eq("7@x.io"))
        .explain(&db)
        .await?;
    assert!(plan.sequential_scans().next().is_none(), "{plan}");
    let by_index = plan.nodes().find(|n| n.index.is_some());
    let name = by_index.and_then(|n| n.index.clone()).unwrap_or_default();
    assert!(plan.uses_index(&name) && name.contains("users"), "{plan}");
    assert!(
        by_index
            .and_then(|n| n.condition.as_deref())
            .is_some_and(|c| c.contains("email")),
        "{plan}"
    );
    assert!(!plan.uses_index("ix_other"));
    Ok(())
}

#[orm::test(schema = blog())]
async fn writes_tell_their_plan_and_write_nothing(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let new = |name: &str| NewUser {
        email: format!("{name}@x.io"),
        name: name.into(),
    };
    let plans = [
        User::update_where(|u| u.name.eq("ann"))
            .set(|u| u.age.to(u.age + 1))
            .explain(&db)
            .await?,
        User::delete_where(|u| u.name.eq("ann")).explain(&db).await?,
        ann.update().set(|u| u.age.to(9)).explain(&db).await?,
        new("bob").explain(&db).await?,
        new("bob").set(|u| u.age.to(3)).explain(&db).await?,
        NewUser::explain_all(&db, ["bob", "eve"].map(new)).await?,
        new("ann").upsert(|u| u.email).do_nothing().explain(&db).await?,
        new("ann")
            .upsert(|u| u.email)
            .update(|u, new| u.name.to(new.name))
            .explain(&db)
            .await?,
        NewUser::upsert_all(["ann", "bob"].map(new), |u| u.email)
            .update(|u, new| u.name.to(new.name))
            .explain(&db)
            .await?,
    ];
    // a plan of an insert of values is empty on SQLite
    let measures = db.dialect().features().explain_analyze;
    for plan in &plans {
        assert_eq!(
            plan.nodes().any(|n| n.kind == NodeKind::Modify),
            measures,
            "{plan}"
        );
    }
    assert!(reads(&plans[0], "users") && reads(&plans[1], "users"));
    assert_eq!(User::query().all(&db).await?, [ann]);
    let nothing = User::update_where(|u| u.name.eq("ann")).explain(&db).await;
    assert_eq!(refused(nothing).kind(), ErrorKind::InvalidQuery);
    let nothing = NewUser::explain_all(&db, [] as [NewUser; 0]).await;
    assert_eq!(refused(nothing).kind(), ErrorKind::InvalidQuery);
    Ok(())
}

#[orm::test(schema = blog())]
async fn what_is_measured_is_rolled_back(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let older = || User::update_where(|u| u.age.ge(0)).set(|u| u.age.to(u.age + 1));
    if !db.dialect().features().explain_analyze {
        let e = refused(older().explain(&db).analyze().await);
        assert_eq!(e.kind(), ErrorKind::Unsupported);
        assert_eq!(e.message(), "EXPLAIN ANALYZE is not supported on sqlite");
        assert_eq!(User::get(&db, ann.id).await?.age, 0);
        return Ok(());
    }
    let plan = older().explain(&db).analyze().buffers().await?;
    let [root] = &plan.roots[..] else { panic!("{plan}") };
    assert_eq!((root.kind, root.name.as_str()), (NodeKind::Modify, "Update"));
    let scan = plan.nodes().last().unwrap();
    assert_eq!(scan.actual.map(|a| (a.rows, a.loops)), Some((1.0, 1.0)), "{plan}");
    assert!(scan.actual.unwrap().ms.is_some() && scan.buffers.is_some() && scan.estimate.is_some());
    assert!(plan.execution_ms.is_some() && plan.planning_ms.is_some() && plan.cost().is_some());
    assert_eq!(User::get(&db, ann.id).await?.age, 0);
    let quick = older().explain(&db).analyze().without_timing().wal().await?;
    assert!(
        quick.nodes().all(|n| n.actual.is_some_and(|a| a.ms.is_none())),
        "{quick}"
    );

    // inside a transaction only what was measured is undone
    let mut tx = db.begin().await?;
    older().exec(&tx).await?;
    let plan = User::delete_where(|u| u.age.eq(1)).explain(&tx).analyze().await?;
    assert_eq!(
        plan.nodes().last().and_then(|n| n.actual).map(|a| a.rows),
        Some(1.0),
        "{plan}"
    );
    let taken = NewUser {
        email: "ann@x.io".into(),
        name: "Ann".into(),
    };
    // an error of the statement spoils nothing
    let e = refused(taken.explain(&tx).analyze().await);
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    let inner = tx.begin().await?;
    older().explain(&inner).analyze().await?;
    inner.commit().await?;
    tx.commit().await?;
    assert_eq!(User::get(&db, ann.id).await?.age, 1);
    let rows = User::query().explain(&db).analyze().await?;
    assert_eq!(rows.roots[0].actual.map(|a| a.rows), Some(1.0));
    let snapshot = db.snapshot().await?;
    User::query().explain(&snapshot).analyze().await?;
    snapshot.end().await
}

#[orm::test]
async fn values_of_sensitive_columns_are_in_no_plan_and_no_log(db: Db) -> orm::Result<()> {
    db.create_all(&orm::schema![Login]).await?;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let query = || Login::query().filter(|l| l.password.eq("s3cr3t").and(l.name.ne("ann")));
    let plan = query().explain(&db).verbose_where_told(&db).await?;
    assert!(!format!("{plan} {plan:?}").contains("s3cr3t"), "{plan:?}");
    assert!(format!("{plan}").contains("logins"));
    let seen = log.taken();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].get("db.operation.name"), Some("EXPLAIN"));
    assert!(!format!("{seen:?}").contains("s3cr3t"));
    Ok(())
}

trait Told<'a> {
    fn verbose_where_told(self, db: &Db) -> Self;
}
impl Told<'_> for orm::exec::Explain<'_> {
    fn verbose_where_told(self, db: &Db) -> Self {
        match db.dialect().features().explain_analyze {
            true => self.verbose(),
            false => self,
        }
    }
}

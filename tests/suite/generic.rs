//! Code that is generic over models and handles, and futures that cross threads.

use std::future::Future;

use orm::model::Writable;
use orm::prelude::*;
use orm::query::Col;

use crate::models::*;

async fn page<M: Model>(q: Query<M>, ex: &impl Serves<M>, n: u64) -> orm::Result<(Vec<M>, i64)> {
    let all = q.clone().count(ex).await?;
    Ok((q.limit(n).all(ex).await?, all))
}

trait Named: Model {
    fn name<S>(c: Self::Cols<S>) -> Col<S, String>;
}
impl Named for User {
    fn name<S>(c: UserCols<S>) -> Col<S, String> {
        c.name
    }
}
impl Named for Category {
    fn name<S>(c: CategoryCols<S>) -> Col<S, String> {
        c.name
    }
}
async fn by_name<M: Named>(ex: &impl Serves<M>, name: &str) -> orm::Result<Vec<M>> {
    M::query().filter(|c| M::name(c).eq(name)).all(ex).await
}

trait Repository<M: Model> {
    fn find<E: Serves<M>>(&self, ex: &E, id: M::Id) -> impl Future<Output = orm::Result<M>> + Send;
    fn remove<E: Writes<M>>(&self, ex: &E, m: M) -> impl Future<Output = orm::Result<bool>> + Send;
}
struct Tables;
impl<M: Model + Writable> Repository<M> for Tables {
    fn find<E: Serves<M>>(&self, ex: &E, id: M::Id) -> impl Future<Output = orm::Result<M>> + Send {
        M::get(ex, id)
    }
    fn remove<E: Writes<M>>(&self, ex: &E, m: M) -> impl Future<Output = orm::Result<bool>> + Send {
        m.delete(ex)
    }
}

async fn any_handle(ex: &impl Exec) -> orm::Result<i64> {
    User::query().count(ex).await
}
async fn two_needs(ex: &(impl Exec + Writes<Doc>)) -> orm::Result<i64> {
    NewDoc { title: "x".into() }.insert(ex).await?;
    User::query().count(ex).await
}
async fn plain(db: &Db) -> orm::Result<i64> {
    User::query().count(db).await
}
async fn inside(tx: &mut Tx) -> orm::Result<i64> {
    User::query().count(tx).await
}

#[orm::test(schema = blog())]
async fn functions_generic_over_models(db: Db) -> orm::Result<()> {
    let (ann, _) = (user(&db, "ann").await, user(&db, "bob").await);
    let (rows, all) = page(User::query().order_by(|u| u.id.asc()), &db, 1).await?;
    assert_eq!((rows, all), (vec![ann.clone()], 2));
    assert_eq!(by_name::<User>(&db, "ann").await?, [ann.clone()]);
    NewCategory { name: "c".into() }.insert(&db).await?;
    assert_eq!(by_name::<Category>(&db, "c").await?.len(), 1);
    let found: User = Tables.find(&db, ann.id).await?;
    assert!(Tables.remove(&db, found).await?);
    Ok(())
}

#[orm::test(schema = books())]
async fn functions_generic_over_handles(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let acting = db.acting_as(ann.id);
    assert_eq!(
        (
            any_handle(&db).await?,
            any_handle(&acting).await?,
            two_needs(&acting).await?
        ),
        (1, 1, 1)
    );
    assert_eq!(
        plain(&acting).await?,
        1,
        "a bound handle is the plain one underneath"
    );
    let mut tx = acting.begin().await?;
    assert_eq!(
        (
            any_handle(&tx).await?,
            two_needs(&tx).await?,
            inside(&mut tx).await?
        ),
        (1, 1, 1)
    );
    tx.rollback().await?;
    assert_eq!(Doc::query().count(&db).await?, 1);
    Ok(())
}

struct Billing {
    db: Acting<Tenant<Db, i64>, Id<User>>,
}
impl Billing {
    async fn bill(&self, number: &str, total: i64) -> orm::Result<Invoice> {
        self.db
            .transaction(async |tx| {
                NewAccount {
                    number: number.into(),
                }
                .insert(tx)
                .await?;
                NewInvoice { total }.insert(tx).await
            })
            .await
    }
}

#[orm::test(schema = books(), flavor = "multi_thread")]
async fn a_service_that_owns_its_handle_is_spawned(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let service = Billing {
        db: db.tenant(7i64).acting_as(ann.id),
    };
    let made = tokio::spawn(async move {
        let number = String::from("n1");
        service.bill(&number, 5).await
    });
    assert_eq!(made.await.expect("no panic")?.org, 7);
    let again = Billing {
        db: db.tenant(7i64).acting_as(ann.id),
    };
    assert!(refused(again.bill("n1", 6).await).is_unique_violation());
    assert_eq!(
        Invoice::query().count(&db.tenant(7i64)).await?,
        1,
        "the whole bill was undone"
    );
    Ok(())
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn more_tasks_than_connections_all_get_their_turn(db: Db) -> orm::Result<()> {
    let mut tasks = Vec::new();
    for i in 0..200 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            let t = NewTag { name: format!("{i}") }.insert(&db).await?;
            let name = Tag::get(&db, t.id).await?.name;
            Ok::<_, Error>(name == format!("{i}"))
        }));
    }
    for task in tasks {
        assert!(task.await.expect("no panic")?);
    }
    let status = db.status();
    assert!(status.open <= status.max && status.waiting == 0, "{status:?}");
    Ok(())
}

#[orm::test(schema = blog())]
async fn every_future_may_cross_threads(db: Db) -> orm::Result<()> {
    fn send<T: Send>(it: T) -> T {
        it
    }
    fn owned<T: Send + Sync + 'static>(it: T) -> T {
        it
    }
    owned(db.clone());
    owned(db.acting_as(1i64).tenant(2i64));
    let _ = owned(User::query().filter(|u| u.name.eq("x")));
    let _ = owned(User::query().left_join(|u| u.posts).select(|(u, _)| u.name));
    let new = |name: &str| NewTag { name: name.into() };
    let row = send(new("a").insert(&db)).await?;
    send(new("b").exec(&db)).await?;
    send(NewTag::insert_all(&db, [new("c")])).await?;
    send(NewTag::exec_all(&db, [new("d")])).await?;
    send(new("e").upsert(|t| t.name).do_nothing().exec(&db)).await?;
    send(
        new("e")
            .upsert(|t| t.name)
            .update(|t, new| t.name.to(new.name))
            .exec(&db),
    )
    .await?;
    send(NewTag::upsert_all([new("e")], |t| t.name).exec(&db)).await?;
    send(row.update().set(|t| t.name.to("z")).save(&db)).await?;
    send(
        Tag::update_where(|t| t.name.eq("b"))
            .set(|t| t.name.to("y"))
            .exec(&db),
    )
    .await?;
    send(
        Tag::update_where(|t| t.name.eq("y"))
            .set(|t| t.name.to("b"))
            .returning(&db),
    )
    .await?;
    send(Tag::delete_where(|t| t.name.eq("c")).exec(&db)).await?;
    send(Tag::query().all(&db)).await?;
    send(Tag::query().first(&db)).await?;
    send(Tag::query().limit(1).one(&db)).await?;
    send(Tag::query().limit(1).optional(&db)).await?;
    send(Tag::query().count(&db)).await?;
    send(Tag::query().exists(&db)).await?;
    send(Tag::get(&db, row.id)).await?;
    send(row.posts().all(&db)).await?;
    send(sql!("SELECT 1").fetch::<i64, _>(&db)).await.ok();
    send(db.ping()).await?;
    send(db.transaction(async |tx| new("f").exec(tx).await)).await?;
    send(db.tx().retry(1).run(async |tx| Tag::query().count(tx).await)).await?;
    let mut tx = owned(send(db.begin()).await?);
    {
        let mut rows = send(Tag::query().stream(&mut tx));
        while let Some(tag) = send(rows.next()).await? {
            assert!(!tag.name.is_empty());
        }
    }
    send(tx.savepoint(async |sp| new("g").exec(sp).await)).await?;
    let inner = send(tx.begin()).await?;
    send(inner.rollback()).await?;
    send(tx.commit()).await?;
    assert!(send(row.delete(&db)).await?);
    send(db.close()).await;
    Ok(())
}

//! Repositories: one script, played to the database and to the memory, gives the same answers.

use std::fmt::Debug;
use std::sync::Arc;

use orm::prelude::*;
use orm::query::Insert;
use orm::{Edit, ErrorKind, MemoryRepository, Pending, Repository};

use crate::hooks::{NewTask, Task};
use crate::models::*;

/// What an operation answered, without what databases word differently.
fn answer<T: Debug>(result: orm::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(e) => format!("{:?} {:?} {:?}", e.kind(), e.model(), e.constraint()),
    }
}

fn changed<M: Clone + orm::model::Writable>(row: &M, change: impl FnOnce(&mut M)) -> Edit<M> {
    let mut edit = row.clone().edit();
    change(&mut edit);
    edit
}

async fn posts(posts: &dyn Repository<Post>) -> orm::Result<Vec<String>> {
    let new = |title: &str| NewPost {
        author_id: Id::new(1),
        title: title.into(),
    };
    let mut said = vec![answer(posts.count().await), answer(posts.list().await)];
    let a = posts.insert(new("a").into()).await?;
    let b = posts
        .insert(new("b").set(|p| (p.published.to(true), p.score.to(5))))
        .await?;
    said.push(format!("{a:?} {b:?}"));
    said.push(answer(posts.insert(new("ten").with_id(Id::new(10))).await));
    said.push(answer(posts.insert(new("next").into()).await));
    said.push(answer(posts.list().await));
    for (limit, offset) in [(2, 1), (0, 0), (9, 3), (9, 9), (i64::MAX as u64, 0)] {
        said.push(answer(posts.page(limit, offset).await));
    }
    said.push(answer(posts.get(b.id).await));
    said.push(answer(posts.get(Id::new(99)).await));
    let saved = posts.save(changed(&a, |a| a.title = "A".into())).await?;
    said.push(format!("{saved:?}"));
    said.push(answer(posts.save(saved.clone().edit()).await));
    said.push(answer(posts.save(changed(&a, |a| a.views = 7)).await));
    said.push(answer(posts.save(changed(&a, |a| a.version = 7)).await));
    said.push(answer(posts.save(changed(&a, |a| a.id = Id::new(7))).await));
    said.push(answer(posts.delete(a).await));
    said.push(answer(posts.delete(saved.clone()).await));
    said.push(answer(posts.delete(saved.clone()).await));
    said.push(answer(posts.get(saved.id).await));
    said.push(answer(posts.save(changed(&saved, |p| p.views = 1)).await));
    said.push(answer(posts.count().await));
    said.push(answer(posts.list().await));
    // a deleted row still holds its key
    said.push(answer(posts.insert(new("x").with_id(saved.id)).await));
    said.push(answer(posts.insert(new("x").with_id(b.id)).await));
    Ok(said)
}

async fn people(users: &dyn Repository<User>) -> orm::Result<Vec<String>> {
    let new = |name: &str| NewUser {
        email: format!("{name}@x.io"),
        name: name.into(),
    };
    let ann = users.insert(new("ann").into()).await?;
    let bob = users.insert(new("bob").set(|u| u.age.to(9))).await?;
    let mut said = vec![format!("{ann:?} {bob:?}")];
    said.push(answer(users.insert(new("ann").into()).await));
    said.push(answer(
        users.save(changed(&bob, |b| b.email = ann.email.clone())).await,
    ));
    said.push(answer(
        users.save(changed(&bob, |b| b.bio = Some("hi".into()))).await,
    ));
    said.push(answer(users.delete(ann).await));
    let again = users.insert(new("ann").into()).await?;
    said.push(again.email);
    Ok(said)
}

async fn countries(countries: &dyn Repository<Country>) -> orm::Result<Vec<String>> {
    for code in ["no", "de", "se"] {
        let new = NewCountry {
            code: code.into(),
            name: code.to_uppercase(),
        };
        countries.insert(new.into()).await?;
    }
    let mut said = vec![answer(countries.list().await), answer(countries.page(1, 1).await)];
    let de = countries.get("de".into()).await?;
    said.push(answer(
        countries.save(changed(&de, |c| c.code = "no".into())).await,
    ));
    said.push(answer(
        countries.save(changed(&de, |c| c.code = "zz".into())).await,
    ));
    said.push(answer(countries.list().await));
    Ok(said)
}

async fn tasks(tasks: &dyn Repository<Task>) -> orm::Result<Vec<String>> {
    let new = |title: &str| NewTask { title: title.into() };
    let task = tasks.insert(new("t").into()).await?;
    let inserts = [
        new(" ").into(),
        new("u").set(|t| t.percent.to(101)),
        new("u").set(|t| t.done.to(true)),
    ];
    let mut said = vec![format!("{task:?}")];
    for insert in inserts {
        said.push(answer(tasks.insert(insert).await));
    }
    said.push(answer(tasks.save(changed(&task, |t| t.title.clear())).await));
    said.push(answer(tasks.save(changed(&task, |t| t.percent = 100)).await));
    assert!(said[1..5].iter().all(|s| s.starts_with("Validation")), "{said:?}");
    Ok(said)
}

#[orm::test(schema = orm::schema![Task])]
async fn validators_are_asked_by_both(db: Db) -> orm::Result<()> {
    assert_eq!(tasks(&MemoryRepository::new()).await?, tasks(&db).await?);
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_memory_answers_as_the_database(db: Db) -> orm::Result<()> {
    user(&db, "author").await;
    assert_eq!(posts(&MemoryRepository::new()).await?, posts(&db).await?);
    Ok(())
}

#[orm::test(schema = orm::schema![User, Country, City])]
async fn unique_values_and_keys_of_text_are_the_same_too(db: Db) -> orm::Result<()> {
    assert_eq!(people(&MemoryRepository::new()).await?, people(&db).await?);
    assert_eq!(countries(&MemoryRepository::new()).await?, countries(&db).await?);
    Ok(())
}

#[orm::test(schema = books())]
async fn every_handle_that_may_write_is_a_repository(db: Db) -> orm::Result<()> {
    async fn first<M: orm::model::Writable + Clone>(rows: &impl Repository<M>) -> orm::Result<M> {
        rows.list().await?.pop().ok_or(Error::not_found("row"))
    }
    let tx = db.begin().await?;
    let ann = Repository::<User>::insert(
        &tx,
        NewUser {
            email: "a".into(),
            name: "a".into(),
        }
        .into(),
    )
    .await?;
    assert_eq!(first::<User>(&tx).await?, ann);
    tx.commit().await?;
    let acting = db.acting_as(ann.id);
    let doc = Repository::<Doc>::insert(&acting, NewDoc { title: "d".into() }.into()).await?;
    assert_eq!(first::<Doc>(&acting).await?, doc);
    let (one, other) = (db.tenant(1_i64), db.tenant(2_i64));
    Repository::<Invoice>::insert(&one, NewInvoice { total: 3 }.into()).await?;
    assert_eq!(Repository::<Invoice>::count(&one).await?, 1);
    assert_eq!(Repository::<Invoice>::count(&other).await?, 0);
    Ok(())
}

fn ann() -> User {
    User {
        id: Id::new(7),
        email: "ann@x.io".into(),
        name: "Ann".into(),
        bio: None,
        age: 3,
    }
}

#[tokio::test]
async fn rows_in_hand_are_kept_and_found() -> orm::Result<()> {
    let bob = User {
        id: Id::new(2),
        email: "bob@x.io".into(),
        ..ann()
    };
    let users = MemoryRepository::of([ann(), bob.clone()])?;
    assert_eq!(users.find(|u| u.age == 3)?, [bob.clone(), ann()]);
    assert_eq!(users.find(|u| u.name == "nobody")?, []);
    let new = NewUser {
        email: "eve@x.io".into(),
        name: "Eve".into(),
    };
    assert_eq!(
        users.insert(new.into()).await?.id,
        Id::new(8),
        "after the largest key"
    );
    let twice = refused(MemoryRepository::of([
        ann(),
        User {
            id: Id::new(8),
            ..ann()
        },
    ]));
    assert_eq!(twice.constraint(), Some("uq_users_email"));
    let unpolled = users.delete(bob);
    drop(unpolled);
    assert_eq!(users.count().await?, 3, "nothing happens before it is awaited");
    assert!(!format!("{users:?}").contains("ann"));
    Ok(())
}

#[tokio::test]
async fn what_only_a_database_knows_is_refused() {
    let posts = MemoryRepository::<Post>::new();
    let new = NewPost {
        author_id: Id::new(1),
        title: "a".into(),
    };
    let e = refused(posts.insert(new.set(|p| p.views.to(p.views + 1))).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Unsupported, Some("Post"), Some("views"))
    );
    let invoices = MemoryRepository::<Invoice>::new();
    let e = refused(invoices.insert(NewInvoice { total: 1 }.into()).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Unsupported, Some("org")));
}

/// A repository of somebody else: all goes well but the saving.
struct Full(MemoryRepository<User>);

impl Repository<User> for Full {
    fn get(&self, id: Id<User>) -> Pending<'_, User> {
        self.0.get(id)
    }
    fn list(&self) -> Pending<'_, Vec<User>> {
        self.0.list()
    }
    fn page(&self, limit: u64, offset: u64) -> Pending<'_, Vec<User>> {
        self.0.page(limit, offset)
    }
    fn count(&self) -> Pending<'_, i64> {
        self.0.count()
    }
    fn insert(&self, _: Insert<User>) -> Pending<'_, User> {
        Pending::new(async { Err(Error::new(ErrorKind::StorageFull, "no room")) })
    }
    fn save(&self, row: Edit<User>) -> Pending<'_, User> {
        self.0.save(row)
    }
    fn delete(&self, row: User) -> Pending<'_, bool> {
        self.0.delete(row)
    }
}

#[tokio::test]
async fn an_application_brings_repositories_of_its_own() -> orm::Result<()> {
    let users: Arc<dyn Repository<User>> = Arc::new(Full(MemoryRepository::of([ann()])?));
    let new = NewUser {
        email: "eve@x.io".into(),
        name: "Eve".into(),
    };
    assert_eq!(
        refused(users.insert(new.into()).await).kind(),
        ErrorKind::StorageFull
    );
    assert_eq!(users.get(Id::new(7)).await?, ann());
    Ok(())
}

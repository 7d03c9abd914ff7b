//! One row at a time: insert, get, change, delete.

use orm::prelude::*;

use crate::models::*;

#[orm::test(schema = blog())]
async fn an_insert_returns_what_the_database_filled_in_with_one_statement(db: Db) -> orm::Result<()> {
    let ann = orm::assert_statements!(db, 1, {
        NewUser {
            email: "ann@x.io".into(),
            name: "Ann".into(),
        }
        .set(|u| u.bio.to("hi"))
        .insert(&db)
        .await?
    });
    assert_eq!((ann.bio.as_deref(), ann.age), (Some("hi"), 0));
    let post = NewPost {
        author_id: ann.id,
        title: "t".into(),
    }
    .insert(&db)
    .await?;
    assert_eq!(
        (post.published, post.views, post.version, post.category_id),
        (false, 0, 1, None)
    );
    assert_eq!(Post::get(&db, post.id).await?, post);
    Ok(())
}

#[orm::test(schema = blog())]
async fn generated_keys_grow_and_differ(db: Db) -> orm::Result<()> {
    let (a, b) = (user(&db, "a").await, user(&db, "b").await);
    assert!(a.id.raw() > 0 && b.id > a.id);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_default_may_be_overridden_and_none_is_null(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let post = NewPost {
        author_id: ann.id,
        title: "t".into(),
    }
    .set(|p| (p.published.to(true), p.views.to(7), p.score.to(None)))
    .insert(&db)
    .await?;
    assert_eq!((post.published, post.views, post.score), (true, 7, None));
    Ok(())
}

#[orm::test(schema = blog())]
async fn exec_inserts_without_reading_back(db: Db) -> orm::Result<()> {
    assert_eq!(NewTag { name: "x".into() }.exec(&db).await?, 1);
    assert_eq!(Tag::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn get_of_an_unknown_key_is_not_found_and_names_the_model(db: Db) {
    let e = refused(User::get(&db, Id::new(77)).await);
    assert!(e.is_not_found());
    assert_eq!(e.model(), Some("User"));
    assert!(!e.is_retryable());
}

#[orm::test(schema = blog())]
async fn one_wants_exactly_one_row(db: Db) -> orm::Result<()> {
    assert_eq!(refused(User::query().one(&db).await).kind(), ErrorKind::NotFound);
    assert_eq!(User::query().optional(&db).await?, None);
    let ann = user(&db, "ann").await;
    assert_eq!(User::query().one(&db).await?, ann);
    user(&db, "bob").await;
    assert_eq!(
        refused(User::query().one(&db).await).kind(),
        ErrorKind::MoreThanOne
    );
    assert_eq!(
        refused(User::query().optional(&db).await).kind(),
        ErrorKind::MoreThanOne
    );
    assert_eq!(
        User::query().limit(1).order_by(|u| u.id.asc()).one(&db).await?,
        ann
    );
    assert_eq!(
        User::query().order_by(|u| u.id.asc()).first(&db).await?,
        Some(ann)
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn get_on_a_query_keeps_its_filter(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    assert_eq!(
        User::query()
            .filter(|u| u.name.eq("ann"))
            .get(&db, ann.id)
            .await?,
        ann
    );
    let e = refused(User::query().filter(|u| u.name.eq("bob")).get(&db, ann.id).await);
    assert!(e.is_not_found());
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_update_writes_only_what_is_set(db: Db) -> orm::Result<()> {
    let ann = NewUser {
        email: "a@x".into(),
        name: "Ann".into(),
    }
    .set(|u| u.bio.to("hi"))
    .insert(&db)
    .await?;
    User::update_where(|u| u.id.eq(ann.id))
        .set(|u| u.age.to(9))
        .exec(&db)
        .await?;
    let anna = orm::assert_statements!(db, 1, {
        ann.update().set(|u| u.name.to("Anna")).save(&db).await?
    });
    assert_eq!(
        (anna.name.as_str(), anna.bio.as_deref(), anna.age),
        ("Anna", Some("hi"), 9)
    );
    let anna = anna
        .update()
        .set(|u| (u.bio.to(None), u.age.to(u.age + 1)))
        .save(&db)
        .await?;
    assert_eq!((anna.bio, anna.age), (None, 10));
    Ok(())
}

#[orm::test(schema = blog())]
async fn to_some_leaves_the_column_untouched_without_a_value(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let none: Option<String> = None;
    let same = ann
        .update()
        .set(|u| (u.name.to_some(none), u.age.to_some(Some(3))))
        .save(&db)
        .await?;
    assert_eq!((same.name.as_str(), same.age), ("ann", 3));
    Ok(())
}

#[orm::test(schema = blog())]
async fn columns_may_be_assigned_from_columns(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let ann = ann
        .update()
        .set(|u| (u.bio.to(u.name), u.name.to(u.name.upper())))
        .save(&db)
        .await?;
    assert_eq!((ann.bio.as_deref(), ann.name.as_str()), (Some("ann"), "ANN"));
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_empty_update_reads_the_row_again_and_writes_nothing(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let post = post(&db, &ann, "t").await;
    Post::update_where(|p| p.id.eq(post.id))
        .set(|p| p.title.to("new"))
        .exec(&db)
        .await?;
    let again = orm::assert_statements!(db, 1, { post.update().save(&db).await? });
    assert_eq!((again.title.as_str(), again.version), ("new", 2));
    let n = orm::assert_statements!(db, 0, {
        Post::update_where(|p| p.id.eq(post.id)).exec(&db).await?
    });
    assert_eq!(n, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_update_of_a_vanished_row_is_not_found(db: Db) -> orm::Result<()> {
    let tag = tag(&db, "x").await;
    assert!(tag.clone().delete(&db).await?);
    let e = refused(tag.update().set(|t| t.name.to("y")).save(&db).await);
    assert!(e.is_not_found());
    assert!(!tag.delete(&db).await?, "the second delete finds nothing");
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_stale_update_is_refused_and_the_first_one_stays(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let mine = post(&db, &ann, "t").await;
    let theirs = Post::get(&db, mine.id).await?;
    let mine = mine.update().set(|p| p.title.to("mine")).save(&db).await?;
    assert_eq!(mine.version, 2);
    let e = refused(theirs.update().set(|p| p.title.to("theirs")).save(&db).await);
    assert!(e.is_stale() && !e.is_retryable());
    let e = refused(theirs.delete(&db).await);
    assert!(e.is_stale());
    assert_eq!(Post::get(&db, mine.id).await?, mine);
    Ok(())
}

#[orm::test(schema = blog())]
async fn update_where_counts_matched_rows_even_if_nothing_changes(db: Db) -> orm::Result<()> {
    user(&db, "a").await;
    user(&db, "b").await;
    assert_eq!(
        User::update_where(|u| u.age.eq(0))
            .set(|u| u.age.to(0))
            .exec(&db)
            .await?,
        2
    );
    assert_eq!(
        User::update_where(|u| u.age.eq(1))
            .set(|u| u.age.to(0))
            .exec(&db)
            .await?,
        0
    );
    let rows = User::update_where(|u| u.name.eq("a"))
        .set(|u| u.age.to(5))
        .returning(&db)
        .await?;
    assert_eq!(rows.iter().map(|u| u.age).collect::<Vec<_>>(), [5]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn delete_where_deletes_what_it_says(db: Db) -> orm::Result<()> {
    for name in ["a", "b", "c"] {
        tag(&db, name).await;
    }
    assert_eq!(Tag::delete_where(|t| t.name.ne("b")).exec(&db).await?, 2);
    assert_eq!(Tag::query().select(|t| t.name).all(&db).await?, ["b"]);
    assert_eq!(Tag::delete_everything().exec(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = places())]
async fn natural_and_composite_keys_work_everywhere(db: Db) -> orm::Result<()> {
    NewCountry {
        code: "de".into(),
        name: "Germany".into(),
    }
    .insert(&db)
    .await?;
    let c = NewCity {
        country_id: "de".into(),
        name: "Ulm".into(),
        people: 126_000,
    }
    .insert(&db)
    .await?;
    assert_eq!(Country::get(&db, "de".to_owned()).await?.name, "Germany");
    let key = ("de".to_owned(), "Ulm".to_owned());
    assert_eq!(City::get(&db, key.clone()).await?, c);
    let c = c.update().set(|c| c.people.to(c.people + 1)).save(&db).await?;
    assert_eq!(c.people, 126_001);
    assert!(refused(City::get(&db, ("de".to_owned(), "ulm".to_owned())).await).is_not_found());
    assert!(c.delete(&db).await?);
    assert!(refused(City::get(&db, key).await).is_not_found());
    Ok(())
}

#[orm::test(schema = books())]
async fn uuid_keys_are_made_by_the_client_and_ordered_by_time(db: Db) -> orm::Result<()> {
    let db = db.tenant(7i64);
    let a = NewInvoice { total: 1 }.insert(&db).await?;
    let b = NewInvoice { total: 2 }.insert(&db).await?;
    assert_eq!(a.id.raw().get_version_num(), 7);
    assert_ne!(a.id, b.id);
    assert_eq!(Invoice::get(&db, b.id).await?, b);
    assert_eq!(
        Invoice::query()
            .filter(|i| i.id.in_([a.id, b.id]))
            .count(&db)
            .await?,
        2
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_samples_of_the_guide_hold(db: Db) -> orm::Result<()> {
    let me = user(&db, "me").await;
    let other = user(&db, "other").await;
    for (author, title, published) in [
        (&me, "mine", false),
        (&other, "open", true),
        (&other, "draft", false),
    ] {
        NewPost {
            author_id: author.id,
            title: title.into(),
        }
        .set(|p| p.published.to(published))
        .insert(&db)
        .await?;
    }
    let find = async |title: Option<&str>| {
        Post::query()
            .filter_some(title, |p, t| p.title.contains(t))
            .filter(|p| p.published.or(p.author_id.eq(me.id)))
            .order_by(|p| (p.created_at.desc(), p.id.desc()))
            .limit(20)
            .select(|p| p.title)
            .all(&db)
            .await
    };
    assert_eq!(find(None).await?, ["open", "mine"]);
    assert_eq!(find(Some("min")).await?, ["mine"]);
    let n = Post::update_where(|p| p.author_id.eq(other.id))
        .set(|p| p.views.to(p.views + 1))
        .exec(&db)
        .await?;
    assert_eq!(n, 2);
    Ok(())
}

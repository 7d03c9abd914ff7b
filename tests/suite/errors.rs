//! What errors carry, and what they must not.

use orm::prelude::*;

use crate::models::*;

fn quiet(e: &Error, secret: &str) {
    assert!(
        !e.to_string().contains(secret) && !format!("{e:?} {e:#?}").contains(secret),
        "{e}"
    );
}

#[orm::test(schema = blog())]
async fn a_unique_violation_names_constraint_table_columns_and_model(db: Db) -> orm::Result<()> {
    tag(&db, "s3cr3t").await;
    let e = refused(
        NewTag {
            name: "s3cr3t".into(),
        }
        .insert(&db)
        .await,
    );
    assert!(e.is_unique_violation());
    assert_eq!(
        (e.constraint(), e.table(), e.model()),
        (Some("uq_tags_name"), Some("tags"), Some("Tag"))
    );
    assert_eq!(e.columns(), ["name"]);
    assert!(e.code().is_some() && !e.is_retryable());
    quiet(&e, "s3cr3t");
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_taken_key_names_the_primary_key(db: Db) -> orm::Result<()> {
    NewTag { name: "a".into() }
        .with_id(Id::new(987_654))
        .insert(&db)
        .await?;
    let e = refused(
        NewTag { name: "b".into() }
            .with_id(Id::new(987_654))
            .insert(&db)
            .await,
    );
    assert_eq!(
        (e.kind(), e.constraint(), e.table()),
        (ErrorKind::UniqueViolation, Some("pk_tags"), Some("tags"))
    );
    assert_eq!(e.columns(), ["id"]);
    quiet(&e, "987654");
    Ok(())
}

#[orm::test(schema = books())]
async fn a_composite_unique_violation_names_all_its_columns(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let db = db.tenant(1i64).acting_as(ann.id);
    NewAccount {
        number: "s3cr3t".into(),
    }
    .insert(&db)
    .await?;
    let e = refused(
        NewAccount {
            number: "s3cr3t".into(),
        }
        .insert(&db)
        .await,
    );
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::UniqueViolation, Some("uq_accounts_org_number"))
    );
    assert_eq!(e.columns(), ["org", "number"]);
    quiet(&e, "s3cr3t");
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_foreign_key_violation_is_typed_both_ways(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let e = refused(
        NewPost {
            author_id: Id::new(424_242),
            title: "t".into(),
        }
        .insert(&db)
        .await,
    );
    assert!(e.is_foreign_key_violation());
    assert!(matches!(e.constraint(), None | Some("fk_posts_author_id")));
    quiet(&e, "424242");
    post(&db, &ann, "t").await;
    let e = refused(ann.delete(&db).await);
    assert!(e.is_foreign_key_violation(), "{e:?}");
    Ok(())
}

#[orm::test(schema = places())]
async fn a_check_violation_names_its_constraint(db: Db) -> orm::Result<()> {
    NewCountry {
        code: "de".into(),
        name: "Germany".into(),
    }
    .insert(&db)
    .await?;
    let e = refused(
        NewCity {
            country_id: "de".into(),
            name: "Ulm".into(),
            people: -77_777,
        }
        .insert(&db)
        .await,
    );
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::CheckViolation, Some("ck_cities_people"))
    );
    quiet(&e, "77777");
    Ok(())
}

#[orm::test(schema = blog())]
async fn null_for_a_required_column_names_table_and_column(db: Db) -> orm::Result<()> {
    tag(&db, "s3cr3t").await;
    let e = refused(sql!("update tags set name = null").exec(&db).await);
    assert_eq!((e.kind(), e.table()), (ErrorKind::NotNullViolation, Some("tags")));
    assert_eq!(e.columns(), ["name"]);
    quiet(&e, "s3cr3t");
    Ok(())
}

#[orm::test(schema = blog())]
async fn what_does_not_exist_and_what_cannot_be_parsed(db: Db) -> orm::Result<()> {
    let e = refused(sql!("select 1 from nowhere").fetch::<i64, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::UndefinedObject);
    let e = refused(sql!("select missing from tags").fetch::<i64, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::UndefinedObject);
    let e = refused(sql!("selct 1").fetch::<i64, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::Syntax);
    let one: i64 = sql!("select 1").fetch_one(&db).await?;
    assert_eq!(one, 1, "the connection is fine");
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_cell_of_another_type_names_the_field_and_not_the_cell(db: Db) -> orm::Result<()> {
    tag(&db, "s3cr3t").await;
    let e = refused(sql!("select name from tags").fetch::<i64, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::Decode);
    quiet(&e, "s3cr3t");
    let e = refused(
        sql!("select id, cast(null as text) as name from tags")
            .fetch::<Tag, _>(&db)
            .await,
    );
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Decode, Some("Tag"), Some("name"))
    );
    let e = refused(sql!("select id from tags").fetch::<Tag, _>(&db).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some("name")));
    assert_eq!(Tag::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn after_close_statements_are_refused_and_nothing_hangs(db: Db) -> orm::Result<()> {
    db.close().await;
    let e = refused(Tag::query().all(&db).await);
    assert_eq!(e.kind(), ErrorKind::PoolClosed);
    assert_eq!(refused(db.begin().await.map(drop)).kind(), ErrorKind::PoolClosed);
    Ok(())
}

#[orm::test]
async fn a_url_that_does_not_work_says_so_at_once_and_keeps_the_password(db: Db) {
    drop(db);
    for url in [
        "postgres://me:s3cr3t@localhost:1/nowhere",
        "postgres://me:s3cr3t@localhost:1/x?unknown=1",
        "mysql://me:s3cr3t@localhost/x",
        "s3cr3t",
        "sqlite:/no/such/folder/s3cr3t/x.db?mode=rw&unknown=1",
    ] {
        let e = refused(Db::connect(url).await);
        assert!(
            matches!(e.kind(), ErrorKind::Config | ErrorKind::Connect),
            "{e:?}"
        );
        quiet(&e, "s3cr3t");
    }
}

#[orm::test(schema = blog())]
async fn creating_what_exists_is_an_error_and_leaves_everything(db: Db) -> orm::Result<()> {
    tag(&db, "x").await;
    assert!(db.create_all(&blog()).await.is_err());
    assert_eq!(Tag::query().count(&db).await?, 1);
    db.drop_all(&blog()).await?;
    assert!(Tag::query().count(&db).await.is_err());
    db.create_all(&blog()).await?;
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_alias_that_left_its_closure_is_an_invalid_query(db: Db) -> orm::Result<()> {
    let mut out = None;
    let q = User::query().filter(|u| {
        u.posts.any(|p| {
            out = Some(p);
            p.published
        })
    });
    let p = out.expect("the closure ran");
    let e = refused(q.filter(|_| p.title.eq("x")).all(&db).await);
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

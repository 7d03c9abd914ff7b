//! Creating and dropping a whole schema.

use orm::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct Hen {
    pub id: Id<Hen>,
    #[belongs_to(hatched_from: Egg)]
    pub egg_id: Option<Id<Egg>>,
}

#[derive(Model, Clone, Debug)]
pub struct Egg {
    pub id: Id<Egg>,
    #[belongs_to(laid_by: Hen)]
    pub hen_id: Id<Hen>,
    #[belongs_to(twin: Egg)]
    pub twin_id: Option<Id<Egg>>,
}

async fn a_circle_of_rows(db: &Db) -> orm::Result<Hen> {
    let hen = NewHen {}.insert(db).await?;
    let egg = NewEgg { hen_id: hen.id }.insert(db).await?;
    egg.update().set(|e| e.twin_id.to(egg.id)).save(db).await?;
    hen.update().set(|h| h.egg_id.to(egg.id)).save(db).await
}

#[orm::test(schema = orm::schema![Hen, Egg])]
async fn tables_that_refer_to_each_other_are_dropped_with_their_rows(db: Db) -> orm::Result<()> {
    a_circle_of_rows(&db).await?;
    db.drop_all(&orm::schema![Hen, Egg]).await?;
    for gone in [Hen::query().count(&db).await, Egg::query().count(&db).await] {
        assert_eq!(gone.unwrap_err().kind(), ErrorKind::UndefinedObject);
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Hen, Egg])]
async fn foreign_keys_hold_again_after_a_drop(db: Db) -> orm::Result<()> {
    a_circle_of_rows(&db).await?;
    db.drop_all(&orm::schema![Hen, Egg]).await?;
    db.create_all(&orm::schema![Egg, Hen]).await?;
    let nobody = NewEgg { hen_id: Id::new(7) }.insert(&db).await.unwrap_err();
    assert!(nobody.is_foreign_key_violation(), "{nobody:?}");
    a_circle_of_rows(&db).await?;
    Ok(())
}

#[orm::test(schema = orm::schema![Hen, Egg])]
async fn what_is_not_there_need_not_be_dropped(db: Db) -> orm::Result<()> {
    db.drop_all(&orm::schema![Hen, Egg]).await?;
    db.drop_all(&orm::schema![Hen, Egg]).await
}

/// A page that can be found.
#[derive(Model, Clone, Debug)]
#[orm(index(slug.desc().nulls_last(), id), index("lower(title)", unique, name = "one_title"))]
#[orm(index(title, where = "\"views\" > 0", include(views), with = "fillfactor = 70"))]
#[orm(index(slug.op_class("text_pattern_ops"), name = "ix_prefix"), index(slug, method = hash, name = "ix_hash"))]
#[orm(index(words, method = gin, with = "fastupdate = off"), index(meta.op_class("jsonb_path_ops"), method = gin))]
#[orm(index("to_tsvector('simple', title)", method = gist, name = "ix_gist"))]
#[orm(index(title, method = spgist, name = "ix_spgist"), index(views, method = brin, name = "ix_brin"))]
pub struct Page {
    pub id: Id<Page>,
    /// What stands in its address.
    pub slug: Option<String>,
    pub title: String,
    #[orm(default = 0)]
    pub views: i64,
    pub words: Vec<String>,
    pub meta: serde_json::Value,
}

#[orm::test(schema = orm::schema![Page], requires = |f| f.index_methods)]
async fn indexes_of_every_method_and_comments_are_in_the_catalog(db: Db) -> orm::Result<()> {
    let found: Vec<String> = sql!(
        "select replace(indexdef, ' ON ' || schemaname || '.', ' ON ') from pg_indexes where tablename = 'pages' order by indexname"
    )
    .fetch(&db)
    .await?;
    assert_eq!(
        found,
        [
            "CREATE INDEX ix_brin ON pages USING brin (views)",
            "CREATE INDEX ix_gist ON pages USING gist (to_tsvector('simple'::regconfig, title))",
            "CREATE INDEX ix_hash ON pages USING hash (slug)",
            "CREATE INDEX ix_pages_meta ON pages USING gin (meta jsonb_path_ops)",
            "CREATE INDEX ix_pages_slug_id ON pages USING btree (slug DESC NULLS LAST, id)",
            "CREATE INDEX ix_pages_title ON pages USING btree (title) INCLUDE (views) WITH (fillfactor='70') WHERE (views > 0)",
            "CREATE INDEX ix_pages_words ON pages USING gin (words) WITH (fastupdate=off)",
            "CREATE INDEX ix_prefix ON pages USING btree (slug text_pattern_ops)",
            "CREATE INDEX ix_spgist ON pages USING spgist (title)",
            "CREATE UNIQUE INDEX one_title ON pages USING btree (lower(title))",
            "CREATE UNIQUE INDEX pk_pages ON pages USING btree (id)",
        ]
    );
    let comments: (String, String) =
        sql!("select obj_description('pages'::regclass), col_description('pages'::regclass, 2)")
            .fetch_one(&db)
            .await?;
    assert_eq!(
        comments,
        (
            "A page that can be found.".into(),
            "What stands in its address.".into()
        )
    );
    Ok(())
}

#[derive(Model, Clone, Debug)]
#[orm(index(title, include(views)))]
pub struct Covered {
    pub id: Id<Covered>,
    pub title: String,
    pub views: i64,
}

#[derive(Model, Clone, Debug)]
#[orm(index(title.op_class("text_pattern_ops")))]
pub struct Classed {
    pub id: Id<Classed>,
    pub title: String,
}

#[orm::test(requires = |f| !f.index_methods)]
async fn what_an_index_cannot_be_is_refused_before_anything_is_created(db: Db) -> orm::Result<()> {
    for (schema, advice) in [
        (
            orm::schema![Egg, Hen, Covered],
            "INCLUDE (add the columns to the index's key)",
        ),
        (
            orm::schema![Egg, Hen, Classed],
            "an operator class (leave it out)",
        ),
    ] {
        let e = db.create_all(&schema).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unsupported);
        assert!(e.message().contains(advice), "{e}");
        let e = Egg::query().count(&db).await.unwrap_err();
        assert_eq!(
            e.kind(),
            ErrorKind::UndefinedObject,
            "half of the schema was created"
        );
    }
    Ok(())
}

#[orm::test(schema = crate::models::blog())]
async fn both_keys_of_a_join_table_have_an_index(db: Db) -> orm::Result<()> {
    let text = match db.dialect().name() {
        "sqlite" => sql!(
            "select cast(name as text), cast(group_concat(col) as text) from (select i.name, c.name as col \
             from pragma_index_list('post_tags') i, pragma_index_info(i.name) c order by i.name, c.seqno) group by name"
        ),
        _ => sql!(
            "select c.relname::text, string_agg(a.attname::text, ',' order by a.attnum) from pg_index i \
             join pg_class c on c.oid = i.indexrelid join pg_attribute a on a.attrelid = c.oid \
             where i.indrelid = 'post_tags'::regclass group by 1"
        ),
    };
    let mut found: Vec<(String, String)> = text.fetch(&db).await?;
    found.sort_by(|a, b| a.1.cmp(&b.1));
    let columns: Vec<&str> = found.iter().map(|(_, columns)| columns.as_str()).collect();
    // the primary key serves the first of its columns
    assert_eq!(columns, ["post_id,tag_id", "tag_id"]);
    assert_eq!(found[1].0, "ix_post_tags_tag_id");
    Ok(())
}

//! Full-text search of models: what migrations make of it.

use orm::prelude::*;
use orm_migrate::diff::Renames;
use orm_migrate::drift::{Options, in_words_of};
use orm_migrate::generate::{Generated, generate};
use orm_migrate::introspect::introspect;
use orm_migrate::pull;
use orm_migrate::schema::Schema;
use orm_migrate::{Draft, Migrations, Migrator};

use crate::support::{backend, exec, is_postgres, set, texts};

mod before {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(super) struct Page {
        pub(super) id: Id<Page>,
        pub(super) title: String,
    }
}

mod between {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    #[orm(search(title))]
    pub(super) struct Page {
        pub(super) id: Id<Page>,
        pub(super) title: String,
    }
}

mod after {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    #[orm(soft_delete, search(title = A, body, language = "english"))]
    pub(super) struct Page {
        pub(super) id: Id<Page>,
        pub(super) title: String,
        pub(super) body: Option<String>,
        #[orm(check = "views >= 0", default = 0)]
        pub(super) views: i64,
    }
}

fn schema(db: &Db, models: &orm::schema::Schema) -> Schema {
    Schema::of_models(models, db.dialect()).unwrap()
}

fn draft(name: &str, known: &Migrations, wanted: &Schema, db: &Db) -> Draft {
    match generate(name, known, wanted, &Renames::default(), backend(db)).unwrap() {
        Generated::Draft(made) => made.0,
        other => panic!("{other:?}"),
    }
}

#[orm::test]
async fn models_with_a_search_are_what_the_database_says(db: Db) -> orm_migrate::Result<()> {
    let both = [orm::schema![between::Page], orm::schema![after::Page]];
    for (i, models) in both.into_iter().enumerate() {
        db.create_all(&models).await?;
        let wanted = schema(&db, &models);
        let live = introspect(&db).await?;
        let (wanted, _) = in_words_of(&db, &wanted).await?;
        let (live, _) = in_words_of(&db, &live).await?;
        assert_eq!(live, wanted);
        // models that are pulled say the same; weights are in no FTS5 table
        let pulled = pull::models(&live, backend(&db));
        let said = match (is_postgres(&db), i) {
            (_, 0) => "#[orm(search(title))]",
            (true, _) => r#"#[orm(search(title = A, body, language = "english"))]"#,
            (false, _) => r#"#[orm(search(title, body, language = "english"))]"#,
        };
        assert!(pulled.source.contains(said), "{}", pulled.source);
        assert!(!pulled.source.contains("search_vector"));
        assert_eq!(pulled.left_out, Vec::<String>::new());
        assert_eq!(pulled.beside, Schema::default());
        db.drop_all(&models).await?;
        let left = introspect(&db).await?;
        assert_eq!(left, Schema::default());
    }
    Ok(())
}

#[orm::test]
async fn a_search_is_added_to_rows_that_are_there(db: Db) -> orm_migrate::Result<()> {
    let mut files: Vec<(String, String)> = Vec::new();
    let stages = [
        orm::schema![before::Page],
        orm::schema![between::Page],
        orm::schema![after::Page],
    ];
    for (i, models) in stages.into_iter().enumerate() {
        let borrowed: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let known = set(&borrowed);
        let name = format!("step{i}");
        let made = draft(&name, &known, &schema(&db, &models), &db);
        let number = i + 1;
        files.push((format!("{number}_{name}.up.sql"), made.header.write() + &made.up));
        files.push((format!("{number}_{name}.down.sql"), made.down.unwrap()));
        files.push((format!("{number}_{name}.snap.json"), made.snapshot.unwrap()));
        let borrowed: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        Migrator::new(&db, set(&borrowed))?.up().await?;
        match i {
            0 => {
                exec(
                    &db,
                    "INSERT INTO pages (title) VALUES ('Running rust'), ('Gardens')",
                )
                .await?
            }
            1 => {
                assert_eq!(between::Page::query().search("rust").count(&db).await?, 1);
                exec(&db, "INSERT INTO pages (title) VALUES ('More rust')").await?;
                assert_eq!(between::Page::query().search("rust").count(&db).await?, 2);
            }
            _ => {
                assert_eq!(after::Page::query().search("run").count(&db).await?, 1);
                after::Page::update_where(|p| p.title.eq("Gardens"))
                    .set(|p| p.body.to("and rusty tools"))
                    .exec(&db)
                    .await?;
                assert_eq!(after::Page::query().search("tool -rust").count(&db).await?, 1);
            }
        }
    }
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let migrator = Migrator::new(&db, set(&borrowed))?;
    let models = schema(&db, &orm::schema![after::Page]);
    let found = migrator.drift(Some(&models), &Options::default()).await?;
    assert!(found.by_hand.is_empty() && found.unknown.is_empty() && found.models.is_empty());
    // and back: the columns that go with it hold values, the words are no loss
    let refused = migrator.down("-1").await.unwrap_err().to_string();
    assert!(!refused.contains("search"), "{refused}");
    let token = refused
        .split("allow_destructive(\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let migrator = migrator.allow_destructive(token.unwrap());
    migrator.down("-1").await?;
    assert_eq!(between::Page::query().search("rust").count(&db).await?, 2);
    exec(&db, "DELETE FROM pages WHERE title = 'More rust'").await?;
    assert_eq!(between::Page::query().search("rust").count(&db).await?, 1);
    migrator.down("-1").await?;
    let left = match is_postgres(&db) {
        true => {
            "SELECT column_name::text FROM information_schema.columns WHERE column_name = 'search_vector'"
        }
        false => "SELECT name FROM sqlite_schema WHERE name LIKE '%search%'",
    };
    assert_eq!(texts(&db, left).await, Vec::<String>::new());
    Ok(())
}

//! From models to files to a database, and again when the models have changed.

use std::path::{Path, PathBuf};

use orm::prelude::*;
use orm_migrate::diff::{Question, Renames};
use orm_migrate::generate::{Generated, generate};
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{Name, Schema};
use orm_migrate::{Backend, Draft, Migrations, Migrator, Outcome};

mod first {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Writer {
        pub(crate) id: Id<Writer>,
        #[orm(unique)]
        pub(crate) email: String,
        pub(crate) name: String,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Article {
        pub(crate) id: Id<Article>,
        #[belongs_to(writer: Writer, on_delete = cascade)]
        pub(crate) writer_id: Id<Writer>,
        pub(crate) title: String,
    }
}

mod second {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Writer {
        pub(crate) id: Id<Writer>,
        #[orm(unique)]
        pub(crate) email: String,
        pub(crate) full_name: String,
        #[orm(check = "age >= 0", default = 0)]
        pub(crate) age: i32,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Article {
        pub(crate) id: Id<Article>,
        #[belongs_to(writer: Writer, on_delete = cascade)]
        pub(crate) writer_id: Id<Writer>,
        #[orm(index)]
        pub(crate) title: String,
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let unique = format!("orm-generate-{}-{name}", std::process::id());
        Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique))
    }
    fn migrations(&self) -> Migrations {
        Migrations::read(&self.0).unwrap()
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn draft(made: Generated) -> Draft {
    match made {
        Generated::Draft(made) => made.0,
        other => panic!("no draft: {other:?}"),
    }
}

async fn shape(db: &Db) -> Schema {
    let mut schema = introspect(db).await.unwrap();
    schema.grants.clear();
    for table in &mut schema.tables {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    schema
}

#[orm::test]
async fn models_become_migrations(db: Db) -> orm_migrate::Result<()> {
    let backend = Backend::of(&db)?;
    let folder = Folder::new(&format!("{}-{backend}", "models"));
    std::fs::create_dir_all(&folder.0).unwrap();
    let (old_models, new_models) = (
        orm::schema![first::Writer, first::Article],
        orm::schema![second::Writer, second::Article],
    );
    let old = Schema::of_models(&old_models, db.dialect())?;
    let new = Schema::of_models(&new_models, db.dialect())?;
    let none = Renames::default();

    // what `create_all` makes of the new models alone
    db.create_all(&new_models).await?;
    let wanted = shape(&db).await;
    db.drop_all(&new_models).await?;

    draft(generate("first", &folder.migrations(), &old, &none, backend)?).write(&folder.0, backend)?;
    let again = generate("first", &folder.migrations(), &old, &none, backend)?;
    assert!(matches!(again, Generated::Nothing));
    assert_eq!(
        Migrator::new(&db, folder.migrations())?.up().await?.outcome(),
        Outcome::Applied
    );
    let before = shape(&db).await;
    let writer = first::NewWriter {
        email: "a@b".into(),
        name: "Ann".into(),
    }
    .insert(&db)
    .await?;
    first::NewArticle {
        writer_id: writer.id,
        title: "One".into(),
    }
    .insert(&db)
    .await?;

    // nobody guesses
    let name = Name::new("writers");
    let asked = generate("second", &folder.migrations(), &new, &none, backend)?;
    let Generated::NeedsDecision(questions) = asked else {
        panic!("a rename was not asked for");
    };
    let question = |from: &str, to: &str| Question::RenameColumn {
        table: name.clone(),
        from: from.into(),
        to: to.into(),
    };
    assert!(
        questions.contains(&question("name", "full_name")),
        "{questions:?}"
    );
    let renames = Renames {
        columns: vec![(name.clone(), "name".into(), "full_name".into())],
        ..Renames::default()
    };
    let second = draft(generate("second", &folder.migrations(), &new, &renames, backend)?);
    assert!(
        second.up.contains("RENAME COLUMN \"name\" TO \"full_name\""),
        "{}",
        second.up
    );
    assert_eq!(second.header.loses, Vec::<String>::new());
    second.write(&folder.0, backend)?;
    folder.migrations().verify_chain(backend)?;

    Migrator::new(&db, folder.migrations())?.up().await?;
    assert_eq!(shape(&db).await, wanted);
    // the rows are all there, also those that hang on a table that was written anew
    let row = second::Writer::query().one(&db).await?;
    assert_eq!((row.full_name.as_str(), row.age), ("Ann", 0));
    assert_eq!(second::Article::query().count(&db).await?, 1);

    // the way back loses what the column has held: it says so, and waits for somebody to agree
    let refused = Migrator::new(&db, folder.migrations())?
        .down("-1")
        .await
        .unwrap_err();
    assert_eq!(refused.outcome(), Outcome::Refused);
    assert!(refused.to_string().contains("writers.age"), "{refused}");
    let last = folder.migrations();
    let digest = last
        .iter()
        .next_back()
        .and_then(|m| m.down())
        .unwrap()
        .acknowledgement(backend)?
        .unwrap();
    Migrator::new(&db, last)?
        .allow_destructive(&digest)
        .down("-1")
        .await?;
    assert_eq!(shape(&db).await, before);
    assert_eq!(first::Writer::get(&db, writer.id).await?.name, "Ann");
    assert_eq!(first::Article::query().count(&db).await?, 1);
    Ok(())
}

/// The last snapshot of one branch does not know what the other has made.
#[test]
fn two_heads_have_to_come_together_first() {
    let migrations = Migrations::of([
        ("1_a.sql", "SELECT 1"),
        ("2_b.sql", "SELECT 1"),
        ("3_c.sql", "-- orm: parent=1\nSELECT 1"),
    ])
    .unwrap();
    let made = generate(
        "x",
        &migrations,
        &Schema::default(),
        &Renames::default(),
        Backend::Sqlite,
    );
    let e = made.unwrap_err();
    assert!(e.message().starts_with("there are several heads"), "{e}");
    assert!(e.message().contains(": 2_b, 3_c. "), "{e}");
}

//! Views of models: created, made anew when their query or what they read changes, and dropped.

use orm::prelude::*;
use orm_migrate::Backend;
use orm_migrate::diff::Renames;
use orm_migrate::drift::{Options, drift};
use orm_migrate::introspect::introspect;
use orm_migrate::plan::plan;
use orm_migrate::schema::Schema;

use crate::support::{exec, is_postgres};

/// As it was.
mod old {
    use orm::prelude::*;
    use orm::query::Query;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Sale {
        pub(crate) id: Id<Sale>,
        pub(crate) shop: String,
        pub(crate) amount: i32,
    }

    fn turnovers() -> Query<Sale, (String, i64)> {
        Sale::query()
            .filter(|s| s.shop.ne("it's closed").and(s.amount.gt(0)))
            .group_by(|s| s.shop)
            .select(|g| (g.key(), g.count()))
    }

    /// What each shop sold.
    #[derive(Model, Clone, Debug)]
    #[orm(view = turnovers)]
    pub(crate) struct Turnover {
        #[orm(id)]
        pub(crate) shop: String,
        pub(crate) sales: i64,
    }

    /// Over a view.
    #[derive(Model, Clone, Debug)]
    #[orm(view = "SELECT shop FROM turnovers WHERE sales > 1")]
    pub(crate) struct Busy {
        pub(crate) shop: String,
    }

    pub(crate) fn schema() -> orm::Schema {
        orm::schema![Busy, Turnover, Sale]
    }
}

/// The type of a column that views read is another, and one view has one column more.
mod new {
    use orm::prelude::*;
    use orm::query::Query;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Sale {
        pub(crate) id: Id<Sale>,
        pub(crate) shop: String,
        pub(crate) amount: i64,
    }

    fn turnovers() -> Query<Sale, (String, i64, Option<i64>)> {
        Sale::query()
            .group_by(|s| s.shop)
            .select(|g| (g.key(), g.count(), g.max(|s| s.amount)))
    }

    #[derive(Model, Clone, Debug)]
    #[orm(view = turnovers)]
    pub(crate) struct Turnover {
        #[orm(id)]
        pub(crate) shop: String,
        pub(crate) sales: i64,
        pub(crate) best: Option<i64>,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(view = "SELECT shop FROM turnovers WHERE sales > 1")]
    pub(crate) struct Busy {
        pub(crate) shop: String,
    }

    pub(crate) fn schema() -> orm::Schema {
        orm::schema![Sale, Turnover, Busy]
    }
}

fn way(from: &Schema, to: &Schema, backend: Backend) -> orm_migrate::plan::Plan {
    plan(from, to, &Renames::default(), backend)
        .unwrap()
        .decided()
        .unwrap()
}

#[orm::test]
async fn views_of_models_come_change_and_go(db: Db) -> orm_migrate::Result<()> {
    let backend = Backend::of(&db)?;
    let (nothing, old) = (
        Schema::default(),
        Schema::of_models(&old::schema(), db.dialect())?,
    );
    let new = Schema::of_models(&new::schema(), db.dialect())?;
    let names: Vec<String> = old.views.iter().map(|v| v.name.to_string()).collect();
    assert_eq!(names, ["busies", "turnovers"]);

    for (from, to) in [
        (&nothing, &old),
        (&old, &new),
        (&new, &old),
        (&old, &nothing),
        (&nothing, &new),
    ] {
        for statement in way(from, to, backend).up.statements() {
            exec(&db, statement).await?;
        }
        // the database has what the models say, and nobody sees a difference
        let live = introspect(&db).await?;
        assert_eq!(live.views.len(), to.views.len());
        let found = drift(&db, to, Some(to), &Options::default()).await?;
        assert!(found.is_clean(), "{}", found.to_markdown());
        assert!(found.models.is_empty(), "{:?}", found.models);
    }
    exec(
        &db,
        "INSERT INTO sales (shop, amount) VALUES ('north', 3), ('north', 5)",
    )
    .await?;
    let rows = new::Turnover::query().all(&db).await?;
    assert_eq!((rows[0].sales, rows[0].best), (2, Some(5)));
    assert_eq!(new::Busy::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test]
async fn a_view_that_no_model_defines_is_not_denied(db: Db) -> orm_migrate::Result<()> {
    db.create_all(&new::schema()).await?;
    exec(&db, "CREATE VIEW by_hand AS SELECT shop FROM sales").await?;
    let models = Schema::of_models(&new::schema(), db.dialect())?;
    let mut last = models.clone();
    last.add(&Schema {
        views: introspect(&db).await?.views,
        ..Schema::default()
    });
    let found = drift(&db, &last, Some(&models), &Options::default()).await?;
    assert!(
        found.is_clean() && found.models.is_empty(),
        "{}",
        found.to_markdown()
    );
    // one that was changed by hand is
    exec(&db, "DROP VIEW busies").await?;
    let found = drift(&db, &last, Some(&models), &Options::default()).await?;
    let said: Vec<String> = found.by_hand.iter().map(|c| c.describe()).collect();
    assert_eq!(said, ["drop view busies"]);
    Ok(())
}

#[test]
fn a_view_goes_before_the_column_it_reads_changes() {
    let dialect = &orm::postgres::DIALECT;
    let old = Schema::of_models(&old::schema(), dialect).unwrap();
    let new = Schema::of_models(&new::schema(), dialect).unwrap();
    let up: Vec<String> = way(&old, &new, Backend::Postgres)
        .up
        .statements()
        .map(str::to_owned)
        .collect();
    assert_eq!(up[..2], ["DROP VIEW \"busies\"", "DROP VIEW \"turnovers\""]);
    assert!(
        up[2].starts_with("ALTER TABLE \"sales\" ALTER COLUMN \"amount\""),
        "{up:?}"
    );
    assert_eq!(
        up[3..5],
        [
            "CREATE VIEW \"turnovers\" AS SELECT t0.\"shop\" AS \"shop\", count(*) AS \"sales\", max(t0.\"amount\") AS \
             \"best\" FROM \"sales\" AS t0 GROUP BY t0.\"shop\"",
            "CREATE VIEW \"busies\" AS SELECT shop FROM turnovers WHERE sales > 1"
        ]
    );
    // what is said about a view is part of it
    assert!(
        way(&new, &old, Backend::Postgres)
            .up
            .statements()
            .any(|s| s == "COMMENT ON VIEW \"busies\" IS 'Over a view.'")
    );
}

/// Stored.
#[derive(Model, Clone, Debug)]
#[orm(view = || new::Sale::query().group_by(|s| s.shop).select(|g| (g.key(), g.count())), materialized)]
#[orm(index(sales.desc()))]
struct Stored {
    #[orm(id)]
    shop: String,
    sales: i64,
}

#[orm::test]
async fn a_materialized_view_comes_with_its_indexes(db: Db) -> orm_migrate::Result<()> {
    let models = orm::schema![new::Sale, Stored];
    let made = Schema::of_models(&models, db.dialect());
    if !is_postgres(&db) {
        assert_eq!(made.unwrap_err().kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    let made = made?;
    let view = &made.views[0];
    assert!(view.materialized);
    let names: Vec<&str> = view.indexes.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["ix_storeds_sales", "pk_storeds"]);
    for statement in way(&Schema::default(), &made, Backend::Postgres).up.statements() {
        exec(&db, statement).await?;
    }
    let found = drift(&db, &made, Some(&made), &Options::default()).await?;
    assert!(
        found.is_clean() && found.models.is_empty(),
        "{}",
        found.to_markdown()
    );
    Stored::refresh_view(&db).concurrently().await?;
    Ok(())
}

//! Models of existing databases: the text is the expected one, it compiles, and its models make the same database again.

use std::path::Path;

use orm::ast::RawPart;
use orm::prelude::*;
use orm::query::RawSql;
use orm_migrate::diff::{Diff, Renames, diff};
use orm_migrate::introspect::introspect;
use orm_migrate::pull::{self, Pulled};
use orm_migrate::schema::{Schema, View};
use orm_migrate::{Backend, change::Change};

/// A store of music, as somebody wrote it by hand.
mod store {
    use orm::prelude::*;

    /// Who makes music.
    #[derive(Model, Clone, Debug)]
    #[has_many(albums: Album)]
    pub(crate) struct Artist {
        pub(crate) id: Id<Artist>,
        /// As it's printed on covers.
        #[orm(unique)]
        pub(crate) name: String,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Album {
        pub(crate) id: Id<Album>,
        pub(crate) title: String,
        #[belongs_to(artist: Artist, on_delete = cascade)]
        #[orm(index)]
        pub(crate) artist_id: Id<Artist>,
        #[orm(comment = "first line\n  second \"line\"")]
        pub(crate) notes: Option<String>,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(index(name, unit_price.desc()), index("lower(name)", unique, name = "lowered"))]
    #[orm(
        index(album_id, name, where = "bytes > 0", name = "big"),
        unique(album_id, number)
    )]
    #[orm(check("milliseconds > bytes", name = "long"), check("number <> 13"))]
    pub(crate) struct Track {
        pub(crate) id: Id<Track>,
        pub(crate) name: String,
        #[belongs_to(album: Album, on_delete = set_null, on_update = cascade, deferrable)]
        pub(crate) album_id: Option<Id<Album>>,
        pub(crate) number: i32,
        #[orm(check = "milliseconds > 0", default = 7)]
        pub(crate) milliseconds: i64,
        pub(crate) bytes: Option<i64>,
        #[orm(index)]
        pub(crate) unit_price: f64,
        #[orm(generated = "bytes / milliseconds")]
        pub(crate) rate: Option<i64>,
        #[orm(default = false)]
        pub(crate) live: bool,
        #[orm(default = "it's \"x\"")]
        pub(crate) composer: String,
        pub(crate) mood: Option<Mood>,
        pub(crate) cover: Vec<u8>,
        pub(crate) price: Scaled<10, 2>,
        pub(crate) at: Timestamp,
        pub(crate) day: Option<orm::Date>,
    }

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Mood {
        Happy,
        #[orm(rename = "so so")]
        SoSo,
        #[orm(rename = "it's")]
        Its,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Playlist {
        pub(crate) id: Id<Playlist>,
        pub(crate) name: String,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(id(playlist_id, track_id))]
    pub(crate) struct PlaylistTrack {
        #[belongs_to(playlist: Playlist, on_delete = cascade)]
        pub(crate) playlist_id: Id<Playlist>,
        #[belongs_to(track: Track, on_delete = cascade)]
        pub(crate) track_id: Id<Track>,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(table = "staff", rename_all = "camelCase")]
    pub(crate) struct Employee {
        pub(crate) id: Id<Employee>,
        pub(crate) last_name: String,
        #[belongs_to(manager: Employee)]
        pub(crate) reports_to: Option<Id<Employee>>,
        #[belongs_to(mentor: Employee, on_delete = no_action)]
        pub(crate) mentor_id: Option<Id<Employee>>,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Badge {
        #[orm(id)]
        #[belongs_to(owner: Employee)]
        pub(crate) employee_id: Id<Employee>,
        pub(crate) color: String,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(id(country, code))]
    pub(crate) struct Region {
        pub(crate) country: String,
        pub(crate) code: i64,
        #[orm(column = "type")]
        pub(crate) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[belongs_to(home: Region, by = (country, region), deferrable, initially_deferred)]
    pub(crate) struct Person {
        #[orm(id)]
        pub(crate) code: String,
        pub(crate) country: String,
        pub(crate) region: i64,
        #[belongs_to(first: Playlist)]
        pub(crate) first_playlist_id: Id<Playlist>,
        #[belongs_to(second: Playlist, on_delete = set_null)]
        #[orm(unique)]
        pub(crate) second_playlist_id: Option<Id<Playlist>>,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(id(follower, followed))]
    pub(crate) struct Follow {
        #[belongs_to(fan: Person)]
        pub(crate) follower: String,
        #[belongs_to(star: Person)]
        pub(crate) followed: String,
    }

    /// Names that mean something else in Rust.
    #[derive(Model, Clone, Debug)]
    #[orm(table = "options", index(r#unique, r#where, r#fn, name = "odd \"index\""))]
    pub(crate) struct Choice {
        pub(crate) id: Id<Choice>,
        pub(crate) r#type: String,
        pub(crate) r#where: String,
        pub(crate) r#unique: String,
        pub(crate) r#fn: String,
        #[orm(column = "self")]
        pub(crate) own: String,
        #[orm(column = "a b")]
        pub(crate) a_b: String,
        #[orm(column = "a-b")]
        pub(crate) a_b2: String,
        #[orm(column = "2nd \"name\"")]
        pub(crate) second: String,
        #[belongs_to(parent: Choice, on_delete = set_null)]
        pub(crate) type_id: Option<Id<Choice>>,
    }

    /// `NewUser` is what an insert of users takes.
    #[derive(Model, Clone, Debug)]
    pub(crate) struct User {
        pub(crate) id: Id<User>,
        pub(crate) name: String,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(table = "new_users")]
    pub(crate) struct Fresh {
        pub(crate) id: Id<Fresh>,
        #[belongs_to(user: User)]
        pub(crate) user_id: Id<User>,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(schema = "search", index(words, method = gin, with = "fastupdate=off"))]
    #[orm(index(title.desc().nulls_last(), where = "views > 0", include(views), name = "titles"))]
    #[orm(index(title.op_class("text_pattern_ops"), name = "prefix"))]
    pub(crate) struct Page {
        pub(crate) id: Id<Page>,
        #[orm(ty(postgres = "character varying(40)"))]
        pub(crate) title: String,
        #[orm(default = 0)]
        pub(crate) views: i32,
        pub(crate) words: Vec<String>,
        pub(crate) extra: Json<Vec<i64>>,
        pub(crate) small: i16,
        pub(crate) single: f32,
        pub(crate) time: orm::TimeOfDay,
        pub(crate) local: orm::LocalTimestamp,
    }
}

/// What is expected, compiled.
#[allow(dead_code, unused_imports, unreachable_pub)]
mod pulled {
    pub(crate) mod sqlite {
        include!("pulled/sqlite.rs");
    }
    pub(crate) mod postgres {
        include!("pulled/postgres.rs");
    }
    pub(crate) mod postgres_by_hand {
        include!("pulled/postgres_by_hand.rs");
    }
    pub(crate) mod by_hand {
        include!("pulled/by_hand.rs");
    }
}

fn on_sqlite() -> orm::schema::Schema {
    use store::*;
    orm::schema![
        Artist,
        Album,
        Track,
        Playlist,
        PlaylistTrack,
        Employee,
        Badge,
        Region,
        Person,
        Follow,
        User,
        Fresh,
        Choice
    ]
}

fn on_postgres() -> orm::schema::Schema {
    use store::*;
    orm::schema![
        Artist,
        Album,
        Track,
        Playlist,
        PlaylistTrack,
        Employee,
        Badge,
        Region,
        Person,
        Follow,
        User,
        Fresh,
        Choice,
        Page
    ]
}

/// The committed text; `PULLED=overwrite` writes it anew, to be looked at.
pub(crate) fn assert_file(name: &str, source: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/migrate/pulled")
        .join(name);
    if std::env::var_os("PULLED").is_some_and(|v| v == "overwrite") {
        std::fs::write(&path, source).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(source, expected, "{name}");
}

fn changes(from: &Schema, to: &Schema) -> Vec<String> {
    match diff(from, to, &Renames::default()) {
        Diff::Changes(changes) => changes.iter().map(Change::describe).collect(),
        Diff::NeedsDecision(questions) => panic!("{questions:?}"),
    }
}

#[orm::test(schema = on_sqlite(), requires = |f| !f.schemas)]
async fn models_of_sqlite_are_the_tables_again(db: Db) -> orm::Result<()> {
    let found = introspect(&db).await?;
    let Pulled { source, left_out, .. } = pull::models(&found, Backend::Sqlite);
    assert_file("sqlite.rs", &source);
    assert_eq!(
        left_out,
        ["tracks: column price: the scale of the decimal is not in the database: 0 is taken"]
    );
    let again = Schema::of_models(&pulled::sqlite::schema(), db.dialect())?;
    assert_eq!(changes(&found, &again), Vec::<String>::new());

    db.drop_all(&on_sqlite()).await?;
    db.create_all(&pulled::sqlite::schema()).await?;
    assert_eq!(changes(&found, &introspect(&db).await?), Vec::<String>::new());
    Ok(())
}

#[orm::test(schema = on_postgres(), requires = |f| f.schemas)]
async fn models_of_postgres_are_the_tables_again(db: Db) -> orm::Result<()> {
    let found = introspect(&db).await?;
    let Pulled { source, left_out, .. } = pull::models(&found, Backend::Postgres);
    assert_file("postgres.rs", &source);
    assert_eq!(left_out, Vec::<String>::new());

    db.drop_all(&on_postgres()).await?;
    db.create_all(&pulled::postgres::schema()).await?;
    assert_eq!(changes(&found, &introspect(&db).await?), Vec::<String>::new());
    Ok(())
}

/// Tables that no models made: what cannot be said is listed, and nothing else is different.
#[orm::test(requires = |f| !f.schemas)]
async fn what_models_cannot_say_is_listed(db: Db) -> orm::Result<()> {
    for text in [
        "create table \"Album\" (\"AlbumId\" integer primary key, \"Title\" nvarchar(160) not null,
            \"ArtistId\" int not null references artist (\"ArtistId\"), \"Live\" boolean not null default 0)",
        "create table artist (\"ArtistId\" integer primary key autoincrement, name text collate nocase) strict",
        "create table log (line text)",
        "create table codes (id integer not null, code text primary key, x any, unique (id, code) on conflict replace) strict, without rowid",
        "create table strings (id text primary key not null, flag integer not null check (flag in (0,1)),
            code text references codes (code) on delete set null, other integer references codes (id)) strict",
        "create index by_code on strings (code collate nocase)",
        "create trigger watch after insert on strings begin select 1; end",
        "create view names as select name from artist",
        "create virtual table words using fts5(word)",
    ] {
        RawSql::new(vec![RawPart::Text(text)]).exec(&db).await?;
    }
    let found = introspect(&db).await?;
    let Pulled { source, left_out, .. } = pull::models(&found, Backend::Sqlite);
    assert_file(
        "by_hand.rs",
        &format!("{source}\n// {}\n", left_out.join("\n// ")),
    );
    let again = Schema::of_models(&pulled::by_hand::schema(), db.dialect())?;
    // all of it is in the list
    assert_eq!(
        changes(&found, &again),
        [
            "drop view names",
            "drop trigger watch of strings",
            "drop virtual table words",
            "drop foreign key of strings",
            "drop unique constraint of codes",
            "drop check of strings",
            "drop index by_code of strings",
            "change collation of column artist.name",
            "change the options of table Album",
            "change default of column Album.AlbumId",
            "change the options of table codes",
            "add check to Album",
            "create index ix_Album_ArtistId on Album",
            "add check to strings",
            "create index ix_strings_code on strings",
            "drop table log"
        ]
    );
    Ok(())
}

/// The same on PostgreSQL, with its types.
#[orm::test(requires = |f| f.schemas)]
async fn what_models_cannot_say_of_postgres_is_listed(db: Db) -> orm::Result<()> {
    for text in [
        "create type color as enum ('red', 'dark green')",
        "create domain positive as integer check (value > 0)",
        "create table counted (number integer generated always as identity primary key, c color not null, cs color[],
            amount positive not null default 1, price numeric(12,4), name varchar(20), address inet,
            at timestamptz not null default now(), precise timestamp(3), flags boolean[])",
        "create table given (id bigint primary key, key text, number integer references counted on delete cascade)",
        "create table serials (id serial primary key, short smallint references serials (id),
            up integer unique deferrable references serials,
            constraint \"serial key\" foreign key (up) references serials (id))",
        "create index on given using hash (number)",
        "create materialized view counted_names as select name from counted",
        "comment on type color is 'of paint'",
    ] {
        RawSql::new(vec![RawPart::Text(text)]).exec(&db).await?;
    }
    let found = introspect(&db).await?;
    let Pulled { source, left_out, .. } = pull::models(&found, Backend::Postgres);
    let text = format!("{source}\n// {}\n", left_out.join("\n// "));
    assert_file("postgres_by_hand.rs", &text);
    Schema::of_models(&pulled::postgres_by_hand::schema(), db.dialect())?;
    Ok(())
}

/// The derive's words and plurals cannot be asked for here, so they stand here a second time.
#[test]
fn names_are_those_of_the_derive() {
    let list = |text: &str, name: &str| -> String {
        let from = text.split_once(&format!("const {name}: ")).unwrap().1;
        from.split_once("];").unwrap().0.split_whitespace().collect()
    };
    let function = |text: &str, name: &str| -> String {
        let from = text.split_once(&format!("fn {name}(")).unwrap().1;
        from.split_once("\n}\n").unwrap().0.split_whitespace().collect()
    };
    let (derive, here) = (
        include_str!("../../../orm-derive/src/name.rs"),
        include_str!("../../src/pull/name.rs"),
    );
    for name in ["NOT_MEN", "UNCOUNTABLE", "IRREGULAR"] {
        assert_eq!(list(derive, name), list(here, name), "{name}");
    }
    for name in ["words", "capital", "lower_first", "plural"] {
        assert_eq!(function(derive, name), function(here, name), "{name}");
    }
}

#[test]
fn objects_beside_tables_are_listed() {
    let schema = Schema {
        schemas: vec!["empty".into()],
        views: vec![View {
            name: orm_migrate::schema::Name::new("v"),
            query: "SELECT 1".into(),
            ..View::default()
        }],
        ..Schema::default()
    };
    let left_out = pull::models(&schema, Backend::Postgres).left_out;
    assert_eq!(
        left_out,
        [
            "schema empty: no model is in it",
            "view v: the types of its columns are not in the schema: write a model with `view`"
        ]
    );
}

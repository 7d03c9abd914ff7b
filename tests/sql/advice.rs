//! What is advised about a query, and what is not.

use orm::prelude::*;
use orm::query::{AdviceKind, advice};
use orm::schema::Schema;

#[derive(Model, Clone, Debug)]
#[orm(index(taken), index("lower(place)"),
      index(tags.op_class("gin_trgm_ops"), method = gin))]
pub(crate) struct Photo {
    pub(crate) id: Id<Photo>,
    #[belongs_to(album: Album)]
    pub(crate) album_id: Id<Album>,
    #[orm(unique)]
    pub(crate) file: String,
    #[orm(index)]
    pub(crate) place: String,
    pub(crate) note: String,
    pub(crate) size: i64,
    pub(crate) tags: String,
    pub(crate) taken: Timestamp,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Album {
    pub(crate) id: Id<Album>,
    #[orm(index)]
    pub(crate) pages: i32,
}

fn schema() -> Schema {
    orm::schema![Photo, Album]
}

fn about(query: impl orm::query::AnyQuery) -> Vec<(AdviceKind, String)> {
    advice(query, &schema())
        .into_iter()
        .map(|a| (a.kind, a.place))
        .collect()
}

fn one(kind: AdviceKind, place: &str) -> Vec<(AdviceKind, String)> {
    vec![(kind, place.to_owned())]
}

#[test]
fn rows_that_are_skipped() {
    assert_eq!(about(Photo::query().limit(10).offset(1000)), []);
    let deep = Photo::query().limit(10).offset(1001);
    assert_eq!(about(deep.clone()), one(AdviceKind::DeepOffset, "photos"));
    assert_eq!(
        advice(deep, &schema())[0].to_string(),
        "photos: the rows that OFFSET skips are read and thrown away: go on after the last row: `.page(n)` and its cursor"
    );
    // what is not in the schema is not known
    let other = orm::schema![Album];
    assert_eq!(advice(Photo::query().limit(1).offset(5000), &other), []);
}

#[test]
fn columns_inside_of_something() {
    use AdviceKind::FunctionOnIndexedColumn as Function;
    assert_eq!(
        about(Photo::query().filter(|p| p.file.eq("a").and(p.note.lower().eq("a")))),
        []
    );
    assert_eq!(
        about(Photo::query().filter(|p| p.file.lower().eq("a"))),
        one(Function, "photos.file")
    );
    // the expression has an index of its own
    assert_eq!(about(Photo::query().filter(|p| p.place.lower().eq("a"))), []);
    let year = Photo::query().filter(|p| p.taken.year().eq(2024));
    assert_eq!(about(year.clone()), one(Function, "photos.taken"));
    assert!(advice(year, &schema())[0].instead.contains(".ge(start)"));
    assert_eq!(
        about(Album::query().filter(|a| (a.pages + 1).gt(9))),
        one(Function, "albums.pages")
    );
    assert_eq!(about(Album::query().filter(|a| a.pages.gt(9))), []);
    let cast = Album::query().filter(|a| a.pages.cast::<String>().eq("9"));
    assert_eq!(about(cast), one(AdviceKind::CastOfIndexedColumn, "albums.pages"));
}

#[test]
fn texts_found_anywhere() {
    use AdviceKind::LeadingWildcard as Wildcard;
    assert_eq!(
        about(Photo::query().filter(|p| p.note.contains("a"))),
        one(Wildcard, "photos.note")
    );
    assert_eq!(
        about(Photo::query().filter(|p| p.note.ends_with("a"))),
        one(Wildcard, "photos.note")
    );
    assert_eq!(
        about(Photo::query().filter(|p| p.note.like("%a"))),
        one(Wildcard, "photos.note")
    );
    assert_eq!(about(Photo::query().filter(|p| p.note.like("a%"))), []);
    assert_eq!(about(Photo::query().filter(|p| p.note.starts_with("a"))), []);
    assert_eq!(about(Photo::query().filter(|p| p.tags.contains("a"))), []);
}

#[test]
fn alternatives_about_several_columns() {
    let q = Photo::query().filter(|p| p.file.eq("a").or(p.place.eq("b")));
    assert_eq!(about(q), one(AdviceKind::OrAcrossIndexes, "photos.file"));
    let q = Photo::query().filter(|p| p.file.eq("a").or(p.file.eq("b")));
    assert_eq!(about(q), []);
    // one of them has no index in any case
    let q = Photo::query().filter(|p| p.file.eq("a").or(p.note.eq("b")));
    assert_eq!(about(q), []);
}

#[test]
fn queries_inside_of_queries() {
    use AdviceKind::FunctionOnIndexedColumn as Function;
    let files = || {
        Photo::query()
            .filter(|p| p.file.upper().eq("A"))
            .select(|p| p.album_id)
    };
    let found = one(Function, "photos.file");
    assert_eq!(about(Album::query().filter(|a| a.id.in_(files()))), found);
    assert_eq!(
        about(
            Album::query()
                .join_on(files(), |a, of| a.id.eq(of))
                .select(|(a, _)| a.id)
        ),
        found
    );
    assert_eq!(
        about(orm::from(orm::cte("files", files())).select(|of| of)),
        found
    );
    assert_eq!(about(Album::query().select(|a| a.id).union(files())), found);
    let exists = Album::query().filter(|a| {
        exists(Photo::query().filter(|p| p.album_id.eq(a.id.outer()).and(p.file.upper().eq("A"))))
    });
    assert_eq!(about(exists), found);
    let twice = Album::query().filter(|a| a.id.in_(files()).or(a.id.not_in(files())));
    assert_eq!(about(twice), found, "each once");
}

macro_rules! wide {
    ($($name:ident)*) => {
        #[derive(Model, Clone, Debug)]
        pub(crate) struct Wide {
            pub(crate) id: Id<Wide>,
            $(pub(crate) $name: i32,)*
        }
    };
}
wide!(a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3 b4 b5 b6 b7 b8 b9 c1 c2 c3 c4 c5 c6);

#[test]
fn rows_of_many_columns() {
    let schema = orm::schema![Wide];
    let found = advice(Wide::query(), &schema);
    assert_eq!(
        found.iter().map(|a| a.kind).collect::<Vec<_>>(),
        [AdviceKind::WideRow]
    );
    assert_eq!(advice(Wide::query().select(|w| (w.id, w.a1)), &schema), []);
}

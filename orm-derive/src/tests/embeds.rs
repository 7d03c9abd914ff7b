//! Embedded structs, and types in SQL.

use crate::plan::{Insert, Kind, Plan};
use crate::tests::{embed_errors, fields, model, model_errors};

#[test]
fn embedded_structs() {
    let none: [&str; 0] = [];
    let source = "#[orm(rename_all = \"camelCase\", debug)] struct E {
        #[orm(column = \"a\", index, sensitive, comment = \"c\", check = \"{a} > {r#type}\")] a: i64,
        #[orm(decimal(4, 2))] r#type: Decimal,
        #[orm(json)] tags: Vec<i64>,
        #[orm(embed, prefix = \"\")] b: Option<F>,
        #[orm(skip)] c: u8,
    }";
    assert_eq!(embed_errors(source), none);
    assert_eq!(
        embed_errors(
            "struct E { #[orm(unique)] a: i64, #[orm(version)] b: i64, #[orm(generated = \"x\")] c: i64 }"
        ),
        [
            "`unique` is an attribute of a model, as in `unique(author_id, title)`",
            "`version` is an attribute of a field of a model, as in `version`",
            "`generated` is an attribute of a field of a model, as in `generated = \"price * amount\"`",
        ]
    );
    assert_eq!(
        embed_errors("#[orm(timestamps)] struct E { a: &'static str }"),
        [
            "`timestamps` is an attribute of a model, as in `timestamps`",
            "`a` borrows, and a row owns its values: use `String` or `Vec<u8>`",
        ]
    );
    let two = "struct E { #[orm(column = \"a\")] x: i64, a: i64, #[orm(prefix = 1)] b: F }";
    assert_eq!(
        embed_errors(two),
        [
            "`prefix` is written `prefix = ship_`",
            "`x` and `a` are both stored as column `a`"
        ]
    );
}

#[test]
fn embedded_structs_have_a_name_and_a_place() {
    let model = model(
        "#[orm(index(home.city.desc().nulls_last(), email, include(home.geo.lat)), unique(work.zip))] struct M {
            id: Id<M>, #[orm(embed)] home: E, email: String, #[orm(embed, prefix = w_)] work: Option<E>,
        }",
    );
    let plan = Plan::new(&model);
    let columns: Vec<_> = plan.columns.iter().map(|c| (c.name.as_str(), c.insert)).collect();
    assert_eq!(
        columns,
        [
            ("id", Insert::Never),
            ("home_", Insert::Required),
            ("email", Insert::Required),
            ("w_", Insert::Optional),
        ]
    );
    let index = &plan.indexes[0];
    assert_eq!(index.name, "ix_ms_home_city_email");
    assert!(index.parts[0].descending && index.parts[0].nulls_first == Some(false));
    assert_eq!(
        (index.include[0].column, index.include[0].part.as_str()),
        (1, "geo.lat")
    );
    assert_eq!(plan.uniques[0].name, "uq_ms_w_zip");
    assert_eq!(plan.columns[3].kind, Kind::Plain);
}

#[test]
fn embedded_structs_are_no_single_columns() {
    assert_eq!(
        model_errors(
            "#[orm(id(a, b), unique(a), index(b.c, \"x\", b.desc))] struct M { #[orm(embed)] a: E, b: i64 }"
        ),
        [
            "`a` is several columns: name one of them, as in `a.city`",
            "`b` is one column, and has no `c`; or is `#[orm(embed)]` missing?",
            "an order has parentheses: `b.desc()`",
            "`a` is an embedded struct, and a primary key is made of single fields",
        ]
    );
    assert_eq!(
        model_errors(&fields(
            "#[orm(embed, skip)] a: E, #[orm(embed, json)] b: E, #[orm(embed)] created_at: E"
        )),
        [
            "`embed` contradicts `skip`: a skipped field is no column",
            "`json` contradicts `embed`: an embedded struct is several columns",
        ]
    );
    assert_eq!(
        model_errors("#[orm(timestamps)] struct M { id: i64, #[orm(embed)] created_at: E }"),
        ["`created_at` is set by `timestamps`: drop `embed`"]
    );
}

#[test]
fn types_in_sql() {
    assert_eq!(
        model_errors(&fields(
            r#"#[orm(ty = "x", decimal(4, 2))] a: Decimal, #[orm(ty(mysql = "x"))] b: i64, #[orm(ty(postgres))] c: i64,
               #[orm(ty())] d: i64, #[orm(ty = 1)] e: i64, #[orm(embed, ty = "x")] f: E"#
        )),
        [
            "unknown option `mysql` of `ty`, expected one of `postgres`, `sqlite`",
            "expected a string: `ty(postgres = \"citext\")`",
            "`ty` is written `ty = \"varchar(40)\"`",
            "expected a string: `ty` is written `ty = \"varchar(40)\"`",
            "`ty` contradicts `decimal`: a column has one type",
            "`ty` contradicts `embed`: an embedded struct is several columns",
        ]
    );
}

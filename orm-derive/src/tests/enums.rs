//! Enums as columns.

use syn::DeriveInput;

use crate::ctxt::Ctxt;
use crate::parse;
use crate::tests::enum_errors;

#[test]
fn enums() {
    assert_eq!(
        enum_errors("#[orm(name = \"mood\", rename_all = \"kebab-case\")] enum Mood { VeryHappy, Sad }"),
        Vec::<String>::new()
    );
    assert_eq!(
        enum_errors("struct M { a: i64 }"),
        ["`#[derive(DbEnum)]` needs an enum, and `M` is none"]
    );
    assert_eq!(
        enum_errors("enum M {}"),
        ["an enum without variants has no value to store"]
    );
    assert_eq!(
        enum_errors("enum M { A(i64), B }"),
        ["`A` carries data: `#[derive(DbEnum)]` stores names only, see `#[orm(json)]`"],
    );
    assert_eq!(
        enum_errors("enum M { A, #[orm(rename = \"a\")] B }"),
        ["`a` is already the label of `A`"]
    );
    assert_eq!(
        enum_errors("enum M { #[orm(renam = \"a\")] B }"),
        ["unknown attribute `renam`, did you mean `rename`?"]
    );
    let input: DeriveInput =
        syn::parse_str("enum OrderState { InTransit, #[orm(rename = \"x\")] Done }").unwrap();
    let cx = Ctxt::new();
    let read = parse::db_enum::db_enum(&cx, &input).unwrap();
    cx.finish().unwrap();
    let labels: Vec<_> = read
        .variants
        .iter()
        .map(|variant| variant.label.as_str())
        .collect();
    assert_eq!(
        (read.name.as_str(), labels),
        ("order_state", vec!["in_transit", "x"])
    );
}

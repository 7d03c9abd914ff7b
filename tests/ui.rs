//! Mistakes and the messages they get. The texts are rustc's own in part, so they hold for the pinned compiler:
//! `TRYBUILD=overwrite cargo test --test ui` writes them anew.

#[test]
fn mistakes_in_attributes() {
    trybuild::TestCases::new().compile_fail("tests/ui/attr/*.rs");
}

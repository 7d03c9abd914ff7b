//! Enums of models, and the associations that name them.

use crate::plan::{Insert, Plan};
use crate::tests::{attrs, fields, model, model_errors, polymorphic_errors};

#[test]
fn enums_of_models() {
    let none: [&str; 0] = [];
    assert_eq!(
        polymorphic_errors(
            "#[orm(rename_all = \"camelCase\", crate = a::orm)] enum S { #[orm(rename = \"x\")] A(m::A), B(B) }"
        ),
        none
    );
    assert_eq!(
        polymorphic_errors("struct S { a: A }"),
        ["`#[derive(Polymorphic)]` needs an enum of models, and `S` is none"]
    );
    assert_eq!(
        polymorphic_errors("enum S {}"),
        ["an enum without variants names no model"]
    );
    assert_eq!(
        polymorphic_errors("enum S { A { a: A }, B, C(A, B), D(&'static A) }"),
        [
            "a variant holds one model: `A(A)`",
            "a variant holds one model: `B(B)`",
            "a variant holds one model: `C(C)`",
            "a variant holds one model: `D(D)`",
        ]
    );
    assert_eq!(
        polymorphic_errors("enum S { A(A), #[orm(rename = \"a\")] B(A) }"),
        [
            "`a` is already the label of `A`",
            "`A` is already held by `A`: each model has one variant"
        ]
    );
    assert_eq!(
        polymorphic_errors("#[orm(name = \"s\")] enum S<T> { A(T) }"),
        [
            "`#[derive(Polymorphic)]` needs a type without parameters: one type, one set of columns",
            "`name` is an attribute of an enum, as in `name = \"mood\"`",
        ]
    );
}

#[test]
fn discriminator_and_key() {
    let model = model(
        "#[orm(rename_all = \"camelCase\", unique(b.kind, b.id))] struct M {
            id: Id<M>,
            #[belongs_to_any(main_subject: Subject)] subject: SubjectId,
            #[belongs_to_any(other: Subject)] #[orm(prefix = x_)] b: Option<m::SubjectId>,
        }",
    );
    let plan = Plan::new(&model);
    let columns: Vec<_> = plan.columns.iter().map(|c| (c.name.as_str(), c.insert)).collect();
    assert_eq!(
        columns,
        [
            ("id", Insert::Never),
            ("mainSubject_", Insert::Required),
            ("x_", Insert::Optional)
        ]
    );
    let indexes: Vec<_> = plan.indexes.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(
        indexes,
        ["ix_ms_mainSubject_type_mainSubject_id"],
        "a unique constraint is an index"
    );
    let checks: Vec<_> = plan
        .checks
        .iter()
        .map(|c| (c.name.as_str(), c.sql.as_str()))
        .collect();
    assert_eq!(
        checks,
        [("ck_ms_other", "(\"x_type\" IS NULL) = (\"x_id\" IS NULL)")]
    );
    assert_eq!(
        model_errors(&fields(
            "#[belongs_to_any(s: Subject)] a: i64, #[belongs_to_any(t: Subject)] b: Vec<SubjectId>"
        )),
        [
            "`s` is a discriminator and a key: make it a `SubjectId`, or an `Option<SubjectId>`",
            "`t` is a discriminator and a key: make it a `SubjectId`, or an `Option<SubjectId>`",
        ]
    );
    assert_eq!(
        model_errors(&fields("#[belongs_to_any(s: Subject, optional)] a: SubjectId")),
        ["`optional` belongs to an arc: for a key that may be missing make the field an `Option`"]
    );
    assert_eq!(
        model_errors(&fields(
            "#[belongs_to_any(s: Subject, arc = (a, id))] a: SubjectId"
        )),
        ["an arc has several fields: move `#[belongs_to_any]` to the struct"]
    );
}

#[test]
fn arcs() {
    let arc = |options: &str, first: &str, second: &str| {
        model_errors(&format!(
            "#[belongs_to_any(s: S, {options})] struct M {{ id: Id<M>, {first}, {second} }}"
        ))
    };
    let (a, b) = (
        "#[belongs_to(x: A)] a: Option<Id<A>>",
        "#[belongs_to(y: B)] b: Option<Id<B>>",
    );
    let none: [&str; 0] = [];
    assert_eq!(arc("arc = (a, b)", a, b), none);
    assert_eq!(arc("arc = (a, b), optional", a, b), none);
    assert_eq!(
        arc("arc = a", a, b),
        ["an arc has two foreign keys or more: `arc = (post_id, photo_id)`"]
    );
    assert_eq!(
        arc("arc = (a, bb)", a, b),
        ["`M` has no field `bb`, did you mean `b`?"]
    );
    assert_eq!(
        arc("arc = (a, b)", "#[belongs_to(x: A)] a: Id<A>", "b: Option<Id<B>>"),
        [
            "`a` is in the arc `s`, where all keys but one are NULL: make it an `Option<..>`",
            "`b` is in the arc `s` and refers to no model: add `#[belongs_to(..: ..)]` to it",
        ]
    );
    assert_eq!(
        arc("arc = (a, b)", a, "#[belongs_to(y: A)] b: Option<Id<A>>"),
        ["two keys of the arc `s` refer to `A`: each model has one"]
    );
    let nulls = "#[belongs_to(y: B, on_delete = set_null)] b: Option<Id<B>>";
    assert_eq!(
        arc("arc = (a, b)", a, nulls),
        [
            "`on_delete = set_null` would leave the arc `s` without a key: use `cascade` or `restrict`, or make the arc `optional`"
        ]
    );
    assert_eq!(arc("arc = (a, b), optional", a, nulls), none);
    assert_eq!(
        model_errors(&attrs("#[belongs_to_any(s: S)]")),
        [
            "put `#[belongs_to_any(s: ..)]` on the field with its key, or name the foreign keys of an arc: `arc = (post_id, photo_id)`"
        ]
    );
    assert_eq!(
        arc("arc = (a, b)", a, "#[belongs_to(s_id: B)] b: Option<Id<B>>"),
        ["the method `s_id()` gives the key of this arc: rename that relation"]
    );
}

#[test]
fn relations_by_an_association() {
    let one = |options: &str| model_errors(&attrs(&format!("#[has_many(notes: Note, {options})]"))).join("|");
    assert_eq!(one("as = subject"), "");
    assert_eq!(one("as = subject, cascade = unlink"), "");
    assert_eq!(
        one("as = subject, by = post_id"),
        "`as = subject` says where the key is: drop `by`"
    );
    assert_eq!(one("as"), "`as` needs a value, as in `as = subject`");
    assert_eq!(
        model_errors("#[orm(id(a, b))] #[has_one(note: Note, as = subject)] struct M { a: i64, b: i64 }"),
        ["`as` needs a key of one column, and that of `M` has 2"]
    );
}

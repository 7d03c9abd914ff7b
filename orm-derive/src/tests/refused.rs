//! What is refused of models, with which words.

use crate::tests::{attrs, fields, model_errors};

#[test]
fn only_structs_with_named_fields() {
    let needs = "`#[derive(Model)]` needs a struct with named fields, and `M` is";
    assert_eq!(
        model_errors("struct M(i64);"),
        [format!("{needs} a tuple struct")]
    );
    assert_eq!(
        model_errors("struct M;"),
        [format!("{needs} a struct without fields")]
    );
    assert_eq!(model_errors("union M { a: i64 }"), [format!("{needs} a union")]);
    let hint = "; for an enum as a column: `#[derive(DbEnum)]`";
    assert_eq!(model_errors("enum M { A }"), [format!("{needs} an enum{hint}")]);
    let generic = "`#[derive(Model)]` needs a type without parameters: one type, one set of columns";
    assert_eq!(model_errors("struct M<T> { id: Id<M>, t: T }"), [generic]);
}

#[test]
fn unknown_fields() {
    for attribute in [
        "unique(titel)",
        "index(titel.desc())",
        "index(title, include(titel))",
        "tenant(titel)",
    ] {
        let errors = model_errors(&attrs(&format!("#[orm({attribute})]")));
        assert_eq!(
            errors,
            ["`M` has no field `titel`, did you mean `title`?"],
            "{attribute}"
        );
    }
    assert_eq!(
        model_errors(&attrs("#[orm(unique(xyz))]")),
        ["`M` has no field `xyz`, expected one of `id`, `title`, `author_id`"],
    );
    assert_eq!(
        model_errors(&attrs("#[orm(index(created_at))]")),
        ["`M` has no field `created_at`: add it, or `#[orm(timestamps)]`"],
    );
    assert_eq!(
        model_errors("#[orm(index(c))] struct M { id: Id<M>, #[orm(skip)] c: String }"),
        ["`c` is not stored: drop its `skip`, or name another field"],
    );
    assert_eq!(
        model_errors("#[orm(id(post_id, tga_id))] struct M { post_id: i64, tag_id: i64 }"),
        ["`M` has no field `tga_id`, did you mean `tag_id`?"],
    );
}

#[test]
fn primary_keys() {
    let missing = "`M` has no primary key: add `pub id: Id<M>`, or `#[orm(id)]` to a field";
    assert_eq!(model_errors("struct M { name: String }"), [missing]);
    assert_eq!(
        model_errors("struct M { #[orm(id)] a: i64, #[orm(id)] b: i64 }"),
        ["a second `id`: for a key of several fields write `#[orm(id(a, b))]` on the struct"],
    );
    assert_eq!(
        model_errors("struct M { id: Option<i64> }"),
        ["`id` is in the primary key, which is never NULL: drop the `Option`"],
    );
    assert_eq!(
        model_errors("struct M { #[orm(unique)] id: Id<M> }"),
        ["the primary key is unique already: drop `unique`"],
    );
    assert_eq!(
        model_errors("#[orm(id(a, a))] struct M { a: i64 }"),
        ["`a` is named twice"]
    );
}

#[test]
fn versions_and_shadow_fields() {
    assert_eq!(
        model_errors(&fields("#[orm(version)] a: i64, #[orm(version)] b: i64")),
        ["`a` is already the version of a row"],
    );
    assert_eq!(
        model_errors(&fields("#[orm(version)] a: String")),
        ["`a` cannot be the version of a row: make it an `i64`, a `Uuid`, a `Timestamp` or a `RowVersion`"],
    );
    let shadow = |attribute: &str, field: &str| {
        model_errors(&format!("#[orm({attribute})] struct M {{ id: Id<M>, {field} }}"))
    };
    assert_eq!(
        shadow("soft_delete", "deleted_at: Timestamp"),
        ["`deleted_at` is NULL while a row lives (`soft_delete`): make it `Option<Timestamp>`"],
    );
    assert_eq!(
        shadow("soft_delete", "deleted_at: Option<bool>"),
        ["`deleted_at` is a time (`soft_delete`): make it a `Timestamp`"],
    );
    assert_eq!(
        shadow("timestamps", "created_at: Option<Timestamp>"),
        ["`created_at` is always set (`timestamps`): drop the `Option`"],
    );
    assert_eq!(
        shadow("timestamps", "#[orm(default = now())] created_at: Timestamp"),
        ["`created_at` is set by `timestamps`: drop `default`"],
    );
    assert_eq!(shadow("", "deleted_at: bool"), Vec::<String>::new());
}

#[test]
fn attributes_that_exclude_each_other() {
    let one = |field: &str| model_errors(&fields(field)).join("|");
    assert_eq!(
        one("#[orm(skip, unique)] a: i64"),
        "`unique` contradicts `skip`: a skipped field is no column"
    );
    assert_eq!(
        one("#[orm(generated = \"b + 1\", default = 1)] a: i64"),
        "`default` contradicts `generated`: a calculated column is never written",
    );
    assert_eq!(
        one("#[orm(unique, index)] a: i64"),
        "a unique column has its index already: drop `index`"
    );
    assert_eq!(
        one("#[orm(unique)] #[orm(unique)] a: i64"),
        "`unique` is given twice"
    );
    assert_eq!(
        one("#[orm(decimal(2, 5))] a: D"),
        "a scale of 5 digits in a precision of 2"
    );
    assert_eq!(
        one("#[orm(decimal(2))] a: D"),
        "`decimal` is written `decimal(12, 2)`"
    );
    assert_eq!(
        one("a: &'static str"),
        "`a` borrows, and a row owns its values: use `String` or `Vec<u8>`"
    );
    assert_eq!(
        model_errors("#[orm(view, timestamps)] struct M { id: Id<M>, #[orm(default = 1)] a: i64 }"),
        [
            "a view is only read: drop `timestamps`",
            "a view is only read: drop `default`"
        ],
    );
}

#[test]
fn values_of_attributes() {
    let one = |attribute: &str| model_errors(&attrs(&format!("#[orm({attribute})]"))).join("|");
    assert_eq!(
        one("table = users"),
        "expected a string: `table` is written `table = \"people\"`"
    );
    assert_eq!(one("table = \" \""), "this string is empty");
    assert_eq!(one("table"), "`table` is written `table = \"people\"`");
    assert!(
        one("rename_all = \"camel\"")
            .starts_with("`rename_all` does not know `camel`, expected one of `snake_case`")
    );
    assert_eq!(one("rename_all = camelCase"), "");
    assert_eq!(one("crate = crate::db::orm"), "");
    assert_eq!(
        one("unique(title.desc())"),
        "a unique constraint has no order: use `index(.., unique)`"
    );
    assert_eq!(
        one("index(title.down())"),
        "`down` is unknown in an index, expected one of `asc`, `desc`, `nulls_first`, `nulls_last`, `op_class(\"..\")`",
    );
    assert_eq!(
        one("index(title.op_class(gin_trgm_ops), method = gin)"),
        "expected string literal"
    );
    assert_eq!(
        one("index(title, with(fillfactor = 70))"),
        "`with` is written `with = \"fillfactor = 70\"`"
    );
    assert_eq!(
        one("index(title, were = \"x\")"),
        "unknown option `were` of `index`, did you mean `where`?"
    );
    assert_eq!(
        one("index(title.desc().nulls_last(), unique, include(author_id), method = gin)"),
        ""
    );
    assert_eq!(
        one("index()"),
        "`index` is written `index(author_id, created_at.desc())`"
    );
    assert_eq!(one("audit"), "`audit` is written `audit(by = Id<User>)`");
    assert_eq!(one("audit(by = Id<User, Uuid>)"), "");
    assert_eq!(one("check(title)"), "`check` is written `check(\"price > 0\")`");
    assert_eq!(one("check(\"a > 0\", name = \"ck_a\")"), "");
    assert_eq!(
        model_errors(&attrs("#[orm]")),
        ["`#[orm]` needs its attributes in parentheses: `#[orm(...)]`"]
    );
}

#[test]
fn names_that_meet() {
    assert_eq!(
        model_errors(&fields("a: i64, #[orm(column = \"A\")] b: i64")),
        ["`a` and `b` are both stored as column `A`"],
    );
    assert_eq!(
        model_errors(&attrs("#[orm(index(title), index(title, where = \"x\"))]")),
        ["a second `ix_ms_title`: give this one a name, `name = \"..\"`"],
    );
    let long = "x".repeat(64);
    assert_eq!(
        model_errors(&attrs(&format!("#[orm(table = \"{long}\")]"))),
        [format!(
            "`{long}` has 64 bytes, and a name in the database has 63 at most"
        )],
    );
}

#[test]
fn relation_names() {
    assert_eq!(
        model_errors(
            "struct Post { id: Id<Post>, author: String, #[belongs_to(author: User)] author_id: Id<User> }"
        ),
        [
            "`author` is already a column of `Post`: rename the relation, e.g. `#[belongs_to(written_by: User)]`"
        ],
    );
    assert_eq!(
        model_errors(&attrs("#[has_many(title: Title)]")),
        ["`title` is already a column of `M`: rename the relation, e.g. `#[has_many(all_title: Title)]`"],
    );
    assert_eq!(
        model_errors(&attrs("#[has_many(update: Update)]")),
        ["`update` is a method of every model: rename the relation, e.g. `#[has_many(all_update: Update)]`"],
    );
    assert_eq!(
        model_errors(&attrs("#[has_many(posts: Post)] #[has_one(posts: Post)]")),
        ["`posts` is already a relation of `M`: rename this one, e.g. `#[has_one(own_posts: Post)]`"],
    );
}

#[test]
fn relation_values() {
    let on_field = |attribute: &str| {
        model_errors(&format!(
            "#[orm(soft_delete)] struct M {{ id: Id<M>, #[{attribute}] a_id: Id<A> }}"
        ))
        .join("|")
    };
    assert_eq!(
        on_field("belongs_to(a: A, on_delete = restrict, deferrable, initially_deferred)"),
        ""
    );
    assert_eq!(
        on_field("belongs_to(a: A, on_delete = set_nul)"),
        "`on_delete` does not know `set_nul`, did you mean `set_null`?"
    );
    assert_eq!(
        on_field("belongs_to(a: A, on_delete = set_null)"),
        "`on_delete = set_null` needs a key that may be NULL: make `a_id` an `Option<..>`",
    );
    assert_eq!(
        on_field("belongs_to(a: A, on_delete = cascade)"),
        "`on_delete = cascade` would really delete rows of `M`, which is soft-deleted: use `restrict`",
    );
    assert_eq!(
        on_field("belongs_to(a: A, on_delete = set_default)"),
        "`on_delete = set_default` needs a default: add `#[orm(default = ..)]` to `a_id`",
    );
    let usage = "`#[belongs_to]` is written `#[belongs_to(author: User, on_delete = restrict)]`";
    assert_eq!(on_field("belongs_to(A)"), usage);
    assert_eq!(on_field("belongs_to"), usage);
    assert_eq!(on_field("belongs_to()"), usage);
    assert_eq!(
        on_field("has_many(posts: Post)"),
        "`#[has_many]` belongs on the struct, not on a field"
    );
    assert_eq!(
        on_field("belongs_to(a: A)] #[belongs_to(b: A)"),
        "`a_id` is already the foreign key of `a`",
    );
    let on_struct = |attribute: &str| model_errors(&attrs(&format!("#[{attribute}]"))).join("|");
    assert_eq!(
        on_struct("has_many(posts: Post, by = author_id, cascade = delete)"),
        ""
    );
    assert_eq!(
        on_struct("has_many(posts: Post, cascade = drop)"),
        "`cascade` does not know `drop`, expected one of `database`, `delete`, `unlink`"
    );
    assert_eq!(
        on_struct("many_to_many(tags: Tag, via = PostTag, cascade = delete)"),
        "`cascade = delete` would delete rows that others are linked to: use `cascade = unlink`"
    );
    assert_eq!(
        on_struct("has_many(posts: Post, cascade = delete, orphans = delete)"),
        ""
    );
    assert_eq!(
        on_struct("has_one(post: Post, orphans = keep)"),
        "`orphans` does not know `keep`, expected one of `delete`, `unlink`"
    );
    assert_eq!(
        on_struct("has_many(posts: Post, cascade = unlink, orphans = delete)"),
        "`orphans = delete` deletes rows that `cascade = unlink` keeps: use `cascade = delete`"
    );
    assert_eq!(
        on_struct("many_to_many(tags: Tag, via = PostTag, orphans = delete)"),
        "unknown option `orphans` of `many_to_many`, expected one of `via`, `by`, `to`, `cascade`"
    );
    assert_eq!(
        on_struct("many_to_many(tags: Tag)"),
        "`many_to_many` needs its join table: `via = PostTag`"
    );
    assert_eq!(
        on_struct("has_many(posts: Post, by = (a, b))"),
        "the key of `M` has 1 columns and `by` has 2: name one field: `by = author_id`",
    );
    assert_eq!(
        on_struct("belongs_to(author: User)"),
        "put `#[belongs_to(author: ..)]` on its foreign key field, or name the fields: `by = (a, b)`",
    );
    assert_eq!(on_struct("belongs_to(author: User, by = (author_id, title))"), "");
    assert_eq!(
        on_struct("has_many(posts: Post, key = author_id)"),
        "unknown option `key` of `has_many`, expected one of `by`, `as`, `cascade`, `orphans`",
    );
}

#[test]
fn all_mistakes_at_once() {
    let errors =
        model_errors("#[orm(tabel = \"x\")] struct M { #[orm(uniqe)] name: String, #[orm(version)] v: f64 }");
    assert_eq!(errors.len(), 4, "{errors:?}");
}

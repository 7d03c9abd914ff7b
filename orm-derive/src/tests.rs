//! Models as text: what is refused with which words, and what is decided about the correct ones.

use quote::quote;
use syn::DeriveInput;

use crate::check;
use crate::ctxt::Ctxt;
use crate::parse;
use crate::parse::Model;
use crate::plan::{Generation, IndexKey, Insert, Kind, Plan};

fn errors_of(read: impl FnOnce(&Ctxt, &DeriveInput), source: &str) -> Vec<String> {
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let cx = Ctxt::new();
    read(&cx, &input);
    match cx.finish() {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

fn model_errors(source: &str) -> Vec<String> {
    let read = |cx: &Ctxt, input: &DeriveInput| {
        if let Some(model) = parse::model(cx, input) {
            check::check(cx, &Plan::new(&model));
        }
    };
    errors_of(read, source)
}

fn embed_errors(source: &str) -> Vec<String> {
    let read = |cx: &Ctxt, input: &DeriveInput| {
        if let Some(model) = parse::embed(cx, input) {
            check::embed(cx, &Plan::of_embed(&model));
        }
    };
    errors_of(read, source)
}

fn enum_errors(source: &str) -> Vec<String> {
    errors_of(|cx, input| drop(parse::db_enum::db_enum(cx, input)), source)
}

fn polymorphic_errors(source: &str) -> Vec<String> {
    errors_of(
        |cx, input| drop(parse::polymorphic::polymorphic(cx, input)),
        source,
    )
}

fn model(source: &str) -> Model {
    assert_eq!(model_errors(source), Vec::<String>::new());
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let cx = Ctxt::new();
    let model = parse::model(&cx, &input).unwrap();
    cx.finish().unwrap();
    model
}

/// A model `M` with a key and these further fields.
fn fields(fields: &str) -> String {
    format!("struct M {{ id: Id<M>, {fields} }}")
}

/// A model `M` with a key, two columns and these attributes.
fn attrs(attrs: &str) -> String {
    format!("{attrs} struct M {{ id: Id<M>, title: String, author_id: Id<User> }}")
}

const POST: &str = r#"
    /// A post
    /// of a blog.
    #[orm(timestamps, soft_delete)]
    #[orm(index(author_id, created_at.desc()), index(title, "lower(body)", where = "published"))]
    #[orm(unique(author_id, title), check("views >= 0"))]
    #[has_many(comments: Comment)]
    #[many_to_many(tags: Tag, via = PostTag)]
    pub struct Post {
        pub id: Id<Self>,
        #[belongs_to(author: User, on_delete = restrict)] pub author_id: Id<User>,
        #[belongs_to(category: Category, on_delete = set_null)] pub category_id: Option<Id<Category>>,
        /// Headline.
        #[orm(unique)] pub title: String,
        pub r#type: String,
        #[orm(default = false)] pub published: bool,
        #[orm(default = 0, check = "views < 10")] pub views: i64,
        #[orm(default(sql = "now()"))] pub seen_at: Timestamp,
        #[orm(version)] pub version: i64,
        #[orm(skip)] pub cache: Vec<String>,
    }"#;

#[test]
fn columns_of_a_model() {
    let model = model(POST);
    let plan = Plan::new(&model);
    assert_eq!(plan.table, "posts");
    assert_eq!(model.options.comment.as_deref(), Some("A post\nof a blog."));
    let columns: Vec<_> = plan
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.kind, c.insert, c.nullable))
        .collect();
    assert_eq!(
        columns,
        [
            ("id", Kind::Pk, Insert::Never, false),
            ("author_id", Kind::Plain, Insert::Required, false),
            ("category_id", Kind::Plain, Insert::Optional, true),
            ("title", Kind::Unique, Insert::Required, false),
            ("type", Kind::Plain, Insert::Required, false),
            ("published", Kind::Plain, Insert::Optional, false),
            ("views", Kind::Plain, Insert::Optional, false),
            ("seen_at", Kind::Plain, Insert::Optional, false),
            ("version", Kind::Managed, Insert::Never, false),
            ("created_at", Kind::Managed, Insert::Never, false),
            ("updated_at", Kind::Managed, Insert::Never, false),
            ("deleted_at", Kind::Managed, Insert::Never, true),
        ],
    );
    assert_eq!(plan.key.generation, Some(Generation::Identity));
    assert_eq!(
        plan.columns[3].field.unwrap().attrs.comment.as_deref(),
        Some("Headline.")
    );
}

#[test]
fn constraints_of_a_model() {
    let model = model(POST);
    let plan = Plan::new(&model);
    let uniques: Vec<_> = plan
        .uniques
        .iter()
        .map(|u| (u.name.as_str(), u.predicate.as_deref()))
        .collect();
    assert_eq!(
        uniques,
        [("uq_posts_title", None), ("uq_posts_author_id_title", None)]
    );
    let indexes: Vec<_> = plan.indexes.iter().map(|index| index.name.as_str()).collect();
    let expected = ["ix_posts_author_id_created_at", "ix_posts_title_lower_body"];
    assert_eq!(indexes, expected);
    let first: Vec<_> = plan.indexes[0]
        .parts
        .iter()
        .map(|p| (matches!(p.key, IndexKey::Column(_)), p.descending))
        .collect();
    assert_eq!(first, [(true, false), (true, true)]);
    let keys: Vec<_> = plan.foreign_keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(keys, ["fk_posts_author_id", "fk_posts_category_id"]);
    assert_eq!(plan.checks[0].name, "ck_posts_views");
    assert!(plan.checks[1].name.starts_with("ck_posts_") && plan.checks.len() == 2);
}

#[test]
fn relations_of_a_model() {
    let model = model(POST);
    let plan = Plan::new(&model);
    let names: Vec<_> = plan.relations.iter().map(|r| r.marker.to_string()).collect();
    assert_eq!(names[0], "PostComments");
    assert_eq!(plan.relations[0].foreign, ["post_id"]);
    assert_eq!(plan.relations[1].foreign, ["post_id"]);
    assert_eq!(plan.relations[1].to, ["tag_id"]);
    assert_eq!(plan.relations[2].local, [1]);
    assert!(plan.relations[3].optional && !plan.relations[2].optional);
}

#[test]
fn keys() {
    let key = |source: &str| {
        let model = model(source);
        let plan = Plan::new(&model);
        let names: Vec<_> = plan
            .key
            .columns
            .iter()
            .map(|&i| plan.columns[i].name.clone())
            .collect();
        (
            names.join(","),
            plan.key.generation,
            plan.columns[plan.key.columns[0]].kind,
        )
    };
    let id = || "id".to_owned();
    assert_eq!(
        key("struct M { id: Id<M> }"),
        (id(), Some(Generation::Identity), Kind::Pk)
    );
    assert_eq!(
        key("struct M { id: Id<M, Uuid> }"),
        (id(), Some(Generation::UuidV7), Kind::Pk)
    );
    assert_eq!(
        key("struct M { id: uuid::Uuid }"),
        (id(), Some(Generation::UuidV7), Kind::Pk)
    );
    assert_eq!(
        key("struct M { id: i64 }"),
        (id(), Some(Generation::Identity), Kind::Pk)
    );
    assert_eq!(
        key("struct M { id: Id<M, String> }"),
        (id(), None, Kind::NaturalPk)
    );
    assert_eq!(
        key("struct M { #[orm(id)] code: String }"),
        ("code".to_owned(), None, Kind::NaturalPk)
    );
    assert_eq!(
        key("struct M { #[orm(id)] number: i64 }"),
        ("number".to_owned(), None, Kind::NaturalPk)
    );
    let shared = "struct M { #[orm(id)] #[belongs_to(user: User)] user_id: Id<User> }";
    assert_eq!(key(shared), ("user_id".to_owned(), None, Kind::NaturalPk));
    let pair = "#[orm(id(b, a))] struct M { a: i64, b: i64 }";
    assert_eq!(key(pair), ("b,a".to_owned(), None, Kind::KeyPart));
}

#[test]
fn names_and_shadow_columns_follow_the_attributes() {
    let model = model(
        r#"#[orm(rename_all = "camelCase", table = "doc", timestamps, soft_delete, audit(by = Id<User>), tenant(org_id))]
        struct Document { id: Id<Document>, org_id: i64, file_name: String, #[orm(column = "raw")] body_text: String,
            deleted_at: Option<Timestamp> }"#,
    );
    let plan = Plan::new(&model);
    let names: Vec<_> = plan.columns.iter().map(|column| column.name.as_str()).collect();
    let expected = [
        "id",
        "orgId",
        "fileName",
        "raw",
        "deletedAt",
        "createdAt",
        "updatedAt",
        "createdBy",
        "updatedBy",
        "deletedBy",
    ];
    assert_eq!(names, expected);
    assert_eq!(plan.columns[1].insert, Insert::Never);
    let keys: Vec<_> = plan.foreign_keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(keys, ["fk_doc_createdBy", "fk_doc_updatedBy", "fk_doc_deletedBy"]);
}

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

fn shape_errors(source: &str) -> Vec<String> {
    errors_of(|cx, input| drop(parse::shape::shape(cx, input)), source)
}

/// The mistakes of a shape with one field.
fn shape_field(field: &str) -> String {
    shape_errors(&format!("#[shape(User)] struct Page {{ {field} }}")).join("|")
}

#[test]
fn shapes() {
    let correct = r#"
        /// A page.
        #[shape(crate::models::User, crate = my::orm)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            id: Id<User>,
            #[serde(skip)] r#type: String,
            #[col(r#in)] inside: bool,
            #[expr(|u| u.name.lower())] lower: String,
            #[expr(shout)] loud: String,
            #[count(posts)] posts_count: i64,
            #[count(posts, filter = |p| p.published,)] published: i64,
            #[agg(posts, |p| p.views.sum())] views: Option<i64>,
            #[rel] profile: Option<Card>,
            #[rel()] other: Option<Card>,
            #[rel(posts)] all: Vec<Post>,
            #[rel(posts, with_deleted, filter = |p| p.published, order = |p| (p.id.desc(), p.title.asc()), limit = 5, offset = N)]
            some: Vec<Post>,
            #[rel(live, joined, select = |p| p.id)] writer: Option<Id<User>>,
        }"#;
    assert_eq!(shape_errors(correct), Vec::<String>::new());
    let input: DeriveInput = syn::parse_str(correct).unwrap();
    let cx = Ctxt::new();
    let shape = parse::shape::shape(&cx, &input).unwrap();
    cx.finish().unwrap();
    let loads: Vec<String> = shape
        .fields
        .iter()
        .filter_map(|field| field.relation())
        .map(|load| {
            let calls: Vec<String> = load.calls.iter().map(|(name, _)| name.to_string()).collect();
            format!("{} {} {}", load.name, calls.join("."), load.select.is_some())
        })
        .collect();
    assert_eq!(
        loads,
        [
            "profile  false",
            "other  false",
            "posts  false",
            "posts with_deleted.filter.order_by.limit.offset false",
            "writer live.joined true",
        ]
    );
}

#[test]
fn shapes_of_no_model() {
    let usage = "`shape` is written `shape(User)`";
    assert_eq!(
        shape_errors("struct M { a: i64 }"),
        ["a shape names the model whose rows it is read from: `#[shape(User)]`"]
    );
    assert_eq!(shape_errors("#[shape()] struct M { a: i64 }"), [usage]);
    assert_eq!(shape_errors("#[shape(User Post)] struct M { a: i64 }"), [usage]);
    assert_eq!(
        shape_errors("#[shape] struct M { a: i64 }"),
        ["`#[shape]` is written `#[shape(User)]`"]
    );
    assert_eq!(
        shape_errors("#[shape(User)] #[shape(Post)] struct M { a: i64 }"),
        ["a shape is read from the rows of one model"]
    );
    assert_eq!(
        shape_errors("#[shape(User, crate)] struct M { a: i64 }"),
        ["expected a path: `crate = my_crate::orm`"]
    );
    assert_eq!(
        shape_errors("#[rel] #[shape(User)] struct M { a: i64 }"),
        ["`#[rel]` belongs on a field, not on the struct"]
    );
}

#[test]
fn fields_of_shapes() {
    let rel = "`rel` is written `rel(posts, order = |p| p.id.desc(), limit = 5)`";
    assert_eq!(shape_field("#[rel(posts, limit)] a: Vec<A>"), rel);
    assert_eq!(shape_field("#[rel(posts, limit(5))] a: Vec<A>"), rel);
    assert_eq!(shape_field("#[rel(posts, live = true)] a: Vec<A>"), rel);
    assert_eq!(
        shape_field("#[rel = posts] a: Vec<A>"),
        "`#[rel]` is written `#[rel(posts, order = |p| p.id.desc(), limit = 5)]`"
    );
    assert_eq!(
        shape_field("#[rel(posts, filtre = |p| p.published)] a: Vec<A>"),
        "unknown option `filtre` of `rel`, did you mean `filter`?"
    );
    assert_eq!(
        shape_field("#[rel(posts, limit = 1, limit = 2)] a: Vec<A>"),
        "`limit` is given twice"
    );
    assert_eq!(
        shape_field("#[expr] a: i64"),
        "`#[expr]` is written `#[expr(|u| u.name.lower())]`"
    );
    assert_eq!(
        shape_field("#[expr()] a: i64"),
        "`expr` is written `expr(|u| u.name.lower())`"
    );
    assert_eq!(
        shape_field("#[agg(|p| p.views.sum())] a: i64"),
        "`agg` is written `agg(posts, |p| p.views.sum())`"
    );
    let count = "`count` is written `count(posts, filter = |p| p.published)`";
    assert_eq!(shape_field("#[count(filter = |p| p.published)] a: i64"), count);
    assert_eq!(shape_field("#[count(posts, filter)] a: i64"), count);
    assert_eq!(
        shape_field("#[col(a)] #[col(b)] c: i64"),
        "`#[col]` beside `#[col]`: one thing fills a field"
    );
    let endless = "a shape that holds itself would be read without end: let it hold another one";
    assert_eq!(shape_field("#[rel] a: Vec<Page>"), endless);
    assert_eq!(shape_field("#[rel] a: Option<Self>"), endless);
    assert_eq!(shape_field("#[rel(select = |p| p.id)] a: Vec<Id<Page>>"), "");
}

#[test]
fn a_limit_of_repeated_reads_is_at_least_two() {
    let item = quote!(
        async fn reads(db: Db) {}
    );
    let expanded = |options| crate::test::expand(options, item.clone());
    let test = expanded(quote!(n_plus_one = 2)).expect("a limit");
    assert!(test.to_string().contains("n_plus_one (2)"), "{test}");
    for limit in [quote!(1), quote!(0), quote!(-3), quote!("five")] {
        assert!(expanded(quote!(n_plus_one = #limit)).is_err());
    }
    let unknown = expanded(quote!(n_plus_two = 2)).expect_err("no option");
    assert!(unknown.to_string().contains("`n_plus_one`"), "{unknown}");
}

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

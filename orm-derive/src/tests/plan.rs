//! What is decided about correct models.

use crate::plan::{Generation, IndexKey, Insert, Kind, Plan};
use crate::tests::{POST, model};

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

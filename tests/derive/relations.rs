//! Relations and foreign keys as data.

use orm::model::{Cardinality, Many, Maybe, One, Rel};
use orm::prelude::Model;
use orm::schema::{Action, Column, RelationDef, RelationKind};
use orm::value::Id;

use crate::{
    __orm_category, __orm_comment, __orm_post, __orm_profile, __orm_user, Category, Comment, Post, PostTag,
    Profile, Tag, User,
};

fn names(columns: Vec<&'static Column>) -> Vec<&'static str> {
    columns.into_iter().map(|column| column.column.name).collect()
}

fn shape(def: &RelationDef) -> (&str, RelationKind, Vec<&str>, &str, Vec<&str>, bool) {
    let (parent, child) = (names((def.parent)()), names((def.child)()));
    (
        def.name,
        def.kind,
        parent,
        (def.table)().name(),
        child,
        def.required,
    )
}

fn has<R: Rel<Card = C>, C: Cardinality>() -> &'static RelationDef {
    R::DEF
}

#[test]
fn one_and_many() {
    let profile = has::<__orm_user::UserProfile, Maybe>();
    assert_eq!(
        shape(profile),
        (
            "profile",
            RelationKind::HasOne,
            vec!["id"],
            "profiles",
            vec!["user_id"],
            false
        )
    );
    let posts = has::<__orm_user::UserPosts, Many>();
    assert_eq!(
        shape(posts),
        (
            "posts",
            RelationKind::HasMany,
            vec!["id"],
            "posts",
            vec!["author_id"],
            false
        )
    );
    assert_eq!(posts.model, "User");
    let user = has::<__orm_profile::ProfileUser, One>();
    assert_eq!(
        shape(user),
        (
            "user",
            RelationKind::BelongsTo,
            vec!["user_id"],
            "users",
            vec!["id"],
            true
        )
    );
    let category = has::<__orm_post::PostCategory, Maybe>();
    assert_eq!(
        shape(category),
        (
            "category",
            RelationKind::BelongsTo,
            vec!["category_id"],
            "categories",
            vec!["id"],
            false
        )
    );
    let children = has::<__orm_category::CategoryChildren, Many>();
    assert_eq!(
        shape(children),
        (
            "children",
            RelationKind::HasMany,
            vec!["id"],
            "categories",
            vec!["parent_id"],
            false
        )
    );
}

#[test]
fn over_a_join_table() {
    let tags = has::<__orm_post::PostTags, Many>();
    assert_eq!(
        shape(tags),
        (
            "tags",
            RelationKind::ManyToMany,
            vec!["id"],
            "tags",
            vec!["id"],
            false
        )
    );
    let through = tags.through.as_ref().unwrap();
    assert!(std::ptr::eq((through.table)(), PostTag::TABLE));
    assert_eq!(
        (names((through.parent)()), names((through.child)())),
        (vec!["post_id"], vec!["tag_id"])
    );
    assert!(std::ptr::eq((tags.table)(), Tag::TABLE));
}

#[test]
fn foreign_keys() {
    let keys: Vec<_> = Post::TABLE
        .foreign_keys
        .iter()
        .map(|key| (key.name, key.columns, (key.target)().name(), key.on_delete))
        .collect();
    assert_eq!(
        keys,
        [
            ("fk_posts_author_id", [1].as_slice(), "users", Action::Restrict),
            (
                "fk_posts_category_id",
                [2].as_slice(),
                "categories",
                Action::Restrict
            ),
        ]
    );
    assert_eq!(Category::TABLE.foreign_keys[0].on_delete, Action::SetNull);
    assert_eq!(Comment::TABLE.foreign_keys[0].on_delete, Action::Cascade);
    assert_eq!(Comment::TABLE.foreign_keys[0].deferrable, None);
    assert!(Profile::TABLE.foreign_keys.len() == 1 && User::TABLE.foreign_keys.is_empty());
    assert_eq!(shape(has::<__orm_comment::CommentAuthor, One>()).3, "users");
}

#[test]
fn methods_of_a_row() {
    let user = User {
        id: Id::new(1),
        email: String::new(),
        name: String::new(),
        bio: None,
    };
    let _ = user.posts().filter(|p| p.published).query_text();
    let post = Post {
        id: Id::new(1),
        author_id: user.id,
        category_id: None,
        title: String::new(),
        published: false,
        views: 0,
        version: 1,
    };
    let _ = (
        post.author().query(),
        post.category().query(),
        post.tags().query(),
    );
}

trait QueryText {
    fn query_text(&self) -> String;
}
impl QueryText for orm::query::Query<Post> {
    fn query_text(&self) -> String {
        format!("{:?}", self.ast())
    }
}

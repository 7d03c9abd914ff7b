//! The guide says what is there: every attribute is mentioned, and the SQL it shows is the SQL that is rendered.

#![expect(missing_docs, reason = "the guide's models are explained by the guide")]

use std::fs;
use std::path::Path;

use orm::sql::Dialect;

include!("../docs/guide/blog.rs");

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/guide")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Names and examples of all rows of the derive's attribute table.
fn attributes() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("orm-derive/src/attr.rs");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix("row(\""));
    let rows: Vec<_> = rows
        .map(|row| {
            let (name, rest) = row.split_once('"').unwrap();
            let place = rest.trim_start_matches(", ").split(", Value::").next().unwrap();
            (name.to_owned(), place.to_owned())
        })
        .collect();
    assert!(rows.len() > 25, "the attribute table is not where it was");
    rows
}

#[test]
fn every_attribute_is_in_the_guide() {
    let pages = page("01-models.md") + &page("10-shapes.md");
    let tables: Vec<&str> = pages.lines().filter(|l| l.starts_with('|')).collect();
    for (name, place) in attributes() {
        let listed = tables.iter().any(|row| {
            let cell = row.trim_start_matches('|').split('|').next().unwrap_or_default();
            cell.trim().trim_matches('`').split(['(', ' ', '=']).next() == Some(&name)
        });
        assert!(
            listed,
            "`{name}` ({place}) has no row in a table of docs/guide/01-models.md or 10-shapes.md"
        );
    }
}

/// The statement in one line, as the guide has it.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the page lacks of the SQL of these queries, for each dialect.
fn missing(page: &str, queries: Vec<[orm::Result<orm::sql::Sql>; 2]>) -> Vec<String> {
    let text = flat(page);
    let all = queries
        .into_iter()
        .flatten()
        .map(|sql| sql.unwrap().text.to_string());
    all.filter(|sql| !text.contains(&flat(sql))).collect()
}

macro_rules! shows {
    ($page:expr, $($query:expr),+ $(,)?) => {{
        let both: [&dyn Dialect; 2] = [&orm::sqlite::DIALECT, &orm::postgres::DIALECT];
        let missing = missing(&page($page), vec![$(both.map(|dialect| $query.to_sql(dialect))),+]);
        assert!(missing.is_empty(), "{} does not show\n{}", $page, missing.join("\n"));
    }};
}

#[test]
fn the_sql_of_the_queries_page() {
    let popular = || Post::query().filter(|p| p.views.gt(100).and(p.published));
    shows!(
        "02-queries.md",
        User::query().filter(|u| u.email.eq("ann@x.io")),
        popular(),
        User::query().filter(|u| u.posts.any(|p| p.published)),
        Post::query().select(|p| (p.title, p.author.col(|a| a.name), p.comments.count())),
        Post::query()
            .left_join(|p| p.category)
            .select(|(p, c)| (p.title, c.map(|c| c.name))),
        Post::query()
            .group_by(|p| p.author_id)
            .having(|g| g.count().gt(5))
            .select(|g| (g.key(), g.count(), g.sum(|p| p.views))),
        User::query().filter(|u| u.id.in_([Id::new(1), Id::new(2)])),
        Story::query().without_filter(|f| f.out),
    );
}

#[test]
fn the_sql_of_the_page_from_sql() {
    let per_author = || Post::query().group_by(|p| p.author_id);
    let views = orm::cte("views", per_author().select(|g| (g.key(), g.sum(|p| p.views))));
    let most = orm::from(&views).aggregate(|(_, views)| views.max());
    let reached = orm::recursive(
        "reached",
        User::query().filter(|u| u.id.eq(Id::new(1))).select(|u| u.id),
        |r| {
            Comment::query()
                .join(|c| c.post)
                .join_on(r, |(_, p), user| p.author_id.eq(user))
                .select(|(c, _, _)| c.author_id)
        },
    );
    let comments = Comment::query()
        .group_by(|c| c.post_id)
        .select(|g| (g.key(), g.count()));
    let gone = Comment::delete_where(|c| c.post_id.eq(Id::new(1))).rows(|c| (c.author_id, c.body));
    let gone = orm::cte("gone", gone);
    let own = |u: UserCols<User>| Post::query().filter(|p| p.author_id.eq(u.id.outer()));
    let queries: Vec<orm::Result<orm::sql::Sql>> = vec![
        orm::from(per_author().select(|g| (g.key(), g.count())))
            .group_by(|(_, posts)| posts)
            .select(|g| (g.key(), g.count()))
            .to_sql(&orm::postgres::DIALECT),
        Post::query()
            .left_join_on(comments, |p, (post, _)| p.id.eq(post))
            .select(|(p, (_, comments))| (p.title, comments.or_else(0)))
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .left_join_on(Post::query().filter(|p| p.published.not()), |u, p| {
                p.author_id.eq(u.id)
            })
            .select(|(u, p)| (u.name, p.map(|p| p.title)))
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .join_lateral(|u| {
                own(u)
                    .order_by(|p| p.id.desc())
                    .limit(3)
                    .select(|p| (p.title, p.views))
            })
            .select(|(u, (title, _))| (u.name, title))
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .select(|u| (u.name, own(u).aggregate(|p| p.title.max()).expr()))
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .filter(|u| exists(Comment::query().filter(|c| c.author_id.eq(u.id.outer()))).not())
            .to_sql(&orm::postgres::DIALECT),
        Comment::query()
            .filter(|c| {
                let of_author = Post::query().select(|p| (p.id, p.author_id));
                orm::query::row((c.post_id, c.author_id)).in_(of_author)
            })
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .join_on(&views, |u, (author, _)| u.id.eq(author))
            .filter(|(_, (_, views))| views.eq(most))
            .select(|(u, (_, views))| (u.name, views))
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .join_on(&gone, |u, (author, _)| u.id.eq(author))
            .select(|(u, (_, body))| (u.name, body))
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .join_on(reached.distinct(), |u, user| u.id.eq(user))
            .order_by(|(u, _)| u.name.asc())
            .select(|(u, _)| u.name)
            .to_sql(&orm::postgres::DIALECT),
        User::query()
            .select(|u| u.name)
            .union(
                Tag::query()
                    .select(|t| t.name)
                    .except(Post::query().select(|p| p.title)),
            )
            .order_by(|name| name.asc())
            .limit(10)
            .to_sql(&orm::postgres::DIALECT),
        Tag::query()
            .join_on(orm::values([("rust", 1), ("sql", 2)]), |t, (name, _)| {
                t.name.eq(name)
            })
            .select(|(t, (_, n))| (t.id, n))
            .to_sql(&orm::postgres::DIALECT),
        Post::query()
            .join(|p| p.author)
            .for_update_of(|(p, _)| p)
            .no_wait()
            .select(|(p, a)| (p.id, a.name))
            .to_sql(&orm::postgres::DIALECT),
    ];
    let written = |statement: orm::ast::Statement, dialect: &dyn Dialect| {
        orm::sql::render(&statement, dialect, &orm::sql::Scope::default())
    };
    let names = || User::query().select(|u| u.name);
    let new = Tag::insert_from(names().union(Post::query().select(|p| p.title)), |new, name| {
        new.name.to(name)
    });
    let new = new.upsert(|t| t.name).do_nothing().rows(|t| (t.id, t.name));
    let gone = || {
        Comment::delete_where(|c| c.body.ne(""))
            .join(|c| c.post)
            .filter(|(c, p)| p.author_id.ne(c.author_id))
            .rows(|c| c.body)
            .into_statement()
    };
    let writes = [
        written(new.into_statement(), &orm::postgres::DIALECT),
        written(gone(), &orm::postgres::DIALECT),
        written(gone(), &orm::sqlite::DIALECT),
    ];
    let text = flat(&page("21-sql-to-orm.md"));
    let texts = queries
        .into_iter()
        .chain(writes)
        .map(|sql| sql.unwrap().text.to_string());
    let missing: Vec<String> = texts.filter(|sql| !text.contains(&flat(sql))).collect();
    assert!(
        missing.is_empty(),
        "21-sql-to-orm.md does not show\n{}",
        missing.join("\n")
    );
}

#[derive(Model, Clone, Debug)]
#[orm(filter(published = |s| s.published, out = |s| s.at.le(orm::query::now())))]
struct Story {
    id: Id<Story>,
    shelf_id: i64,
    title: String,
    published: bool,
    at: Timestamp,
}

#[derive(Shape)]
#[shape(Post)]
#[expect(dead_code, reason = "nothing is read here")]
struct Line {
    title: String,
    #[expr(|p| p.author.col(|a| a.name))]
    author: String,
    #[count(comments)]
    comments: i64,
    #[rel]
    tags: Vec<Tag>,
}

#[test]
fn the_sql_of_the_shapes_page() {
    shows!(
        "10-shapes.md",
        Post::query().filter(|p| p.published).shape::<Line>()
    );
}

#[test]
fn the_sql_of_the_loading_page() {
    shows!(
        "09-loading.md",
        Post::query()
            .with(|p| p.author.joined().with(|u| u.profile.joined()))
            .with(|p| p.category.joined())
            .order_by(|p| p.id.asc())
            .limit(20),
    );
}

mod trees {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    #[has_many(children: Category, by = parent_id)]
    pub(crate) struct Category {
        pub(crate) id: Id<Category>,
        #[belongs_to(parent: Category)]
        pub(crate) parent_id: Option<Id<Category>>,
        pub(crate) name: String,
    }

    #[derive(Model, Clone, Debug)]
    #[many_to_many(follows: Person, via = Follow, by = follower_id, to = followed_id)]
    pub(crate) struct Person {
        pub(crate) id: Id<Person>,
        pub(crate) name: String,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(id(follower_id, followed_id))]
    pub(crate) struct Follow {
        #[belongs_to(follower: Person)]
        pub(crate) follower_id: Id<Person>,
        #[belongs_to(followed: Person)]
        pub(crate) followed_id: Id<Person>,
    }
}

#[test]
fn the_sql_of_the_trees_page() {
    use trees::{Category, Person};
    let music = || Category::query().filter(|c| c.name.eq("music"));
    let person = |id| Person::query().filter(|p| p.id.eq(Id::new(id)));
    shows!(
        "11-trees.md",
        music().walk(|c| c.children).query(),
        music().walk(|c| c.parent).max_depth(2).breadth_first().query(),
        music().walk(|c| c.children).depth_first().query(),
        Category::query().roots(|c| c.children),
        Category::query().leaves(|c| c.children),
        person(1).walk(|p| p.follows).query(),
        person(1)
            .walk(|p| p.follows)
            .max_depth(6)
            .shortest_path_to(Id::new(3)),
    );
}

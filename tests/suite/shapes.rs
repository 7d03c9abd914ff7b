//! `#[derive(Shape)]`: structs that a query reads by their fields, in one statement and one more for each relation.

use orm::prelude::*;
use orm::{ErrorKind, Part, assert_statements};
use serde::Serialize;

use crate::models::*;

/// Ann has two posts in sight and a deleted one, Bob one, Cid none; comments and tags as each test needs them.
async fn library(db: &Db) -> orm::Result<(User, User)> {
    let (ann, bob) = (user(db, "Ann").await, user(db, "Bob").await);
    user(db, "Cid").await;
    let news = NewCategory { name: "news".into() }.insert(db).await?;
    let mut posts = Vec::new();
    for (author, title, views, published) in [
        (&ann, "a", 3, true),
        (&ann, "b", 4, false),
        (&ann, "c", 50, true),
        (&bob, "d", 7, true),
    ] {
        let post = NewPost {
            author_id: author.id,
            title: title.into(),
        };
        let post = post
            .set(|p| (p.views.to(views), p.published.to(published)))
            .insert(db)
            .await?;
        posts.push(post);
    }
    let (a, d) = (posts[0].clone(), posts[3].clone());
    posts[2].clone().delete(db).await?;
    let (rust, sql) = (tag(db, "rust").await, tag(db, "sql").await);
    label(db, &a, &rust).await;
    label(db, &a, &sql).await;
    label(db, &d, &sql).await;
    comment(db, &a, &bob, "nice").await;
    comment(db, &a, &ann, "thanks").await;
    a.update()
        .set(|p| p.category_id.to(Some(news.id)))
        .save(db)
        .await?;
    NewProfile {
        user_id: ann.id,
        avatar_url: "ann.png".into(),
    }
    .insert(db)
    .await?;
    Ok((ann, bob))
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(User)]
struct UserPage {
    #[rel(order = |p| p.id.desc(), limit = 5)]
    posts: Vec<PostCard>,
    name: String,
    id: Id<User>,
    #[expr(|u| u.name.lower())]
    lower: String,
    #[rel]
    profile: Option<ProfileCard>,
    #[count(posts)]
    post_count: i64,
    #[count(posts, filter = |p| p.published)]
    published_count: i64,
    #[agg(posts, |p| p.views.sum())]
    views: Option<i64>,
    #[rel(posts, filter = |p| p.published)]
    published: Vec<PostCard>,
    #[rel(posts, order = |p| p.title.asc(), select = |p| p.title)]
    titles: Vec<String>,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Profile)]
struct ProfileCard {
    #[col(avatar_url)]
    avatar: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Post)]
struct PostCard {
    title: String,
    #[rel]
    author: AuthorCard,
    #[rel]
    category: Option<CategoryCard>,
    #[rel(tags, order = |t| t.name.asc())]
    tags: Vec<TagCard>,
    #[rel(order = |c| c.id.asc())]
    comments: Vec<CommentCard>,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(User)]
struct AuthorCard {
    name: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Category)]
struct CategoryCard {
    name: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Tag)]
struct TagCard {
    name: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Comment)]
struct CommentCard {
    body: String,
    #[expr(|c| c.author.col(|a| a.name))]
    by: String,
}

#[orm::test(schema = blog())]
async fn a_page_as_json(db: Db) -> orm::Result<()> {
    library(&db).await?;
    // users, profile, posts with author, category, tags and comments, published likewise, titles
    let pages: Vec<UserPage> = assert_statements!(db, 13, {
        User::query()
            .shape::<UserPage>()
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    let json = serde_json::to_value(&pages).unwrap();
    let a = serde_json::json!({
        "title": "a", "author": {"name": "Ann"}, "category": {"name": "news"},
        "tags": [{"name": "rust"}, {"name": "sql"}],
        "comments": [{"body": "nice", "by": "Bob"}, {"body": "thanks", "by": "Ann"}],
    });
    let b = serde_json::json!({
        "title": "b", "author": {"name": "Ann"}, "category": null, "tags": [], "comments": [],
    });
    let d = serde_json::json!({
        "title": "d", "author": {"name": "Bob"}, "category": null, "tags": [{"name": "sql"}], "comments": [],
    });
    assert_eq!(
        json,
        serde_json::json!([
            {
                "posts": [b, a], "name": "Ann", "id": 1, "lower": "ann", "profile": {"avatar": "ann.png"},
                "post_count": 2, "published_count": 1, "views": 7, "published": [a], "titles": ["a", "b"],
            },
            {
                "posts": [d], "name": "Bob", "id": 2, "lower": "bob", "profile": null,
                "post_count": 1, "published_count": 1, "views": 7, "published": [d], "titles": ["d"],
            },
            {
                "posts": [], "name": "Cid", "id": 3, "lower": "cid", "profile": null,
                "post_count": 0, "published_count": 0, "views": null, "published": [], "titles": [],
            },
        ])
    );
    Ok(())
}

/// Two columns of a post, one of them kept by the library.
#[derive(Shape, Clone, Debug, PartialEq)]
#[shape(Post)]
struct Headline {
    created_at: Timestamp,
    title: String,
}

#[derive(Shape, Clone, Debug, PartialEq)]
#[shape(User)]
struct WithHeadlines {
    name: String,
    #[rel(order = |p| p.title.asc())]
    posts: Vec<Headline>,
}

fn headlines(posts: &[Headline]) -> Vec<&str> {
    posts.iter().map(|p| p.title.as_str()).collect()
}

#[orm::test(schema = blog())]
async fn every_terminal_and_every_clause(db: Db) -> orm::Result<()> {
    let (ann, bob) = library(&db).await?;
    let users = || User::query().order_by(|u| u.id.asc()).shape::<WithHeadlines>();
    let one = assert_statements!(db, 2, { users().get(&db, ann.id).await? });
    assert_eq!(
        (one.name.as_str(), headlines(&one.posts)),
        ("Ann", vec!["a", "b"])
    );
    let first = assert_statements!(db, 2, { users().first(&db).await?.unwrap() });
    assert_eq!(first, one);
    let bob_only = users().filter(|u| u.id.eq(bob.id)).one(&db).await?;
    assert_eq!(headlines(&bob_only.posts), ["d"]);
    let nobody = assert_statements!(db, 1, {
        users().filter(|u| u.name.eq("Zed")).optional(&db).await?
    });
    assert!(nobody.is_none());
    assert_eq!(refused(users().one(&db).await).kind(), ErrorKind::MoreThanOne);
    let second = users().limit(1).offset(1).all(&db).await?;
    assert_eq!(second, [bob_only]);
    assert_eq!(assert_statements!(db, 1, { users().count(&db).await? }), 3);
    assert_eq!(users().limit(2).count(&db).await?, 2);
    assert!(users().exists(&db).await?);
    // a query that is cloned, or shaped before it is narrowed, is the same query
    let query = users();
    assert_eq!(query.clone().all(&db).await?, query.all(&db).await?);
    let inside = db
        .transaction(async |tx| -> orm::Result<_> {
            NewUser {
                email: "dan@x.io".into(),
                name: "Dan".into(),
            }
            .insert(tx)
            .await?;
            users().filter(|u| u.name.eq("Dan")).one(tx).await
        })
        .await?;
    assert_eq!((inside.name.as_str(), inside.posts.len()), ("Dan", 0));
    Ok(())
}

#[orm::test(schema = blog())]
async fn shapes_of_loads_and_loads_of_shapes(db: Db) -> orm::Result<()> {
    let (ann, _) = library(&db).await?;
    let users: Vec<UserWithPosts<User, Vec<Headline>>> = assert_statements!(db, 2, {
        User::query()
            .with(|u| u.posts.order_by(|p| p.title.asc()).shape::<Headline>())
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    assert_eq!(users[0].email, "Ann@x.io", "the row itself is whole");
    assert_eq!(headlines(&users[0].posts), ["a", "b"]);
    let limited: Vec<UserWithPosts<User, Part<Headline>>> = User::query()
        .with(|u| u.posts.order_by(|p| p.title.desc()).limit(1).shape::<Headline>())
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    assert_eq!(headlines(&limited[0].posts), ["b"]);
    let related: Vec<PostCard> = assert_statements!(db, 5, {
        ann.posts()
            .shape::<PostCard>()
            .order_by(|p| p.id.asc())
            .all(&db)
            .await?
    });
    assert_eq!(related.iter().map(|p| p.tags.len()).collect::<Vec<_>>(), [2, 0]);
    // the same relation as a part of the shape and beside it
    let beside: Vec<UserWithPosts<WithHeadlines>> = assert_statements!(db, 3, {
        User::query()
            .shape::<WithHeadlines>()
            .with(|u| u.posts)
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    let (shape, posts): (WithHeadlines, Vec<Post>) = beside.into_iter().next().unwrap().into_parts();
    assert_eq!((headlines(&shape.posts), posts.len()), (vec!["a", "b"], 2));
    let in_hand = ann.load(&db, |u| u.posts.shape::<PostCard>()).await?;
    assert_eq!(in_hand.posts.len(), 2);
    Ok(())
}

#[derive(Shape, Debug)]
#[shape(Post)]
struct Narrowed {
    title: String,
    #[rel(author, filter = |u| u.name.eq("Bob"))]
    bob: Option<AuthorCard>,
    #[rel(author)]
    whole: User,
    #[rel(tags, order = |t| t.name.asc(), limit = 1, offset = 1)]
    second_tag: Part<TagCard>,
    #[rel(comments, order = |c| c.id.asc(), select = |c| (c.body, c.author.col(|a| a.name)))]
    said: Vec<(String, String)>,
    #[rel(category, select = |c| c.name)]
    category: Option<String>,
}

#[orm::test(schema = blog())]
async fn filters_limits_and_selections_inside(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let posts = assert_statements!(db, 6, {
        Post::query()
            .order_by(|p| p.id.asc())
            .shape::<Narrowed>()
            .all(&db)
            .await?
    });
    let seen: Vec<_> = posts
        .iter()
        .map(|p| {
            let tags: Vec<&str> = p.second_tag.iter().map(|t| t.name.as_str()).collect();
            (
                p.title.as_str(),
                p.bob.is_some(),
                p.whole.name.as_str(),
                tags,
                p.said.len(),
                p.category.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("a", false, "Ann", vec!["sql"], 2, Some("news")),
            ("b", false, "Ann", vec![], 0, None),
            ("d", true, "Bob", vec![], 0, None),
        ]
    );
    assert_eq!(posts[0].said[1], ("thanks".to_owned(), "Ann".to_owned()));
    Ok(())
}

#[derive(Shape)]
#[shape(User)]
struct Graves {
    #[count(posts)]
    living: i64,
    #[rel(posts, with_deleted, order = |p| p.id.asc())]
    every: Vec<Headline>,
    #[rel(posts, only_deleted)]
    dead: Vec<Headline>,
}

#[derive(Shape)]
#[shape(Comment)]
struct Below {
    #[rel]
    post: Headline,
    #[rel(post, live)]
    living: Option<Headline>,
}

#[orm::test(schema = blog())]
async fn soft_deleted_rows(db: Db) -> orm::Result<()> {
    let (ann, _) = library(&db).await?;
    let graves = User::query().shape::<Graves>().get(&db, ann.id).await?;
    assert_eq!(graves.living, 2);
    assert_eq!(headlines(&graves.every), ["a", "b", "c"]);
    assert_eq!(headlines(&graves.dead), ["c"]);
    let shown = Post::query().shape::<Headline>().order_by(|p| p.id.asc());
    assert_eq!(headlines(&shown.clone().all(&db).await?), ["a", "b", "d"]);
    assert_eq!(headlines(&shown.only_deleted().all(&db).await?), ["c"]);
    // a required row is there although it is deleted
    let a = Post::query().filter(|p| p.title.eq("a")).one(&db).await?;
    a.delete(&db).await?;
    let below = Comment::query().shape::<Below>().all(&db).await?;
    assert_eq!(below.len(), 2);
    for comment in below {
        assert_eq!(comment.post.title, "a");
        assert!(comment.living.is_none());
    }
    Ok(())
}

#[derive(Shape, Debug)]
#[shape(Account)]
struct Balance {
    number: String,
    #[rel(order = |l| l.amount.asc())]
    lines: Vec<Amount>,
    #[agg(lines, |l| l.amount.sum())]
    total: Option<i64>,
    #[count(lines, filter = |l| l.amount.gt(10))]
    large: i64,
}

#[derive(Shape, Debug)]
#[shape(Line)]
struct Amount {
    amount: i64,
}

#[derive(Shape, Debug)]
#[shape(Line)]
struct Booked {
    #[rel]
    account: Numbered,
}

#[derive(Shape, Debug)]
#[shape(Account)]
struct Numbered {
    number: String,
}

#[orm::test(schema = books())]
async fn a_tenant_reads_its_own_rows_only(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.tenant(2i64).acting_as(ann.id),
    );
    let account = NewAccount { number: "1".into() }.insert(&one).await?;
    // the last one is a row of another tenant that points to this tenant's account
    for (tenant, amount) in [(&one, 3), (&one, 20), (&two, 100)] {
        NewLine {
            account_id: account.id,
            amount,
        }
        .insert(tenant)
        .await?;
    }
    let balance = Account::query().shape::<Balance>().one(&one).await?;
    let amounts: Vec<i64> = balance.lines.iter().map(|l| l.amount).collect();
    assert_eq!(
        (amounts, balance.total, balance.large),
        (vec![3, 20], Some(23), 1)
    );
    assert_eq!(balance.number, "1");
    assert!(Account::query().shape::<Balance>().all(&two).await?.is_empty());
    let booked = Line::query().shape::<Booked>().all(&one).await?;
    assert!(booked.iter().all(|l| l.account.number == "1"));
    // the account that the line must have is not there for the other tenant
    let e = refused(Line::query().shape::<Booked>().all(&two).await);
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert_eq!((e.model(), e.field()), (Some("Booked"), Some("account")));
    Ok(())
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Country)]
struct Land {
    #[rel(order = |c| c.name.asc())]
    cities: Vec<Town>,
}

#[derive(Shape, Debug, PartialEq)]
#[shape(City)]
struct Town {
    people: i64,
    #[rel(country, select = |c| c.name)]
    country: Option<String>,
}

#[orm::test(schema = places())]
async fn nothing_but_relations_over_text_keys(db: Db) -> orm::Result<()> {
    for (code, people) in [("no", 7), ("se", 9)] {
        NewCountry {
            code: code.into(),
            name: code.to_uppercase(),
        }
        .insert(&db)
        .await?;
        NewCity {
            country_id: code.into(),
            name: "x".into(),
            people,
        }
        .insert(&db)
        .await?;
    }
    let lands = assert_statements!(db, 3, {
        Country::query()
            .shape::<Land>()
            .order_by(|c| c.code.asc())
            .all(&db)
            .await?
    });
    let land = || Country::query().shape::<Land>();
    assert_eq!(land().count(&db).await?, 2);
    assert_eq!(land().limit(1).count(&db).await?, 1);
    assert_eq!(land().distinct().count(&db).await?, 2);
    assert!(land().distinct().exists(&db).await?);
    // what is counted is what `all` yields, also where only the key tells rows apart
    assert_eq!(land().distinct().all(&db).await?.len(), 2);
    let town = |people, country: &str| Town {
        people,
        country: Some(country.into()),
    };
    assert_eq!(
        lands,
        [
            Land {
                cities: vec![town(7, "NO")]
            },
            Land {
                cities: vec![town(9, "SE")]
            }
        ]
    );
    Ok(())
}

#[derive(Shape, Debug, PartialEq)]
#[shape(User)]
struct Names {
    #[expr(|u| u.name.upper())]
    loud: String,
    email: String,
    #[col(name)]
    title: String,
}

#[orm::test(schema = blog())]
async fn hand_written_statements_fill_shapes_by_name(db: Db) -> orm::Result<()> {
    user(&db, "Ann").await;
    let names: Vec<Names> = sql!("select name, 'x' as other, email, 'ANN!' as loud from users")
        .fetch(&db)
        .await?;
    let ann = Names {
        loud: "ANN!".into(),
        email: "Ann@x.io".into(),
        title: "Ann".into(),
    };
    assert_eq!(names, [ann]);
    let e = refused(sql!("select name, email from users").fetch::<Names, _>(&db).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some("loud")));
    // what needs further statements is refused before this one is sent
    let e = assert_statements!(db, 0, {
        let all = sql!("select name from users")
            .fetch::<WithHeadlines, _>(&db)
            .await;
        let first = sql!("select name from users")
            .fetch_one::<WithHeadlines, _>(&db)
            .await;
        let maybe = sql!("select name from users")
            .fetch_optional::<WithHeadlines, _>(&db)
            .await;
        [refused(all), refused(first), refused(maybe)]
    });
    assert!(e.iter().all(|e| e.kind() == ErrorKind::InvalidQuery));
    Ok(())
}

#[orm::test(schema = blog())]
async fn streams_of_shapes(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let mut tx = db.begin().await?;
    let mut rows = User::query()
        .order_by(|u| u.id.asc())
        .shape::<Names>()
        .stream(&mut tx);
    let mut loud = Vec::new();
    while let Some(names) = rows.next().await? {
        loud.push(names.loud);
    }
    assert_eq!(loud, ["ANN", "BOB", "CID"]);
    let mut rows = User::query()
        .order_by(|u| u.id.asc())
        .shape::<WithHeadlines>()
        .stream(&mut tx);
    let mut posts = Vec::new();
    while let Some(user) = rows.next().await? {
        posts.push(user.posts.len());
    }
    assert_eq!(posts, [2, 1, 0]);
    tx.rollback().await
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Sample)]
struct SampleCard {
    mood: Mood,
    maybe_mood: Option<Mood>,
    address: Json<Address>,
    #[expr(|s| s.flag.or(s.int.gt(5)))]
    either: bool,
    #[expr(|s| s.maybe_int.gt(5))]
    large: bool,
    json: serde_json::Value,
    bytes: Vec<u8>,
}

#[orm::test(schema = orm::schema![Sample])]
async fn every_kind_of_column(db: Db) -> orm::Result<()> {
    let sample = crate::types::plain().insert(&db).await?;
    let card = Sample::query().shape::<SampleCard>().one(&db).await?;
    assert_eq!(
        (&card.address.0, card.mood, &card.json),
        (&sample.address, sample.mood, &sample.json)
    );
    assert_eq!(
        (&card.bytes, card.either),
        (&sample.bytes, sample.flag || sample.int > 5)
    );
    assert!(!card.large, "a comparison with NULL is not true");
    assert_eq!(card.maybe_mood, None);
    Ok(())
}

/// A function over any shape of a user.
async fn named<N>(db: &Db, name: &str) -> orm::Result<Vec<N>>
where
    N: orm::query::Projection<Model = User>,
{
    User::query()
        .filter(|u| u.name.eq(name))
        .shape::<N>()
        .all(db)
        .await
}

#[orm::test(schema = blog())]
async fn any_shape_and_the_model_itself(db: Db) -> orm::Result<()> {
    library(&db).await?;
    assert_eq!(named::<AuthorCard>(&db, "Ann").await?[0].name, "Ann");
    assert_eq!(named::<WithHeadlines>(&db, "Ann").await?[0].posts.len(), 2);
    assert_eq!(named::<User>(&db, "Ann").await?[0].email, "Ann@x.io");
    Ok(())
}

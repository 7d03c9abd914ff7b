//! Walks along a polymorphic association that leads back to its own model: replies on stories and on replies.

use orm::prelude::*;
use orm::{ErrorKind, Path};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(replies: Reply, as = on)]
pub struct Story {
    pub id: Id<Story>,
    pub title: String,
}

#[derive(Polymorphic, Clone, Debug, PartialEq)]
pub enum Thread {
    Story(Story),
    Reply(Reply),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(replies: Reply, as = on)]
pub struct Reply {
    pub id: Id<Reply>,
    #[belongs_to_any(on: Thread)]
    pub on_id: ThreadId,
    pub body: String,
}

fn forum() -> orm::schema::Schema {
    orm::schema![Story, Reply]
}

async fn reply(db: &Db, on: impl Into<ThreadId>, body: &str) -> orm::Result<Reply> {
    let new = NewReply {
        on_id: on.into(),
        body: body.into(),
    };
    new.insert(db).await
}

/// Stories and replies with the same keys: story 2 has the replies 1 and 3, reply 1 has 2, and reply 2 has 4.
async fn thread(db: &Db) -> orm::Result<(Story, [Reply; 4])> {
    let stories = ["one", "two"].map(|title| NewStory { title: title.into() });
    let stories = NewStory::insert_all(db, stories).await?;
    let first = reply(db, &stories[1], "first").await?;
    let under = reply(db, &first, "under").await?;
    let second = reply(db, &stories[1], "second").await?;
    let deep = reply(db, &under, "deep").await?;
    assert_eq!((first.id.raw(), under.id.raw(), stories[1].id.raw()), (1, 2, 2));
    Ok((stories[1].clone(), [first, under, second, deep]))
}

fn lines(rows: &[(Reply, Path<Reply>)]) -> Vec<String> {
    let line = |(r, path): &(Reply, Path<Reply>)| format!("{}{}", ".".repeat(path.depth()), r.body);
    rows.iter().map(line).collect()
}

/// A story with the key of a reply is none: downwards, at the top, and nested.
#[orm::test(schema = forum())]
async fn down_a_thread(db: Db) -> orm::Result<()> {
    let (story, [first, under, ..]) = thread(&db).await?;
    let below = under
        .walk(|r| r.replies)
        .depth_first()
        .select(|r| r.body)
        .all(&db)
        .await?;
    assert_eq!(
        below,
        ["deep"],
        "what is on the story of the same key is not under the reply"
    );
    let of_story = story
        .replies()
        .query()
        .walk(|r| r.replies)
        .include_start()
        .depth_first();
    let all = ["first", ".under", "..deep", "second"];
    assert_eq!(lines(&of_story.with_path().all(&db).await?), all);
    let roots = || Reply::query().roots(|r| r.replies);
    assert_eq!(
        roots()
            .order_by(|r| r.id.asc())
            .select(|r| r.body)
            .all(&db)
            .await?,
        ["first", "second"]
    );
    let outline = roots()
        .walk(|r| r.replies)
        .include_start()
        .depth_first()
        .with_path();
    assert_eq!(lines(&outline.all(&db).await?), all);
    let nested = roots()
        .walk(|r| r.replies)
        .include_start()
        .order_siblings_by(|r| r.id.asc());
    let nested = nested.tree(&db).await?;
    let nested: Vec<String> = nested
        .depth_first()
        .map(|(depth, t)| format!("{}{}", ".".repeat(depth), t.node.body))
        .collect();
    assert_eq!(nested, all);
    let leaves = Reply::query()
        .leaves(|r| r.replies)
        .order_by(|r| r.id.asc())
        .select(|r| r.body);
    assert_eq!(leaves.all(&db).await?, ["second", "deep"]);
    let way = first
        .walk(|r| r.replies)
        .shortest_path_to(under.id)
        .select(|r| r.body);
    assert_eq!(way.all(&db).await?, ["first", "under"]);
    Ok(())
}

/// Upwards a thread ends at its story, and does not go on at the reply with the story's key.
#[orm::test(schema = forum())]
async fn up_a_thread(db: Db) -> orm::Result<()> {
    let (_, [first, under, second, deep]) = thread(&db).await?;
    let up = deep
        .walk(|r| r.on.target::<Reply>())
        .depth_first()
        .with_path()
        .all(&db)
        .await?;
    assert_eq!(lines(&up), [".under", "..first"]);
    // it is on story 2, and reply 2 is another matter
    assert_eq!(second.walk(|r| r.on.target::<Reply>()).count(&db).await?, 0);
    let way = deep
        .walk(|r| r.on.target::<Reply>())
        .shortest_path_to(first.id)
        .select(|r| r.id);
    assert_eq!(way.all(&db).await?, [deep.id, under.id, first.id]);
    let none = second.walk(|r| r.on.target::<Reply>()).shortest_path_to(under.id);
    assert!(none.all(&db).await?.is_empty());
    let all = Reply::query().walk(|r| r.on.target::<Reply>()).include_start();
    assert_eq!(all.depth_first().count(&db).await?, 4);
    Ok(())
}

/// What a row belongs to is joined by its label too: a story with the key of a reply is not taken for it.
#[orm::test(schema = forum())]
async fn joined_by_its_label(db: Db) -> orm::Result<()> {
    thread(&db).await?;
    let read = orm::assert_statements!(db, 1, {
        let replies = Reply::query().with(|r| r.on.target::<Reply>().joined());
        replies.order_by(|r| r.id.asc()).all(&db).await?
    });
    let on: Vec<_> = read
        .iter()
        .map(|r| r.on.as_ref().map(|r| r.body.as_str()))
        .collect();
    assert_eq!(on, [None, Some("first"), None, Some("under")]);
    let read = orm::assert_statements!(db, 1, {
        let replies = Reply::query().with(|r| r.on.target::<Story>().joined());
        replies.order_by(|r| r.id.asc()).all(&db).await?
    });
    let on: Vec<_> = read
        .iter()
        .map(|r| r.on.as_ref().map(|s| s.title.as_str()))
        .collect();
    assert_eq!(on, [Some("two"), None, Some("two"), None]);
    Ok(())
}

/// A reply that is moved under another one belongs to a reply from then on.
#[orm::test(schema = forum())]
async fn moving_in_a_thread(db: Db) -> orm::Result<()> {
    let (story, [first, under, second, deep]) = thread(&db).await?;
    let moved = second
        .move_to(&db, |r| r.on.target::<Reply>(), Some(deep.id))
        .await?;
    assert_eq!(moved.on_id, ThreadId::from(&deep));
    assert_eq!(story.replies().count(&db).await?, 1);
    assert_eq!(first.walk(|r| r.replies).count(&db).await?, 3);
    let cycle = refused(
        under
            .move_to(&db, |r| r.on.target::<Reply>(), Some(moved.id))
            .await,
    );
    assert_eq!(cycle.kind(), ErrorKind::Cycle);
    let top = refused(deep.move_to(&db, |r| r.on.target::<Reply>(), None).await);
    assert_eq!(top.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

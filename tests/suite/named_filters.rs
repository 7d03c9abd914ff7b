//! Named filters: conditions of a model that hold wherever its rows are seen.

use orm::Repository;
use orm::prelude::*;
use orm::query::{actor, now};

/// Shown to readers once published, and as long as nobody hides it.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(filter(published = |a| a.published, visible = not_hidden))]
#[has_many(notes: Note, cascade = delete)]
#[many_to_many(labels: Label, via = ArticleLabel)]
pub struct Article {
    pub id: Id<Article>,
    #[belongs_to(shelf: Shelf)]
    pub shelf_id: Id<Shelf>,
    pub title: String,
    #[orm(default = false)]
    pub published: bool,
    #[orm(default = false)]
    pub hidden: bool,
}

fn not_hidden(a: ArticleCols<Article>) -> Filter<Article> {
    a.hidden.eq(false)
}

/// Seen while it is open, with what stands in it.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(filter(open = |s| s.open))]
#[has_many(articles: Article)]
pub struct Shelf {
    pub id: Id<Shelf>,
    pub name: String,
    pub open: bool,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Note {
    pub id: Id<Note>,
    #[belongs_to(article: Article)]
    pub article_id: Id<Article>,
    pub text: String,
}

/// A label that leads to nothing that can be seen is not there either.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(filter(used = |l| l.articles.exist()))]
#[many_to_many(articles: Article, via = ArticleLabel)]
pub struct Label {
    pub id: Id<Label>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(article_id, label_id))]
pub struct ArticleLabel {
    #[belongs_to(article: Article)]
    pub article_id: Id<Article>,
    #[belongs_to(label: Label)]
    pub label_id: Id<Label>,
}

/// A tree in which a closed branch hides what is under it.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(filter(open = |b| b.open))]
#[has_many(branches: Branch, by = parent_id)]
pub struct Branch {
    pub id: Id<Branch>,
    #[belongs_to(parent: Branch)]
    pub parent_id: Option<Id<Branch>>,
    pub name: String,
    pub open: bool,
}

/// What a filter takes from the handle and from the clock.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(filter(mine = |t| t.owner.eq(actor::<_, i64>()), due = |t| t.due.le(now())))]
pub struct Task {
    pub id: Id<Task>,
    pub owner: i64,
    pub due: Timestamp,
}

/// Filters that would never end.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(filter(linked = |r| r.next.exist()))]
pub struct Ring {
    pub id: Id<Ring>,
    #[belongs_to(next: Ring)]
    pub next_id: Option<Id<Ring>>,
}

pub fn library() -> orm::schema::Schema {
    orm::schema![Article, Shelf, Note, Label, ArticleLabel, Branch, Task, Ring]
}

async fn shelf(db: &Db, name: &str, open: bool) -> orm::Result<Shelf> {
    let name = name.into();
    NewShelf { name, open }.insert(db).await
}

async fn article(db: &Db, shelf: &Shelf, title: &str, published: bool, hidden: bool) -> orm::Result<Article> {
    let (shelf_id, title) = (shelf.id, title.into());
    let new = NewArticle { shelf_id, title }.set(|a| (a.published.to(published), a.hidden.to(hidden)));
    new.insert(db).await
}

/// An open shelf with an article that can be seen, a draft, and one that is hidden.
async fn stocked(db: &Db) -> orm::Result<(Shelf, [Article; 3])> {
    let open = shelf(db, "open", true).await?;
    let articles = [
        article(db, &open, "seen", true, false).await?,
        article(db, &open, "draft", false, false).await?,
        article(db, &open, "hidden", true, true).await?,
    ];
    for a in &articles {
        let (article_id, text) = (a.id, format!("on {}", a.title));
        NewNote { article_id, text }.insert(db).await?;
    }
    Ok((open, articles))
}

fn titles(articles: impl IntoIterator<Item = Article>) -> Vec<String> {
    let mut titles: Vec<String> = articles.into_iter().map(|a| a.title).collect();
    titles.sort();
    titles
}

#[orm::test(schema = library())]
async fn hold_on_every_way_to_read(db: Db) -> orm::Result<()> {
    let (open, [seen, draft, hidden]) = stocked(&db).await?;
    assert_eq!(titles(Article::query().all(&db).await?), ["seen"]);
    assert_eq!(Article::query().count(&db).await?, 1);
    assert!(
        !Article::query()
            .filter(|a| a.title.eq("draft"))
            .exists(&db)
            .await?
    );
    assert_eq!(Article::get(&db, seen.id).await?, seen);
    for unseen in [draft.id, hidden.id] {
        assert_eq!(
            Article::get(&db, unseen).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
        let query = Article::query().get(&db, unseen).await;
        assert_eq!(query.unwrap_err().kind(), ErrorKind::NotFound);
    }
    // aggregates and groups
    let count = Article::query().aggregate(|a| a.id.count()).one(&db).await?;
    assert_eq!(count, 1);
    let groups: Vec<(bool, i64)> = Article::query()
        .group_by(|a| a.published)
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(groups, [(true, 1)]);
    // sub-queries
    let ids = Article::query().select(|a| a.id);
    let notes = Note::query().filter(|n| n.article_id.in_(ids)).all(&db).await?;
    assert_eq!(notes.len(), 1);
    // from a row in memory
    assert_eq!(titles(open.articles().all(&db).await?), ["seen"]);
    assert_eq!(open.articles().count(&db).await?, 1);
    // streams
    let mut tx = db.begin().await?;
    let mut stream = Article::query().stream(&mut tx);
    let mut streamed = Vec::new();
    while let Some(a) = stream.next().await? {
        streamed.push(a);
    }
    drop(stream);
    assert_eq!(titles(streamed), ["seen"]);
    Ok(())
}

#[orm::test(schema = library())]
async fn hold_in_conditions_on_relations(db: Db) -> orm::Result<()> {
    stocked(&db).await?;
    let empty = shelf(&db, "drafts", true).await?;
    article(&db, &empty, "another draft", false, false).await?;
    let names =
        |query: Query<Shelf>| async { query.order_by(|s| s.id.asc()).select(|s| s.name).all(&db).await };
    let any = Shelf::query().filter(|s| s.articles.any(|a| a.title.ne("")));
    assert_eq!(names(any).await?, ["open"]);
    let none = Shelf::query().filter(|s| s.articles.none(|a| a.title.ne("")));
    assert_eq!(names(none).await?, ["drafts"]);
    let all = Shelf::query().filter(|s| s.articles.all(|a| a.title.eq("seen")));
    assert_eq!(names(all).await?, ["open", "drafts"]);
    let exist = Shelf::query().filter(|s| s.articles.exist());
    assert_eq!(names(exist).await?, ["open"]);
    let by = Shelf::query().order_by(|s| s.id.asc());
    let counts = by.clone().select(|s| s.articles.count()).all(&db).await?;
    assert_eq!(counts, [1, 0]);
    let counts = by
        .clone()
        .select(|s| s.articles.count_where(|a| a.title.ne("")))
        .all(&db)
        .await?;
    assert_eq!(counts, [1, 0]);
    let least = by
        .clone()
        .select(|s| s.articles.agg(|a| a.title.min()))
        .all(&db)
        .await?;
    assert_eq!(least, [Some("seen".to_owned()), None]);

    // and each can be switched off, there
    let drafts =
        Shelf::query().filter(|s| s.articles.without_filter(|f| f.published).any(|a| a.title.ne("")));
    assert_eq!(names(drafts).await?, ["open", "drafts"]);
    let counts = by
        .clone()
        .select(|s| s.articles.without_filter(|f| f.published).count());
    assert_eq!(counts.all(&db).await?, [2, 1]);
    let counts = by.select(|s| s.articles.without_filters().count());
    assert_eq!(counts.all(&db).await?, [3, 1]);
    Ok(())
}

#[orm::test(schema = library())]
async fn hold_in_joins(db: Db) -> orm::Result<()> {
    stocked(&db).await?;
    let empty = shelf(&db, "drafts", true).await?;
    article(&db, &empty, "another draft", false, false).await?;
    let inner: Vec<(String, String)> = Shelf::query()
        .join(|s| s.articles)
        .select(|(s, a)| (s.name, a.title))
        .all(&db)
        .await?;
    assert_eq!(inner, [("open".into(), "seen".into())]);
    let left: Vec<(String, Option<String>)> = Shelf::query()
        .left_join(|s| s.articles)
        .order_by(|(s, _)| s.id.asc())
        .select(|(s, a)| (s.name, a.map(|a| a.title)))
        .all(&db)
        .await?;
    assert_eq!(
        left,
        [("open".into(), Some("seen".into())), ("drafts".into(), None)]
    );
    let all: Vec<String> = Shelf::query()
        .join(|s| s.articles.without_filters())
        .order_by(|(_, a)| a.title.asc())
        .select(|(_, a)| a.title)
        .all(&db)
        .await?;
    assert_eq!(all, ["another draft", "draft", "hidden", "seen"]);
    // a join on a condition, of a model that has filters
    let on: Vec<String> = Shelf::query()
        .join_on(Article::query(), |s, a| a.shelf_id.eq(s.id))
        .select(|(_, a)| a.title)
        .all(&db)
        .await?;
    assert_eq!(on, ["seen"]);
    Ok(())
}

#[orm::test(schema = library())]
async fn hold_over_join_tables(db: Db) -> orm::Result<()> {
    let (_, [seen, draft, _]) = stocked(&db).await?;
    let new = |name: &str| NewLabel { name: name.into() };
    let (both, unused) = (new("both").insert(&db).await?, new("unused").insert(&db).await?);
    both.articles().link(&db, [seen.id, draft.id]).await?;
    unused.articles().link(&db, [draft.id]).await?;
    // a filter may look at related rows, which have filters of their own
    let labels = Label::query().select(|l| l.name).all(&db).await?;
    assert_eq!(labels, ["both"]);
    let all = Label::query()
        .without_filters()
        .with(|l| l.articles)
        .all(&db)
        .await?;
    let counts: Vec<(&str, usize)> = all.iter().map(|l| (l.name.as_str(), l.articles.len())).collect();
    assert_eq!(counts, [("both", 1), ("unused", 0)]);
    // a link to a row that is not seen is no further row of NULLs
    let left: Vec<(String, Option<String>)> = Label::query()
        .without_filters()
        .left_join(|l| l.articles)
        .order_by(|(l, _)| l.id.asc())
        .select(|(l, a)| (l.name, a.map(|a| a.title)))
        .all(&db)
        .await?;
    assert_eq!(
        left,
        [("both".into(), Some("seen".into())), ("unused".into(), None)]
    );
    // keys in hand: linked is linked, also where it is not seen
    assert_eq!(unused.articles().link(&db, [draft.id]).await?, 0);
    assert_eq!(unused.articles().unlink(&db, [draft.id]).await?, 1);
    Ok(())
}

#[orm::test(schema = library())]
async fn hold_in_loads_of_every_level(db: Db) -> orm::Result<()> {
    let (open, _) = stocked(&db).await?;
    let closed = shelf(&db, "closed", false).await?;
    article(&db, &closed, "locked away", true, false).await?;

    let shelves = Shelf::query()
        .with(|s| s.articles.with(|a| a.notes))
        .all(&db)
        .await?;
    assert_eq!(shelves.len(), 1);
    assert_eq!(shelves[0].articles.len(), 1);
    assert_eq!(shelves[0].articles[0].title, "seen");
    assert_eq!(shelves[0].articles[0].notes.len(), 1);

    let drafts = Shelf::query()
        .with(|s| {
            s.articles
                .without_filter(|f| f.published)
                .order_by(|a| a.id.asc())
        })
        .one(&db)
        .await?;
    let found: Vec<&str> = drafts.articles.iter().map(|a| a.title.as_str()).collect();
    assert_eq!(found, ["seen", "draft"]);
    let all = Shelf::query()
        .with(|s| s.articles.order_by(|a| a.id.asc()).without_filters())
        .one(&db)
        .await?;
    assert_eq!(all.articles.len(), 3);
    let limited = Shelf::query()
        .with(|s| s.articles.order_by(|a| a.id.desc()).limit(1))
        .one(&db)
        .await?;
    assert_eq!(limited.articles.first().map(|a| a.title.as_str()), Some("seen"));
    let counted = Shelf::query().with(|s| s.articles.counted()).one(&db).await?;
    assert_eq!(counted.articles, 1);
    // of rows in hand
    let loaded = vec![open].load(&db, |s| s.articles).await?;
    assert_eq!(loaded[0].articles.len(), 1);

    // a foreign key that must be there shows what it refers to, or the row had nothing to hold
    let locked = Article::query()
        .filter(|a| a.title.eq("locked away"))
        .with(|a| a.shelf)
        .one(&db)
        .await?;
    assert_eq!(locked.shelf.name, "closed");
    let names: Vec<String> = Article::query()
        .join(|a| a.shelf)
        .select(|(_, s)| s.name)
        .all(&db)
        .await?;
    assert_eq!(names.len(), 2);
    // and its own filter can be asked for
    let open_only = Article::query()
        .filter(|a| a.shelf.any(|s| s.open))
        .all(&db)
        .await?;
    assert_eq!(titles(open_only), ["seen"]);
    Ok(())
}

#[derive(Shape)]
#[shape(Shelf)]
struct Listed {
    name: String,
    #[count(articles)]
    articles: i64,
    #[rel(articles, without_filter = |f| f.published, order = |a| a.id.asc(), select = |a| a.title)]
    with_drafts: Vec<String>,
}

#[orm::test(schema = library())]
async fn hold_in_shapes(db: Db) -> orm::Result<()> {
    stocked(&db).await?;
    let shelf = Shelf::query().shape::<Listed>().one(&db).await?;
    assert_eq!((shelf.name.as_str(), shelf.articles), ("open", 1));
    assert_eq!(shelf.with_drafts, ["seen", "draft"]);
    Ok(())
}

#[orm::test(schema = library())]
async fn each_is_switched_off_by_itself(db: Db) -> orm::Result<()> {
    let (open, [_, draft, _]) = stocked(&db).await?;
    let drafts = Article::query().without_filter(|f| f.published);
    assert_eq!(titles(drafts.clone().all(&db).await?), ["draft", "seen"]);
    assert_eq!(drafts.clone().get(&db, draft.id).await?, draft);
    let hidden = Article::query().without_filter(|f| f.visible).all(&db).await?;
    assert_eq!(titles(hidden), ["hidden", "seen"]);
    let both = drafts.without_filter(|f| f.visible).all(&db).await?;
    assert_eq!(titles(both), ["draft", "hidden", "seen"]);
    assert_eq!(Article::query().without_filters().count(&db).await?, 3);
    assert_eq!(
        open.articles().without_filter(|f| f.published).count(&db).await?,
        2
    );
    assert_eq!(open.articles().without_filters().count(&db).await?, 3);
    Ok(())
}

#[orm::test(schema = library())]
async fn hold_for_writes_by_condition(db: Db) -> orm::Result<()> {
    stocked(&db).await?;
    let all = |filter: fn(UpdateOf) -> UpdateOf| filter(Article::update_where(|a| a.title.ne("")));
    assert_eq!(all(|u| u).set(|a| a.title.to("changed")).exec(&db).await?, 1);
    let drafts = all(|u| u.without_filter(|f| f.published)).set(|a| a.title.to("with drafts"));
    assert_eq!(drafts.returning(&db).await?.len(), 2);
    assert_eq!(
        all(|u| u.without_filters())
            .set(|a| a.title.to("all"))
            .exec(&db)
            .await?,
        3
    );
    // what hangs on a row goes with it, and nothing else does
    assert_eq!(Article::delete_where(|a| a.title.eq("all")).exec(&db).await?, 1);
    assert_eq!(
        (
            Article::query().without_filters().count(&db).await?,
            Note::query().count(&db).await?
        ),
        (2, 2)
    );
    let one = Article::delete_where(|a| a.title.eq("all")).without_filter(|f| f.published);
    assert_eq!(one.exec(&db).await?, 1);
    assert_eq!(Article::delete_everything().without_filters().exec(&db).await?, 1);
    assert_eq!(Note::query().count(&db).await?, 0);
    Ok(())
}

type UpdateOf = orm::query::UpdateWhere<Article>;

#[orm::test(schema = library())]
async fn do_not_hold_for_a_row_in_hand(db: Db) -> orm::Result<()> {
    let (_, [_, draft, hidden]) = stocked(&db).await?;
    let draft = draft
        .update()
        .set(|a| a.title.to("still a draft"))
        .save(&db)
        .await?;
    assert_eq!(draft.title, "still a draft");
    let mut edit = draft.edit();
    edit.title = "edited".into();
    let draft = edit.save(&db).await?;
    // an update without a change reads the row
    assert_eq!(draft.update().save(&db).await?.title, "edited");
    let (mut unit, mut edit) = (db.unit_of_work(), draft.edit());
    edit.title = "by a unit".into();
    let saved = unit.save(edit)?;
    let draft = unit.commit().await?.take(&saved)?;
    let saved = Article::query().without_filters().get(&db, draft.id).await?;
    assert_eq!(saved.title, "by a unit");
    // a key is taken, whether or not its row is seen
    let again = NewArticle {
        shelf_id: draft.shelf_id,
        title: "by an upsert".into(),
    };
    let again = again
        .with_id(draft.id)
        .upsert(|a| a.id)
        .update(|a, new| a.title.to(new.title));
    let upserted = again.exec(&db).await?;
    assert!(!upserted.is_inserted());
    assert_eq!(upserted.into_inner().title, "by an upsert");
    assert!(draft.delete(&db).await?);
    assert!(hidden.delete(&db).await?);
    assert_eq!(Article::query().without_filters().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = library())]
async fn hold_on_walks(db: Db) -> orm::Result<()> {
    let new = |parent_id: Option<Id<Branch>>, name: &str, open: bool| {
        NewBranch {
            name: name.into(),
            open,
        }
        .set(|b| b.parent_id.to(parent_id))
    };
    let root = new(None, "root", true).insert(&db).await?;
    let closed = new(Some(root.id), "closed", false).insert(&db).await?;
    let under = new(Some(closed.id), "under", true).insert(&db).await?;
    let other = new(Some(root.id), "other", true).insert(&db).await?;
    let names =
        |query: Query<Branch>| async { query.order_by(|b| b.id.asc()).select(|b| b.name).all(&db).await };
    assert_eq!(names(root.walk(|b| b.branches).query()).await?, ["other"]);
    let all = ["closed", "under", "other"];
    assert_eq!(
        names(root.walk(|b| b.branches.without_filter(|f| f.open)).query()).await?,
        all
    );
    assert_eq!(
        names(root.walk(|b| b.branches).without_filter(|f| f.open).query()).await?,
        all
    );
    assert_eq!(
        names(root.walk(|b| b.branches).without_filters().query()).await?,
        all
    );
    assert_eq!(
        names(under.walk(|b| b.parent).query()).await?,
        Vec::<String>::new()
    );
    assert_eq!(
        names(Branch::query().leaves(|b| b.branches)).await?,
        ["under", "other"]
    );
    // a cycle is one also where a part of it is not seen
    let e = root.move_to(&db, |b| b.parent, Some(under.id)).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Cycle);
    assert_eq!(
        other.move_to(&db, |b| b.parent, Some(under.id)).await?.parent_id,
        Some(under.id)
    );
    Ok(())
}

#[orm::test(schema = library())]
async fn take_values_from_the_handle_and_the_clock(db: Db) -> orm::Result<()> {
    let hour = 3_600_000_000;
    let now = Timestamp::now().micros();
    let at = |micros: i64| Timestamp::from_micros(micros);
    for (owner, due) in [(1, now - hour), (1, now + hour), (2, now - hour)] {
        NewTask { owner, due: at(due) }.insert(&db).await?;
    }
    assert_eq!(Task::query().all(&db.acting_as(1_i64)).await?.len(), 1);
    let mine = Task::query().without_filter(|f| f.due);
    assert_eq!(mine.all(&db.acting_as(1_i64)).await?.len(), 2);
    let due = Task::query().without_filter(|f| f.mine);
    assert_eq!(due.all(&db).await?.len(), 2);
    let e = Task::query().all(&db).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

#[orm::test(schema = library())]
async fn that_lead_back_to_themselves_are_refused(db: Db) -> orm::Result<()> {
    let e = Ring::query().all(&db).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    assert!(
        e.message()
            .starts_with("the filter `linked` of `rings` leads back to itself"),
        "{e}"
    );
    assert!(Ring::query().without_filters().all(&db).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_repository_in_memory_does_not_know_what_they_show() {
    let rows = orm::MemoryRepository::<Ring>::new();
    let e = rows.count().await.unwrap_err();
    assert_eq!((e.kind(), e.model()), (ErrorKind::Unsupported, Some("Ring")));
    assert!(rows.list().await.is_err());
    assert!(rows.get(Id::new(1)).await.is_err());
}

#[orm::test(schema = library())]
async fn hold_in_queries_inside_queries(db: Db) -> orm::Result<()> {
    stocked(&db).await?;
    let by_title = || Article::query().select(|a| (a.shelf_id, a.title));
    let seen = ["seen".to_string()];
    assert_eq!(
        orm::from(by_title()).select(|(_, title)| title).all(&db).await?,
        seen
    );
    let joined = Shelf::query().join_on(by_title(), |s, (shelf, _)| s.id.eq(shelf));
    assert_eq!(joined.select(|(_, (_, title))| title).all(&db).await?, seen);
    let kept: Vec<Option<String>> = Shelf::query()
        .right_join_on(by_title().limit(9), |s, (shelf, _)| s.id.eq(shelf))
        .select(|(s, _)| s.map(|s| s.name))
        .all(&db)
        .await?;
    assert_eq!(kept, [Some("open".to_string())]);
    let titles = || Article::query().select(|a| a.title);
    assert_eq!(titles().union(titles()).all(&db).await?, seen);
    let named = orm::cte("named", titles());
    assert_eq!(orm::from(&named).select(|t| t).all(&db).await?, seen);
    let drafts = Shelf::query()
        .filter(|s| exists(Article::query().filter(|a| a.shelf_id.eq(s.id.outer()).and(a.published.not()))));
    assert_eq!(drafts.count(&db).await?, 0);
    // each source says for itself which of its filters are off
    let all = orm::from(Article::query().without_filters().limit(9)).select(|a| a.title);
    assert_eq!(all.count(&db).await?, 3);
    let drafts = Shelf::query().join_on(
        Article::query()
            .without_filter(|f| f.published)
            .filter(|a| a.published.not()),
        |s, a| a.shelf_id.eq(s.id),
    );
    assert_eq!(drafts.select(|(_, a)| a.title).all(&db).await?, ["draft"]);
    Ok(())
}

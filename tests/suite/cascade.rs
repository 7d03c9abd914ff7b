//! Deletes that take related rows along, and restores that bring back exactly those.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{ErrorKind, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[has_many(members: Member, cascade = delete)]
#[has_many(rooms: Space, cascade = unlink)]
#[many_to_many(topics: Topic, via = TeamTopic, cascade = unlink)]
pub struct Team {
    pub id: Id<Team>,
    pub name: String,
    #[orm(version)]
    pub version: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[has_many(badges: Badge, cascade = delete)]
pub struct Member {
    pub id: Id<Member>,
    #[belongs_to(team: Team)]
    pub team_id: Id<Team>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
pub struct Badge {
    pub id: Id<Badge>,
    #[belongs_to(member: Member)]
    pub member_id: Id<Member>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Space {
    pub id: Id<Space>,
    #[belongs_to(team: Team)]
    pub team_id: Option<Id<Team>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Topic {
    pub id: Id<Topic>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete, id(team_id, topic_id))]
pub struct TeamTopic {
    #[belongs_to(team: Team)]
    pub team_id: Id<Team>,
    #[belongs_to(topic: Topic)]
    pub topic_id: Id<Topic>,
}

/// Rows that really go, in a tree.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(children: Folder, by = parent_id, cascade = delete)]
pub struct Folder {
    pub id: Id<Folder>,
    #[belongs_to(parent: Self)]
    pub parent_id: Option<Id<Folder>>,
}

pub(crate) fn teams() -> Schema {
    orm::schema![Team, Member, Badge, Space, Topic, TeamTopic, Folder]
}

pub(crate) async fn team(db: &Db, name: &str) -> orm::Result<(Team, Vec<Member>, Topic)> {
    let team = NewTeam { name: name.into() }.insert(db).await?;
    let members = ["x", "y", "z"].map(|name| NewMember {
        team_id: team.id,
        name: name.into(),
    });
    let members = NewMember::insert_all(db, members).await?;
    for m in &members {
        NewBadge { member_id: m.id }.insert(db).await?;
    }
    NewSpace {}
        .set(|s| s.team_id.to(Some(team.id)))
        .insert(db)
        .await?;
    let topic = team.topics().create(db, NewTopic { name: "t".into() }).await?;
    Ok((team, members, topic))
}

pub(crate) async fn living(db: &Db) -> orm::Result<(i64, i64, i64, i64)> {
    Ok((
        Team::query().count(db).await?,
        Member::query().count(db).await?,
        Badge::query().count(db).await?,
        TeamTopic::query().count(db).await?,
    ))
}

#[orm::test(schema = teams())]
async fn a_soft_delete_takes_along_and_a_restore_brings_back_exactly_that(db: Db) -> orm::Result<()> {
    let (a, members, topic) = team(&db, "a").await?;
    team(&db, "b").await?;
    // gone before, and so not part of what comes back
    members[0].clone().delete(&db).await?;
    assert_eq!(living(&db).await?, (2, 5, 5, 2));
    assert!(a.clone().delete(&db).await?);
    assert_eq!(living(&db).await?, (1, 3, 3, 1));
    assert_eq!(
        Space::query().filter(|s| s.team_id.is_null()).count(&db).await?,
        1
    );
    assert!(!Team::restore(&db, Id::new(999)).await?);
    assert!(Team::restore(&db, a.id).await?);
    assert_eq!(living(&db).await?, (2, 5, 5, 2));
    assert!(!Team::restore(&db, a.id).await?, "it is back already");
    let names = a
        .members()
        .order_by(|m| m.name.asc())
        .select(|m| m.name)
        .all(&db)
        .await?;
    assert_eq!(names, ["y", "z"]);
    assert_eq!(a.topics().one(&db).await?, topic);
    // a link that was softly removed is linked again, not inserted twice
    assert_eq!(a.topics().unlink(&db, [topic.id]).await?, 1);
    assert_eq!(a.topics().link(&db, [topic.id]).await?, 1);
    assert_eq!(TeamTopic::query().with_deleted().count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = teams())]
async fn a_purge_removes_everything_for_good(db: Db) -> orm::Result<()> {
    let (a, members, _) = team(&db, "a").await?;
    members[0].clone().delete(&db).await?;
    assert!(Team::purge(&db, a.id).await?);
    assert_eq!(Team::query().with_deleted().count(&db).await?, 0);
    assert_eq!(Member::query().with_deleted().count(&db).await?, 0);
    assert_eq!(Badge::query().with_deleted().count(&db).await?, 0);
    assert_eq!(TeamTopic::query().with_deleted().count(&db).await?, 0);
    assert_eq!(Topic::query().count(&db).await?, 1, "only the link goes");
    assert!(!Team::purge(&db, a.id).await?);
    Ok(())
}

#[orm::test(schema = teams())]
async fn a_stale_row_takes_nothing_along(db: Db) -> orm::Result<()> {
    let (a, ..) = team(&db, "a").await?;
    a.update().set(|t| t.name.to("A")).save(&db).await?;
    let e = refused(a.clone().delete(&db).await);
    assert_eq!(e.kind(), ErrorKind::Stale);
    assert_eq!(living(&db).await?, (1, 3, 3, 1));
    Ok(())
}

#[orm::test(schema = teams())]
async fn set_based_deletes_cascade_in_one_statement_a_level(db: Db) -> orm::Result<()> {
    for name in ["a", "b", "c"] {
        team(&db, name).await?;
    }
    let server_clock = db.dialect().features().server_clock as u64;
    // teams, members, badges: each found and hidden; links and rooms: one statement each
    let deleted = assert_statements!(db, server_clock + 3 + 5, {
        Team::delete_where(|t| t.name.in_(["a", "b"])).exec(&db).await?
    });
    assert_eq!(deleted, 2);
    assert_eq!(living(&db).await?, (1, 3, 3, 1));
    Ok(())
}

#[orm::test(schema = teams())]
async fn a_tree_really_goes_from_its_leaves(db: Db) -> orm::Result<()> {
    let root = NewFolder {}.insert(&db).await?;
    let mut at = vec![root.id];
    for _ in 0..3 {
        let rows = at.iter().flat_map(|id| [*id, *id]);
        let rows = rows.map(|id| NewFolder {}.set(|f| f.parent_id.to(Some(id))));
        let made = NewFolder::insert_all(&db, rows).await?;
        at = made.iter().map(|f| f.id).collect();
    }
    let other = NewFolder {}.insert(&db).await?;
    assert_eq!(Folder::query().count(&db).await?, 16);
    assert!(root.delete(&db).await?);
    assert_eq!(Folder::query().all(&db).await?, [other]);
    Ok(())
}

#[orm::test(schema = teams())]
async fn nothing_stays_of_a_cascade_that_fails(db: Db) -> orm::Result<()> {
    let (a, ..) = team(&db, "a").await?;
    let mut tx = db.begin().await?;
    let inner = tx.begin().await?;
    a.clone().delete(&inner).await?;
    inner.rollback().await?;
    tx.commit().await?;
    assert_eq!(living(&db).await?, (1, 3, 3, 1));
    Ok(())
}

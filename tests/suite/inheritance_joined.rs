//! Inheritance with tables of their own: variants whose columns are apart from those that all have.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(staff: Staff, by = team_id)]
#[has_many(engineers: Engineer, by = team_id)]
pub struct Team {
    pub id: Id<Team>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(table = "people", timestamps, soft_delete)]
#[common(
    id: Id<Staff>,
    #[orm(unique)]
    name: String,
    #[belongs_to(team: Team)]
    team_id: Option<Id<Team>>,
    #[orm(version)]
    version: i64,
)]
#[has_many(badges: Badge, by = holder_id, cascade = delete)]
pub enum Staff {
    Engineer(Engineer),
    Manager(Manager),
    Intern(Intern),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Staff, joined, timestamps, soft_delete)]
#[has_many(commits: Commit, by = author_id)]
pub struct Engineer {
    pub id: Id<Staff>,
    pub name: String,
    #[belongs_to(team: Team)]
    pub team_id: Option<Id<Team>>,
    pub language: String,
    #[orm(unique)]
    pub desk: Option<i32>,
    #[belongs_to(boss: Manager)]
    pub boss_id: Option<Id<Staff>>,
    #[orm(default = 5)]
    pub level: i32,
    #[orm(version)]
    pub version: i64,
    pub created_at: Timestamp,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Staff, joined, timestamps, soft_delete)]
#[has_many(reports: Engineer, by = boss_id)]
pub struct Manager {
    pub id: Id<Staff>,
    pub name: String,
    pub team_id: Option<Id<Team>>,
    #[orm(version)]
    pub version: i64,
    pub budget: i64,
    /// How many, and not which: another column of another table.
    pub language: Option<i32>,
}

/// Beside those with tables of their own.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Staff, table = "people", timestamps, soft_delete)]
pub struct Intern {
    pub id: Id<Staff>,
    pub name: String,
    pub team_id: Option<Id<Team>>,
    #[orm(version)]
    pub version: i64,
    pub school: String,
}

/// Of anybody.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Badge {
    pub id: Id<Badge>,
    #[belongs_to(holder: Staff)]
    pub holder_id: Id<Staff>,
}

/// Of engineers only, by a foreign key to their table.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Commit {
    pub id: Id<Commit>,
    #[belongs_to(author: Engineer)]
    pub author_id: Id<Staff>,
    pub text: String,
}

pub(crate) fn company() -> orm::schema::Schema {
    orm::schema![Commit, Badge, Staff, Team]
}

fn engineer(name: &str, language: &str) -> NewEngineer {
    NewEngineer {
        name: name.into(),
        language: language.into(),
    }
}

pub(crate) async fn staff(db: &Db) -> orm::Result<(Team, Engineer, Manager, Intern)> {
    let core = NewTeam { name: "core".into() }.insert(db).await?;
    let bob = NewManager {
        name: "Bob".into(),
        budget: 100,
    }
    .insert(db)
    .await?;
    let ann = engineer("Ann", "rust")
        .set(|e| (e.team_id.to(core.id), e.boss_id.to(bob.id)))
        .insert(db)
        .await?;
    let tim = NewIntern {
        name: "Tim".into(),
        school: "MIT".into(),
    }
    .insert(db)
    .await?;
    Ok((core, ann, bob, tim))
}

/// Behaviour 46, with tables of their own: one statement reads rows of all variants, left joins for what is apart.
#[orm::test(schema = company())]
async fn one_statement_reads_variants_from_their_tables(db: Db) -> orm::Result<()> {
    let (core, ann, bob, tim) = staff(&db).await?;
    assert_eq!(
        (ann.level, ann.version, ann.team_id, ann.boss_id),
        (5, 1, Some(core.id), Some(bob.id))
    );
    let all = assert_statements!(db, 1, {
        Staff::query().order_by(|s| s.name.asc()).all(&db).await?
    });
    assert_eq!(
        all,
        [
            Staff::Engineer(ann.clone()),
            Staff::Manager(bob.clone()),
            Staff::Intern(tim.clone())
        ]
    );
    assert_eq!(Staff::get(&db, bob.id).await?, Staff::Manager(bob.clone()));
    assert_eq!(Staff::query().filter(|s| s.name.gt("B")).count(&db).await?, 2);
    assert_eq!(Engineer::get(&db, ann.id).await?, ann);
    assert!(refused(Engineer::get(&db, bob.id).await).is_not_found());
    assert_eq!(Manager::query().all(&db).await?, [bob.clone()]);
    assert_eq!(Intern::query().all(&db).await?, [tim]);
    // conditions on columns of both tables
    let found = Engineer::query()
        .filter(|e| e.language.eq("rust").and(e.name.eq("Ann")))
        .order_by(|e| e.level.desc());
    assert_eq!(found.all(&db).await?, [ann.clone()]);
    // joins, EXISTS, counts, loads
    let joined = Team::query()
        .join(|t| t.engineers)
        .filter(|(_, e)| e.language.eq("rust"));
    assert_eq!(
        joined.select(|(t, e)| (t.name, e)).all(&db).await?,
        [("core".to_owned(), ann.clone())]
    );
    let left = Team::query()
        .left_join(|t| t.engineers)
        .select(|(t, e)| (t.id, e.map(|e| e.language)));
    assert_eq!(left.all(&db).await?, [(core.id, Some("rust".to_owned()))]);
    let bosses = Engineer::query().filter(|e| e.boss.any(|m| m.budget.gt(50).and(m.name.eq("Bob"))));
    assert_eq!(bosses.count(&db).await?, 1);
    assert_eq!(
        Team::query()
            .filter(|t| t.staff.any(|s| s.name.eq("Bob")))
            .count(&db)
            .await?,
        0
    );
    assert_eq!(Team::query().select(|t| t.engineers.count()).one(&db).await?, 1);
    let with = Team::query()
        .with(|t| t.staff)
        .with(|t| t.engineers.order_by(|e| e.language.asc()).limit(2));
    let with = assert_statements!(db, 3, { with.one(&db).await? });
    assert_eq!(
        (&with.staff[..], &with.engineers[..]),
        (&[Staff::Engineer(ann.clone())][..], &[ann.clone()][..])
    );
    let boss = Engineer::query().with(|e| e.boss).one(&db).await?;
    assert_eq!(boss.boss, Some(bob.clone()));
    let reports = Manager::query().with(|m| m.reports).one(&db).await?;
    assert_eq!(reports.reports, [ann.clone()]);
    // locks: the rows that may be missing are not locked
    let tx = db.begin().await?;
    assert_eq!(Staff::query().for_update().all(&tx).await?.len(), 3);
    assert_eq!(Engineer::query().for_update().all(&tx).await?.len(), 1);
    tx.commit().await?;
    Ok(())
}

/// Behaviour 47: rows of several variants; those of the first table in the order of the input, in few statements.
#[orm::test(schema = company())]
async fn base_rows_come_first_and_in_order(db: Db) -> orm::Result<()> {
    let manager = |name: &str| NewManager {
        name: name.into(),
        budget: 1,
    };
    let rows = vec![
        engineer("a", "c").into(),
        manager("b").into(),
        engineer("c", "d").set(|e| e.desk.to(4)).into(),
        NewIntern {
            name: "d".into(),
            school: "x".into(),
        }
        .into(),
        manager("e").set(|m| m.language.to(3)).into(),
        engineer("f", "e").into(),
    ];
    let before = db.statements_sent();
    let all = NewStaff::insert_all(&db, rows).await?;
    let sent = db.statements_sent() - before;
    assert!(sent <= 7, "{sent} statements");
    let names: Vec<&str> = all.iter().map(|s| s.name().as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f"]);
    assert!(all.is_sorted_by_key(|s| s.id().raw()), "keys follow the input");
    assert_eq!(Staff::query().order_by(|s| s.id.asc()).all(&db).await?, all);
    assert!(matches!(&all[2], Staff::Engineer(e) if e.desk == Some(4) && e.level == 5));
    assert!(matches!(&all[4], Staff::Manager(m) if m.language == Some(3)));
    // nothing of a row is left where its second half is refused
    let taken = vec![
        manager("x").into(),
        engineer("y", "z").set(|e| e.desk.to(4)).into(),
    ];
    let e = refused(NewStaff::insert_all(&db, taken).await);
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::UniqueViolation, Some("uq_engineers_desk"))
    );
    assert_eq!(Staff::query().count(&db).await?, 6);
    // many rows of one variant
    let many = NewEngineer::insert_all(&db, (0..700).map(|i| engineer(&format!("n{i}"), "x"))).await?;
    assert!(many.is_sorted_by_key(|e| e.id.raw()) && many.len() == 700);
    assert_eq!(many[699].name, "n699");
    Ok(())
}

/// Behaviour 25: a change of the variant's own columns counts up the version, which is in the other table.
#[orm::test(schema = company())]
async fn a_change_of_the_own_table_bumps_the_version_of_the_base(db: Db) -> orm::Result<()> {
    let (_, ann, bob, _) = staff(&db).await?;
    let changed = ann.update().set(|e| e.language.to("go")).save(&db).await?;
    assert_eq!(
        (&*changed.language, changed.version, &*changed.name),
        ("go", 2, "Ann")
    );
    assert_eq!(Engineer::get(&db, ann.id).await?, changed);
    // the old row is stale for both
    assert!(refused(ann.update().set(|e| e.language.to("c")).save(&db).await).is_stale());
    assert!(
        refused(
            Staff::from(ann.clone())
                .update()
                .set(|s| s.name.to("An"))
                .save(&db)
                .await
        )
        .is_stale()
    );
    let both = changed
        .update()
        .set(|e| (e.language.to("c"), e.name.to("Anna")))
        .save(&db)
        .await?;
    assert_eq!((&*both.language, &*both.name, both.version), ("c", "Anna", 3));
    let Staff::Engineer(row) = Staff::get(&db, ann.id)
        .await?
        .update()
        .set(|s| s.name.to("Ann"))
        .save(&db)
        .await?
    else {
        panic!("an engineer stays one")
    };
    assert_eq!((row.version, &*row.language), (4, "c"));
    // by a condition over both tables: rows, versions, what comes back
    let n = Engineer::update_where(|e| e.language.eq("c").and(e.name.eq("Ann")))
        .set(|e| (e.level.to(e.level + 1), e.language.to("ada")))
        .exec(&db)
        .await?;
    let row = Engineer::get(&db, ann.id).await?;
    assert_eq!((n, row.level, row.version, &*row.language), (1, 6, 5, "ada"));
    let back = Engineer::update_where(|e| e.language.eq("ada"))
        .set(|e| e.name.to("A"))
        .returning(&db)
        .await?;
    assert_eq!((back.len(), &*back[0].name, back[0].version), (1, "A", 6));
    assert_eq!(Manager::get(&db, bob.id).await?, bob);
    // one table cannot be set from the other
    let e = refused(
        Engineer::update_where(|e| e.level.gt(0))
            .set(|e| e.language.to(e.name))
            .exec(&db)
            .await,
    );
    assert_eq!((e.kind(), e.field()), (ErrorKind::Unsupported, Some("language")));
    Ok(())
}

/// Links of a foreign key in the variant's own table.
#[orm::test(schema = company())]
async fn rows_of_variants_are_linked(db: Db) -> orm::Result<()> {
    let (_, ann, bob, _) = staff(&db).await?;
    let eve = engineer("Eve", "c").insert(&db).await?;
    assert_eq!(bob.reports().link(&db, [eve.id]).await?, 1);
    assert_eq!(bob.reports().query().count(&db).await?, 2);
    let linked = Engineer::get(&db, eve.id).await?;
    assert_eq!((linked.boss_id, linked.version), (Some(bob.id), 2));
    assert_eq!(bob.reports().unlink(&db, [ann.id]).await?, 1);
    assert_eq!(bob.reports().query().all(&db).await?, [linked]);
    let made = bob.reports().create(&db, engineer("Zed", "d")).await?;
    assert_eq!(made.boss_id, Some(bob.id));
    Ok(())
}

/// Deletes take both rows, softly or for good, by key and by condition.
#[orm::test(schema = company())]
async fn deletes_take_the_rows_of_both_tables(db: Db) -> orm::Result<()> {
    let (_, ann, bob, tim) = staff(&db).await?;
    NewBadge { holder_id: ann.id }.insert(&db).await?;
    let commit = NewCommit {
        author_id: ann.id,
        text: "x".into(),
    }
    .insert(&db)
    .await?;
    // a foreign key to the variant refers to its rows alone
    let e = refused(
        NewCommit {
            author_id: bob.id,
            text: "x".into(),
        }
        .insert(&db)
        .await,
    );
    assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(
        Engineer::delete_where(|e| e.language.eq("rust"))
            .exec(&db)
            .await?,
        1
    );
    assert_eq!(
        (
            Engineer::query().count(&db).await?,
            Staff::query().count(&db).await?
        ),
        (0, 2)
    );
    assert_eq!(Engineer::query().with_deleted().count(&db).await?, 1);
    assert_eq!(Badge::query().count(&db).await?, 0);
    assert!(Engineer::restore(&db, ann.id).await?);
    assert_eq!(Engineer::query().count(&db).await?, 1);
    // what refers to the variant keeps it
    assert_eq!(
        refused(Engineer::purge(&db, ann.id).await).kind(),
        ErrorKind::ForeignKeyViolation
    );
    commit.delete(&db).await?;
    assert!(!Manager::purge(&db, ann.id).await?);
    assert!(Staff::purge(&db, ann.id).await?);
    let left: Vec<i64> = sql!("select count(*) from engineers").fetch(&db).await?;
    assert_eq!(left, [0]);
    assert!(tim.delete(&db).await?);
    assert_eq!(Staff::query().all(&db).await?, [Staff::Manager(bob)]);
    Ok(())
}

/// In a transaction of the user, and undone with it; an upsert into two tables is refused.
#[orm::test(schema = company())]
async fn several_tables_are_one_unit(db: Db) -> orm::Result<()> {
    let (_, ann, ..) = staff(&db).await?;
    let tx = db.begin().await?;
    let eve = engineer("Eve", "zig").insert(&tx).await?;
    ann.update().set(|e| e.language.to("zig")).save(&tx).await?;
    assert_eq!(
        Engineer::query()
            .filter(|e| e.language.eq("zig"))
            .count(&tx)
            .await?,
        2
    );
    tx.rollback().await?;
    assert!(refused(Staff::get(&db, eve.id).await).is_not_found());
    assert_eq!(Engineer::get(&db, ann.id).await?, ann);
    let e = engineer("Ann", "x")
        .with_id(ann.id)
        .upsert(|e| e.id)
        .update(|e, new| e.language.to(new.language));
    assert_eq!(refused(e.exec(&db).await).kind(), ErrorKind::Unsupported);
    assert_eq!(
        engineer("Zoe", "x").with_id(Id::new(500)).insert(&db).await?.id,
        Id::new(500)
    );
    assert!(engineer("Yan", "x").insert(&db).await?.id.raw() > 500);
    assert_eq!(engineer("Xu", "x").exec(&db).await?, 1);
    Ok(())
}

/// A unit of work orders rows of variants as rows of their enum, and writes both tables.
#[orm::test(schema = company())]
async fn a_unit_of_work_writes_variants(db: Db) -> orm::Result<()> {
    let mut unit = db.unit_of_work();
    let ann = engineer("Ann", "rust");
    let boss = unit.insert(NewManager {
        name: "Bob".into(),
        budget: 1,
    })?;
    let ann = unit.insert(ann.set(|e| e.boss_id.to(boss.id())))?;
    let badge = unit.insert(NewBadge { holder_id: ann.id() })?;
    unit.insert(NewCommit {
        author_id: ann.id(),
        text: "x".into(),
    })?;
    let mut done = unit.commit().await?;
    let (boss, ann, badge) = (done.take(&boss)?, done.take(&ann)?, done.take(&badge)?);
    assert_eq!(
        (ann.boss_id, ann.version, badge.holder_id),
        (Some(boss.id), 1, ann.id)
    );
    let eve = engineer("Eve", "c").insert(&db).await?;
    // rows of one shape change in one statement for each table
    let mut unit = db.unit_of_work();
    let mut refs = Vec::new();
    for row in [ann.clone(), eve] {
        let mut edit = row.edit();
        edit.level = 9;
        edit.name.push('!');
        refs.push(unit.save(edit)?);
    }
    let mut done = unit.commit().await?;
    let rows = refs
        .iter()
        .map(|r| done.take(r))
        .collect::<orm::Result<Vec<_>>>()?;
    assert_eq!((rows[0].level, &*rows[0].name, rows[0].version), (9, "Ann!", 2));
    assert_eq!((rows[1].level, &*rows[1].name), (9, "Eve!"));
    assert_eq!(Engineer::get(&db, ann.id).await?, rows[0]);
    // by its own columns alone the version of a row is found too
    let mut unit = db.unit_of_work();
    let mut edit = ann.edit();
    edit.level = 1;
    unit.save(edit)?;
    assert!(refused(unit.commit().await).is_stale());
    let mut unit = db.unit_of_work();
    unit.delete(boss);
    unit.delete(Staff::from(rows[0].clone()));
    assert_eq!(unit.commit().await?.deleted(), 2);
    assert_eq!(
        (Staff::query().count(&db).await?, Badge::query().count(&db).await?),
        (1, 0)
    );
    Ok(())
}

#[orm::test(schema = company())]
async fn variants_are_sources_of_queries(db: Db) -> orm::Result<()> {
    let (core, ann, bob, _) = staff(&db).await?;
    let engineers = Engineer::query().order_by(|e| e.name.asc()).limit(9);
    let rows: Vec<(String, String, Option<i32>)> = orm::from(engineers.clone())
        .filter(|e| e.level.gt(1))
        .select(|e| (e.name, e.language, e.desk))
        .all(&db)
        .await?;
    assert_eq!(rows, [("Ann".into(), "rust".into(), None)]);
    let teams: Vec<(String, String)> = Team::query()
        .join_on(engineers, |t, e| e.team_id.eq(t.id))
        .select(|(t, e)| (t.name, e.language))
        .all(&db)
        .await?;
    assert_eq!(teams, [(core.name, "rust".into())]);
    let bosses: Vec<(String, i64)> = Engineer::query()
        .join_on(Manager::query().filter(|m| m.budget.gt(1)), |e, m| {
            e.boss_id.eq(m.id)
        })
        .select(|(e, m)| (e.name, m.budget))
        .all(&db)
        .await?;
    assert_eq!(bosses, [(ann.name.clone(), bob.budget)]);
    let names = Engineer::query()
        .select(|e| e.name)
        .union(Manager::query().select(|m| m.name));
    assert_eq!(names.order_by(|name| name.asc()).all(&db).await?, ["Ann", "Bob"]);
    let all = Staff::query()
        .filter(|s| s.name.lt("B"))
        .union(Staff::query().filter(|s| s.name.gt("T")));
    assert_eq!(all.order_by(|s| s.name.asc()).all(&db).await?.len(), 2);
    Ok(())
}

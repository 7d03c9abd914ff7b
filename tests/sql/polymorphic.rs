//! Polymorphic associations: tables, conditions and assignments.

use orm::prelude::*;
use orm_core::exec::create::create_statements;

use crate::create::texts;
use crate::support::{postgres, sqlite};

#[derive(Model)]
#[has_many(notes: Note, as = subject)]
#[has_many(tickets: Ticket, as = about)]
struct Post {
    id: Id<Post>,
    title: String,
}

#[derive(Model)]
struct Photo {
    id: Id<Photo>,
}

#[derive(Polymorphic)]
#[orm(rename_all = "UPPERCASE")]
enum Subject {
    Post(Post),
    #[orm(rename = "it's a photo")]
    Photo(Photo),
}

#[derive(Model)]
struct Note {
    id: Id<Note>,
    #[belongs_to_any(subject: Subject)]
    subject_id: SubjectId,
    #[belongs_to_any(cause: Subject)]
    cause_id: Option<SubjectId>,
}

#[derive(Model)]
#[belongs_to_any(about: Subject, arc = (photo_id, post_id))]
#[belongs_to_any(seen: Subject, arc = (seen_post, seen_photo), optional)]
struct Ticket {
    id: Id<Ticket>,
    #[belongs_to(post: Post)]
    post_id: Option<Id<Post>>,
    #[belongs_to(photo: Photo)]
    #[orm(column = "pho\"to")]
    photo_id: Option<Id<Photo>>,
    #[belongs_to(first: Post)]
    seen_post: Option<Id<Post>>,
    #[belongs_to(second: Photo)]
    seen_photo: Option<Id<Photo>>,
}

fn check<M: Model, O>(query: Query<M, O>, pg: &str) {
    let lite = pg.replace('$', "?");
    assert_eq!(query.to_sql(postgres()).unwrap().text.as_ref(), pg);
    assert_eq!(query.to_sql(sqlite()).unwrap().text.as_ref(), lite);
}

fn notes(f: impl FnOnce(NoteCols<Note>) -> orm::query::Filter<Note>) -> Query<Note, Id<Note>> {
    Note::query().filter(f).select(|n| n.id)
}

fn tickets(f: impl FnOnce(TicketCols<Ticket>) -> orm::query::Filter<Ticket>) -> Query<Ticket, Id<Ticket>> {
    Ticket::query().filter(f).select(|t| t.id)
}

#[test]
fn conditions_compare_discriminator_and_key() {
    let photo = SubjectId::Photo(Id::new(7));
    check(
        notes(|n| n.subject.is(photo.clone())),
        r#"SELECT t0."id" FROM "notes" AS t0 WHERE t0."subject_type" = $1 AND t0."subject_id" = $2"#,
    );
    check(
        notes(|n| n.subject.is_a::<Post>()),
        r#"SELECT t0."id" FROM "notes" AS t0 WHERE t0."subject_type" = $1"#,
    );
    check(
        notes(|n| n.subject.target::<Post>().any(|p| p.title.eq("a"))),
        r#"SELECT t0."id" FROM "notes" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."id" = t0."subject_id" AND t0."subject_type" = $1 AND t1."title" = $2)"#,
    );
    check(
        notes(|n| n.cause.target::<Post>().exist()),
        r#"SELECT t0."id" FROM "notes" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."id" = t0."cause_id" AND t0."cause_type" = $1)"#,
    );
    check(
        tickets(|t| t.about.is(photo)),
        r#"SELECT t0."id" FROM "tickets" AS t0 WHERE t0."pho""to" = $1"#,
    );
    check(
        tickets(|t| t.about.is_a::<Photo>()),
        r#"SELECT t0."id" FROM "tickets" AS t0 WHERE t0."pho""to" IS NOT NULL"#,
    );
    check(
        tickets(|t| t.seen.target::<Post>().any(|p| p.title.eq("a"))),
        r#"SELECT t0."id" FROM "tickets" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."id" = t0."seen_post" AND t1."title" = $1)"#,
    );
}

#[test]
fn the_inverse_and_joins_compare_it_too() {
    check(
        Post::query()
            .filter(|p| p.notes.exist())
            .select(|p| p.notes.count()),
        r#"SELECT (SELECT count(*) FROM "notes" AS t1 WHERE t1."subject_type" = $1 AND t1."subject_id" = t0."id") FROM "posts" AS t0 WHERE EXISTS (SELECT 1 FROM "notes" AS t2 WHERE t2."subject_type" = $2 AND t2."subject_id" = t0."id")"#,
    );
    check(
        Post::query().filter(|p| p.tickets.exist()).select(|p| p.id),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE EXISTS (SELECT 1 FROM "tickets" AS t1 WHERE t1."post_id" = t0."id")"#,
    );
    check(
        Note::query()
            .left_join(|n| n.subject.target::<Post>())
            .select(|(n, p)| (n.id, p.map(|p| p.title))),
        r#"SELECT t0."id", t1."title" FROM "notes" AS t0 LEFT JOIN "posts" AS t1 ON t1."id" = t0."subject_id" AND t0."subject_type" = $1"#,
    );
    check(
        Post::query().join(|p| p.notes).select(|(p, n)| (p.id, n.id)),
        r#"SELECT t0."id", t1."id" FROM "posts" AS t0 JOIN "notes" AS t1 ON t1."subject_id" = t0."id" AND t1."subject_type" = $1"#,
    );
}

#[test]
fn the_tables_have_checks_and_indexes() {
    for dialect in [postgres(), sqlite()] {
        let list = texts(
            &create_statements(&orm::schema![Note, Ticket], dialect.features()),
            dialect,
        );
        let has = |table: usize, part: &str| assert!(list[table].contains(part), "{}", list[table]);
        has(
            0,
            r#""ck_notes_subject_type" CHECK ("subject_type" IN ('POST', 'it''s a photo'))"#,
        );
        has(
            0,
            r#""ck_notes_cause_type" CHECK ("cause_type" IN ('POST', 'it''s a photo'))"#,
        );
        has(
            0,
            r#""ck_notes_cause" CHECK (("cause_type" IS NULL) = ("cause_id" IS NULL))"#,
        );
        assert!(!list[0].contains("ck_notes_subject\""), "{}", list[0]);
        has(
            1,
            r#""ck_tickets_about" CHECK (CASE WHEN "pho""to" IS NULL THEN 0 ELSE 1 END + CASE WHEN "post_id" IS NULL THEN 0 ELSE 1 END = 1)"#,
        );
        has(
            1,
            r#""ck_tickets_seen" CHECK (CASE WHEN "seen_post" IS NULL THEN 0 ELSE 1 END + CASE WHEN "seen_photo" IS NULL THEN 0 ELSE 1 END <= 1)"#,
        );
        let indexes: Vec<&str> = list
            .iter()
            .filter(|sql| sql.contains("ix_notes"))
            .map(String::as_str)
            .collect();
        assert_eq!(
            indexes,
            [
                r#"CREATE INDEX "ix_notes_subject_type_subject_id" ON "notes" ("subject_type", "subject_id")"#,
                r#"CREATE INDEX "ix_notes_cause_type_cause_id" ON "notes" ("cause_type", "cause_id")"#,
            ]
        );
    }
}

//! Polymorphic associations: a discriminator with a key, and the exclusive arc.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[has_many(notes: Note, as = subject, cascade = delete)]
#[has_many(tickets: Ticket, as = about)]
pub struct Article {
    pub id: Id<Article>,
    pub title: String,
    #[belongs_to(writer: Writer)]
    pub writer_id: Id<Writer>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(notes: Note, as = subject)]
#[has_one(pin: Pin, as = thing, cascade = unlink)]
#[has_many(tickets: Ticket, as = about)]
pub struct Picture {
    pub id: Id<Picture>,
    pub url: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[has_many(notes: Note, as = subject)]
pub struct Writer {
    pub id: Id<Writer>,
    pub name: String,
}

#[derive(Polymorphic, Clone, Debug, PartialEq)]
pub enum Subject {
    Article(Article),
    #[orm(rename = "it's a picture")]
    Picture(Picture),
    Writer(Writer),
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Note {
    pub id: Id<Note>,
    #[belongs_to_any(subject: Subject)]
    pub subject_id: SubjectId,
    pub body: String,
}

/// At most one for each thing, or lying around.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(unique(on.kind, on.id))]
pub struct Pin {
    pub id: Id<Pin>,
    #[belongs_to_any(thing: Subject)]
    #[orm(prefix = pinned_)]
    pub on: Option<SubjectId>,
    pub color: String,
}

#[derive(Polymorphic, Clone, Debug, PartialEq)]
pub enum About {
    Picture(Picture),
    Article(Article),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[belongs_to_any(about: About, arc = (article_id, picture_id))]
pub struct Ticket {
    pub id: Id<Ticket>,
    #[belongs_to(article: Article, on_delete = cascade)]
    pub article_id: Option<Id<Article>>,
    #[belongs_to(picture: Picture, on_delete = cascade)]
    pub picture_id: Option<Id<Picture>>,
    pub text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[belongs_to_any(about: About, arc = (article_id, picture_id), optional)]
pub struct Draft {
    pub id: Id<Draft>,
    #[belongs_to(article: Article, on_delete = set_null)]
    pub article_id: Option<Id<Article>>,
    #[belongs_to(picture: Picture)]
    pub picture_id: Option<Id<Picture>>,
}

/// Its key is a text.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Country {
    #[orm(id)]
    pub code: String,
}

#[derive(Polymorphic, Clone, Debug, PartialEq)]
pub enum Place {
    Country(Country),
    Picture(Picture),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[belongs_to_any(place: Place, arc = (picture_id, country))]
pub struct Visit {
    pub id: Id<Visit>,
    #[belongs_to(of: Country)]
    pub country: Option<String>,
    #[belongs_to(picture: Picture)]
    pub picture_id: Option<Id<Picture>>,
}

fn magazine() -> orm::schema::Schema {
    orm::schema![Note, Pin, Ticket, Draft, Article, Picture, Writer, Country, Visit]
}

async fn article(db: &Db, writer: &Writer, title: &str) -> Article {
    let (title, writer_id) = (title.into(), writer.id);
    NewArticle { title, writer_id }.insert(db).await.unwrap()
}

async fn picture(db: &Db, url: &str) -> Picture {
    NewPicture { url: url.into() }.insert(db).await.unwrap()
}

async fn writer(db: &Db, name: &str) -> Writer {
    NewWriter { name: name.into() }.insert(db).await.unwrap()
}

async fn note(db: &Db, subject: impl Into<SubjectId>, body: &str) -> Note {
    let (subject_id, body) = (subject.into(), body.into());
    NewNote { subject_id, body }.insert(db).await.unwrap()
}

/// An article and a picture with the same key, and notes on both.
async fn issue(db: &Db) -> (Writer, Article, Picture) {
    let ann = writer(db, "ann").await;
    let (a, p) = (article(db, &ann, "a").await, picture(db, "p.png").await);
    assert_eq!(a.id.raw(), p.id.raw());
    note(db, &a, "on the article").await;
    note(db, &p, "on the picture").await;
    note(db, &a, "again").await;
    (ann, a, p)
}

fn bodies(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|n| n.body.as_str()).collect()
}

async fn found<C: Cond<Note>>(db: &Db, f: impl FnOnce(NoteCols<Note>) -> C) -> orm::Result<Vec<String>> {
    let notes = Note::query().filter(f).order_by(|n| n.id.asc());
    notes.select(|n| n.body).all(db).await
}

#[orm::test(schema = magazine())]
async fn the_variant_is_loaded_in_one_statement_for_each_model_that_occurs(db: Db) -> orm::Result<()> {
    let (_, a, p) = issue(&db).await;
    let notes: Vec<NoteWithSubject> = assert_statements!(db, 3, {
        Note::query()
            .with(|n| n.subject)
            .order_by(|n| n.id.asc())
            .all(&db)
            .await?
    });
    let subjects: Vec<_> = notes.into_iter().map(|n| n.subject).collect();
    let (a, p) = (Some(Subject::Article(a)), Some(Subject::Picture(p)));
    assert_eq!(subjects, [a.clone(), p, a]);

    let on_articles = assert_statements!(db, 2, {
        Note::query()
            .filter(|n| n.subject.is_a::<Article>())
            .with(|n| n.subject)
            .all(&db)
            .await?
    });
    assert_eq!(on_articles.len(), 2);
    let none = assert_statements!(db, 1, {
        Note::query()
            .filter(|n| n.body.eq(""))
            .with(|n| n.subject)
            .all(&db)
            .await?
    });
    assert_eq!(none.len(), 0);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn nothing_where_the_row_is_gone_or_hidden_or_the_key_is_null(db: Db) -> orm::Result<()> {
    let (ann, a, p) = issue(&db).await;
    note(&db, &ann, "on ann").await;
    note(&db, &a, "on what stays").await;
    p.delete(&db).await?; // really deleted, and nothing holds its notes
    ann.delete(&db).await?; // hidden
    let left = Note::query()
        .with(|n| n.subject)
        .order_by(|n| n.id.asc())
        .all(&db)
        .await?;
    let lost: Vec<_> = left
        .iter()
        .filter(|n| n.subject.is_none())
        .map(|n| n.body.as_str())
        .collect();
    assert_eq!((left.len(), lost), (5, vec!["on the picture", "on ann"]));

    let loose = NewPin { color: "red".into() }.insert(&db).await?;
    assert_eq!(loose.on, None);
    let loose = assert_statements!(db, 1, { Pin::query().with(|p| p.thing).one(&db).await? });
    assert_eq!((loose.on.as_ref(), &loose.thing), (None, &None));
    Ok(())
}

#[orm::test(schema = magazine())]
async fn the_inverse_sees_its_own_model_only(db: Db) -> orm::Result<()> {
    let (ann, a, p) = issue(&db).await;
    assert_eq!(
        bodies(&a.notes().order_by(|n| n.id.asc()).all(&db).await?),
        ["on the article", "again"]
    );
    assert_eq!(bodies(&p.notes().query().all(&db).await?), ["on the picture"]);
    assert_eq!(ann.notes().query().count(&db).await?, 0);

    let pictures: Vec<PictureWithNotes> =
        assert_statements!(db, 2, { Picture::query().with(|p| p.notes).all(&db).await? });
    assert_eq!(bodies(&pictures[0].notes), ["on the picture"]);
    let articles = Article::query().with(|a| a.notes.counted()).all(&db).await?;
    assert_eq!(articles[0].notes, 2);

    // in conditions, counts and joins the discriminator is compared as well
    let on = |body: &'static str| Article::query().filter(move |a| a.notes.any(|n| n.body.eq(body)));
    assert_eq!(on("on the picture").count(&db).await?, 0);
    assert_eq!(on("again").count(&db).await?, 1);
    let counts = Picture::query().select(|p| p.notes.count()).all(&db).await?;
    assert_eq!(counts, [1]);
    let joined = Picture::query().join(|p| p.notes).select(|(_, n)| n.body);
    assert_eq!(joined.all(&db).await?, ["on the picture"]);
    let none = Writer::query()
        .left_join(|w| w.notes)
        .select(|(_, n)| n.map(|n| n.body));
    assert_eq!(none.all(&db).await?, [None]);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn conditions_on_the_key_and_the_row(db: Db) -> orm::Result<()> {
    let (ann, a, p) = issue(&db).await;
    assert_eq!(found(&db, |n| n.subject.is(&p)).await?, ["on the picture"]);
    assert_eq!(
        found(&db, |n| n.subject_id.eq(SubjectId::from(&a))).await?.len(),
        2
    );
    assert_eq!(
        found(&db, |n| n.subject.is(SubjectId::Writer(ann.id)))
            .await?
            .len(),
        0
    );
    assert_eq!(found(&db, |n| n.subject.is(&Subject::Picture(p))).await?.len(), 1);
    assert_eq!(found(&db, |n| n.subject_id.kind.eq("article")).await?.len(), 2);
    assert_eq!(
        found(&db, |n| n
            .subject
            .target::<Picture>()
            .any(|p| p.url.ends_with(".png")))
        .await?,
        ["on the picture"]
    );
    // the key of the picture is that of an article too
    assert_eq!(
        found(&db, |n| n.subject.target::<Picture>().exist()).await?,
        ["on the picture"]
    );
    assert_eq!(
        found(&db, |n| n
            .subject
            .target::<Article>()
            .any(|a| a.writer.any(|w| w.name.eq("ann"))))
        .await?,
        ["on the article", "again"]
    );
    let titles = Note::query()
        .join(|n| n.subject.target::<Article>())
        .order_by(|(n, _)| n.id.asc())
        .select(|(n, a)| (n.body, a.title));
    assert_eq!(
        titles.all(&db).await?,
        [
            ("on the article".into(), "a".into()),
            ("again".into(), "a".to_owned())
        ]
    );
    let titles = Note::query()
        .order_by(|n| n.id.asc())
        .select(|n| n.subject.target::<Article>().col(|a| a.title));
    assert_eq!(
        titles.all(&db).await?,
        [Some("a".to_owned()), None, Some("a".to_owned())]
    );
    Ok(())
}

#[orm::test(schema = magazine())]
async fn one_model_is_a_relation_like_any_other(db: Db) -> orm::Result<()> {
    issue(&db).await;
    let notes = assert_statements!(db, 3, {
        Note::query()
            .with(|n| n.subject.target::<Article>().with(|a| a.writer))
            .order_by(|n| n.id.asc())
            .all(&db)
            .await?
    });
    let writers: Vec<_> = notes
        .iter()
        .map(|n| {
            n.subject
                .as_ref()
                .map(|a| (a.title.as_str(), a.writer.name.as_str()))
        })
        .collect();
    assert_eq!(writers, [Some(("a", "ann")), None, Some(("a", "ann"))]);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn rows_in_hand_and_batches_of_a_cursor(db: Db) -> orm::Result<()> {
    let (_, a, p) = issue(&db).await;
    let notes = Note::query().order_by(|n| n.id.asc()).all(&db).await?;
    let notes = assert_statements!(db, 2, { notes.load(&db, |n| n.subject).await? });
    assert_eq!(notes[0].subject, Some(Subject::Article(a.clone())));
    assert_eq!(notes[1].subject, Some(Subject::Picture(p)));
    let one = Note::query().filter(|n| n.body.eq("again")).one(&db).await?;
    let one = assert_statements!(db, 1, { one.load(&db, |n| n.subject).await? });
    assert_eq!(one.subject, Some(Subject::Article(a)));

    let mut tx = db.begin().await?;
    let mut rows = Note::query()
        .with(|n| n.subject)
        .order_by(|n| n.id.asc())
        .stream(&mut tx);
    let mut kinds = Vec::new();
    while let Some(note) = rows.next().await? {
        kinds.push(matches!(note.subject, Some(Subject::Article(_))));
    }
    assert_eq!(kinds, [true, false, true]);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn what_a_row_belongs_to_is_set(db: Db) -> orm::Result<()> {
    let (ann, _, p) = issue(&db).await;
    let moved = Note::update_where(|n| n.body.eq("again"))
        .set(|n| n.subject.to(&ann))
        .exec(&db)
        .await?;
    assert_eq!(moved, 1);
    assert_eq!(bodies(&ann.notes().query().all(&db).await?), ["again"]);

    let pin = NewPin { color: "red".into() }
        .set(|pin| pin.thing.to(&p))
        .insert(&db)
        .await?;
    assert_eq!(pin.on, Some(SubjectId::Picture(p.id)));
    let with_pin = Picture::query().with(|p| p.pin).one(&db).await?;
    assert_eq!(with_pin.pin.as_ref(), Some(&pin));
    let second = NewPin { color: "blue".into() }.set(|pin| pin.thing.to(&p));
    assert_eq!(
        second.insert(&db).await.unwrap_err().kind(),
        ErrorKind::UniqueViolation
    );
    let loose = pin.update().set(|pin| pin.on.to(None)).save(&db).await?;
    assert_eq!(loose.on, None);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn the_database_refuses_what_the_enum_does_not_know(db: Db) -> orm::Result<()> {
    refused(
        sql!("insert into notes (subject_type, subject_id, body) values ('ghost', 1, '')")
            .exec(&db)
            .await,
    );
    refused(
        sql!("insert into pins (pinned_type, color) values ('article', '')")
            .exec(&db)
            .await,
    );
    refused(
        sql!("insert into pins (pinned_id, color) values (1, '')")
            .exec(&db)
            .await,
    );
    refused(sql!("insert into tickets (text) values ('')").exec(&db).await);
    let (_, a, p) = issue(&db).await;
    let both = NewTicket { text: "".into() }
        .set(|t| (t.article_id.to(a.id), t.picture_id.to(p.id)))
        .insert(&db)
        .await
        .unwrap_err();
    assert_eq!(both.kind(), ErrorKind::CheckViolation);
    assert_eq!(both.constraint(), Some("ck_tickets_about"));
    let both = NewDraft {}.set(|t| (t.article_id.to(a.id), t.picture_id.to(p.id)));
    assert_eq!(
        both.insert(&db).await.unwrap_err().kind(),
        ErrorKind::CheckViolation
    );
    Ok(())
}

async fn ticket(db: &Db, about: impl Into<AboutId>, text: &str) -> Ticket {
    let new = NewTicket { text: text.into() }.set(|t| t.about.to(about));
    new.insert(db).await.unwrap()
}

#[orm::test(schema = magazine())]
async fn an_arc_is_read_and_loaded_as_the_variant(db: Db) -> orm::Result<()> {
    let (_, a, p) = issue(&db).await;
    let (one, two) = (ticket(&db, &a, "one").await, ticket(&db, &p, "two").await);
    assert_eq!(one.about_id(), Some(AboutId::Article(a.id)));
    assert_eq!(two.about_id(), Some(AboutId::Picture(p.id)));
    assert_eq!((two.article_id, two.picture_id), (None, Some(p.id)));
    let tickets: Vec<TicketWithAbout> = assert_statements!(db, 3, {
        Ticket::query()
            .with(|t| t.about)
            .order_by(|t| t.id.asc())
            .all(&db)
            .await?
    });
    let about: Vec<_> = tickets.into_iter().map(|t| t.about).collect();
    assert_eq!(
        about,
        [Some(About::Article(a.clone())), Some(About::Picture(p.clone()))]
    );
    let one = assert_statements!(db, 1, { one.load(&db, |t| t.about).await? });
    assert_eq!(one.about, Some(About::Article(a)));
    Ok(())
}

#[orm::test(schema = magazine())]
async fn an_arc_in_conditions_and_writes(db: Db) -> orm::Result<()> {
    let (_, a, p) = issue(&db).await;
    let one = ticket(&db, &a, "one").await;
    ticket(&db, &p, "two").await;
    let texts = async |q: Query<Ticket>| q.order_by(|t| t.id.asc()).select(|t| t.text).all(&db).await;
    assert_eq!(texts(Ticket::query().filter(|t| t.about.is(&a))).await?, ["one"]);
    assert_eq!(
        texts(Ticket::query().filter(|t| t.about.is_a::<Picture>())).await?,
        ["two"]
    );
    assert_eq!(
        texts(Ticket::query().filter(|t| t.about.target::<Article>().any(|a| a.title.eq("a")))).await?,
        ["one"]
    );
    assert_eq!(texts(a.tickets().query()).await?, ["one"]);
    let pictures = Picture::query().with(|p| p.tickets).all(&db).await?;
    assert_eq!(pictures[0].tickets[0].text, "two");

    // the other keys of the arc become NULL in the same assignment
    let moved = one.update().set(|t| t.about.to(&p)).save(&db).await?;
    assert_eq!((moved.article_id, moved.picture_id), (None, Some(p.id)));
    p.delete(&db).await?; // its foreign keys are real
    assert_eq!(Ticket::query().count(&db).await?, 0);

    let draft = NewDraft {}.insert(&db).await?;
    assert_eq!(draft.about_id(), None);
    let draft = assert_statements!(db, 0, { draft.load(&db, |d| d.about).await? });
    assert_eq!(draft.about, None);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn rows_are_linked_with_their_discriminator(db: Db) -> orm::Result<()> {
    let (ann, a, p) = issue(&db).await;
    let of_picture = p.notes().query().one(&db).await?;
    assert_eq!(
        a.notes().add(&db, [&of_picture]).await?,
        1,
        "the same key under another label"
    );
    assert_eq!(a.notes().add(&db, [&of_picture]).await?, 0);
    assert_eq!(a.notes().query().count(&db).await?, 3);
    let new = NewNote {
        subject_id: (&a).into(),
        body: "new".into(),
    };
    let made = p.notes().create(&db, new).await?;
    assert_eq!(made.subject_id, SubjectId::Picture(p.id));

    // a key that may be NULL is unlinked as a whole, and those of other models stay
    let red = NewPin { color: "red".into() }
        .set(|pin| pin.thing.to(&ann))
        .insert(&db)
        .await?;
    let blue = NewPin { color: "blue".into() }.insert(&db).await?;
    assert_eq!(p.pin().link(&db, [blue.id]).await?, 1);
    assert_eq!(p.pin().unlink(&db, [red.id]).await?, 0);
    assert_eq!(p.pin().unlink_all(&db).await?, 1);
    assert_eq!(Pin::get(&db, blue.id).await?.on, None);
    assert_eq!(Pin::get(&db, red.id).await?.on, Some(SubjectId::Writer(ann.id)));

    let one = ticket(&db, &a, "one").await;
    assert_eq!(p.tickets().add(&db, [&one]).await?, 1);
    let one = Ticket::get(&db, one.id).await?;
    assert_eq!(
        one.about_id(),
        Some(AboutId::Picture(p.id)),
        "the other keys of the arc are NULL"
    );
    Ok(())
}

#[orm::test(schema = magazine())]
async fn a_graph_is_inserted(db: Db) -> orm::Result<()> {
    let note = |body: &str| NewNote {
        subject_id: SubjectId::Writer(Id::new(0)),
        body: body.into(),
    };
    let made: PictureWithNotes = NewPicture { url: "p".into() }
        .with(|p| p.notes, move |_| [note("one"), note("two")])
        .insert(&db)
        .await?;
    let key = SubjectId::Picture(made.id);
    assert!(made.notes.len() == 2 && made.notes.iter().all(|n| n.subject_id == key));
    Ok(())
}

#[orm::test(schema = magazine())]
async fn a_unit_of_work_knows_keys_that_are_still_to_come(db: Db) -> orm::Result<()> {
    let old = picture(&db, "old").await;
    let mut unit = db.unit_of_work();
    let (subject_id, body) = ((&old).into(), "first".into());
    unit.insert(NewNote { subject_id, body })?; // of the shape of the next note, which waits for its picture
    let p = unit.insert(NewPicture { url: "new".into() })?;
    unit.insert(NewNote {
        subject_id: SubjectId::Picture(p.id()),
        body: "note".into(),
    })?;
    unit.insert(
        NewTicket {
            text: "ticket".into(),
        }
        .set(|t| t.about.to(AboutId::Picture(p.id()))),
    )?;
    let mut done = unit.commit().await?;
    let p = done.take(&p)?;
    assert_eq!(bodies(&p.notes().query().all(&db).await?), ["note"]);
    assert_eq!(p.tickets().query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn a_cascade_unlinks_its_own_rows(db: Db) -> orm::Result<()> {
    let (ann, _, p) = issue(&db).await;
    assert_eq!(ann.id.raw(), p.id.raw());
    let red = NewPin { color: "red".into() }
        .set(|pin| pin.thing.to(&ann))
        .insert(&db)
        .await?;
    let blue = NewPin { color: "blue".into() }
        .set(|pin| pin.thing.to(&p))
        .insert(&db)
        .await?;
    p.delete(&db).await?;
    assert_eq!(Pin::get(&db, blue.id).await?.on, None);
    assert_eq!(Pin::get(&db, red.id).await?, red);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn the_keys_of_an_arc_differ_in_type(db: Db) -> orm::Result<()> {
    let p = picture(&db, "p").await;
    let no = NewCountry { code: "NO".into() }.insert(&db).await?;
    NewVisit {}.set(|v| v.place.to(&no)).insert(&db).await?;
    NewVisit {}.set(|v| v.place.to(&p)).insert(&db).await?;
    let visits = Visit::query()
        .with(|v| v.place)
        .order_by(|v| v.id.asc())
        .all(&db)
        .await?;
    assert_eq!(visits[0].place_id(), Some(PlaceId::Country("NO".into())));
    let places: Vec<_> = visits.into_iter().map(|v| v.place).collect();
    assert_eq!(places, [Some(Place::Country(no)), Some(Place::Picture(p))]);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn cascades_know_the_model(db: Db) -> orm::Result<()> {
    let (_, a, _) = issue(&db).await;
    a.delete(&db).await?;
    let left = Note::query().select(|n| n.body).all(&db).await?;
    assert_eq!(left, ["on the picture"], "which has the same key");
    Ok(())
}

#[orm::test(schema = magazine())]
async fn a_label_the_enum_does_not_know_is_an_error(db: Db) -> orm::Result<()> {
    let e = sql!(
        "select cast(1 as bigint) as id, 'ghost' as subject_type, cast(1 as bigint) as subject_id, '' as body"
    );
    let e = refused::<Vec<Note>>(e.fetch(&db).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Decode, Some("Note"), Some("subject_id.kind"))
    );
    let ids: Vec<(SubjectId, i64)> = sql!("select 'writer', cast(7 as bigint), cast(8 as bigint)")
        .fetch(&db)
        .await?;
    assert_eq!(ids, [(SubjectId::Writer(Id::new(7)), 8)]);
    Ok(())
}

#[orm::test(schema = magazine())]
async fn graphs_of_polymorphic_rows_are_merged(db: Db) -> orm::Result<()> {
    let url = "u".to_owned();
    let (a, b) = (
        NewPicture { url: url.clone() }.insert(&db).await?,
        NewPicture { url }.insert(&db).await?,
    );
    let note = NewNote {
        subject_id: SubjectId::Picture(a.id),
        body: "old".into(),
    };
    note.insert(&db).await?;
    let mut graph = Picture::query()
        .filter(|p| p.id.eq(a.id))
        .with(|p| p.notes)
        .one(&db)
        .await?;
    graph.notes[0].body = "changed".into();
    // of whom it says does not matter
    graph.notes.push(Note {
        id: Id::new(0),
        subject_id: SubjectId::Writer(Id::new(77)),
        body: "new".into(),
    });
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.inserted, merged.updated), (1, 1));
    assert_eq!(merged.row.notes[1].subject_id, SubjectId::Picture(a.id));
    assert_eq!(merged.row.clone().merge(&db).await?.updated, 0);
    // from one picture to the other, whose key is another and whose label is the same
    let (a, mut notes) = merged.row.into_parts();
    let moved = notes.remove(0);
    let mut unit = db.unit_of_work();
    unit.merge(a.clone().attach(|p| p.notes, notes))?;
    unit.merge(b.clone().attach(|p| p.notes, vec![moved.clone()]))?;
    assert_eq!(unit.commit().await?.updated(), 1);
    assert_eq!(
        Note::get(&db, moved.id).await?.subject_id,
        SubjectId::Picture(b.id)
    );
    let e = refused(b.attach(|p| p.notes, Vec::<Note>::new()).merge(&db).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("notes")));
    Ok(())
}

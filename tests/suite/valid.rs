//! The rules of garde hold for every way rows are written.

use garde::Validate;
use orm::prelude::*;
use orm::{ErrorKind, assert_statements};

use crate::models::refused;

fn not_root(value: &str, _: &()) -> garde::Result {
    match value {
        "root" => Err(garde::Error::new(format!("{value} is reserved"))),
        _ => Ok(()),
    }
}

#[derive(Model, Validate, Clone, Debug, PartialEq)]
#[orm(validate = orm::garde)]
#[garde(allow_unvalidated)]
#[has_many(cards: Card, orphans = delete)]
pub struct Member {
    pub id: Id<Member>,
    #[orm(unique)]
    #[garde(email)]
    pub email: String,
    #[garde(length(chars, min = 2, max = 8), custom(not_root))]
    pub name: String,
    #[orm(default = 1)]
    #[garde(range(min = 1, max = 9))]
    pub level: i64,
    #[garde(inner(length(chars, max = 4)))]
    pub nick: Option<String>,
}

#[derive(Model, Validate, Clone, Debug, PartialEq)]
#[orm(validate = orm::garde)]
#[garde(allow_unvalidated)]
pub struct Card {
    pub id: Id<Card>,
    #[belongs_to(member: Member)]
    pub member_id: Id<Member>,
    #[garde(ascii)]
    pub code: String,
}

fn members() -> orm::schema::Schema {
    orm::schema![Member, Card]
}

fn new(email: &str, name: &str) -> NewMember {
    NewMember {
        email: email.into(),
        name: name.into(),
    }
}

#[orm::test(schema = members())]
async fn every_way_of_writing_is_looked_at(db: Db) -> orm::Result<()> {
    let ann = new("ann@x.io", "Ann").insert(&db).await?;
    let card = NewCard {
        member_id: ann.id,
        code: "a1".into(),
    };
    let card = card.insert(&db).await?;
    let mut failures = Vec::new();
    let mut no = |e: orm::Error| failures.push(e);
    no(refused(new("secret-value", "Bob").insert(&db).await));
    no(refused(new("bob@x.io", "B").exec(&db).await));
    let many = ["Bob", "Methuselah"].map(|name| new(&format!("{name}@x.io"), name));
    no(refused(NewMember::insert_all(&db, many).await));
    no(refused(
        new("bob@x.io", "Bob").set(|m| m.level.to(10)).insert(&db).await,
    ));
    no(refused(
        new("ann@x.io", "x")
            .upsert(|m| m.email)
            .update(|m, new| m.name.to(new.name))
            .exec(&db)
            .await,
    ));
    no(refused(ann.update().set(|m| m.name.to("root")).save(&db).await));
    // what the database calculates
    no(refused(
        Member::update_where(|m| m.id.eq(ann.id))
            .set(|m| m.level.to(m.level + 9))
            .exec(&db)
            .await,
    ));
    let mut edit = ann.clone().edit();
    edit.nick = Some("too long".into());
    let mut unit = db.unit_of_work();
    unit.save(edit)?;
    no(refused(unit.commit().await));
    let mut graph = ann.clone().attach(|m| m.cards, vec![card.clone()]);
    graph.cards[0].code = "ä".into();
    no(refused(graph.merge(&db).await));
    no(refused(
        ann.cards()
            .create(
                &db,
                NewCard {
                    member_id: ann.id,
                    code: "ö".into(),
                },
            )
            .await,
    ));
    for e in &failures {
        assert_eq!(e.kind(), ErrorKind::Validation, "{e}");
        let text = format!("{e} {e:?}");
        for value in ["secret-value", "Methuselah", "too long", "root", "10"] {
            assert!(!text.contains(value), "{text}");
        }
    }
    let fields: Vec<&str> = failures
        .iter()
        .map(|e| e.message().trim_start_matches("not valid: "))
        .collect();
    assert_eq!(
        fields,
        [
            "email", "name", "name", "level", "name", "name", "level", "nick", "code", "code"
        ]
    );
    assert_eq!(failures[0].model(), Some("Member"));
    // nothing of it stayed
    assert_eq!(Member::query().all(&db).await?, [ann.clone()]);
    assert_eq!(Card::query().all(&db).await?, [card]);
    // all that is wrong at once
    let e = refused(new("x", "y").insert(&db).await);
    assert_eq!(e.message(), "not valid: email, name");
    // reading asks nobody
    assert_statements!(db, 1, { Member::query().one(&db).await? });
    Ok(())
}

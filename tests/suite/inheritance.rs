//! Inheritance: an enum of models that is a model itself, with all columns in one table.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(animals: Animal, by = owner_id)]
#[has_many(dogs: Dog, by = owner_id)]
pub struct Owner {
    pub id: Id<Owner>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
#[common(
    id: Id<Animal>,
    #[orm(unique)]
    name: String,
    #[belongs_to(owner: Owner)]
    owner_id: Option<Id<Owner>>,
    #[orm(version)]
    version: i64,
)]
#[has_many(visits: Visit, by = animal_id, cascade = delete)]
pub enum Animal {
    Dog(Dog),
    Cat(Cat),
    Fish(Fish),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Animal, soft_delete)]
#[has_many(walks: Walk, by = dog_id)]
#[has_many(visits: Visit, by = animal_id)]
pub struct Dog {
    pub id: Id<Animal>,
    #[orm(unique)]
    pub name: String,
    #[belongs_to(owner: Owner)]
    pub owner_id: Option<Id<Owner>>,
    #[orm(version)]
    pub version: i64,
    #[orm(check = "length(breed) > 0")]
    pub breed: String,
    #[orm(unique)]
    pub chip: Option<i32>,
    #[orm(default = 3)]
    pub tricks: i32,
    #[orm(default(sql = "lower('ABC')"))]
    pub mood: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Animal, soft_delete)]
pub struct Cat {
    pub id: Id<Animal>,
    pub lives: i32,
    pub weight: Option<f64>,
    pub name: String,
    pub owner_id: Option<Id<Owner>>,
    #[orm(version)]
    pub version: i64,
    #[belongs_to(rival: Dog)]
    pub rival_id: Option<Id<Animal>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Animal, tag = "it's a fish", soft_delete)]
pub struct Fish {
    pub id: Id<Animal>,
    pub name: String,
    pub owner_id: Option<Id<Owner>>,
    #[orm(version)]
    pub version: i64,
    pub weight: f64,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Visit {
    pub id: Id<Visit>,
    #[belongs_to(animal: Animal)]
    pub animal_id: Id<Animal>,
    pub reason: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Walk {
    pub id: Id<Walk>,
    #[belongs_to(dog: Dog)]
    pub dog_id: Id<Animal>,
    pub minutes: i32,
}

pub fn schema() -> orm::schema::Schema {
    orm::schema![Owner, Animal, Visit, Walk]
}

pub async fn zoo(db: &Db) -> orm::Result<(Owner, Dog, Cat, Fish)> {
    let ann = NewOwner { name: "Ann".into() }.insert(db).await?;
    let dog = NewDog {
        name: "Rex".into(),
        breed: "collie".into(),
    }
    .set(|d| d.owner_id.to(ann.id))
    .insert(db)
    .await?;
    let cat = NewCat {
        name: "Tom".into(),
        lives: 9,
    }
    .insert(db)
    .await?;
    let fish = NewFish {
        name: "Bob".into(),
        weight: 0.5,
    }
    .insert(db)
    .await?;
    Ok((ann, dog, cat, fish))
}

/// Behaviour 46: the base query gives back each row as its variant, in one statement.
#[orm::test(schema = schema())]
async fn one_statement_reads_rows_of_all_variants(db: Db) -> orm::Result<()> {
    let (ann, dog, cat, fish) = zoo(&db).await?;
    assert_eq!((dog.tricks, &*dog.mood, dog.version), (3, "abc", 1));
    let all = assert_statements!(db, 1, {
        Animal::query().order_by(|a| a.id.asc()).all(&db).await?
    });
    assert_eq!(
        all,
        [
            Animal::Dog(dog.clone()),
            Animal::Cat(cat.clone()),
            Animal::Fish(fish.clone())
        ]
    );
    assert_eq!(
        (all[0].name(), all[1].id(), *all[2].version()),
        (&"Rex".to_owned(), cat.id, 1)
    );
    assert_eq!(*all[0].owner_id(), Some(ann.id));

    assert_eq!(Animal::get(&db, cat.id).await?, Animal::Cat(cat));
    assert_eq!(Animal::query().count(&db).await?, 3);
    let first = Animal::query()
        .filter(|a| a.name.starts_with("B"))
        .first(&db)
        .await?;
    assert_eq!(first, Some(Animal::Fish(fish)));
    let dogs = Animal::query().filter(|a| a.kind.eq("dog"));
    assert_eq!(dogs.all(&db).await?, [Animal::Dog(dog)]);
    Ok(())
}

/// Behaviour 46: a query on a variant sees its rows only, wherever the reference to its table stands.
#[orm::test(schema = schema())]
async fn every_reference_to_a_variant_asks_the_discriminator(db: Db) -> orm::Result<()> {
    let (ann, dog, cat, fish) = zoo(&db).await?;
    let spot = NewDog {
        name: "Spot".into(),
        breed: "pug".into(),
    }
    .insert(&db)
    .await?;
    let tom = cat
        .update()
        .set(|c| (c.owner_id.to(ann.id), c.rival_id.to(dog.id)))
        .save(&db)
        .await?;
    NewWalk {
        dog_id: dog.id,
        minutes: 20,
    }
    .insert(&db)
    .await?;
    NewVisit {
        animal_id: dog.id,
        reason: "tick".into(),
    }
    .insert(&db)
    .await?;
    NewVisit {
        animal_id: fish.id,
        reason: "bloated".into(),
    }
    .insert(&db)
    .await?;

    // all, count, exists, aggregates
    assert_eq!(
        Dog::query().order_by(|d| d.name.asc()).all(&db).await?,
        [dog.clone(), spot.clone()]
    );
    assert_eq!(Dog::query().count(&db).await?, 2);
    assert!(!Fish::query().filter(|f| f.name.eq("Rex")).exists(&db).await?);
    assert_eq!(Cat::query().aggregate(|c| c.lives.sum()).one(&db).await?, Some(9));
    // by key: what is there is a row of another variant
    assert!(refused(Cat::get(&db, dog.id).await).is_not_found());
    assert_eq!(Dog::get(&db, dog.id).await?, dog);
    // joins, from either side
    let owned = Dog::query().join(|d| d.owner).filter(|(_, o)| o.name.eq("Ann"));
    assert_eq!(
        owned.select(|(d, o)| (d, o.id)).all(&db).await?,
        [(dog.clone(), ann.id)]
    );
    let animals = Owner::query().join(|o| o.animals).order_by(|(_, a)| a.id.asc());
    let animals = animals.select(|(_, a)| a).all(&db).await?;
    assert_eq!(animals, [Animal::Dog(dog.clone()), Animal::Cat(tom.clone())]);
    let dogs = Owner::query()
        .join(|o| o.dogs)
        .select(|(_, d)| d)
        .all(&db)
        .await?;
    assert_eq!(dogs, [dog.clone()]);
    let names = Owner::query()
        .left_join(|o| o.dogs)
        .select(|(o, d)| (o.name, d.map(|d| d.name)));
    assert_eq!(
        names.all(&db).await?,
        [("Ann".to_owned(), Some("Rex".to_owned()))]
    );
    // EXISTS, counts, scalar sub-queries
    assert_eq!(
        Owner::query()
            .filter(|o| o.dogs.any(|d| d.name.eq("Tom")))
            .count(&db)
            .await?,
        0
    );
    assert_eq!(
        Owner::query()
            .filter(|o| o.animals.any(|a| a.name.eq("Tom")))
            .count(&db)
            .await?,
        1
    );
    let counts = Owner::query().select(|o| (o.animals.count(), o.dogs.count()));
    assert_eq!(counts.one(&db).await?, (2, 1));
    assert_eq!(
        Cat::query()
            .filter(|c| c.rival.any(|d| d.breed.eq("collie")))
            .count(&db)
            .await?,
        1
    );
    // relation loads, with limits and queries from a row
    let with = Owner::query()
        .with(|o| o.dogs)
        .with(|o| o.animals.order_by(|a| a.id.desc()).limit(1));
    let with = with.one(&db).await?;
    assert_eq!(
        (&with.dogs[..], &with.animals[..]),
        (&[dog.clone()][..], &[Animal::Cat(tom.clone())][..])
    );
    assert_eq!(ann.dogs().query().all(&db).await?, [dog.clone()]);
    let walked = Dog::query()
        .with(|d| d.walks)
        .with(|d| d.visits)
        .filter(|d| d.id.eq(dog.id))
        .one(&db)
        .await?;
    assert_eq!((walked.walks.len(), walked.visits.len()), (1, 1));
    Ok(())
}

/// Relations of the enum and towards it hold its variants.
#[orm::test(schema = schema())]
async fn relations_to_the_enum_hold_its_variants(db: Db) -> orm::Result<()> {
    let (ann, dog, _, fish) = zoo(&db).await?;
    NewVisit {
        animal_id: dog.id,
        reason: "tick".into(),
    }
    .insert(&db)
    .await?;
    NewVisit {
        animal_id: fish.id,
        reason: "bloated".into(),
    }
    .insert(&db)
    .await?;
    let visits = Visit::query().order_by(|v| v.id.asc()).with(|v| v.animal);
    let visits = assert_statements!(db, 2, { visits.all(&db).await? });
    assert_eq!(visits[0].animal, Animal::Dog(dog.clone()));
    assert_eq!(visits[1].animal, Animal::Fish(fish.clone()));
    let bloated = Visit::query().filter(|v| v.animal.col(|a| a.name).eq("Bob"));
    assert_eq!(bloated.count(&db).await?, 1);
    let animals = Animal::query()
        .with(|a| a.visits)
        .with(|a| a.owner)
        .order_by(|a| a.id.asc())
        .all(&db)
        .await?;
    assert_eq!((animals[0].visits.len(), animals[1].visits.len()), (1, 0));
    assert_eq!(
        (&animals[0].owner, &animals[2].owner),
        (&Some(ann.clone()), &None)
    );
    assert_eq!(animals[0].name(), "Rex");
    let row = Animal::get(&db, dog.id).await?;
    assert_eq!(row.owner().query().one(&db).await?, ann);
    let loaded = row.load(&db, |a| a.visits).await?;
    assert_eq!(loaded.visits.len(), 1);
    // a foreign key refers to any variant
    let e = refused(
        NewVisit {
            animal_id: Id::new(99),
            reason: "?".into(),
        }
        .insert(&db)
        .await,
    );
    assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
    Ok(())
}

/// Behaviour 46: writes by a condition and by key touch rows of the variant only.
#[orm::test(schema = schema())]
async fn writes_touch_rows_of_the_variant_only(db: Db) -> orm::Result<()> {
    let (ann, dog, cat, fish) = zoo(&db).await?;
    let n = Dog::update_where(|d| d.id.gt(Id::new(0)))
        .set(|d| d.owner_id.to(ann.id))
        .exec(&db)
        .await?;
    assert_eq!(n, 1);
    // a row of the enum changes as any other
    let tom = Animal::get(&db, cat.id)
        .await?
        .update()
        .set(|a| a.name.to("Thomas"))
        .save(&db)
        .await?;
    assert!(matches!(&tom, Animal::Cat(c) if c.name == "Thomas" && c.version == 2 && c.lives == 9));
    assert!(refused(cat.update().set(|c| c.lives.to(8)).save(&db).await).is_stale());
    let all = Animal::update_where(|a| a.version.gt(0))
        .set(|a| a.owner_id.to(ann.id))
        .returning(&db)
        .await?;
    assert_eq!(all.len(), 3);
    // deletes: softly here, with what hangs on the rows
    NewVisit {
        animal_id: fish.id,
        reason: "old".into(),
    }
    .insert(&db)
    .await?;
    assert_eq!(Cat::delete_where(|c| c.id.gt(Id::new(0))).exec(&db).await?, 1);
    assert_eq!(Animal::query().count(&db).await?, 2);
    assert_eq!(Animal::query().with_deleted().count(&db).await?, 3);
    assert!(!Dog::restore(&db, cat.id).await?);
    assert!(Cat::restore(&db, cat.id).await?);
    assert!(!Dog::purge(&db, cat.id).await?);
    assert!(Animal::get(&db, fish.id).await?.delete(&db).await?);
    assert_eq!(Visit::query().count(&db).await?, 0);
    assert_eq!(Fish::query().count(&db).await?, 0);
    assert!(Dog::get(&db, dog.id).await?.delete(&db).await?);
    Ok(())
}

/// Behaviour 46: an upsert does not change the row of another variant that is in its way.
#[orm::test(schema = schema())]
async fn an_upsert_meets_a_row_of_another_variant(db: Db) -> orm::Result<()> {
    let (_, dog, cat, _) = zoo(&db).await?;
    let new = || NewDog {
        name: "Rex".into(),
        breed: "pug".into(),
    };
    let row = new()
        .upsert(|d| d.chip)
        .update(|d, new| d.breed.to(new.breed))
        .exec(&db)
        .await;
    assert_eq!(refused(row).kind(), ErrorKind::UniqueViolation);
    let row = new()
        .with_id(dog.id)
        .upsert(|d| d.id)
        .update(|d, new| d.breed.to(new.breed))
        .exec(&db)
        .await?;
    assert!(matches!(row, Upserted::Updated(d) if d.breed == "pug" && d.version == 2));
    let taken = NewDog {
        name: "Zed".into(),
        breed: "pug".into(),
    }
    .with_id(cat.id);
    let taken = taken
        .upsert(|d| d.id)
        .update(|d, new| d.name.to(new.name))
        .exec(&db)
        .await;
    assert_eq!(refused(taken).kind(), ErrorKind::UniqueViolation);
    assert_eq!(Cat::get(&db, cat.id).await?, cat);
    Ok(())
}

/// New rows of several variants in one call; those of a shape are one statement.
#[orm::test(schema = schema())]
async fn rows_of_several_variants_are_inserted_together(db: Db) -> orm::Result<()> {
    let dog = |name: &str| NewDog {
        name: name.into(),
        breed: "pug".into(),
    };
    let cat = |name: &str| NewCat {
        name: name.into(),
        lives: 7,
    };
    let rows = vec![
        dog("a").into(),
        cat("b").into(),
        dog("c").into(),
        cat("d").set(|c| c.weight.to(2.5)).into(),
    ];
    let all = NewAnimal::insert_all(&db, rows).await?;
    let names: Vec<&str> = all.iter().map(|a| a.name().as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert!(matches!(&all[0], Animal::Dog(d) if d.tricks == 3 && d.mood == "abc" && d.version == 1));
    assert!(matches!(&all[3], Animal::Cat(c) if c.weight == Some(2.5)));
    assert_eq!(Animal::from(Dog::get(&db, all[2].id()).await?), all[2]);
    assert!(NewAnimal::insert_all(&db, []).await?.is_empty());
    Ok(())
}

/// A discriminator that no variant has is an error that names model and column.
#[orm::test(schema = schema())]
async fn an_unknown_discriminator_is_a_decode_error(db: Db) -> orm::Result<()> {
    zoo(&db).await?;
    #[derive(Model, Debug)]
    #[orm(table = "beasts", discriminator = "sort")]
    #[common(id: Id<Beast>)]
    enum Beast {
        Orc(Orc),
    }
    #[derive(Model, Debug)]
    #[orm(variant_of = Beast)]
    struct Orc {
        id: Id<Beast>,
    }
    sql!("create table beasts (id bigint primary key, sort text)")
        .exec(&db)
        .await?;
    sql!("insert into beasts values (1, 'elf')").exec(&db).await?;
    let e = refused(Beast::query().all(&db).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Decode, Some("Beast"), Some("sort"))
    );
    assert!(e.to_string().contains("names none of the variants"), "{e}");
    sql!("update beasts set sort = null").exec(&db).await?;
    let e = refused(Beast::get(&db, Id::new(1)).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Decode, Some("Beast"), Some("sort"))
    );
    Ok(())
}

/// What the database refuses: labels, columns of other variants, missing columns of the own one.
#[orm::test(schema = schema())]
async fn the_database_ties_columns_to_the_discriminator(db: Db) -> orm::Result<()> {
    let (_, dog, cat, fish) = zoo(&db).await?;
    macro_rules! breaks {
        ($constraint:literal, $sql:expr) => {{
            let e = refused($sql.exec(&db).await);
            let found = (e.kind(), e.constraint());
            assert_eq!(found, (ErrorKind::CheckViolation, Some($constraint)));
        }};
    }
    let (dog_id, cat_id, fish_id) = (dog.id, cat.id, fish.id);
    breaks!(
        "ck_animals_kind",
        sql!("update animals set kind = 'cow', weight = null where id = {fish_id}")
    );
    breaks!(
        "ck_animals_breed_kind",
        sql!("update animals set breed = null where id = {dog_id}")
    );
    breaks!(
        "ck_animals_breed",
        sql!("update animals set breed = '' where id = {dog_id}")
    );
    breaks!(
        "ck_animals_lives_kind",
        sql!("update animals set lives = 1 where id = {dog_id}")
    );
    breaks!(
        "ck_animals_chip_kind",
        sql!("update animals set chip = 1 where id = {cat_id}")
    );
    breaks!(
        "ck_animals_weight_kind",
        sql!("update animals set weight = null where id = {fish_id}")
    );
    breaks!(
        "ck_animals_weight_kind",
        sql!("update animals set weight = 1 where id = {dog_id}")
    );
    // unique constraints of variants hold among all rows, those of the enum too
    let e = refused(
        NewFish {
            name: "Rex".into(),
            weight: 1.0,
        }
        .insert(&db)
        .await,
    );
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    let chip = || {
        NewDog {
            name: "x".into(),
            breed: "y".into(),
        }
        .set(|d| d.chip.to(7))
    };
    chip().insert(&db).await?;
    let e = refused(chip().set(|d| d.name.to("z")).insert(&db).await);
    assert_eq!(e.constraint(), Some("uq_animals_chip"));
    Ok(())
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub enum Color {
    Red,
    Green,
}

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Size {
    pub width: i32,
    pub height: i32,
}

/// Of tenants, with an audit trail, and everything that a column can be.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(tenant(org_id), audit_trail)]
#[common(
    id: Id<Part>,
    org_id: i64,
    #[orm(embed)]
    size: Size,
    #[belongs_to(whole: Part)]
    whole_id: Option<Id<Part>>,
)]
#[has_many(parts: Part, by = whole_id)]
pub enum Part {
    Wheel(Wheel),
    Frame(Frame),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Part, tenant(org_id), audit_trail)]
pub struct Wheel {
    pub id: Id<Part>,
    pub org_id: i64,
    #[orm(embed)]
    pub size: Size,
    pub whole_id: Option<Id<Part>>,
    pub color: Option<Color>,
    #[orm(embed)]
    pub rim: Option<Size>,
    pub spokes: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Part, joined, tenant(org_id), audit_trail)]
pub struct Frame {
    pub id: Id<Part>,
    pub org_id: i64,
    #[orm(embed)]
    pub size: Size,
    pub whole_id: Option<Id<Part>>,
    pub color: Color,
    #[orm(embed)]
    pub hole: Size,
    #[orm(json)]
    pub tags: Vec<String>,
}

fn bikes() -> orm::schema::Schema {
    orm::schema![Part, orm::AuditLog]
}

/// Tenants, embedded structs, enums and JSON; what is written is written down, and created and dropped tables are gone.
#[orm::test(schema = bikes())]
async fn variants_have_all_that_models_have(db: Db) -> orm::Result<()> {
    let size = |n: i32| Size { width: n, height: n };
    let (one, two) = (db.tenant(1i64), db.tenant(2i64));
    let frame = NewFrame {
        size: size(9),
        color: Color::Red,
        hole: size(1),
        tags: vec!["a".into()],
    }
    .insert(&one)
    .await?;
    let wheel = NewWheel {
        size: size(3),
        spokes: 32,
    }
    .set(|w| {
        (
            w.whole_id.to(frame.id),
            w.rim.to(Some(size(2))),
            w.color.to(Color::Green),
        )
    })
    .insert(&one)
    .await?;
    let other = NewWheel {
        size: size(4),
        spokes: 20,
    }
    .insert(&two)
    .await?;
    assert_eq!((frame.org_id, wheel.org_id, other.org_id), (1, 1, 2));
    let all = Part::query().order_by(|p| p.id.asc()).all(&one).await?;
    assert_eq!(all, [Part::Frame(frame.clone()), Part::Wheel(wheel.clone())]);
    assert_eq!(all[1].size(), &size(3));
    assert_eq!(Part::query().filter(|p| p.size.width.gt(5)).count(&one).await?, 1);
    assert_eq!(
        Frame::query()
            .filter(|f| f.hole.width.eq(1).and(f.size.width.eq(9)))
            .all(&one)
            .await?,
        [frame.clone()]
    );
    assert!(refused(Part::get(&two, frame.id).await).is_not_found());
    // a tree of parts, nested and walked
    let tops = Part::query()
        .filter(|p| p.whole_id.is_null())
        .with(|p| p.parts)
        .all(&one)
        .await?;
    assert_eq!(tops[0].parts, [Part::Wheel(wheel.clone())]);
    let under = Part::query()
        .filter(|p| p.id.eq(frame.id))
        .walk(|p| p.parts)
        .query()
        .all(&one)
        .await?;
    assert_eq!(under, [Part::Wheel(wheel.clone())]);
    // a row of the enum in hand is edited as its variant, and stays of it
    let mut edit = all[0].clone().edit();
    if let Part::Frame(frame) = &mut *edit {
        frame.color = Color::Green;
        frame.size.width = 8;
    }
    let changed = edit.save(&one).await?;
    assert!(
        matches!(&changed, Part::Frame(f) if f.color == Color::Green && f.size.width == 8 && f.tags == ["a"])
    );
    let mut edit = changed.clone().edit();
    *edit = Part::Wheel(Wheel {
        id: frame.id,
        ..wheel.clone()
    });
    let e = refused(edit.save(&one).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("kind")));
    let e = refused(
        Frame::update_where(|f| f.color.eq(Color::Red))
            .set(|f| f.size.width.to(f.hole.width))
            .exec(&one)
            .await,
    );
    assert_eq!(e.kind(), ErrorKind::Unsupported);
    // what happened to a frame, whichever way
    let history = Frame::trail_of(&one, frame.id).await?;
    assert_eq!(history.len(), 2);
    assert!(wheel.delete(&one).await?);
    assert!(Part::get(&one, frame.id).await?.delete(&one).await?);
    assert_eq!(Part::query().count(&two).await?, 1);
    db.drop_all(&bikes()).await?;
    db.create_all(&bikes()).await?;
    Ok(())
}

/// Rows arrive one by one; pages and repositories take the enum as any model.
#[orm::test(schema = schema())]
async fn rows_of_the_enum_are_streamed(db: Db) -> orm::Result<()> {
    let (_, dog, cat, fish) = zoo(&db).await?;
    let mut tx = db.begin().await?;
    let mut rows = Animal::query().order_by(|a| a.id.asc()).stream(&mut tx);
    let mut names = Vec::new();
    while let Some(row) = rows.next().await? {
        names.push(row.name().clone());
    }
    drop(rows);
    tx.commit().await?;
    assert_eq!(names, [&*dog.name, &*cat.name, &*fish.name]);
    let raw: Vec<Animal> = sql!("select * from animals order by id").fetch(&db).await?;
    assert_eq!(raw, [Animal::Dog(dog), Animal::Cat(cat), Animal::Fish(fish)]);
    Ok(())
}

fn rounds(corners: &i32) -> Result<(), &'static str> {
    match *corners {
        0 => Err("this is round"),
        _ => Ok(()),
    }
}

fn flat(square: &Square) -> Result<(), String> {
    match square.name.contains("cube") {
        true => Err("a cube is not flat".to_owned()),
        false => Ok(()),
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
#[common(id: Id<Form>, name: String)]
pub enum Form {
    Square(Square),
    Star(Star),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Form, validate = flat)]
pub struct Square {
    pub id: Id<Form>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Form, joined)]
pub struct Star {
    pub id: Id<Form>,
    pub name: String,
    #[orm(validate = rounds)]
    pub corners: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[common(id: Id<Job>, name: String)]
pub enum Job {
    Mail(Mail),
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(variant_of = Job, hooks)]
pub struct Mail {
    pub id: Id<Job>,
    pub name: String,
}

impl orm::Hooks for Mail {
    fn loaded(&mut self) -> orm::Result<()> {
        self.name.push('!');
        Ok(())
    }
}

/// Validators of a variant see its rows among those of others too; its hooks are not gone past.
#[orm::test(schema = orm::schema![Form, Job])]
async fn validators_and_hooks_of_variants_hold_for_the_enum(db: Db) -> orm::Result<()> {
    let square = |name: &str| NewSquare { name: name.into() };
    let star = |name: &str, corners| NewStar {
        name: name.into(),
        corners,
    };
    let both = NewForm::insert_all(&db, vec![square("a").into(), star("b", 5).into()]).await?;
    for wrong in [NewForm::from(square("cube")), NewForm::from(star("x", 0))] {
        let e = refused(NewForm::insert_all(&db, vec![square("c").into(), wrong]).await);
        assert_eq!(e.kind(), ErrorKind::Validation);
    }
    assert_eq!(Form::query().count(&db).await?, 2);
    let e = refused(both[0].update().set(|f| f.name.to("cube")).save(&db).await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::Validation, Some("Square")));
    assert!(
        both[1]
            .update()
            .set(|f| f.name.to("cube"))
            .save(&db)
            .await
            .is_ok()
    );
    let e = refused(
        Form::update_where(|f| f.id.gt(Id::new(0)))
            .set(|f| f.name.to("cube"))
            .exec(&db)
            .await,
    );
    assert_eq!(e.kind(), ErrorKind::Validation);
    assert_eq!(Form::get(&db, both[0].id()).await?, both[0]);

    let mail = NewMail { name: "a".into() }.insert(&db).await?;
    let job = Job::get(&db, mail.id).await?;
    assert_eq!(job.name(), "a!");
    let e = refused(job.delete(&db).await);
    assert_eq!(e.kind(), ErrorKind::Unsupported);
    assert!(e.to_string().contains("write rows of `Mail`"), "{e}");
    let e = refused(NewJob::insert_all(&db, vec![NewMail { name: "b".into() }.into()]).await);
    assert_eq!(e.kind(), ErrorKind::Unsupported);
    assert!(mail.delete(&db).await?);
    Ok(())
}

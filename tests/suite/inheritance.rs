//! Inheritance: an enum of models that is a model itself, with all columns in one table, or those of variants apart.

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

fn schema() -> orm::schema::Schema {
    orm::schema![Owner, Animal, Visit, Walk]
}

async fn zoo(db: &Db) -> orm::Result<(Owner, Dog, Cat, Fish)> {
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

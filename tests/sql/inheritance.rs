//! Inheritance: every reference to a variant asks the discriminator, and tables with further columns are joined.

use orm::prelude::*;
use orm_core::ast::{
    Delete, Expr, FromItem, Guard, Join, JoinKind, Select, SetOp, SetOperation, Source, Statement, TableRef,
    Update,
};
use orm_core::exec::create::{create_statements, drop_statements};
use orm_core::sql::render;

use crate::create::texts;
use crate::support::{postgres, scope, sqlite};

#[derive(Model)]
#[has_many(animals: Animal, by = owner_id)]
#[has_many(dogs: Dog, by = owner_id)]
#[has_many(birds: Bird, by = owner_id)]
struct Owner {
    id: Id<Owner>,
}

#[derive(Model)]
#[orm(soft_delete)]
#[common(
    id: Id<Animal>,
    #[orm(unique)]
    name: String,
    #[belongs_to(owner: Owner)]
    owner_id: Option<Id<Owner>>,
)]
enum Animal {
    Dog(Dog),
    Cat(Cat),
    Bird(Bird),
}

#[derive(Model)]
#[orm(variant_of = Animal, soft_delete, index(breed, name), check("length(breed) > 1"))]
struct Dog {
    id: Id<Animal>,
    name: String,
    #[belongs_to(owner: Owner)]
    owner_id: Option<Id<Owner>>,
    breed: String,
    #[orm(unique, default = 3)]
    weight: i32,
}

#[derive(Model)]
#[orm(variant_of = Animal, tag = "it's a cat", soft_delete)]
struct Cat {
    id: Id<Animal>,
    name: String,
    owner_id: Option<Id<Owner>>,
    #[belongs_to(rival: Dog)]
    rival_id: Option<Id<Animal>>,
    weight: Option<i32>,
}

#[derive(Model)]
#[orm(
    variant_of = Animal,
    joined,
    soft_delete,
    table = "birds",
    unique(mate_id, where = "wings > 1"),
    index("wings % 2")
)]
struct Bird {
    id: Id<Animal>,
    #[orm(check = "name <> 'x'")]
    name: String,
    #[belongs_to(owner: Owner)]
    owner_id: Option<Id<Owner>>,
    #[orm(unique, check = "wings < 3", default = 2)]
    wings: i32,
    #[belongs_to(prey: Cat)]
    prey_id: Option<Id<Animal>>,
    #[belongs_to(mate: Bird)]
    mate_id: Option<Id<Animal>>,
}

fn check<M: Model, O>(query: Query<M, O>, pg: &str) {
    let lite = pg.replace('$', "?");
    assert_eq!(query.to_sql(postgres()).unwrap().text.as_ref(), pg);
    assert_eq!(
        query.to_sql(sqlite()).unwrap().text.replace("LIMIT +", "LIMIT "),
        lite
    );
}

fn written(statement: &Statement) -> String {
    let text = render(statement, postgres(), &scope()).unwrap().text;
    assert_eq!(
        render(statement, sqlite(), &scope())
            .unwrap()
            .text
            .replace('?', "$"),
        *text
    );
    text.to_string()
}

#[test]
fn a_variant_is_asked_for_by_its_tag() {
    check(
        Dog::query().select(|d| d.breed),
        r#"SELECT t0."breed" FROM "animals" AS t0 WHERE t0."kind" = 'dog' AND t0."deleted_at" IS NULL"#,
    );
    check(
        Cat::query().with_deleted().select(|c| c.id),
        r#"SELECT t0."id" FROM "animals" AS t0 WHERE t0."kind" = 'it''s a cat'"#,
    );
    check(
        Owner::query()
            .filter(|o| o.dogs.any(|d| d.breed.eq("pug")))
            .select(|o| o.id),
        r#"SELECT t0."id" FROM "owners" AS t0 WHERE EXISTS (SELECT 1 FROM "animals" AS t1 WHERE t1."owner_id" = t0."id" AND t1."breed" = $1 AND t1."kind" = 'dog' AND t1."deleted_at" IS NULL)"#,
    );
    check(
        Owner::query().select(|o| o.dogs.count()),
        r#"SELECT (SELECT count(*) FROM "animals" AS t1 WHERE t1."owner_id" = t0."id" AND t1."kind" = 'dog' AND t1."deleted_at" IS NULL) FROM "owners" AS t0"#,
    );
    check(
        Owner::query()
            .left_join(|o| o.dogs)
            .select(|(o, d)| (o.id, d.map(|d| d.breed))),
        r#"SELECT t0."id", t1."breed" FROM "owners" AS t0 LEFT JOIN "animals" AS t1 ON t1."owner_id" = t0."id" AND t1."kind" = 'dog' AND t1."deleted_at" IS NULL"#,
    );
    check(
        Cat::query().join(|c| c.rival).select(|(c, d)| (c.id, d.breed)),
        r#"SELECT t0."id", t1."breed" FROM "animals" AS t0 JOIN "animals" AS t1 ON t1."id" = t0."rival_id" WHERE t0."kind" = 'it''s a cat' AND t0."deleted_at" IS NULL AND t1."kind" = 'dog' AND t1."deleted_at" IS NULL"#,
    );
}

#[test]
fn the_enum_is_all_rows_and_all_columns() {
    check(
        Animal::query()
            .filter(|a| a.name.eq("a"))
            .order_by(|a| a.id.asc())
            .limit(3),
        r#"SELECT t0."id", t0."name", t0."owner_id", t0."kind", t0."breed", t0."weight", t0."rival_id", t0_1."wings", t0_1."prey_id", t0_1."mate_id" FROM "animals" AS t0 LEFT JOIN "birds" AS t0_1 ON t0_1."id" = t0."id" WHERE t0."name" = $1 AND t0."deleted_at" IS NULL ORDER BY t0."id" LIMIT $2"#,
    );
    check(
        Animal::query().filter(|a| a.kind.eq("dog")).select(|a| a.name),
        r#"SELECT t0."name" FROM "animals" AS t0 WHERE t0."kind" = $1 AND t0."deleted_at" IS NULL"#,
    );
    check(
        Owner::query().join(|o| o.animals).select(|(_, a)| a),
        r#"SELECT t1."id", t1."name", t1."owner_id", t1."kind", t1."breed", t1."weight", t1."rival_id", t1_1."wings", t1_1."prey_id", t1_1."mate_id" FROM "owners" AS t0 JOIN ("animals" AS t1 LEFT JOIN "birds" AS t1_1 ON t1_1."id" = t1."id") ON t1."owner_id" = t0."id" WHERE t1."deleted_at" IS NULL"#,
    );
    check(
        Owner::query().filter(|o| o.animals.exist()).select(|o| o.id),
        r#"SELECT t0."id" FROM "owners" AS t0 WHERE EXISTS (SELECT 1 FROM "animals" AS t1 WHERE t1."owner_id" = t0."id" AND t1."deleted_at" IS NULL)"#,
    );
}

#[test]
fn columns_apart_are_joined() {
    check(
        Bird::query().filter(|b| b.wings.gt(1).and(b.name.eq("a"))),
        r#"SELECT t0."id", t0."name", t0."owner_id", t0_1."wings", t0_1."prey_id", t0_1."mate_id" FROM "animals" AS t0 JOIN "birds" AS t0_1 ON t0_1."id" = t0."id" WHERE t0_1."wings" > $1 AND t0."name" = $2 AND t0."kind" = 'bird' AND t0."deleted_at" IS NULL"#,
    );
    check(
        Owner::query()
            .filter(|o| o.birds.any(|b| b.wings.gt(1)))
            .select(|o| o.id),
        r#"SELECT t0."id" FROM "owners" AS t0 WHERE EXISTS (SELECT 1 FROM "animals" AS t1 JOIN "birds" AS t1_1 ON t1_1."id" = t1."id" WHERE t1."owner_id" = t0."id" AND t1_1."wings" > $1 AND t1."kind" = 'bird' AND t1."deleted_at" IS NULL)"#,
    );
    check(
        Owner::query()
            .left_join(|o| o.birds)
            .select(|(o, b)| (o.id, b.map(|b| b.wings))),
        r#"SELECT t0."id", t1_1."wings" FROM "owners" AS t0 LEFT JOIN ("animals" AS t1 JOIN "birds" AS t1_1 ON t1_1."id" = t1."id") ON t1."owner_id" = t0."id" AND t1."kind" = 'bird' AND t1."deleted_at" IS NULL"#,
    );
    check(
        Bird::query()
            .join(|b| b.mate)
            .select(|(b, m)| (b.wings, m.wings, m.name)),
        r#"SELECT t0_1."wings", t1_1."wings", t1."name" FROM "animals" AS t0 JOIN "birds" AS t0_1 ON t0_1."id" = t0."id" JOIN ("animals" AS t1 JOIN "birds" AS t1_1 ON t1_1."id" = t1."id") ON t1."id" = t0_1."mate_id" WHERE t0."kind" = 'bird' AND t0."deleted_at" IS NULL AND t1."kind" = 'bird' AND t1."deleted_at" IS NULL"#,
    );
    let locked = Animal::query().for_update().to_sql(postgres()).unwrap().text;
    assert!(locked.ends_with(r#"ON t0_1."id" = t0."id" WHERE t0."deleted_at" IS NULL FOR UPDATE OF t0"#));
}

fn of(source: Source, table: &'static orm_core::schema::Table) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard: Guard::default(),
    }
}

fn column(source: Source, table: &'static orm_core::schema::Table, name: &str) -> Expr {
    Expr::Column(source, &table.column(name).unwrap().column)
}

#[test]
fn writes_and_unions_ask_for_it_too() {
    let source = Source::fresh();
    let dogs = |table| {
        let mut s = Select::from(of(source, table));
        s.columns = vec![column(source, table, "id")];
        s
    };
    let mut union = dogs(Dog::TABLE);
    union.compound = vec![SetOperation {
        op: SetOp::Union,
        all: false,
        query: dogs(Cat::TABLE),
    }];
    assert_eq!(
        written(&Statement::Select(Box::new(union))),
        r#"SELECT t0."id" FROM "animals" AS t0 WHERE t0."kind" = 'dog' AND t0."deleted_at" IS NULL UNION SELECT t1."id" FROM "animals" AS t1 WHERE t1."kind" = 'it''s a cat' AND t1."deleted_at" IS NULL"#
    );
    let set = orm_core::ast::Assignment {
        column: &Dog::TABLE.column("breed").unwrap().column,
        value: Expr::Value(orm_core::value::Value::Str("x")),
    };
    let update = Update {
        with: vec![],
        source,
        table: &Dog::TABLE.table,
        guard: Guard::default(),
        set: vec![set],
        from: vec![],
        joins: vec![],
        filter: vec![],
        returning: vec![],
    };
    assert_eq!(
        written(&Statement::Update(Box::new(update))),
        r#"UPDATE "animals" SET "breed" = $1 WHERE "animals"."kind" = 'dog' AND "animals"."deleted_at" IS NULL"#
    );
    let delete = Delete {
        with: vec![],
        source,
        table: &Cat::TABLE.table,
        guard: Guard::default(),
        using: vec![],
        filter: vec![],
        returning: vec![],
    };
    assert_eq!(
        written(&Statement::Delete(Box::new(delete))),
        r#"DELETE FROM "animals" WHERE "animals"."kind" = 'it''s a cat' AND "animals"."deleted_at" IS NULL"#
    );
    // with an outer join of both sides the rows are filtered before
    let (other, mut full) = (Source::fresh(), dogs(Dog::TABLE));
    full.joins = vec![Join {
        kind: JoinKind::Full,
        table: of(other, Cat::TABLE),
        on: vec![],
    }];
    assert_eq!(
        written(&Statement::Select(Box::new(full))),
        r#"SELECT t0."id" FROM (SELECT * FROM "animals" AS t0 WHERE t0."kind" = 'dog' AND t0."deleted_at" IS NULL) AS t0 FULL JOIN (SELECT * FROM "animals" AS t1 WHERE t1."kind" = 'it''s a cat' AND t1."deleted_at" IS NULL) AS t1 ON TRUE"#
    );
    let mut full = dogs(Bird::TABLE);
    full.joins = vec![Join {
        kind: JoinKind::Full,
        table: of(other, Cat::TABLE),
        on: vec![],
    }];
    let e = render(&Statement::Select(Box::new(full)), postgres(), &scope()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
}

#[test]
fn tables() {
    let schema = orm::schema![Bird, Owner, Dog];
    assert_eq!(
        texts(&create_statements(&schema, postgres().features()), postgres()),
        [
            r#"CREATE TABLE "owners" (  "id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,  CONSTRAINT "pk_owners" PRIMARY KEY ("id"))"#,
            r#"CREATE TABLE "animals" (  "id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,  "name" text NOT NULL,  "owner_id" bigint,  "kind" text NOT NULL,  "breed" text,  "weight" integer,  "rival_id" bigint,  "deleted_at" timestamptz,  CONSTRAINT "pk_animals" PRIMARY KEY ("id"),  CONSTRAINT "ck_animals_32ff5cf3" CHECK ("kind" <> 'dog' OR (length(breed) > 1)),  CONSTRAINT "ck_birds_name" CHECK ("kind" <> 'bird' OR (name <> 'x')),  CONSTRAINT "ck_animals_kind" CHECK ("kind" IN ('dog', 'it''s a cat', 'bird')),  CONSTRAINT "ck_animals_breed_kind" CHECK (("kind" IN ('dog')) = ("breed" IS NOT NULL)),  CONSTRAINT "ck_animals_weight_kind" CHECK (("kind" IN ('dog', 'it''s a cat') OR "weight" IS NULL) AND ("kind" NOT IN ('dog') OR "weight" IS NOT NULL)),  CONSTRAINT "ck_animals_rival_id_kind" CHECK ("kind" IN ('it''s a cat') OR "rival_id" IS NULL),  CONSTRAINT "fk_animals_owner_id" FOREIGN KEY ("owner_id") REFERENCES "owners" ("id") ON DELETE RESTRICT,  CONSTRAINT "fk_animals_rival_id" FOREIGN KEY ("rival_id") REFERENCES "animals" ("id") ON DELETE RESTRICT)"#,
            r#"CREATE TABLE "birds" (  "id" bigint NOT NULL,  "wings" integer NOT NULL DEFAULT 2,  "prey_id" bigint,  "mate_id" bigint,  CONSTRAINT "pk_birds" PRIMARY KEY ("id"),  CONSTRAINT "uq_birds_wings" UNIQUE ("wings"),  CONSTRAINT "ck_birds_wings" CHECK (wings < 3),  CONSTRAINT "fk_birds_id" FOREIGN KEY ("id") REFERENCES "animals" ("id") ON DELETE CASCADE ON UPDATE CASCADE,  CONSTRAINT "fk_birds_prey_id" FOREIGN KEY ("prey_id") REFERENCES "animals" ("id") ON DELETE RESTRICT,  CONSTRAINT "fk_birds_mate_id" FOREIGN KEY ("mate_id") REFERENCES "birds" ("id") ON DELETE RESTRICT)"#,
            r#"CREATE UNIQUE INDEX "uq_animals_name" ON "animals" ("name") WHERE "deleted_at" IS NULL"#,
            r#"CREATE INDEX "ix_animals_owner_id" ON "animals" ("owner_id")"#,
            r#"CREATE UNIQUE INDEX "uq_animals_weight" ON "animals" ("weight") WHERE "deleted_at" IS NULL"#,
            r#"CREATE INDEX "ix_animals_breed_name" ON "animals" ("breed", "name")"#,
            r#"CREATE INDEX "ix_animals_rival_id" ON "animals" ("rival_id")"#,
            r#"CREATE UNIQUE INDEX "uq_birds_mate_id" ON "birds" ("mate_id") WHERE wings > 1"#,
            r#"CREATE INDEX "ix_birds_wings_2" ON "birds" ((wings % 2))"#,
            r#"CREATE INDEX "ix_birds_prey_id" ON "birds" ("prey_id")"#,
            r#"CREATE INDEX "ix_birds_mate_id" ON "birds" ("mate_id")"#,
        ]
    );
    let lite = texts(&create_statements(&schema, sqlite().features()), sqlite());
    assert_eq!(
        &lite[1..3],
        [
            r#"CREATE TABLE "animals" (  "id" INTEGER NOT NULL CONSTRAINT "pk_animals" PRIMARY KEY AUTOINCREMENT,  "name" TEXT NOT NULL,  "owner_id" INTEGER,  "kind" TEXT NOT NULL,  "breed" TEXT,  "weight" INTEGER,  "rival_id" INTEGER,  "deleted_at" TEXT,  CONSTRAINT "ck_animals_32ff5cf3" CHECK ("kind" <> 'dog' OR (length(breed) > 1)),  CONSTRAINT "ck_birds_name" CHECK ("kind" <> 'bird' OR (name <> 'x')),  CONSTRAINT "ck_animals_kind" CHECK ("kind" IN ('dog', 'it''s a cat', 'bird')),  CONSTRAINT "ck_animals_breed_kind" CHECK (("kind" IN ('dog')) = ("breed" IS NOT NULL)),  CONSTRAINT "ck_animals_weight_kind" CHECK (("kind" IN ('dog', 'it''s a cat') OR "weight" IS NULL) AND ("kind" NOT IN ('dog') OR "weight" IS NOT NULL)),  CONSTRAINT "ck_animals_rival_id_kind" CHECK ("kind" IN ('it''s a cat') OR "rival_id" IS NULL),  CONSTRAINT "fk_animals_owner_id" FOREIGN KEY ("owner_id") REFERENCES "owners" ("id") ON DELETE RESTRICT,  CONSTRAINT "fk_animals_rival_id" FOREIGN KEY ("rival_id") REFERENCES "animals" ("id") ON DELETE RESTRICT) STRICT"#,
            r#"CREATE TABLE "birds" (  "id" INTEGER NOT NULL,  "wings" INTEGER NOT NULL DEFAULT 2,  "prey_id" INTEGER,  "mate_id" INTEGER,  CONSTRAINT "pk_birds" PRIMARY KEY ("id"),  CONSTRAINT "uq_birds_wings" UNIQUE ("wings"),  CONSTRAINT "ck_birds_wings" CHECK (wings < 3),  CONSTRAINT "fk_birds_id" FOREIGN KEY ("id") REFERENCES "animals" ("id") ON DELETE CASCADE ON UPDATE CASCADE,  CONSTRAINT "fk_birds_prey_id" FOREIGN KEY ("prey_id") REFERENCES "animals" ("id") ON DELETE RESTRICT,  CONSTRAINT "fk_birds_mate_id" FOREIGN KEY ("mate_id") REFERENCES "birds" ("id") ON DELETE RESTRICT) STRICT"#,
        ]
    );
    assert_eq!(
        texts(&drop_statements(&schema, postgres().features()), postgres()),
        [
            r#"DROP TABLE IF EXISTS "birds""#,
            r#"DROP TABLE IF EXISTS "animals""#,
            r#"DROP TABLE IF EXISTS "owners""#,
        ]
    );
}

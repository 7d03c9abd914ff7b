//! Embedded structs: several columns as one field, through every kind of statement.

use orm::prelude::*;

use crate::models::refused;

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Place {
    #[orm(check = "{street} <> {city}")]
    pub street: String,
    #[orm(index)]
    pub city: String,
    #[orm(column = "zip_code")]
    pub zip: Option<String>,
    #[orm(embed)]
    pub geo: Option<Geo>,
}

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Geo {
    pub lat: f64,
    #[orm(json)]
    pub names: Option<Vec<String>>,
    #[orm(decimal(6, 2))]
    pub height: rust_decimal::Decimal,
    #[orm(skip)]
    pub seen: bool,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(timestamps, soft_delete, index(home.city, email), unique(ship.zip, email))]
#[has_many(orders: Order)]
pub struct Customer {
    pub id: Id<Customer>,
    /// Where they live.
    #[orm(embed)]
    pub home: Place,
    #[orm(unique)]
    pub email: String,
    #[orm(embed, prefix = ship_)]
    pub ship: Option<Place>,
    #[orm(default = 0)]
    pub points: i64,
    #[orm(version)]
    pub version: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Order {
    pub id: Id<Order>,
    #[belongs_to(customer: Customer)]
    pub customer_id: Id<Customer>,
    #[orm(embed, prefix = "")]
    pub from: Place,
}

fn shop() -> orm::schema::Schema {
    orm::schema![Customer, Order]
}

fn place(city: &str) -> Place {
    Place {
        street: "High Street".into(),
        city: city.into(),
        zip: None,
        geo: None,
    }
}

fn whole(city: &str) -> Place {
    Place {
        zip: Some("0150".into()),
        geo: Some(Geo {
            lat: 59.9,
            names: Some(vec!["Oslo".into(), "Kristiania".into()]),
            height: rust_decimal::Decimal::new(1234, 2),
            seen: false,
        }),
        ..place(city)
    }
}

fn new(email: &str, home: Place) -> NewCustomer {
    NewCustomer {
        home,
        email: email.into(),
    }
}

#[orm::test(schema = shop())]
async fn values_come_back_as_they_went_in(db: Db) -> orm::Result<()> {
    let ann = new("ann", whole("Oslo")).insert(&db).await?;
    assert_eq!((&ann.home, &ann.ship), (&whole("Oslo"), &None));
    let bob = new("bob", place("Bergen"))
        .set(|c| (c.ship.to(whole("Voss")), c.points.to(3)))
        .insert(&db)
        .await?;
    assert_eq!(
        (&bob.home, &bob.ship, bob.points),
        (&place("Bergen"), &Some(whole("Voss")), 3)
    );
    assert_eq!(Customer::get(&db, ann.id).await?, ann);
    assert_eq!(Customer::get(&db, bob.id).await?, bob);
    Ok(())
}

#[orm::test(schema = shop())]
async fn hand_written_statements_read_it_by_name(db: Db) -> orm::Result<()> {
    let ann = new("ann", place("Oslo"))
        .set(|c| c.ship.to(place("Voss")))
        .insert(&db)
        .await?;
    let rows: Vec<Customer> = sql!("select * from customers").fetch(&db).await?;
    assert_eq!(rows, [ann]);
    let homes: Vec<(i64, Option<Place>)> =
        sql!("select id, ship_street, ship_city, ship_zip_code, ship_geo_lat, ship_geo_names, ship_geo_height from customers")
            .fetch(&db)
            .await?;
    assert_eq!(homes, [(1, Some(place("Voss")))]);
    Ok(())
}

#[orm::test(schema = shop())]
async fn many_rows_in_their_order(db: Db) -> orm::Result<()> {
    let cities: Vec<String> = (0..50).map(|i| format!("c{i}")).collect();
    let plain = cities.iter().map(|c| new(c, whole(c)));
    let made = NewCustomer::insert_all(&db, plain).await?;
    let read: Vec<&str> = made.iter().map(|c| c.home.city.as_str()).collect();
    assert_eq!(read, cities);
    let mixed = (0..20).map(|i| {
        let new = new(&format!("m{i}"), place("x"));
        let ship = (i % 2 == 0).then(|| whole("y"));
        new.set(|c| c.ship.to(ship))
    });
    let made = NewCustomer::insert_all(&db, mixed).await?;
    assert!(
        made.iter()
            .enumerate()
            .all(|(i, c)| c.ship.is_some() == (i % 2 == 0))
    );
    Ok(())
}

#[orm::test(schema = shop())]
async fn parts_filter_order_and_are_selected(db: Db) -> orm::Result<()> {
    for (email, city) in [("a", "Oslo"), ("b", "Bergen"), ("c", "Oslo")] {
        new(email, whole(city)).insert(&db).await?;
    }
    assert_eq!(
        Customer::query()
            .filter(|c| c.home.eq(whole("Oslo")))
            .count(&db)
            .await?,
        2
    );
    assert_eq!(
        Customer::query()
            .filter(|c| c.home.geo.eq(whole("Oslo").geo))
            .count(&db)
            .await?,
        3
    );
    let last = Customer::query()
        .order_by(|c| (c.home.desc(), c.id.desc()))
        .first(&db)
        .await?;
    assert_eq!(last.map(|c| c.email).as_deref(), Some("c"));
    let emails: Vec<String> = Customer::query()
        .filter(|c| c.home.city.eq("Oslo").and(c.home.geo.lat.gt(50.0)))
        .order_by(|c| (c.home.city.asc(), c.email.desc()))
        .select(|c| c.email)
        .all(&db)
        .await?;
    assert_eq!(emails, ["c", "a"]);
    let rows: Vec<(Place, String, Option<Geo>, Option<Place>)> = Customer::query()
        .order_by(|c| c.id.asc())
        .limit(1)
        .select(|c| (c.home, c.email, c.home.geo, c.ship))
        .all(&db)
        .await?;
    assert_eq!(rows, [(whole("Oslo"), "a".into(), whole("Oslo").geo, None)]);
    let mut groups: Vec<(String, i64)> = Customer::query()
        .group_by(|c| c.home.city)
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    groups.sort();
    assert_eq!(groups, [("Bergen".into(), 1), ("Oslo".into(), 2)]);
    Ok(())
}

#[orm::test(schema = shop())]
async fn wholes_are_compared_as_in_rust(db: Db) -> orm::Result<()> {
    let other = Place {
        zip: Some("1".into()),
        ..place("Oslo")
    };
    new("none", place("Oslo")).insert(&db).await?;
    new("zip", other.clone())
        .set(|c| c.ship.to(place("Oslo")))
        .insert(&db)
        .await?;
    let found =
        async |query: Query<Customer>| query.order_by(|c| c.id.asc()).select(|c| c.email).all(&db).await;
    let all = Customer::query;
    assert_eq!(found(all().filter(|c| c.home.eq(place("Oslo")))).await?, ["none"]);
    assert_eq!(found(all().filter(|c| c.home.ne(place("Oslo")))).await?, ["zip"]);
    assert_eq!(found(all().filter(|c| c.home.eq(other))).await?, ["zip"]);
    assert!(
        found(all().filter(|c| c.home.eq(whole("Oslo"))))
            .await?
            .is_empty()
    );
    assert_eq!(found(all().filter(|c| c.ship.is_null())).await?, ["none"]);
    assert_eq!(found(all().filter(|c| c.ship.is_not_null())).await?, ["zip"]);
    assert_eq!(found(all().filter(|c| c.ship.eq(place("Oslo")))).await?, ["zip"]);
    assert_eq!(found(all().filter(|c| c.ship.ne(place("Oslo")))).await?, ["none"]);
    assert_eq!(found(all().filter(|c| c.ship.eq(None))).await?, ["none"]);
    assert_eq!(found(all().filter(|c| c.ship.ne(c.home))).await?, ["none", "zip"]);
    Ok(())
}

#[orm::test(schema = shop())]
async fn updates_set_parts_and_wholes(db: Db) -> orm::Result<()> {
    let ann = new("ann", whole("Oslo")).insert(&db).await?;
    let ann = ann.update().set(|c| c.home.city.to("Voss")).save(&db).await?;
    assert_eq!(ann.home, whole("Voss"));
    let ann = ann
        .update()
        .set(|c| {
            (
                c.home.geo.to(None),
                c.ship.to(Some(whole("Bergen"))),
                c.points.to(1),
            )
        })
        .save(&db)
        .await?;
    assert_eq!(
        (ann.home.geo.as_ref(), &ann.ship, ann.version),
        (None, &Some(whole("Bergen")), 3)
    );
    let ann = ann
        .update()
        .set(|c| c.home.to_some(None::<Place>))
        .save(&db)
        .await?;
    assert_eq!(ann.version, 3, "nothing to set, nothing sent");
    let n = Customer::update_where(|c| c.ship.is_not_null())
        .set(|c| (c.home.to(place("Narvik")), c.ship.to(None)))
        .exec(&db)
        .await?;
    assert_eq!(n, 1);
    let ann = Customer::get(&db, ann.id).await?;
    assert_eq!((ann.home, ann.ship), (place("Narvik"), None));
    Customer::update_where(|c| c.ship.is_null())
        .set(|c| c.ship.to(c.home))
        .exec(&db)
        .await?;
    assert_eq!(Customer::get(&db, ann.id).await?.ship, Some(place("Narvik")));
    Ok(())
}

#[orm::test(schema = shop())]
async fn an_edit_writes_the_columns_that_changed(db: Db) -> orm::Result<()> {
    let ann = new("ann", whole("Oslo")).insert(&db).await?;
    let mut edit = ann.clone().edit();
    edit.home.city = "Voss".into();
    edit.home.geo = None;
    edit.ship = Some(place("Oslo"));
    let changed: Vec<&str> = edit.changes().iter().map(|c| c.field()).collect();
    assert_eq!(
        changed,
        [
            "home.city",
            "home.geo.lat",
            "home.geo.names",
            "home.geo.height",
            "ship.street",
            "ship.city"
        ]
    );
    let saved = edit.save(&db).await?;
    let expected = Place {
        geo: None,
        ..whole("Voss")
    };
    assert_eq!((&saved.home, &saved.ship), (&expected, &Some(place("Oslo"))));
    let mut edit = saved.edit();
    edit.ship = None;
    assert_eq!(edit.save(&db).await?.ship, None);
    Ok(())
}

#[orm::test(schema = shop())]
async fn upserts_take_the_new_value_over(db: Db) -> orm::Result<()> {
    new("ann", place("Oslo")).insert(&db).await?;
    let row = new("ann", whole("Voss"))
        .set(|c| c.ship.to(place("Bergen")))
        .upsert(|c| c.email)
        .update(|c, new| (c.home.to(new.home), c.ship.to(new.ship)))
        .exec(&db)
        .await?;
    assert!(
        matches!(&row, Upserted::Updated(c) if c.home == whole("Voss") && c.ship == Some(place("Bergen")))
    );
    let rows = ["ann", "bob"].map(|email| new(email, place("Moss")));
    NewCustomer::upsert_all(rows, |c| c.email)
        .update(|c, new| c.home.to(new.home))
        .exec(&db)
        .await?;
    let homes = Customer::query()
        .order_by(|c| c.email.asc())
        .select(|c| c.home)
        .all(&db)
        .await?;
    assert_eq!(homes, [place("Moss"), place("Moss")]);
    let zip = |zip: &str| Place {
        zip: Some(zip.into()),
        ..place("x")
    };
    let with = |points: i64| new("eve", place("y")).set(move |c| (c.ship.to(zip("9")), c.points.to(points)));
    with(1).insert(&db).await?;
    let e = refused(with(2).insert(&db).await);
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    let row = with(3)
        .upsert(|c| c.email)
        .update(|c, new| (c.points.to(new.points), c.ship.zip.to(new.ship.zip)))
        .exec(&db)
        .await?;
    assert_eq!(row.into_inner().points, 3);
    Ok(())
}

#[orm::test(schema = shop())]
async fn related_rows_carry_their_own(db: Db) -> orm::Result<()> {
    let ann = new("ann", place("Oslo")).insert(&db).await?;
    for city in ["A", "B"] {
        NewOrder {
            customer_id: ann.id,
            from: whole(city),
        }
        .insert(&db)
        .await?;
    }
    let homes = Customer::query()
        .filter(|c| c.orders.any(|o| o.from.city.eq("A")))
        .select(|c| c.home)
        .all(&db)
        .await?;
    assert_eq!(homes, [place("Oslo")]);
    let loaded = Customer::query()
        .with(|c| c.orders.order_by(|o| o.from.city.desc()))
        .all(&db)
        .await?;
    let cities: Vec<&str> = loaded[0].orders.iter().map(|o| o.from.city.as_str()).collect();
    assert_eq!((cities, &loaded[0].home), (vec!["B", "A"], &place("Oslo")));
    let loaded = Order::query()
        .with(|o| o.customer)
        .order_by(|o| o.id.asc())
        .all(&db)
        .await?;
    assert_eq!(loaded[1].customer.home, place("Oslo"));
    let first = ann.orders().order_by(|o| o.from.city.desc()).first(&db).await?;
    assert_eq!(first.map(|o| o.from), Some(whole("B")));
    let pairs: Vec<(Place, Place)> = Order::query()
        .join(|o| o.customer)
        .order_by(|(o, _)| o.id.asc())
        .select(|(o, c)| (o.from, c.home))
        .all(&db)
        .await?;
    assert_eq!(pairs[1], (whole("B"), place("Oslo")));
    let city: Vec<String> = Order::query()
        .select(|o| o.customer.col(|c| c.home.city))
        .all(&db)
        .await?;
    assert_eq!(city, ["Oslo", "Oslo"]);
    let left: Vec<(String, Option<String>)> = Customer::query()
        .left_join(|c| c.orders)
        .filter(|(_, o)| o.map(|o| o.city_of()).eq("A"))
        .select(|(c, o)| (c.email, o.map(|o| o.from.zip)))
        .all(&db)
        .await?;
    assert_eq!(left, [("ann".into(), Some("0150".into()))]);
    new("bob", place("Voss")).insert(&db).await?;
    let wholes: Vec<(String, Option<Place>, Option<Geo>)> = Customer::query()
        .left_join(|c| c.orders)
        .filter(|(_, o)| o.embed(|o| o.from).ne(whole("A")))
        .order_by(|(c, _)| c.id.asc())
        .select(|(c, o)| (c.email, o.embed(|o| o.from), o.embed(|o| o.from.geo)))
        .all(&db)
        .await?;
    let b = whole("B");
    assert_eq!(
        wholes,
        [("ann".into(), Some(b.clone()), b.geo), ("bob".into(), None, None)]
    );
    Ok(())
}

impl<S> OrderCols<S> {
    /// Columns go through functions of the user as others do.
    fn city_of(self) -> Expr<S, String> {
        self.from.city.expr()
    }
}

#[orm::test(schema = shop())]
async fn deleted_and_restored_rows_keep_it(db: Db) -> orm::Result<()> {
    let ann = new("ann", whole("Oslo")).insert(&db).await?;
    let id = ann.id;
    assert!(ann.delete(&db).await?);
    assert_eq!(
        Customer::query().only_deleted().one(&db).await?.home,
        whole("Oslo")
    );
    assert!(Customer::restore(&db, id).await?);
    assert_eq!(Customer::get(&db, id).await?.home, whole("Oslo"));
    Ok(())
}

#[orm::test(schema = shop())]
async fn half_a_value_is_an_error_that_names_the_part(db: Db) -> orm::Result<()> {
    let ann = new("ann", place("Oslo"))
        .set(|c| c.ship.to(whole("Voss")))
        .insert(&db)
        .await?;
    Customer::update_where(|c| c.id.eq(ann.id))
        .set(|c| c.ship.city.to(None))
        .exec(&db)
        .await?;
    let e = refused(Customer::get(&db, ann.id).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Decode, Some("Customer"), Some("ship.city"))
    );
    let e = refused(Customer::query().select(|c| c.ship).all(&db).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::Decode, Some("Place"), Some("city"))
    );
    assert!(!format!("{e} {e:?}").contains("Street"), "{e:?}");
    Customer::update_where(|c| c.id.eq(ann.id))
        .set(|c| (c.ship.city.to("Voss"), c.ship.geo.lat.to(None)))
        .exec(&db)
        .await?;
    let e = refused(Customer::get(&db, ann.id).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some("ship.geo.lat")));
    let e = refused(Customer::query().with(|c| c.orders).all(&db).await);
    assert_eq!((e.model(), e.field()), (Some("Customer"), Some("ship.geo.lat")));
    Ok(())
}

#[orm::test(schema = shop())]
async fn an_optional_one_is_there_as_soon_as_a_column_is(db: Db) -> orm::Result<()> {
    let ann = new("ann", place("Oslo")).insert(&db).await?;
    Customer::update_where(|c| c.id.eq(ann.id))
        .set(|c| c.ship.zip.to("0150"))
        .exec(&db)
        .await?;
    let e = refused(Customer::get(&db, ann.id).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some("ship.street")));
    Ok(())
}

#[orm::test(schema = shop())]
async fn conditions_hold_in_every_place(db: Db) -> orm::Result<()> {
    let same = Place {
        street: "Oslo".into(),
        ..place("Oslo")
    };
    let e = refused(new("ann", same.clone()).insert(&db).await);
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::CheckViolation, Some("ck_customers_home_street"))
    );
    let e = refused(
        new("ann", place("Oslo"))
            .set(|c| c.ship.to(same))
            .insert(&db)
            .await,
    );
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::CheckViolation, Some("ck_customers_ship_street"))
    );
    Ok(())
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Customer)]
struct Card {
    ship: Option<Place>,
    email: String,
    home: Place,
    #[expr(|c| c.home.city)]
    city: String,
    #[rel(select = |o| o.from.city)]
    orders: Vec<String>,
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Customer)]
struct Label {
    points: i64,
    #[col(home)]
    at: Place,
    email: String,
}

#[orm::test(schema = shop())]
async fn a_shape_holds_it_as_a_whole(db: Db) -> orm::Result<()> {
    let ann = new("ann", whole("Oslo")).insert(&db).await?;
    NewOrder {
        customer_id: ann.id,
        from: place("Bergen"),
    }
    .insert(&db)
    .await?;
    let bob = new("bob", place("Voss")).set(|c| c.ship.to(whole("Hamar")));
    bob.insert(&db).await?;
    let cards = orm::assert_statements!(db, 2, {
        Customer::query()
            .order_by(|c| c.id.asc())
            .shape::<Card>()
            .all(&db)
            .await?
    });
    let card = |email: &str, ship, home: Place, orders: &[&str]| Card {
        ship,
        email: email.into(),
        city: home.city.clone(),
        home,
        orders: orders.iter().map(|o| (*o).to_owned()).collect(),
    };
    assert_eq!(
        cards,
        [
            card("ann", None, whole("Oslo"), &["Bergen"]),
            card("bob", Some(whole("Hamar")), place("Voss"), &[]),
        ]
    );
    let label: Label = sql!("select * from customers where email = 'bob'")
        .fetch_one(&db)
        .await?;
    assert_eq!(
        (label.points, label.at, label.email.as_str()),
        (0, place("Voss"), "bob")
    );
    Ok(())
}

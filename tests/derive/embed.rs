//! Embedded structs: their columns in the table of whoever holds them.

use orm::Embed;
use orm::prelude::Model;
use orm::query::New;
use orm::schema::{Column, IndexKey, IndexPart, Nulls, Table};
use orm::value::{Id, Type, Value};

#[derive(Embed, Clone, Debug, PartialEq)]
struct Address {
    street: String,
    /// Where it lies.
    city: String,
    #[orm(column = "zip_code")]
    zip: Option<String>,
    #[orm(embed)]
    at: Option<Geo>,
}

#[derive(Embed, Clone, Debug, PartialEq)]
struct Geo {
    lat: f64,
    lon: f64,
}

/// Where C and S are types of the user's own.
#[derive(Embed)]
#[orm(rename_all = "SCREAMING_SNAKE_CASE", debug)]
struct Odd {
    #[orm(json)]
    first_tags: Vec<S>,
    #[orm(sensitive, index)]
    r#type: C,
    #[orm(
        decimal(12, 2),
        comment = "with tax",
        check = "{net_price} >= 0 and {r#type} <> '{{}}'"
    )]
    net_price: rust_decimal::Decimal,
    #[orm(skip)]
    note: u8,
}
type S = u8;
type C = String;

#[derive(Model, Clone, Debug)]
#[orm(rename_all = "camelCase", timestamps)]
#[orm(index(home.city.desc(), email, include(home.at.lat)), unique(ship_to.zip, email), unique(home.street))]
struct Customer {
    id: Id<Customer>,
    /// Where they live.
    #[orm(embed)]
    home: Address,
    #[orm(unique)]
    email: String,
    #[orm(embed, prefix = ship_, sensitive)]
    ship_to: Option<Address>,
    #[orm(embed, prefix = "")]
    centre: Geo,
    #[belongs_to(referrer: Self)]
    referrer_id: Option<Id<Self>>,
}

/// Fields whose paths are alike, and an `Option` under another name.
#[derive(Model)]
#[orm(index(one.a.b), index(one.a_b, name = "ix_other"), index(two.a_b))]
struct Alike {
    id: Id<Alike>,
    #[orm(embed)]
    one: Outer,
    #[orm(embed)]
    two: MaybeOuter,
}
type MaybeOuter = Option<Outer>;

#[derive(Embed)]
struct Outer {
    #[orm(column = "ab")]
    a_b: i64,
    #[orm(embed)]
    a: Inner,
}

#[derive(Embed)]
struct Inner {
    b: i64,
}

#[derive(Model)]
struct Oddity {
    id: Id<Oddity>,
    #[orm(embed)]
    odd: Odd,
}

fn names(table: &Table) -> Vec<(&str, &str, bool)> {
    let columns = table.columns.iter();
    columns
        .map(|c| (c.column.name, c.field, c.column.nullable))
        .collect()
}

fn column(table: &'static Table, name: &str) -> &'static Column {
    table.column(name).unwrap()
}

#[test]
fn columns_lie_where_the_field_is() {
    assert_eq!(
        names(Customer::TABLE),
        [
            ("id", "id", false),
            ("home_street", "home.street", false),
            ("home_city", "home.city", false),
            ("home_zip_code", "home.zip", true),
            ("home_at_lat", "home.at.lat", true),
            ("home_at_lon", "home.at.lon", true),
            ("email", "email", false),
            ("ship_street", "ship_to.street", true),
            ("ship_city", "ship_to.city", true),
            ("ship_zip_code", "ship_to.zip", true),
            ("ship_at_lat", "ship_to.at.lat", true),
            ("ship_at_lon", "ship_to.at.lon", true),
            ("lat", "centre.lat", false),
            ("lon", "centre.lon", false),
            ("referrerId", "referrer_id", true),
            ("createdAt", "created_at", false),
            ("updatedAt", "updated_at", false),
        ]
    );
    assert_eq!(Customer::TABLE.fields, 15);
    assert_eq!(Customer::TABLE.managed.created_at, Some(15));
    let keys = Customer::TABLE.foreign_keys;
    assert_eq!(
        (keys[0].name, keys[0].columns),
        ("fk_customers_referrerId", [14].as_slice())
    );
}

#[test]
fn a_struct_describes_itself_without_a_prefix() {
    let columns: Vec<_> = Address::COLUMNS
        .iter()
        .map(|c| (c.column.name, c.field))
        .collect();
    let expected = [
        ("street", "street"),
        ("city", "city"),
        ("zip_code", "zip"),
        ("at_lat", "at.lat"),
        ("at_lon", "at.lon"),
    ];
    assert_eq!(columns, expected);
}

#[test]
fn attributes_come_along() {
    let odd = Oddity::TABLE;
    assert_eq!(
        names(odd)[1..].iter().map(|c| c.0).collect::<Vec<_>>(),
        ["odd_FIRST_TAGS", "odd_TYPE", "odd_NET_PRICE"]
    );
    assert_eq!(column(odd, "odd_FIRST_TAGS").column.ty, Type::Json);
    assert!(column(odd, "odd_TYPE").column.sensitive && !column(odd, "odd_NET_PRICE").column.sensitive);
    assert_eq!(column(odd, "odd_NET_PRICE").column.ty, Type::Decimal(12, 2));
    assert_eq!(column(odd, "odd_NET_PRICE").comment, "with tax");
    let customers = Customer::TABLE;
    assert_eq!(column(customers, "home_street").comment, "Where they live.");
    assert_eq!(column(customers, "home_city").comment, "Where it lies.");
    assert!(
        column(customers, "ship_city").column.sensitive && !column(customers, "home_city").column.sensitive
    );
}

#[test]
fn indexes_and_constraints_name_parts() {
    let customers = Customer::TABLE;
    let index = &customers.indexes[0];
    assert_eq!(
        (index.name, index.include),
        ("ix_customers_home_city_email", [4].as_slice())
    );
    let part = |column, desc| IndexPart {
        key: IndexKey::Column(column),
        op_class: None,
        desc,
        nulls: Nulls::Default,
    };
    assert_eq!(index.parts, [part(2, true), part(6, false)]);
    let uniques: Vec<_> = customers.uniques.iter().map(|u| (u.name, u.columns)).collect();
    assert_eq!(
        uniques,
        [
            ("uq_customers_email", [6].as_slice()),
            ("uq_customers_ship_zip_email", &[9, 6]),
            ("uq_customers_home_street", &[1]),
        ]
    );
    let sets: Vec<Vec<_>> = customers
        .table
        .unique
        .iter()
        .map(|set| set.iter().map(|c| c.name).collect())
        .collect();
    assert_eq!(sets[2], ["ship_zip_code", "email"]);
    let cols = Customer::cols::<Customer>(orm::private::Source::ROOT);
    let (_, _) = (cols.ship_to_zip_email(), cols.home_street());
}

#[test]
fn paths_and_types_are_told_apart_by_what_they_are() {
    assert_eq!(
        names(Alike::TABLE)[1..],
        [
            ("one_ab", "one.a_b", false),
            ("one_a_b", "one.a.b", false),
            ("two_ab", "two.a_b", true),
            ("two_a_b", "two.a.b", true),
        ]
    );
    let columns: Vec<_> = Alike::TABLE.indexes.iter().map(|i| i.parts[0]).collect();
    let part = |column| IndexPart {
        key: IndexKey::Column(column),
        op_class: None,
        desc: false,
        nulls: Nulls::Default,
    };
    assert_eq!(columns, [part(2), part(1), part(3)]);
}

#[test]
fn a_new_row_holds_the_value() {
    assert_eq!(NewCustomer::COLUMNS, [1, 2, 3, 4, 5, 6, 12, 13]);
    let new = NewCustomer {
        home: address(),
        email: "e".into(),
        centre: Geo { lat: 1.0, lon: 2.0 },
    };
    let mut values = Vec::new();
    new.values(&mut values);
    let expected = [
        Value::Text("s".into()),
        Value::Text("c".into()),
        Value::Null(Type::Text),
        Value::Null(Type::F64),
        Value::Null(Type::F64),
        Value::Text("e".into()),
        Value::F64(1.0),
        Value::F64(2.0),
    ];
    assert_eq!(values, expected);
}

#[test]
fn a_row_gives_its_values_in_the_order_of_its_columns() {
    let customer = Customer {
        id: Id::new(7),
        home: address(),
        email: "e".into(),
        ship_to: None,
        centre: Geo { lat: 1.0, lon: 2.0 },
        referrer_id: None,
    };
    let values = customer.into_values();
    assert_eq!(values.len(), Customer::TABLE.fields);
    for (value, column) in values.iter().zip(Customer::TABLE.columns) {
        assert_eq!(value.ty(), column.column.ty, "{}", column.field);
    }
    assert_eq!(values[6..8], [Value::Text("e".into()), Value::Null(Type::Text)]);
}

#[test]
fn debug_hides_what_is_sensitive() {
    let odd = Odd {
        first_tags: vec![1],
        r#type: "secret".into(),
        net_price: rust_decimal::Decimal::ONE,
        note: 0,
    };
    let text = format!("{odd:?}");
    assert!(
        text.contains("first_tags: [1]") && text.contains("type: ***"),
        "{text}"
    );
}

fn address() -> Address {
    Address {
        street: "s".into(),
        city: "c".into(),
        zip: None,
        at: None,
    }
}

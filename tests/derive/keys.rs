//! Keys: generated, natural, of several columns.

use orm::prelude::Model;
use orm::query::{Insert, IntoInsert, New};
use orm::schema::Default;
use orm::value::{Id, Value};
use uuid::Uuid;

use crate::{Post, PostTag, Profile, Tag, User};

#[derive(Model)]
struct Session {
    id: Id<Session, Uuid>,
    #[belongs_to(user: User)]
    user_id: Id<User>,
}

#[derive(Model)]
struct Upload {
    id: Uuid,
    #[belongs_to(session: Session)]
    session_id: Option<Id<Session, Uuid>>,
}

#[derive(Model)]
#[has_many(cities: City)]
struct Country {
    #[orm(id)]
    code: String,
    name: String,
}

#[derive(Model)]
struct City {
    id: Id<City>,
    #[belongs_to(country: Country)]
    country_id: String,
}

#[derive(Model)]
#[orm(id(order_id, line_no), unique(sku, order_id))]
#[has_many(shipments: Shipment, by = (order_id, line_no))]
struct OrderLine {
    order_id: i64,
    line_no: i32,
    sku: String,
}

#[derive(Model)]
#[belongs_to(line: OrderLine, by = (order_id, line_no))]
#[belongs_to(returned: OrderLine, by = (order_id, returned_no), on_delete = no_action)]
struct Shipment {
    id: Id<Shipment>,
    order_id: i64,
    line_no: i32,
    returned_no: Option<i32>,
}

fn takes_key<M: Model<Id = K>, K>() {}

#[test]
fn key_types() {
    takes_key::<User, Id<User>>();
    takes_key::<Profile, Id<User>>();
    takes_key::<PostTag, (Id<Post>, Id<Tag>)>();
    takes_key::<Session, Id<Session, Uuid>>();
    takes_key::<Upload, Uuid>();
    takes_key::<Country, String>();
    takes_key::<OrderLine, (i64, i32)>();
}

#[test]
fn ids_of_rows() {
    let tag = PostTag {
        post_id: Id::new(1),
        tag_id: Id::new(2),
    };
    assert_eq!(tag.id(), (Id::new(1), Id::new(2)));
    assert_eq!(
        Country {
            code: "de".into(),
            name: "x".into()
        }
        .id(),
        "de"
    );
}

#[test]
fn generated_keys() {
    assert!(matches!(User::TABLE.columns[0].default, Default::Identity));
    assert!(matches!(Profile::TABLE.columns[0].default, Default::None));
    assert!(matches!(Country::TABLE.columns[0].default, Default::None));
    for table in [Session::TABLE, Upload::TABLE] {
        let Default::Function(fresh) = table.columns[0].default else {
            panic!("a function")
        };
        assert!(matches!((fresh(), fresh()), (Value::Uuid(a), Value::Uuid(b)) if a != b));
    }
}

#[test]
fn natural_keys_are_required() {
    assert_eq!(<NewCountry as New>::COLUMNS, [0, 1]);
    assert_eq!(<NewOrderLine as New>::COLUMNS, [0, 1, 2]);
    let new = NewCountry {
        code: "de".into(),
        name: "Germany".into(),
    };
    let _: Insert<Country> = new.into_insert();
}

#[test]
fn keys_of_several_columns() {
    assert_eq!(OrderLine::TABLE.key, [0, 1]);
    let cols = OrderLine::cols::<OrderLine>(orm::private::Source::ROOT);
    let (_, _) = (cols.key(), cols.sku_order_id());
    let new = NewOrderLine {
        order_id: 1,
        line_no: 1,
        sku: "s".into(),
    };
    let _ = new.upsert(|line| line.key());
    let keys: Vec<_> = Shipment::TABLE
        .foreign_keys
        .iter()
        .map(|key| (key.name, key.columns))
        .collect();
    assert_eq!(
        keys,
        [
            ("fk_shipments_order_id_line_no", [1, 2].as_slice()),
            ("fk_shipments_order_id_returned_no", [1, 3].as_slice()),
        ]
    );
}

#[test]
fn methods_of_keys_of_several_columns() {
    let shipment = Shipment {
        id: Id::new(1),
        order_id: 1,
        line_no: 2,
        returned_no: None,
    };
    let _ = shipment.line().query();
    let _ = shipment.returned().query();
    let line = OrderLine {
        order_id: 1,
        line_no: 2,
        sku: String::new(),
    };
    let _ = line.shipments().query();
    let city = City {
        id: Id::new(1),
        country_id: "de".into(),
    };
    let _ = city.country().query();
    let upload = Upload {
        id: Uuid::nil(),
        session_id: None,
    };
    let _ = upload.session().query();
}

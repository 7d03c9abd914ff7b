//! Fifty models in a ring: each belongs to the next and has many of the one before.

use orm::prelude::Model;
use orm::value::Id;

macro_rules! ring {
    ($($model:ident $prev:ident $next:ident;)*) => {
        $(
            #[derive(Model, Clone, Debug)]
            #[has_many(befores: $prev, by = next_id)]
            pub struct $model {
                pub id: Id<$model>,
                pub name: String,
                #[orm(default = 0)]
                pub number: i64,
                pub note: Option<String>,
                #[belongs_to(next: $next)]
                pub next_id: Option<Id<$next>>,
            }
        )*

        fn tables() -> Vec<&'static orm::schema::Table> {
            vec![$(<$model as Model>::TABLE),*]
        }
    };
}
ring! {
    M0 M49 M1;
    M1 M0 M2;
    M2 M1 M3;
    M3 M2 M4;
    M4 M3 M5;
    M5 M4 M6;
    M6 M5 M7;
    M7 M6 M8;
    M8 M7 M9;
    M9 M8 M10;
    M10 M9 M11;
    M11 M10 M12;
    M12 M11 M13;
    M13 M12 M14;
    M14 M13 M15;
    M15 M14 M16;
    M16 M15 M17;
    M17 M16 M18;
    M18 M17 M19;
    M19 M18 M20;
    M20 M19 M21;
    M21 M20 M22;
    M22 M21 M23;
    M23 M22 M24;
    M24 M23 M25;
    M25 M24 M26;
    M26 M25 M27;
    M27 M26 M28;
    M28 M27 M29;
    M29 M28 M30;
    M30 M29 M31;
    M31 M30 M32;
    M32 M31 M33;
    M33 M32 M34;
    M34 M33 M35;
    M35 M34 M36;
    M36 M35 M37;
    M37 M36 M38;
    M38 M37 M39;
    M39 M38 M40;
    M40 M39 M41;
    M41 M40 M42;
    M42 M41 M43;
    M43 M42 M44;
    M44 M43 M45;
    M45 M44 M46;
    M46 M45 M47;
    M47 M46 M48;
    M48 M47 M49;
    M49 M48 M0;
}

#[test]
fn every_table_refers_to_the_next() {
    let tables = tables();
    for (i, table) in tables.iter().enumerate() {
        let next = (table.foreign_keys[0].target)();
        assert!(
            std::ptr::eq(next, tables[(i + 1) % tables.len()]),
            "{}",
            table.name()
        );
    }
}

#[test]
fn conditions_reach_around() {
    let row = M0 {
        id: Id::new(1),
        name: String::new(),
        number: 0,
        note: None,
        next_id: Some(Id::new(2)),
    };
    let query = row
        .next()
        .filter(|m| m.next.any(|m| m.befores.any(|m| m.name.eq("x"))));
    assert!(format!("{:?}", query.ast()).contains("m2s"));
}

//! Graphs that were read, changed in memory and are merged into the database again.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};
use serde::{Deserialize, Serialize};

use crate::models::refused;
use crate::orphans::*;

/// The clock is asked for first where the server's is used.
fn clock(db: &Db) -> u64 {
    db.dialect().features().server_clock as u64
}

fn line(order: &Purchase, id: i64, amount: i64) -> OrderLine {
    OrderLine {
        id: Id::new(id),
        order_id: order.id,
        amount,
    }
}

#[orm::test(schema = orders())]
async fn a_graph_writes_what_differs(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    lines(&db, &a, &[1, 2, 3]).await;
    let mut graph = Purchase::query()
        .with(|o| o.lines.order_by(|l| l.id.asc()))
        .one(&db)
        .await?;
    graph.name = "A".into();
    graph.lines.remove(0);
    graph.lines[0].amount = 20;
    // without a key, and its foreign key is set whatever it says
    graph.lines.push(OrderLine {
        id: Id::new(0),
        order_id: Id::new(0),
        amount: 4,
    });
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.inserted, merged.updated, merged.deleted), (1, 2, 1));
    assert_eq!((merged.row.name.as_str(), merged.row.version), ("A", 2));
    let back: Vec<i64> = merged.row.lines.iter().map(|l| l.amount).collect();
    assert_eq!(back, [20, 3, 4]);
    assert!(merged.row.lines[2].id.raw() > 0);
    assert_eq!(merged.row.lines[2].order_id, a.id);
    assert_eq!(amounts(&db, &a).await, [20, 3, 4]);
    assert_eq!(
        Detail::query().count(&db).await?,
        2,
        "the orphan took its detail along"
    );
    // what came back is the state of the database: merged again nothing is written, and what was not loaded stays.
    // one read for the order, one for its lines
    let again = merged.row.clone();
    let merged = assert_statements!(db, 2 + clock(&db), { again.merge(&db).await? });
    assert_eq!((merged.inserted, merged.updated, merged.deleted), (0, 0, 0));
    assert_eq!(merged.row.lines.len(), 3);
    // an empty collection is loaded and empty; one that was not loaded is left alone
    let (row, _) = merged.row.into_parts();
    assert_eq!(row.clone().merge(&db).await?.deleted, 0);
    assert_eq!(amounts(&db, &a).await, [20, 3, 4]);
    let merged = row
        .attach(|o| o.lines, Vec::<OrderLine>::new())
        .merge(&db)
        .await?;
    assert_eq!(merged.deleted, 3);
    assert_eq!(OrderLine::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = orders())]
async fn versions_are_checked_and_nothing_stays_of_a_stale_graph(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    lines(&db, &a, &[1, 2]).await;
    let mut graph = Purchase::query().with(|o| o.lines).one(&db).await?;
    a.update().set(|o| o.rank.to(5)).save(&db).await?;
    graph.lines.clear();
    graph.name = "lost".into();
    let e = refused(graph.clone().merge(&db).await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::Stale, Some("Purchase")));
    assert_eq!(amounts(&db, &a).await, [1, 2]);
    // a row with a key the database made, which nobody has any more
    let gone = graph.into_parts().0;
    let mut unknown = gone.clone();
    unknown.id = Id::new(999);
    let e = refused(unknown.merge(&db).await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::NotFound, Some("Purchase")));
    let fresh = Purchase::get(&db, a.id).await?;
    let e = refused(fresh.attach(|o| o.lines, vec![line(&a, 999, 1)]).merge(&db).await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::NotFound, Some("OrderLine")));
    assert_eq!(amounts(&db, &a).await, [1, 2]);
    Ok(())
}

#[orm::test(schema = orders())]
async fn a_row_that_moves_within_the_unit_is_no_orphan(db: Db) -> orm::Result<()> {
    let (a, b) = (order(&db, "a").await, order(&db, "b").await);
    lines(&db, &a, &[1, 2, 3]).await;
    lines(&db, &b, &[9]).await;
    let orders = Purchase::query()
        .order_by(|o| o.id.asc())
        .with(|o| o.lines.order_by(|l| l.id.asc()));
    let mut graphs = orders.all(&db).await?;
    let moved = graphs[0].lines.remove(1);
    graphs[1].lines.push(moved.clone());
    let removed = graphs[0].lines.remove(1);
    assert_eq!((moved.amount, removed.amount), (2, 3));
    let mut unit = db.unit_of_work();
    for graph in graphs {
        unit.merge(graph)?;
    }
    // a new row beside a graph is none of its orphans either
    unit.insert(NewOrderLine {
        order_id: a.id,
        amount: 7,
    })?;
    let done = unit.commit().await?;
    assert_eq!((done.inserted(), done.updated(), done.deleted()), (1, 1, 1));
    assert_eq!(amounts(&db, &a).await, [1, 7]);
    assert_eq!(amounts(&db, &b).await, [2, 9]);
    assert_eq!(
        OrderLine::get(&db, moved.id).await?.order_id,
        b.id,
        "the same row"
    );
    assert_eq!(Detail::query().count(&db).await?, 3);
    // by its foreign key alone
    let graph = Purchase::query()
        .filter(|o| o.id.eq(a.id))
        .with(|o| o.lines)
        .one(&db)
        .await?;
    let (row, mut lines) = graph.into_parts();
    let mut edit = lines.remove(0).edit();
    edit.order_id = b.id;
    let mut unit = db.unit_of_work();
    unit.save(edit)?;
    unit.merge(row.attach(|o| o.lines, lines))?;
    assert_eq!(unit.commit().await?.deleted(), 0);
    assert_eq!(amounts(&db, &a).await, [7]);
    assert_eq!(amounts(&db, &b).await, [1, 2, 9]);
    Ok(())
}

#[orm::test(schema = orders())]
async fn orphans_go_as_their_relation_says(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    let note = NewOrderNote {
        order_id: a.id,
        text: "n".into(),
    };
    note.insert(&db).await?;
    let parcel = NewParcel { weight: 1 }
        .set(|p| p.order_id.to(Some(a.id)))
        .insert(&db)
        .await?;
    let stamp = NewStamp { order_id: a.id }.insert(&db).await?;
    let row = async || Purchase::get(&db, a.id).await;
    // softly, unlinked, refused
    let merged = row()
        .await?
        .attach(|o| o.notes, Vec::<OrderNote>::new())
        .merge(&db)
        .await?;
    assert_eq!(merged.deleted, 1);
    assert_eq!(OrderNote::query().with_deleted().count(&db).await?, 1);
    assert_eq!(a.notes().count(&db).await?, 0);
    let merged = row()
        .await?
        .attach(|o| o.parcels, Vec::<Parcel>::new())
        .merge(&db)
        .await?;
    assert_eq!((merged.updated, merged.deleted), (1, 0));
    assert_eq!(Parcel::get(&db, parcel.id).await?.order_id, None);
    let e = refused(
        row()
            .await?
            .attach(|o| o.stamps, Vec::<Stamp>::new())
            .merge(&db)
            .await,
    );
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("stamps")));
    assert_eq!(Stamp::query().all(&db).await?, [stamp]);
    // one to one: another row takes the place, or nobody
    let to = |street: &str| ShipTo {
        id: Id::new(0),
        order_id: a.id,
        street: street.into(),
    };
    let merged = row()
        .await?
        .attach(|o| o.address, Some(to("one")))
        .merge(&db)
        .await?;
    let one = merged.row.address.clone().expect("an address");
    let merged = row()
        .await?
        .attach(|o| o.address, Some(to("two")))
        .merge(&db)
        .await?;
    assert_eq!((merged.inserted, merged.updated, merged.deleted), (1, 0, 1));
    let two = ShipTo::query().one(&db).await?;
    assert_eq!((two.street.as_str(), two.id == one.id), ("two", false));
    let merged = row()
        .await?
        .attach(|o| o.address, None::<ShipTo>)
        .merge(&db)
        .await?;
    assert_eq!(merged.deleted, 1);
    assert_eq!(ShipTo::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = orders())]
async fn links_over_a_join_table_come_and_go(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    let label = async |name: &str| a.labels().create(&db, NewLabel { name: name.into() }).await;
    let (x, y) = (label("x").await?, label("y").await?);
    let free = NewLabel { name: "free".into() }.insert(&db).await?;
    let mut graph = Purchase::query()
        .with(|o| o.labels.order_by(|l| l.id.asc()))
        .one(&db)
        .await?;
    assert_eq!(graph.labels, [x.clone(), y.clone()]);
    graph.labels.remove(0);
    graph.labels[0].name = "Y".into();
    graph.labels.push(free.clone());
    graph.labels.push(Label {
        id: Id::new(0),
        name: "new".into(),
        twin_id: None,
    });
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.linked, merged.unlinked), (2, 1));
    assert_eq!((merged.inserted, merged.updated, merged.deleted), (1, 1, 0));
    let names = async || {
        a.labels()
            .order_by(|l| l.id.asc())
            .select(|l| l.name)
            .all(&db)
            .await
    };
    assert_eq!(names().await?, ["Y", "free", "new"]);
    assert_eq!(Label::get(&db, x.id).await?, x, "a label is no orphan");
    // removed and added again: one row of the join table
    let mut graph = merged.row.clone();
    graph.labels.reverse();
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.linked, merged.unlinked, merged.updated), (0, 0, 0));
    assert_eq!(OrderLabel::query().count(&db).await?, 3);
    // the same row in two places of the graph is one row
    let b = order(&db, "b").await;
    b.labels().link(&db, [free.id]).await?;
    let graphs = Purchase::query()
        .order_by(|o| o.id.asc())
        .with(|o| o.labels)
        .all(&db)
        .await?;
    let mut unit = db.unit_of_work();
    let mut rows = Vec::new();
    for mut graph in graphs.clone() {
        graph
            .labels
            .iter_mut()
            .filter(|l| l.id == free.id)
            .for_each(|l| l.name = "FREE".into());
        rows.push(unit.merge(graph)?);
    }
    assert_eq!(unit.commit().await?.updated(), 1);
    assert_eq!(Label::get(&db, free.id).await?.name, "FREE");
    let mut unit = db.unit_of_work();
    for (i, mut graph) in graphs.into_iter().enumerate() {
        graph
            .labels
            .iter_mut()
            .filter(|l| l.id == free.id)
            .for_each(|l| l.name = format!("{i}"));
        unit.merge(graph)?;
    }
    let e = refused(unit.commit().await);
    assert_eq!((e.kind(), e.model()), (ErrorKind::InvalidQuery, Some("Label")));
    Ok(())
}

/// What a client sends back.
#[derive(Serialize, Deserialize)]
struct Sent {
    id: i64,
    name: String,
    version: i64,
    lines: Vec<(i64, i64, Vec<(i64, String)>)>,
}

#[orm::test(schema = orders())]
async fn a_graph_of_three_levels_from_json(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    let mine = lines(&db, &a, &[1, 2]).await;
    let detail = mine[0].details().one(&db).await?;
    let json = format!(
        r#"{{"id": {}, "name": "A", "version": {},
        "lines": [[{}, 10, [[{}, "changed"], [0, "more"]]], [0, 3, [[0, "new"]]]]}}"#,
        a.id.raw(),
        a.version,
        mine[0].id.raw(),
        detail.id.raw()
    );
    let sent: Sent = serde_json::from_str(&json).expect("JSON");
    let lines = sent.lines.into_iter().map(|(id, amount, details)| {
        let row = line(&a, id, amount);
        let details = details.into_iter().map(|(id, text)| Detail {
            id: Id::new(id),
            line_id: row.id,
            text,
        });
        let details: Vec<Detail> = details.collect();
        row.attach(|l| l.details, details)
    });
    let row = Purchase {
        id: Id::new(sent.id),
        name: sent.name,
        version: sent.version,
        ..a.clone()
    };
    let graph = row.attach(|o| o.lines, lines.collect::<Vec<_>>());
    let merged = graph.merge(&db).await?;
    // the order, a line and a detail; a line and two details; a line with its detail
    assert_eq!((merged.updated, merged.inserted, merged.deleted), (3, 3, 1));
    let read = Purchase::query()
        .with(|o| {
            o.lines
                .order_by(|l| l.id.asc())
                .with(|l| l.details.order_by(|d| d.id.asc()))
        })
        .one(&db)
        .await?;
    assert_eq!(read, merged.row);
    let texts: Vec<Vec<&str>> = read
        .lines
        .iter()
        .map(|l| l.details.iter().map(|d| d.text.as_str()).collect())
        .collect();
    assert_eq!(texts, [vec!["changed", "more"], vec!["new"]]);
    assert_eq!(Detail::query().count(&db).await?, 3);
    Ok(())
}

#[orm::test(schema = orders())]
async fn new_graphs_and_the_row_a_row_belongs_to(db: Db) -> orm::Result<()> {
    let new = |name: &str| Purchase {
        id: Id::new(0),
        name: name.into(),
        rank: 3,
        memo: None,
        version: 0,
    };
    let a = new("a");
    let graph = a
        .clone()
        .attach(|o| o.lines, vec![line(&a, 0, 1), line(&a, 0, 2)]);
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.inserted, merged.row.version), (3, 1));
    let a = merged.row.into_parts().0;
    assert_eq!(amounts(&db, &a).await, [1, 2]);
    // a new order above a line that is there; then the loaded row and the key have to agree
    let mut graph = OrderLine::query()
        .filter(|l| l.amount.eq(2))
        .with(|l| l.order)
        .one(&db)
        .await?;
    graph.order = new("b");
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.inserted, merged.updated), (1, 1));
    assert_eq!(merged.row.order_id, merged.row.order.id);
    let mut graph = merged.row;
    graph.order.rank = 8;
    let mut graph = graph.merge(&db).await?.row;
    assert_eq!(Purchase::get(&db, graph.order_id).await?.rank, 8);
    graph.order_id = a.id;
    let e = refused(graph.merge(&db).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("order")));
    Ok(())
}

#[orm::test(schema = crate::models::places())]
async fn keys_of_the_program_decide_between_new_and_old(db: Db) -> orm::Result<()> {
    use crate::models::{City, Country, NewCity, NewCountry};
    let de = NewCountry {
        code: "de".into(),
        name: "Germany".into(),
    };
    de.insert(&db).await?;
    let ulm = NewCity {
        country_id: "de".into(),
        name: "Ulm".into(),
        people: 1,
    };
    ulm.insert(&db).await?;
    // the key of a city holds that of its country; one that no city has yet is a new city
    let mut graph = Country::query().with(|c| c.cities).one(&db).await?;
    graph.name = "DE".into();
    graph.cities[0].people = 2;
    // the key of the country above is put into its key
    graph.cities.push(City {
        country_id: String::new(),
        name: "Bonn".into(),
        people: 3,
    });
    let merged = graph.merge(&db).await?;
    assert_eq!((merged.inserted, merged.updated), (1, 2));
    let people = City::query().order_by(|c| c.name.asc()).select(|c| c.people);
    assert_eq!(people.all(&db).await?, [3, 2]);
    // through two new levels at once, and again as what is there by now
    for inserted in [2, 0] {
        let fr = Country {
            code: "fr".into(),
            name: "France".into(),
        };
        let paris = City {
            country_id: String::new(),
            name: "Paris".into(),
            people: 1,
        };
        let merged = fr.attach(|c| c.cities, vec![paris]).merge(&db).await?;
        assert_eq!((merged.inserted, merged.updated), (inserted, 0));
        assert_eq!(merged.row.cities[0].country_id, "fr");
    }
    Ok(())
}

#[orm::test(schema = orders())]
async fn a_new_line_is_no_change_of_its_order(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    let merged = a
        .clone()
        .attach(|o| o.lines, vec![line(&a, 0, 1)])
        .merge(&db)
        .await?;
    assert_eq!((merged.inserted, merged.updated), (1, 0));
    assert_eq!(merged.row.version, a.version);
    Ok(())
}

#[orm::test(schema = orm::schema![crate::models::Sample])]
async fn every_type_is_compared_as_it_is_written(db: Db) -> orm::Result<()> {
    let row = crate::types::plain().insert(&db).await?;
    let merged = row.clone().merge(&db).await?;
    assert_eq!((merged.updated, &merged.row), (0, &row));
    let mut changed = row;
    changed.address.lines.push("more".into());
    changed.maybe_text = Some("now".into());
    let merged = changed.clone().merge(&db).await?;
    assert_eq!((merged.updated, merged.row), (1, changed));
    Ok(())
}

//! From the generator to the database: every table in foreign-key order, in one transaction, keys as generated.

use chrono::NaiveDate;
use orm::prelude::*;
use orm::query::{Insert, IntoInsert};
use rust_decimal::Decimal;
use tpchgen::dates::TPCHDate;
use tpchgen::decimal::TPCHDecimal;
use tpchgen::generators as generate;

use crate::models::*;
use crate::models::{Order, Part};

/// Anything that may go wrong here.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A hundredth of the smallest official size: 86,805 rows.
pub const SCALE: f64 = 0.01;

/// Creates the tables and fills them; how many rows.
pub async fn load(db: &Db) -> Result<u64, Error> {
    db.create_all(&schema()).await?;
    let rows = db
        .transaction(async |tx| -> Result<u64, Error> {
            let mut n = 0;
            n += NewRegion::copy_all(tx, generate::RegionGenerator::new(SCALE, 1, 1).iter().map(region))
                .await?;
            n += NewNation::copy_all(tx, generate::NationGenerator::new(SCALE, 1, 1).iter().map(nation))
                .await?;
            n += NewSupplier::copy_all(
                tx,
                generate::SupplierGenerator::new(SCALE, 1, 1).iter().map(supplier),
            )
            .await?;
            n += NewPart::copy_all(tx, generate::PartGenerator::new(SCALE, 1, 1).iter().map(part)).await?;
            n += NewPartSupp::copy_all(
                tx,
                generate::PartSuppGenerator::new(SCALE, 1, 1).iter().map(stock),
            )
            .await?;
            n += NewCustomer::copy_all(
                tx,
                generate::CustomerGenerator::new(SCALE, 1, 1).iter().map(customer),
            )
            .await?;
            n += NewOrder::copy_all(tx, generate::OrderGenerator::new(SCALE, 1, 1).iter().map(order)).await?;
            n += NewLineItem::copy_all(tx, generate::LineItemGenerator::new(SCALE, 1, 1).iter().map(line))
                .await?;
            Ok(n)
        })
        .await?;
    // plans are made of what the database knows about the rows
    sql!("analyze").exec(db).await?;
    Ok(rows)
}

fn money(d: TPCHDecimal) -> Decimal {
    Decimal::new(d.into_inner(), 2)
}

/// The generator's days lie between 1992 and 1998.
fn day(d: TPCHDate) -> NaiveDate {
    NaiveDate::from_epoch_days(d.to_unix_epoch()).unwrap_or_default()
}

fn region(r: generate::Region<'_>) -> Insert<Region> {
    let new = NewRegion {
        name: r.r_name.into(),
        comment: r.r_comment.into(),
    };
    new.with_id(Id::new(r.r_regionkey))
}

fn nation(n: generate::Nation<'_>) -> Insert<Nation> {
    let new = NewNation {
        name: n.n_name.into(),
        region_id: Id::new(n.n_regionkey),
        comment: n.n_comment.into(),
    };
    new.with_id(Id::new(n.n_nationkey))
}

fn supplier(s: generate::Supplier) -> Insert<Supplier> {
    let new = NewSupplier {
        name: s.s_name.to_string(),
        address: s.s_address.to_string(),
        nation_id: Id::new(s.s_nationkey),
        phone: s.s_phone.to_string(),
        balance: money(s.s_acctbal),
        comment: s.s_comment,
    };
    new.with_id(Id::new(s.s_suppkey))
}

fn part(p: generate::Part<'_>) -> Insert<Part> {
    let new = NewPart {
        name: p.p_name.to_string(),
        manufacturer: p.p_mfgr.to_string(),
        brand: p.p_brand.to_string(),
        kind: p.p_type.into(),
        size: p.p_size,
        container: p.p_container.into(),
        retail_price: money(p.p_retailprice),
        comment: p.p_comment.into(),
    };
    new.with_id(Id::new(p.p_partkey))
}

fn stock(s: generate::PartSupp<'_>) -> Insert<PartSupp> {
    let new = NewPartSupp {
        part_id: Id::new(s.ps_partkey),
        supplier_id: Id::new(s.ps_suppkey),
        available: s.ps_availqty,
        cost: money(s.ps_supplycost),
        comment: s.ps_comment.into(),
    };
    new.into_insert()
}

fn customer(c: generate::Customer<'_>) -> Insert<Customer> {
    let new = NewCustomer {
        name: c.c_name.to_string(),
        address: c.c_address.to_string(),
        nation_id: Id::new(c.c_nationkey),
        phone: c.c_phone.to_string(),
        balance: money(c.c_acctbal),
        segment: c.c_mktsegment.into(),
        comment: c.c_comment.into(),
    };
    new.with_id(Id::new(c.c_custkey))
}

fn order(o: generate::Order<'_>) -> Insert<Order> {
    let new = NewOrder {
        customer_id: Id::new(o.o_custkey),
        status: o.o_orderstatus.to_string(),
        total: money(o.o_totalprice),
        date: day(o.o_orderdate),
        priority: o.o_orderpriority.into(),
        clerk: o.o_clerk.to_string(),
        ship_priority: o.o_shippriority,
        comment: o.o_comment.into(),
    };
    new.with_id(Id::new(o.o_orderkey))
}

fn line(l: generate::LineItem<'_>) -> Insert<LineItem> {
    let new = NewLineItem {
        order_id: Id::new(l.l_orderkey),
        part_id: Id::new(l.l_partkey),
        supplier_id: Id::new(l.l_suppkey),
        line_number: l.l_linenumber,
        quantity: Decimal::new(l.l_quantity, 0),
        price: money(l.l_extendedprice),
        discount: money(l.l_discount),
        tax: money(l.l_tax),
        return_flag: l.l_returnflag.into(),
        status: l.l_linestatus.into(),
        shipped: day(l.l_shipdate),
        committed: day(l.l_commitdate),
        received: day(l.l_receiptdate),
        instructions: l.l_shipinstruct.into(),
        ship_mode: l.l_shipmode.into(),
        comment: l.l_comment.into(),
    };
    new.into_insert()
}

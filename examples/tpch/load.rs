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

/// How many rows are held at once.
const CHUNK: usize = 5000;

/// Creates the tables and fills them; how many rows.
pub async fn load(db: &Db) -> Result<u64, Error> {
    db.create_all(&schema()).await?;
    let rows = db
        .transaction(async |tx| -> Result<u64, Error> {
            let mut n = 0;
            n += all::<NewRegion>(tx, generate::RegionGenerator::new(SCALE, 1, 1).iter().map(region)).await?;
            n += all::<NewNation>(tx, generate::NationGenerator::new(SCALE, 1, 1).iter().map(nation)).await?;
            n += all::<NewSupplier>(
                tx,
                generate::SupplierGenerator::new(SCALE, 1, 1).iter().map(supplier),
            )
            .await?;
            n += all::<NewPart>(tx, generate::PartGenerator::new(SCALE, 1, 1).iter().map(part)).await?;
            n += all::<NewPartSupp>(
                tx,
                generate::PartSuppGenerator::new(SCALE, 1, 1).iter().map(stock),
            )
            .await?;
            n += all::<NewCustomer>(
                tx,
                generate::CustomerGenerator::new(SCALE, 1, 1).iter().map(customer),
            )
            .await?;
            n += all::<NewOrder>(tx, generate::OrderGenerator::new(SCALE, 1, 1).iter().map(order)).await?;
            n += all::<NewLineItem>(tx, generate::LineItemGenerator::new(SCALE, 1, 1).iter().map(line))
                .await?;
            Ok(n)
        })
        .await?;
    // plans are made of what the database knows about the rows
    sql!("analyze").exec(db).await?;
    Ok(rows)
}

/// Inserts all rows, a chunk at a time.
async fn all<N: New>(
    tx: &Tx,
    rows: impl Iterator<Item = Result<Insert<N::Model>, Error>>,
) -> Result<u64, Error>
where
    Tx: Writes<N::Model>,
{
    let mut rows = rows.peekable();
    let mut n = 0;
    while rows.peek().is_some() {
        let chunk = rows.by_ref().take(CHUNK).collect::<Result<Vec<_>, Error>>()?;
        n += N::exec_all(tx, chunk).await?;
    }
    Ok(n)
}

fn money(d: TPCHDecimal) -> Decimal {
    Decimal::new(d.into_inner(), 2)
}

fn day(d: TPCHDate) -> Result<NaiveDate, Error> {
    NaiveDate::from_epoch_days(d.to_unix_epoch()).ok_or_else(|| "a date outside the calendar".into())
}

fn region(r: generate::Region<'_>) -> Result<Insert<Region>, Error> {
    let new = NewRegion {
        name: r.r_name.into(),
        comment: r.r_comment.into(),
    };
    Ok(new.with_id(Id::new(r.r_regionkey)))
}

fn nation(n: generate::Nation<'_>) -> Result<Insert<Nation>, Error> {
    let new = NewNation {
        name: n.n_name.into(),
        region_id: Id::new(n.n_regionkey),
        comment: n.n_comment.into(),
    };
    Ok(new.with_id(Id::new(n.n_nationkey)))
}

fn supplier(s: generate::Supplier) -> Result<Insert<Supplier>, Error> {
    let new = NewSupplier {
        name: s.s_name.to_string(),
        address: s.s_address.to_string(),
        nation_id: Id::new(s.s_nationkey),
        phone: s.s_phone.to_string(),
        balance: money(s.s_acctbal),
        comment: s.s_comment,
    };
    Ok(new.with_id(Id::new(s.s_suppkey)))
}

fn part(p: generate::Part<'_>) -> Result<Insert<Part>, Error> {
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
    Ok(new.with_id(Id::new(p.p_partkey)))
}

fn stock(s: generate::PartSupp<'_>) -> Result<Insert<PartSupp>, Error> {
    let new = NewPartSupp {
        part_id: Id::new(s.ps_partkey),
        supplier_id: Id::new(s.ps_suppkey),
        available: s.ps_availqty,
        cost: money(s.ps_supplycost),
        comment: s.ps_comment.into(),
    };
    Ok(new.into_insert())
}

fn customer(c: generate::Customer<'_>) -> Result<Insert<Customer>, Error> {
    let new = NewCustomer {
        name: c.c_name.to_string(),
        address: c.c_address.to_string(),
        nation_id: Id::new(c.c_nationkey),
        phone: c.c_phone.to_string(),
        balance: money(c.c_acctbal),
        segment: c.c_mktsegment.into(),
        comment: c.c_comment.into(),
    };
    Ok(new.with_id(Id::new(c.c_custkey)))
}

fn order(o: generate::Order<'_>) -> Result<Insert<Order>, Error> {
    let new = NewOrder {
        customer_id: Id::new(o.o_custkey),
        status: o.o_orderstatus.to_string(),
        total: money(o.o_totalprice),
        date: day(o.o_orderdate)?,
        priority: o.o_orderpriority.into(),
        clerk: o.o_clerk.to_string(),
        ship_priority: o.o_shippriority,
        comment: o.o_comment.into(),
    };
    Ok(new.with_id(Id::new(o.o_orderkey)))
}

fn line(l: generate::LineItem<'_>) -> Result<Insert<LineItem>, Error> {
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
        shipped: day(l.l_shipdate)?,
        committed: day(l.l_commitdate)?,
        received: day(l.l_receiptdate)?,
        instructions: l.l_shipinstruct.into(),
        ship_mode: l.l_shipmode.into(),
        comment: l.l_comment.into(),
    };
    Ok(new.into_insert())
}

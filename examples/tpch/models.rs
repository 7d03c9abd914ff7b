//! The eight tables of TPC-H as plain structs; tables and columns have the names of the specification.
// a query reads most columns in the database only, and rustc does not see that
#![allow(dead_code)]

use chrono::NaiveDate;
use orm::prelude::*;
use rust_decimal::Decimal;

#[derive(Model, Clone, Debug)]
#[orm(table = "region")]
#[has_many(nations: Nation)]
pub struct Region {
    #[orm(column = "r_regionkey")]
    pub id: Id<Region>,
    #[orm(column = "r_name")]
    pub name: String,
    #[orm(column = "r_comment")]
    pub comment: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "nation")]
#[has_many(suppliers: Supplier)]
#[has_many(customers: Customer)]
pub struct Nation {
    #[orm(column = "n_nationkey")]
    pub id: Id<Nation>,
    #[orm(column = "n_name")]
    pub name: String,
    #[belongs_to(region: Region)]
    #[orm(column = "n_regionkey", index)]
    pub region_id: Id<Region>,
    #[orm(column = "n_comment")]
    pub comment: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "supplier")]
#[has_many(stocks: PartSupp)]
#[has_many(lines: LineItem)]
pub struct Supplier {
    #[orm(column = "s_suppkey")]
    pub id: Id<Supplier>,
    #[orm(column = "s_name")]
    pub name: String,
    #[orm(column = "s_address")]
    pub address: String,
    #[belongs_to(nation: Nation)]
    #[orm(column = "s_nationkey", index)]
    pub nation_id: Id<Nation>,
    #[orm(column = "s_phone")]
    pub phone: String,
    #[orm(column = "s_acctbal", decimal(15, 2))]
    pub balance: Decimal,
    #[orm(column = "s_comment")]
    pub comment: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "part")]
#[has_many(stocks: PartSupp)]
#[has_many(lines: LineItem)]
pub struct Part {
    #[orm(column = "p_partkey")]
    pub id: Id<Part>,
    #[orm(column = "p_name")]
    pub name: String,
    #[orm(column = "p_mfgr")]
    pub manufacturer: String,
    #[orm(column = "p_brand")]
    pub brand: String,
    #[orm(column = "p_type")]
    pub kind: String,
    #[orm(column = "p_size")]
    pub size: i32,
    #[orm(column = "p_container")]
    pub container: String,
    #[orm(column = "p_retailprice", decimal(15, 2))]
    pub retail_price: Decimal,
    #[orm(column = "p_comment")]
    pub comment: String,
}

/// What a supplier has of a part, and for how much.
#[derive(Model, Clone, Debug)]
#[orm(table = "partsupp", id(part_id, supplier_id))]
#[has_many(lines: LineItem, by = (part_id, supplier_id))]
pub struct PartSupp {
    #[belongs_to(part: Part)]
    #[orm(column = "ps_partkey")]
    pub part_id: Id<Part>,
    #[belongs_to(supplier: Supplier)]
    #[orm(column = "ps_suppkey", index)]
    pub supplier_id: Id<Supplier>,
    #[orm(column = "ps_availqty")]
    pub available: i32,
    #[orm(column = "ps_supplycost", decimal(15, 2))]
    pub cost: Decimal,
    #[orm(column = "ps_comment")]
    pub comment: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "customer")]
#[has_many(orders: Order)]
pub struct Customer {
    #[orm(column = "c_custkey")]
    pub id: Id<Customer>,
    #[orm(column = "c_name")]
    pub name: String,
    #[orm(column = "c_address")]
    pub address: String,
    #[belongs_to(nation: Nation)]
    #[orm(column = "c_nationkey", index)]
    pub nation_id: Id<Nation>,
    #[orm(column = "c_phone")]
    pub phone: String,
    #[orm(column = "c_acctbal", decimal(15, 2))]
    pub balance: Decimal,
    #[orm(column = "c_mktsegment")]
    pub segment: String,
    #[orm(column = "c_comment")]
    pub comment: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "orders")]
#[has_many(lines: LineItem)]
pub struct Order {
    #[orm(column = "o_orderkey")]
    pub id: Id<Order>,
    #[belongs_to(customer: Customer)]
    #[orm(column = "o_custkey", index)]
    pub customer_id: Id<Customer>,
    #[orm(column = "o_orderstatus")]
    pub status: String,
    #[orm(column = "o_totalprice", decimal(15, 2))]
    pub total: Decimal,
    #[orm(column = "o_orderdate", index)]
    pub date: NaiveDate,
    #[orm(column = "o_orderpriority")]
    pub priority: String,
    #[orm(column = "o_clerk")]
    pub clerk: String,
    #[orm(column = "o_shippriority")]
    pub ship_priority: i32,
    #[orm(column = "o_comment")]
    pub comment: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "lineitem", id(order_id, line_number), index(part_id, supplier_id))]
#[belongs_to(stock: PartSupp, by = (part_id, supplier_id))]
pub struct LineItem {
    #[belongs_to(order: Order)]
    #[orm(column = "l_orderkey")]
    pub order_id: Id<Order>,
    #[belongs_to(part: Part)]
    #[orm(column = "l_partkey")]
    pub part_id: Id<Part>,
    #[belongs_to(supplier: Supplier)]
    #[orm(column = "l_suppkey", index)]
    pub supplier_id: Id<Supplier>,
    #[orm(column = "l_linenumber")]
    pub line_number: i32,
    #[orm(column = "l_quantity", decimal(15, 2))]
    pub quantity: Decimal,
    #[orm(column = "l_extendedprice", decimal(15, 2))]
    pub price: Decimal,
    #[orm(column = "l_discount", decimal(15, 2))]
    pub discount: Decimal,
    #[orm(column = "l_tax", decimal(15, 2))]
    pub tax: Decimal,
    #[orm(column = "l_returnflag")]
    pub return_flag: String,
    #[orm(column = "l_linestatus")]
    pub status: String,
    #[orm(column = "l_shipdate", index)]
    pub shipped: NaiveDate,
    #[orm(column = "l_commitdate")]
    pub committed: NaiveDate,
    #[orm(column = "l_receiptdate")]
    pub received: NaiveDate,
    #[orm(column = "l_shipinstruct")]
    pub instructions: String,
    #[orm(column = "l_shipmode")]
    pub ship_mode: String,
    #[orm(column = "l_comment")]
    pub comment: String,
}

/// All tables, for `db.create_all(..)`.
pub fn schema() -> orm::schema::Schema {
    orm::schema![
        Region, Nation, Supplier, Part, PartSupp, Customer, Order, LineItem
    ]
}

//! The queries of the specification as typed queries, with its validation parameters.

use chrono::NaiveDate;
use orm::prelude::*;
use orm::query::value;
use rust_decimal::Decimal;

use crate::cells::Cells;
use crate::models::{Customer, LineItem, LineItemCols, Order, PartSupp, Supplier};

/// `1998-12-01`, for dates that are written out; a date that is none is the first of all days.
fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

/// So many hundredths.
fn hundredths(n: i64) -> Decimal {
    Decimal::new(n, 2)
}

/// What a line brings in; usable in any query that has lines at hand.
fn revenue<S>(l: LineItemCols<S>) -> Expr<S, Decimal> {
    l.price * (value::<S, _>(Decimal::ONE) - l.discount)
}

/// Pricing summary report.
pub fn q01() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .filter(|l| l.shipped.le(day(1998, 9, 2)))
        .group_by(|l| (l.return_flag, l.status))
        .order_by(|g| (g.key().0.asc(), g.key().1.asc()))
        .select(|g| {
            (
                g.key().0,
                g.key().1,
                g.sum(|l| l.quantity),
                g.sum(|l| l.price),
                g.sum(revenue),
                g.sum(|l| revenue(l) * (value::<LineItem, _>(Decimal::ONE) + l.tax)),
                g.avg(|l| l.quantity),
                g.avg(|l| l.price),
                g.avg(|l| l.discount),
                g.count(),
            )
        })
}

/// Minimum cost supplier.
pub fn q02() -> Query<PartSupp, impl Cells> {
    PartSupp::query()
        .join(|ps| ps.part)
        .join(|(ps, _)| ps.supplier)
        .join(|(_, _, s)| s.nation)
        .filter(|(_, p, _, n)| {
            let european = n.region.any(|r| r.name.eq("EUROPE"));
            p.size.eq(15).and(p.kind.ends_with("BRASS")).and(european)
        })
        .filter(|(ps, p, ..)| {
            let cheapest = p.stocks.agg(|other| {
                let nation = other
                    .supplier
                    .any(|s| s.nation.any(|n| n.region.any(|r| r.name.eq("EUROPE"))));
                other.cost.min().filter(nation)
            });
            ps.cost.eq(cheapest)
        })
        .order_by(|(_, p, s, n)| (s.balance.desc(), n.name.asc(), s.name.asc(), p.id.asc()))
        .limit(100)
        .select(|(_, p, s, n)| {
            (
                s.balance,
                s.name,
                n.name,
                p.id,
                p.manufacturer,
                s.address,
                s.phone,
                s.comment,
            )
        })
}

/// Shipping priority.
pub fn q03() -> Query<LineItem, impl Cells> {
    let date = day(1995, 3, 15);
    LineItem::query()
        .join(|l| l.order)
        .join(|(_, o)| o.customer)
        .filter(|(l, o, c)| {
            c.segment
                .eq("BUILDING")
                .and(o.date.lt(date))
                .and(l.shipped.gt(date))
        })
        .group_by(|(l, o, _)| (l.order_id, o.date, o.ship_priority))
        .order_by(|g| {
            (
                g.sum(|(l, ..)| revenue(l)).desc(),
                g.key().1.asc(),
                g.key().0.asc(),
            )
        })
        .limit(10)
        .select(|g| (g.key().0, g.sum(|(l, ..)| revenue(l)), g.key().1, g.key().2))
}

/// Order priority checking.
pub fn q04() -> Query<Order, impl Cells> {
    Order::query()
        .filter(|o| o.date.ge(day(1993, 7, 1)).and(o.date.lt(day(1993, 10, 1))))
        .filter(|o| o.lines.any(|l| l.committed.lt(l.received)))
        .group_by(|o| o.priority)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
}

/// Local supplier volume.
pub fn q05() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .join(|l| l.order)
        .join(|(_, o)| o.customer)
        .join(|(l, ..)| l.supplier)
        .join(|(.., s)| s.nation)
        .join(|(.., n)| n.region)
        .filter(|(_, o, c, s, _, r)| {
            let local = c.nation_id.eq(s.nation_id);
            let in_1994 = o.date.ge(day(1994, 1, 1)).and(o.date.lt(day(1995, 1, 1)));
            local.and(r.name.eq("ASIA")).and(in_1994)
        })
        .group_by(|(_, _, _, _, n, _)| n.name)
        .order_by(|g| g.sum(|(l, ..)| revenue(l)).desc())
        .select(|g| (g.key(), g.sum(|(l, ..)| revenue(l))))
}

/// Forecasting revenue change.
pub fn q06() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .filter(|l| l.shipped.ge(day(1994, 1, 1)).and(l.shipped.lt(day(1995, 1, 1))))
        .filter(|l| {
            l.discount
                .between(hundredths(5), hundredths(7))
                .and(l.quantity.lt(24))
        })
        .aggregate(|l| ((l.price * l.discount).sum(),))
}

/// Volume shipping.
pub fn q07() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .join(|l| l.supplier)
        .join(|(_, s)| s.nation)
        .join(|(l, ..)| l.order)
        .join(|(.., o)| o.customer)
        .join(|(.., c)| c.nation)
        .filter(|(l, _, from, _, _, to)| {
            let out = from.name.eq("FRANCE").and(to.name.eq("GERMANY"));
            let back = from.name.eq("GERMANY").and(to.name.eq("FRANCE"));
            out.or(back)
                .and(l.shipped.between(day(1995, 1, 1), day(1996, 12, 31)))
        })
        .group_by(|(l, _, from, _, _, to)| (from.name, to.name, l.shipped.year()))
        .order_by(|g| (g.key().0.asc(), g.key().1.asc(), g.key().2.asc()))
        .select(|g| (g.key().0, g.key().1, g.key().2, g.sum(|(l, ..)| revenue(l))))
}

/// National market share.
pub fn q08() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .join(|l| l.supplier)
        .join(|(_, s)| s.nation)
        .join(|(l, ..)| l.order)
        .filter(|(l, _, _, o)| {
            let american = o
                .customer
                .any(|c| c.nation.any(|n| n.region.any(|r| r.name.eq("AMERICA"))));
            let kind = l.part.any(|p| p.kind.eq("ECONOMY ANODIZED STEEL"));
            american
                .and(kind)
                .and(o.date.between(day(1995, 1, 1), day(1996, 12, 31)))
        })
        .group_by(|(.., o)| o.date.year())
        .order_by(|g| g.key().asc())
        .select(|g| {
            let brazil = g.sum(|(l, _, n, _)| case(n.name.eq("BRAZIL"), revenue(l)).or_else(Decimal::ZERO));
            let all = g.sum(|(l, ..)| revenue(l));
            (g.key(), brazil.cast::<f64>() / all.cast::<f64>())
        })
}

/// Product type profit measure.
pub fn q09() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .join(|l| l.part)
        .join(|(l, _)| l.stock)
        .join(|(l, ..)| l.order)
        .join(|(l, ..)| l.supplier)
        .join(|(.., s)| s.nation)
        .filter(|(_, p, ..)| p.name.contains("green"))
        .group_by(|(_, _, _, o, _, n)| (n.name, o.date.year()))
        .order_by(|g| (g.key().0.asc(), g.key().1.desc()))
        .select(|g| {
            let profit = g.sum(|(l, _, ps, ..)| revenue(l) - ps.cost * l.quantity);
            (g.key().0, g.key().1, profit)
        })
}

/// Returned item reporting.
pub fn q10() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .join(|l| l.order)
        .join(|(_, o)| o.customer)
        .join(|(_, _, c)| c.nation)
        .filter(|(l, o, ..)| {
            let quarter = o.date.ge(day(1993, 10, 1)).and(o.date.lt(day(1994, 1, 1)));
            quarter.and(l.return_flag.eq("R"))
        })
        .group_by(|(_, _, c, n)| (c.id, c.name, c.balance, c.phone, n.name, c.address, c.comment))
        .order_by(|g| (g.sum(|(l, ..)| revenue(l)).desc(), g.key().0.asc()))
        .limit(20)
        .select(|g| {
            let (id, name, balance, phone, nation, address, comment) = g.key();
            (
                id,
                name,
                g.sum(|(l, ..)| revenue(l)),
                balance,
                nation,
                address,
                phone,
                comment,
            )
        })
}

/// Important stock identification.
pub fn q11() -> Query<PartSupp, impl Cells> {
    let german =
        || PartSupp::query().filter(|ps| ps.supplier.any(|s| s.nation.any(|n| n.name.eq("GERMANY"))));
    let total = german().aggregate(|ps| (ps.cost * ps.available).sum());
    german()
        .group_by(|ps| ps.part_id)
        .having(|g| {
            g.sum(|ps| ps.cost * ps.available)
                .gt(value::<PartSupp, _>(hundredths(1)) * total)
        })
        .order_by(|g| (g.sum(|ps| ps.cost * ps.available).desc(), g.key().asc()))
        .select(|g| (g.key(), g.sum(|ps| ps.cost * ps.available)))
}

/// Shipping modes and order priority.
pub fn q12() -> Query<LineItem, impl Cells> {
    let urgent = ["1-URGENT", "2-HIGH"];
    LineItem::query()
        .join(|l| l.order)
        .filter(|(l, _)| l.ship_mode.in_(["MAIL", "SHIP"]))
        .filter(|(l, _)| l.committed.lt(l.received).and(l.shipped.lt(l.committed)))
        .filter(|(l, _)| l.received.ge(day(1994, 1, 1)).and(l.received.lt(day(1995, 1, 1))))
        .group_by(|(l, _)| l.ship_mode)
        .order_by(|g| g.key().asc())
        .select(|g| {
            (
                g.key(),
                g.sum(|(_, o)| case(o.priority.in_(urgent), 1i64).or_else(0)),
                g.sum(|(_, o)| case(o.priority.not_in(urgent), 1i64).or_else(0)),
            )
        })
}

/// Customer distribution.
pub fn q13() -> Query<Customer, impl Cells> {
    let orders = Customer::query()
        .left_join_on(Order::query(), |c, o| {
            o.customer_id
                .eq(c.id)
                .and(o.comment.like("%special%requests%").not())
        })
        .group_by(|(c, _)| c.id)
        .select(|g| (g.key(), g.agg(|(_, o)| o.map(|o| o.id).count())));
    orm::from(orders)
        .group_by(|(_, orders)| orders)
        .order_by(|g| (g.count().desc(), g.key().desc()))
        .select(|g| (g.key(), g.count()))
}

/// Promotion effect.
pub fn q14() -> Query<LineItem, impl Cells> {
    let sums = LineItem::query()
        .join(|l| l.part)
        .filter(|(l, _)| l.shipped.ge(day(1995, 9, 1)).and(l.shipped.lt(day(1995, 10, 1))))
        .aggregate(|(l, p)| {
            let promoted = case(p.kind.starts_with("PROMO"), revenue(l)).or_else(Decimal::ZERO);
            (promoted.sum(), revenue(l).sum())
        });
    orm::from(sums).select(|(promoted, all)| (promoted.cast::<f64>() * 100.0 / all.cast::<f64>(),))
}

/// Top supplier.
pub fn q15() -> Query<Supplier, impl Cells> {
    let revenues = || {
        LineItem::query()
            .filter(|l| l.shipped.ge(day(1996, 1, 1)).and(l.shipped.lt(day(1996, 4, 1))))
            .group_by(|l| l.supplier_id)
            .select(|g| (g.key(), g.sum(revenue)))
    };
    let most = orm::from(revenues()).aggregate(|(_, total)| total.max());
    Supplier::query()
        .join_on(revenues(), |s, (supplier, _)| s.id.eq(supplier))
        .filter(|(_, (_, total))| total.eq(most))
        .order_by(|(s, _)| s.id.asc())
        .select(|(s, (_, total))| (s.id, s.name, s.address, s.phone, total))
}

/// Parts and suppliers.
pub fn q16() -> Query<PartSupp, impl Cells> {
    let complained = Supplier::query()
        .filter(|s| s.comment.like("%Customer%Complaints%"))
        .select(|s| s.id);
    PartSupp::query()
        .join(|ps| ps.part)
        .filter(|(_, p)| {
            p.brand
                .ne("Brand#45")
                .and(p.kind.starts_with("MEDIUM POLISHED").not())
        })
        .filter(|(_, p)| p.size.in_([49, 14, 23, 45, 19, 3, 36, 9]))
        .filter(|(ps, _)| ps.supplier_id.not_in(complained))
        .group_by(|(_, p)| (p.brand, p.kind, p.size))
        .order_by(|g| {
            let suppliers = g.agg(|(ps, _)| ps.supplier_id.count_distinct());
            (
                suppliers.desc(),
                g.key().0.asc(),
                g.key().1.asc(),
                g.key().2.asc(),
            )
        })
        .select(|g| {
            let suppliers = g.agg(|(ps, _)| ps.supplier_id.count_distinct());
            (g.key().0, g.key().1, g.key().2, suppliers)
        })
}

/// Small-quantity-order revenue, of a container that there is at this size.
pub fn q17() -> Query<LineItem, impl Cells> {
    let fifth = Decimal::new(2, 1);
    let sum = LineItem::query()
        .join(|l| l.part)
        .filter(|(_, p)| p.brand.eq("Brand#23").and(p.container.eq("SM PACK")))
        .filter(|(l, p)| l.quantity.lt(p.lines.agg(|other| other.quantity.avg()) * fifth))
        .aggregate(|(l, _)| (l.price.sum(),));
    orm::from(sum).select(|(sum,)| (sum.cast::<f64>() / 7.0,))
}

/// Large volume customers.
pub fn q18() -> Query<LineItem, impl Cells> {
    let large = LineItem::query()
        .group_by(|l| l.order_id)
        .having(|g| g.sum(|l| l.quantity).gt(300))
        .select(|g| g.key());
    LineItem::query()
        .join(|l| l.order)
        .join(|(_, o)| o.customer)
        .filter(|(_, o, _)| o.id.in_(large))
        .group_by(|(_, o, c)| (c.name, c.id, o.id, o.date, o.total))
        .order_by(|g| (g.key().4.desc(), g.key().3.asc(), g.key().2.asc()))
        .limit(100)
        .select(|g| {
            let (name, customer, order, date, total) = g.key();
            (name, customer, order, date, total, g.sum(|(l, ..)| l.quantity))
        })
}

/// Discounted revenue.
pub fn q19() -> Query<LineItem, impl Cells> {
    /// Brand, containers, least quantity, largest size.
    type Offer = (&'static str, [&'static str; 4], i32, i32);
    const OFFERS: [Offer; 3] = [
        ("Brand#12", ["SM CASE", "SM BOX", "SM PACK", "SM PKG"], 1, 5),
        ("Brand#23", ["MED BAG", "MED BOX", "MED PKG", "MED PACK"], 10, 10),
        ("Brand#34", ["LG CASE", "LG BOX", "LG PACK", "LG PKG"], 20, 15),
    ];
    LineItem::query()
        .join(|l| l.part)
        .filter(|(l, p)| {
            any_of(OFFERS.map(|(brand, containers, least, largest)| {
                p.brand
                    .eq(brand)
                    .and(p.container.in_(containers))
                    .and(l.quantity.between(least, least + 10))
                    .and(p.size.between(1, largest))
            }))
        })
        .filter(|(l, _)| {
            l.ship_mode
                .in_(["AIR", "AIR REG"])
                .and(l.instructions.eq("DELIVER IN PERSON"))
        })
        .aggregate(|(l, _)| (revenue(l).sum(),))
}

/// Potential part promotion.
pub fn q20() -> Query<Supplier, impl Cells> {
    let half = Decimal::new(5, 1);
    Supplier::query()
        .filter(|s| s.nation.any(|n| n.name.eq("CANADA")))
        .filter(|s| {
            s.stocks.any(|ps| {
                let shipped = ps.lines.agg(|l| {
                    let in_1994 = l.shipped.ge(day(1994, 1, 1)).and(l.shipped.lt(day(1995, 1, 1)));
                    l.quantity.sum().filter(in_1994)
                });
                let more_than_half = (shipped * half).lt(ps.available);
                ps.part.any(|p| p.name.starts_with("forest")).and(more_than_half)
            })
        })
        .order_by(|s| s.name.asc())
        .select(|s| (s.name, s.address))
}

/// Suppliers who kept orders waiting.
pub fn q21() -> Query<LineItem, impl Cells> {
    LineItem::query()
        .join(|l| l.supplier)
        .join(|(l, _)| l.order)
        .filter(|(l, s, o)| {
            let late = l.received.gt(l.committed);
            late.and(o.status.eq("F"))
                .and(s.nation.any(|n| n.name.eq("SAUDI ARABIA")))
        })
        .filter(|(l, _, o)| o.lines.any(|other| other.supplier_id.ne(l.supplier_id)))
        .filter(|(l, _, o)| {
            o.lines.none(|other| {
                other
                    .supplier_id
                    .ne(l.supplier_id)
                    .and(other.received.gt(other.committed))
            })
        })
        .group_by(|(_, s, _)| s.name)
        .order_by(|g| (g.count().desc(), g.key().asc()))
        .limit(100)
        .select(|g| (g.key(), g.count()))
}

/// Global sales opportunity.
pub fn q22() -> Query<Customer, impl Cells> {
    let codes = ["13", "31", "23", "29", "30", "18", "17"];
    let called = || Customer::query().filter(|c| c.phone.substr(1, 2).in_(codes));
    let average = called()
        .filter(|c| c.balance.gt(0))
        .aggregate(|c| c.balance.avg());
    called()
        .filter(|c| c.balance.gt(average).and(c.orders.exist().not()))
        .group_by(|c| c.phone.substr(1, 2))
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count(), g.sum(|c| c.balance)))
}

//! Chains of hashes over the rows of append-only tables.
//!
//! The hash of a row is over the hash before it and over the row as the database has it, so it is made after the row was
//! written, and lies in a table beside it. Writers of one chain wait for each other; the number of a row in its chain is
//! the primary key there, so that a chain never forks.

use std::fmt;
use std::panic::Location;

use crate::ast::{
    Column as AstColumn, CompareOp, Expr as Node, FromItem, Insert, InsertSource, Join, JoinKind, Nulls,
    Order, Raw as RawStatement, Select, Source, Statement, Table as AstTable, TableRef,
};
use crate::driver::Discard;
use crate::error::{Error, Result};
use crate::exec::beside::{HASH, POSITION};
use crate::exec::collect::{Collect, Values};
use crate::exec::edit::key_of;
use crate::exec::fetch::{Site, plain_step};
use crate::exec::trail::json;
use crate::exec::{Pending, Raw, Serves};
use crate::model::{Chained, Key, Model};
use crate::query::nodes;
use crate::schema::Table;
use crate::sql::{Scope, type_of};
use crate::value::sha256::sha256;
use crate::value::{Held, Row, Value, quoted};

/// So many rows are looked at or written at a time.
const ROWS: usize = 500;

/// A place in a chain. Kept somewhere else, it vouches for every row up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The number of the row, from 1 on.
    pub position: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl fmt::Display for ChainHead {
    /// `12:` and 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.position)?;
        self.hash.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::str::FromStr for ChainHead {
    type Err = Error;
    /// Reads what `Display` wrote.
    fn from_str(text: &str) -> Result<Self> {
        let head = || {
            let (position, digits) = text.split_once(':')?;
            let mut hash = [0; 32];
            if digits.len() != 64 || !digits.is_ascii() {
                return None;
            }
            for (i, byte) in hash.iter_mut().enumerate() {
                *byte = u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()?;
            }
            let position = position.parse().ok()?;
            Some(ChainHead { position, hash })
        };
        head().ok_or_else(|| Error::decode("the head of a chain is written `12:` and 64 hexadecimal digits"))
    }
}

/// What [`verify_chain`](HashChain::verify_chain) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport<K> {
    /// The last row up to which the chain is as it was written.
    pub head: Option<ChainHead>,
    /// What is wrong behind it, if anything is.
    pub fault: Option<ChainFault<K>>,
}

impl<K> ChainReport<K> {
    /// Whether all rows are as they were written.
    pub fn is_intact(&self) -> bool {
        self.fault.is_none()
    }
}

/// The first thing that is wrong in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainFault<K> {
    /// The row of this key is not what was hashed there: it was changed, or stands in another one's place.
    Changed {
        /// Its number in the chain.
        position: i64,
        /// Its key.
        key: K,
    },
    /// The row of this key is gone.
    Missing {
        /// Its number in the chain.
        position: i64,
        /// Its key.
        key: K,
    },
    /// The chain has no entry of this number although later ones are there.
    Gap {
        /// The number.
        position: i64,
    },
    /// The row of this key was not written through the chain.
    Unchained {
        /// Its key.
        key: K,
    },
    /// The chain ends before the place that was kept, or passes it with another hash: its end was cut off, or all of it
    /// was written anew.
    Cut {
        /// The number of that place.
        position: i64,
    },
}

/// Looks at the chain of hashes over the rows of a model.
pub trait HashChain: Model {
    /// Goes through all rows, in the order in which they were written, with bounded memory. A handle with a tenant goes
    /// through those of all tenants: they share one chain.
    ///
    /// ```
    /// # use orm_core::exec::{ChainFault, Db, HashChain, Serves};
    /// # use orm_core::model::Chained;
    /// # async fn run<Posting: Chained>(db: &Db) -> orm_core::error::Result<()> where Db: Serves<Posting> {
    /// let report = Posting::verify_chain(db).await?;
    /// if let Some(ChainFault::Changed { position, key }) = report.fault {
    ///     // somebody changed the row of this key
    /// #   let _ = (position, key);
    /// }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    fn verify_chain<E: Serves<Self> + ?Sized>(ex: &E) -> Pending<'_, ChainReport<Self::Id>>
    where
        Self: Chained,
    {
        Pending::steps(verify::<Self>(ex.raw(), None, Location::caller()))
    }
    /// As [`verify_chain`](HashChain::verify_chain), and the chain has to pass a place that was kept. Without one nobody
    /// can tell that the last rows were removed together with their entries, or that the whole chain was written anew.
    #[track_caller]
    fn verify_chain_from<'a, E: Serves<Self> + ?Sized>(
        ex: &'a E,
        anchor: &ChainHead,
    ) -> Pending<'a, ChainReport<Self::Id>>
    where
        Self: Chained,
    {
        Pending::steps(verify::<Self>(ex.raw(), Some(*anchor), Location::caller()))
    }
    /// The end of the chain, to be kept where those who can write to the database cannot.
    #[track_caller]
    fn chain_head<E: Serves<Self> + ?Sized>(ex: &E) -> Pending<'_, Option<ChainHead>>
    where
        Self: Chained,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        Pending::steps(async move { head(&raw, Self::CHAIN, site).await })
    }
}
impl<M: Model> HashChain for M {}

/// Chains rows that were just written, in their order.
pub(crate) async fn append(
    raw: &Raw<'_>,
    table: &'static Table,
    chain: &'static AstTable,
    rows: &[Vec<Value>],
    site: Site,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    // its entries are about nobody
    let raw = &Raw {
        scope: Scope {
            schemas: raw.scope.schemas.clone(),
            ..Scope::default()
        },
        ..raw.again()
    };
    let digest = sha256(full_name(chain).as_bytes());
    let number = digest.iter().take(8).fold(0, |n, b| n << 8 | i64::from(*b));
    if let Some(parts) = raw.runner.dialect().serialise(number) {
        let columns = Vec::new();
        let wait = Statement::Raw(RawStatement { parts, columns });
        plain_step(raw, wait, None, Box::new(Discard), site).await?;
    }
    let (mut position, mut hash) = match head(raw, chain, site).await? {
        Some(head) => (head.position, head.hash),
        None => (0, start(table)),
    };
    let key: Vec<&'static AstColumn> = table.key_columns().map(|c| &c.column).collect();
    let columns: Vec<&'static AstColumn> = [&POSITION].into_iter().chain(key).chain([&HASH]).collect();
    for rows in rows.chunks(ROWS) {
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            position += 1;
            hash = link(&hash, position, table, row);
            values.push(Value::I64(position));
            values.extend(key_of(table, row));
            values.push(Value::Bytes(hash.to_vec()));
        }
        let insert = Insert {
            with: Vec::new(),
            source: Source::fresh(),
            table: chain,
            columns: columns.clone(),
            rows: InsertSource::Values(values),
            overriding: false,
            conflict: None,
            returning: Vec::new(),
        };
        let insert = Statement::Insert(Box::new(insert));
        plain_step(raw, insert, None, Box::new(Discard), site).await?;
    }
    Ok(())
}

fn full_name(table: &AstTable) -> String {
    format!("{}.{}", table.schema.unwrap_or_default(), table.name)
}

/// What stands before the first row, another one for each table.
fn start(table: &Table) -> [u8; 32] {
    sha256(full_name(&table.table).as_bytes())
}

fn link(before: &[u8; 32], position: i64, table: &'static Table, row: &[Value]) -> [u8; 32] {
    let mut text = before.to_vec();
    text.extend(position.to_be_bytes());
    text.extend(content(table, row).into_bytes());
    sha256(&text)
}

/// All of a row as text. NULLs are left out, so that a column that is added later and takes NULL breaks no chain.
fn content(table: &'static Table, row: &[Value]) -> String {
    let mut out = String::from("{");
    for (column, value) in table.columns.iter().zip(row).filter(|(_, v)| !v.is_null()) {
        if out.len() > 1 {
            out.push(',');
        }
        quoted(&mut out, column.field);
        out.push(':');
        json(&mut out, value);
    }
    out.push('}');
    out
}

async fn head(raw: &Raw<'_>, chain: &'static AstTable, site: Site) -> Result<Option<ChainHead>> {
    let source = Source::fresh();
    let mut select = Select::from(TableRef::unguarded(source, FromItem::Table(chain)));
    select.columns = vec![Node::Column(source, &POSITION), Node::Column(source, &HASH)];
    select.order = vec![Order {
        desc: true,
        ..by_position(source)
    }];
    select.limit = Some(1);
    let select = Statement::Select(Box::new(select));
    let done = plain_step(raw, select, None, Collect::<(i64, Vec<u8>)>::boxed(), site).await?;
    let last = Collect::<(i64, Vec<u8>)>::take(done.sink)?.pop();
    let head = |(position, hash): (i64, Vec<u8>)| {
        let hash = hash
            .try_into()
            .map_err(|_| Error::decode("a hash of a chain has not 32 bytes"))?;
        Ok(ChainHead { position, hash })
    };
    last.map(head).transpose()
}

fn by_position(source: Source) -> Order {
    Order {
        expr: Node::Column(source, &POSITION),
        desc: false,
        nulls: Nulls::Default,
    }
}

async fn verify<M: Chained>(
    raw: Raw<'_>,
    anchor: Option<ChainHead>,
    site: Site,
) -> Result<ChainReport<M::Id>> {
    let (table, width) = (M::TABLE, M::TABLE.key.len());
    let (mut position, mut hash) = (0, start(table));
    let report = |position: i64, hash: [u8; 32], fault| ChainReport {
        head: (position > 0).then_some(ChainHead { position, hash }),
        fault,
    };
    loop {
        let entries = entries(&raw, table, M::CHAIN, position, site).await?;
        let last = entries.len() < ROWS;
        for entry in entries {
            let (own, row) = entry.split_at(width + 2);
            let next = position + 1;
            let key = || M::Id::read(&mut Row::new(&Held(&own[2..])));
            let fault = match (&own[0], &own[1]) {
                (Value::I64(found), _) if *found != next => Some(ChainFault::Gap { position: next }),
                _ if table.key.iter().all(|&i| row.get(i).is_none_or(Value::is_null)) => {
                    Some(ChainFault::Missing {
                        position: next,
                        key: key()?,
                    })
                }
                (_, Value::Bytes(found)) if found[..] == link(&hash, next, table, row) => None,
                _ => Some(ChainFault::Changed {
                    position: next,
                    key: key()?,
                }),
            };
            if fault.is_some() {
                return Ok(report(position, hash, fault));
            }
            (position, hash) = (next, link(&hash, next, table, row));
            if anchor.is_some_and(|anchor| anchor.position == position && anchor.hash != hash) {
                return Ok(report(position, hash, Some(ChainFault::Cut { position })));
            }
        }
        if last {
            break;
        }
    }
    let cut = anchor.filter(|anchor| anchor.position > position);
    let fault = match cut {
        Some(ChainHead { position, .. }) => Some(ChainFault::Cut { position }),
        None => match unchained(&raw, table, M::CHAIN, site).await? {
            Some(key) => Some(ChainFault::Unchained {
                key: M::Id::read(&mut Row::new(&Held(&key)))?,
            }),
            None => None,
        },
    };
    Ok(report(position, hash, fault))
}

/// Number, hash, key and row of the next entries of a chain, by their numbers.
async fn entries(
    raw: &Raw<'_>,
    table: &'static Table,
    chain: &'static AstTable,
    after: i64,
    site: Site,
) -> Result<Vec<Vec<Value>>> {
    let (link, row) = (Source::fresh(), Source::fresh());
    let mut select = beside(table, (link, chain), (row, &table.table));
    select.columns = vec![Node::Column(link, &POSITION), Node::Column(link, &HASH)];
    select.columns.extend(nodes(link, table.key_columns()));
    select.columns.extend(nodes(row, table.columns));
    select.filter = vec![Node::Compare(
        CompareOp::Gt,
        Box::new(Node::Column(link, &POSITION)),
        Box::new(Node::Value(Value::I64(after))),
    )];
    select.order = vec![by_position(link)];
    select.limit = Some(ROWS as u64);
    values(raw, select, site).await
}

/// The key of a row without an entry.
async fn unchained(
    raw: &Raw<'_>,
    table: &'static Table,
    chain: &'static AstTable,
    site: Site,
) -> Result<Option<Vec<Value>>> {
    let (link, row) = (Source::fresh(), Source::fresh());
    let mut select = beside(table, (row, &table.table), (link, chain));
    select.columns = nodes(row, table.key_columns());
    select.filter = vec![Node::IsNull(Box::new(Node::Column(link, &POSITION)), false)];
    select.order = select.columns.iter().cloned().map(ascending).collect();
    select.limit = Some(1);
    Ok(values(raw, select, site).await?.pop())
}

fn ascending(expr: Node) -> Order {
    Order {
        expr,
        desc: false,
        nulls: Nulls::Default,
    }
}

/// All rows of the first table, with that of the second that has the same key.
fn beside(
    table: &'static Table,
    all: (Source, &'static AstTable),
    some: (Source, &'static AstTable),
) -> Select {
    let mut select = Select::from(TableRef::unguarded(all.0, FromItem::Table(all.1)));
    let same = nodes(all.0, table.key_columns())
        .into_iter()
        .zip(nodes(some.0, table.key_columns()))
        .map(|(a, b)| Node::Compare(CompareOp::Eq, Box::new(a), Box::new(b)));
    select.joins.push(Join {
        kind: JoinKind::Left,
        table: TableRef::unguarded(some.0, FromItem::Table(some.1)),
        on: same.collect(),
    });
    select
}

async fn values(raw: &Raw<'_>, select: Select, site: Site) -> Result<Vec<Vec<Value>>> {
    let sink = Values::boxed(select.columns.iter().map(type_of).collect());
    let done = plain_step(raw, Statement::Select(Box::new(select)), None, sink, site).await?;
    Values::take(done.sink)
}

//! Pages of a query: what is asked for, what comes back, and the cursor between two of them.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::query::Query;

/// A query page by page, in its order; made by [`Query::page`]. Without [`after`](Paged::after), [`before`](Paged::before)
/// or [`last`](Paged::last) it is the first page.
///
/// The primary key is added to the order, so that rows that are equal in it have one place each. A page begins where the
/// last one ended, by the values of that row and not by counting: rows that come and go in between shift nothing.
#[must_use = "a page does nothing until `.fetch(&db)` runs it"]
pub struct Paged<M: Model, O = M> {
    pub(crate) query: Query<M, O>,
    pub(crate) size: u64,
    pub(crate) position: Position,
}

/// Where a page lies.
#[derive(Clone, Debug)]
pub(crate) enum Position {
    First,
    Last,
    After(PageCursor),
    Before(PageCursor),
}

impl<M: Model, O> Clone for Paged<M, O> {
    fn clone(&self) -> Self {
        Paged {
            query: self.query.clone(),
            size: self.size,
            position: self.position.clone(),
        }
    }
}

impl<M: Model, O> Query<M, O> {
    /// So many rows at a time, from where a cursor points to: keyset pages.
    ///
    /// ```
    /// # use orm_core::{exec::{Db, Serves}, model::Model, query::{PageCursor, Query}, value::Output};
    /// # async fn run<Post: Model + Output>(posts: Query<Post>, db: &Db, given: Option<PageCursor>) -> orm_core::error::Result<()>
    /// # where Db: Serves<Post> {
    /// let page = posts.page(50).after(given).fetch(db).await?;
    /// let link = page.next.map(|cursor| format!("/posts?after={cursor}"));
    /// # Ok(()) }
    /// ```
    ///
    /// ```sql
    /// SELECT …, t0."created_at", t0."id" FROM "posts" AS t0
    /// WHERE (t0."created_at", t0."id") < ($1, $2)
    /// ORDER BY t0."created_at" DESC, t0."id" DESC LIMIT $3
    /// ```
    pub fn page(self, size: u64) -> Paged<M, O> {
        Paged {
            query: self,
            size,
            position: Position::First,
        }
    }
}

impl<M: Model, O> Paged<M, O> {
    fn at(mut self, cursor: impl PageStart, position: fn(PageCursor) -> Position) -> Self {
        if let Some(cursor) = cursor.into_cursor() {
            self.position = position(cursor);
        }
        self
    }
    /// The rows behind the cursor: a page's `next`. `None` changes nothing, so that what a client sent can be passed on.
    pub fn after(self, cursor: impl PageStart) -> Self {
        self.at(cursor, Position::After)
    }
    /// The rows in front of the cursor: a page's `previous`. They come in the query's order. `None` changes nothing.
    pub fn before(self, cursor: impl PageStart) -> Self {
        self.at(cursor, Position::Before)
    }
    /// The last rows, in the query's order.
    pub fn last(mut self) -> Self {
        self.position = Position::Last;
        self
    }
    /// The page of this number, counted from 1, with how many rows and pages there are: offset pages. What a page with a
    /// high number costs is all the rows in front of it; a cursor has no such cost.
    pub fn number(self, number: u64) -> NumberedPages<M, O> {
        NumberedPages {
            query: self.query,
            size: self.size,
            number,
        }
    }
}

/// A cursor, or none where the first page is meant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the cursor of a page",
    label = "expected `PageCursor` or `Option<PageCursor>`",
    note = "parse what a client sent: `text.parse::<orm::PageCursor>()?`"
)]
pub trait PageStart {
    /// The cursor.
    fn into_cursor(self) -> Option<PageCursor>;
}
#[diagnostic::do_not_recommend]
impl PageStart for PageCursor {
    fn into_cursor(self) -> Option<PageCursor> {
        Some(self)
    }
}
#[diagnostic::do_not_recommend]
impl PageStart for &PageCursor {
    fn into_cursor(self) -> Option<PageCursor> {
        Some(self.clone())
    }
}
#[diagnostic::do_not_recommend]
impl<C: PageStart> PageStart for Option<C> {
    fn into_cursor(self) -> Option<PageCursor> {
        self.and_then(C::into_cursor)
    }
}

/// A query by numbered pages; made by [`Paged::number`].
#[must_use = "a page does nothing until `.fetch(&db)` runs it"]
pub struct NumberedPages<M: Model, O = M> {
    pub(crate) query: Query<M, O>,
    pub(crate) size: u64,
    pub(crate) number: u64,
}

impl<M: Model, O> Clone for NumberedPages<M, O> {
    fn clone(&self) -> Self {
        NumberedPages {
            query: self.query.clone(),
            size: self.size,
            number: self.number,
        }
    }
}

/// Some rows of a query and how to go on from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<O> {
    /// The rows, in the query's order.
    pub items: Vec<O>,
    /// For [`Paged::after`]; `None` where no row follows.
    pub next: Option<PageCursor>,
    /// For [`Paged::before`]; `None` where no row comes before.
    pub previous: Option<PageCursor>,
}

impl<O> Page<O> {
    /// Whether rows follow.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }
    /// The same page with other items.
    pub fn map<T>(self, f: impl FnMut(O) -> T) -> Page<T> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
            previous: self.previous,
        }
    }
}

/// A page by its number. Rows and `total` are of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedPage<O> {
    /// The rows, in the query's order; none behind the last page.
    pub items: Vec<O>,
    /// Which page it is, counted from 1.
    pub number: u64,
    /// How many pages there are.
    pub pages: u64,
    /// How many rows all pages have.
    pub total: u64,
}

/// A place in the order of a query, to go on from. Text for clients (`Display` and `FromStr`; with the feature `json` also
/// serde), opaque to them.
///
/// It holds the values that a row has in the order, readable by whoever takes it apart, and it is not signed: a changed
/// one is refused, or is another place in the same rows. It serves the query it came from, with whatever values its
/// conditions compare: another order, other conditions or another backend make it an `InvalidCursor` error.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageCursor {
    pub(crate) fingerprint: u64,
    /// Whether the row itself belongs to the page: it was the end of an empty one.
    pub(crate) inclusive: bool,
    /// The values in the order of the query, by their types.
    pub(crate) values: Vec<u8>,
}

const VERSION: u8 = 1;
/// Version, flags, fingerprint.
const HEAD: usize = 10;

impl PageCursor {
    pub(crate) fn including(mut self) -> Self {
        self.inclusive = true;
        self
    }
    /// The text was no cursor, or one of another query.
    #[cold]
    pub(crate) fn invalid(message: &'static str) -> Error {
        Error::new(ErrorKind::InvalidCursor, message)
    }
}

impl fmt::Debug for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the values are those of a row
        f.write_str("PageCursor(..)")
    }
}

/// The digits of base64 for URLs.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(HEAD + self.values.len());
        bytes.push(VERSION);
        bytes.push(u8::from(self.inclusive));
        bytes.extend(self.fingerprint.to_be_bytes());
        bytes.extend(&self.values);
        let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
        for three in bytes.chunks(3) {
            let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            let digits = (0..=three.len()).map(|i| DIGITS[(bits >> (18 - 6 * i)) as usize & 63]);
            text.extend(digits.map(char::from));
        }
        f.write_str(&text)
    }
}

impl FromStr for PageCursor {
    type Err = Error;
    /// Reads what `Display` wrote; everything else is an `InvalidCursor` error.
    fn from_str(text: &str) -> Result<Self> {
        let bytes = bytes_of(text).ok_or_else(|| PageCursor::invalid("the text is no cursor"))?;
        let (Some((&[VERSION, flags @ 0..=1], rest)), true) = (bytes.split_first_chunk(), text.is_ascii())
        else {
            return Err(PageCursor::invalid("the text is no cursor"));
        };
        let Some((fingerprint, values)) = rest.split_first_chunk() else {
            return Err(PageCursor::invalid("the text is no cursor"));
        };
        Ok(PageCursor {
            fingerprint: u64::from_be_bytes(*fingerprint),
            inclusive: flags == 1,
            values: values.to_vec(),
        })
    }
}

/// The bytes of base64; `None` for anything that `Display` does not write.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digit = |c: &u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for (i, c) in four.iter().enumerate() {
            bits |= u32::from(digit(c)?) << (18 - 6 * i);
        }
        let n = four.len() - 1;
        let all = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        // one digit alone is no byte, and bits that no byte takes are zero: one text for each cursor
        if n == 0 || all.get(n..)?.iter().any(|rest| *rest != 0) {
            return None;
        }
        bytes.extend(&all[..n]);
    }
    Some(bytes)
}

#[cfg(feature = "json")]
impl serde::Serialize for PageCursor {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(feature = "json")]
impl<'de> serde::Deserialize<'de> for PageCursor {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(d)?;
        text.parse()
            .map_err(|e: Error| serde::de::Error::custom(e.message().to_owned()))
    }
}

//! Columns of embedded structs, put in their place while the program is compiled. Called by generated code only.
//!
//! An embedded struct describes its columns once, as if they were alone in a table. Each model that holds it copies
//! them into its own list, under names with a prefix, so that whoever reads a table sees ordinary columns.

use crate::ast;
use crate::schema::name::MAX_BYTES;
use crate::schema::{Column, Default, Fragment, Role, Table};
use crate::value::Type;

/// The condition that a column's embedded struct asks for, in terms of this table.
pub(crate) fn condition(table: &Table, column: &Column, check: &[Fragment]) -> String {
    let parent = column.field.rfind('.').map_or("", |dot| &column.field[..=dot]);
    let fragments = check.iter().map(|fragment| match *fragment {
        Fragment::Sql(sql) => sql.to_owned(),
        Fragment::Field(field) => {
            let path = format!("{parent}{field}");
            let column = table.columns.iter().find(|c| c.field == path);
            let name = column.map_or(field, |c| c.column.name);
            format!("\"{}\"", name.replace('"', "\"\""))
        }
    });
    fragments.collect()
}

/// An embedded struct in its place.
pub struct Embedding {
    /// How many columns stand before it, without those of other embedded structs.
    pub after: usize,
    /// Its own description.
    pub columns: &'static [Column],
    /// What [`joined`] made of the description.
    pub text: &'static [u8],
    /// Before the name of every column.
    pub prefix: &'static str,
    /// The field that holds it.
    pub field: &'static str,
    /// Held in an `Option`: every column takes NULL.
    pub optional: bool,
    /// No value is ever logged.
    pub sensitive: bool,
    /// Of columns that have none of their own.
    pub comment: &'static str,
}

/// How many bytes [`joined`] makes.
pub const fn joined_len(columns: &[Column], prefix: &str, field: &str) -> usize {
    let (mut i, mut len) = (0, 0);
    while i < columns.len() {
        len += prefix.len() + columns[i].column.name.len() + field.len() + 1 + columns[i].field.len();
        i += 1;
    }
    len
}

/// The names of all columns in their place, each followed by the path to its field: `home_city`, `home.city`.
pub const fn joined<const N: usize>(columns: &[Column], prefix: &str, field: &str) -> [u8; N] {
    let (mut out, mut at, mut i) = ([0; N], 0, 0);
    while i < columns.len() {
        let words = [prefix, columns[i].column.name, field, ".", columns[i].field];
        let mut w = 0;
        while w < words.len() {
            let (bytes, mut b) = (words[w].as_bytes(), 0);
            while b < bytes.len() {
                out[at] = bytes[b];
                (at, b) = (at + 1, b + 1);
            }
            w += 1;
        }
        i += 1;
    }
    out
}

/// All columns of a table or an embedded struct: its own ones, and between them those of the structs in it.
pub const fn columns<const N: usize>(own: &[Column], embedded: &[Embedding]) -> [Column; N] {
    let mut out = [const { BLANK }; N];
    let (mut at, mut o, mut e) = (0, 0, 0);
    while at < N {
        if e < embedded.len() && embedded[e].after == o {
            let (mut text, mut i) = (embedded[e].text, 0);
            while i < embedded[e].columns.len() {
                (out[at], text) = placed(&embedded[e], &embedded[e].columns[i], text);
                (at, i) = (at + 1, i + 1);
            }
            e += 1;
        } else {
            out[at] = copy(&own[o]);
            (at, o) = (at + 1, o + 1);
        }
    }
    out
}

pub(crate) const BLANK: Column = Column {
    column: ast::Column {
        name: "",
        ty: Type::Bool,
        nullable: false,
        sensitive: false,
        system: false,
        part: 0,
    },
    field: "",
    types: &[],
    default: Default::None,
    generated: None,
    validator: None,
    role: Role::Plain,
    index: false,
    check: None,
    comment: "",
};

/// Columns are compared by address, and so they are copied here and nowhere else.
pub(crate) const fn copy(from: &Column) -> Column {
    let Column {
        column:
            ast::Column {
                name,
                ty,
                nullable,
                sensitive,
                system,
                part,
            },
        field,
        types,
        default,
        generated,
        validator,
        role,
        index,
        check,
        comment,
    } = from;
    Column {
        column: ast::Column {
            name,
            ty: *ty,
            nullable: *nullable,
            sensitive: *sensitive,
            system: *system,
            part: *part,
        },
        field,
        types,
        default: *default,
        validator: *validator,
        generated: *generated,
        role: *role,
        index: *index,
        check: *check,
        comment,
    }
}

/// A column under its new names, and the names of those after it.
const fn placed(at: &Embedding, from: &Column, text: &'static [u8]) -> (Column, &'static [u8]) {
    let (name, text) = text.split_at(at.prefix.len() + from.column.name.len());
    let (field, text) = text.split_at(at.field.len() + 1 + from.field.len());
    let mut column = copy(from);
    column.column.name = utf8(name);
    column.field = utf8(field);
    column.column.nullable |= at.optional;
    column.column.sensitive |= at.sensitive;
    if column.comment.is_empty() {
        column.comment = at.comment;
    }
    (column, text)
}

const fn utf8(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a name that is no text"),
    }
}

/// Refuses an embedded struct at a place where it cannot be: its columns begin at `start` of a table's `columns`.
///
/// - The names are not too long.
/// - No column before it and none of the table's own columns behind it has the name of one of its columns, without
///   regard to ASCII case, as on SQLite. Two embedded structs are compared once.
/// - In an `Option` some field is required, or nothing could be told from something with nothing in it.
pub const fn embedded(columns: &[Column], start: usize, list: &[Column], optional: bool) {
    let end = start + list.len();
    let (mut i, mut required) = (start, false);
    while i < end {
        let (name, field) = (columns[i].column.name, columns[i].field);
        if name.len() > MAX_BYTES {
            refuse(&["`", name, "` is longer than 63 bytes: choose a shorter `prefix`"]);
        }
        let mut j = 0;
        while j < columns.len() {
            let other = j < start || (j >= end && is_own(&columns[j]));
            if other && name.eq_ignore_ascii_case(columns[j].column.name) {
                let (first, stored) = (columns[j].field, "` are both stored as column `");
                refuse(&[
                    "`",
                    first,
                    "` and `",
                    field,
                    stored,
                    name,
                    "`: choose another `prefix`",
                ]);
            }
            j += 1;
        }
        required |= !list[i - start].column.nullable;
        i += 1;
    }
    if optional && !required {
        refuse(&[
            "every field of this struct is an `Option`, so nothing and a struct of nothing are the same NULLs: ",
            "drop the `Option` here, or one of those",
        ]);
    }
}

const fn is_own(column: &Column) -> bool {
    let (bytes, mut i) = (column.field.as_bytes(), 0);
    while i < bytes.len() {
        if bytes[i] == b'.' {
            return false;
        }
        i += 1;
    }
    true
}

/// A constant can only be refused with a text, not with a format.
pub(crate) const fn refuse(words: &[&str]) -> ! {
    let (mut out, mut at, mut w) = ([b' '; 512], 0, 0);
    while w < words.len() {
        let (bytes, mut b) = (words[w].as_bytes(), 0);
        while b < bytes.len() && at < out.len() {
            out[at] = bytes[b];
            (at, b) = (at + 1, b + 1);
        }
        w += 1;
    }
    match std::str::from_utf8(out.split_at(at).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("two fields are stored as one column, or one has a name of more than 63 bytes"),
    }
}

/// Where the field at this path stands among the columns of an embedded struct; refused with `message` if nowhere.
pub const fn part(columns: &[Column], path: &str, message: &str) -> usize {
    let mut i = 0;
    while i < columns.len() {
        if same(columns[i].field.as_bytes(), path.as_bytes()) {
            return i;
        }
        i += 1;
    }
    panic!("{}", message)
}

pub(crate) const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
}

/// Positions written out, of ranges given by start and length.
pub const fn positions<const N: usize>(ranges: &[(usize, usize)]) -> [usize; N] {
    let (mut out, mut at, mut r) = ([0; N], 0, 0);
    while r < ranges.len() {
        let mut i = 0;
        while i < ranges[r].1 {
            out[at] = ranges[r].0 + i;
            (at, i) = (at + 1, i + 1);
        }
        r += 1;
    }
    out
}

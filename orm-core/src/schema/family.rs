//! The table of an enum of models, put together while the program is compiled. Called by generated code only.
//!
//! The enum and its variants are derived one by one, and none of the macros sees the fields of another struct. Each
//! describes its own columns; what follows from all of them is worked out here: the columns that the enum reads, where
//! among them the fields of a variant lie, and that the variants agree.

use crate::ast::{Table, TablePart};
use crate::schema::embed::{BLANK, copy, refuse, same};
use crate::schema::{Column, Default, Role};
use crate::value::Type;

/// A variant, as its enum sees it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The name of the Rust type.
    pub model: &'static str,
    /// What the discriminator says of it.
    pub label: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// How many of them are fields of the struct.
    pub fields: usize,
    /// The table of its own columns, if they have one of their own.
    pub part: Option<TablePart>,
    /// Whether it has validators or hooks.
    pub watched: bool,
    /// Whether its changes are written down, and whether there are any.
    pub kept: Kept,
}

/// What holds for all rows of a table, whichever model they are written as.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Every change is written down.
    pub audit_trail: bool,
    /// Rows are neither changed nor deleted.
    pub append_only: bool,
}

/// What the enum says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Common {
    /// The name of the Rust type.
    pub model: &'static str,
    /// Its columns: the fields that all variants have, the discriminator, and what the library keeps.
    pub columns: &'static [Column],
    /// How many of them are fields.
    pub fields: usize,
    /// What holds for the rows of all variants.
    pub kept: Kept,
}

/// Whether any of the variants has validators or hooks.
pub const fn watched(kinds: &[Kind]) -> bool {
    let mut k = 0;
    while k < kinds.len() {
        if kinds[k].watched {
            return true;
        }
        k += 1;
    }
    false
}

/// How many columns only variants have.
pub const fn extra(common: &Common, kinds: &[Kind]) -> usize {
    let (mut n, mut k) = (0, 0);
    while k < kinds.len() {
        let mut i = 0;
        while i < kinds[k].fields {
            if is_first(common, kinds, k, i) {
                n += 1;
            }
            i += 1;
        }
        k += 1;
    }
    n
}

/// All columns of the enum: its own fields, the discriminator, those that only variants have, and those that the
/// library keeps.
pub const fn union<const N: usize>(common: &Common, kinds: &[Kind]) -> [Column; N] {
    let mut out = [const { BLANK }; N];
    let (mut at, mut k, mut c) = (0, 0, 0);
    while c <= common.fields {
        out[at] = copy(&common.columns[c]);
        (at, c) = (at + 1, c + 1);
    }
    while k < kinds.len() {
        let mut i = 0;
        while i < kinds[k].fields {
            if is_first(common, kinds, k, i) {
                out[at] = copy(&kinds[k].columns[i]);
                out[at].column.nullable = true;
                out[at].column.part = part_of(kinds, k);
                out[at].validator = None;
                // what fills it is filled in where rows of the variant are made
                out[at].default = Default::None;
                at += 1;
            }
            i += 1;
        }
        k += 1;
    }
    while c < common.columns.len() {
        out[at] = copy(&common.columns[c]);
        (at, c) = (at + 1, c + 1);
    }
    out
}

/// How many tables hold columns of variants.
pub const fn part_count(kinds: &[Kind]) -> usize {
    part_of(kinds, kinds.len()) as usize - 1
}

static NOWHERE: Table = Table {
    schema: None,
    name: "",
    unique: &[],
    soft_delete: None,
    tenant: None,
    filters: &[],
    history: None,
    tag: None,
    parts: &[],
};

/// Those tables, in the order of the variants.
pub const fn parts<const N: usize>(kinds: &[Kind]) -> [TablePart; N] {
    let none = TablePart {
        table: &NOWHERE,
        required: false,
    };
    let (mut out, mut at, mut k) = ([none; N], 0, 0);
    while k < kinds.len() {
        if let Some(part) = kinds[k].part {
            out[at] = TablePart {
                required: false,
                ..part
            };
            at += 1;
        }
        k += 1;
    }
    out
}

/// Where the fields of a variant lie among the columns of its enum.
pub const fn places<const N: usize>(columns: &[Column], kinds: &[Kind], k: usize) -> [usize; N] {
    let (mut out, mut i) = ([0; N], 0);
    while i < N {
        let own = find_in(columns, kinds[k].columns[i].column.name, part_of(kinds, k));
        out[i] = match own {
            Some(at) => at,
            None => {
                let words = ["`", kinds[k].model, "` has a column that its enum does not have"];
                refuse(&words)
            }
        };
        i += 1;
    }
    out
}

/// How many columns a row of the enum has: all that any variant shows.
pub const fn read(own: usize, places: &[&[usize]]) -> usize {
    let (mut most, mut p) = (own, 0);
    while p < places.len() {
        let mut i = 0;
        while i < places[p].len() {
            if places[p][i] >= most {
                most = places[p][i] + 1;
            }
            i += 1;
        }
        p += 1;
    }
    most
}

/// The columns of a variant with a table of its own: all but the common ones stand there.
pub const fn joined<const N: usize>(mut columns: [Column; N], common: &Common) -> [Column; N] {
    let mut i = 0;
    while i < N {
        let shared = find(common.columns, columns[i].column.name).is_some();
        columns[i].column.part = !shared as u8;
        i += 1;
    }
    columns
}

/// Refuses a constraint or an index over columns of both tables of a variant.
pub const fn in_one_table(columns: &[Column], list: &[usize]) {
    let mut i = 1;
    while i < list.len() {
        let (one, two) = (&columns[list[0]], &columns[list[i]]);
        if one.column.part != two.column.part {
            {
                let words = [
                    "`",
                    one.field,
                    "` and `",
                    two.field,
                    "` are columns of two tables: a constraint or an index is over those of one",
                ];
                refuse(&words)
            }
        }
        i += 1;
    }
}

/// Refuses another table than that of the enum.
pub const fn same_table(given: &str, common: &Common, name: &str) {
    if !same(given.as_bytes(), name.as_bytes()) {
        {
            let words = [
                "the rows are in `",
                name,
                "`, the table of `",
                common.model,
                "`: drop `table`, or add `joined` for a table of its own",
            ];
            refuse(&words)
        }
    }
}

/// The discriminator of an enum, in the table of a variant.
pub const fn discriminator(common: &Common) -> Column {
    copy(&common.columns[common.fields])
}

/// Refuses variants that do not fit together.
///
/// - Each has its own label.
/// - Each has the common fields, of the same type, and what the library keeps of all of them.
/// - What the library keeps of one of them it keeps of all, and so with the audit trail and append-only rows.
/// - Columns of the same name in the same table are of the same type.
pub const fn agree(common: &Common, kinds: &[Kind]) {
    let mut k = 0;
    while k < kinds.len() {
        let mut other = 0;
        while other < k {
            if same(kinds[other].label.as_bytes(), kinds[k].label.as_bytes()) {
                let (one, two, label) = (kinds[other].model, kinds[k].model, kinds[k].label);
                {
                    let words = [
                        "`",
                        one,
                        "` and `",
                        two,
                        "` have the same tag `",
                        label,
                        "`: give one of them another `tag = \"..\"`",
                    ];
                    refuse(&words)
                }
            }
            other += 1;
        }
        same_kept(common, &kinds[k]);
        has_common(common, &kinds[k]);
        own_fit(common, kinds, k);
        k += 1;
    }
}

const fn same_kept(common: &Common, kind: &Kind) {
    let (one, other) = (common.kept, kind.kept);
    let attribute = match (
        one.audit_trail == other.audit_trail,
        one.append_only == other.append_only,
    ) {
        (false, _) => "audit_trail",
        (true, false) => "append_only",
        (true, true) => return,
    };
    let words = [
        "one of `",
        common.model,
        "` and `",
        kind.model,
        "` is `",
        attribute,
        "` and the other is not: give it to both",
    ];
    refuse(&words)
}

const fn has_common(common: &Common, kind: &Kind) {
    let mut c = 0;
    while c < common.columns.len() {
        let wanted = &common.columns[c];
        let name = wanted.column.name;
        let found = match find(kind.columns, name) {
            Some(at) => &kind.columns[at],
            None if is_kept(wanted) => {
                let words = [
                    "`",
                    common.model,
                    "` keeps `",
                    name,
                    "` and `",
                    kind.model,
                    "` does not: give both the same attribute",
                ];
                refuse(&words)
            }
            None => {
                let words = [
                    "`",
                    kind.model,
                    "` has no column `",
                    name,
                    "`, which all variants of `",
                    common.model,
                    "` have: add the field",
                ];
                refuse(&words)
            }
        };
        if !same_type(found.column.ty, wanted.column.ty) || found.column.nullable != wanted.column.nullable {
            {
                let words = [
                    "`",
                    name,
                    "` of `",
                    kind.model,
                    "` is of another type than `",
                    name,
                    "` of `",
                    common.model,
                    "`: make them the same",
                ];
                refuse(&words)
            }
        }
        if found.role as u8 != wanted.role as u8 {
            {
                let words = [
                    "`",
                    name,
                    "` is kept by the library in one of `",
                    common.model,
                    "` and `",
                    kind.model,
                    "` only: give both the same attribute",
                ];
                refuse(&words)
            }
        }
        c += 1;
    }
}

const fn own_fit(common: &Common, kinds: &[Kind], k: usize) {
    let kind = &kinds[k];
    let mut i = 0;
    while i < kind.columns.len() {
        let column = &kind.columns[i];
        let name = column.column.name;
        if find(common.columns, name).is_none() {
            if is_kept(column) {
                {
                    let words = [
                        "`",
                        kind.model,
                        "` keeps `",
                        name,
                        "` and `",
                        common.model,
                        "` does not: give both the same attribute",
                    ];
                    refuse(&words)
                }
            }
            let mut other = 0;
            while kind.part.is_none() && other < k {
                if let (None, Some(at)) = (&kinds[other].part, find(kinds[other].columns, name))
                    && !same_type(kinds[other].columns[at].column.ty, column.column.ty)
                {
                    {
                        let words = [
                            "`",
                            kinds[other].model,
                            "` and `",
                            kind.model,
                            "` store `",
                            name,
                            "` as different types in one column: rename one of them with `column = \"..\"`",
                        ];
                        refuse(&words)
                    }
                }
                other += 1;
            }
        }
        i += 1;
    }
}

/// Whether the library looks after the column.
const fn is_kept(column: &Column) -> bool {
    !matches!(column.role, Role::Plain)
}

/// Whether the column of this variant is in no table that was looked at before.
const fn is_first(common: &Common, kinds: &[Kind], k: usize, i: usize) -> bool {
    let name = kinds[k].columns[i].column.name;
    if find(common.columns, name).is_some() {
        return false;
    }
    let mut other = 0;
    while kinds[k].part.is_none() && other < k {
        if kinds[other].part.is_none()
            && find_among(kinds[other].columns, kinds[other].fields, name).is_some()
        {
            return false;
        }
        other += 1;
    }
    true
}

/// The number of the table with the columns of this variant.
const fn part_of(kinds: &[Kind], k: usize) -> u8 {
    let (mut n, mut i) = (1, 0);
    while i < k && i < kinds.len() {
        n += kinds[i].part.is_some() as u8;
        i += 1;
    }
    match k < kinds.len() && kinds[k].part.is_none() {
        true => 0,
        false => n,
    }
}

/// The column of this name in this part, or else in the table itself.
const fn find_in(columns: &[Column], name: &str, part: u8) -> Option<usize> {
    let mut i = 0;
    while i < columns.len() {
        if columns[i].column.part == part && columns[i].column.name.eq_ignore_ascii_case(name) {
            return Some(i);
        }
        i += 1;
    }
    match part {
        0 => None,
        _ => find_in(columns, name, 0),
    }
}

const fn find(columns: &[Column], name: &str) -> Option<usize> {
    find_among(columns, columns.len(), name)
}

const fn find_among(columns: &[Column], many: usize, name: &str) -> Option<usize> {
    let mut i = 0;
    while i < many {
        if columns[i].column.name.eq_ignore_ascii_case(name) {
            return Some(i);
        }
        i += 1;
    }
    None
}

const fn same_type(one: Type, other: Type) -> bool {
    match (one, other) {
        (Type::Decimal(p, s), Type::Decimal(q, t)) => p == q && s == t,
        (Type::Enum(a), Type::Enum(b)) => same(a.name.as_bytes(), b.name.as_bytes()),
        (Type::Array(a), Type::Array(b)) => same_type(a.ty(), b.ty()),
        (Type::Range(a), Type::Range(b)) => a as u8 == b as u8,
        (Type::Other(a), Type::Other(b)) => same(a.name.as_bytes(), b.name.as_bytes()),
        (Type::Bool, Type::Bool)
        | (Type::I16, Type::I16)
        | (Type::I32, Type::I32)
        | (Type::I64, Type::I64)
        | (Type::F32, Type::F32)
        | (Type::F64, Type::F64)
        | (Type::Text, Type::Text)
        | (Type::Bytes, Type::Bytes)
        | (Type::Uuid, Type::Uuid)
        | (Type::Timestamp, Type::Timestamp)
        | (Type::LocalTimestamp, Type::LocalTimestamp)
        | (Type::Date, Type::Date)
        | (Type::Time, Type::Time)
        | (Type::Json, Type::Json)
        | (Type::Interval, Type::Interval) => true,
        _ => false,
    }
}

//! The cells of a row.

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;

use libsqlite3_sys as ffi;

use crate::raw::RawConnection;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored<'c> {
    Null,
    Integer(i64),
    Float(f64),
    /// UTF-8 unless the file is damaged.
    Text(&'c [u8]),
    Blob(&'c [u8]),
}

/// One row, as long as the connection is not used otherwise.
pub(crate) struct RowRef<'c> {
    pub(in crate::raw) statement: *mut ffi::sqlite3_stmt,
    pub(in crate::raw) columns: usize,
    pub(in crate::raw) connection: PhantomData<&'c RawConnection>,
}

impl<'c> RowRef<'c> {
    /// How many cells there are.
    pub(crate) fn len(&self) -> usize {
        self.columns
    }
    /// What a cell holds; `None` beyond the last.
    #[inline]
    pub(crate) fn cell(&self, i: usize) -> Option<Stored<'c>> {
        if i >= self.columns {
            return None;
        }
        // SAFETY: the statement stands on a row while `self` borrows its connection, and `i` is in range. The value is
        // an unprotected one, which may be read as it is on a connection without a mutex that one thread uses at a time
        // (see the module's head). It is asked for the type it has, so nothing but a text's encoding is converted, once,
        // by the first call; its memory stays until the next step, reset or finalise, all of which need the connection.
        unsafe {
            let value = ffi::sqlite3_column_value(self.statement, i as c_int);
            Some(match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => Stored::Integer(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => Stored::Float(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_TEXT => Stored::Text(slice(ffi::sqlite3_value_text(value), value)),
                ffi::SQLITE_BLOB => Stored::Blob(slice(ffi::sqlite3_value_blob(value).cast(), value)),
                _ => Stored::Null,
            })
        }
    }
    /// Whether a cell is NULL, as is one beyond the last.
    #[inline]
    pub(crate) fn is_null(&self, i: usize) -> bool {
        if i >= self.columns {
            return true;
        }
        // SAFETY: as in `cell`.
        unsafe {
            let value = ffi::sqlite3_column_value(self.statement, i as c_int);
            ffi::sqlite3_value_type(value) == ffi::SQLITE_NULL
        }
    }
    /// The position of the column of this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        (0..self.columns).find(|&i| {
            // SAFETY: as in `cell`; the name is compared before any other call.
            unsafe {
                let found = ffi::sqlite3_column_name(self.statement, i as c_int);
                !found.is_null() && CStr::from_ptr(found).to_bytes() == name.as_bytes()
            }
        })
    }
}

/// The text in these bytes, if they are UTF-8.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    if bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8. Short texts, which most are, are looked at faster like this.
        return Some(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).ok()
}

/// # Safety
/// `data` is what SQLite just gave for `value`, and stays for `'c`.
#[inline]
unsafe fn slice<'c>(data: *const u8, value: *mut ffi::sqlite3_value) -> &'c [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: SQLite gives the length of the memory it just gave.
    unsafe {
        let length = ffi::sqlite3_value_bytes(value);
        std::slice::from_raw_parts(data, length.max(0) as usize)
    }
}

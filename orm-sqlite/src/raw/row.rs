//! The cells of a row.

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;

use libsqlite3_sys as ffi;

use crate::raw::RawConnection;

/// The storage class of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Null,
    Integer,
    Float,
    Text,
    Blob,
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
    /// The storage class of a cell; NULL beyond the last.
    #[inline]
    pub(crate) fn class(&self, i: usize) -> Class {
        if i >= self.columns {
            return Class::Null;
        }
        // SAFETY: the statement stands on a row while `self` borrows its connection; `i` is in range.
        match unsafe { ffi::sqlite3_column_type(self.statement, i as c_int) } {
            ffi::SQLITE_INTEGER => Class::Integer,
            ffi::SQLITE_FLOAT => Class::Float,
            ffi::SQLITE_TEXT => Class::Text,
            ffi::SQLITE_BLOB => Class::Blob,
            _ => Class::Null,
        }
    }
    /// The integer in a cell of that class.
    #[inline]
    pub(crate) fn integer(&self, i: usize) -> i64 {
        // SAFETY: as in `class`; SQLite answers 0 for a cell out of range.
        unsafe { ffi::sqlite3_column_int64(self.statement, i as c_int) }
    }
    /// The float in a cell of that class.
    #[inline]
    pub(crate) fn float(&self, i: usize) -> f64 {
        // SAFETY: as in `class`.
        unsafe { ffi::sqlite3_column_double(self.statement, i as c_int) }
    }
    /// The bytes of a text cell, as UTF-8 unless the file is damaged. Empty for any other class.
    #[inline]
    pub(crate) fn text(&self, i: usize) -> &'c [u8] {
        if self.class(i) != Class::Text {
            return &[];
        }
        // SAFETY: as in `class`. A text cell is converted at most once, to UTF-8, by the first call; later calls give
        // the same memory, which lives until the next step, reset or finalise, all of which need the connection.
        unsafe {
            let data = ffi::sqlite3_column_text(self.statement, i as c_int);
            self.slice(data, i)
        }
    }
    /// The bytes of a blob cell. Empty for any other class.
    #[inline]
    pub(crate) fn blob(&self, i: usize) -> &'c [u8] {
        if self.class(i) != Class::Blob {
            return &[];
        }
        // SAFETY: as in `text`; a blob is not converted.
        unsafe {
            let data = ffi::sqlite3_column_blob(self.statement, i as c_int).cast::<u8>();
            self.slice(data, i)
        }
    }
    /// # Safety
    /// `data` is what SQLite just gave for cell `i`.
    unsafe fn slice(&self, data: *const u8, i: usize) -> &'c [u8] {
        if data.is_null() {
            return &[];
        }
        // SAFETY: SQLite gives the length of the memory it just gave.
        unsafe {
            let length = ffi::sqlite3_column_bytes(self.statement, i as c_int);
            std::slice::from_raw_parts(data, length.max(0) as usize)
        }
    }
    /// The position of the column of this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        (0..self.columns).find(|&i| {
            // SAFETY: as in `class`; the name is compared before any other call.
            unsafe {
                let found = ffi::sqlite3_column_name(self.statement, i as c_int);
                !found.is_null() && CStr::from_ptr(found).to_bytes() == name.as_bytes()
            }
        })
    }
}

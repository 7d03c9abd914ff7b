//! Collects every error of one macro call, so that the user sees all mistakes at once.
//!
//! Nothing returns early with `?` on a user's mistake: the room that finds it reports it here and goes on with
//! what it has. A context that is dropped without being asked for its errors would swallow them, so debug builds
//! refuse that.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Result};

pub(crate) struct Ctxt {
    errors: RefCell<Option<Vec<Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Ctxt {
            errors: RefCell::new(Some(Vec::new())),
        }
    }

    /// Reports a mistake on the tokens the user typed.
    pub(crate) fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Reports a mistake where only a place is known.
    pub(crate) fn error_at(&self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    pub(crate) fn push(&self, error: Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// Errors so far: a step that finds nothing usable reports that only if nothing else was said about it.
    pub(crate) fn count(&self) -> usize {
        self.errors.borrow().as_ref().map_or(0, Vec::len)
    }

    /// Takes the value out of a `Result`, keeping the error for the report.
    pub(crate) fn take<T>(&self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Ends the collection: all errors in one, in the order of their finding.
    pub(crate) fn finish(self) -> Result<()> {
        let errors = self.errors.borrow_mut().take().unwrap_or_default();
        let mut errors = errors.into_iter();
        match errors.next() {
            None => Ok(()),
            Some(mut first) => {
                errors.for_each(|error| first.combine(error));
                Err(first)
            }
        }
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        if cfg!(debug_assertions) && !thread::panicking() && self.errors.borrow().is_some() {
            panic!("the errors of a macro call were not looked at");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ctxt::Ctxt;
    use proc_macro2::Span;

    #[test]
    fn keeps_all_errors_in_order() {
        let cx = Ctxt::new();
        cx.error_at(Span::call_site(), "first");
        cx.error_at(Span::call_site(), "second");
        let all: Vec<_> = cx
            .finish()
            .unwrap_err()
            .into_iter()
            .map(|e| e.to_string())
            .collect();
        assert_eq!(all, ["first", "second"]);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "not looked at")]
    fn refuses_to_be_forgotten() {
        drop(Ctxt::new());
    }
}

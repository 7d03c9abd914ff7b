//! `sql_fn!`: functions of the database, typed by declaration.

/// Declares functions of the database as typed functions over columns, expressions and values.
///
/// ```
/// orm_core::sql_fn! {
///     /// How many letters have to change (extension fuzzystrmatch; spellfix1 on SQLite).
///     pub fn levenshtein(a: String, b: String) -> i32 = { postgres: "levenshtein", sqlite: "editdist3" };
///     /// NULL where the text is none.
///     fn initcap(text: String) -> String;
///     /// An argument that may be NULL without making the result NULL.
///     fn quote_nullable(text: Option<String>) -> String;
///     /// An aggregate.
///     aggregate fn bit_xor(n: i64) -> Option<i64>;
/// }
/// # use orm_core::query::{Col, Filter};
/// fn near<S>(name: Col<S, String>) -> Filter<S> {
///     levenshtein(name, "Ann").le(2)
/// }
/// ```
///
/// The name in the database is that of the function, or what stands behind `=` for each backend: on one that is not named the
/// query is `Unsupported`. A function is NULL where an argument is, and its type an `Option` where an argument is one, but for
/// arguments declared as `Option`. A function that may return NULL by itself is declared to return an `Option`. That the
/// declaration is right nobody checks but the database.
#[macro_export]
macro_rules! sql_fn {
    () => {};
    ($(#[doc = $doc:expr])* $vis:vis aggregate fn $name:ident($($args:tt)*) -> $ret:ty; $($rest:tt)*) => {
        $crate::sql_fn!(@args [aggregate [$(#[doc = $doc])*] [$vis] $name [stringify!($name)] [] $ret] [] $($args)*,);
        $crate::sql_fn!($($rest)*);
    };
    ($(#[doc = $doc:expr])* $vis:vis fn $name:ident($($args:tt)*) -> $ret:ty
        = { $($backend:ident : $own:literal),+ $(,)? }; $($rest:tt)*) => {
        $crate::sql_fn!(@args [scalar [$(#[doc = $doc])*] [$vis] $name [stringify!($name)]
            [$((stringify!($backend), $own)),+] $ret] [] $($args)*,);
        $crate::sql_fn!($($rest)*);
    };
    ($(#[doc = $doc:expr])* $vis:vis fn $name:ident($($args:tt)*) -> $ret:ty = $own:literal; $($rest:tt)*) => {
        $crate::sql_fn!(@args [scalar [$(#[doc = $doc])*] [$vis] $name [$own] [] $ret] [] $($args)*,);
        $crate::sql_fn!($($rest)*);
    };
    ($(#[doc = $doc:expr])* $vis:vis fn $name:ident($($args:tt)*) -> $ret:ty; $($rest:tt)*) => {
        $crate::sql_fn!(@args [scalar [$(#[doc = $doc])*] [$vis] $name [stringify!($name)] [] $ret] [] $($args)*,);
        $crate::sql_fn!($($rest)*);
    };

    // each argument becomes its name, its type, and whether it makes the result NULL
    (@args $head:tt [$($done:tt)*] $(,)?) => { $crate::sql_fn!(@write $head $($done)*); };
    (@args $head:tt [$($done:tt)*] $arg:ident : Option<$ty:ty>, $($rest:tt)*) => {
        $crate::sql_fn!(@args $head [$($done)* [$arg $ty, loose]] $($rest)*);
    };
    (@args $head:tt [$($done:tt)*] $arg:ident : $ty:ty, $($rest:tt)*) => {
        $crate::sql_fn!(@args $head [$($done)* [$arg $ty, strict]] $($rest)*);
    };

    (@write [scalar [$($doc:tt)*] [$vis:vis] $name:ident [$sql:expr] [$($names:tt)*] $ret:ty]
        $([$arg:ident $ty:ty, $how:ident])*) => {
        $($doc)*
        #[allow(non_camel_case_types)]
        $vis fn $name<S, $($arg: $crate::query::Operand<S, $ty>),*>($($arg: $arg),*)
            -> $crate::query::Expr<S, $crate::sql_fn!(@lift S, $ret, $([$arg $ty, $how])*)> {
            const DECLARED: $crate::ast::Declared = $crate::ast::Declared {
                name: $sql,
                names: &[$($names)*],
                ty: <$ret as $crate::value::SqlType>::TYPE,
            };
            $crate::query::declared(&DECLARED, ::std::vec![$($crate::query::Operand::into_node($arg)),*])
        }
    };
    (@write [aggregate [$($doc:tt)*] [$vis:vis] $name:ident [$sql:expr] [] $ret:ty]
        $([$arg:ident $ty:ty, $how:ident])*) => {
        $($doc)*
        #[allow(non_camel_case_types)]
        $vis fn $name<S, $($arg: $crate::query::Operand<S, $ty>),*>($($arg: $arg),*)
            -> $crate::query::Agg<S, $ret> {
            $crate::query::declared_aggregate(
                $sql,
                <$ret as $crate::value::SqlType>::TYPE,
                ::std::vec![$($crate::query::Operand::into_node($arg)),*],
            )
        }
    };

    (@lift $s:ident, $ret:ty,) => { $ret };
    (@lift $s:ident, $ret:ty, [$arg:ident $ty:ty, strict] $($rest:tt)*) => {
        <$arg as $crate::query::Operand<$s, $ty>>::Lift<$crate::sql_fn!(@lift $s, $ret, $($rest)*)>
    };
    (@lift $s:ident, $ret:ty, [$arg:ident $ty:ty, loose] $($rest:tt)*) => {
        $crate::sql_fn!(@lift $s, $ret, $($rest)*)
    };
}

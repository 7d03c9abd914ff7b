//! Functions that SQLite lacks, given to every connection: `orm_sqrt(x)` and its kind, and casts that refuse what they
//! cannot read instead of making it zero.
//!
//! They are pure: no state, no call back into SQLite but to read arguments and to set the result.

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

use libsqlite3_sys as ffi;

use crate::calls;
use crate::ranges::Range;

/// A function's result.
pub(crate) enum Answer {
    Null,
    Integer(i64),
    Float(f64),
    Text(String),
    /// Refused, with a message that holds no value.
    Refused(&'static str),
}

/// An argument.
#[derive(Clone, Copy)]
pub(crate) enum Argument<'a> {
    Null,
    Integer(i64),
    Float(f64),
    Text(&'a str),
    Other,
}

/// What [`crate::error`] knows these by.
pub(crate) const OUT_OF_RANGE: &str = "orm: the number is out of range";
pub(crate) const NOT_VALID: &str = "orm: a value is not valid for its type";
pub(crate) const INVALID_REGEX: &str = "orm: the regular expression is not valid";

/// A function of arguments that are not NULL; it is NULL when one of them is.
type Function = fn(&[Argument<'_>]) -> Answer;

const ONE: c_int = 1;

/// Name, number of arguments, function. A plain `fn` pointer travels as the function's user data by its place here.
static FUNCTIONS: &[(&CStr, c_int, Function)] = &[
    (c"orm_sqrt", ONE, |a| float(a, |x, _| x.sqrt())),
    (c"orm_power", 2, |a| float(a, f64::powf)),
    (c"orm_exp", ONE, |a| float(a, |x, _| x.exp())),
    (c"orm_ln", ONE, |a| {
        float(a, |x, _| if x == 0.0 { f64::NAN } else { x.ln() })
    }),
    (c"orm_log10", ONE, |a| {
        float(a, |x, _| if x == 0.0 { f64::NAN } else { x.log10() })
    }),
    (c"orm_sin", ONE, |a| float(a, |x, _| x.sin())),
    (c"orm_cos", ONE, |a| float(a, |x, _| x.cos())),
    (c"orm_tan", ONE, |a| float(a, |x, _| x.tan())),
    (c"orm_asin", ONE, |a| float(a, |x, _| x.asin())),
    (c"orm_acos", ONE, |a| float(a, |x, _| x.acos())),
    (c"orm_atan", ONE, |a| float(a, |x, _| x.atan())),
    (c"orm_atan2", 2, |a| float(a, f64::atan2)),
    (c"orm_integer", ONE, integer),
    (c"orm_real", ONE, real),
    (c"orm_text", ONE, text),
    (c"orm_split", 3, split),
    (c"orm_lower", ONE, calls::lower),
    (c"orm_upper", ONE, calls::upper),
    (c"orm_like", 2, calls::like),
    (c"orm_regex", 2, |a| calls::matches(a, false)),
    (c"orm_iregex", 2, |a| calls::matches(a, true)),
    (c"orm_json_contains", 2, calls::json_contains),
    (c"orm_json_has_any", 2, |a| calls::json_has(a, false)),
    (c"orm_json_has_all", 2, |a| calls::json_has(a, true)),
    (c"orm_array_has", 2, calls::array_has),
    (c"orm_array_has_any", 2, |a| calls::array_meets(a, false)),
    (c"orm_array_has_all", 2, |a| calls::array_meets(a, true)),
    (c"orm_array_slice", 3, calls::array_slice),
    (c"orm_array_concat", 2, calls::array_concat),
    (c"orm_array_remove", 2, calls::array_remove),
    (c"orm_range_has", 3, calls::range_has),
    (c"orm_range_contains", 3, calls::range_contains),
    (c"orm_range_overlaps", 3, |a| {
        calls::range_asks(a, Range::overlaps)
    }),
    (c"orm_range_adjacent", 3, |a| {
        calls::range_asks(a, Range::adjacent)
    }),
    (c"orm_range_before", 3, |a| calls::range_asks(a, Range::before)),
    (c"orm_range_intersect", 3, calls::range_intersect),
    (c"orm_range_merge", 3, calls::range_merge),
    (c"orm_range_lower", 2, |a| calls::range_bound(a, Range::lower)),
    (c"orm_range_upper", 2, |a| calls::range_bound(a, Range::upper)),
    (c"orm_range_is_empty", 2, calls::range_is_empty),
    (c"orm_distance", 2, |a| calls::distance(a, calls::euclidean)),
    (c"orm_cosine_distance", 2, |a| calls::distance(a, calls::cosine)),
    (c"orm_negative_inner_product", 2, |a| {
        calls::distance(a, calls::negative_inner_product)
    }),
    (c"orm_decimal", 2, decimal),
];

/// Adds the functions to a connection; a code other than `SQLITE_OK` when that fails.
pub(crate) fn install(db: NonNull<ffi::sqlite3>) -> c_int {
    for (name, arguments, function) in FUNCTIONS {
        let flags = ffi::SQLITE_UTF8 | ffi::SQLITE_DETERMINISTIC | ffi::SQLITE_INNOCUOUS;
        // SAFETY: the handle is open; the name is a static C string; the user data is a static that lives for ever and is
        // only read; no destructor is needed for it.
        let code = unsafe {
            ffi::sqlite3_create_function_v2(
                db.as_ptr(),
                name.as_ptr(),
                *arguments,
                flags,
                std::ptr::from_ref(function).cast_mut().cast(),
                Some(on_call),
                None,
                None,
                None,
            )
        };
        if code != ffi::SQLITE_OK {
            return code;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn on_call(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: `install` gave this pointer: a function in a static.
    let function = unsafe { &*ffi::sqlite3_user_data(context).cast::<Function>() };
    let mut arguments = [Argument::Null; 3];
    let count = usize::try_from(count).unwrap_or(0).min(arguments.len());
    for (i, argument) in arguments.iter_mut().enumerate().take(count) {
        // SAFETY: SQLite passes `count` values, alive until this call returns; each is read once, text last, so that its
        // pointer is not moved by a conversion.
        *argument = unsafe { read(*values.add(i)) };
    }
    let arguments = &arguments[..count];
    let answer = match arguments.iter().any(|a| matches!(a, Argument::Null)) {
        true => Answer::Null,
        false => function(arguments),
    };
    // SAFETY: the context is SQLite's, for this call; texts are copied by SQLite before the call returns.
    unsafe {
        match answer {
            Answer::Null => ffi::sqlite3_result_null(context),
            Answer::Integer(v) => ffi::sqlite3_result_int64(context, v),
            Answer::Float(v) => ffi::sqlite3_result_double(context, v),
            Answer::Text(s) => ffi::sqlite3_result_text64(
                context,
                s.as_ptr().cast(),
                s.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                ffi::SQLITE_UTF8 as u8,
            ),
            Answer::Refused(message) => {
                let length = c_int::try_from(message.len()).unwrap_or(0);
                ffi::sqlite3_result_error(context, message.as_ptr().cast(), length);
            }
        }
    }
}

/// # Safety
/// `value` is an argument of the running call.
unsafe fn read<'a>(value: *mut ffi::sqlite3_value) -> Argument<'a> {
    // SAFETY: the value is alive, and text stays in place while nothing converts it.
    unsafe {
        match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_NULL => Argument::Null,
            ffi::SQLITE_INTEGER => Argument::Integer(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => Argument::Float(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => {
                let start = ffi::sqlite3_value_text(value);
                let length = usize::try_from(ffi::sqlite3_value_bytes(value)).unwrap_or(0);
                if start.is_null() {
                    return Argument::Other;
                }
                let bytes = std::slice::from_raw_parts(start, length);
                std::str::from_utf8(bytes).map_or(Argument::Other, Argument::Text)
            }
            _ => Argument::Other,
        }
    }
}

/// As PostgreSQL: what has no answer, and an infinite answer to finite numbers, is an error.
fn float(arguments: &[Argument<'_>], f: impl Fn(f64, f64) -> f64) -> Answer {
    let number = |i: usize| match arguments.get(i) {
        Some(Argument::Integer(v)) => Some(*v as f64),
        Some(Argument::Float(v)) => Some(*v),
        None => Some(0.0),
        Some(Argument::Null | Argument::Text(_) | Argument::Other) => None,
    };
    let (Some(x), Some(y)) = (number(0), number(1)) else {
        return Answer::Refused(NOT_VALID);
    };
    let answer = f(x, y);
    if answer.is_nan() || (answer.is_infinite() && x.is_finite() && y.is_finite()) {
        return Answer::Refused(OUT_OF_RANGE);
    }
    Answer::Float(answer)
}

/// A text or a float as an integer, a float half away from zero.
fn integer(arguments: &[Argument<'_>]) -> Answer {
    match arguments {
        [Argument::Integer(v)] => Answer::Integer(*v),
        [Argument::Float(v)] => {
            let rounded = v.round();
            // 2^63 is the first float that does not fit
            if rounded >= -(2f64.powi(63)) && rounded < 2f64.powi(63) {
                Answer::Integer(rounded as i64)
            } else {
                Answer::Refused(OUT_OF_RANGE)
            }
        }
        [Argument::Text(s)] => {
            let digits = s.trim_ascii();
            let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
            if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
                return Answer::Refused(NOT_VALID);
            }
            digits
                .parse()
                .map_or(Answer::Refused(OUT_OF_RANGE), Answer::Integer)
        }
        _ => Answer::Refused(NOT_VALID),
    }
}

/// A text as a float.
fn real(arguments: &[Argument<'_>]) -> Answer {
    match arguments {
        [Argument::Integer(v)] => Answer::Float(*v as f64),
        [Argument::Float(v)] => Answer::Float(*v),
        [Argument::Text(s)] => match s.trim_ascii().parse::<f64>() {
            // SQLite holds no NaN
            Ok(v) if v.is_nan() => Answer::Refused(OUT_OF_RANGE),
            Ok(v) => Answer::Float(v),
            Err(_) => Answer::Refused(NOT_VALID),
        },
        _ => Answer::Refused(NOT_VALID),
    }
}

/// A float as text, as PostgreSQL writes it: the shortest digits, an exponent below 1e-4 and from 1e15 on.
fn text(arguments: &[Argument<'_>]) -> Answer {
    let v = match arguments {
        [Argument::Float(v)] => *v,
        [Argument::Integer(v)] => *v as f64,
        _ => return Answer::Refused(NOT_VALID),
    };
    if v.is_infinite() {
        return Answer::Text(if v > 0.0 { "Infinity" } else { "-Infinity" }.to_owned());
    }
    let scientific = format!("{v:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return Answer::Text(scientific);
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return Answer::Text(scientific);
    };
    if v == 0.0 || (-4..15).contains(&exponent) {
        return Answer::Text(format!("{v}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Answer::Text(format!("{digits}e{sign}{:02}", exponent.unsigned_abs()))
}

/// `(text, separator, n from 1)`.
/// An integer and its scale as the shortest text of their number: what decimals without fixed precision are stored as.
fn decimal(arguments: &[Argument<'_>]) -> Answer {
    let [Argument::Integer(value), Argument::Integer(scale)] = arguments else {
        return Answer::Refused(NOT_VALID);
    };
    let (mut mantissa, mut scale) = (i128::from(*value), u32::try_from(*scale).unwrap_or(0));
    while scale > 0 && mantissa % 10 == 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    Answer::Text(orm_core::value::decimal_text(orm_core::value::DecimalParts {
        mantissa,
        scale,
    }))
}

fn split(arguments: &[Argument<'_>]) -> Answer {
    let [
        Argument::Text(text),
        Argument::Text(separator),
        Argument::Integer(n),
    ] = arguments
    else {
        return Answer::Refused(NOT_VALID);
    };
    let Some(place) = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)) else {
        return Answer::Refused(OUT_OF_RANGE);
    };
    let part = match separator.is_empty() {
        true => Some(*text).filter(|_| place == 0),
        false => text.split(separator).nth(place),
    };
    Answer::Text(part.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use crate::raw::functions::{Answer, Argument, NOT_VALID, OUT_OF_RANGE, integer, real, text};

    fn answer(a: Answer) -> String {
        match a {
            Answer::Null => "null".to_owned(),
            Answer::Integer(v) => v.to_string(),
            Answer::Float(v) => format!("{v:?}"),
            Answer::Text(s) => s,
            Answer::Refused(why) => why.to_owned(),
        }
    }

    #[test]
    fn casts_refuse_what_they_cannot_read() {
        let of = |s| answer(integer(&[Argument::Text(s)]));
        assert_eq!(of(" -12 "), "-12");
        for refused in ["", "12x", "1.5", "--1", "+"] {
            assert_eq!(of(refused), NOT_VALID, "{refused}");
        }
        assert_eq!(of("9223372036854775808"), OUT_OF_RANGE);
        assert_eq!(answer(integer(&[Argument::Float(-2.5)])), "-3");
        assert_eq!(answer(integer(&[Argument::Float(9.3e18)])), OUT_OF_RANGE);
        assert_eq!(answer(real(&[Argument::Text("1e3")])), "1000.0");
        assert_eq!(answer(real(&[Argument::Text("nan")])), OUT_OF_RANGE);
    }

    #[test]
    fn floats_are_written_as_postgresql_does() {
        for (v, s) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.1, "-0.1"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.5e300, "1.5e+300"),
            (1e-4, "0.0001"),
            (1.25e-5, "1.25e-05"),
        ] {
            assert_eq!(answer(text(&[Argument::Float(v)])), s);
        }
    }
}

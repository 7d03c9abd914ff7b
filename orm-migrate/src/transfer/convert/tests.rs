use crate::transfer::convert::{Cell, Datum, convert};
use crate::transfer::report::Reason;
use crate::transfer::rule::{How, Rule};
use crate::transfer::types::Kind;

fn how(via: &str) -> How {
    let mut how = How::default();
    if !via.is_empty() {
        let rule: Rule = format!("t.c via {via}").parse().unwrap();
        rule.via.iter().for_each(|c| how.add(c));
    }
    how
}

fn text(s: &str) -> Cell {
    Cell::Text(s.to_owned())
}

#[track_caller]
fn made(kind: Kind, via: &str, cell: Cell) -> Datum {
    convert(&kind, &how(via), cell).1.unwrap()
}

#[track_caller]
fn refused(kind: Kind, via: &str, cell: Cell) -> Reason {
    convert(&kind, &how(via), cell).1.unwrap_err().0
}

#[test]
fn booleans() {
    for yes in [
        Cell::Int(1),
        Cell::Real(1.0),
        text("t"),
        text("YES"),
        text(" on "),
        text("1"),
    ] {
        assert_eq!(made(Kind::Bool, "", yes), Datum::Bool(true));
    }
    for no in [Cell::Int(0), text("f"), text("No"), text("OFF")] {
        assert_eq!(made(Kind::Bool, "", no), Datum::Bool(false));
    }
    assert_eq!(
        made(Kind::Bool, "bool(ja|nein)", text("Nein")),
        Datum::Bool(false)
    );
    for odd in [Cell::Int(2), text("ja"), text(""), Cell::Blob(vec![1])] {
        assert_eq!(refused(Kind::Bool, "", odd), Reason::Boolean);
    }
    assert_eq!(made(Kind::Bool, "or_null", text("ja")), Datum::Null);
    assert_eq!(made(Kind::Bool, "empty_null", text("  ")), Datum::Null);
}

#[test]
fn integers() {
    assert_eq!(made(Kind::Int(64), "", text(" -12 ")), Datum::Int(-12));
    assert_eq!(made(Kind::Int(64), "", Cell::Real(3.0)), Datum::Int(3));
    assert_eq!(made(Kind::Int(64), "round", Cell::Real(3.5)), Datum::Int(4));
    assert_eq!(refused(Kind::Int(64), "", Cell::Real(3.5)), Reason::Type);
    assert_eq!(refused(Kind::Int(64), "", Cell::Real(1e300)), Reason::Range);
    assert_eq!(
        refused(Kind::Int(64), "", text("9223372036854775808")),
        Reason::Range
    );
    assert_eq!(refused(Kind::Int(64), "", text("twelve")), Reason::Type);
    assert_eq!(refused(Kind::Int(64), "", text("-")), Reason::Type);
    assert_eq!(refused(Kind::Int(32), "", Cell::Int(1 << 31)), Reason::Range);
    assert_eq!(refused(Kind::Int(16), "", Cell::Int(-40_000)), Reason::Range);
    assert_eq!(made(Kind::Int(64), "", Cell::Int(i64::MIN)), Datum::Int(i64::MIN));
}

#[test]
fn decimals() {
    let money = || Kind::Decimal(Some((6, 2)));
    let decimal = |s: &str| Datum::Decimal(s.to_owned());
    for (cell, digits) in [
        (Cell::Real(0.1 + 0.2), "0.3"),
        (Cell::Real(1234.5), "1234.5"),
        (Cell::Real(-0.0), "0"),
        (Cell::Int(-7), "-7"),
        (text("0012.50"), "12.5"),
        (text("1.25e2"), "125"),
        (text("125e-2"), "1.25"),
        (text("+.5"), "0.5"),
        (text("-0.00"), "0"),
    ] {
        assert_eq!(made(money(), "", cell), decimal(digits));
    }
    assert_eq!(made(money(), "scaled(2)", Cell::Int(-99)), decimal("-0.99"));
    assert_eq!(made(money(), "scaled(2)", Cell::Int(100)), decimal("1"));
    assert_eq!(made(Kind::Decimal(None), "", text("1e-3")), decimal("0.001"));
    assert_eq!(
        made(Kind::Decimal(None), "", Cell::Real(1e22)),
        decimal("10000000000000000000000")
    );
    assert_eq!(refused(money(), "", text("1.005")), Reason::Decimal);
    assert_eq!(refused(money(), "", Cell::Real(1.005)), Reason::Decimal);
    assert_eq!(made(money(), "round", text("1.005")), decimal("1.01"));
    assert_eq!(made(money(), "round", text("-9.995")), decimal("-10"));
    assert_eq!(made(money(), "round", text("999.994")), decimal("999.99"));
    assert_eq!(refused(money(), "round", text("9999.995")), Reason::Range);
    assert_eq!(refused(money(), "", text("12345")), Reason::Range);
    assert_eq!(refused(money(), "", text("1,5")), Reason::Type);
    assert_eq!(refused(money(), "", text(".")), Reason::Type);
    assert_eq!(refused(money(), "", text("1e99999")), Reason::Type);
    assert_eq!(refused(money(), "", Cell::Real(f64::INFINITY)), Reason::Range);
}

#[test]
fn texts() {
    assert_eq!(made(Kind::Text(None), "", Cell::Int(7)), Datum::Text("7".into()));
    assert_eq!(
        made(Kind::Text(None), "", Cell::Real(1.5)),
        Datum::Text("1.5".into())
    );
    assert_eq!(refused(Kind::Text(None), "", Cell::Blob(vec![1])), Reason::Type);
    assert_eq!(refused(Kind::Text(None), "", text("a\0b")), Reason::Nul);
    assert_eq!(
        made(Kind::Text(None), "strip_nul", text("a\0b")),
        Datum::Text("ab".into())
    );
    assert_eq!(
        refused(Kind::Text(None), "", Cell::Mangled(vec![0xe9])),
        Reason::Encoding
    );
    assert_eq!(
        made(Kind::Text(None), "or_null", Cell::Mangled(vec![0xe9])),
        Datum::Null
    );
    assert_eq!(
        made(Kind::Text(None), "latin1", Cell::Mangled(vec![0xe9])),
        Datum::Text("é".into())
    );
    assert_eq!(
        made(Kind::Text(Some(2)), "", text("éé")),
        Datum::Text("éé".into())
    );
    assert_eq!(refused(Kind::Text(Some(2)), "", text("abc")), Reason::Length);
    assert_eq!(made(Kind::Padded(2), "", text("a    ")), Datum::Text("a".into()));
    assert_eq!(
        made(Kind::Text(None), "trim", text(" a ")),
        Datum::Text("a".into())
    );
    let mood = || Kind::Enum(vec!["good".into()]);
    assert_eq!(made(mood(), "", text("good")), Datum::Text("good".into()));
    assert_eq!(refused(mood(), "", text("Good")), Reason::Label);
}

#[test]
fn times() {
    let at = |datum: Datum| match datum {
        Datum::Instant(t) => t.to_string(),
        Datum::Local(t) => t.to_string(),
        Datum::Date(d) => d.to_string(),
        Datum::Time(t) => t.to_string(),
        other => panic!("{other:?}"),
    };
    for (cell, via, expected) in [
        (text("2024-05-06"), "", "2024-05-06T00:00:00.000000Z"),
        (
            text("2024-05-06 07:08"),
            "zone(+02:00)",
            "2024-05-06T05:08:00.000000Z",
        ),
        (
            text("2024-05-06 07:08Z"),
            "zone(+02:00)",
            "2024-05-06T07:08:00.000000Z",
        ),
        (Cell::Int(86_400), "", "1970-01-02T00:00:00.000000Z"),
        (Cell::Int(-1), "epoch(ms)", "1969-12-31T23:59:59.999000Z"),
        (text("1500"), "epoch(ms)", "1970-01-01T00:00:01.500000Z"),
        (Cell::Real(2_440_588.5), "", "1970-01-02T00:00:00.000000Z"),
        (Cell::Real(1.5), "epoch(s)", "1970-01-01T00:00:01.500000Z"),
    ] {
        assert_eq!(at(made(Kind::Instant(6), via, cell)), expected);
    }
    assert_eq!(
        at(made(Kind::Instant(0), "", text("2024-01-01 00:00:00.5"))),
        "2024-01-01T00:00:01.000000Z"
    );
    assert_eq!(
        at(made(Kind::Local(6), "", text("2024-01-01 05:00+02:00"))),
        "2024-01-01T03:00:00.000000"
    );
    assert_eq!(at(made(Kind::Date, "", text("2024-01-01 00:00"))), "2024-01-01");
    assert_eq!(
        at(made(Kind::Date, "truncate", text("2024-01-01 05:00"))),
        "2024-01-01"
    );
    assert_eq!(at(made(Kind::Time(6), "", text("5:06"))), "05:06:00.000000");
    assert_eq!(refused(Kind::Date, "", text("2024-01-01 05:00")), Reason::Type);
    assert_eq!(refused(Kind::Instant(6), "", text("04/05/2024")), Reason::Format);
    assert_eq!(refused(Kind::Instant(6), "", Cell::Int(i64::MAX)), Reason::Range);
    assert_eq!(
        refused(Kind::Instant(6), "", Cell::Int(400_000_000_000)),
        Reason::Range
    );
    assert_eq!(
        refused(Kind::Instant(6), "", Cell::Real(f64::INFINITY)),
        Reason::Range
    );
    assert_eq!(
        refused(Kind::Instant(6), "", text("0001-01-01 00:00+10:00")),
        Reason::Range
    );
    assert_eq!(refused(Kind::Time(0), "", text("23:59:59.6")), Reason::Range);
    let (found, _) = convert(&Kind::Instant(6), &how("dates(%d/%m/%Y)"), text("04/05/2024"));
    assert_eq!(found, "%d/%m/%Y");
}

#[test]
fn bytes_uuids_json() {
    assert_eq!(made(Kind::Bytes, "", text("ab")), Datum::Bytes(b"ab".to_vec()));
    assert_eq!(made(Kind::Bytes, "hex", text("FF00")), Datum::Bytes(vec![255, 0]));
    assert_eq!(refused(Kind::Bytes, "hex", text("F")), Reason::Format);
    let id = Datum::Uuid(*b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff");
    for form in [
        "00112233-4455-6677-8899-AABBCCDDEEFF",
        "00112233445566778899aabbccddeeff",
        "{00112233-4455-6677-8899-aabbccddeeff}",
        "urn:uuid:00112233-4455-6677-8899-aabbccddeeff",
    ] {
        assert_eq!(made(Kind::Uuid, "", text(form)), id);
    }
    assert_eq!(refused(Kind::Uuid, "", text("0011-22")), Reason::Format);
    assert_eq!(
        refused(Kind::Uuid, "", text("ü0112233445566778899aabbccddeeff")),
        Reason::Format
    );
    assert_eq!(refused(Kind::Uuid, "", Cell::Blob(vec![1])), Reason::Format);
    assert_eq!(made(Kind::Jsonb, "", Cell::Int(5)), Datum::Json("5".into()));
    assert_eq!(refused(Kind::Jsonb, "", text("{broken")), Reason::Json);
    assert_eq!(refused(Kind::Jsonb, "", text(r#"{"a": "\u0000"}"#)), Reason::Nul);
    assert_eq!(made(Kind::Json, "", text("[1]")), Datum::Json("[1]".into()));
}

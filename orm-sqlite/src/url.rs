//! `sqlite:` URLs.

use orm_core::error::{Error, Result};

use crate::options::{SqliteOptions, check};

/// Reads a URL; parameters that are not known are refused by name before anything is opened.
pub(crate) fn parse(url: &str) -> Result<SqliteOptions> {
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Err(Error::config("a SQLite URL begins with `sqlite:`"));
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let place = decode(place)?;
    let (mut mode, mut shared) = (None, false);
    for parameter in parameters.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name, value) {
            ("mode", "ro" | "rw" | "rwc" | "memory") => mode = Some(value),
            ("mode", _) => return Err(Error::config("`mode` in a SQLite URL is ro, rw, rwc or memory")),
            ("cache", "private") => shared = false,
            ("cache", "shared") => shared = true,
            ("cache", _) => return Err(Error::config("`cache` in a SQLite URL is private or shared")),
            _ => return Err(Error::config(format!("a SQLite URL has no parameter `{name}`"))),
        }
    }
    let memory = place == ":memory:" || mode == Some("memory");
    if shared && !memory {
        return Err(Error::config("`cache=shared` goes with `mode=memory` only"));
    }
    let options = if memory && shared && place != ":memory:" && !place.is_empty() {
        SqliteOptions::shared_memory(place)
    } else if memory {
        SqliteOptions::in_memory()
    } else {
        SqliteOptions::path(without_slash_before_drive(&place))
    };
    let options = match mode {
        Some("ro") => options.read_only(true).create(false),
        Some("rw") => options.create(false),
        _ => options,
    };
    check(&options)?;
    Ok(options)
}

/// `/C:/app.db` is `C:/app.db`; no file of a unix system is meant that way.
fn without_slash_before_drive(path: &str) -> &str {
    match path.as_bytes() {
        [b'/', drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic() => &path[1..],
        _ => path,
    }
}

fn decode(text: &str) -> Result<String> {
    let bad = || {
        Error::config("a `%` in a SQLite URL is followed by two hexadecimal digits, and the path is UTF-8")
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let mut digit = || {
            bytes
                .next()
                .and_then(|d| char::from(d).to_digit(16))
                .ok_or_else(bad)
        };
        out.push((digit()? * 16 + digit()?) as u8);
    }
    let out = String::from_utf8(out).map_err(|_| bad())?;
    if out.contains('\0') {
        return Err(Error::config("the path of a database has no NUL character"));
    }
    Ok(out)
}

/// The path with what would end it, or be decoded, as `%XX`.
pub(crate) fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '%' | '?' | '#' | ' ' => out.push_str(&format!("%{:02X}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use orm_core::error::ErrorKind;

    use crate::options::{Place, SqliteOptions};
    use crate::url::parse;

    #[test]
    fn paths() {
        for (url, path) in [
            ("sqlite:app.db", "app.db"),
            ("sqlite://app.db", "app.db"),
            ("sqlite:///var/lib/app.db", "/var/lib/app.db"),
            ("sqlite:/var/lib/app.db", "/var/lib/app.db"),
            ("sqlite:///C:/Users/me/app.db", "C:/Users/me/app.db"),
            ("sqlite:C:\\Users\\me\\app.db", "C:\\Users\\me\\app.db"),
            ("sqlite:with space.db", "with space.db"),
            ("sqlite:with%20space.db", "with space.db"),
            ("sqlite:a#b.db", "a#b.db"),
            ("sqlite:a%23b%3Fc.db", "a#b?c.db"),
            ("sqlite:me@host.db", "me@host.db"),
            ("sqlite:../%C3%A9t%C3%A9.db", "../été.db"),
        ] {
            let options = parse(url).unwrap();
            assert_eq!(options.place, Place::File(path.into()), "{url}");
            assert!(options.create && !options.read_only);
            assert_eq!(parse(&options.to_string()).unwrap(), options);
        }
    }
    #[test]
    fn modes() {
        assert_eq!(parse("sqlite::memory:").unwrap(), SqliteOptions::in_memory());
        assert_eq!(parse("sqlite://:memory:").unwrap(), SqliteOptions::in_memory());
        assert_eq!(
            parse("sqlite://?mode=memory").unwrap(),
            SqliteOptions::in_memory()
        );
        let shared = parse("sqlite://a%20b?mode=memory&cache=shared").unwrap();
        assert_eq!(shared.place, Place::Memory(Some("a b".into())));
        assert_eq!(parse(&shared.to_string()).unwrap(), shared);
        let ro = parse("sqlite:a.db?mode=ro").unwrap();
        assert!(ro.read_only && !ro.create);
        let rw = parse("sqlite:a.db?mode=rw&cache=private").unwrap();
        assert!(!rw.read_only && !rw.create);
        assert!(parse("sqlite:a.db?mode=rwc").unwrap().create);
    }
    #[test]
    fn what_is_not_known_is_named() {
        for (url, word) in [
            ("postgres://x", "sqlite:"),
            ("sqlite:a.db?mod=ro", "`mod`"),
            ("sqlite:a.db?mode=rx", "`mode`"),
            ("sqlite:a.db?cache=big", "`cache`"),
            ("sqlite:a.db?cache=shared", "mode=memory"),
            ("sqlite:", "no database file"),
            ("sqlite:a%2", "hexadecimal"),
            ("sqlite:a%ff", "UTF-8"),
            ("sqlite:a%00b", "NUL"),
        ] {
            let e = parse(url).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Config);
            assert!(e.message().contains(word), "{url}: {e}");
        }
    }
}

//! Connection URLs, read here rather than by sqlx, which logs what it does not know together with its value.

use std::time::Duration;

use orm_core::driver::{PoolOrder, PrePing};
use orm_core::error::{Error, Result};

use crate::options::{PostgresOptions, TlsMode};

/// Reads a whole URL.
pub(crate) fn parse(url: &str) -> Result<PostgresOptions> {
    let rest = url
        .strip_prefix("postgres://")
        .or_else(|| url.strip_prefix("postgresql://"))
        .ok_or_else(|| Error::config("a PostgreSQL URL begins with postgres:// or postgresql://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A password with an unencoded slash or @ still ends at the last @.
    let (credentials, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    let mut options = PostgresOptions::new("");

    let (user, password) = match credentials.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (credentials, None),
    };
    for (name, value) in [
        ("user", Some(user)),
        ("password", password),
        ("dbname", Some(database)),
    ] {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            set(&mut options, name, &decode(name, value)?)?;
        }
    }
    let (host, port) = split_port(authority);
    let host = host
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(host);
    if !host.is_empty() {
        set(&mut options, "host", &decode("host", host)?)?;
    }
    if let Some(port) = port {
        set(&mut options, "port", port)?;
    }
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode("parameter", name)?;
        let value = decode(&name, &value.replace('+', "%20"))?;
        set(&mut options, &name, &value)?;
    }
    if options.user.is_empty() {
        return Err(Error::config(
            "the URL names no user: postgres://user@host/database",
        ));
    }
    options.validate()?;
    Ok(options)
}

/// Splits `host:port`, where the host may be `[an:ipv6:address]`.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let from = authority.rfind(']').unwrap_or(0);
    match authority[from..].rfind(':') {
        Some(colon) => (&authority[..from + colon], Some(&authority[from + colon + 1..])),
        None => (authority, None),
    }
}

/// Sets one parameter. An error names the parameter, never the value.
pub(crate) fn set(options: &mut PostgresOptions, name: &str, value: &str) -> Result<()> {
    let bad = |wanted: &str| Error::config(format!("the connection parameter {name} must be {wanted}"));
    let owned = || value.to_owned();
    let duration =
        || duration(value).ok_or_else(|| bad("a duration such as 500ms, 30s, 5min, or 0 for none"));
    let number = || value.parse::<usize>().map_err(|_| bad("a number"));
    let flag = || match value {
        "true" | "1" | "yes" | "on" | "" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(bad("true or false")),
    };
    match name {
        "host" => options.host = owned(),
        "port" => options.port = value.parse().map_err(|_| bad("a number up to 65535"))?,
        "user" => options.user = owned(),
        "password" => options.password = Some(owned()),
        "dbname" => options.database = Some(owned()),
        "sslmode" => {
            let mode = TlsMode::parse(value);
            options.tls =
                Some(mode.ok_or_else(|| bad("disable, prefer, require, verify-ca or verify-full"))?);
        }
        "sslrootcert" => options.root_cert = Some(value.into()),
        "insecure" => options.allow_insecure = flag()?,
        "application_name" => options.application_name = owned(),
        "statement_timeout" => options.statement_timeout = duration()?,
        "query_timeout" => options.query_timeout = duration()?,
        "statement_cache" => options.statement_cache = number()?,
        "pooler" | "pgbouncer" => options.pooler = flag()?,
        "pool_size" => options.pool.size = number()?,
        "pool_overflow" => options.pool.overflow = number()?,
        "pool_timeout" => {
            options.pool.acquire_timeout = duration()?.ok_or_else(|| bad("a duration above 0"))?;
        }
        "pool_recycle" => options.pool.recycle = duration()?,
        "pool_idle_timeout" => options.pool.idle_timeout = duration()?,
        "pre_ping" => {
            options.pool.pre_ping = match value {
                "never" => PrePing::Never,
                "always" => PrePing::Always,
                _ => PrePing::AfterIdle(duration()?.unwrap_or_default()),
            };
        }
        "pool_order" => {
            options.pool.order = match value {
                "lifo" => PoolOrder::Lifo,
                "fifo" => PoolOrder::Fifo,
                _ => return Err(bad("lifo or fifo")),
            };
        }
        _ => return Err(unknown(name)),
    }
    Ok(())
}

/// What stands before the equals sign may still be part of a badly encoded password, so only a plain name is repeated.
fn unknown(name: &str) -> Error {
    let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match plain {
        true => Error::config(format!("the URL has an unknown parameter {name}")),
        false => Error::config("the URL has an unknown parameter"),
    }
}

/// `Some(None)` is none at all.
fn duration(value: &str) -> Option<Option<Duration>> {
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => number,
        "" | "s" => number.checked_mul(1000)?,
        "min" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        _ => return None,
    };
    Some((millis > 0).then(|| Duration::from_millis(millis)))
}

fn decode(name: &str, text: &str) -> Result<String> {
    percent_decoded(text).ok_or_else(|| match name {
        "user" | "password" | "dbname" | "host" => {
            Error::config(format!("the URL's {name} is not properly percent-encoded"))
        }
        _ => Error::config("the URL is not properly percent-encoded"),
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (hex, tail) = rest.split_first_chunk::<2>()?;
        let digit = |b: u8| (b as char).to_digit(16);
        bytes.push((digit(hex[0])? * 16 + digit(hex[1])?) as u8);
        rest = tail;
    }
    String::from_utf8(bytes).ok().filter(|s| !s.contains('\0'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::options::{PostgresOptions, TlsMode};

    fn parsed(url: &str) -> PostgresOptions {
        PostgresOptions::from_url(url).unwrap_or_else(|e| panic!("{url}: {e}"))
    }

    #[test]
    fn parts_of_a_url() {
        let o = parsed("postgres://u%20x:p%40%23%2F@localhost:5433/d%20b?application_name=a+b&pool_size=3");
        assert_eq!((o.user.as_str(), o.password.as_deref()), ("u x", Some("p@#/")));
        assert_eq!(
            (o.port, o.database.as_deref(), o.pool.size),
            (5433, Some("d b"), 3)
        );
        assert_eq!(o.application_name, "a b");
        let o = parsed("postgresql://u:a#b@c@[::1]:7/d?query_timeout=0&statement_timeout=500ms");
        assert_eq!(
            (o.host.as_str(), o.port, o.password.as_deref()),
            ("::1", 7, Some("a#b@c"))
        );
        assert_eq!(
            (o.query_timeout, o.statement_timeout),
            (None, Some(Duration::from_millis(500)))
        );
        let o = parsed("postgres://u@/d?host=/var/run/pg&port=6000");
        assert_eq!((o.host.as_str(), o.port), ("/var/run/pg", 6000));
        assert_eq!(parsed("postgres://u@%2Ftmp%2Fx/d").host, "/tmp/x");
        assert_eq!(
            parsed("postgres://u@127.0.0.1").to_string(),
            "PostgreSQL at 127.0.0.1:5432, database u, user u"
        );
    }

    #[test]
    fn errors_name_parameters_only() {
        for (url, wanted) in [
            ("mysql://u:canary@h/d", "begins with"),
            ("postgres://localhost/canary", "no user"),
            ("postgres://u:canary%zz@localhost/d", "password"),
            (
                "postgres://u@localhost/d?canarysecret=canary",
                "unknown parameter canarysecret",
            ),
            ("postgres://u@localhost/d?Canary=canary", "unknown parameter"),
            ("postgres://u@localhost/d?sslmode=canary", "sslmode"),
            ("postgres://u@localhost:canary/d", "port"),
            ("postgres://u@localhost/d?pool_timeout=canary", "pool_timeout"),
            (
                "postgres://u:canary@db.example.com/d?sslmode=disable",
                "insecure=true",
            ),
            (
                "postgres://u:canary@db.example.com/d?sslmode=prefer",
                "insecure=true",
            ),
            (
                "postgres://u:canary@one,two/d?sslmode=disable&insecure=true",
                "one host",
            ),
            (
                "postgres://u@localhost/d?pooler=true&statement_timeout=1s",
                "statement_timeout",
            ),
        ] {
            let error = PostgresOptions::from_url(url).unwrap_err().to_string();
            assert!(error.contains(wanted), "{url}: {error}");
            assert!(
                !error
                    .replace("canarysecret", "")
                    .to_lowercase()
                    .contains("canary"),
                "{error}"
            );
        }
    }

    #[test]
    fn encryption_by_default() {
        assert_eq!(
            parsed("postgres://u@localhost/d").tls_mode().ok(),
            Some(TlsMode::Disable)
        );
        assert_eq!(
            parsed("postgres://u@[::1]/d").tls_mode().ok(),
            Some(TlsMode::Disable)
        );
        assert_eq!(
            parsed("postgres://u@127.0.0.9/d").tls_mode().ok(),
            Some(TlsMode::Disable)
        );
        let remote = "postgres://u@db.example.com/d";
        if cfg!(any(
            feature = "tls-rustls-ring-webpki",
            feature = "tls-rustls-ring-native-roots"
        )) {
            assert_eq!(parsed(remote).tls_mode().ok(), Some(TlsMode::VerifyFull));
        } else {
            assert!(
                PostgresOptions::from_url(remote)
                    .unwrap_err()
                    .to_string()
                    .contains("no TLS")
            );
        }
        let plain = parsed("postgres://u@db.example.com/d?sslmode=disable&insecure=true");
        assert_eq!(plain.tls_mode().ok(), Some(TlsMode::Disable));
    }
}

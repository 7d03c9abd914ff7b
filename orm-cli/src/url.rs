//! Database URLs: what may be shown of them, and what they say about where the database is.

use std::path::PathBuf;

use orm::migrate::Backend;

use crate::reply::Stop;

/// The URL without its password and its parameters.
pub(crate) fn shown(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    without_passwords(url)
}

/// A text in which URLs may stand, without their passwords and without parameters that may be one.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        // a password with an @ still ends at the last one of the word
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`'))
            .unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
        match address.rsplit_once('@') {
            Some((who, place)) => {
                let (user, password) = who.split_once(':').unwrap_or((who, ""));
                out.push_str(user);
                out.push_str(if password.is_empty() { "" } else { ":***" });
                out.push('@');
                out.push_str(place);
            }
            None => out.push_str(address),
        }
        out.push_str(if parameters.is_empty() { "" } else { "?***" });
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The backend that opens the URL.
pub(crate) fn backend(url: &str) -> Result<Backend, Stop> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Backend::Sqlite),
        Some("postgres" | "postgresql") => Ok(Backend::Postgres),
        _ => Err(Stop::usage(
            "the database's URL begins with `sqlite:` or `postgres://`",
        )),
    }
}

/// The file of a SQLite database; `None` when it is in memory.
pub(crate) fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let memory = parameters.split('&').any(|p| p == "mode=memory");
    let place = decoded(place);
    (!memory && !place.is_empty() && place != ":memory:").then(|| PathBuf::from(place))
}

/// A PostgreSQL URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    before: String,
    /// The database's name.
    pub(crate) database: String,
    parameters: String,
    password: Option<String>,
}

impl Server {
    /// Reads it.
    pub(crate) fn of(url: &str) -> Result<Self, Stop> {
        let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = address
            .split_once("://")
            .ok_or_else(|| Stop::usage("a PostgreSQL URL is postgres://user@host/database"))?;
        let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (host, database) = place.split_once('/').unwrap_or((place, ""));
        let named = parameters.split('&').find_map(|p| p.strip_prefix("dbname="));
        let database = decoded(named.unwrap_or(database));
        if database.is_empty() {
            return Err(Stop::usage(
                "the URL names no database: postgres://user@host/database",
            ));
        }
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let mut password = (!password.is_empty()).then(|| decoded(password));
        let mut kept = Vec::new();
        for parameter in parameters.split('&').filter(|p| !p.is_empty()) {
            match parameter.split_once('=') {
                Some(("password", value)) => password = Some(decoded(value)),
                Some(("dbname", _)) => {}
                _ => kept.push(parameter),
            }
        }
        let at = if user.is_empty() { "" } else { "@" };
        Ok(Server {
            before: format!("{scheme}://{user}{at}{host}/"),
            database,
            parameters: kept.join("&"),
            password,
        })
    }
    /// The URL of another database of the server, with the password where the library wants it.
    pub(crate) fn url_of(&self, database: &str) -> String {
        let mut url = self.without_password(database);
        if let Some(password) = &self.password {
            url.push(if self.parameters.is_empty() { '?' } else { '&' });
            url.push_str("password=");
            url.push_str(&encoded(password));
        }
        url
    }
    /// The URL for a program that gets the password by its environment.
    pub(crate) fn without_password(&self, database: &str) -> String {
        let mut url = format!("{}{}", self.before, encoded(database));
        if !self.parameters.is_empty() {
            url.push('?');
            url.push_str(&self.parameters);
        }
        url
    }
    /// The password, never to be shown.
    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|d| u8::from_str_radix(d, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::url::{Server, shown, sqlite_file, without_passwords};

    #[test]
    fn no_password_is_shown() {
        for (url, expected) in [
            (
                "postgres://ann:s3cret@h:5432/app",
                "postgres://ann:***@h:5432/app",
            ),
            (
                "postgres://ann:p@ss:w/rd@h/app?password=x",
                "postgres://ann:***@h/app",
            ),
            ("postgres://ann@h/app", "postgres://ann@h/app"),
            ("sqlite:app.db", "sqlite:app.db"),
        ] {
            assert_eq!(shown(url), expected);
        }
        let said = "unexpected argument 'postgres://ann:s3cret@h/app?password=t0p' found";
        assert_eq!(
            without_passwords(said),
            "unexpected argument 'postgres://ann:***@h/app?***' found"
        );
    }

    #[test]
    fn parts_of_a_server_url() {
        let server = Server::of("postgres://ann:s%20t@%2Ftmp%2Fx/my%20app?sslmode=disable").unwrap();
        assert_eq!(server.database, "my app");
        assert_eq!(server.password(), Some("s t"));
        assert_eq!(
            server.without_password("postgres"),
            "postgres://ann@%2Ftmp%2Fx/postgres?sslmode=disable"
        );
        assert_eq!(
            server.url_of("a b"),
            "postgres://ann@%2Ftmp%2Fx/a%20b?sslmode=disable&password=s%20t"
        );
        assert!(Server::of("postgres://ann@h").is_err());
        let server = Server::of("postgres://h/?dbname=app&user=ann").unwrap();
        assert_eq!(server.url_of("x"), "postgres://h/x?user=ann");
    }

    #[test]
    fn files_of_sqlite() {
        let file = |url| sqlite_file(url).map(|p| p.display().to_string());
        assert_eq!(file("sqlite:app.db").as_deref(), Some("app.db"));
        assert_eq!(
            file("sqlite:///tmp/a%20b.db?mode=rwc").as_deref(),
            Some("/tmp/a b.db")
        );
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("sqlite:x?mode=memory&cache=shared"), None);
    }
}

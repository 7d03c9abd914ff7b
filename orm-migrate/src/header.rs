//! What a migration says about itself, in the comments above its first statement.

use orm_core::error::{Error, Result};

use crate::text::COMMIT;

/// What a migration is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// It changes the schema.
    #[default]
    Schema,
    /// It changes rows.
    Data,
    /// It is run again whenever its text changes, after all others: views, functions.
    Repeatable,
}

impl Kind {
    /// As it is written in files and in the history.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Schema => "schema",
            Kind::Data => "data",
            Kind::Repeatable => "repeatable",
        }
    }
}

/// On which side of a deployment a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before: the old program still works with it.
    Expand,
    /// After: only the new program works with it.
    Contract,
}

/// The header of a script: `-- orm: key=value, key="a value"` lines above the first statement.
///
/// | Key | Meaning |
/// |---|---|
/// | `parent` | the version it follows, several joined by `+` (a merge), or `none`; without it the one before |
/// | `depends_on` | versions that have to be applied before, joined by `+` |
/// | `replaces` | the versions of migrations that it stands for, joined by `+`; see [`squash`](crate::squash::squash) |
/// | `why` | the reason, for readers |
/// | `kind` | `schema`, `data` or `repeatable` |
/// | `phase` | `expand` or `contract` |
/// | `label` | a name for the branch that starts here |
/// | `loses` | what is lost for good; may stand several times |
/// | `acknowledge` | the digest that says: yes, lose it |
/// | `irreversible` | in the up script: why there is no way back |
/// | `foreign_keys` | `off`: SQLite runs it without checking references, and checks all of them at its end |
///
/// `-- no-transaction` on a line of its own runs every statement by itself. `-- orm: commit` on a line between two
/// statements commits what stands above it: the statements below are a transaction of their own, and a run that ends
/// between the two goes on there.
///
/// A line with `allow` is not of the header: it belongs to the statement below it, see
/// [`lint_sql`](crate::lint::lint_sql).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The versions it follows; `None` when the file does not say.
    pub parents: Option<Vec<i64>>,
    /// Versions that have to be applied before.
    pub depends_on: Vec<i64>,
    /// The versions of migrations that it stands for: a database has those, or this one.
    pub replaces: Vec<i64>,
    /// The reason.
    pub why: Option<String>,
    /// What it is for.
    pub kind: Kind,
    /// On which side of a deployment it stands.
    pub phase: Option<Phase>,
    /// The name of the branch that starts here.
    pub label: Option<String>,
    /// What is lost for good.
    pub loses: Vec<String>,
    /// The digest that agrees to the loss.
    pub acknowledge: Option<String>,
    /// Why there is no way back.
    pub irreversible: Option<String>,
    /// Every statement runs by itself.
    pub no_transaction: bool,
    /// SQLite does not check references while it runs.
    pub foreign_keys_off: bool,
}

impl Header {
    /// Reads the header of a script.
    ///
    /// ```
    /// use orm_migrate::{Header, Phase};
    /// let header = Header::read("-- orm: phase=contract, why=\"nobody reads it, really\"\nDROP VIEW v;")?;
    /// assert_eq!(header.phase, Some(Phase::Contract));
    /// assert_eq!(header.why.as_deref(), Some("nobody reads it, really"));
    /// assert!(Header::read("-- orm: fase=contract").is_err());
    /// # Ok::<(), orm_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` for a key or value that is not known.
    pub fn read(script: &str) -> Result<Self> {
        let mut header = Header::default();
        for line in script.trim_start_matches('\u{feff}').lines().map(str::trim) {
            let Some(comment) = line.strip_prefix("--") else {
                match line.is_empty() {
                    true => continue,
                    false => break,
                }
            };
            let comment = comment.trim();
            if comment == "no-transaction" {
                header.no_transaction = true;
            } else if comment == COMMIT {
                // nothing stands above it that could be committed
                continue;
            } else if let Some(pairs) = comment.strip_prefix("orm:") {
                if allowance(comment)?.is_some() {
                    continue;
                }
                for (key, value) in pairs_of(pairs)? {
                    header.set(&key, value)?;
                }
            }
        }
        Ok(header)
    }

    fn set(&mut self, key: &str, value: String) -> Result<()> {
        let unknown = || {
            Err(Error::config(format!(
                "the header's `{key}` has a value that is not known; see the table in the documentation of `Header`"
            )))
        };
        match (key, value.as_str()) {
            ("parent", "none") => self.parents = Some(Vec::new()),
            ("parent", _) => self.parents = Some(versions(key, &value)?),
            ("depends_on", _) => self.depends_on.extend(versions(key, &value)?),
            ("replaces", _) => self.replaces.extend(versions(key, &value)?),
            ("why", _) => self.why = Some(value),
            ("label", _) => self.label = Some(value),
            ("kind", "schema") => self.kind = Kind::Schema,
            ("kind", "data") => self.kind = Kind::Data,
            ("kind", "repeatable") => self.kind = Kind::Repeatable,
            ("phase", "expand") => self.phase = Some(Phase::Expand),
            ("phase", "contract") => self.phase = Some(Phase::Contract),
            ("foreign_keys", "off") => self.foreign_keys_off = true,
            ("foreign_keys", "on") => self.foreign_keys_off = false,
            ("loses", _) => self.loses.push(value),
            ("acknowledge", _) => self.acknowledge = Some(value),
            ("irreversible", _) => self.irreversible = Some(value),
            ("kind" | "phase" | "foreign_keys", _) => return unknown(),
            _ => {
                return Err(Error::config(format!(
                    "the header's key `{key}` is not known: expected parent, depends_on, replaces, why, kind, phase, label, \
                     loses, acknowledge, irreversible or foreign_keys"
                )));
            }
        }
        Ok(())
    }

    /// The lines that [`read`](Self::read) reads.
    pub fn write(&self) -> String {
        let join = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join("+");
        let mut lines = Vec::new();
        if self.no_transaction {
            lines.push("-- no-transaction".to_owned());
        }
        let mut say = |key: &str, value: String| {
            let bare = value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+_.".contains(c))
                && !value.is_empty();
            lines.push(match bare {
                true => format!("-- orm: {key}={value}"),
                false => format!(
                    "-- orm: {key}=\"{}\"",
                    value
                        .replace('\\', "\\\\")
                        .replace('"', "\\\"")
                        .replace(['\n', '\r'], " ")
                ),
            });
        };
        if let Some(parents) = &self.parents {
            say(
                "parent",
                if parents.is_empty() {
                    "none".to_owned()
                } else {
                    join(parents)
                },
            );
        }
        if !self.depends_on.is_empty() {
            say("depends_on", join(&self.depends_on));
        }
        if !self.replaces.is_empty() {
            say("replaces", join(&self.replaces));
        }
        if self.kind != Kind::Schema {
            say("kind", self.kind.name().to_owned());
        }
        match self.phase {
            Some(Phase::Expand) => say("phase", "expand".to_owned()),
            Some(Phase::Contract) => say("phase", "contract".to_owned()),
            None => {}
        }
        if self.foreign_keys_off {
            say("foreign_keys", "off".to_owned());
        }
        let texts = [
            ("label", &self.label),
            ("why", &self.why),
            ("irreversible", &self.irreversible),
            ("acknowledge", &self.acknowledge),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                say(key, value.clone());
            }
        }
        for lost in &self.loses {
            say("loses", lost.clone());
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// What a line above a statement allows it: `orm: allow=drop-column, why="nobody reads it"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) rules: Vec<String>,
    pub(crate) why: Option<String>,
}

/// Reads a comment that may be an allowance; `None` for other comments.
pub(crate) fn allowance(comment: &str) -> Result<Option<Allowance>> {
    let Some(pairs) = comment.strip_prefix("orm:") else {
        return Ok(None);
    };
    let pairs = pairs_of(pairs)?;
    if !pairs.iter().any(|(key, _)| key == "allow") {
        return Ok(None);
    }
    let mut all = Allowance {
        rules: Vec::new(),
        why: None,
    };
    for (key, value) in pairs {
        match key.as_str() {
            "allow" => all.rules.push(value),
            "why" => all.why = Some(value).filter(|why| !why.trim().is_empty()),
            _ => {
                return Err(Error::config(format!(
                    "a line with `allow` has `allow` and `why` only: give `{key}` a line of its own"
                )));
            }
        }
    }
    Ok(Some(all))
}

fn versions(key: &str, value: &str) -> Result<Vec<i64>> {
    let number = |v: &str| v.trim().parse().ok().filter(|v| *v > 0);
    value
        .split('+')
        .map(|v| {
            number(v).ok_or_else(|| {
                Error::config(format!(
                    "the header's `{key}` names versions, as `{key}=20260131120000`, several joined by `+`"
                ))
            })
        })
        .collect()
}

/// `a=b, c="d, e"`.
fn pairs_of(text: &str) -> Result<Vec<(String, String)>> {
    let malformed = || Error::config("a header line reads `-- orm: key=value, key=\"a value\"`");
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, tail) = rest.split_once('=').ok_or_else(malformed)?;
        let tail = tail.trim_start();
        let (value, tail) = match tail.strip_prefix('"') {
            Some(inner) => {
                let (mut value, mut chars) = (String::new(), inner.char_indices());
                let end = loop {
                    match chars.next().ok_or_else(malformed)? {
                        (at, '"') => break at + 1,
                        (_, '\\') => value.push(chars.next().ok_or_else(malformed)?.1),
                        (_, c) => value.push(c),
                    }
                };
                (value, &inner[end..])
            }
            None => {
                let end = tail.find(',').unwrap_or(tail.len());
                (tail[..end].trim().to_owned(), &tail[end..])
            }
        };
        let tail = tail.trim_start();
        rest = match tail.strip_prefix(',') {
            Some(tail) => tail.trim_start(),
            None if tail.is_empty() => tail,
            None => return Err(malformed()),
        };
        pairs.push((key.trim().to_owned(), value));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use crate::{Header, Kind, Phase};

    #[test]
    fn what_is_written_is_read() {
        let full = Header {
            parents: Some(vec![1, 2]),
            depends_on: vec![3],
            replaces: vec![4, 5],
            why: Some("a \"reason\", with\\".to_owned()),
            kind: Kind::Data,
            phase: Some(Phase::Expand),
            label: Some("billing".to_owned()),
            loses: vec!["column users.nick".to_owned(), "table drafts".to_owned()],
            acknowledge: Some("abc".to_owned()),
            irreversible: Some(String::new()),
            no_transaction: true,
            foreign_keys_off: true,
        };
        let root = Header {
            parents: Some(vec![]),
            ..Header::default()
        };
        for header in [full, root, Header::default()] {
            let text = format!("{}SELECT 1;\n-- orm: kind=none", header.write());
            assert_eq!(Header::read(&text).unwrap(), header, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "-- orm: kind=datta",
            "-- orm: parent=one",
            "-- orm: parent=-1",
            "-- orm: kind",
            "-- orm: why=\"open",
            "-- orm: why=\"a\" kind=data",
        ] {
            assert!(Header::read(text).is_err(), "{text}");
        }
        // a comment of another kind, and one behind the first statement, say nothing
        assert_eq!(
            Header::read("-- orms are good\nSELECT 1; -- orm: x=y\n-- orm: x=y").unwrap(),
            Header::default()
        );
    }
}

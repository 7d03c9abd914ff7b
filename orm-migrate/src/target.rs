//! Where to go: `head`, `base`, `+2`, `-1`, the beginning of a version or name, and a step from there.

use std::fmt;
use std::str::FromStr;

use orm_core::error::{Error, Result};

/// Up to where to apply or undo.
///
/// ```
/// use orm_migrate::Target;
/// assert_eq!("head".parse::<Target>()?, Target::Head);
/// assert_eq!("-1".parse::<Target>()?, Target::Relative(-1));
/// assert_eq!("20260131+1".parse::<Target>()?, Target::At { id: "20260131".into(), offset: 1 });
/// assert!("a:b".parse::<Target>().is_err());
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The last migration; an error where there are several last ones.
    Head,
    /// All of the last ones.
    Heads,
    /// Before the first.
    Base,
    /// So many migrations from where the database is, forwards or back.
    Relative(i64),
    /// A migration by the beginning of its version, or of its name, or of a branch's label; and so many further on.
    At {
        /// What its version or name begins with.
        id: String,
        /// How many further on, or back.
        offset: i64,
    },
}

impl Target {
    /// A migration by its version.
    pub fn version(version: i64) -> Self {
        Target::At {
            id: version.to_string(),
            offset: 0,
        }
    }
}

impl FromStr for Target {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::config(
                "a target is `head`, `heads`, `base`, `+2`, `-1`, or the beginning of a version or name, with `+1` or \
                 `-1` behind it for a step from there",
            )
        };
        let text = text.trim();
        match text {
            "head" => return Ok(Target::Head),
            "heads" => return Ok(Target::Heads),
            "base" => return Ok(Target::Base),
            _ => {}
        }
        let sign = text.rfind(['+', '-']).filter(|at| {
            let digits = &text[at + 1..];
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        });
        let (id, offset) = match sign {
            Some(at) => (&text[..at], text[at..].parse().map_err(|_| refuse())?),
            None => (text, 0),
        };
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match (id, sign) {
            ("", Some(_)) => Ok(Target::Relative(offset)),
            ("head", _) => Ok(Target::At {
                id: "head".to_owned(),
                offset,
            }),
            (id, _) if !id.is_empty() && id.chars().all(good) && !id.starts_with('-') => Ok(Target::At {
                id: id.to_owned(),
                offset,
            }),
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Head => f.write_str("head"),
            Target::Heads => f.write_str("heads"),
            Target::Base => f.write_str("base"),
            Target::Relative(n) => write!(f, "{n:+}"),
            Target::At { id, offset: 0 } => f.write_str(id),
            Target::At { id, offset } => write!(f, "{id}{offset:+}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Target;

    #[test]
    fn what_is_a_target() {
        let at = |id: &str, offset| Target::At {
            id: id.to_owned(),
            offset,
        };
        for (text, expected) in [
            ("head", Target::Head),
            (" heads ", Target::Heads),
            ("base", Target::Base),
            ("+2", Target::Relative(2)),
            ("-1", Target::Relative(-1)),
            ("+0", Target::Relative(0)),
            ("2026", at("2026", 0)),
            ("create_users", at("create_users", 0)),
            ("create-users", at("create-users", 0)),
            ("2026-1", at("2026", -1)),
            ("head-2", at("head", -2)),
            ("users+10", at("users", 10)),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target, expected, "{text}");
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
        for text in [
            "",
            "+",
            "-",
            "a:b",
            "a b",
            "--1",
            "+-1",
            "a@b",
            "ä",
            "-99999999999999999999",
            "1;2",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}

//! Full-text search: an FTS5 table beside the one that is searched, over its rows, kept in step by triggers. What somebody
//! looks for is read as PostgreSQL's `websearch_to_tsquery` reads it and written in FTS5's own syntax, where every
//! word stands in quotes: no text is an error.

use orm_core::ast::ddl::{RowEvent, SearchTable};
use orm_core::ast::{Search, SearchCall, SearchOp, SearchWeight};
use orm_core::error::Result;
use orm_core::sql::SqlWriter;
use orm_core::value::{Type, Value};

/// Language, how FTS5 cuts texts into words, and the words that are left out, as PostgreSQL does.
const LANGUAGES: [(&str, &str, &[&str]); 2] = [
    (Search::SIMPLE, "unicode61 remove_diacritics 0", &[]),
    ("english", "porter unicode61 remove_diacritics 0", &STOP_WORDS),
];

/// PostgreSQL's `english.stop`.
#[rustfmt::skip]
static STOP_WORDS: [&str; 127] = [
    "i", "me", "my", "myself", "we", "our", "ours", "ourselves", "you", "your", "yours", "yourself", "yourselves", "he",
    "him", "his", "himself", "she", "her", "hers", "herself", "it", "its", "itself", "they", "them", "their", "theirs",
    "themselves", "what", "which", "who", "whom", "this", "that", "these", "those", "am", "is", "are", "was", "were", "be",
    "been", "being", "have", "has", "had", "having", "do", "does", "did", "doing", "a", "an", "the", "and", "but", "if",
    "or", "because", "as", "until", "while", "of", "at", "by", "for", "with", "about", "against", "between", "into",
    "through", "during", "before", "after", "above", "below", "to", "from", "up", "down", "in", "out", "on", "off", "over",
    "under", "again", "further", "then", "once", "here", "there", "when", "where", "why", "how", "all", "any", "both",
    "each", "few", "more", "most", "other", "some", "such", "no", "nor", "not", "only", "own", "same", "so", "than", "too",
    "very", "s", "t", "can", "will", "just", "don", "should", "now",
];

fn stop_words(search: &Search) -> &'static [&'static str] {
    let known = LANGUAGES.iter().find(|(name, ..)| *name == search.language);
    known.map_or(&[], |(.., words)| words)
}

pub(crate) fn create(w: &mut SqlWriter<'_>, table: &SearchTable) -> Result<()> {
    let search = table.search;
    let Some((_, tokenizer, _)) = LANGUAGES.iter().find(|(name, ..)| *name == search.language) else {
        let feature = format!(
            "full-text search in `{}` (`simple` and `english` are there)",
            search.language
        );
        return Err(w.unsupported(&feature));
    };
    let key = key_of(w, search)?;
    w.push("CREATE VIRTUAL TABLE ");
    w.ident(search.name)?;
    w.push(" USING fts5(");
    for c in search.columns {
        w.ident(c.column.name)?;
        w.push(", ");
    }
    w.push("content=");
    w.literal(table.table)?;
    w.push(", content_rowid=");
    w.literal(key)?;
    w.push(", tokenize=");
    w.literal(tokenizer)?;
    w.push(")");
    Ok(())
}

/// The rows of the words have the numbers of the rows that hold them.
fn key_of(w: &SqlWriter<'_>, search: &Search) -> Result<&'static str> {
    match search.key {
        Some(key) if matches!(key.ty, Type::I16 | Type::I32 | Type::I64) => Ok(key.name),
        _ => Err(w.unsupported("full-text search of a table whose key is no integer")),
    }
}

pub(crate) fn follow(w: &mut SqlWriter<'_>, event: RowEvent, table: &SearchTable) -> Result<()> {
    let search = table.search;
    let key = key_of(w, search)?;
    let mut written = |row: &str, gone: bool| -> Result<()> {
        w.push("INSERT INTO ");
        w.ident(search.name)?;
        w.push(" (");
        if gone {
            // a command of FTS5: the words that were there are taken out
            w.ident(search.name)?;
            w.push(", ");
        }
        w.push("rowid");
        for c in search.columns {
            w.push(", ");
            w.ident(c.column.name)?;
        }
        w.push(if gone {
            ") VALUES ('delete', "
        } else {
            ") VALUES ("
        });
        w.push(row);
        w.ident(key)?;
        for c in search.columns {
            w.push(", ");
            w.push(row);
            w.ident(c.column.name)?;
        }
        w.push("); ");
        Ok(())
    };
    if event != RowEvent::Insert {
        written("OLD.", true)?;
    }
    if event != RowEvent::Delete {
        written("NEW.", false)?;
    }
    Ok(())
}

pub(crate) fn call(w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
    key_of(w, call.search)?;
    let wanted = Wanted::read(&call.text, stop_words(call.search));
    match call.op {
        SearchOp::Matches => matches(w, call, &wanted),
        SearchOp::Rank => rank(w, call, &wanted),
        SearchOp::Highlight(column) | SearchOp::Headline(column) => {
            let Some(found) = wanted.found() else {
                return w.column(call.source, column);
            };
            w.push("coalesce((SELECT ");
            let at = call.search.position(column).unwrap_or_default();
            let excerpt = matches!(call.op, SearchOp::Headline(_));
            w.push(if excerpt { "snippet(" } else { "highlight(" });
            w.ident(call.search.name)?;
            w.push(&format!(", {at}, '<b>', '</b>'"));
            w.push(if excerpt { ", '…', 32) FROM " } else { ") FROM " });
            table_matches(w, call, found)?;
            w.push(" AND rowid = ");
            key(w, call)?;
            w.push("), ");
            w.column(call.source, column)?;
            w.push(")");
            Ok(())
        }
    }
}

/// Rows that have words, and rows that lack some: FTS5 finds only the former.
fn matches(w: &mut SqlWriter<'_>, call: &SearchCall, wanted: &Wanted) -> Result<()> {
    let mut first = true;
    w.push("(");
    if let Some(found) = wanted.found() {
        first = false;
        key(w, call)?;
        w.push(" IN (SELECT rowid FROM ");
        table_matches(w, call, found)?;
        w.push(")");
    }
    for lacks in wanted.lacking() {
        w.push(if first { "" } else { " OR " });
        first = false;
        key(w, call)?;
        w.push(" NOT IN (SELECT rowid FROM ");
        table_matches(w, call, lacks)?;
        w.push(")");
    }
    w.push(if first { "FALSE)" } else { ")" });
    Ok(())
}

/// The ranks of all rows that are found, once: each asks for the numbers of the whole table. With LIMIT the query stays one by
/// itself, and is indexed by the key.
fn rank(w: &mut SqlWriter<'_>, call: &SearchCall, wanted: &Wanted) -> Result<()> {
    let Some(found) = wanted.found() else {
        w.push("0.0");
        return Ok(());
    };
    w.push("coalesce((SELECT \"s\".\"r\" FROM (SELECT rowid AS \"k\", -bm25(");
    w.ident(call.search.name)?;
    let columns = call.search.columns;
    if columns.iter().any(|c| c.weight != SearchWeight::D) {
        for c in columns {
            w.push(", ");
            w.push(c.weight.number());
        }
    }
    w.push(") AS \"r\" FROM ");
    table_matches(w, call, found)?;
    w.push(" LIMIT -1) AS \"s\" WHERE \"s\".\"k\" = ");
    key(w, call)?;
    w.push("), 0.0)");
    Ok(())
}

fn key(w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
    match call.search.key {
        Some(key) => w.column(call.source, key),
        None => Ok(()),
    }
}

fn table_matches(w: &mut SqlWriter<'_>, call: &SearchCall, pattern: String) -> Result<()> {
    w.ident(call.search.name)?;
    w.push(" WHERE ");
    w.ident(call.search.name)?;
    w.push(" MATCH ");
    w.param(Value::Text(pattern))
}

/// What somebody looks for: one of these, each with words that must be there and words that must not.
#[derive(Debug, Default, PartialEq)]
struct Wanted(Vec<Group>);

#[derive(Debug, Default, PartialEq)]
struct Group {
    /// In quotes, as FTS5 takes them.
    has: Vec<String>,
    lacks: Vec<String>,
}

impl Wanted {
    /// Reads the syntax of web search.
    fn read(text: &str, stop_words: &[&str]) -> Wanted {
        let mut groups = vec![Group::default()];
        let mut rest = text;
        let mut negated = false;
        let mut behind_operand = false;
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '!' | '&' | '|' | '(' | ')');
        loop {
            rest = rest.trim_start();
            if behind_operand && let Some(behind) = or(rest) {
                groups.push(Group::default());
                rest = behind;
            }
            behind_operand = false;
            let (operand, behind) = match rest.chars().next() {
                None => break,
                Some('-') => {
                    negated = !negated;
                    rest = &rest[1..];
                    continue;
                }
                // what is not closed goes on to the end
                Some('"') => rest[1..].split_once('"').unwrap_or((&rest[1..], "")),
                Some(c) if ends(c) => {
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
                Some(_) => rest.split_at(rest.find(ends).unwrap_or(rest.len())),
            };
            if let (Some(phrase), Some(group)) = (phrase(operand, stop_words), groups.last_mut()) {
                match negated {
                    true => group.lacks.push(phrase),
                    false => group.has.push(phrase),
                }
            }
            (rest, behind_operand, negated) = (behind, true, false);
        }
        groups.retain(|g| !g.has.is_empty() || !g.lacks.is_empty());
        Wanted(groups)
    }

    /// The pattern of all groups with words that must be there.
    fn found(&self) -> Option<String> {
        let groups = self.0.iter().filter(|g| !g.has.is_empty());
        let groups: Vec<String> = groups
            .map(|g| {
                let has = g.has.join(" AND ");
                match g.lacks.is_empty() {
                    true => format!("({has})"),
                    false => format!("(({has}) NOT ({}))", g.lacks.join(" OR ")),
                }
            })
            .collect();
        (!groups.is_empty()).then(|| groups.join(" OR "))
    }

    /// For each group of nothing but words that must not be there, the pattern of these.
    fn lacking(&self) -> impl Iterator<Item = String> {
        let groups = self.0.iter().filter(|g| g.has.is_empty());
        groups.map(|g| g.lacks.join(" OR "))
    }
}

/// What stands behind the word `or`, where something does.
fn or(rest: &str) -> Option<&str> {
    let (word, behind) = rest.split_at_checked(2)?;
    let ends = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
    let mut chars = behind.chars();
    let alone = chars.next().is_some_and(ends) && chars.any(|c| !c.is_whitespace());
    (word.eq_ignore_ascii_case("or") && alone).then_some(behind)
}

/// An operand as a phrase in quotes, without stop words at its ends; none where nothing is left of it.
fn phrase(operand: &str, stop_words: &[&str]) -> Option<String> {
    let words = operand
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let is_word = |w: &String| !stop_words.contains(&w.as_str());
    let (first, last) = (words.iter().position(is_word)?, words.iter().rposition(is_word)?);
    Some(format!("\"{}\"", words[first..=last].join(" ")))
}

#[cfg(test)]
mod tests {
    use crate::search::{STOP_WORDS, Wanted};

    #[track_caller]
    fn reads(text: &str, found: &str, lacking: &[&str]) {
        let wanted = Wanted::read(text, &[]);
        assert_eq!(wanted.found().as_deref().unwrap_or(""), found, "{text}");
        assert_eq!(wanted.lacking().collect::<Vec<_>>(), lacking, "{text}");
    }

    #[test]
    fn the_syntax_of_web_search() {
        reads("rust orm", r#"("rust" AND "orm")"#, &[]);
        reads("rust -orm", r#"(("rust") NOT ("orm"))"#, &[]);
        reads(r#""sad cat" or "fat rat""#, r#"("sad cat") OR ("fat rat")"#, &[]);
        reads("a OR b c", r#"("a") OR ("b" AND "c")"#, &[]);
        reads("-a -b", "", &[r#""a" OR "b""#]);
        reads("c or -a", r#"("c")"#, &[r#""a""#]);
        reads("--a", r#"("a")"#, &[]);
        reads("don't rust-lang", r#"("don t" AND "rust lang")"#, &[]);
        reads("or", r#"("or")"#, &[]);
        reads("a or", r#"("a" AND "or")"#, &[]);
        reads("or a", r#"("or" AND "a")"#, &[]);
        reads("orange", r#"("orange")"#, &[]);
        reads("a - b", r#"(("a") NOT ("b"))"#, &[]);
        for nothing in ["", "   ", "\"", "\"\"", "-", "!!", "( ) * ^ : { }", "- -"] {
            reads(nothing, "", &[]);
        }
        reads(r#"x" y"#, r#"("x" AND "y")"#, &[]);
        reads(r#""x"-y"#, r#"(("x") NOT ("y"))"#, &[]);
        reads("a|b (c)&!d", r#"("a" AND "b" AND "c" AND "d")"#, &[]);
        reads(r#"a or" b"#, r#"("a") OR ("b")"#, &[]);
        reads(
            "NEAR(a b, 2) * title:x",
            r#"("near" AND "a" AND "b" AND "2" AND "title x")"#,
            &[],
        );
    }

    #[test]
    fn stop_words_are_left_out() {
        let found = |text| Wanted::read(text, &STOP_WORDS).found();
        assert_eq!(found("the Rust book").as_deref(), Some(r#"("rust" AND "book")"#));
        assert_eq!(found(r#""the end of it""#).as_deref(), Some(r#"("end")"#));
        assert_eq!(found(r#""end of time""#).as_deref(), Some(r#"("end of time")"#));
        assert_eq!(found("the"), None);
    }
}

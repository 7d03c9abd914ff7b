//! `EXPLAIN QUERY PLAN`: lines of words, each under another one. Pure text.
//!
//! The words name tables by what the statement calls them, so that the statement is looked at for what these stand for.

use std::collections::HashMap;

use orm_core::error::{Error, Result};
use orm_core::sql::Explain;
use orm_core::sql::plan::{NodeKind, Plan, PlanNode};
use orm_core::value::{Type, Value};

/// `EXPLAIN QUERY PLAN`.
pub(crate) fn explain() -> Explain {
    Explain {
        words: "EXPLAIN QUERY PLAN".into(),
        // the number of the line, that of the line above, nothing, words
        columns: &[Type::I64, Type::I64, Type::I64, Type::Text],
    }
}

pub(crate) fn plan(rows: Vec<Vec<Value>>, statement: &str) -> Result<Plan> {
    let names = aliases(statement);
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let [Value::I64(id), Value::I64(parent), _, Value::Text(words)] = &row[..] else {
            return Err(Error::decode("EXPLAIN QUERY PLAN answered with other columns"));
        };
        lines.push((*id, *parent, node(words, &names)));
    }
    // a line stands behind the one above it: from the end, every line has its own already
    let mut roots = Vec::new();
    while let Some((_, parent, mut node)) = lines.pop() {
        node.children.reverse();
        match lines.iter_mut().rev().find(|(id, ..)| *id == parent) {
            Some((.., above)) => above.children.push(node),
            None => roots.push(node),
        }
    }
    roots.reverse();
    Ok(Plan::new(roots))
}

/// The step that a line describes.
fn node(words: &str, names: &HashMap<String, Option<String>>) -> PlanNode {
    let (verb, rest) = match words.split_once(' ') {
        Some((verb @ ("SCAN" | "SEARCH"), rest)) => (verb, rest),
        _ => return PlanNode::new(kind(words), words),
    };
    if rest.ends_with("CONSTANT ROW") || rest.ends_with("CONSTANT ROWS") || rest.ends_with("VALUES CLAUSE") {
        return PlanNode::new(NodeKind::ValuesScan, words);
    }
    let mut node = PlanNode::new(NodeKind::SequentialScan, verb);
    let mut rest = rest;
    for (end, join) in [
        (" LEFT-JOIN", "Left"),
        (" RIGHT-JOIN", "Right"),
        (" EXISTS", "Semi"),
    ] {
        if let Some(before) = rest.strip_suffix(end) {
            (rest, node.join) = (before, Some(join.into()));
        }
    }
    let (alias, how) = match (rest.split_once(" USING "), rest.split_once(" VIRTUAL TABLE ")) {
        (Some((alias, how)), _) => (alias, how),
        (None, Some((alias, how))) => {
            node.kind = NodeKind::OtherScan;
            node.other.push(("VIRTUAL TABLE".into(), how.into()));
            (alias, "")
        }
        (None, None) => (rest, ""),
    };
    node.alias = Some(alias.into());
    node.relation = match names.get(alias) {
        Some(relation) => relation.clone(),
        None if alias.starts_with(['(', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => None,
        None => Some(alias.into()),
    };
    if node.relation.is_none() && node.kind == NodeKind::SequentialScan {
        node.kind = NodeKind::SubqueryScan;
    }
    let (how, condition) = match how.split_once(" (") {
        Some((how, condition)) => (how, condition.strip_suffix(')')),
        None => (how, None),
    };
    node.condition = condition.map(str::to_owned);
    if how.is_empty() {
        return node;
    }
    node.kind = NodeKind::IndexScan;
    match how.rsplit_once("INDEX ") {
        Some((kind, index)) => {
            if kind.ends_with("COVERING ") {
                node.kind = NodeKind::IndexOnlyScan;
            }
            node.index = Some(index.into());
        }
        // INTEGER PRIMARY KEY, PRIMARY KEY, or an index that is made for the statement
        None => node.other.push(("USING".into(), how.into())),
    }
    node
}

fn kind(words: &str) -> NodeKind {
    let starts = |list: &[&str]| list.iter().any(|start| words.starts_with(start));
    if let Some((_, what)) = words.split_once("USE TEMP B-TREE FOR ") {
        return match what {
            _ if what.ends_with("GROUP BY") => NodeKind::Aggregate,
            _ if what.ends_with("ORDER BY") => NodeKind::Sort,
            _ => NodeKind::Unique,
        };
    }
    match words {
        _ if starts(&["MATERIALIZE"]) => NodeKind::Materialize,
        _ if starts(&["CO-ROUTINE"]) || words.contains("SUBQUERY") => NodeKind::Subquery,
        _ if starts(&["RECURSIVE STEP", "SETUP"]) => NodeKind::Recursion,
        _ if starts(&[
            "COMPOUND",
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "MERGE (",
            "LEFT",
            "RIGHT",
        ]) =>
        {
            NodeKind::SetOperation
        }
        _ if starts(&["MULTI-INDEX OR", "INDEX "]) => NodeKind::BitmapScan,
        _ if starts(&["BLOOM FILTER"]) => NodeKind::Hash,
        _ => NodeKind::Other,
    }
}

/// What each alias of a statement stands for: a name, or nothing for a query in parentheses.
fn aliases(statement: &str) -> HashMap<String, Option<String>> {
    let tokens = tokens(statement);
    let mut names = HashMap::new();
    for window in tokens.windows(3) {
        let [before, Token::Word(word, false), Token::Word(alias, _)] = window else {
            continue;
        };
        if !word.eq_ignore_ascii_case("AS") {
            continue;
        }
        match before {
            Token::Word(name, _) => names.insert(alias.clone(), Some(name.clone())),
            Token::Sign(')') => names.insert(alias.clone(), None),
            Token::Sign(_) => None,
        };
    }
    names
}

enum Token {
    /// An identifier or keyword, and whether it was quoted.
    Word(String, bool),
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '"' | '\'' | '`' => {
                let quoted = end_of_quoted(rest, c);
                let inner = rest.get(1..quoted.saturating_sub(1)).unwrap_or_default();
                match c {
                    '\'' => out.push(Token::Sign(c)),
                    _ => out.push(Token::Word(
                        inner.replace(&format!("{c}{c}"), &c.to_string()),
                        true,
                    )),
                }
                quoted
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let end = end.unwrap_or(rest.len());
                out.push(Token::Word(rest[..end].to_owned(), false));
                end
            }
            c => {
                if !c.is_whitespace() {
                    out.push(Token::Sign(c));
                }
                c.len_utf8()
            }
        };
        rest = &rest[end..];
    }
    out
}

/// Where a quoted part ends; a doubled quote is one character of it.
fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => return at + 1,
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use crate::plan::*;

    fn read(lines: &[(i64, i64, &str)], statement: &str) -> Plan {
        let row = |(id, parent, words): &(i64, i64, &str)| {
            vec![
                Value::I64(*id),
                Value::I64(*parent),
                Value::I64(0),
                Value::Text((*words).into()),
            ]
        };
        plan(lines.iter().map(row).collect(), statement).unwrap()
    }

    #[test]
    fn lines_become_a_tree_of_tables_and_indexes() {
        let plan = read(
            &[
                (2, 0, "CO-ROUTINE t2"),
                (5, 2, "SCAN t3 USING COVERING INDEX ix_a"),
                (9, 2, "USE TEMP B-TREE FOR GROUP BY"),
                (20, 0, "SCAN t0"),
                (30, 0, "SEARCH t1 USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN"),
                (31, 0, "SEARCH t2 USING AUTOMATIC COVERING INDEX (id=?)"),
                (32, 0, "SEARCH t4 USING INDEX ix_b (a=? AND b>?)"),
                (40, 0, "USE TEMP B-TREE FOR LAST TERM OF ORDER BY"),
            ],
            r#"SELECT 'x AS t9' FROM "us""ers" AS t0 LEFT JOIN posts AS t1 JOIN (SELECT 1 FROM "p" AS t3) AS t2, "b" AS t4"#,
        );
        assert_eq!(
            plan.to_string(),
            "CO-ROUTINE t2\n  -> SCAN on p t3 using ix_a\n  -> USE TEMP B-TREE FOR GROUP BY\nSCAN on us\"ers t0\n\
             SEARCH (Left) on posts t1\n  by: rowid=?\nSEARCH t2\n  by: id=?\nSEARCH on b t4 using ix_b\n  \
             by: a=? AND b>?\nUSE TEMP B-TREE FOR LAST TERM OF ORDER BY\n"
        );
        use NodeKind::*;
        let kinds: Vec<NodeKind> = plan.nodes().map(|n| n.kind).collect();
        assert_eq!(
            kinds,
            [
                Subquery,
                IndexOnlyScan,
                Aggregate,
                SequentialScan,
                IndexScan,
                IndexScan,
                IndexScan,
                Sort
            ]
        );
        assert_eq!(plan.sequential_scans().count(), 1);
        assert!(plan.uses_index("ix_b") && !plan.uses_index("ix_c"));
    }

    #[test]
    fn other_columns_are_an_error() {
        assert!(plan(vec![vec![Value::I64(1)]], "").is_err());
        // text that ends too early is no reason to fail
        assert!(aliases("a AS \"b").contains_key("b") || aliases("a AS \"b").contains_key(""));
    }
}

//! Full-text search that models made: told by what it is made of, and given back as their attribute.

use orm_core::schema::name::conventional;

use crate::Backend;
use crate::schema::{Fill, Index, Schema, Table, Trigger, VirtualTable};

/// The column with the words of a row, on PostgreSQL.
const VECTOR: &str = "search_vector";
/// How SQLite cuts texts into words, by language.
const TOKENIZERS: [(&str, &str); 2] = [
    ("simple", "unicode61 remove_diacritics 0"),
    ("english", "porter unicode61 remove_diacritics 0"),
];

/// A search of a table.
pub(crate) struct Searched {
    /// Columns and the letters of their weights.
    pub(crate) columns: Vec<(String, Option<char>)>,
    pub(crate) language: String,
}

impl Searched {
    pub(crate) fn of(table: &Table, schema: &Schema, backend: Backend) -> Option<Searched> {
        let found = match backend {
            Backend::Postgres => {
                let column = table
                    .columns
                    .iter()
                    .find(|c| is_vector(c.name.as_str()) && c.ty == "tsvector")?;
                let Fill::Stored(sql) = &column.fill else {
                    return None;
                };
                table.indexes.iter().find(|index| is_index(table, index))?;
                of_vector(sql)?
            }
            Backend::Sqlite => {
                let own = schema.virtual_tables.iter().find(|t| is_table(table, t))?;
                let triggers = table.triggers.iter().filter(|t| is_trigger(table, t));
                (triggers.count() == 3).then_some(())?;
                of_module(&own.module, table)?
            }
        };
        let known = |name: &str| table.columns.iter().any(|c| c.name == name);
        found.columns.iter().all(|(name, _)| known(name)).then_some(found)
    }
}

pub(crate) fn is_vector(column: &str) -> bool {
    column == VECTOR
}
pub(crate) fn is_index(table: &Table, index: &Index) -> bool {
    index.name == conventional("ix", &table.name.name, [VECTOR])
}
pub(crate) fn is_table(table: &Table, own: &VirtualTable) -> bool {
    own.name.name == conventional(&table.name.name, "search", [])
}
pub(crate) fn is_trigger(table: &Table, trigger: &Trigger) -> bool {
    let words = ["insert", "update", "delete"];
    words
        .iter()
        .any(|word| trigger.name == conventional("search", &table.name.name, [*word]))
}

/// What the column is computed from, as it is written or as the database prints it.
fn of_vector(sql: &str) -> Option<Searched> {
    let mut pieces = sql.split("to_tsvector(");
    let mut before = pieces.next()?.to_owned();
    let (mut columns, mut language) = (Vec::new(), None);
    for piece in pieces {
        let (own, rest) = piece.strip_prefix('\'')?.split_once('\'')?;
        if language.get_or_insert(own) != &own {
            return None;
        }
        let at = rest.to_ascii_lowercase().find("coalesce(")? + "coalesce(".len();
        let (name, rest) = rest.get(at..)?.split_once(',')?;
        let name = name
            .trim_start_matches('(')
            .split("::")
            .next()?
            .trim_end_matches(')');
        let name = match name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name.to_owned(),
        };
        let weighted = before.trim_end().ends_with("setweight(");
        let letter = |c: &char| rest.contains(&format!("'{c}'"));
        let weight = ['A', 'B', 'C', 'D'].into_iter().find(letter).filter(|_| weighted);
        columns.push((name, weight));
        before = rest.to_owned();
    }
    let found = Searched {
        columns,
        language: language?.to_owned(),
    };
    (bare(sql) == bare(&found.vector())).then_some(found)
}

/// Without what the database adds: types, brackets, blanks.
fn bare(sql: &str) -> String {
    let mut sql = sql.to_ascii_lowercase();
    for ty in ["::regconfig", "::text", "::\"char\"", "::character varying"] {
        sql = sql.replace(ty, "");
    }
    sql.retain(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"'));
    sql
}

impl Searched {
    fn vector(&self) -> String {
        let of = |(name, weight): &(String, Option<char>)| {
            let words = format!("to_tsvector('{}', coalesce({name}, ''))", self.language);
            match weight {
                Some(letter) => format!("setweight({words}, '{letter}')"),
                None => words,
            }
        };
        self.columns.iter().map(of).collect::<Vec<_>>().join(" || ")
    }
}

/// What the table beside is made of. Weights are not in there.
fn of_module(module: &str, table: &Table) -> Option<Searched> {
    // blanks around the signs of equality are a matter of who wrote it
    let module = module.replace(" = ", "=");
    let inner = module.strip_prefix("fts5(")?.strip_suffix(')')?;
    let (names, rest) = inner.split_once(", content=")?;
    let names = names.split(", ").map(|name| {
        let name = name.strip_prefix('"')?.strip_suffix('"')?;
        Some((name.replace("\"\"", "\""), None))
    });
    let key = match table.primary_key.as_ref()?.columns.as_slice() {
        [only] => only,
        _ => return None,
    };
    let text = |s: &str| format!("'{}'", s.replace('\'', "''"));
    let (language, _) = TOKENIZERS.iter().find(|(_, tokenizer)| {
        let (content, key) = (text(&table.name.name), text(key));
        rest == format!("{content}, content_rowid={key}, tokenize={}", text(tokenizer))
    })?;
    Some(Searched {
        columns: names.collect::<Option<_>>()?,
        language: (*language).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::pull::search::of_vector;

    #[test]
    fn what_computes_a_column_is_read() {
        let printed = "(setweight(to_tsvector('english'::regconfig, COALESCE(title, ''::text)), 'A'::\"char\") || \
                       to_tsvector('english'::regconfig, (COALESCE(\"Body\", ''::character varying))::text))";
        let found = of_vector(printed).unwrap();
        assert_eq!(found.language, "english");
        assert_eq!(
            found.columns,
            [("title".to_owned(), Some('A')), ("Body".to_owned(), None)]
        );
        for other in [
            "to_tsvector('english', title)",
            "to_tsvector('english', coalesce(title, '') || ' ')",
            "to_tsvector('english', coalesce(a, '')) || to_tsvector('german', coalesce(b, ''))",
            "''::tsvector",
        ] {
            assert!(of_vector(other).is_none(), "{other}");
        }
    }
}

//! Full-text search: a `tsvector` column that the database computes, asked in the syntax of web search.

use orm_core::ast::{Search, SearchCall, SearchOp, SearchWeight};
use orm_core::error::Result;
use orm_core::sql::{SearchForm, SqlWriter};
use orm_core::value::Value;

const COLUMN: &str = "search_vector";

pub(crate) const FORM: SearchForm = SearchForm::Column {
    name: COLUMN,
    ty: &[("", "tsvector")],
    sql: vector,
    method: "gin",
};

/// The words of all columns, with their weights.
fn vector(search: &Search) -> String {
    let words = search.columns.iter().map(|c| {
        let name = c.column.name.replace('"', "\"\"");
        let words = format!(
            "to_tsvector({}, coalesce(\"{name}\", ''))",
            literal(search.language)
        );
        match c.weight {
            SearchWeight::D => words,
            weight => format!("setweight({words}, '{}')", weight.letter()),
        }
    });
    words.collect::<Vec<_>>().join(" || ")
}

fn literal(language: &str) -> String {
    format!("'{}'", language.replace('\'', "''"))
}

pub(crate) fn call(w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
    let (open, close) = match call.op {
        SearchOp::Matches => {
            w.push("(");
            w.field(call.source, COLUMN)?;
            w.push(" @@ ");
            query(w, call)?;
            w.push(")");
            return Ok(());
        }
        SearchOp::Rank => {
            w.push("CAST(ts_rank(");
            w.field(call.source, COLUMN)?;
            w.push(", ");
            query(w, call)?;
            w.push(") AS double precision)");
            return Ok(());
        }
        SearchOp::Highlight(column) => (column, "HighlightAll=true, StartSel=<b>, StopSel=</b>"),
        SearchOp::Headline(column) => (column, "MaxWords=32, MinWords=16, StartSel=<b>, StopSel=</b>"),
    };
    w.push("ts_headline(");
    w.push(&literal(call.search.language));
    w.push(", ");
    w.column(call.source, open)?;
    w.push(", ");
    query(w, call)?;
    w.push(", '");
    w.push(close);
    w.push("')");
    Ok(())
}

fn query(w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
    w.push("websearch_to_tsquery(");
    w.push(&literal(call.search.language));
    w.push(", ");
    w.param(Value::Text(call.text.to_string()))?;
    w.push(")");
    Ok(())
}

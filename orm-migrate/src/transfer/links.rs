//! Rows that refer to nothing, found when all rows are there: until then no order of tables is the right one for circles.

use orm_core::error::Result;
use orm_core::value::Type;

use crate::Backend;
use crate::sql::name;
use crate::transfer::convert::Cell;
use crate::transfer::load::{all_there, compared, json, read_as};
use crate::transfer::map::{ColumnWay, Link, Way};
use crate::transfer::read::{PIECE, PRINTED, Piece};
use crate::transfer::report::{Reason, Reject};
use crate::transfer::target::{Journal, Target};
use crate::transfer::types::Kind;
use crate::words::quoted;

/// Takes out every row whose other row is not there, until no row is left that lacks one: a row that goes may be what others
/// refer to.
pub(super) async fn settle(target: &mut Target, journal: &mut Journal) -> Result<()> {
    loop {
        let mut gone = 0;
        for i in 0..journal.plan.links.len() {
            let link = journal.plan.links[i].clone();
            let mut most = 64;
            loop {
                let (rows, size) = take_out(target, journal, &link, most).await?;
                gone += rows;
                if rows < most {
                    break;
                }
                most = (PIECE / (size / rows).max(1)).clamp(1, 5000);
            }
        }
        if gone == 0 {
            return Ok(());
        }
    }
}

/// Takes out some of them; gives back how many, and how much room they took.
async fn take_out(
    target: &mut Target,
    journal: &mut Journal,
    link: &Link,
    most: usize,
) -> Result<(usize, usize)> {
    let way = journal.plan.tables[link.child].clone();
    let (beat, standing) = &mut journal.tables[link.child];
    let mut next = standing.clone();
    target.begin().await?;
    let work = async {
        target.claim(link.child, *beat).await?;
        if target.backend == Backend::Postgres {
            for text in PRINTED {
                target.exec(text, vec![]).await?;
            }
        }
        let types = match target.backend {
            Backend::Postgres => vec![Type::Text; way.columns.len()],
            Backend::Sqlite => vec![],
        };
        let sink = Piece {
            backend: target.backend,
            width: way.columns.len(),
            wants: most + 1,
            size: 0,
            rows: Vec::new(),
        };
        let piece = target
            .run(&removal(target.backend, &way, link, most), &types, sink)
            .await?;
        let (rows, size) = (piece.rows.len(), piece.size);
        let compared = compared(&way);
        let mut rejects = Vec::with_capacity(rows);
        for cells in piece.rows {
            rejects.push(orphan(&way, link, &cells));
            next.sums.remove(&read_as(&way, cells), &compared);
        }
        next.written = next.written.saturating_sub(rows as u64);
        rejects.iter().for_each(|reject| next.reject(reject));
        target.keep_rejects(link.child, &rejects).await?;
        target.note(link.child, &next).await?;
        Ok((rows, size))
    };
    match work.await {
        Ok((0, _)) => {
            // nothing to keep
            target.rollback().await?;
            Ok((0, 0))
        }
        Ok(done) => {
            target.commit().await?;
            *beat += 1;
            *standing = next;
            Ok(done)
        }
        Err(e) => Err(target.undone(e).await),
    }
}

fn removal(backend: Backend, way: &Way, link: &Link, most: usize) -> String {
    let child = name(&way.target);
    let ids = way.row_id.join(", ");
    let of_child: Vec<String> = way.row_id.iter().map(|id| format!("c.{id}")).collect();
    let pairs: Vec<String> = link
        .parent_columns
        .iter()
        .zip(&link.columns)
        .map(|(p, c)| format!("p.{} = c.{}", quoted(p), quoted(c)))
        .collect();
    let there = all_there(&link.columns, "c.");
    let mut lost = format!(
        "{there} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        name(&link.parent),
        pairs.join(" AND ")
    );
    if link.full {
        let none: Vec<String> = link
            .columns
            .iter()
            .map(|c| format!("c.{} IS NULL", quoted(c)))
            .collect();
        lost = format!("({lost}) OR NOT ({there}) AND NOT ({})", none.join(" AND "));
    }
    let back = |column: &ColumnWay| {
        let column = quoted(&column.target);
        match backend {
            Backend::Postgres => format!("{column}::text"),
            Backend::Sqlite => format!(
                "typeof({column}), CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END"
            ),
        }
    };
    let back: Vec<String> = way.columns.iter().map(back).collect();
    format!(
        "DELETE FROM {child} WHERE ({ids}) IN (SELECT {} FROM {child} AS c WHERE {lost} LIMIT {most}) RETURNING {}",
        of_child.join(", "),
        back.join(", ")
    )
}

fn orphan(way: &Way, link: &Link, cells: &[Cell]) -> Reject {
    let all = || way.columns.iter().zip(cells);
    let told = |(column, cell): (&ColumnWay, &Cell)| {
        let number = match (&column.kind, cell) {
            (Kind::Int(_), Cell::Text(text)) => text.parse().ok().map(Cell::Int),
            _ => None,
        };
        (column.source.clone(), json(number.as_ref().unwrap_or(cell)))
    };
    let is_key = |column: &ColumnWay| way.target_key.contains(&column.target);
    let key = match way.target_key.is_empty() {
        true => all().map(told).collect(),
        false => all().filter(|(column, _)| is_key(column)).map(told).collect(),
    };
    let own = |name: &String| {
        let found = way.columns.iter().find(|c| c.target == *name);
        found.map_or_else(|| name.clone(), |c| c.source.clone())
    };
    let columns: Vec<String> = link.columns.iter().map(own).collect();
    Reject {
        table: way.source.to_string(),
        key,
        column: Some(columns.join(", ")),
        reason: Reason::Orphan,
        detail: format!(
            "the row of {} it refers to is not there, or could not go over",
            link.parent
        ),
    }
}

//! What pages send: row values where all columns are of one direction and never NULL, arms of OR otherwise.

use orm::PageCursor;
use orm::prelude::*;
use orm::query::Paged;

#[derive(Model, Clone, Debug)]
#[has_many(lines: Line)]
struct Bill {
    id: Id<Bill>,
    number: i64,
    due: Option<i64>,
}

#[derive(Model, Clone, Debug)]
#[orm(id(bill_id, place))]
struct Line {
    #[belongs_to(bill: Bill)]
    bill_id: Id<Bill>,
    place: i64,
}

async fn bills(db: &Db) -> orm::Result<()> {
    for n in 0..4 {
        let new = NewBill { number: n };
        let due = (n % 2 == 0).then_some(n);
        let bill = new.set(|b| b.due.to(due)).insert(db).await?;
        for place in 0..2 {
            let new = NewLine {
                bill_id: bill.id,
                place,
            };
            new.insert(db).await?;
        }
    }
    Ok(())
}

/// The statement without what it selects, placeholders as PostgreSQL has them.
fn behind<M: orm::Model, O>(db: &Db, page: &Paged<M, O>) -> orm::Result<String> {
    let text = page
        .to_sql(db.dialect())?
        .text
        .replace('?', "$")
        .replace("LIMIT +", "LIMIT ");
    let at = text.find(" WHERE ").or(text.find(" ORDER BY ")).unwrap_or(0);
    Ok(text[at..].trim().to_owned())
}

async fn cursor<M: orm::Model, O: orm::value::Output>(db: &Db, page: &Paged<M, O>) -> orm::Result<PageCursor>
where
    Db: Serves<M>,
{
    Ok(page.clone().fetch(db).await?.next.expect("a further page"))
}

#[orm::test(schema = orm::schema![Bill, Line])]
async fn one_direction_without_nulls_is_a_row_value(db: Db) -> orm::Result<()> {
    bills(&db).await?;
    let page = Bill::query().order_by(|b| b.number.desc()).page(2);
    assert_eq!(
        behind(&db, &page)?,
        r#"ORDER BY t0."number" DESC, t0."id" DESC LIMIT $1"#
    );
    let next = cursor(&db, &page).await?;
    assert_eq!(
        behind(&db, &page.clone().after(next.clone()))?,
        r#"WHERE (t0."number", t0."id") < ($1, $2) ORDER BY t0."number" DESC, t0."id" DESC LIMIT $3"#
    );
    assert_eq!(
        behind(&db, &page.before(next))?,
        r#"WHERE (t0."number", t0."id") > ($1, $2) ORDER BY t0."number", t0."id" LIMIT $3"#
    );
    // the key alone, which the order has already
    let page = Bill::query()
        .filter(|b| b.number.ge(0))
        .order_by(|b| b.id.asc())
        .page(1);
    let next = cursor(&db, &page).await?;
    assert_eq!(
        behind(&db, &page.after(next))?,
        r#"WHERE t0."number" >= $1 AND t0."id" > $2 ORDER BY t0."id" LIMIT $3"#
    );
    Ok(())
}

#[orm::test(schema = orm::schema![Bill, Line])]
async fn two_directions_are_arms(db: Db) -> orm::Result<()> {
    bills(&db).await?;
    let page = Bill::query().order_by(|b| (b.number.desc(), b.id.asc())).page(2);
    let next = cursor(&db, &page).await?;
    assert_eq!(
        behind(&db, &page.after(next))?,
        r#"WHERE t0."number" <= $1 AND (t0."number" < $2 OR (t0."number" = $3 AND t0."id" > $4)) ORDER BY t0."number" DESC, t0."id" LIMIT $5"#
    );
    Ok(())
}

#[orm::test(schema = orm::schema![Bill, Line])]
async fn nulls_have_their_place(db: Db) -> orm::Result<()> {
    bills(&db).await?;
    let nulls = |db: &Db, last: bool| match (db.dialect().features().nulls_low, last) {
        (true, true) => " NULLS LAST",
        (true, false) | (false, true) => "",
        (false, false) => " NULLS FIRST",
    };
    let page = Bill::query().order_by(|b| b.due.asc()).page(1);
    let value = cursor(&db, &page).await?;
    assert_eq!(
        behind(&db, &page.clone().after(value))?,
        format!(
            r#"WHERE ((t0."due" > $1 OR t0."due" IS NULL) OR (t0."due" = $2 AND t0."id" > $3)) ORDER BY t0."due"{}, t0."id" LIMIT $4"#,
            nulls(&db, true)
        )
    );
    let null = cursor(&db, &page.clone().after(cursor(&db, &page.clone()).await?)).await?;
    let null = cursor(&db, &page.clone().after(null)).await?;
    assert_eq!(
        behind(&db, &page.clone().after(null.clone()))?,
        format!(
            r#"WHERE (t0."due" IS NULL AND t0."id" > $1) ORDER BY t0."due"{}, t0."id" LIMIT $2"#,
            nulls(&db, true)
        )
    );
    assert_eq!(
        behind(&db, &page.before(null))?,
        r#"WHERE (t0."due" IS NOT NULL OR (t0."due" IS NULL AND t0."id" < $1)) ORDER BY t0."due" DESC"#
            .to_owned()
            + if db.dialect().features().nulls_low {
                " NULLS FIRST"
            } else {
                ""
            }
            + r#", t0."id" DESC LIMIT $2"#
    );
    Ok(())
}

#[orm::test(schema = orm::schema![Bill, Line])]
async fn joined_rows_are_told_apart_by_the_keys_that_are_needed(db: Db) -> orm::Result<()> {
    // to one row: its key says nothing
    let page = Line::query()
        .join(|l| l.bill)
        .select(|(l, b)| (l.place, b.number))
        .page(2);
    assert_eq!(
        behind(&db, &page)?,
        r#"ORDER BY t0."bill_id", t0."place" LIMIT $1"#
    );
    // to many: both
    let page = Bill::query()
        .join(|b| b.lines)
        .select(|(b, l)| (b.number, l.place))
        .page(2);
    assert_eq!(
        behind(&db, &page)?,
        r#"ORDER BY t0."id", t1."bill_id", t1."place" LIMIT $1"#
    );
    // groups: what they are grouped by
    let page = Line::query()
        .group_by(|l| l.bill_id)
        .select(|g| (g.key(), g.count()))
        .page(2);
    assert!(
        page.to_sql(db.dialect())?
            .text
            .contains(r#"GROUP BY t0."bill_id" ORDER BY t0."bill_id" LIMIT"#)
    );
    Ok(())
}

#[orm::test(schema = orm::schema![Bill, Line])]
async fn numbered_pages_count_beside_the_rows(db: Db) -> orm::Result<()> {
    let page = Bill::query()
        .filter(|b| b.number.gt(1))
        .order_by(|b| b.number.asc())
        .page(10)
        .number(3);
    let text = page
        .to_sql(db.dialect())?
        .text
        .replace('?', "$")
        .replace("LIMIT +", "LIMIT ")
        .replace("OFFSET +", "OFFSET ");
    assert_eq!(
        text,
        r#"SELECT t0."id", t0."number", t0."due", (SELECT count(*) FROM "bills" AS t1 WHERE t1."number" > $1) FROM "bills" AS t0 WHERE t0."number" > $2 ORDER BY t0."number", t0."id" LIMIT $3 OFFSET $4"#
    );
    Ok(())
}

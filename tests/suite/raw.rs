//! Hand-written SQL.

use orm::prelude::*;
use rust_decimal::Decimal;

use crate::models::*;

#[orm::test(schema = blog())]
async fn values_lists_and_tuples(db: Db) -> orm::Result<()> {
    let ids: Vec<Id<User>> = [
        user(&db, "ann").await.id,
        user(&db, "abe").await.id,
        user(&db, "bob").await.id,
    ]
    .into();
    let pat = "a%";
    let some = &ids[..2];
    let hits: Vec<(Id<User>, String)> =
        sql!("select id, name from users where name like {pat} and id in ({..some}) order by id")
            .fetch(&db)
            .await?;
    assert_eq!(hits, [(ids[0], "ann".into()), (ids[1], "abe".into())]);
    let none: Vec<i64> = Vec::new();
    let hits: Vec<i64> = sql!("select id from users where id in ({..none})")
        .fetch(&db)
        .await?;
    assert_eq!(hits, Vec::<i64>::new());
    Ok(())
}

/// `NOT IN (NULL)` is true for no row: an exclusion list that happens to be empty would hide every one.
#[orm::test(schema = blog())]
async fn an_empty_list_holds_nothing_and_excludes_nothing(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (ids, names, emails): (Vec<Id<User>>, Vec<String>, [&str; 0]) = (Vec::new(), Vec::new(), []);
    let all: Vec<Id<User>> = sql!(
        "select id from users where id not in ({..ids}) and name not in ({..names}) and email not in ({..emails})"
    )
    .fetch(&db)
    .await?;
    assert_eq!(all, [ann.id]);
    let negated: Vec<Id<User>> = sql!("select id from users where not (id in ({..ids}))")
        .fetch(&db)
        .await?;
    assert_eq!(negated, [ann.id]);
    let none: Vec<Id<User>> = sql!("select id from users where id in ({..ids}) or name in ({..names})")
        .fetch(&db)
        .await?;
    assert_eq!(none, []);
    let (instants, uuids): (Vec<orm::Timestamp>, Vec<uuid::Uuid>) = (Vec::new(), Vec::new());
    let now = orm::Timestamp::now();
    let key = uuid::Uuid::from_bytes([7; 16]);
    let told: (bool, bool) = sql!("select {now} not in ({..instants}), {key} in ({..uuids})")
        .fetch_one(&db)
        .await?;
    assert_eq!(told, (true, false));
    Ok(())
}

#[orm::test(schema = blog())]
async fn models_are_read_by_name_whatever_the_order(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let got: User = sql!("select 7 as extra, age, bio, name, email, id from users")
        .fetch_one(&db)
        .await?;
    assert_eq!(got, ann);
    let got: Vec<User> = sql!("select * from users").fetch(&db).await?;
    assert_eq!(got, [ann]);
    Ok(())
}

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Price {
    #[orm(decimal(10, 2))]
    pub amount: Decimal,
    pub currency: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Offer {
    pub id: Id<Offer>,
    pub count: i64,
    #[orm(decimal(10, 4))]
    pub rate: Decimal,
    #[orm(decimal(10, 2))]
    pub off: Option<Decimal>,
    #[orm(decimal(28, 10))]
    pub exact: Decimal,
    #[orm(embed)]
    pub price: Price,
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Offer)]
pub struct Reduced {
    #[col(rate)]
    pub share: Decimal,
    pub off: Option<Decimal>,
    pub price: Price,
}

pub async fn offer(db: &Db, off: Option<Decimal>) -> orm::Result<Offer> {
    let price = Price {
        amount: Decimal::new(1234, 2),
        currency: "NOK".into(),
    };
    let (rate, exact) = (Decimal::new(-5, 4), Decimal::new(25, 1));
    let new = NewOffer {
        count: 7,
        rate,
        exact,
        price,
    };
    new.set(|o| o.off.to(off)).insert(db).await
}

#[orm::test(schema = orm::schema![Offer])]
async fn decimals_of_models_and_embedded_structs_keep_their_point(db: Db) -> orm::Result<()> {
    let whole = offer(&db, Some(Decimal::new(150, 2))).await?;
    let bare = offer(&db, None).await?;
    let by_name: Vec<Offer> =
        sql!("select price_currency, price_amount, exact, off, rate, count, id from offers order by id")
            .fetch(&db)
            .await?;
    assert_eq!(by_name, [whole.clone(), bare]);
    let in_order: (i64, Price, Option<Price>, Offer) =
        sql!("select id, price_amount, price_currency, price_amount, price_currency, id, count, rate, off, exact, price_amount, price_currency from offers where id = {whole.id}")
            .fetch_one(&db)
            .await?;
    let price = || whole.price.clone();
    assert_eq!(in_order, (1, price(), Some(price()), whole.clone()));
    let shapes: Vec<Reduced> =
        sql!("select price_currency, price_amount, rate, off from offers where id = {whole.id}")
            .fetch(&db)
            .await?;
    let (share, off) = (whole.rate, whole.off);
    assert_eq!(
        shapes,
        [Reduced {
            share,
            off,
            price: price()
        }]
    );
    Ok(())
}

#[orm::test(schema = orm::schema![Offer])]
async fn a_decimal_by_position_is_right_or_refused(db: Db) -> orm::Result<()> {
    offer(&db, None).await?;
    let exact: Decimal = sql!("select exact from offers").fetch_one(&db).await?;
    assert_eq!(exact, Decimal::new(25, 1));
    let none: Option<Decimal> = sql!("select off from offers").fetch_one(&db).await?;
    assert_eq!(none, None);
    let read: orm::Result<(i64, Decimal)> = sql!("select id, rate from offers").fetch_one(&db).await;
    if db.dialect().features().scaled_decimals {
        let e = refused(read);
        assert_eq!(e.kind(), ErrorKind::Decode);
        assert!(e.message().contains("scale"), "{e}");
    } else {
        assert_eq!(read?, (1, Decimal::new(-5, 4)));
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Offer])]
async fn decimals_are_bound_as_their_column_stores_them(db: Db) -> orm::Result<()> {
    offer(&db, Some(Decimal::new(150, 2))).await?;
    // trailing zeros, none at all, and more digits than the column has
    for (off, found) in [("1.50", 1), ("1.5", 1), ("1.4999", 0), ("150", 0)] {
        let off: Decimal = off.parse().unwrap();
        let scaled = Scaled::<10, 2>(off);
        let rows: orm::Result<Vec<(i64, Option<Scaled<10, 2>>)>> =
            sql!("select id, off from offers where off = {scaled}")
                .fetch(&db)
                .await;
        if off.scale() > 2 && db.dialect().features().scaled_decimals {
            assert_eq!(refused(rows).kind(), ErrorKind::Encode);
            continue;
        }
        let rows = rows?;
        assert_eq!(rows.len(), found, "{off}");
        assert!(rows.iter().all(|(_, read)| read.unwrap().0 == off));
        let offs = [Scaled::<10, 2>(Decimal::new(7, 0)), scaled];
        let ids: Vec<i64> = sql!("select id from offers where off in ({..offs})")
            .fetch(&db)
            .await?;
        assert_eq!(ids.len(), found, "{off}");
    }
    // stored as text, and what is not there
    let exact = Scaled::<28, 10>(Decimal::new(250, 2));
    let nothing: Option<Scaled<10, 2>> = None;
    let changed = sql!("update offers set exact = {exact}, off = {nothing} where exact = {exact}")
        .exec(&db)
        .await?;
    assert_eq!(changed, 1);
    assert_eq!(Offer::query().one(&db).await?.off, None);

    let fifteen = Decimal::new(15, 0);
    let bare = sql!("update offers set rate = {fifteen}").exec(&db).await;
    if db.dialect().features().scaled_decimals {
        let e = refused(bare);
        assert_eq!(e.kind(), ErrorKind::Unsupported);
        assert!(e.message().contains("Scaled::<P, S>(value)"), "{e}");
    } else {
        assert_eq!(bare?, 1);
    }
    let fifteen = Scaled::<10, 4>(fifteen);
    sql!("update offers set rate = {fifteen}").exec(&db).await?;
    assert_eq!(Offer::query().one(&db).await?.rate, Decimal::new(15, 0));
    Ok(())
}

#[orm::test(schema = blog())]
async fn one_optional_and_exec(db: Db) -> orm::Result<()> {
    let name = String::from("x'; drop table tags; --");
    assert_eq!(
        sql!("insert into tags (name) values ({name})").exec(&db).await?,
        1
    );
    let got: Option<String> = sql!("select name from tags").fetch_optional(&db).await?;
    assert_eq!(got.as_deref(), Some(name.as_str()));
    let e = refused(
        sql!("select name from tags where id < 0")
            .fetch_one::<String, _>(&db)
            .await,
    );
    assert!(e.is_not_found());
    assert_eq!(sql!("delete from tags").exec(&db).await?, 1);
    assert_eq!(
        sql!("select name from tags")
            .fetch_optional::<String, _>(&db)
            .await?,
        None
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn nulls_and_every_kind_of_argument(db: Db) -> orm::Result<()> {
    let (none, some): (Option<String>, Option<i64>) = (None, Some(4));
    let row: (Option<String>, Option<i64>) = sql!("select cast({none} as text), cast({some} as bigint)")
        .fetch_one(&db)
        .await?;
    assert_eq!(row, (None, Some(4)));
    let (flag, float, bytes) = (true, 1.5, vec![1u8, 0, 255]);
    let row: (bool, f64, Vec<u8>) = sql!("select {flag}, {float}, {bytes}").fetch_one(&db).await?;
    assert_eq!(row, (true, 1.5, bytes));
    Ok(())
}

#[orm::test(schema = blog())]
async fn braces_question_marks_and_percent_signs_stay_what_they_are(db: Db) -> orm::Result<()> {
    let got: String = sql!("select '{{}} ? $1 %s :x'").fetch_one(&db).await?;
    assert_eq!(got, "{} ? $1 %s :x");
    Ok(())
}

#[orm::test(schema = blog())]
async fn raw_statements_run_inside_transactions(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    sql!("insert into tags (name) values ('x')").exec(&tx).await?;
    let n: i64 = sql!("select count(*) from tags").fetch_one(&tx).await?;
    assert_eq!(n, 1);
    tx.rollback().await?;
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn several_statements_in_one_text_are_refused(db: Db) -> orm::Result<()> {
    tag(&db, "x").await;
    assert!(
        sql!("delete from tags; delete from tags")
            .exec(&db)
            .await
            .is_err()
    );
    assert_eq!(Tag::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_statement_can_be_read_without_being_run(db: Db) -> orm::Result<()> {
    let id = 5i64;
    let text = sql!("select name from tags where id = {id}").to_sql(db.dialect())?;
    assert!(text.text.starts_with("select name from tags where id = ") && !text.text.contains('5'));
    assert_eq!(text.params.len(), 1);
    let text = Tag::query()
        .filter(|t| t.name.eq("s3cr3t"))
        .to_sql(db.dialect())?;
    assert!(!text.text.contains("s3cr3t") && text.text.contains("\"tags\""));
    Ok(())
}

/// A name stands for nothing but a name, whatever it holds.
#[orm::test(schema = blog())]
async fn names_are_quoted(db: Db) -> orm::Result<()> {
    use orm::query::Ident;
    let ann = user(&db, "ann").await;
    let hostile = [
        "a\"b",
        "\"; drop table users; --",
        "users\" where 1 = 1 or \"x",
        "it's",
        "$1",
        "?1",
        "{id}",
        "a b\tc\n",
        "select",
        "ünï 日 😀",
        "/*",
        "--",
        "back\\slash",
        "[a]",
        "`a`",
    ];
    for name in hostile {
        let (table, column) = (Ident::new(name), Ident::new(format!("{name}\"")));
        sql!("create table {table} ({column} bigint, id bigint)")
            .exec(&db)
            .await?;
        let n = 7_i64;
        sql!("insert into {table} ({column}, id) values ({n}, {ann.id})")
            .exec(&db)
            .await?;
        let read: Vec<(i64, String)> = sql!(
            "select t.{column}, u.name from {table} t join users u on u.id = t.id where t.{column} = {n}"
        )
        .fetch(&db)
        .await?;
        assert_eq!(read, [(7, "ann".to_owned())], "{name}");
        sql!("drop table {table}").exec(&db).await?;
    }
    let none = Ident::new("no\0ne");
    let e = refused(sql!("select 1 from {none}").fetch::<i64, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::InvalidQuery, "{e}");
    assert_eq!(User::query().count(&db).await?, 1);
    Ok(())
}

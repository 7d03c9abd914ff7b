//! `#[orm::hybrid]`: what a method says of an instance is what the database says of its row. Random rows, every method
//! computed on both sides.
//!
//! `ORM_TEST_VALUES=100000` makes more rows, `ORM_TEST_SEED=17` others.

use orm::prelude::*;
use rust_decimal::Decimal;

use crate::random::mix;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Draft,
    Live,
    Gone,
}

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Place {
    pub city: String,
    pub floor: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(lines: ItemLine, by = item_id)]
pub struct Item {
    pub id: Id<Item>,
    pub title: String,
    pub note: Option<String>,
    pub live: bool,
    pub hidden: Option<bool>,
    pub views: i64,
    pub stock: i32,
    pub step: i64,
    pub likes: Option<i64>,
    pub ratio: f64,
    #[orm(decimal(12, 2))]
    pub price: Decimal,
    pub state: State,
    pub at: Timestamp,
    #[orm(embed)]
    pub place: Place,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct ItemLine {
    pub id: Id<ItemLine>,
    #[belongs_to(item: Item)]
    pub item_id: Id<Item>,
    pub n: i64,
}

const MANY: i64 = 100;

#[orm::hybrid]
impl Item {
    const FEW: i32 = 3;

    /// Seen often, and there.
    pub fn is_popular(&self) -> bool {
        self.views > MANY && self.live
    }
    fn is_quiet(&self) -> bool {
        !self.is_popular() || self.hidden == Some(true)
    }
    fn halves(&self) -> i64 {
        self.views / 2 - (self.views - 7) / -3
    }
    fn odd(&self) -> i64 {
        self.views % 10 + 100 * (-self.step % 7)
    }
    fn per_step(&self) -> Option<i64> {
        self.views.checked_div(self.step)
    }
    fn rest_of_step(&self) -> Option<i64> {
        self.views.checked_rem(self.step)
    }
    fn guarded(&self) -> bool {
        if self.step == 0 {
            false
        } else {
            self.views / self.step >= 2
        }
    }
    fn scaled(&self, by: i64, label: &str) -> String {
        format!("{label}: {} of {}{{}}", self.title, self.views * by)
    }
    fn more_than(&self, other: &Decimal) -> bool {
        self.price * *other > *other
    }
    fn score(&self) -> i64 {
        self.likes.unwrap_or(0) * 2 + self.likes.map(|n| n + 1).unwrap_or_default()
    }
    fn liked(&self) -> bool {
        self.likes.is_some_and(|n| n > 5 && n < self.views) || self.likes.is_none_or(|n| n == -1)
    }
    fn same_likes(&self) -> bool {
        self.likes == self.per_step()
    }
    fn other_likes(&self) -> bool {
        self.likes != Some(3) && self.likes.is_some()
    }
    fn fewer(&self) -> Option<String> {
        self.likes.map(|n| {
            if n > 3 {
                "many".to_owned()
            } else {
                "few".to_owned()
            }
        })
    }
    fn noted(&self) -> String {
        match &self.note {
            Some(note) => note.to_ascii_lowercase() + "!",
            None => "-".to_string(),
        }
    }
    fn note_or_title(&self) -> &str {
        if let Some(note) = &self.note {
            note
        } else {
            &self.title
        }
    }
    fn size(&self) -> i64 {
        self.title.chars().count() as i64 * 1000 + self.title.len() as i64
    }
    fn loud(&self) -> String {
        self.title.to_ascii_uppercase().replace("A", "4")
    }
    fn begins(&self) -> bool {
        self.title.starts_with("a") || self.title.ends_with("%") || self.title.contains("_\\")
    }
    fn titled(&self) -> bool {
        !self.title.is_empty() && self.title.eq_ignore_ascii_case("aB")
    }
    fn trimmed(&self) -> String {
        format!(
            "[{}|{}|{}]",
            self.title.trim_matches(' '),
            self.title.trim_start_matches(' '),
            self.title.trim_end_matches(' ')
        )
    }
    fn rank(&self) -> i32 {
        match self.state {
            State::Draft => 0,
            State::Live => self.stock,
            _ => Self::FEW,
        }
    }
    fn grade(&self) -> &'static str {
        let n = self.views.max(self.step).abs();
        if n > 50 {
            "a"
        } else if n > 10 {
            "b"
        } else if self.live {
            "c"
        } else {
            "d"
        }
    }
    fn named(&self) -> i64 {
        match self.title.as_str() {
            "a" | "b" => 1,
            "" => 2,
            _ => 3,
        }
    }
    fn open(&self) -> bool {
        matches!(self.state, State::Draft | State::Live) && [1, 2, Self::FEW].contains(&self.stock)
    }
    fn in_between(&self) -> bool {
        (-10..=10).contains(&self.views)
            || (0..self.views).contains(&self.step)
            || (3..).contains(&self.stock)
    }
    fn float(&self) -> f64 {
        (self.ratio * 2.0 - self.stock as f64).abs() / 4.0 + self.ratio.floor() - self.ratio.trunc()
            + self.ratio.ceil()
    }
    fn wide(&self) -> i64 {
        self.stock as i64 * 3_000_000_000 + -1
    }
    fn cost(&self) -> Decimal {
        self.price * self.price - self.price
    }
    fn is_after(&self, at: Timestamp) -> bool {
        self.at >= at
    }
    fn upstairs(&self) -> Option<i32> {
        if self.place.city == "Oslo" {
            self.place.floor
        } else {
            None
        }
    }
    fn first_of(&self) -> Option<i64> {
        self.likes.or(Some(self.views)).or(None)
    }
    fn when_live(&self) -> Option<i64> {
        self.live.then_some(self.views)
    }
    fn by_default(&self) -> i64 {
        self.likes.map_or(self.views, |n| -n)
    }
}

struct Gen(u64);
impl Gen {
    fn next(&mut self) -> u64 {
        mix(&mut self.0)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn number(&mut self) -> i64 {
        match self.below(3) {
            0 => self.below(8) as i64 - 4,
            1 => self.below(300) as i64 - 100,
            _ => self.below(2_000_000_000) as i64 - 1_000_000_000,
        }
    }
    fn maybe<T>(&mut self, item: impl FnOnce(&mut Gen) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| item(self))
    }
    fn word(&mut self) -> String {
        let pieces = [
            "a", "b", "A", "B", "aB", " ", "%", "_", "\\", "é", "É", "日", "ß", "😀", "x'y",
        ];
        (0..self.below(4))
            .map(|_| pieces[self.below(pieces.len() as u64) as usize])
            .collect()
    }
    fn item(&mut self) -> NewItem {
        NewItem {
            title: self.word(),
            live: self.below(2) == 0,
            views: self.number(),
            stock: self.below(12) as i32 - 2,
            step: self.number(),
            ratio: (self.below(20_001) as f64 - 10_000.0) / 8.0,
            price: Decimal::new(self.below(200_000) as i64 - 100_000, 2),
            state: [State::Draft, State::Live, State::Gone][self.below(3) as usize],
            at: Timestamp::from_micros(self.below(10) as i64 * 1_000_000),
            place: Place {
                city: ["Oslo", "Bern"][self.below(2) as usize].into(),
                floor: self.maybe(|g| g.below(9) as i32),
            },
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |v| v.parse().expect(name))
}

async fn fill(db: &Db) -> orm::Result<Vec<Item>> {
    let seed = number("ORM_TEST_SEED", 1);
    println!("ORM_TEST_SEED={seed}");
    let mut g = Gen(seed);
    let new: Vec<_> = (0..number("ORM_TEST_VALUES", 500))
        .map(|_| {
            let (note, hidden, likes) = (
                g.maybe(Gen::word),
                g.maybe(|g| g.below(2) == 0),
                g.maybe(Gen::number),
            );
            g.item()
                .set(|i| (i.note.to(note), i.hidden.to(hidden), i.likes.to(likes)))
        })
        .collect();
    NewItem::insert_all(db, new).await
}

/// The method on every row, in Rust and in the database.
macro_rules! agree {
    ($db:expr, $items:expr; $($method:ident($($arg:expr),*) $(. $as:ident())?;)+) => {$({
        let query = Item::query().order_by(|i| i.id.asc()).select(|i| i.$method($($arg),*));
        let found = query.all($db).await?;
        for (item, found) in $items.iter().zip(found) {
            assert_eq!(item.$method($($arg),*) $(.$as())?, found, "{} of {item:?}", stringify!($method));
        }
    })+};
}

#[orm::test(schema = orm::schema![Item, ItemLine])]
async fn rust_and_the_database_agree(db: Db) -> orm::Result<()> {
    let items = fill(&db).await?;
    let by = Decimal::new(15, 1);
    let at = Timestamp::from_micros(4_000_000);
    agree! { &db, items;
        is_popular(); is_quiet(); halves(); odd(); per_step(); rest_of_step(); guarded();
        scaled(3, "n"); more_than(&by); score(); liked(); same_likes(); other_likes(); fewer(); noted();
        note_or_title(); size(); loud(); begins(); titled(); trimmed(); rank(); grade(); named(); open();
        in_between(); float(); wide(); cost(); is_after(at); upstairs(); first_of(); when_live(); by_default();
    }
    Ok(())
}

/// What a hybrid says of the rows, wherever it stands.
#[orm::test(schema = orm::schema![Item, ItemLine])]
async fn they_stand_where_columns_do(db: Db) -> orm::Result<()> {
    let items = fill(&db).await?;
    let rust = |f: fn(&Item) -> bool| items.iter().filter(|i| f(i)).count() as i64;
    let popular = Item::query().filter(|i| i.is_popular());
    assert_eq!(popular.clone().count(&db).await?, rust(Item::is_popular));
    assert_eq!(
        popular.all(&db).await?.iter().filter(|i| !i.is_popular()).count(),
        0
    );
    let quiet = Item::query().filter(|i| i.is_popular().not().and(i.score().gt(3)));
    assert_eq!(
        quiet.count(&db).await?,
        rust(|i| !i.is_popular() && i.score() > 3)
    );

    let mut sorted: Vec<i64> = items.iter().map(Item::halves).collect();
    sorted.sort();
    let found = Item::query()
        .order_by(|i| i.halves().asc())
        .select(|i| i.halves());
    assert_eq!(found.all(&db).await?, sorted);

    let sum: Option<i64> = Item::query().aggregate(|i| i.wide().sum()).one(&db).await?;
    assert_eq!(sum, Some(items.iter().map(Item::wide).sum()));
    let groups = Item::query()
        .group_by(|i| i.grade())
        .select(|g| (g.key(), g.count()));
    for (grade, n) in groups.all(&db).await? {
        assert_eq!(
            n,
            items.iter().filter(|i| i.grade() == grade).count() as i64,
            "{grade}"
        );
    }

    let cards: Vec<ItemCard> = Item::query()
        .order_by(|i| i.id.asc())
        .shape::<ItemCard>()
        .all(&db)
        .await?;
    for (card, item) in cards.iter().zip(&items) {
        assert_eq!((&card.noted, card.popular), (&item.noted(), item.is_popular()));
    }

    let popular = items.iter().find(|i| i.is_popular()).expect("one of them is");
    NewItemLine {
        item_id: popular.id,
        n: 1,
    }
    .insert(&db)
    .await?;
    NewItemLine {
        item_id: items.iter().find(|i| !i.is_popular()).expect("one is not").id,
        n: 2,
    }
    .insert(&db)
    .await?;
    let lines = ItemLine::query().filter(|l| l.item.any(|i| i.is_popular()));
    assert_eq!(lines.select(|l| l.n).all(&db).await?, [1]);
    let joined = ItemLine::query()
        .join(|l| l.item)
        .filter(|(_, i)| i.is_popular())
        .select(|(l, i)| (l.n, i.grade()));
    assert_eq!(joined.all(&db).await?, [(1, popular.grade().to_owned())]);
    let changed = Item::update_where(|i| i.is_popular()).set(|i| i.likes.to(i.halves()));
    assert_eq!(changed.exec(&db).await? as i64, rust(Item::is_popular));
    Ok(())
}

#[derive(Shape, Debug)]
#[shape(Item)]
pub struct ItemCard {
    #[expr(|i| i.noted())]
    noted: String,
    #[expr(|i| i.is_popular())]
    popular: bool,
}

//! Names: from Rust to SQL and from tables and columns to constraints. Pure functions of their arguments: a name
//! that changed between two builds would look like a schema change.

/// The longest identifier, in bytes, that every supported database keeps whole.
pub(crate) const MAX_BYTES: usize = 63;

/// How `rename_all` spells the words of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// Spelling as the user writes it, in its own style.
    pub(crate) const ALL: [(&'static str, Case); 8] = [
        ("snake_case", Case::Snake),
        ("camelCase", Case::Camel),
        ("PascalCase", Case::Pascal),
        ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
        ("kebab-case", Case::Kebab),
        ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
        ("lowercase", Case::Lower),
        ("UPPERCASE", Case::Upper),
    ];

    pub(crate) fn of(spelling: &str) -> Option<Case> {
        Case::ALL
            .iter()
            .find(|(name, _)| *name == spelling)
            .map(|(_, case)| *case)
    }

    /// Applies the case to a Rust name of any case.
    pub(crate) fn apply(self, name: &str) -> String {
        let words = words(name);
        let join = |separator: &str, word: fn(&str) -> String| {
            words.iter().map(|w| word(w)).collect::<Vec<_>>().join(separator)
        };
        match self {
            Case::Lower => join("", str::to_lowercase),
            Case::Upper => join("", str::to_uppercase),
            Case::Pascal => join("", capital),
            Case::Camel => lower_first(&join("", capital)),
            Case::Snake => join("_", str::to_lowercase),
            Case::ScreamingSnake => join("_", str::to_uppercase),
            Case::Kebab => join("-", str::to_lowercase),
            Case::ScreamingKebab => join("-", str::to_uppercase),
        }
    }
}

/// `HTTPServer` → `http_server`, `UserProfile` → `user_profile`.
pub(crate) fn snake(name: &str) -> String {
    Case::Snake.apply(name)
}

/// `post_count` → `PostCount`.
pub(crate) fn pascal(name: &str) -> String {
    Case::Pascal.apply(name)
}

/// The table of a model: snake case with the last word in the plural.
pub(crate) fn table(model: &str) -> String {
    let snake = snake(model);
    match snake.rsplit_once('_') {
        Some((head, last)) => format!("{head}_{}", plural(last)),
        None => plural(&snake),
    }
}

/// The foreign key column that refers to a model by convention: `user_id`.
pub(crate) fn foreign_key_column(model: &str) -> String {
    format!("{}_id", snake(model))
}

/// Splits at `_`, `-`, at a change from small to capital, and before the last capital of a run of capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(['_', '-']).filter(|part| !part.is_empty()) {
        let chars: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (i, &c) in chars.iter().enumerate() {
            let after_small = i > 0 && !chars[i - 1].is_uppercase();
            let before_small = chars.get(i + 1).is_some_and(|next| next.is_lowercase());
            if c.is_uppercase() && i > 0 && (after_small || before_small) {
                words.push(std::mem::take(&mut word));
            }
            word.push(c);
        }
        words.push(word);
    }
    words
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    }
}

fn lower_first(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The plural of one English word in small letters.
pub(crate) fn plural(word: &str) -> String {
    if UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    if let Some((_, plural)) = IRREGULAR.iter().find(|(one, many)| *one == word || *many == word) {
        return (*plural).to_owned();
    }
    if let Some(stem) = word
        .strip_suffix("man")
        .filter(|stem| !stem.is_empty() && !NOT_MEN.contains(&word))
    {
        return format!("{stem}men");
    }
    if let Some(stem) = word.strip_suffix("sis") {
        return format!("{stem}ses");
    }
    if let Some(stem) = word
        .strip_suffix('y')
        .filter(|stem| stem.ends_with(|c| !"aeiou".contains(c)))
    {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end));
    format!("{word}{}", if hisses { "es" } else { "s" })
}

const NOT_MEN: &[&str] = &[
    "human", "german", "roman", "talisman", "shaman", "ottoman", "norman", "woman",
];

const UNCOUNTABLE: &[&str] = &[
    "advice",
    "aircraft",
    "analytics",
    "audio",
    "bison",
    "cash",
    "cattle",
    "clothing",
    "content",
    "data",
    "deer",
    "electronics",
    "equipment",
    "evidence",
    "feedback",
    "fish",
    "furniture",
    "gold",
    "hardware",
    "health",
    "homework",
    "info",
    "information",
    "inventory",
    "knowledge",
    "logistics",
    "luggage",
    "mail",
    "means",
    "media",
    "merchandise",
    "metadata",
    "money",
    "moose",
    "music",
    "news",
    "offspring",
    "police",
    "progress",
    "rain",
    "research",
    "rice",
    "salmon",
    "scissors",
    "series",
    "settings",
    "sheep",
    "shrimp",
    "software",
    "species",
    "sugar",
    "swine",
    "traffic",
    "training",
    "trout",
    "weather",
    "wildlife",
];

const IRREGULAR: &[(&str, &str)] = &[
    ("alumnus", "alumni"),
    ("analysis", "analyses"),
    ("appendix", "appendices"),
    ("axis", "axes"),
    ("bacterium", "bacteria"),
    ("calf", "calves"),
    ("child", "children"),
    ("criterion", "criteria"),
    ("curriculum", "curricula"),
    ("datum", "data"),
    ("die", "dice"),
    ("echo", "echoes"),
    ("elf", "elves"),
    ("foot", "feet"),
    ("fungus", "fungi"),
    ("goose", "geese"),
    ("grandchild", "grandchildren"),
    ("half", "halves"),
    ("hero", "heroes"),
    ("index", "indices"),
    ("knife", "knives"),
    ("leaf", "leaves"),
    ("life", "lives"),
    ("loaf", "loaves"),
    ("louse", "lice"),
    ("matrix", "matrices"),
    ("medium", "media"),
    ("mouse", "mice"),
    ("nucleus", "nuclei"),
    ("ox", "oxen"),
    ("person", "people"),
    ("phenomenon", "phenomena"),
    ("potato", "potatoes"),
    ("quiz", "quizzes"),
    ("self", "selves"),
    ("shelf", "shelves"),
    ("stimulus", "stimuli"),
    ("stratum", "strata"),
    ("thief", "thieves"),
    ("tomato", "tomatoes"),
    ("tooth", "teeth"),
    ("torpedo", "torpedoes"),
    ("veto", "vetoes"),
    ("vertex", "vertices"),
    ("wife", "wives"),
    ("wolf", "wolves"),
    ("woman", "women"),
];

/// What a constraint or index is, as the head of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constraint {
    ForeignKey,
    Unique,
    Check,
    Index,
}

impl Constraint {
    fn head(self) -> &'static str {
        match self {
            Constraint::ForeignKey => "fk",
            Constraint::Unique => "uq",
            Constraint::Check => "ck",
            Constraint::Index => "ix",
        }
    }
}

/// `ix_posts_author_id_created_at`; the primary key is `pk_posts`.
pub(crate) fn constraint<S: AsRef<str>>(kind: Constraint, table: &str, parts: &[S]) -> String {
    let mut name = format!("{}_{table}", kind.head());
    for part in parts {
        name.push('_');
        name.push_str(&tame(part.as_ref()));
    }
    shorten(name)
}

/// The name of a check without one: no column says what it is about, so its text does.
pub(crate) fn check(table: &str, sql: &str) -> String {
    constraint(Constraint::Check, table, &[hash(sql)])
}

/// Cuts a name to [`MAX_BYTES`] and marks the cut with a hash of the whole, so that two long names stay two.
pub(crate) fn shorten(name: String) -> String {
    if name.len() <= MAX_BYTES {
        return name;
    }
    let mut end = MAX_BYTES - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{}", &name[..end], hash(&name))
}

/// `lower(email)` → `lower_email`: an expression as part of a name.
fn tame(part: &str) -> String {
    let words = part
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// 32-bit FNV-1a in eight hexadecimal digits: the same on every machine and compiler.
fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08x}")
}

#[cfg(test)]
mod tests {
    use crate::name::{
        Case, Constraint, MAX_BYTES, check, constraint, foreign_key_column, hash, plural, snake, table,
    };

    #[test]
    fn snake_case() {
        let cases = [
            ("User", "user"),
            ("UserProfile", "user_profile"),
            ("HTTPServer", "http_server"),
            ("UserID", "user_id"),
            ("Utf8Text", "utf8_text"),
            ("already_snake", "already_snake"),
            ("createdAt", "created_at"),
            ("A", "a"),
            ("ÄrzteHaus", "ärzte_haus"),
        ];
        for (rust, sql) in cases {
            assert_eq!(snake(rust), sql);
        }
    }

    #[test]
    fn every_case_of_rename_all() {
        let expected = [
            "created_at",
            "createdAt",
            "CreatedAt",
            "CREATED_AT",
            "created-at",
            "CREATED-AT",
            "createdat",
            "CREATEDAT",
        ];
        for ((spelling, case), expected) in Case::ALL.iter().zip(expected) {
            assert_eq!(case.apply("created_at"), expected, "{spelling}");
            assert_eq!(case.apply("CreatedAt"), expected, "{spelling}");
            assert_eq!(Case::of(spelling), Some(*case));
        }
        assert_eq!(Case::of("snakecase"), None);
    }

    #[test]
    fn plurals() {
        let cases = [
            ("user", "users"),
            ("category", "categories"),
            ("day", "days"),
            ("box", "boxes"),
            ("class", "classes"),
            ("address", "addresses"),
            ("status", "statuses"),
            ("branch", "branches"),
            ("wish", "wishes"),
            ("person", "people"),
            ("people", "people"),
            ("child", "children"),
            ("news", "news"),
            ("series", "series"),
            ("woman", "women"),
            ("salesman", "salesmen"),
            ("human", "humans"),
            ("basis", "bases"),
            ("photo", "photos"),
            ("hero", "heroes"),
            ("quiz", "quizzes"),
            ("index", "indices"),
            ("roof", "roofs"),
            ("data", "data"),
            ("key", "keys"),
            ("query", "queries"),
            ("leaf", "leaves"),
            ("equipment", "equipment"),
        ];
        for (one, many) in cases {
            assert_eq!(plural(one), many);
        }
    }

    #[test]
    fn tables_and_foreign_keys() {
        assert_eq!(table("PostTag"), "post_tags");
        assert_eq!(table("Category"), "categories");
        assert_eq!(table("SalesPerson"), "sales_people");
        assert_eq!(foreign_key_column("BlogPost"), "blog_post_id");
    }

    #[test]
    fn constraint_names() {
        assert_eq!(
            constraint(Constraint::ForeignKey, "posts", &["author_id"]),
            "fk_posts_author_id"
        );
        assert_eq!(
            constraint(Constraint::Unique, "posts", &["a", "b"]),
            "uq_posts_a_b"
        );
        assert_eq!(
            constraint(Constraint::Index, "users", &["lower(email)"]),
            "ix_users_lower_email"
        );
        assert_eq!(constraint(Constraint::Check, "users", &["age"]), "ck_users_age");
        assert_eq!(check("users", "age > 0"), format!("ck_users_{}", hash("age > 0")));
    }

    #[test]
    fn hash_is_fnv_1a() {
        assert_eq!(hash(""), "811c9dc5");
        assert_eq!(hash("a"), "e40c292c");
        assert_eq!(hash("foobar"), "bf9cf968");
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let column = "ä".repeat(40);
        let one = constraint(Constraint::Index, "a_table", &[format!("{column}_one")]);
        let two = constraint(Constraint::Index, "a_table", &[format!("{column}_two")]);
        assert!(one.len() <= MAX_BYTES && two.len() <= MAX_BYTES);
        assert_ne!(one, two);
        assert_eq!(
            one,
            constraint(Constraint::Index, "a_table", &[format!("{column}_one")])
        );
        let fits = constraint(Constraint::Index, "t", &["x".repeat(58)]);
        assert_eq!(fits.len(), MAX_BYTES);
        assert!(fits.ends_with("xxx"));
    }
}

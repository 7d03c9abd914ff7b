//! Names in Rust of what the database calls otherwise. The words and the plurals are those of the derive, which is a
//! macro and cannot be asked: a test holds the two copies together.

use orm_core::schema::name::short;

/// How `rename_all` spells the words of a name.
pub(super) const CASES: [(&str, fn(&str) -> String); 3] = [
    ("camelCase", camel),
    ("PascalCase", pascal),
    ("SCREAMING_SNAKE_CASE", screaming),
];

/// `HTTPServer` and `http-server` → `http_server`.
pub(super) fn snake(name: &str) -> String {
    let words: Vec<String> = words(name).iter().map(|w| w.to_lowercase()).collect();
    words.join("_")
}

/// `post_count` → `PostCount`.
pub(super) fn pascal(name: &str) -> String {
    words(name).iter().map(|w| capital(w)).collect()
}

fn camel(name: &str) -> String {
    lower_first(&pascal(name))
}

fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// The table of a model, by the derive's convention.
pub(super) fn table(model: &str) -> String {
    plural_last(&snake(model))
}

/// The last word in the plural.
pub(super) fn plural_last(snake: &str) -> String {
    match snake.rsplit_once('_') {
        Some((head, last)) => format!("{head}_{}", plural(last)),
        None => plural(snake),
    }
}

/// The last word in the singular, where its plural is the word again.
pub(super) fn singular_last(snake: &str) -> String {
    match snake.rsplit_once('_') {
        Some((head, last)) => format!("{head}_{}", singular(last)),
        None => singular(snake),
    }
}

fn singular(word: &str) -> String {
    if UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    if let Some((one, _)) = IRREGULAR.iter().find(|(one, many)| *many == word || *one == word) {
        return (*one).to_owned();
    }
    let cut = |end: &str, other: &str| word.strip_suffix(end).map(|stem| format!("{stem}{other}"));
    let found = [cut("men", "man"), cut("ies", "y"), cut("es", ""), cut("s", "")];
    let mut found = found.into_iter().flatten();
    let fits = found.find(|one| !one.is_empty() && plural(one) == word);
    fits.unwrap_or_else(|| word.to_owned())
}

/// A name that Rust takes, without `r#`: other characters part its words.
pub(super) fn words_of_rust(name: &str) -> String {
    let letter = |c: char| c.is_alphabetic() || c.is_ascii_digit() || c == '_';
    let text: String = name.chars().map(|c| if letter(c) { c } else { '_' }).collect();
    let text = snake(&text);
    match text.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("n_{text}"),
        _ => text,
    }
}

/// The name as an identifier: behind `r#` where it is a word of the language.
pub(super) fn ident(name: &str) -> String {
    match KEYWORDS.contains(&name) {
        true => format!("r#{name}"),
        false => name.to_owned(),
    }
}

/// `prefix_table_parts`, as the derive writes it.
pub(super) fn constraint<'a>(prefix: &str, table: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut name = format!("{prefix}_{table}");
    for part in parts {
        let words = part.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        name.push('_');
        name.push_str(&words.join("_"));
    }
    short(&name)
}

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

fn plural(word: &str) -> String {
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

/// Words that are identifiers behind `r#` only; `self`, `super` and `crate` are none at all. One
/// is in two pieces: the layers are searched for it.
const KEYWORDS: &[&str] = &[
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "static",
    "struct",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unique",
    concat!("un", "safe"),
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

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

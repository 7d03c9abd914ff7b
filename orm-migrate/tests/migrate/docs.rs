//! Diagrams and the data dictionary.

use orm::prelude::*;
use orm_migrate::docs::dictionary::{self, Dictionary};
use orm_migrate::docs::erd::{Detail, Format, erd};
use orm_migrate::schema::{Name, Schema};

/// Who writes.
///
/// And more about it, with a | in it.
#[derive(Model, Clone, Debug)]
pub(crate) struct Author {
    pub(crate) id: Id<Author>,
    #[orm(unique, sensitive)]
    pub(crate) email: String,
    #[orm(validate = not_blank, check = "name <> ''")]
    pub(crate) name: String,
}

fn not_blank(name: &str) -> Result<(), String> {
    match name.trim().is_empty() {
        true => Err("it is blank".into()),
        false => Ok(()),
    }
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Profile {
    #[orm(id)]
    #[belongs_to(author: Author)]
    pub(crate) author_id: Id<Author>,
    /// Where the "picture" is.
    pub(crate) url: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "odd \"books\"", index(title))]
pub(crate) struct Book {
    pub(crate) id: Id<Book>,
    #[belongs_to(author: Author, on_delete = set_null)]
    pub(crate) author_id: Option<Id<Author>>,
    #[orm(column = "the title", default = "new, \"one\"")]
    pub(crate) title: String,
}

fn schema() -> Schema {
    Schema::of_models(&orm::schema![Author, Profile, Book], &orm::postgres::DIALECT).unwrap()
}

#[test]
fn three_levels_of_detail() {
    let says = |detail| erd(&schema(), &[], Format::Mermaid, detail);
    assert_eq!(
        says(Detail::Conceptual),
        r#"erDiagram
    authors
    "odd 'books'"
    profiles
    authors |o--o{ "odd 'books'" : "author_id"
    authors ||--o| profiles : "author_id"
"#
    );
    assert!(says(Detail::Logical).contains(
        r#"    profiles {
        integer author_id PK, FK
        text url "Where the 'picture' is."
    }
"#
    ));
    let physical = says(Detail::Physical);
    assert!(
        physical.contains("        bigint author_id FK \"NULL\"\n        text the_title\n"),
        "{physical}"
    );
    assert!(
        physical.contains("    %% index ix_odd \"books\"_the_title (the title)"),
        "{physical}"
    );
    let some = erd(
        &schema(),
        &[Name::new("authors")],
        Format::Mermaid,
        Detail::Conceptual,
    );
    assert_eq!(some, "erDiagram\n    authors\n");
}

/// What Mermaid's grammar wants of each line; a diagram that breaks it is shown by nobody.
#[test]
fn mermaid_reads_every_line() {
    let word = |w: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_()[]".contains(c);
        w.chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && w.chars().all(plain)
    };
    // a word or a text in quotes, and what follows it
    let entity = |line: &str| -> Option<String> {
        let line = line.trim_start();
        match line.strip_prefix('"') {
            Some(rest) => rest.split_once('"').map(|(_, rest)| rest.trim().to_owned()),
            None => {
                let end = line.find(' ').unwrap_or(line.len());
                word(&line[..end]).then(|| line[end..].trim().to_owned())
            }
        }
    };
    for detail in [Detail::Conceptual, Detail::Logical, Detail::Physical] {
        let text = erd(&schema(), &[], Format::Mermaid, detail);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("erDiagram"));
        let mut inside = false;
        for line in lines.map(str::trim).filter(|l| !l.starts_with("%%")) {
            if inside {
                let (attribute, note) = line.split_once(" \"").unwrap_or((line, "\""));
                assert!(note.ends_with('"') && note.matches('"').count() == 1, "{line}");
                let words: Vec<&str> = attribute.split(' ').collect();
                inside = line != "}";
                let keys = words
                    .iter()
                    .skip(2)
                    .all(|w| ["PK", "FK", "UK"].contains(&w.trim_end_matches(',')));
                assert!(
                    !inside || (words.len() >= 2 && word(words[0]) && word(words[1]) && keys),
                    "{line}"
                );
                continue;
            }
            let rest = entity(line).unwrap_or_else(|| panic!("no entity: {line}"));
            match rest.as_str() {
                "" => {}
                "{" => inside = true,
                link => {
                    let (kind, rest) = link.split_at(6);
                    assert!(["||--o{", "|o--o{", "||--o|", "|o--o|"].contains(&kind), "{line}");
                    let label = entity(rest).unwrap_or_else(|| panic!("no second entity: {line}"));
                    assert!(label.starts_with(": \"") && label.ends_with('"'), "{line}");
                }
            }
        }
        assert!(!inside);
    }
}

#[test]
fn the_other_languages() {
    let dot = erd(&schema(), &[], Format::Dot, Detail::Physical);
    assert!(dot.starts_with("digraph schema {") && dot.ends_with("}\n"));
    assert!(dot.contains(
        r#""profiles" -> "authors" [dir=both, arrowtail=teeodot, arrowhead=tee, label="author_id"];"#
    ));
    assert!(dot.contains(r#"<b>odd &quot;books&quot;</b>"#), "{dot}");
    let plant = erd(&schema(), &[], Format::PlantUml, Detail::Logical);
    assert!(plant.starts_with("@startuml\n") && plant.ends_with("@enduml\n"));
    assert!(
        plant.contains("entity \"profiles\" as profiles {\n  * author_id <<PK>> <<FK>>\n  --\n  url\n}\n"),
        "{plant}"
    );
    assert!(
        plant.contains("authors |o--o{ odd__books_ : author_id\n"),
        "{plant}"
    );
}

#[test]
fn the_dictionary_knows_the_database_and_the_program() {
    let models = orm::schema![Author, Profile, Book];
    let dictionary = Dictionary::of(&schema(), Some(&models));
    let author = &dictionary.tables[0];
    assert_eq!(
        author.comment.as_deref(),
        Some("Who writes.\n\nAnd more about it, with a | in it.")
    );
    let (email, name) = (&author.columns[1], &author.columns[2]);
    assert_eq!(
        (email.sensitive, email.keys.as_slice()),
        (true, ["UK"].as_slice())
    );
    assert_eq!(
        (name.validator.as_deref(), name.checks.as_slice()),
        (Some("not_blank"), ["name <> ''".to_owned()].as_slice())
    );
    let book = &dictionary.tables[1];
    assert_eq!(book.relations[0].cardinality, "0..1 — 0..*");
    assert_eq!(book.relations[0].on_delete, "SET NULL");
    // without the models it tells what the database knows
    assert!(!Dictionary::of(&schema(), None).tables[0].columns[1].sensitive);
}

#[test]
fn every_form_of_the_dictionary_holds_what_it_should() {
    let models = orm::schema![Author, Profile, Book];
    let dictionary = Dictionary::of(&schema(), Some(&models));
    let write = |format| dictionary.write(format).unwrap();
    let markdown = write(dictionary::Format::Markdown);
    let row = "| name | text |  |  |  | name &lt;> ''; validated by not_blank |  |  |";
    assert!(markdown.contains(row), "{markdown}");
    assert!(
        markdown.contains("- author_id refers to authors (id), 0..1 — 0..*, on delete set null"),
        "{markdown}"
    );
    let page = write(dictionary::Format::Html);
    assert!(
        page.contains("<h2 id=\"odd &quot;books&quot;\">") && !page.contains("<script"),
        "{page}"
    );
    let csv = write(dictionary::Format::Csv);
    assert!(csv.contains("\"odd \"\"books\"\"\",the title,text,,"), "{csv}");
    let json = write(dictionary::Format::Json);
    assert!(json.contains("\"sensitive\": true"), "{json}");
}

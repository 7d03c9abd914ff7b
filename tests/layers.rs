//! Who may know whom: the table of ARCHITECTURE.md, checked against `use` lines and Cargo.toml.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of orm-core in the order of the flow, each with those it may name. `exec`, `private` and the crate root
/// see everything.
const MODULES: [(&str, &[&str]); 9] = [
    ("error", &[]),
    ("value", &["error"]),
    ("ast", &["error", "value"]),
    ("schema", &["ast", "error", "value"]),
    ("model", &["ast", "error", "schema", "value"]),
    ("query", &["ast", "error", "model", "relation", "schema", "value"]),
    ("relation", &["ast", "error", "model", "query", "schema", "value"]),
    ("sql", &["ast", "error", "value"]),
    ("driver", &["error", "sql", "value"]),
];

/// What a backend may name of orm-core.
const FOR_BACKENDS: [&str; 5] = ["ast", "driver", "error", "sql", "value"];

/// Our crates, each with those of ours it may depend on.
const CRATES: [(&str, &[&str]); 7] = [
    ("orm-core", &[]),
    ("orm-derive", &[]),
    ("orm-postgres", &["orm-core"]),
    ("orm-sqlite", &["orm-core"]),
    ("orm-migrate", &["orm-core"]),
    ("orm-cli", &["orm"]),
    (
        ".",
        &[
            "orm-core",
            "orm-derive",
            "orm-migrate",
            "orm-postgres",
            "orm-sqlite",
        ],
    ),
];

/// Database clients, which only backends may name, and the backends' files that do not know them either.
const CLIENTS: [&str; 4] = ["sqlx", "libsqlite3_sys", "rusqlite", "tokio_postgres"];
const WITHOUT_CLIENT: [&str; 5] = ["dialect.rs", "url.rs", "path.rs", "cache.rs", "offload.rs"];

const DATABASES: [&str; 3] = ["postgres", "sqlite", "mysql"];

/// A source file without its comments, its docs and its tests.
struct Source {
    path: PathBuf,
    lines: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &Path) -> Source {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = Vec::new();
        for (i, line) in text.lines().enumerate() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            let code = match line.find("//") {
                Some(at) if at == 0 || !line[..at].ends_with(':') => &line[..at],
                _ => line,
            };
            if !code.trim().is_empty() {
                lines.push((i + 1, code.to_owned()));
            }
        }
        Source {
            path: path.to_owned(),
            lines,
        }
    }
    fn name(&self) -> &str {
        self.path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
    }
    /// Where a line meets the condition, as `file:line: text`.
    fn places(&self, wrong: impl Fn(&str) -> bool) -> Vec<String> {
        let bad = self.lines.iter().filter(|(_, line)| wrong(line));
        bad.map(|(i, line)| format!("{}:{i}: {}", self.path.display(), line.trim()))
            .collect()
    }
    /// Modules named as `root::module`, also in braces.
    fn named(&self, root: &str) -> Vec<(usize, String)> {
        let mut out = Vec::new();
        for (i, line) in &self.lines {
            for (at, _) in line.match_indices(&format!("{root}::")) {
                let before = line[..at].chars().next_back();
                if before.is_some_and(|c| c == '$' || c == '_' || c.is_alphanumeric()) {
                    continue;
                }
                let rest = &line[at + root.len() + 2..];
                let list = match rest.strip_prefix('{') {
                    Some(list) => first_words(list),
                    None => vec![word(rest)],
                };
                out.extend(list.into_iter().map(|m| (*i, m)));
            }
        }
        out
    }
}

fn word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The first word of each entry of `a::b, c::{d, e}, f}`.
fn first_words(list: &str) -> Vec<String> {
    let (mut depth, mut entry, mut out) = (0, String::new(), Vec::new());
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => out.push(word(&std::mem::take(&mut entry))),
            _ => {}
        }
        if depth == 0 && c != ',' {
            entry.push(c);
        }
    }
    out.push(word(&entry));
    out.retain(|w| !w.is_empty());
    out
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let mut out = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                out.push(Source::read(&path));
            }
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!out.is_empty(), "{folder} holds no sources");
    out
}

fn all_sources() -> Vec<Source> {
    CRATES
        .iter()
        .flat_map(|(folder, _)| sources(&format!("{folder}/src")))
        .collect()
}

fn none(what: &str, places: Vec<String>) {
    assert!(places.is_empty(), "{what}:\n{}\n", places.join("\n"));
}

#[test]
fn modules_of_the_core_see_only_what_lies_before_them() {
    let mut wrong = Vec::new();
    for (module, may) in MODULES {
        let folder = format!("orm-core/src/{module}");
        let files = if root().join(&folder).is_dir() {
            sources(&folder)
        } else {
            vec![Source::read(&root().join(format!("{folder}.rs")))]
        };
        for file in files {
            for (line, named) in file.named("crate") {
                let known = MODULES.iter().any(|(m, _)| *m == named) || named == "exec" || named == "private";
                if known && named != module && !may.contains(&named.as_str()) {
                    wrong.push(format!(
                        "{}:{line}: `{module}` must not know `{named}`",
                        file.path.display()
                    ));
                }
            }
        }
    }
    none("imports against the flow", wrong);
}

#[test]
fn only_exec_is_async() {
    let outside = |s: &Source| !s.path.starts_with(root().join("orm-core/src/exec"));
    let wrong = sources("orm-core/src")
        .iter()
        .filter(|s| outside(s))
        .flat_map(|s| s.places(|line| line.contains("async ") || line.contains(".await")))
        .collect();
    none("async code outside exec", wrong);
}

#[test]
fn the_core_knows_no_database_by_name() {
    let wrong = sources("orm-core/src")
        .iter()
        .flat_map(|s| s.places(|line| DATABASES.iter().any(|d| line.to_lowercase().contains(d))))
        .collect();
    none("a database's name in orm-core", wrong);
}

#[test]
fn statements_and_tables_are_plain_data() {
    let generic = |line: &str| {
        let mut words = line
            .split_whitespace()
            .skip_while(|w| *w != "struct" && *w != "enum");
        words.nth(1).is_some_and(|name| name.contains('<'))
    };
    let wrong = ["orm-core/src/ast", "orm-core/src/schema"]
        .into_iter()
        .flat_map(sources)
        .flat_map(|s| s.places(generic))
        .collect();
    none("generic types among plain data", wrong);
}

#[test]
fn clients_are_known_in_few_files() {
    let names = |line: &str| CLIENTS.iter().any(|c| line.contains(c));
    let mut wrong = Vec::new();
    for folder in ["src", "orm-core/src", "orm-derive/src"] {
        // test support makes databases on a server before there is a `Db` for them; models are rows of sqlx's too
        let exempt = ["src/testing/database.rs", "src/from_row.rs"];
        let ours = sources(folder)
            .into_iter()
            .filter(|s| !exempt.iter().any(|file| s.path.ends_with(file)));
        wrong.extend(ours.flat_map(|s| s.places(names)));
    }
    for folder in ["orm-postgres/src", "orm-sqlite/src"] {
        let without = sources(folder)
            .into_iter()
            .filter(|s| WITHOUT_CLIENT.contains(&s.name()));
        wrong.extend(without.flat_map(|s| s.places(|line| line.contains("sqlx"))));
    }
    none("a database client where none belongs", wrong);
}

#[test]
fn backends_see_the_wall_and_what_crosses_it() {
    let mut wrong = Vec::new();
    for folder in ["orm-postgres/src", "orm-sqlite/src"] {
        for file in sources(folder) {
            for (line, module) in file.named("orm_core") {
                // operators that one database has extend the typed surface, in a file of their own
                let operators = file.name() == "ext.rs" && module == "query";
                if !operators && !FOR_BACKENDS.contains(&module.as_str()) {
                    wrong.push(format!(
                        "{}:{line}: a backend names `{module}`",
                        file.path.display()
                    ));
                }
            }
        }
    }
    none("backends beyond the wall", wrong);
}

#[test]
fn unsafe_is_in_one_module() {
    let is_unsafe = |line: &str| line.replace("unsafe_code", "").contains("unsafe");
    let wrong = all_sources()
        .iter()
        .filter(|s| !s.path.starts_with(root().join("orm-sqlite/src/raw")))
        .flat_map(|s| s.places(is_unsafe))
        .collect();
    none("unsafe outside orm-sqlite/src/raw", wrong);
    for (folder, _) in CRATES {
        let lib = fs::read_to_string(root().join(folder).join("src/lib.rs")).unwrap();
        let attribute = if folder == "orm-sqlite" {
            "#![deny(unsafe_code)]"
        } else {
            "#![forbid(unsafe_code)]"
        };
        assert!(lib.contains(attribute), "{folder} lacks {attribute}");
    }
}

#[test]
fn paths_begin_at_the_crate() {
    let sibling = |line: &str| line.trim_start_matches("pub ").starts_with("use super::");
    // what orm-derive writes into other crates is indented
    let generates = |s: &Source| s.path.starts_with(root().join("orm-derive"));
    let wrong = all_sources()
        .iter()
        .flat_map(|s| s.places(|line| sibling(if generates(s) { line } else { line.trim_start() })))
        .collect();
    none("`use super::`; write `use crate::`", wrong);
}

#[test]
fn names_are_domain_nouns() {
    let vague = |line: &str| {
        let mut words = line
            .split_whitespace()
            .skip_while(|w| !["struct", "enum", "trait", "mod"].contains(w));
        let name = words.nth(1).unwrap_or_default().to_lowercase();
        ["manager", "helper", "util"]
            .iter()
            .any(|v| word(&name).contains(v))
    };
    none(
        "vague names",
        all_sources().iter().flat_map(|s| s.places(vague)).collect(),
    );
}

#[test]
fn crates_depend_in_one_direction() {
    for (folder, may) in CRATES {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for name in dependencies(&manifest) {
            let ours = name.starts_with("orm");
            assert!(
                !ours || may.contains(&name.as_str()),
                "{folder} must not depend on {name}"
            );
            let client = CLIENTS.contains(&name.replace('-', "_").as_str());
            let backend = folder == "orm-postgres" || folder == "orm-sqlite";
            assert!(
                !client || backend,
                "{folder} must not depend on the client {name}"
            );
        }
    }
}

/// The names in `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest
        .lines()
        .skip_while(|l| l.trim() != "[dependencies]")
        .skip(1);
    lines
        .take_while(|l| !l.trim_start().starts_with('['))
        .filter_map(|l| l.split(['=', '.']).next())
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty() && !n.starts_with('#'))
        .collect()
}

#[test]
fn the_papers_are_there() {
    for paper in [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "SECURITY.md",
        "STYLE.md",
    ] {
        assert!(root().join(paper).is_file(), "{paper} is missing");
    }
}

/// The project's own documents name files that exist.
#[test]
fn architecture_names_real_files() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut missing = Vec::new();
    for quoted in text.split('`').skip(1).step_by(2) {
        let is_path =
            quoted.contains('/') && !quoted.contains([' ', '*', '<', '{', '(']) && !quoted.contains("::");
        if !is_path {
            continue;
        }
        let places = ["", "orm-core/src/", "orm-derive/src/"];
        if !places
            .iter()
            .any(|p| root().join(format!("{p}{quoted}")).exists())
        {
            missing.push(quoted.to_owned());
        }
    }
    none("ARCHITECTURE.md names files that do not exist", missing);
}

/// The names of public methods in the blocks that begin with one of these lines, as the code has them.
fn methods(files: &[&str], blocks: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for file in files {
        let source = Source::read(&root().join("orm-core/src").join(file));
        let mut inside = false;
        for (_, line) in &source.lines {
            if !line.starts_with(' ') {
                inside = match line.starts_with("impl") {
                    true => blocks.iter().any(|block| line.starts_with(block)),
                    false => inside && !line.starts_with('}'),
                };
            }
            if let Some(rest) = line.strip_prefix("    pub fn ").filter(|_| inside) {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                names.push(name);
            }
        }
    }
    names
}

#[test]
fn related_rows_have_all_methods_of_queries() {
    let queries = ["query/select.rs", "query/walk/mod.rs", "exec/read.rs"];
    let of_queries = methods(
        &queries,
        &[
            "impl<M: Model> Query<M>",
            "impl<M: Model, O> Query<M, O>",
            "impl<M: Model, O: ",
        ],
    );
    let of_related = methods(
        &["relation/related.rs", "exec/read.rs"],
        &["impl<R: Rel> Related<R>"],
    );
    assert!(of_queries.len() > 35, "{of_queries:?}");
    // a statement as data is that of a query, and these rows become one first
    let missing: Vec<_> = of_queries
        .iter()
        .filter(|m| *m != "ast" && !of_related.contains(m))
        .collect();
    assert!(
        missing.is_empty(),
        "`Related` lacks {missing:?}, which `Query` has"
    );
}

//! All printing: replies, errors with the line they are about, colours, progress.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::reply::{Place, Reply, Stop};

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    /// For standard output: colours when it is a terminal, and NO_COLOR does not say otherwise.
    pub(crate) fn stdout() -> Self {
        Paint(std::io::stdout().is_terminal() && wanted())
    }
    /// For standard error.
    pub(crate) fn stderr() -> Self {
        Paint(std::io::stderr().is_terminal() && wanted())
    }
    /// None.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Paint(false)
    }
    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }
    pub(crate) fn warn(self, text: &str) -> String {
        self.with("33", text)
    }
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        && std::env::var("TERM").as_deref() != Ok("dumb")
}

/// Prints what came of a verb; the exit code.
pub(crate) fn print(came: Result<Reply, Stop>, json: bool) -> u8 {
    let (text, code) = match &came {
        Ok(reply) if json => (with_newline(pretty(&reply.json)), reply.code),
        Ok(reply) => (with_newline(reply.text.clone()), reply.code),
        Err(stop) if json => (with_newline(pretty(&stop.json())), stop.code()),
        Err(stop) => {
            // a closed pipe is nothing to report
            _ = std::io::stderr().write_all(error(stop, Paint::stderr()).as_bytes());
            return stop.code();
        }
    };
    _ = std::io::stdout().write_all(text.as_bytes());
    code
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

fn with_newline(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// An error as people read it.
pub(crate) fn error(stop: &Stop, paint: Paint) -> String {
    let mut out = format!("{} {}\n", paint.bad("error:"), stop.message());
    if let Some(place) = stop.place() {
        underline(&mut out, place, paint);
    }
    if let Some(help) = stop.help_text() {
        _ = writeln!(out, "{} {help}", paint.bold("help:"));
    }
    out
}

/// The line of a file, with a mark under the word that the error is about.
fn underline(out: &mut String, place: &Place, paint: Paint) {
    let lines: Vec<&str> = place.text.lines().collect();
    let starts = place.line.saturating_sub(1);
    let ends = lines.len().min(starts + 40);
    let statement = lines.get(starts..ends).unwrap_or_default();
    let found = place.words.iter().find_map(|word| {
        let mut lines = statement.iter().enumerate();
        lines.find_map(|(i, line)| find_word(line, word).map(|at| (i, at, word.chars().count())))
    });
    let (line, at, width) = found.unwrap_or_else(|| {
        let first = statement.first().copied().unwrap_or_default();
        let blank = first.len() - first.trim_start().len();
        (0, blank, first.trim().chars().count().max(1))
    });
    let text = statement.get(line).copied().unwrap_or_default();
    let number = (place.line + line).to_string();
    let gutter = " ".repeat(number.len());
    let column = text[..at].chars().count();
    _ = writeln!(
        out,
        "{gutter}{} {}:{number}:{}",
        paint.dim("-->"),
        place.file.display(),
        column + 1
    );
    let bar = paint.dim("|");
    let text = text.replace('\t', " ");
    _ = writeln!(out, "{gutter} {bar}\n{} {bar} {text}", paint.dim(&number));
    let marks = paint.bad(&"^".repeat(width));
    _ = writeln!(out, "{gutter} {bar} {}{marks}", " ".repeat(column));
}

/// Where a word stands alone in a line, in bytes.
fn find_word(line: &str, word: &str) -> Option<usize> {
    let part = |c: Option<char>| c.is_some_and(|c| c == '_' || c.is_alphanumeric());
    let (low, wanted) = (line.to_ascii_lowercase(), word.to_ascii_lowercase());
    let places = low.match_indices(&wanted).map(|(at, _)| at);
    let mut alone = places
        .filter(|at| !part(line[..*at].chars().next_back()) && !part(line[at + word.len()..].chars().next()));
    alone.next()
}

/// Names that a database's message is about, the likeliest first: what stands in quotes, then what follows a colon.
pub(crate) fn named(message: &str) -> Vec<String> {
    let quoted = message.split('"').skip(1).step_by(2);
    let after = message.rsplit_once(": ").map(|(_, name)| name);
    let mut out = Vec::new();
    for name in quoted.chain(after) {
        // `app.users` may be written "app"."users" there
        for part in [Some(name), name.rsplit('.').next()].into_iter().flatten() {
            if !part.is_empty() && !part.contains(char::is_whitespace) && !out.iter().any(|o| o == part) {
                out.push(part.to_owned());
            }
        }
    }
    out
}

/// Something that takes its time, on a terminal. Where there is none, nothing is drawn.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins.
    pub(crate) fn start(what: &str) -> Self {
        if !std::io::stderr().is_terminal() || std::env::var_os("CI").is_some() {
            return Progress(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(Some(bar))
    }
}

impl Progress {
    /// For whoever knows how far it is.
    pub(crate) fn handle(&self) -> Handle {
        Handle(self.0.clone())
    }
}

/// Tells how far it is.
pub(crate) struct Handle(Option<ProgressBar>);

impl Handle {
    pub(crate) fn tell(&self, how_far: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(how_far.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::output::{Paint, error, named};
    use crate::reply::{Place, Stop};

    #[test]
    fn the_word_is_underlined() {
        let text =
            "CREATE TABLE a (id int);\n\nINSERT INTO peoples SELECT 1;\n  INSERT INTO people VALUES (1);\n";
        let mut place = Place {
            file: PathBuf::from("m/1_a.up.sql"),
            line: 3,
            text: text.to_owned(),
            words: named("no such table: main.people"),
        };
        let said = |place: &Place| {
            error(
                &Stop::usage("no").at(place.clone()).help("mend it"),
                Paint::plain(),
            )
        };
        assert_eq!(
            said(&place),
            "error: no\n \
             --> m/1_a.up.sql:4:15\n  |\n4 |   INSERT INTO people VALUES (1);\n  |               ^^^^^^\nhelp: mend it\n"
        );
        place.words = Vec::new();
        assert!(
            said(&place).contains("3 | INSERT INTO peoples SELECT 1;\n  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n")
        );
        place.line = 99;
        assert!(said(&place).contains("99 | \n"));
    }

    #[test]
    fn names_in_messages() {
        assert_eq!(named("near \"SELEC\": syntax error"), ["SELEC"]);
        assert_eq!(
            named("relation \"app.users\" does not exist"),
            ["app.users", "users"]
        );
        assert_eq!(named("no such table: main.people"), ["main.people", "people"]);
        assert!(named("it broke").is_empty());
    }
}

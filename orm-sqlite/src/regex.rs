//! Regular expressions as PostgreSQL reads them, for one question: does the text match somewhere?
//!
//! The syntax is that of its "advanced" regular expressions without back references and look-around. It is said anew in
//! the syntax of the crate `regex`, which runs in time that grows with pattern times text and with nothing else. What
//! classes of letters and letter case mean is said by Unicode.

use std::cell::RefCell;
use std::fmt::Write as _;

use ::regex::{Regex, RegexBuilder, escape};

/// Why a pattern is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is malformed, or too large.
    Malformed,
    /// PostgreSQL has it.
    Unsupported(&'static str),
}
use Refused::{Malformed, Unsupported};

/// Groups within groups.
const DEEPEST: u32 = 100;
/// PostgreSQL's own bound of `{m,n}`.
const MOST: usize = 255;
/// The memory that a pattern may take, in bytes: repetitions are written out.
const LARGEST: usize = 2 << 20;

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    /// In any case.
    no_case: bool,
    /// `.` and `[^…]` stop at the ends of lines.
    line_dots: bool,
    /// `^` and `$` match at the ends of lines.
    line_anchors: bool,
}

thread_local! {
    /// The last patterns: a query asks for the same one row by row.
    static LAST: RefCell<Vec<(bool, String, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// Whether the pattern matches somewhere in the text.
pub(crate) fn matches(text: &str, pattern: &str, no_case: bool) -> Result<bool, Refused> {
    let known = LAST.with_borrow(|last| {
        let found = last.iter().find(|(n, p, _)| *n == no_case && p == pattern);
        found.map(|(.., regex)| regex.clone())
    });
    let regex = match known {
        Some(regex) => regex,
        None => {
            let regex = compiled(pattern, no_case)?;
            LAST.with_borrow_mut(|last| {
                last.truncate(7);
                last.insert(0, (no_case, pattern.to_owned(), regex.clone()));
            });
            regex
        }
    };
    Ok(regex.is_match(text))
}

/// The pattern in the syntax of the crate.
pub(crate) fn compiled(pattern: &str, no_case: bool) -> Result<Regex, Refused> {
    let mut parser = Parser {
        rest: pattern.chars().collect(),
        at: 0,
        depth: 0,
        options: Options {
            no_case,
            ..Options::default()
        },
        out: String::new(),
    };
    parser.pattern()?;
    RegexBuilder::new(&parser.out)
        .case_insensitive(parser.options.no_case)
        .size_limit(LARGEST)
        .nest_limit(4 * DEEPEST)
        .build()
        .map_err(|_| Malformed)
}

/// A class of characters as a part of a bracket expression.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alnum" => r"\p{Alphabetic}\p{N}",
        "alpha" => r"\p{Alphabetic}",
        "blank" => r" \t",
        "cntrl" => r"\p{Cc}",
        "digit" => "0-9",
        "graph" => r"[^\s\p{Cc}]",
        "lower" => r"\p{Lowercase}",
        "print" => r" [^\s\p{Cc}]",
        "punct" => r"[[^\s\p{Cc}]--[\p{Alphabetic}\p{N}]]",
        "space" => r"\s",
        "upper" => r"\p{Uppercase}",
        "xdigit" => "0-9A-Fa-f",
        "word" => r"\p{Alphabetic}\p{N}_",
        _ => return None,
    })
}

/// The class that a letter behind a backslash stands for, as a whole bracket expression.
fn shorthand(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        's' => r"\s",
        'w' => r"[\p{Alphabetic}\p{N}_]",
        'D' => "[^0-9]",
        'S' => r"\S",
        'W' => r"[^\p{Alphabetic}\p{N}_]",
        _ => return None,
    })
}

struct Parser {
    rest: Vec<char>,
    at: usize,
    depth: u32,
    options: Options,
    /// What it says, in the other syntax.
    out: String,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }
    fn eat(&mut self, text: &str) -> bool {
        let found = text
            .chars()
            .enumerate()
            .all(|(i, c)| self.rest.get(self.at + i) == Some(&c));
        if found {
            self.at += text.chars().count();
        }
        found
    }
    /// Up to this text, and past it.
    fn until(&mut self, end: &str) -> Result<String, Refused> {
        let mut out = String::new();
        while !self.eat(end) {
            out.push(self.next().ok_or(Malformed)?);
        }
        Ok(out)
    }

    fn pattern(&mut self) -> Result<(), Refused> {
        if self.eat("***=") {
            self.literal_rest();
            return Ok(());
        }
        self.eat("***:");
        let letters = self.rest.get(self.at + 2).is_some_and(char::is_ascii_alphabetic);
        if letters && self.eat("(?") {
            for option in self.until(")")?.chars() {
                match option {
                    'i' => self.options.no_case = true,
                    'c' => self.options.no_case = false,
                    's' => (self.options.line_dots, self.options.line_anchors) = (false, false),
                    'n' | 'm' => (self.options.line_dots, self.options.line_anchors) = (true, true),
                    'p' => (self.options.line_dots, self.options.line_anchors) = (true, false),
                    'w' => (self.options.line_dots, self.options.line_anchors) = (false, true),
                    't' => {}
                    'q' => {
                        self.literal_rest();
                        return Ok(());
                    }
                    'b' | 'e' | 'x' => return Err(Unsupported("this option of a regular expression")),
                    _ => return Err(Malformed),
                }
            }
        }
        self.choice()?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Malformed),
        }
    }
    fn literal_rest(&mut self) {
        let literal: String = self.rest.split_off(self.at).into_iter().collect();
        self.out.push_str(&escape(&literal));
    }

    fn choice(&mut self) -> Result<(), Refused> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Malformed);
        }
        self.row()?;
        while self.eat("|") {
            self.out.push('|');
            self.row()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn row(&mut self) -> Result<(), Refused> {
        while self
            .peek()
            .is_some_and(|c| c != '|' && (c != ')' || self.depth == 1))
        {
            let place = self.atom()?;
            self.repeated(place)?;
        }
        Ok(())
    }

    fn repeated(&mut self, place: bool) -> Result<(), Refused> {
        let Some((least, most)) = self.quantifier()? else {
            return Ok(());
        };
        // only how far a match reaches depends on greed
        self.eat("?");
        if place || self.quantifier()?.is_some() {
            return Err(Malformed);
        }
        let written = match most {
            Some(most) => write!(self.out, "{{{least},{most}}}"),
            None => write!(self.out, "{{{least},}}"),
        };
        written.map_err(|_| Malformed)
    }

    fn quantifier(&mut self) -> Result<Option<(usize, Option<usize>)>, Refused> {
        Ok(Some(match self.peek() {
            Some('*') => self.then((0, None)),
            Some('+') => self.then((1, None)),
            Some('?') => self.then((0, Some(1))),
            Some('{') if self.rest.get(self.at + 1).is_some_and(char::is_ascii_digit) => {
                self.at += 1;
                let bounds = self.until("}")?;
                let number = |s: &str| s.parse::<usize>().ok().filter(|n| *n <= MOST);
                let (least, most) = match bounds.split_once(',') {
                    None => (number(&bounds), Some(number(&bounds))),
                    Some((least, "")) => (number(least), None),
                    Some((least, most)) => (number(least), Some(number(most))),
                };
                let least = least.ok_or(Malformed)?;
                let most = most
                    .map(|n| n.filter(|n| *n >= least).ok_or(Malformed))
                    .transpose()?;
                (least, most)
            }
            _ => return Ok(None),
        }))
    }
    fn then<T>(&mut self, answer: T) -> T {
        self.at += 1;
        answer
    }

    /// One thing that may be repeated; whether it is a place, which may not.
    fn atom(&mut self) -> Result<bool, Refused> {
        let lines = self.options.line_anchors;
        match self.next().ok_or(Malformed)? {
            '(' if self.eat("?:") => self.group()?,
            '(' if ["?=", "?!", "?<=", "?<!"].iter().any(|s| self.eat(s)) => {
                return Err(Unsupported("look-around in a regular expression"));
            }
            '(' if self.peek() == Some('?') => return Err(Malformed),
            '(' => self.group()?,
            '.' if self.options.line_dots => self.out.push_str("(?-s:.)"),
            '.' => self.out.push_str("(?s:.)"),
            '^' => return Ok(self.place(if lines { "(?m:^)" } else { r"\A" })),
            '$' => return Ok(self.place(if lines { "(?m:$)" } else { r"\z" })),
            '[' if self.eat("[:<:]]") => return Ok(self.place(r"\b{start}")),
            '[' if self.eat("[:>:]]") => return Ok(self.place(r"\b{end}")),
            '[' => self.bracket()?,
            '\\' => return self.escape(),
            '*' | '+' | '?' => return Err(Malformed),
            '{' if self.peek().is_some_and(|c| c.is_ascii_digit()) => return Err(Malformed),
            // at the outermost level a closing parenthesis is one too many
            ')' => return Err(Malformed),
            c => self.literal(c),
        }
        Ok(false)
    }
    fn place(&mut self, written: &str) -> bool {
        self.out.push_str(written);
        true
    }
    fn literal(&mut self, c: char) {
        self.out.push_str(&escape(c.encode_utf8(&mut [0; 4])));
    }

    fn group(&mut self) -> Result<(), Refused> {
        self.out.push_str("(?:");
        self.choice()?;
        if !self.eat(")") {
            return Err(Malformed);
        }
        self.out.push(')');
        Ok(())
    }

    fn escape(&mut self) -> Result<bool, Refused> {
        let c = self.next().ok_or(Malformed)?;
        let place = match c {
            'A' => Some(r"\A"),
            'Z' => Some(r"\z"),
            'm' => Some(r"\b{start}"),
            'M' => Some(r"\b{end}"),
            'y' => Some(r"\b"),
            'Y' => Some(r"\B"),
            _ => None,
        };
        if let Some(place) = place {
            return Ok(self.place(place));
        }
        if let Some(class) = shorthand(c) {
            self.out.push_str(class);
            return Ok(false);
        }
        if matches!(c, '1'..='9') {
            return Err(Unsupported("a back reference in a regular expression"));
        }
        let c = self.character(c)?;
        self.literal(c);
        Ok(false)
    }

    /// The character that stands behind a backslash.
    fn character(&mut self, c: char) -> Result<char, Refused> {
        Ok(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'B' => '\\',
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0' => return Err(Malformed),
            'c' => {
                let c = self.next().ok_or(Malformed)?;
                char::from_u32(u32::from(c) & 0x1f).ok_or(Malformed)?
            }
            'u' => self.hex(4)?,
            'U' => self.hex(8)?,
            'x' => {
                let mut n = 0u32;
                let mut any = false;
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) {
                    n = n.wrapping_shl(4) | digit;
                    self.at += 1;
                    any = true;
                }
                char::from_u32(n).filter(|_| any).ok_or(Malformed)?
            }
            c if c.is_ascii_alphanumeric() => return Err(Malformed),
            c => c,
        })
    }
    fn hex(&mut self, digits: usize) -> Result<char, Refused> {
        let mut n = 0;
        for _ in 0..digits {
            n = n << 4 | self.next().and_then(|c| c.to_digit(16)).ok_or(Malformed)?;
        }
        char::from_u32(n).ok_or(Malformed)
    }

    fn bracket(&mut self) -> Result<(), Refused> {
        let negated = self.eat("^");
        self.out.push_str(if negated { "[^" } else { "[" });
        let mut first = true;
        while first || !self.eat("]") {
            // a bracket in front means itself, as does a hyphen at an end
            first = false;
            let Some(from) = self.member()? else {
                continue;
            };
            let range = self.peek() == Some('-') && self.rest.get(self.at + 1) != Some(&']');
            self.member_literal(from)?;
            if range {
                self.at += 1;
                let to = self.member()?.filter(|to| *to >= from).ok_or(Malformed)?;
                self.out.push('-');
                self.member_literal(to)?;
            }
        }
        if negated && self.options.line_dots {
            self.out.push_str(r"\n");
        }
        self.out.push(']');
        Ok(())
    }
    /// By its number: nothing means anything else between brackets.
    fn member_literal(&mut self, c: char) -> Result<(), Refused> {
        write!(self.out, "\\x{{{:x}}}", u32::from(c)).map_err(|_| Malformed)
    }

    /// A character of a bracket expression; `None` for a class, which is written.
    fn member(&mut self) -> Result<Option<char>, Refused> {
        if self.eat("[:") {
            let name = self.until(":]")?;
            self.out.push_str(class(&name).ok_or(Malformed)?);
            return Ok(None);
        }
        for (open, close) in [("[.", ".]"), ("[=", "=]")] {
            if self.eat(open) {
                let name = self.until(close)?;
                let mut chars = name.chars();
                return match (chars.next(), chars.next()) {
                    (Some(c), None) => Ok(Some(c)),
                    _ => Err(Unsupported("a named character in a regular expression")),
                };
            }
        }
        match self.next().ok_or(Malformed)? {
            '\\' => {
                let c = self.next().ok_or(Malformed)?;
                if let Some(class) = shorthand(c) {
                    self.out.push_str(class);
                    return Ok(None);
                }
                self.character(c).map(Some)
            }
            c => Ok(Some(c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::regex::{Refused, compiled, matches};

    #[test]
    fn patterns_match_somewhere() {
        for (pattern, yes, no) in [
            ("", &["", "a"][..], &[][..]),
            ("b", &["abc"], &["ac", "B"]),
            ("^b", &["bc"], &["ab", "a\nb"]),
            ("b$", &["ab"], &["b\n", "ba"]),
            ("a.c", &["abc", "a\nc", "aéc"], &["ac"]),
            ("a|bc|", &["", "x"], &[]),
            ("^(a|bc)$", &["a", "bc"], &["ac", "b"]),
            ("^(?:ab)*$", &["", "abab"], &["aba"]),
            ("^a{2,3}$", &["aa", "aaa"], &["a", "aaaa"]),
            ("^a{2}$", &["aa"], &["a", "aaa"]),
            ("^a{2,}?$", &["aa", "aaaaa"], &["a"]),
            ("^a{0}b$", &["b"], &["ab"]),
            ("a{x", &["a{x"], &["a"]),
            ("^[]a-c-]+$", &["]", "a-b"], &["d"]),
            ("^[^a-c]$", &["d", "\n"], &["a"]),
            (r"^[\d[:upper:]_]+$", &["1A_Ä"], &["a"]),
            (r"\mcat\M", &["a cat.", "cat"], &["cats", "tomcat", "cat_"]),
            (r"\ycat\Y", &["cats"], &["cat"]),
            ("[[:<:]]é[[:>:]]", &["a é b"], &["aé"]),
            (r"^\w+\s\W$", &["añ_1 -"], &["a b"]),
            (r"\x41\u00e9\t\.", &["Aé\t."], &["Aé\tx"]),
            (r"\A\D\Z", &["a"], &["1", "ab"]),
            ("(?n)^b$", &["a\nb\nc"], &["ab"]),
            ("(?n)a.c", &["abc"], &["a\nc"]),
            ("(?p)^b", &["b"], &["a\nb"]),
            ("(?i)É[a-b]", &["éB"], &["éc"]),
            ("(?q)a.c", &["xa.c"], &["abc"]),
            ("***=(", &["("], &["x"]),
            ("***:^a", &["ab"], &["b"]),
            ("((a*)*)*b", &["b", "aab"], &["aaaa"]),
            ("[[.-.]-/]", &["-", ".", "/"], &["0"]),
        ] {
            let regex = compiled(pattern, false).unwrap();
            for text in yes {
                assert!(regex.is_match(text), "{pattern:?} {text:?}");
            }
            for text in no {
                assert!(!regex.is_match(text), "{pattern:?} {text:?}");
            }
        }
        let any_case = |pattern, text| matches(text, pattern, true).unwrap();
        assert!(any_case("straße", "STRAßE") && any_case("[à-ÿ]", "É") && any_case("[[:lower:]]", "A"));
        assert!(!any_case("(?c)a", "A"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let longest = "(".repeat(5000);
        let largest = "((a{255}){255}){255}";
        for bad in [
            "(",
            ")",
            "a)",
            "[",
            "[a",
            "a**",
            "*a",
            "+",
            "?",
            "^*",
            "a{2,1}",
            "a{256}",
            "a{1",
            "(?",
            "(?z)",
            r"\",
            r"\q",
            "[b-a]",
            "[[:nothing:]]",
            r"\u12",
            "(*)",
            "a|*",
            "[a-[:alpha:]]",
            &longest,
            largest,
        ] {
            assert_eq!(compiled(bad, false).err(), Some(Refused::Malformed), "{bad:.20}");
        }
        for other in [r"(a)\1", "a(?=b)", "(?<!a)b", "(?x)a", "[[.hyphen.]]"] {
            assert!(
                matches!(compiled(other, false), Err(Refused::Unsupported(_))),
                "{other}"
            );
        }
    }

    #[test]
    fn time_does_not_explode() {
        let text = "a".repeat(20_000);
        assert!(!matches(&text, "^(a+)+$x", false).unwrap());
        assert!(!matches(&text, "^(a|a?)+b", false).unwrap());
    }
}

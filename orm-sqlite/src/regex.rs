//! Regular expressions as PostgreSQL reads them, for one question: does the text match somewhere?
//!
//! The syntax is that of its "advanced" regular expressions without back references and look-around. A pattern becomes a
//! program that is run over the text once, so that time grows with pattern times text and with nothing else.
//! What classes of letters and letter case mean is said by Unicode.

use std::cell::RefCell;
use std::rc::Rc;

/// Why a pattern has no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is malformed, or too large.
    Malformed,
    /// PostgreSQL has it.
    Unsupported(&'static str),
}
use Refused::{Malformed, Unsupported};

/// As many steps, a pattern may have: repetitions are written out.
const LARGEST: usize = 20_000;
/// Groups within groups.
const DEEPEST: usize = 100;
/// PostgreSQL's own bound of `{m,n}`.
const MOST: usize = 255;

/// A pattern, ready to be matched.
#[derive(Debug)]
pub(crate) struct Regex {
    steps: Vec<Step>,
    options: Options,
}

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    /// In any case.
    no_case: bool,
    /// `.` and `[^…]` stop at the ends of lines.
    line_dots: bool,
    /// `^` and `$` match at the ends of lines.
    line_anchors: bool,
}

#[derive(Clone, Debug)]
enum Step {
    One(Rc<Set>),
    Where(Place),
    Either(usize, usize),
    Jump(usize),
    Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    End,
    LineStart,
    LineEnd,
    WordStart,
    WordEnd,
    WordEdge,
    NoWordEdge,
}

/// Characters.
#[derive(Clone, Debug, Default)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
    classes: Vec<(Class, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
    Word,
    Any,
}

/// What a pattern says, before it is a program.
#[derive(Clone, Debug)]
enum Node {
    Nothing,
    One(Rc<Set>),
    Where(Place),
    Row(Vec<Node>),
    Choice(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>),
}

thread_local! {
    /// The last patterns: a query asks for the same one row by row.
    static LAST: RefCell<Vec<(bool, String, Rc<Regex>)>> = const { RefCell::new(Vec::new()) };
}

/// Whether the pattern matches somewhere in the text.
pub(crate) fn matches(text: &str, pattern: &str, no_case: bool) -> Result<bool, Refused> {
    let known = LAST.with_borrow(|last| {
        let found = last.iter().find(|(n, p, _)| *n == no_case && p == pattern);
        found.map(|(.., regex)| Rc::clone(regex))
    });
    let regex = match known {
        Some(regex) => regex,
        None => {
            let regex = Rc::new(Regex::new(pattern, no_case)?);
            LAST.with_borrow_mut(|last| {
                last.truncate(7);
                last.insert(0, (no_case, pattern.to_owned(), Rc::clone(&regex)));
            });
            regex
        }
    };
    Ok(regex.is_match(text))
}

impl Regex {
    pub(crate) fn new(pattern: &str, no_case: bool) -> Result<Regex, Refused> {
        let mut options = Options {
            no_case,
            ..Options::default()
        };
        let mut parser = Parser {
            rest: pattern.chars().collect(),
            at: 0,
            depth: 0,
            options: &mut options,
        };
        let node = parser.pattern()?;
        let mut steps = Vec::new();
        compile(&mut steps, &node)?;
        steps.push(Step::Found);
        Ok(Regex { steps, options })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        let mut run = Run {
            regex: self,
            live: Vec::new(),
            marks: vec![0; self.steps.len()],
            turn: 0,
        };
        let mut before = None;
        let mut chars = text.chars();
        let mut next = Vec::new();
        loop {
            let here = chars.clone().next();
            run.turn += 1;
            run.live.clear();
            next.push(0);
            for start in next.drain(..) {
                if run.enter(start, before, here) {
                    return true;
                }
            }
            let Some(c) = chars.next() else {
                return false;
            };
            for &at in &run.live {
                if let Step::One(set) = &self.steps[at]
                    && set.holds(c, self.options)
                {
                    next.push(at + 1);
                }
            }
            before = Some(c);
        }
    }
}

/// One pass over a text.
struct Run<'r> {
    regex: &'r Regex,
    /// The steps that wait for the next character.
    live: Vec<usize>,
    /// When each step was entered last.
    marks: Vec<u64>,
    turn: u64,
}

impl Run<'_> {
    /// Follows what needs no character; true when that ends the pattern.
    fn enter(&mut self, start: usize, before: Option<char>, here: Option<char>) -> bool {
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            if self.marks[at] == self.turn {
                continue;
            }
            self.marks[at] = self.turn;
            match &self.regex.steps[at] {
                Step::One(_) => self.live.push(at),
                Step::Where(place) if place.is(before, here) => open.push(at + 1),
                Step::Where(_) => {}
                Step::Either(a, b) => open.extend([*b, *a]),
                Step::Jump(to) => open.push(*to),
                Step::Found => return true,
            }
        }
        false
    }
}

impl Place {
    fn is(self, before: Option<char>, here: Option<char>) -> bool {
        let word = |c: Option<char>| c.is_some_and(|c| Class::Word.holds(c, false));
        match self {
            Place::Start => before.is_none(),
            Place::End => here.is_none(),
            Place::LineStart => matches!(before, None | Some('\n')),
            Place::LineEnd => matches!(here, None | Some('\n')),
            Place::WordStart => !word(before) && word(here),
            Place::WordEnd => word(before) && !word(here),
            Place::WordEdge => word(before) != word(here),
            Place::NoWordEdge => word(before) == word(here),
        }
    }
}

impl Set {
    fn one(c: char) -> Set {
        Set {
            ranges: vec![(c, c)],
            ..Set::default()
        }
    }
    fn of(class: Class, negated: bool) -> Set {
        Set {
            negated,
            classes: vec![(class, false)],
            ..Set::default()
        }
    }
    fn holds(&self, c: char, options: Options) -> bool {
        let any = self.negated || matches!(self.classes[..], [(Class::Any, _)]);
        if options.line_dots && c == '\n' && any {
            return false;
        }
        let within = |c: char| self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
        let found = within(c)
            || (options.no_case && (within(lower(c)) || within(upper(c))))
            || self
                .classes
                .iter()
                .any(|(class, not)| class.holds(c, options.no_case) != *not);
        found != self.negated
    }
}

impl Class {
    fn named(name: &str) -> Option<Class> {
        Some(match name {
            "alnum" => Class::Alnum,
            "alpha" => Class::Alpha,
            "blank" => Class::Blank,
            "cntrl" => Class::Cntrl,
            "digit" => Class::Digit,
            "graph" => Class::Graph,
            "lower" => Class::Lower,
            "print" => Class::Print,
            "punct" => Class::Punct,
            "space" => Class::Space,
            "upper" => Class::Upper,
            "xdigit" => Class::Xdigit,
            "word" => Class::Word,
            _ => return None,
        })
    }
    fn holds(self, c: char, no_case: bool) -> bool {
        let graphic = || !c.is_whitespace() && !c.is_control();
        match self {
            Class::Alnum => c.is_alphanumeric(),
            Class::Alpha => c.is_alphabetic(),
            Class::Blank => c == ' ' || c == '\t',
            Class::Cntrl => c.is_control(),
            Class::Digit => c.is_ascii_digit(),
            Class::Graph => graphic(),
            Class::Lower => c.is_lowercase() || (no_case && c.is_uppercase()),
            Class::Print => c == ' ' || graphic(),
            Class::Punct => graphic() && !c.is_alphanumeric(),
            Class::Space => c.is_whitespace(),
            Class::Upper => c.is_uppercase() || (no_case && c.is_lowercase()),
            Class::Xdigit => c.is_ascii_hexdigit(),
            Class::Word => c.is_alphanumeric() || c == '_',
            Class::Any => true,
        }
    }
}

/// The lower case of a letter where that is one letter, as databases have it.
pub(crate) fn lower(c: char) -> char {
    if c == '\u{130}' {
        return 'i';
    }
    only(c, c.to_lowercase())
}

/// The upper case of a letter where that is one letter.
pub(crate) fn upper(c: char) -> char {
    only(c, c.to_uppercase())
}

fn only(c: char, mut of: impl Iterator<Item = char>) -> char {
    match (of.next(), of.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn compile(steps: &mut Vec<Step>, node: &Node) -> Result<(), Refused> {
    if steps.len() > LARGEST {
        return Err(Malformed);
    }
    match node {
        Node::Nothing => {}
        Node::One(set) => steps.push(Step::One(Rc::clone(set))),
        Node::Where(place) => steps.push(Step::Where(*place)),
        Node::Row(nodes) => {
            for node in nodes {
                compile(steps, node)?;
            }
        }
        Node::Choice(nodes) => {
            let mut ends = Vec::new();
            for (i, node) in nodes.iter().enumerate() {
                let split = steps.len();
                if i + 1 < nodes.len() {
                    steps.push(Step::Either(split + 1, 0));
                }
                compile(steps, node)?;
                if i + 1 < nodes.len() {
                    ends.push(steps.len());
                    steps.push(Step::Jump(0));
                    steps[split] = Step::Either(split + 1, steps.len());
                }
            }
            for end in ends {
                steps[end] = Step::Jump(steps.len());
            }
        }
        Node::Repeat(node, least, most) => {
            for _ in 0..*least {
                compile(steps, node)?;
            }
            match most {
                None => {
                    let split = steps.len();
                    steps.push(Step::Jump(0));
                    compile(steps, node)?;
                    steps.push(Step::Jump(split));
                    steps[split] = Step::Either(split + 1, steps.len());
                }
                Some(most) => {
                    let mut splits = Vec::new();
                    for _ in *least..*most {
                        splits.push(steps.len());
                        steps.push(Step::Jump(0));
                        compile(steps, node)?;
                    }
                    for split in splits {
                        steps[split] = Step::Either(split + 1, steps.len());
                    }
                }
            }
        }
    }
    Ok(())
}

struct Parser<'o> {
    rest: Vec<char>,
    at: usize,
    depth: usize,
    options: &'o mut Options,
}

impl Parser<'_> {
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

    fn pattern(&mut self) -> Result<Node, Refused> {
        if self.eat("***=") {
            let literal = self.rest.split_off(self.at);
            return Ok(Node::Row(literal.into_iter().map(literal_node).collect()));
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
                        let literal = self.rest.split_off(self.at);
                        return Ok(Node::Row(literal.into_iter().map(literal_node).collect()));
                    }
                    'b' | 'e' | 'x' => return Err(Unsupported("this option of a regular expression")),
                    _ => return Err(Malformed),
                }
            }
        }
        let node = self.choice()?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err(Malformed),
        }
    }

    fn choice(&mut self) -> Result<Node, Refused> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Malformed);
        }
        let mut arms = vec![self.row()?];
        while self.eat("|") {
            arms.push(self.row()?);
        }
        self.depth -= 1;
        Ok(match arms.len() {
            1 => arms.remove(0),
            _ => Node::Choice(arms),
        })
    }

    fn row(&mut self) -> Result<Node, Refused> {
        let mut nodes = Vec::new();
        while self
            .peek()
            .is_some_and(|c| c != '|' && (c != ')' || self.depth == 1))
        {
            let node = self.atom()?;
            nodes.push(self.repeated(node)?);
        }
        Ok(match nodes.len() {
            0 => Node::Nothing,
            1 => nodes.remove(0),
            _ => Node::Row(nodes),
        })
    }

    fn repeated(&mut self, node: Node) -> Result<Node, Refused> {
        let Some((least, most)) = self.quantifier()? else {
            return Ok(node);
        };
        // only how far a match reaches depends on greed
        self.eat("?");
        let at_all = matches!(node, Node::Where(_));
        if at_all || self.quantifier()?.is_some() {
            return Err(Malformed);
        }
        Ok(Node::Repeat(Box::new(node), least, most))
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

    fn atom(&mut self) -> Result<Node, Refused> {
        let lines = self.options.line_anchors;
        Ok(match self.next().ok_or(Malformed)? {
            '(' if self.eat("?:") => self.group()?,
            '(' if ["?=", "?!", "?<=", "?<!"].iter().any(|s| self.eat(s)) => {
                return Err(Unsupported("look-around in a regular expression"));
            }
            '(' if self.peek() == Some('?') => return Err(Malformed),
            '(' => self.group()?,
            '.' => Node::One(Rc::new(Set::of(Class::Any, false))),
            '^' => Node::Where(if lines { Place::LineStart } else { Place::Start }),
            '$' => Node::Where(if lines { Place::LineEnd } else { Place::End }),
            '[' if self.eat("[:<:]]") => Node::Where(Place::WordStart),
            '[' if self.eat("[:>:]]") => Node::Where(Place::WordEnd),
            '[' => Node::One(Rc::new(self.bracket()?)),
            '\\' => self.escape()?,
            '*' | '+' | '?' => return Err(Malformed),
            '{' if self.peek().is_some_and(|c| c.is_ascii_digit()) => return Err(Malformed),
            // at the outermost level a closing parenthesis is one too many
            ')' => return Err(Malformed),
            c => literal_node(c),
        })
    }

    fn group(&mut self) -> Result<Node, Refused> {
        let node = self.choice()?;
        if !self.eat(")") {
            return Err(Malformed);
        }
        // a group may be repeated whatever is in it
        Ok(Node::Row(vec![node]))
    }

    fn escape(&mut self) -> Result<Node, Refused> {
        let c = self.next().ok_or(Malformed)?;
        let place = match c {
            'A' => Some(Place::Start),
            'Z' => Some(Place::End),
            'm' => Some(Place::WordStart),
            'M' => Some(Place::WordEnd),
            'y' => Some(Place::WordEdge),
            'Y' => Some(Place::NoWordEdge),
            _ => None,
        };
        if let Some(place) = place {
            return Ok(Node::Where(place));
        }
        if let Some((class, negated)) = shorthand(c) {
            return Ok(Node::One(Rc::new(Set::of(class, negated))));
        }
        if matches!(c, '1'..='9') {
            return Err(Unsupported("a back reference in a regular expression"));
        }
        Ok(literal_node(self.character(c)?))
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

    fn bracket(&mut self) -> Result<Set, Refused> {
        let mut set = Set {
            negated: self.eat("^"),
            ..Set::default()
        };
        let mut first = true;
        while first || !self.eat("]") {
            // a bracket in front means itself, as does a hyphen at an end
            let Some(from) = self.member(&mut set)? else {
                first = false;
                continue;
            };
            first = false;
            let range = self.peek() == Some('-') && self.rest.get(self.at + 1) != Some(&']');
            let to = match range {
                true => {
                    self.at += 1;
                    self.member(&mut set)?.filter(|to| *to >= from).ok_or(Malformed)?
                }
                false => from,
            };
            set.ranges.push((from, to));
        }
        Ok(set)
    }

    /// A character of a bracket expression; `None` for a class, which is added.
    fn member(&mut self, set: &mut Set) -> Result<Option<char>, Refused> {
        if self.eat("[:") {
            let name = self.until(":]")?;
            set.classes.push((Class::named(&name).ok_or(Malformed)?, false));
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
                if let Some((class, not)) = shorthand(c) {
                    set.classes.push((class, not));
                    return Ok(None);
                }
                self.character(c).map(Some)
            }
            c => Ok(Some(c)),
        }
    }
}

fn shorthand(c: char) -> Option<(Class, bool)> {
    Some(match c {
        'd' => (Class::Digit, false),
        's' => (Class::Space, false),
        'w' => (Class::Word, false),
        'D' => (Class::Digit, true),
        'S' => (Class::Space, true),
        'W' => (Class::Word, true),
        _ => return None,
    })
}

fn literal_node(c: char) -> Node {
    Node::One(Rc::new(Set::one(c)))
}

#[cfg(test)]
mod tests {
    use crate::regex::{Refused, Regex, matches};

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
            let regex = Regex::new(pattern, false).unwrap();
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
            assert_eq!(
                Regex::new(bad, false).err(),
                Some(Refused::Malformed),
                "{bad:.20}"
            );
        }
        for other in [r"(a)\1", "a(?=b)", "(?<!a)b", "(?x)a", "[[.hyphen.]]"] {
            assert!(
                matches!(Regex::new(other, false), Err(Refused::Unsupported(_))),
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

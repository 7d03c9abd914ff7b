//! A place in the tokens of a statement, and the steps from there.

use crate::introspect::token::{self, Kind, Token, tokens};

/// Tokens from one to before another.
pub(crate) type Range = (usize, usize);

/// A place in the tokens of a statement.
pub(crate) struct Cursor<'s> {
    sql: &'s str,
    pub(crate) tokens: Vec<Token>,
    pub(crate) at: usize,
}

impl<'s> Cursor<'s> {
    pub(crate) fn new(sql: &'s str) -> Self {
        let mut tokens = tokens(sql);
        while tokens.last().is_some_and(|t| t.kind == Kind::Symbol(b';')) {
            tokens.pop();
        }
        Cursor { sql, tokens, at: 0 }
    }

    pub(crate) fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }
    pub(crate) fn text(&self, token: &Token) -> &'s str {
        self.sql.get(token.start..token.end).unwrap_or_default()
    }
    /// The text from the first token of the range to its last, without comments around it.
    pub(crate) fn slice(&self, (from, to): Range) -> Option<String> {
        let first = self.tokens.get(from..to)?.first()?;
        let last = self.tokens.get(from..to)?.last()?;
        Some(self.sql.get(first.start..last.end)?.to_owned())
    }
    /// All the text from here on.
    pub(crate) fn rest(&mut self) -> Option<String> {
        let range = (self.at, self.tokens.len());
        self.at = self.tokens.len();
        self.slice(range)
    }

    /// Whether this keyword stands there.
    pub(crate) fn word_at(&self, at: usize, word: &str) -> bool {
        let found = self.tokens.get(at).filter(|t| t.kind == Kind::Word);
        found.is_some_and(|t| self.text(t).eq_ignore_ascii_case(word))
    }
    pub(crate) fn is(&self, word: &str) -> bool {
        self.word_at(self.at, word)
    }
    /// Steps behind this keyword, if it stands here.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }
    /// Steps behind one of these words; which it was.
    pub(crate) fn eat_one(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.eat(word))
    }
    pub(crate) fn expect(&mut self, word: &str) -> Option<()> {
        self.eat(word).then_some(())
    }
    pub(crate) fn peek_symbol(&self, symbol: u8) -> bool {
        let token = self.tokens.get(self.at);
        token.is_some_and(|t| t.kind == Kind::Symbol(symbol))
    }
    pub(crate) fn symbol(&mut self, symbol: u8) -> bool {
        let found = self.peek_symbol(symbol);
        self.at += usize::from(found);
        found
    }
    pub(crate) fn name(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        token::name(token.kind, self.text(token))
    }
    /// A name, perhaps behind that of its schema, which is dropped.
    pub(crate) fn qualified(&mut self) -> Option<String> {
        let name = self.name()?;
        match self.symbol(b'.') {
            true => self.name(),
            false => Some(name),
        }
    }

    /// Where the parenthesis closes that opens there.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0;
        for (i, token) in self.tokens.iter().enumerate().skip(open) {
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return (i > open).then_some(i);
            }
        }
        None
    }
    /// Steps behind an opening parenthesis; where its closing one stands.
    pub(crate) fn open(&mut self) -> Option<usize> {
        let open = self.at;
        self.symbol(b'(').then(|| self.closing(open))?
    }
    /// What stands in parentheses, and steps behind them.
    pub(crate) fn group(&mut self) -> Option<Range> {
        let end = self.open()?;
        let range = (self.at, end);
        self.at = end + 1;
        Some(range)
    }
    /// The text in parentheses.
    pub(crate) fn expression(&mut self) -> Option<String> {
        let range = self.group()?;
        self.slice(range)
    }
    /// The entries of a list.
    pub(crate) fn split(&self, (from, to): Range) -> Vec<Range> {
        let (mut depth, mut start, mut out) = (0usize, from, Vec::new());
        for (i, token) in self.tokens.iter().enumerate().take(to).skip(from) {
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth = depth.saturating_sub(1),
                Kind::Symbol(b',') if depth == 0 => {
                    out.push((start, i));
                    start = i + 1;
                }
                _ => {}
            }
        }
        out.push((start, to));
        out
    }
    /// What stands between the parentheses around the whole range, if there are any.
    pub(crate) fn inside(&self, (from, to): Range) -> Range {
        match self.closing(from) {
            Some(end) if end + 1 == to => (from + 1, end),
            _ => (from, to),
        }
    }
}

//! Questions to whoever sits at the terminal. Where nobody does, a question is an error that names the flag that answers it.

use std::io::{BufRead, IsTerminal, Write};

use crate::reply::Stop;

/// Where questions go and answers come from.
pub(crate) struct Ask {
    input: Box<dyn BufRead>,
    output: Box<dyn Write>,
    somebody: bool,
}

impl Ask {
    /// The terminal of the process, if it is one.
    pub(crate) fn terminal() -> Self {
        Ask {
            input: Box::new(std::io::BufReader::new(std::io::stdin())),
            output: Box::new(std::io::stderr()),
            somebody: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        }
    }
    /// Whether there is somebody to ask.
    pub(crate) fn somebody(&self) -> bool {
        self.somebody
    }

    /// Asks until the answer is yes or no; an empty line is the default, where there is one.
    pub(crate) fn yes(&mut self, question: &str, default: Option<bool>, flags: &str) -> Result<bool, Stop> {
        if !self.somebody {
            return Err(Stop::undecided(question, flags));
        }
        let choice = match default {
            Some(true) => "[Y/n]",
            Some(false) => "[y/N]",
            None => "[y/n]",
        };
        loop {
            let lost = |_| Stop::undecided(question, flags);
            write!(self.output, "{question} {choice} ").map_err(lost)?;
            self.output.flush().map_err(lost)?;
            let mut line = String::new();
            if self.input.read_line(&mut line).map_err(lost)? == 0 {
                return Err(Stop::undecided(question, flags));
            }
            match (line.trim().to_ascii_lowercase().as_str(), default) {
                ("y" | "yes", _) => return Ok(true),
                ("n" | "no", _) => return Ok(false),
                ("", Some(default)) => return Ok(default),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::sync::{Arc, Mutex};

    use crate::ask::Ask;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);
    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn ask(answers: &'static str, somebody: bool) -> (Ask, Written) {
        let written = Written::default();
        let ask = Ask {
            input: Box::new(Cursor::new(answers)),
            output: Box::new(written.clone()),
            somebody,
        };
        (ask, written)
    }

    #[test]
    fn asks_until_it_is_answered() {
        let (mut terminal, written) = ask("perhaps\n\nYES\n", true);
        assert!(terminal.yes("renamed?", None, "--rename").unwrap());
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written, "renamed? [y/n] renamed? [y/n] renamed? [y/n] ");
    }

    #[test]
    fn an_empty_line_is_the_default() {
        let (mut terminal, _) = ask("\n\nn\n", true);
        assert!(terminal.yes("safe?", Some(true), "--safe").unwrap());
        assert!(!terminal.yes("drop?", Some(false), "--yes").unwrap());
        assert!(!terminal.yes("safe?", Some(true), "--safe").unwrap());
    }

    #[test]
    fn without_an_answer_the_flag_is_named() {
        for somebody in [true, false] {
            let (mut nobody, written) = ask("", somebody);
            let stop = nobody.yes("drop it?", Some(true), "`--yes`").unwrap_err();
            assert_eq!((stop.code(), stop.message()), (1, "drop it?"));
            assert_eq!(stop.help_text(), Some("answer with `--yes`"));
            assert_eq!(written.0.lock().unwrap().is_empty(), !somebody);
        }
    }
}

//! Takes a command line apart into simple commands, minding quotes: what is looked for in one
//! command is not found in another's arguments or in a string.
//!
//! It is made to recognise slips, not to prove anything: variables other than `HOME` stay as
//! written (`PWD` always as [`PWD`]), and here-documents are skipped.

use std::iter::Peekable;
use std::str::Chars;

/// Substitutions inside substitutions deeper than this are not looked at.
const DEPTH: usize = 8;

/// What stands in a word for the folder the command runs in, however it was spelled.
pub(crate) const PWD: &str = "$PWD";

/// A command with its arguments, and what it is followed by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    /// The words, quotes removed.
    pub(crate) words: Vec<String>,
    /// The files its output is redirected to.
    pub(crate) onto: Vec<String>,
    /// What comes after it.
    pub(crate) end: End,
}

/// What ends a simple command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// A line end, `;`, `&&`, `||` or the end of the text.
    #[default]
    Next,
    /// `|`
    Pipe,
    /// `&`
    Background,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// All simple commands of a text, those of its substitutions last.
pub(crate) fn split(text: &str, home: &str) -> Vec<Simple> {
    let mut commands = Vec::new();
    let mut scripts = vec![text.to_owned()];
    for _ in 0..DEPTH {
        let mut inner = Vec::new();
        for script in scripts {
            let mut splitter = Splitter::new(&script, home);
            splitter.run();
            commands.append(&mut splitter.done);
            inner.append(&mut splitter.inner);
        }
        scripts = inner;
    }
    commands
}

/// What the next word is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Argument,
    Onto,
    From,
    /// The word that ends a here-document.
    Mark,
}

struct Splitter<'a> {
    rest: Peekable<Chars<'a>>,
    home: &'a str,
    word: Option<String>,
    role: Role,
    simple: Simple,
    marks: Vec<String>,
    done: Vec<Simple>,
    inner: Vec<String>,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str, home: &'a str) -> Self {
        Splitter {
            rest: text.chars().peekable(),
            home,
            word: None,
            role: Role::Argument,
            simple: Simple::default(),
            marks: Vec::new(),
            done: Vec::new(),
            inner: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(letter) = self.rest.next() {
            match letter {
                ' ' | '\t' | '\r' => self.end_word(),
                '\n' => self.end_line(),
                ';' => self.end_simple(End::Next),
                '|' => self.bar(),
                '&' => self.ampersand(),
                '(' => self.end_simple(End::Open),
                ')' => self.end_simple(End::Close),
                '<' => self.less(),
                '>' => self.greater(),
                '#' if self.word.is_none() => self.comment(),
                '~' if self.word.is_none() && self.is_home() => self.say(self.home),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                letter => self.letter(letter),
            }
        }
        self.end_simple(End::Next);
    }

    /// A letter that means the same inside double quotes.
    fn letter(&mut self, letter: char) {
        match letter {
            '\\' => match self.rest.next() {
                Some('\n') | None => (),
                Some(escaped) => self.push(escaped),
            },
            '$' => self.dollar(),
            '`' => {
                let script = self.until('`');
                self.substitute(script);
            }
            letter => self.push(letter),
        }
    }

    fn push(&mut self, letter: char) {
        self.word.get_or_insert_default().push(letter);
    }

    fn say(&mut self, text: &str) {
        self.word.get_or_insert_default().push_str(text);
    }

    fn next_is(&mut self, letter: char) -> bool {
        self.rest.next_if_eq(&letter).is_some()
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        match std::mem::replace(&mut self.role, Role::Argument) {
            Role::Argument => self.simple.words.push(word),
            Role::Onto => self.simple.onto.push(word),
            Role::From => (),
            Role::Mark => self.marks.push(word),
        }
    }

    fn end_simple(&mut self, end: End) {
        self.end_word();
        self.role = Role::Argument;
        let simple = std::mem::take(&mut self.simple);
        self.done.push(Simple { end, ..simple });
    }

    fn end_line(&mut self) {
        self.end_simple(End::Next);
        for mark in std::mem::take(&mut self.marks) {
            while self.rest.peek().is_some() {
                let line = self.line();
                if line.trim_start_matches('\t') == mark {
                    break;
                }
            }
        }
    }

    fn line(&mut self) -> String {
        self.rest.by_ref().take_while(|letter| *letter != '\n').collect()
    }

    fn comment(&mut self) {
        while self.rest.next_if(|letter| *letter != '\n').is_some() {}
    }

    fn bar(&mut self) {
        let end = if self.next_is('|') { End::Next } else { End::Pipe };
        self.next_is('&');
        self.end_simple(end);
    }

    fn ampersand(&mut self) {
        if self.rest.peek() == Some(&'>') {
            return self.end_word();
        }
        let end = if self.next_is('&') { End::Next } else { End::Background };
        self.end_simple(end);
    }

    fn less(&mut self) {
        self.begin_redirection();
        self.role = Role::From;
        if self.next_is('(') {
            let script = self.balanced();
            return self.substitute(script);
        }
        if self.next_is('<') && !self.next_is('<') {
            self.next_is('-');
            self.role = Role::Mark;
        }
        self.next_is('&');
    }

    fn greater(&mut self) {
        self.begin_redirection();
        self.role = Role::Onto;
        if self.next_is('(') {
            let script = self.balanced();
            return self.substitute(script);
        }
        while self.rest.next_if(|letter| ">|&".contains(*letter)).is_some() {}
    }

    /// A number directly before a redirection is a descriptor, not a word.
    fn begin_redirection(&mut self) {
        let number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
        if self.word.as_ref().is_some_and(number) {
            self.word = None;
        }
        self.end_word();
    }

    fn is_home(&mut self) -> bool {
        self.rest.peek().is_none_or(|next| "/ \t\n;&|<>()".contains(*next))
    }

    fn single_quoted(&mut self) {
        self.say("");
        while let Some(letter) = self.rest.next_if(|letter| *letter != '\'') {
            self.push(letter);
        }
        self.rest.next();
    }

    fn double_quoted(&mut self) {
        self.say("");
        while let Some(letter) = self.rest.next_if(|letter| *letter != '"') {
            self.letter(letter);
        }
        self.rest.next();
    }

    fn dollar(&mut self) {
        if self.next_is('(') {
            let script = self.balanced();
            return self.substitute(script);
        }
        let braces = self.next_is('{');
        let mut name = String::new();
        let ends = |letter: &char| !(letter.is_alphanumeric() || *letter == '_');
        while let Some(letter) = self.rest.next_if(|letter| !ends(letter)) {
            name.push(letter);
        }
        // `${PWD##*/}` is only its last part.
        let whole = !braces || self.rest.peek() != Some(&'#');
        let known = match name.as_str() {
            "HOME" => Some(self.home),
            "PWD" if whole => Some(PWD),
            "OLDPWD" if whole => Some("$OLDPWD"),
            _ => None,
        };
        if let Some(known) = known {
            if braces {
                self.until('}');
            }
            return self.say(known);
        }
        self.say(if braces { "${" } else { "$" });
        self.say(&name);
    }

    /// The word goes on, but nobody knows with what.
    fn substitute(&mut self, script: String) {
        let pwd = matches!(script.trim(), "pwd" | "pwd -L" | "pwd -P" | "/bin/pwd");
        self.inner.push(script);
        self.say(if pwd { PWD } else { "$()" });
    }

    fn until(&mut self, mark: char) -> String {
        self.rest.by_ref().take_while(|letter| *letter != mark).collect()
    }

    /// The text up to the parenthesis that closes the one just read.
    fn balanced(&mut self) -> String {
        let mut text = String::new();
        let (mut depth, mut quote) = (1, None);
        while let Some(letter) = self.rest.next() {
            match (quote, letter) {
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                (None, '\'' | '"') => quote = Some(letter),
                (Some(open), letter) if open == letter => quote = None,
                _ => (),
            }
            if depth == 0 {
                break;
            }
            text.push(letter);
            if letter == '\\' && quote != Some('\'') {
                text.extend(self.rest.next());
            }
        }
        text
    }
}

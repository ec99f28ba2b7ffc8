//! Colours. They repeat what the words beside them say, so leaving them out loses nothing.

/// Whether colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// None.
    Plain,
    /// The terminal's own sixteen.
    Colour,
}

impl Ink {
    /// Less important.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// More important.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Added; went well.
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Removed; failed.
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Something to decide.
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// A place.
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// Line by line, so that what is put before a line keeps its own colour.
    fn paint(self, code: &str, text: &str) -> String {
        let painted = |line: &str| match self {
            Self::Colour if !line.is_empty() => format!("\x1b[{code}m{line}\x1b[0m"),
            Self::Colour | Self::Plain => line.to_owned(),
        };
        text.split('\n').map(painted).collect::<Vec<_>>().join("\n")
    }
}

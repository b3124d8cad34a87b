//! Words with their colours, broken into lines of a terminal.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::diagnose::report::{Look, plain};
use crate::redact::{Piece, pieces};

/// What a word is to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Head,
    Dim,
    Secret,
    Good,
    Bad,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Head => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Secret => AnsiColor::Cyan.on_default(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// Words with their tones, without what a terminal would obey.
#[derive(Clone, Default)]
pub(super) struct Ink(Vec<(Tone, String)>);

impl Ink {
    pub(super) fn of(tone: Tone, text: &str) -> Self {
        Self::default().and(tone, text)
    }

    /// A text of a cassette: a secret as `<code-1>`; of a very long one, the beginning.
    pub(super) fn value(text: &str) -> Self {
        let end = text.char_indices().nth(VALUE_MAX).map(|(end, _)| end);
        let shown = pieces(&text[..end.unwrap_or(text.len())]);
        let mut ink = shown
            .into_iter()
            .fold(Self::default(), |ink, piece| match piece {
                Piece::Literal(text) => ink.and(Tone::Plain, &text),
                Piece::Label(label) => ink.and(Tone::Secret, &label.short()),
            });
        if let Some(end) = end {
            let rest = text[end..].chars().count();
            ink = ink.and(Tone::Dim, &format!("… ({rest} more characters)"));
        } else if text.is_empty() {
            ink = ink.and(Tone::Dim, "(empty)");
        }
        ink
    }

    /// The same with more behind it.
    #[must_use]
    pub(super) fn and(mut self, tone: Tone, text: &str) -> Self {
        self.0.push((tone, plain(text)));
        self
    }

    #[must_use]
    pub(super) fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// How many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// As one line, however long.
    pub(super) fn line(&self, look: Look) -> String {
        self.0
            .iter()
            .map(|(tone, text)| dressed(*tone, text, look))
            .collect()
    }

    /// As lines of at most so many columns, broken at blanks where there are some.
    pub(super) fn lines(&self, width: usize) -> Vec<Self> {
        self.broken(width, width)
    }

    /// The same, where the first line has another width.
    pub(super) fn broken(&self, first: usize, next: usize) -> Vec<Self> {
        let (mut width, next) = (first.max(2), next.max(2));
        if self.width() <= width {
            return vec![self.clone()];
        }
        let mut lines = Vec::new();
        let mut line = Line::default();
        for (tone, text) in &self.0 {
            for c in text.chars() {
                let columns = c.width().unwrap_or_default();
                if line.width + columns > width {
                    let rest = line.rest(width, (c, next));
                    lines.push(line.ink());
                    (line, width) = (rest, next);
                }
                if line.width > 0 || c != ' ' || lines.is_empty() {
                    line.push(*tone, c, columns);
                }
            }
        }
        lines.push(line.ink());
        lines
    }
}

/// A line that is being filled.
#[derive(Default)]
struct Line {
    chars: Vec<(Tone, char, usize)>,
    width: usize,
    /// Behind the last blank.
    blank: usize,
}

impl Line {
    fn push(&mut self, tone: Tone, c: char, columns: usize) {
        self.chars.push((tone, c, columns));
        self.width += columns;
        if c == ' ' {
            self.blank = self.chars.len();
        }
    }

    /// Takes what stands behind the last blank, unless that would leave the line almost empty, a
    /// blank comes next anyway, or the next line has no room for it; the blank itself goes.
    fn rest(&mut self, width: usize, (next, room): (char, usize)) -> Self {
        let mut rest = Self::default();
        if next == ' ' || self.blank == 0 {
            return rest;
        }
        let kept = self.chars[..self.blank].iter();
        let kept = kept.map(|(_, _, columns)| columns).sum::<usize>();
        let moved = self.width - kept + next.width().unwrap_or_default();
        if kept > width / 4 && moved <= room {
            for (tone, c, columns) in self.chars.split_off(self.blank) {
                rest.push(tone, c, columns);
            }
            self.chars.pop();
        }
        rest
    }

    fn ink(self) -> Ink {
        let mut ink = Ink::default();
        for (tone, c, _) in self.chars {
            match ink.0.last_mut().filter(|(last, _)| *last == tone) {
                Some((_, text)) => text.push(c),
                None => ink.0.push((tone, c.to_string())),
            }
        }
        ink
    }
}

/// A text in its tone.
pub(super) fn dressed(tone: Tone, text: &str, look: Look) -> String {
    let style = tone.style();
    if look.styled && style != Style::new() {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// Writes a line with its indent, and that of the lines that it is broken into.
pub(super) fn put(out: &mut String, (first, next): (usize, usize), ink: &Ink, look: Look) {
    let room = |indent: usize| look.width.saturating_sub(indent);
    let lines = ink.broken(room(first), room(next));
    for (at, line) in lines.iter().enumerate() {
        let indent = if at == 0 { first } else { next };
        out.push_str(&" ".repeat(indent));
        out.push_str(&line.line(look));
        out.push('\n');
    }
}

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// How many characters of a value are shown.
const VALUE_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_hold_what_a_terminal_shows() {
        for (text, width, expected) in [
            ("a short one", 20, vec!["a short one"]),
            (
                "words that are broken",
                12,
                vec!["words that", "are broken"],
            ),
            (
                "onewordwithoutablank",
                8,
                vec!["onewordw", "ithoutab", "lank"],
            ),
            ("code=REDACTED-code-1", 20, vec!["code=<code-1>"]),
            ("REDACTED-code-1--pct", 20, vec!["<code-1--pct>"]),
            ("REDACTED--x", 20, vec!["REDACTED-x"]),
            ("\u{1b}[31m", 20, vec!["\\u{1b}[31m"]),
            ("\u{202e}x", 20, vec!["\\u{202e}x"]),
            ("漢字漢字", 5, vec!["漢字", "漢字"]),
            ("", 5, vec!["(empt", "y)"]),
        ] {
            let lines = Ink::value(text).lines(width);
            let lines: Vec<_> = lines
                .iter()
                .map(|line| line.line(Look::default()))
                .collect();
            assert_eq!(lines, expected, "{text:?}");
        }
        let long = Ink::value(&"x".repeat(100_000)).line(Look::default());
        assert!(long.ends_with("x… (99600 more characters)"), "{long}");
    }
}

//! The file: a head of YAML lines between two lines of dashes, and the text behind it.

use std::path::Path;

use crate::library;
use crate::redact::quote;
use crate::snapshot::Error;

/// What a snapshot file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The lines of the head, as they stand.
    head: String,
    body: String,
}

impl Content {
    /// A text, where it comes from, and what it was made of.
    pub fn new(source: &str, description: &str, body: &str) -> Self {
        // JSON's strings are YAML's, too.
        let head = format!(
            "source: {}\ndescription: {}\n",
            quote(source),
            quote(description)
        );
        Self {
            head,
            body: body.to_owned(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is no snapshot.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = library::read(path)?;
        let text = String::from_utf8(bytes).ok();
        let parsed = text.and_then(|text| Self::parse(&text));
        parsed.ok_or_else(|| Error::NoSnapshot {
            path: path.to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.replace("\r\n", "\n");
        let rest = text.strip_prefix("---\n")?;
        let (head, body) = rest.split_once("\n---\n")?;
        // `cargo insta` takes nothing with an empty head, and other tools' files have another.
        let is_ours = head.lines().any(|line| line.starts_with("source:"));
        is_ours.then(|| Self {
            head: format!("{head}\n"),
            body: body.to_owned(),
        })
    }

    /// The text that was compared.
    pub fn body(&self) -> &str {
        self.body.trim_end()
    }

    /// Whether both say the same, whatever their heads and the ends of their lines.
    pub(super) fn says_what(&self, other: &Self) -> bool {
        normal(&self.body) == normal(&other.body)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        format!("---\n{}---\n{}\n", self.head, self.body())
    }

    /// The same without what only one that waits has.
    pub(super) fn accepted(&self) -> Self {
        let kept = self.head.lines();
        let kept = kept.filter(|line| !line.starts_with("assertion_line:"));
        Self {
            head: kept.map(|line| format!("{line}\n")).collect(),
            body: self.body.clone(),
        }
    }
}

fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_insta_writes_is_read_and_what_others_write_is_not() {
        for (text, expected) in [
            (
                "---\nsource: a.rs\nexpression: x\n---\nbody\n",
                Some("body"),
            ),
            (
                "---\r\nsource: a.rs\r\n---\r\nbody\r\nmore\r\n",
                Some("body\nmore"),
            ),
            (
                "---\nsource: a.rs\n---\n---\nin the body\n---\n",
                Some("---\nin the body\n---"),
            ),
            ("---\nsource: a.rs\n---\n", Some("")),
            ("// Jest Snapshot v1\n\nexports[`x`] = `y`;\n", None),
            ("---\n---\nbody\n", None),
            ("---\nexpression: x\n---\nbody\n", None),
            ("", None),
        ] {
            let body = Content::parse(text).map(|content| content.body().to_owned());
            assert_eq!(body.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let content = Content::new("a \"b\"\n", "of\tx", "first\n\n---\nlast\n\n");
        let read = Content::parse(&content.text()).expect("a snapshot");
        assert_eq!(read.body(), "first\n\n---\nlast");
        assert_eq!(
            read.head,
            "source: \"a \\\"b\\\"\\n\"\ndescription: \"of\\tx\"\n"
        );
        assert!(read.says_what(&content));
    }

    #[test]
    fn the_line_of_an_assertion_is_of_one_that_waits_only() {
        let waits = "---\nsource: a.rs\nassertion_line: 7\nexpression: x\n---\nbody\n";
        let accepted = Content::parse(waits).expect("a snapshot").accepted().text();
        assert_eq!(accepted, "---\nsource: a.rs\nexpression: x\n---\nbody\n");
    }
}

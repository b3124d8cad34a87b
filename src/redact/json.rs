//! JSON by its text: rewritten, pretty-printed and minified without touching what is not meant.
//!
//! Key order, the spelling of numbers, escapes and duplicate keys are evidence, so nothing here
//! goes through a parsed value.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

use memchr::memchr2;

/// One token of a JSON text, as it is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// One of `{ } [ ] , :`
    Mark(char),
    /// White space.
    Space(&'a str),
    /// A string with its quotes.
    String(&'a str),
    /// A number, `true`, `false` or `null`.
    Bare(&'a str),
}

/// A scalar of a JSON text, with the nearest key above it.
pub(crate) struct Scalar<'a> {
    /// The nearest key above it.
    pub(crate) key: &'a str,
    /// The decoded string, or the spelling of a number or word.
    pub(crate) value: &'a str,
    /// Whether it is a string.
    pub(crate) is_string: bool,
}

/// Whether there is no white space outside strings.
pub(super) fn is_compact(text: &str) -> bool {
    !tokens(text).any(|token| matches!(token, Token::Space(_)))
}

/// Writes the text again with every scalar and key passed through `scalar` and `key`; `None` from
/// either leaves the spelling as it is, a text replaces it as a string.
pub(super) fn rewrite(
    text: &str,
    mut scalar: impl FnMut(Scalar<'_>) -> Option<String>,
    mut key: impl FnMut(&str) -> Option<String>,
) -> String {
    let quoted = |text: Option<String>| text.map(|text| quote(&text));
    respell(
        text,
        |replaced| quoted(scalar(replaced)),
        |replaced| quoted(key(replaced)),
    )
}

/// The same, where what is given is the spelling.
pub(crate) fn respell(
    text: &str,
    mut scalar: impl FnMut(Scalar<'_>) -> Option<String>,
    mut key: impl FnMut(&str) -> Option<String>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut nesting = Nesting::default();
    for token in tokens(text) {
        match token {
            Token::Space(space) => out.push_str(space),
            Token::Mark(mark) => {
                nesting.mark(mark);
                out.push(mark);
            }
            Token::String(spelled) if nesting.expects_key() => {
                let name = decode(spelled);
                out.push_str(key(&name).as_deref().unwrap_or(spelled));
                nesting.keyed(name);
            }
            Token::String(spelled) => {
                let value = decode(spelled);
                let replaced = scalar(Scalar {
                    key: nesting.key(),
                    value: &value,
                    is_string: true,
                });
                out.push_str(replaced.as_deref().unwrap_or(spelled));
            }
            Token::Bare(spelled) => {
                let replaced = scalar(Scalar {
                    key: nesting.key(),
                    value: spelled,
                    is_string: false,
                });
                out.push_str(replaced.as_deref().unwrap_or(spelled));
            }
        }
    }
    out
}

/// A compact text over several lines, two blanks a level; [`minify`] undoes it.
pub fn pretty(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0_usize;
    let all: Vec<_> = tokens(compact).collect();
    for (at, token) in all.iter().enumerate() {
        let next = all.get(at + 1);
        match token {
            Token::Mark(open @ ('{' | '[')) => {
                out.push(*open);
                if !matches!(next, Some(Token::Mark('}' | ']'))) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            Token::Mark(close @ ('}' | ']')) => {
                if !matches!(
                    at.checked_sub(1).and_then(|at| all.get(at)),
                    Some(Token::Mark('{' | '['))
                ) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(*close);
            }
            Token::Mark(',') => {
                out.push(',');
                line(&mut out, depth);
            }
            Token::Mark(colon) => {
                out.push(*colon);
                out.push(' ');
            }
            Token::Space(_) => {}
            Token::String(text) | Token::Bare(text) => out.push_str(text),
        }
    }
    out
}

/// The text without white space outside strings, every other byte as it was.
pub fn minify(text: &str) -> String {
    tokens(text).fold(String::with_capacity(text.len()), |mut out, token| {
        match token {
            Token::Space(_) => {}
            Token::Mark(mark) => out.push(mark),
            Token::String(text) | Token::Bare(text) => out.push_str(text),
        }
        out
    })
}

/// Whether a terminal obeys a character, or shows nothing of it.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// A text of JSON, or of quoted YAML, in which what a terminal would obey stands escaped.
pub fn inert(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| is_obeyed(c) && !c.is_ascii();
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out.into()
}

/// A JSON string with its quotes, non-ASCII kept.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text;
    // Most texts are written as they are, which is soon told of all of their bytes together.
    if !text.bytes().fold(false, |is, byte| is | is_escaped(byte)) {
        rest = "";
        out.push_str(text);
    }
    while let Some(at) = rest.bytes().position(is_escaped) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            mark @ (b'"' | b'\\') => out.extend(['\\', char::from(mark)]),
            control => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
    out
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

fn decode(spelled: &str) -> String {
    serde_json::from_str(spelled).unwrap_or_else(|_| spelled.trim_matches('"').to_owned())
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => {
                rest = &rest[1..];
                return Some(Token::Mark(first));
            }
            '"' => string_end(rest),
            ' ' | '\t' | '\r' | '\n' => rest.find(|c| !" \t\r\n".contains(c)).unwrap_or(rest.len()),
            _ => rest
                .find(|c| "{}[],:\" \t\r\n".contains(c))
                .unwrap_or(rest.len()),
        };
        let (token, tail) = rest.split_at(end);
        rest = tail;
        Some(match first {
            '"' => Token::String(token),
            ' ' | '\t' | '\r' | '\n' => Token::Space(token),
            _ => Token::Bare(token),
        })
    })
}

fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += next + 1;
        if bytes[at - 1] == b'"' {
            return at;
        }
        // What a backslash escapes ends nothing.
        at += 1;
    }
    text.len()
}

/// Where in the containers a token stands.
#[derive(Default)]
struct Nesting {
    /// `true` for an object, with the key that is open.
    open: Vec<(bool, Rc<str>)>,
    awaits_value: bool,
}

impl Nesting {
    fn mark(&mut self, mark: char) {
        match mark {
            '{' | '[' => {
                let key = self.open.last().map(|(_, key)| Rc::clone(key));
                self.open.push((mark == '{', key.unwrap_or_default()));
                self.awaits_value = false;
            }
            '}' | ']' => {
                self.open.pop();
                self.awaits_value = false;
            }
            ':' => self.awaits_value = true,
            _ => self.awaits_value = false,
        }
    }

    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|(object, _)| *object) && !self.awaits_value
    }

    fn keyed(&mut self, name: String) {
        if let Some((_, key)) = self.open.last_mut() {
            *key = name.into();
        }
    }

    fn key(&self) -> &str {
        self.open.last().map_or("", |(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_and_minify_are_inverse_and_touch_no_spelling() {
        for text in [
            r#"{"a":1.0,"a":1e3,"b":[],"c":{},"d":[1,{"e":"x: y, \"{z}\""}],"f":null}"#,
            r"[]",
            r#""text""#,
            r#"{"é":"\u00e9\/"}"#,
        ] {
            assert!(is_compact(text), "{text}");
            assert_eq!(minify(&pretty(text)), text);
        }
        assert!(!is_compact("{\"a\": 1}"));
    }

    #[test]
    fn scalars_are_rewritten_under_their_nearest_key() {
        let mut seen = Vec::new();
        let out = rewrite(
            r#"{"a": "1", "b": [2, {"c": "3"}], "a": true}"#,
            |scalar| {
                seen.push(format!("{}={}", scalar.key, scalar.value));
                (scalar.key == "b").then(|| "two".to_owned())
            },
            |key| (key == "c").then(|| "see".to_owned()),
        );
        assert_eq!(out, r#"{"a": "1", "b": ["two", {"see": "3"}], "a": true}"#);
        assert_eq!(seen, ["a=1", "b=2", "c=3", "a=true"]);
    }
}

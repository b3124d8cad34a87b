//! Text of which is kept what is made of known words.

use std::cell::Cell;

use crate::redact::Redactor;
use crate::redact::audit::is_announced;
use crate::redact::decode::unescape_all;
use crate::redact::label::escape;
use crate::redact::ledger::{Shape, is_mark};
use crate::redact::pattern::{self, Looks};
use crate::redact::values::{UNKNOWN, WORD};
use crate::redact::vocabulary::{is_host, is_number, is_plain, is_word_and_number};

impl Redactor {
    /// What a server says to people, who may find in it what nobody could read of the request, or
    /// what there was no room to remember.
    pub(super) fn sentence(&mut self, text: &str) -> String {
        if self.is_unread || self.ledger.is_full() {
            self.secret("text", text, Shape::Hidden)
        } else {
            self.free_text(text)
        }
    }

    /// Text of which is kept what is made of known words.
    pub(super) fn free_text(&mut self, text: &str) -> String {
        self.unless_plain(Walk::Sentence, text, |this| {
            let announced = Cell::new("");
            this.each_word(text, |this, word| {
                let core = word.trim_end_matches(is_stop);
                if core.is_empty() {
                    return escape(word);
                }
                let is_announced = is_announced(announced.replace(core), core);
                if is_announced || is_word_and_number(core) {
                    format!("{}{}", this.said(core), &word[core.len()..])
                } else {
                    this.word(word)
                }
            })
        })
    }

    /// What a walk makes of a text; most are plain, and said again and again.
    pub(super) fn unless_plain(
        &mut self,
        walk: Walk,
        text: &str,
        walked: impl FnOnce(&mut Self) -> String,
    ) -> String {
        // A secret that is made of plain words has to be looked for in those.
        let may_be_plain = match walk {
            Walk::Host => !self.ledger.has_host_label(),
            Walk::Sentence | Walk::Value | Walk::Path => !self.ledger.has_plain(),
        };
        if may_be_plain && self.plain[walk as usize].contains(text) {
            return text.to_owned();
        }
        let written = walked(self);
        let plain = &mut self.plain[walk as usize];
        if may_be_plain && written == text && plain.len() < PLAIN_MAX {
            plain.insert(written.clone());
        }
        written
    }

    /// A value of the protocol, whose words may be numbers.
    pub(super) fn kept(&mut self, value: &str) -> String {
        if is_number(value) && !self.is_secret(value) {
            return value.to_owned();
        }
        self.unless_plain(Walk::Value, value, |this| {
            this.each_word(value, |this, word| {
                if is_number(word) && !this.is_secret(word) {
                    word.to_owned()
                } else {
                    this.word(word)
                }
            })
        })
    }

    fn each_word<'t>(
        &mut self,
        text: &'t str,
        each: impl Fn(&mut Self, &'t str) -> String,
    ) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // How much of the text is left where the run ends that was decided on.
        let mut decided = text.len();
        while !rest.is_empty() {
            if let Some(end) = pattern::phone(rest) {
                let (phone, tail) = rest.split_at(end);
                out.push_str(&self.secret("phone_number", phone, Shape::Typed));
                rest = tail;
                continue;
            }
            if rest.len() <= decided {
                let (run, tail) = rest.split_at(rest.find(is_quote).unwrap_or(rest.len()));
                if self.hides(run) {
                    out.push_str(&self.secret(UNKNOWN, run, Shape::Hidden));
                    rest = tail;
                    continue;
                }
                decided = tail.len();
            }
            let end = rest.find(is_separator).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            out.push_str(&each(self, word));
            let separator = tail.chars().next().map_or(0, char::len_utf8);
            out.push_str(&tail[..separator]);
            rest = &tail[separator..];
        }
        out
    }

    /// Whether a run without blanks hides under escapes what would not be kept.
    fn hides(&self, run: &str) -> bool {
        let Some(plain) = unescape_all(run) else {
            return false;
        };
        if self.ledger.knows(&plain) || self.sweeper.find(plain.as_bytes()).is_some() {
            return true;
        }
        let is_kept = |word: &str| {
            let word = word.trim_end_matches(is_stop);
            let is_known = self.is_secret(word) || self.ledger.knows_part(word);
            let is_known = is_known || pattern::looks(word).is_some();
            !is_known && (is_plain(word) || is_host(word))
        };
        let mut rest = plain.as_str();
        loop {
            let end = rest.find(is_separator).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            if pattern::phone(rest).is_some() || !is_kept(word) {
                return true;
            }
            let mut behind = tail.chars();
            if behind.next().is_none() {
                return false;
            }
            rest = behind.as_str();
        }
    }

    fn word(&mut self, word: &str) -> String {
        // A sentence's full stop is no part of the word, unless it is of a secret's.
        let core = word.trim_end_matches(is_stop);
        if core.is_empty() {
            return escape(word);
        }
        if core.len() < word.len() && self.is_secret(word) {
            return self.secret(UNKNOWN, word, Shape::Hidden);
        }
        let kept = match self.replaced(core) {
            Some(label) => label,
            None if let Some(host) = self.public_word(core) => host,
            None if is_plain(core) || is_host(core) => {
                if self.ledger.knows_part(core) {
                    self.words_of(core)
                } else if self.has_public_part(core) {
                    self.parts(core)
                } else {
                    return escape(word);
                }
            }
            None if core.contains("://") => self.url(core),
            None => self.parts(core),
        };
        format!("{kept}{}", &word[core.len()..])
    }

    /// A run of known words, without those that are secret.
    fn words_of(&mut self, run: &str) -> String {
        if !self.ledger.knows_part(run) {
            return escape(run);
        }
        let mut out = String::with_capacity(run.len());
        for piece in run.split_inclusive(is_mark) {
            let word = piece.trim_end_matches(is_mark);
            let is_kept = !self.ledger.knows_part(word);
            out.push_str(&if is_kept {
                escape(word)
            } else {
                self.secret(UNKNOWN, word, Shape::Hidden)
            });
            out.push_str(&piece[word.len()..]);
        }
        out
    }

    /// A word of a sentence that somebody may have for a password.
    fn said(&mut self, word: &str) -> String {
        match self.replaced(word) {
            Some(label) => label,
            None => self.secret(WORD, word, Shape::Hidden),
        }
    }

    /// What stands for a word that is known to be secret, or looks like it.
    fn replaced(&mut self, word: &str) -> Option<String> {
        if self.is_secret(word) {
            return Some(self.ledger.text(UNKNOWN, word, Shape::Hidden));
        }
        let (kind, shape) = match pattern::looks(word)? {
            Looks::Email => ("email", Shape::Typed),
            Looks::Address => ("address", Shape::Typed),
            Looks::Token => (UNKNOWN, Shape::Declared),
        };
        Some(self.secret(kind, word, shape))
    }

    /// The parts of a run that is not plain as a whole, such as a path or `name:value`.
    fn parts(&mut self, run: &str) -> String {
        let few_digits = is_plain(&run.replace(|c: char| !c.is_ascii_digit(), ""));
        let part = |this: &mut Self, part: &str| {
            let has_digits = part.bytes().any(|byte| byte.is_ascii_digit());
            if part.is_empty() {
                String::new()
            } else if let Some(label) = this.replaced(part) {
                label
            } else if let Some(host) = this.public_word(part) {
                host
            } else if is_host(part) || is_plain(part) && (few_digits || !has_digits) {
                this.words_of(part)
            } else {
                this.secret(WORD, part, Shape::Hidden)
            }
        };
        let mut out = String::with_capacity(run.len());
        let mut rest = run;
        while let Some(end) = rest.find(PART_ENDS) {
            out.push_str(&part(self, &rest[..end]));
            out.push_str(&rest[end..=end]);
            rest = &rest[end + 1..];
        }
        out.push_str(&part(self, rest));
        out
    }
}

/// How the words of a text are walked.
#[derive(Clone, Copy)]
pub(super) enum Walk {
    Sentence,
    Value,
    Path,
    Host,
}

fn is_stop(c: char) -> bool {
    ".:!?".contains(c)
}

/// What ends a run, whatever its escapes are.
pub(super) fn is_quote(c: char) -> bool {
    c.is_whitespace() || "\"'`<>".contains(c)
}

/// What ends a word.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || "\"'`,;()<>[]{}|=".contains(c)
}

/// How many plain texts of each kind are remembered.
const PLAIN_MAX: usize = 1_000;
pub(super) const PART_ENDS: &[char] = &['#', '&', '/', ':', '?', '\\'];

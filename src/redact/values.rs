//! A value by its class: kept, kept in part, or replaced.

use std::net::IpAddr;

use crate::model::Url;
use crate::oauth::name;
use crate::oauth::placeholder::{is_placeholder_word, is_template};
use crate::oauth::registry::{self, Class, Place};
use crate::redact::Redactor;
use crate::redact::decode::unescape_all;
use crate::redact::label::{self, Piece, Suffix, escape};
use crate::redact::ledger::Shape;
use crate::redact::pattern;
use crate::redact::urls::is_authorization_request;
use crate::redact::vocabulary::is_plain;

/// The kind of a value that no row speaks of.
pub(super) const UNKNOWN: &str = "value";
/// The kind of a word that no list has.
pub(super) const WORD: &str = "word";
/// Names of header fields have not more digits than this, unless they are somebody's number.
const DIGITS_MAX: usize = 4;
/// A shorter core could be anything, and stays with what stands around it.
const CORE_MIN: usize = 8;
/// Names are not longer than this.
const NAME_MAX: usize = 64;
/// Characters of the longest part of a header field's name that is no word.
const MADE_UP_MAX: usize = 14;
const PUBLIC: &[&str] = &["appid", "aud", "azp", name::CLIENT_ID, "kid"];

impl Redactor {
    /// The text that may stand for a parameter's value at a place.
    pub(super) fn value(&mut self, place: Place, name: &str, value: &str) -> String {
        if value.is_empty() || is_placeholder_word(value) {
            return value.to_owned();
        }
        if self.keep_values.iter().any(|kept| kept == name) {
            return escape(value);
        }
        self.learn_inside(name, value);
        let class = registry::class(place, name);
        if let Some(text) = self.public_value((place, class), name, value) {
            return text;
        }
        match class {
            Some(Class::Keep)
                if is_public(name) && !self.may_be_secret(value) && is_as_it_stands(value) =>
            {
                escape(value)
            }
            // A document for everybody.
            Some(Class::Keep)
                if place == Place::Metadata
                    && !self.is_secret(value)
                    && pattern::looks(value).is_none() =>
            {
                escape(value)
            }
            Some(Class::Keep) => self.kept(value),
            Some(Class::Text) => self.sentence(value),
            Some(Class::Url) => self.url(value),
            // A template holds a variable's name where the secret should be, or nearly so.
            Some(Class::Secret) if !is_template(value) => self.core(name, value),
            Some(Class::Secret | Class::LowEntropy) => self.secret(name, value, Shape::Hidden),
            Some(Class::Personal | Class::Pseudonym) => self.secret(name, value, Shape::Typed),
            // Where a sign-in page is to go on: the authorization request that led to it, whose values
            // stand elsewhere too and would be parts of this one.
            None if is_authorization_request(value) => self.url(value),
            None => self.secret(UNKNOWN, value, Shape::Declared),
        }
    }

    /// A secret without what stands around it by mistake, which stays literal: a line break of the
    /// file that it was read from, quotes, what nobody sees.
    fn core(&mut self, name: &str, value: &str) -> String {
        if let Some((core, behind)) = value.split_once('&')
            && self.ledger.knows(core)
        {
            // What was cut out of a query too late brings the next parameters with it.
            let label = self.secret(name, core, Shape::Declared);
            return format!("{label}&{}", self.raw_params(behind));
        }
        let core = value.trim_matches(is_edge);
        let around = || value.split_once(core);
        match (core.len() < value.len()).then(around).flatten() {
            Some((before, after)) if core.len() >= CORE_MIN && !self.ledger.knows(value) => {
                let label = self.secret(name, core, Shape::Declared);
                format!("{before}{label}{after}")
            }
            _ => self.secret(name, value, Shape::Declared),
        }
    }

    /// A JSON number by its class: `None` where its spelling is kept.
    pub(super) fn number(&mut self, place: Place, name: &str, spelled: &str) -> Option<String> {
        let kept = matches!(
            registry::class(place, name),
            Some(Class::Keep | Class::Text | Class::Url)
        );
        if kept || self.keep_values.iter().any(|kept| kept == name) {
            return None;
        }
        let kind = if registry::is_known(name) {
            name
        } else {
            UNKNOWN
        };
        if self.is_checked(kind, spelled) {
            return None;
        }
        let mut labelled = self.ledger.pieces(kind, spelled, Shape::Hidden);
        for piece in &mut labelled {
            if let Piece::Label(label) = piece {
                label.suffixes.push(Suffix::Number);
            }
        }
        Some(label::join(&labelled))
    }

    /// A name, which may itself be a secret or an address.
    pub(super) fn name(&mut self, name: &str) -> String {
        let is_word = || {
            let is_known = self.ledger.knows(name) || self.ledger.knows_part(name);
            let is_known = is_known || name.parse::<IpAddr>().is_ok();
            name.len() <= NAME_MAX && is_plain(name) && !is_known && pattern::phone(name).is_none()
        };
        if registry::is_known(name) || registry::is_header(name) || is_word() {
            escape(name)
        } else if Url::parse(name).is_some() {
            // Claims of one's own are named by URLs (RFC 7519 section 4.2).
            self.url(name)
        } else {
            self.secret("name", name, Shape::Hidden)
        }
    }

    /// The name of a header field, of which few are of anybody's making.
    pub(super) fn field_name(&mut self, name: &str) -> String {
        // They have no case of their own, and HTTP/2 sends them in lower case.
        let is_secret = self.ledger.knows_in_any_case(name)
            || self.ledger.has_heard(name)
            || self.ledger.knows_part(name);
        // Whose servers send such fields, the name may say.
        let is_whose = self.is_public() && registry::header_class(name).is_none();
        // Vendors make words up, but neither long ones nor numbers.
        let is_long = |part: &str| part.len() > MADE_UP_MAX && !is_plain(part);
        let is_made_up = name.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX
            || name.split(['-', '_']).any(is_long);
        if pattern::looks(name).is_none() && !is_secret && !is_made_up && !is_whose {
            escape(name)
        } else {
            self.name(name)
        }
    }

    /// Whether a value that is public as a rule may be somebody's secret here.
    pub(super) fn may_be_secret(&self, value: &str) -> bool {
        // Pages say who the client is; that it said so itself before makes it no secret.
        let is_heard = self.ledger.has_heard(value) && !self.is_client(value);
        self.ledger.knows_in_any_case(value) || is_heard || self.ledger.is_full()
    }

    pub(super) fn is_secret(&self, word: &str) -> bool {
        self.ledger.knows(word) || self.ledger.has_heard(word)
    }

    /// The label of a secret; the kind is its name where the registry has it.
    pub(super) fn secret(&mut self, kind: &str, value: &str, shape: Shape) -> String {
        if self.is_checked(kind, value) {
            return value.to_owned();
        }
        self.ledger.text(&kind_of(kind), value, shape)
    }
}

/// Public and often random: identifiers of clients and of keys.
pub(super) fn is_public(name: &str) -> bool {
    PUBLIC.contains(&name)
}

/// Whether the value is one run, and no spelling of another.
pub(super) fn is_as_it_stands(value: &str) -> bool {
    !value.contains(char::is_whitespace) && unescape_all(value).is_none()
}

/// The kind of the labels of what has this name.
pub(super) fn kind_of(name: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let kind: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    let starts = kind.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && kind.len() <= 40 {
        kind
    } else {
        UNKNOWN.to_owned()
    }
}

/// What stands at the ends of a value by mistake.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || "\"'\u{200b}\u{feff}".contains(c)
}

//! A value by its class: kept, kept in part, or replaced.

use crate::model::{Params, Url, percent_encode};
use crate::oauth::facts::{is_placeholder_word, is_template};
use crate::oauth::registry::{self, Class, Place};
use crate::redact::Redactor;
use crate::redact::label::{self, Piece, Suffix, escape, pieces};
use crate::redact::ledger::Shape;
use crate::redact::pattern::{self, Looks};

/// The kind of a value that no row speaks of.
const UNKNOWN: &str = "value";

impl Redactor {
    /// The text that may stand for a parameter's value at a place.
    pub(super) fn value(&mut self, place: Place, name: &str, value: &str) -> String {
        if value.is_empty() || is_placeholder_word(value) {
            return value.to_owned();
        }
        if self.keep_values.iter().any(|kept| kept == name) {
            return escape(value);
        }
        match registry::class(place, name) {
            Some(Class::Keep) if is_free_of_patterns(place, name) => escape(value),
            Some(Class::Keep | Class::Text) => self.free_text(value),
            Some(Class::Url) => self.url(value),
            // A template holds a variable's name where the secret should be, or nearly so.
            Some(Class::Secret) if !is_template(value) => self.secret(name, value, Shape::Declared),
            Some(Class::Secret | Class::LowEntropy) => self.secret(name, value, Shape::Hidden),
            Some(Class::Personal | Class::Pseudonym) => self.secret(name, value, Shape::Typed),
            None => self.secret(UNKNOWN, value, Shape::Declared),
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
        let plain = name.len() <= 64 && name.chars().all(|c| c.is_ascii_graphic());
        if registry::is_known(name)
            || (plain && pattern::looks(name).is_none() && !self.ledger.knows(name))
        {
            escape(name)
        } else {
            self.secret("name", name, Shape::Hidden)
        }
    }

    /// Text whose words are kept unless they look like a secret or a person.
    pub(super) fn free_text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(is_separator).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            out.push_str(&self.word(word));
            let separator = tail.chars().next().map_or(0, char::len_utf8);
            out.push_str(&tail[..separator]);
            rest = &tail[separator..];
        }
        out
    }

    fn word(&mut self, word: &str) -> String {
        // A sentence's full stop is no part of the word.
        let core = word.trim_end_matches(['.', ':', '!', '?']);
        if self.ledger.knows(core) {
            return format!(
                "{}{}",
                self.ledger.text(UNKNOWN, core, Shape::Hidden),
                &word[core.len()..]
            );
        }
        let Some(looks) = pattern::looks(core) else {
            return escape(word);
        };
        let (kind, shape) = match looks {
            Looks::Email => ("email", Shape::Typed),
            Looks::Address => ("address", Shape::Typed),
            Looks::Token => (UNKNOWN, Shape::Declared),
        };
        format!("{}{}", self.secret(kind, core, shape), &word[core.len()..])
    }

    /// A URL, absolute or not: its userinfo replaced, its path kept unless a segment of it is
    /// random, the parameters of its query and fragment by their own rows.
    pub(super) fn url(&mut self, text: &str) -> String {
        let (before_fragment, fragment) = split(text, '#');
        let (address, query) = split(before_fragment, '?');
        let mut out = match Url::parse(address) {
            Some(url) => self.address(&url),
            None => self.path(address),
        };
        if let Some(query) = query {
            out.push('?');
            out.push_str(&self.raw_params(query));
        }
        if let Some(fragment) = fragment {
            out.push('#');
            let tail = fragment.starts_with('_') && fragment.len() <= 3;
            out.push_str(&if tail {
                escape(fragment)
            } else {
                self.raw_params(fragment)
            });
        }
        out
    }

    fn address(&mut self, url: &Url) -> String {
        let mut out = format!("{}://", escape(&url.scheme));
        if let Some(userinfo) = &url.userinfo {
            out.push_str(&self.secret("userinfo", userinfo, Shape::Hidden));
            out.push('@');
        }
        out.push_str(&escape(&url.authority()));
        out.push_str(&self.path(&url.path));
        out
    }

    /// A path whose random segments are replaced.
    pub(super) fn path(&mut self, path: &str) -> String {
        let segment = |segment: &str| {
            let suspicious = pattern::is_suspicious(segment) || self.ledger.knows(segment);
            if suspicious {
                self.secret(UNKNOWN, segment, Shape::Declared)
            } else {
                escape(segment)
            }
        };
        path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    /// A raw query, fragment or form, each value by its row; what is kept keeps its spelling.
    pub(super) fn raw_params(&mut self, raw: &str) -> String {
        let mut out = Vec::new();
        for param in &Params::parse(raw) {
            let raw = param.raw();
            let (raw_name, raw_value) = match raw.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (raw.as_ref(), None),
            };
            let name = self.name(&param.name);
            let name_text = if name == param.name {
                raw_name.to_owned()
            } else {
                encode(&name)
            };
            let value = self.value(
                url_place(&param.name),
                param.name.trim_start_matches("amp;"),
                &param.value,
            );
            out.push(match raw_value {
                None => name_text,
                Some(raw_value) if value == param.value => format!("{name_text}={raw_value}"),
                Some(_) => format!("{name_text}={}", encode(&value)),
            });
        }
        out.join("&")
    }

    /// The label of a secret; the kind is its name where the registry has it.
    pub(super) fn secret(&mut self, kind: &str, value: &str, shape: Shape) -> String {
        self.ledger.text(&kind_of(kind), value, shape)
    }
}

/// Percent-encodes the literal parts of a text of the cassette; labels need none.
pub(super) fn encode(text: &str) -> String {
    if !label::may_hold(text) {
        return percent_encode(text);
    }
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => escape(&percent_encode(&literal)),
            Piece::Label(label) => label.to_string(),
        })
        .collect()
}

/// Any parameter may turn up in a URL: the first place that has a row for it decides.
fn url_place(name: &str) -> Place {
    let places = [
        Place::AuthorizationResponse,
        Place::AuthorizationRequest,
        Place::TokenRequest,
        Place::SideRequest,
    ];
    places
        .into_iter()
        .find(|place| registry::class(*place, name).is_some())
        .unwrap_or(Place::Any)
}

/// A client's identifier is public and often random; keys are public numbers.
fn is_free_of_patterns(place: Place, name: &str) -> bool {
    name == crate::oauth::name::CLIENT_ID
        || matches!(place, Place::Jwks | Place::Jwt | Place::Metadata)
}

fn kind_of(name: &str) -> String {
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

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || "\"'`,;()<>{}|=".contains(c)
}

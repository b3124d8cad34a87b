//! A value by its class: kept, kept in part, or replaced.

use std::cell::Cell;
use std::net::IpAddr;

use crate::model::{Params, Url, percent_decode, percent_encode};
use crate::oauth::facts::{is_placeholder_word, is_template};
use crate::oauth::name;
use crate::oauth::registry::{self, Class, Place};
use crate::redact::Redactor;
use crate::redact::audit::is_announced;
use crate::redact::decode::unescape_all;
use crate::redact::label::{self, Piece, Suffix, escape, pieces};
use crate::redact::ledger::{Shape, is_mark};
use crate::redact::pattern::{self, Looks};
use crate::redact::vocabulary::{is_host, is_host_label, is_number, is_plain, is_word_and_number};

/// The kind of a value that no row speaks of.
pub(super) const UNKNOWN: &str = "value";
/// The kind of a word that no list has.
pub(super) const WORD: &str = "word";
/// How many plain texts of each kind are remembered.
const PLAIN_MAX: usize = 1_000;
/// Names of header fields have not more digits than this, unless they are somebody's number.
const DIGITS_MAX: usize = 4;
/// A shorter core could be anything, and stays with what stands around it.
const CORE_MIN: usize = 8;
/// Names are not longer than this.
const NAME_MAX: usize = 64;
/// Characters of the longest part of a header field's name that is no word.
const MADE_UP_MAX: usize = 14;
const PUBLIC: &[&str] = &["appid", "aud", "azp", name::CLIENT_ID, "kid"];
pub(super) const PART_ENDS: &[char] = &['#', '&', '/', ':', '?', '\\'];
const TENANT_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.windows.net",
    "sts.windows.net",
];

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
    fn unless_plain(
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

    /// Whether a value that is public as a rule may be somebody's secret here.
    pub(super) fn may_be_secret(&self, value: &str) -> bool {
        // Pages say who the client is; that it said so itself before makes it no secret.
        let is_heard = self.ledger.has_heard(value) && !self.is_client(value);
        self.ledger.knows_in_any_case(value) || is_heard || self.ledger.is_full()
    }

    /// A word of a sentence that somebody may have for a password.
    fn said(&mut self, word: &str) -> String {
        match self.replaced(word) {
            Some(label) => label,
            None => self.secret(WORD, word, Shape::Hidden),
        }
    }

    fn is_secret(&self, word: &str) -> bool {
        self.ledger.knows(word) || self.ledger.has_heard(word)
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

    /// A URL, absolute or not: its userinfo replaced, its path kept unless a segment of it is
    /// random, the parameters of its query and fragment by their own rows.
    pub(super) fn url(&mut self, text: &str) -> String {
        if let Some(plain) = encoded_url(text) {
            return encode(&self.url(&plain));
        }
        let (before_fragment, fragment) = split(text, '#');
        let (address, query) = split(before_fragment, '?');
        let mut out = match Url::parse(address) {
            Some(url) => self.address(&url),
            None => self.path("", address),
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
        let mut out = format!("{}://", self.scheme(&url.scheme));
        if let Some(userinfo) = &url.userinfo {
            out.push_str(&self.secret("userinfo", userinfo, Shape::Hidden));
            out.push('@');
        }
        out.push_str(&self.authority(url));
        out.push_str(&self.path(&url.host, &url.path));
        out
    }

    /// A host with its port; a label of its name that no person would type is replaced.
    pub(super) fn authority(&mut self, url: &Url) -> String {
        if let Some(labelled) = self.public_authority(url) {
            return labelled;
        }
        let authority = url.authority();
        if pattern::is_address(&url.host) {
            return escape(&authority);
        }
        self.unless_plain(Walk::Host, &authority, |this| {
            let label = |label: &str| {
                if this.ledger.knows_in_host(label) || !is_host_label(label) {
                    this.secret(UNKNOWN, label, Shape::Declared)
                } else {
                    escape(label)
                }
            };
            let labels: Vec<String> = authority.split('.').map(label).collect();
            labels.join(".")
        })
    }

    /// A path whose segments are kept where they are made of known words.
    pub(super) fn path(&mut self, host: &str, path: &str) -> String {
        if self.is_public() {
            return self.public_path(host, path, has_tenants(host));
        }
        let walked = |this: &mut Self| {
            let segments = path.split('/').enumerate();
            let segments = segments.map(|(at, segment)| this.segment(host, at, segment));
            segments.collect::<Vec<_>>().join("/")
        };
        if has_tenants(host) {
            walked(self)
        } else {
            self.unless_plain(Walk::Path, path, walked)
        }
    }

    pub(super) fn segment(&mut self, host: &str, at: usize, segment: &str) -> String {
        let decoded = percent_decode(segment);
        let is_kept = (is_plain(&decoded) || is_host(&decoded) || is_tenant(host, at, segment))
            && !self.ledger.knows(&decoded)
            && !self.ledger.knows_part(&decoded)
            && pattern::looks(&decoded).is_none();
        if is_kept {
            escape(segment)
        } else {
            self.secret(UNKNOWN, segment, Shape::Declared)
        }
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
            let known = param.name.trim_start_matches("amp;");
            let value = self.value(url_place(known), known, &param.value);
            // The sweep knows the common spellings; what is kept in another is looked at in none.
            let is_spelled = raw_value.is_some_and(|raw| raw != value);
            let swept = is_spelled.then(|| self.sweeper.replace(&value)).flatten();
            let value = swept.unwrap_or(value);
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
        if self.is_checked(kind, value) {
            return value.to_owned();
        }
        self.ledger.text(&kind_of(kind), value, shape)
    }
}

/// How the words of a text are walked.
#[derive(Clone, Copy)]
enum Walk {
    Sentence,
    Value,
    Path,
    Host,
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
pub(super) fn url_place(name: &str) -> Place {
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

/// Public and often random: identifiers of clients and of keys.
pub(super) fn is_public(name: &str) -> bool {
    PUBLIC.contains(&name)
}

/// Whether the value is one run, and no spelling of another.
fn is_as_it_stands(value: &str) -> bool {
    !value.contains(char::is_whitespace) && unescape_all(value).is_none()
}

/// Which directory is asked stands in the path at one vendor, who needs it to help.
fn is_tenant(host: &str, at: usize, segment: &str) -> bool {
    at == 1 && pattern::is_uuid(segment) && has_tenants(host)
}

fn has_tenants(host: &str) -> bool {
    let is_asked = |known: &&str| host.eq_ignore_ascii_case(known);
    TENANT_HOSTS.iter().any(is_asked)
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

/// The URL that was percent-encoded as a whole before it was sent.
fn encoded_url(text: &str) -> Option<String> {
    let plain = percent_decode(text);
    let is_encoded = plain != text && percent_encode(&plain) == text;
    (is_encoded && (Url::parse(&plain).is_some() || encoded_url(&plain).is_some())).then_some(plain)
}

/// Whether a value is a URL, absolute or of a path, that asks for an authorization.
fn is_authorization_request(value: &str) -> bool {
    let (address, query) = split(value, '?');
    let is_address = Url::parse(address).is_some() || address.starts_with('/');
    let asked = query.map(Params::parse).unwrap_or_default();
    is_address && asked.has(name::CLIENT_ID) && asked.has(name::RESPONSE_TYPE)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_stop(c: char) -> bool {
    ".:!?".contains(c)
}

/// What stands at the ends of a value by mistake.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || "\"'\u{200b}\u{feff}".contains(c)
}

/// What ends a run, whatever its escapes are.
pub(super) fn is_quote(c: char) -> bool {
    c.is_whitespace() || "\"'`<>".contains(c)
}

/// What ends a word.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || "\"'`,;()<>[]{}|=".contains(c)
}

//! A URL in its parts, each kept or replaced by what it is.

use crate::model::{Params, Url, percent_decode, percent_encode};
use crate::oauth::name;
use crate::oauth::registry::{self, Place};
use crate::redact::Redactor;
use crate::redact::label::{self, Piece, escape, pieces};
use crate::redact::ledger::Shape;
use crate::redact::pattern;
use crate::redact::text::Walk;
use crate::redact::values::UNKNOWN;
use crate::redact::vocabulary::{is_host, is_host_label, is_plain};

impl Redactor {
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

/// Which directory is asked stands in the path at one vendor, who needs it to help.
fn is_tenant(host: &str, at: usize, segment: &str) -> bool {
    at == 1 && pattern::is_uuid(segment) && has_tenants(host)
}

fn has_tenants(host: &str) -> bool {
    let is_asked = |known: &&str| host.eq_ignore_ascii_case(known);
    TENANT_HOSTS.iter().any(is_asked)
}

/// The URL that was percent-encoded as a whole before it was sent.
fn encoded_url(text: &str) -> Option<String> {
    let plain = percent_decode(text);
    let is_encoded = plain != text && percent_encode(&plain) == text;
    (is_encoded && (Url::parse(&plain).is_some() || encoded_url(&plain).is_some())).then_some(plain)
}

/// Whether a value is a URL, absolute or of a path, that asks for an authorization.
pub(super) fn is_authorization_request(value: &str) -> bool {
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

const TENANT_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.windows.net",
    "sts.windows.net",
];

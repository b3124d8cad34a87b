//! The parameters of a raw message, wherever and in whatever format they stand.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::model::{Captured, Heard, Params, Said, multipart};
use crate::oauth::members::{Member, Members};
use crate::oauth::page::Page;
use crate::oauth::sniff::{Sniff, boundary, sniff_with};

/// An exchange with the parameters of both its messages, read once.
pub struct Reading<'a> {
    /// The request.
    pub said: &'a Said,
    /// The response, where there is one.
    pub heard: Option<&'a Heard>,
    /// The request's parameters.
    pub fields: Arc<Fields>,
    /// The response's.
    pub answer: Answer<'a>,
}

impl<'a> Reading<'a> {
    /// Reads an exchange.
    pub fn of(said: &'a Said, heard: Option<&'a Heard>) -> Self {
        Self::with(said, Arc::new(Fields::of(said)), heard)
    }

    /// Reads an exchange of whose request the parameters are known.
    pub fn with(said: &'a Said, fields: Arc<Fields>, heard: Option<&'a Heard>) -> Self {
        Self {
            said,
            heard,
            fields,
            answer: heard.map_or_else(Answer::default, |heard| Answer::of(&heard.body)),
        }
    }
}

/// The body of a raw response.
#[derive(Default)]
pub struct Answer<'a> {
    /// What the body really is; `None` where there is no response.
    pub sniff: Option<Sniff>,
    /// The text that is a page, and the page once somebody asked for it.
    html: Option<&'a [u8]>,
    page: OnceCell<Page>,
    members: Members<'a>,
    params: Params,
}

impl<'a> Answer<'a> {
    fn of(body: &'a Captured) -> Self {
        let (sniff, json) = sniff_with(&body.bytes);
        let is_page = sniff == Sniff::Html && body.is_whole() && !body.is_coded;
        let (members, params) = match json {
            Some(members) => (members, Params::default()),
            None => (Members::default(), params_of(sniff, &body.bytes)),
        };
        Self {
            sniff: Some(sniff),
            html: is_page.then_some(&**body.bytes),
            page: OnceCell::new(),
            members,
            params,
        }
    }

    /// The page that it is.
    pub fn page(&self) -> Option<&Page> {
        let read = |html| Page::read(&String::from_utf8_lossy(html));
        self.html.map(|html| self.page.get_or_init(|| read(html)))
    }

    /// Whether it is a page that sends an authorization response on by itself.
    pub fn is_answering_page(&self) -> bool {
        // Only those are read that may have a script which sends a form.
        let may_send = |html| memchr::memmem::find(html, b"submit").is_some();
        self.html.is_some_and(may_send) && self.page().is_some_and(|page| page.answer().is_some())
    }

    /// The text of a parameter, or of a member of a JSON object.
    pub fn get(&self, name: &str) -> Option<&str> {
        let member = self.members.get(name).and_then(Member::as_str);
        member.or_else(|| self.params.get(name))
    }

    /// Whether there is a parameter, or a member of a JSON object, of that name.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some() || self.params.has(name)
    }

    /// The members of a JSON object; none where it is something else.
    pub fn members(&self) -> &Members<'a> {
        &self.members
    }
}

/// The parameters of a raw request, by place.
pub struct Fields {
    /// What the body really is.
    pub sniff: Sniff,
    /// The query's parameters.
    pub query: Params,
    /// The body's parameters, be it a form, a JSON object or multipart.
    pub body: Params,
}

impl Fields {
    /// Reads a request.
    pub fn of(said: &Said) -> Self {
        let (sniff, json) = sniff_with(&said.body.bytes);
        Self {
            sniff,
            query: Params::parse(said.url.query.as_deref().unwrap_or_default()),
            body: json.map_or_else(
                || params_of(sniff, &said.body.bytes),
                |members| members.params(),
            ),
        }
    }

    /// The first value of a name, in the body or else in the query.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.body.get(name).or_else(|| self.query.get(name))
    }

    /// Whether the name stands anywhere.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// The parameters of a body that is no JSON: form pairs, or fields of a multipart form.
fn params_of(sniff: Sniff, bytes: &[u8]) -> Params {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Params::default();
    };
    match sniff {
        Sniff::Form | Sniff::FormHtmlAmp => Params::parse(text.trim_end_matches(['\r', '\n'])),
        Sniff::Multipart => multipart_params(bytes),
        _ => Params::default(),
    }
}

/// The members of a JSON object as parameters; what is no string keeps its spelling as JSON.
pub fn json_params(text: &str) -> Params {
    Members::of(text).map_or_else(|_| Params::default(), |members| members.params())
}

fn multipart_params(bytes: &[u8]) -> Params {
    let parts = boundary(bytes).and_then(|boundary| multipart::parts(bytes, boundary));
    let field = |part: &multipart::Part<'_>| {
        let value = std::str::from_utf8(part.content).ok()?;
        Some((part.name()?.to_owned(), value.to_owned()))
    };
    parts.unwrap_or_default().iter().filter_map(field).collect()
}

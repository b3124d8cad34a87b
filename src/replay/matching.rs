//! VCR's `match_on`: which parts of a request must be the recorded ones, besides what the protocol
//! asks for.

use std::collections::BTreeMap;

use crate::model::Params;
use crate::redact::{Content, minify};
use crate::replay::player::Player;
use crate::replay::values::Live;

/// A part of a request, by the name that VCR has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body: its parameters in any order, or else its text.
    Body,
    /// The host, and its port where that is not the usual one.
    Host,
    /// The method.
    Method,
    /// The path.
    Path,
    /// The parameters of the query, in any order.
    Query,
    /// Host, path and query.
    Uri,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Host => "host",
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Uri => "uri",
        }
    }

    /// Whether matching on it finds what was recorded at another URL.
    fn is_place(self, of: Self) -> bool {
        self == of || self == Self::Uri
    }
}

impl Player {
    /// The parts that must be the recorded ones and are not, by name.
    pub(super) fn other_parts(&self, at: usize, live: &Live<'_>) -> Vec<String> {
        let parts = self.repertoire.options.match_on.iter();
        let others = parts.filter(|part| !self.is_same_part(**part, at, live));
        others
            .map(|part| format!("the {} is another (--match-on)", part.name()))
            .collect()
    }

    /// What answers a request of no step of the protocol from another URL, where the URL is not
    /// wholly among the parts that must be the same.
    pub(super) fn elsewhere(&self, live: &Live<'_>) -> Option<usize> {
        let parts = &self.repertoire.options.match_on;
        let is_asked = |of: Part| parts.iter().any(|part| part.is_place(of));
        if parts.is_empty() || is_asked(Part::Host) && is_asked(Part::Path) {
            return None;
        }
        let others = self.repertoire.others();
        let fits = |at: &&usize| self.other_parts(**at, live).is_empty();
        let fresh = others
            .iter()
            .filter(|at| self.plays.is_fresh(**at))
            .find(fits);
        fresh.or_else(|| others.iter().rev().find(fits)).copied()
    }

    fn is_same_part(&self, part: Part, at: usize, live: &Live<'_>) -> bool {
        let request = self.repertoire.interaction(at).request();
        let cassette = self.repertoire.cassette(at);
        let is_same = |recorded: &str, live: &str| self.bindings.accepts(cassette, recorded, live);
        let url = || request.parsed_url();
        match part {
            Part::Method => request.method() == live.said.method,
            Part::Host => {
                url().is_some_and(|url| is_same(&url.authority(), &live.said.url.authority()))
            }
            Part::Path => url().is_some_and(|url| is_same(&url.path, &live.said.url.path)),
            Part::Query => same_params(&request.query_params(), &live.fields.query, is_same),
            Part::Uri => [Part::Host, Part::Path, Part::Query]
                .iter()
                .all(|part| self.is_same_part(*part, at, live)),
            Part::Body => match request.content() {
                Content::None | Content::Empty => live.said.body.size == 0,
                // What was dropped can be compared with nothing.
                Content::Dropped(dropped) => dropped.size > 0 && live.said.body.size > 0,
                Content::Text(text) => {
                    is_same(text, &String::from_utf8_lossy(&live.said.body.bytes))
                }
                Content::Json { text, .. } if request.body_params().is_empty() => {
                    let said = String::from_utf8_lossy(&live.said.body.bytes);
                    is_same(&minify(text), &minify(&said))
                }
                Content::Form { .. } | Content::Json { .. } | Content::Multipart(_) => {
                    same_params(&request.body_params(), &live.fields.body, is_same)
                }
            },
        }
    }
}

/// Whether both have the same names, each as often, with values that may stand for each other.
fn same_params(recorded: &Params, live: &Params, is_same: impl Fn(&str, &str) -> bool) -> bool {
    fn by_name(params: &Params) -> BTreeMap<&str, Vec<&str>> {
        let mut out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for param in params {
            out.entry(&param.name).or_default().push(&param.value);
        }
        out
    }
    let (recorded, live) = (by_name(recorded), by_name(live));
    recorded.len() == live.len()
        && recorded
            .iter()
            .zip(&live)
            .all(|((name, values), (other, others))| {
                name == other
                    && values.len() == others.len()
                    && values.iter().zip(others).all(|(a, b)| is_same(a, b))
            })
}

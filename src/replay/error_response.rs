//! The error response to an authorization request (RFC 6749 section 4.1.2.1), by the way that the
//! request asks for.

use std::sync::Arc;

use crate::model::{Params, Response, Url, percent_encode};
use crate::oauth::name;
use crate::redact::{RecordedForm, RecordedResponse};
use crate::replay::page::posted;
use crate::replay::player::Player;
use crate::replay::refusal::MARK;

/// Where the parameters of a response stand (OAuth 2.0 Multiple Response Type Encoding Practices).
#[derive(Clone, Copy)]
enum Way {
    Form,
    Fragment,
    Query,
}

impl Player {
    /// The error at the client's own address, with its `state`, and with the issuer where the
    /// recorded response has it; `None` where nobody knows the address. `at` is the recorded request
    /// in whose place this one stands.
    pub(super) fn error_response(
        &mut self,
        at: usize,
        wanted: &Params,
        error: &[(&'static str, &str)],
    ) -> Option<Response> {
        let repertoire = Arc::clone(&self.repertoire);
        let asked = self.asking(at, wanted);
        let answering = repertoire.answering(at);
        let recorded = repertoire.response(answering);
        let locations = recorded.map(RecordedResponse::locations);
        let mut locations = locations.iter().flatten().filter_map(|to| Url::parse(to));
        let location = locations.find(|location| asked.answers_at(&location.endpoint()));
        let uri = match (wanted.get(name::REDIRECT_URI), &location) {
            (Some(uri), _) => uri.to_owned(),
            (None, Some(location)) => self.filled(answering, &location.endpoint()),
            (None, None) => return None,
        };
        let issuer = location.as_ref().and_then(|location| {
            let parts = [&location.query, &location.fragment];
            let mut parts = parts.into_iter().flatten().map(|part| Params::parse(part));
            parts.find_map(|params| params.get(name::ISS).map(str::to_owned))
        });
        let issuer = issuer.map(|issuer| self.filled(answering, &issuer));
        let mut params = error.to_vec();
        params.extend(wanted.get(name::STATE).map(|state| (name::STATE, state)));
        params.extend(issuer.as_deref().map(|issuer| (name::ISS, issuer)));
        let way =
            Way::asked_for(wanted).unwrap_or_else(|| Way::recorded(recorded, location.as_ref()));
        Some(way.response(&uri, &params))
    }
}

impl Way {
    /// The way that a request names, or that goes with its response type.
    fn asked_for(wanted: &Params) -> Option<Self> {
        // `query.jwt` and the like go by the same ways.
        let mode = wanted.get(name::RESPONSE_MODE).unwrap_or_default();
        match mode.split('.').next() {
            Some("form_post") => return Some(Self::Form),
            Some("fragment") => return Some(Self::Fragment),
            Some("query") => return Some(Self::Query),
            _ => {}
        }
        let types = wanted.get(name::RESPONSE_TYPE).unwrap_or_default();
        let mut types = types.split_ascii_whitespace();
        types
            .any(|word| ![name::CODE, "none"].contains(&word))
            .then_some(Self::Fragment)
    }

    /// The way that a recorded response went.
    fn recorded(response: Option<&RecordedResponse>, location: Option<&Url>) -> Self {
        let mut forms = response.iter().flat_map(|response| response.forms());
        if forms.any(|form| RecordedForm::location(form).is_some()) {
            return Self::Form;
        }
        if location.is_some_and(|location| location.fragment.is_some()) {
            Self::Fragment
        } else {
            Self::Query
        }
    }

    fn response(self, uri: &str, params: &[(&str, &str)]) -> Response {
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", percent_encode(value));
        let pairs = || params.iter().map(pair).collect::<Vec<_>>().join("&");
        let response = match self {
            Self::Form => Response::new(200, posted(uri, params))
                .with("Content-Type", "text/html; charset=utf-8"),
            Self::Fragment => Response::new(302, "").with("Location", format!("{uri}#{}", pairs())),
            Self::Query => {
                let mark = if uri.contains('?') { '&' } else { '?' };
                Response::new(302, "").with("Location", format!("{uri}{mark}{}", pairs()))
            }
        };
        response.with("Cache-Control", "no-store").with(MARK, "1")
    }
}

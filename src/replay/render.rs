//! From a recorded response, with this run's values, to the response that goes out.

use crate::model::{Headers, Opaque, Params, Response, Url, Version, percent_encode};
use crate::oauth::name;
use crate::redact::{
    Content, HOST, JsonWire, Label, Named, Piece, RecordedResponse, Suffix, minify, pieces, quote,
};
use crate::replay::bindings::Bindings;
use crate::replay::repertoire::Repertoire;

/// What a response is rendered with.
pub(super) struct Rendering<'a> {
    pub(super) repertoire: &'a Repertoire,
    pub(super) cassette: usize,
    pub(super) asked: &'a Asked,
    pub(super) bindings: &'a mut Bindings,
}

impl Rendering<'_> {
    /// The response of an interaction.
    pub(super) fn response(&mut self, recorded: &RecordedResponse) -> Response {
        let mut headers = Headers::new();
        for Named { name, value } in recorded.header_fields() {
            // The body is stored, and sent, without its content coding; and a policy for the
            // scripts of another page would forbid the one that sends a form of ours.
            let is_of_page = |name: &str| {
                name.to_ascii_lowercase()
                    .starts_with("content-security-policy")
                    && !recorded.forms().is_empty()
            };
            if name.eq_ignore_ascii_case("content-encoding") || is_of_page(name) {
                continue;
            }
            let url = ["location", "content-location", "link"]
                .contains(&name.to_ascii_lowercase().as_str());
            let value = if url {
                self.fill(value, percent_encode)
            } else {
                self.fill(value, str::to_owned)
            };
            headers.push(name.clone(), value);
        }
        headers.push("authtape-replay", "1");
        Response {
            status: recorded.status(),
            reason: recorded.reason().map(str::to_owned),
            version: Version::Http11,
            headers,
            body: self.body(recorded).into(),
            wire: Opaque::default(),
        }
    }

    /// The fields behind the body.
    pub(super) fn trailers(&mut self, recorded: &RecordedResponse) -> Headers {
        let mut trailers = Headers::new();
        for Named { name, value } in recorded.trailer_fields() {
            trailers.push(name.clone(), self.fill(value, str::to_owned));
        }
        trailers
    }

    fn body(&mut self, recorded: &RecordedResponse) -> String {
        match recorded.content() {
            Content::Json {
                text,
                wire: JsonWire::Compact,
            } => self.json(&minify(text)),
            Content::Json { text, .. } => self.json(text),
            Content::Form { raw: Some(raw), .. } => self.fill(raw, percent_encode),
            Content::Form { pairs, raw: None } => {
                let pair = |pair: &Named<String>| {
                    let value = self.fill(&pair.value, str::to_owned);
                    format!("{}={}", percent_encode(&pair.name), percent_encode(&value))
                };
                pairs.iter().map(pair).collect::<Vec<_>>().join("&")
            }
            Content::Text(text) => self.fill(text, str::to_owned),
            Content::Dropped(_) if !recorded.forms().is_empty() => self.page(recorded.forms()),
            _ => String::new(),
        }
    }

    /// A JSON text whose labels are filled in as strings, or as the numbers that they stand for.
    fn json(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut unquote = false;
        for piece in pieces(text) {
            match piece {
                Piece::Literal(literal) => {
                    let literal = if std::mem::take(&mut unquote) {
                        literal.strip_prefix('"').unwrap_or(&literal)
                    } else {
                        &literal
                    };
                    out.push_str(literal);
                }
                Piece::Label(label) if label.suffixes.contains(&Suffix::Number) => {
                    let number = self.number(&label);
                    unquote = out.pop_if_quote();
                    out.push_str(&number);
                }
                Piece::Label(label) => {
                    let value = self.value(&label);
                    out.push_str(quote(&value).trim_matches('"'));
                }
            }
        }
        out
    }

    fn number(&mut self, label: &Label) -> String {
        let digits: String = self
            .value(label)
            .chars()
            .filter(char::is_ascii_digit)
            .take(9)
            .collect();
        format!("1{digits}")
    }

    /// A text with its labels filled in, each passed through `encode`.
    pub(super) fn fill(&mut self, text: &str, encode: impl Fn(&str) -> String) -> String {
        let mut out = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Literal(literal) => out.push_str(&literal),
                // A host may have its port with it.
                Piece::Label(label) if label.kind == HOST => {
                    out.push_str(&encode(&self.value(&label)).replace("%3A", ":"));
                }
                Piece::Label(label) => out.push_str(&encode(&self.value(&label))),
            }
        }
        out
    }

    pub(super) fn value(&mut self, label: &Label) -> String {
        let declared = self.repertoire.declaration(self.cassette, label);
        self.bindings.value(self.cassette, label, declared)
    }
}

/// What this run asked the authorization endpoint for, and to where the recorded one was answered.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) live: Params,
    pub(super) recorded_redirect_uri: Option<String>,
}

impl Asked {
    /// Whether the address is where the recorded authorization response went.
    pub(super) fn answers_at(&self, address: &str) -> bool {
        let Some(recorded) = &self.recorded_redirect_uri else {
            // The one that is registered, which nobody here knows.
            return true;
        };
        let recorded = Url::parse(recorded);
        recorded
            .zip(Url::parse(address))
            .is_some_and(|(recorded, address)| recorded.endpoint() == address.endpoint())
    }

    /// The address where this run wants its authorization response.
    pub(super) fn redirect_uri(&self, recorded: &str) -> String {
        let live = self.live.get(name::REDIRECT_URI).and_then(Url::parse);
        match live {
            Some(live) if self.answers_at(recorded) => live.endpoint(),
            _ => recorded.to_owned(),
        }
    }
}

/// The authorization response's URL for this run: its redirect URI, its state byte for byte.
pub(super) fn redirected(location: &str, asked: &Asked) -> String {
    let (address, query) = location.split_once('?').unwrap_or((location, ""));
    let (query, fragment) = match query.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (query, None),
    };
    let address = asked.redirect_uri(address);
    let state = asked.live.get(name::STATE);
    let mut pairs: Vec<String> = Vec::new();
    let mut echoed = false;
    for param in &Params::parse(query) {
        if param.name == name::STATE {
            echoed = true;
            pairs.extend(state.map(|state| format!("{}={}", name::STATE, percent_encode(state))));
        } else {
            pairs.push(param.raw().into_owned());
        }
    }
    if !echoed && fragment.is_none() {
        pairs.extend(state.map(|state| format!("{}={}", name::STATE, percent_encode(state))));
    }
    let query = if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    };
    let fragment = fragment
        .map(|fragment| format!("#{fragment}"))
        .unwrap_or_default();
    format!("{address}{query}{fragment}")
}

trait PopQuote {
    /// Takes a quotation mark off the end, and says whether one was there.
    fn pop_if_quote(&mut self) -> bool;
}

impl PopQuote for String {
    fn pop_if_quote(&mut self) -> bool {
        let quoted = self.ends_with('"');
        if quoted {
            self.pop();
        }
        quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_goes_where_this_run_asked_for_it() {
        let recorded = "http://127.0.0.1:51004/cb";
        for (location, asked, expected) in [
            (
                "http://127.0.0.1:51004/cb?code=c&state=old",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A60001%2Fcb&state=a%2Bb",
                "http://127.0.0.1:60001/cb?code=c&state=a%2Bb",
            ),
            (
                "http://127.0.0.1:51004/cb?code=c&state=old",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A51004%2Fcb",
                "http://127.0.0.1:51004/cb?code=c",
            ),
            (
                "http://127.0.0.1:51004/cb?code=c",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A51004%2Fcb&state=s",
                "http://127.0.0.1:51004/cb?code=c&state=s",
            ),
            (
                "https://as.example/login",
                "state=s",
                "https://as.example/login?state=s",
            ),
        ] {
            assert_eq!(
                redirected(
                    location,
                    &Asked {
                        live: Params::parse(asked),
                        recorded_redirect_uri: Some(recorded.to_owned()),
                    }
                ),
                expected,
                "{asked}"
            );
        }
    }
}

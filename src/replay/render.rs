//! From a recorded response, with this run's values, to the response that goes out.

use std::collections::HashSet;

use crate::model::{Alias, Headers, Opaque, Params, Response, Url, Version, percent_encode};
use crate::oauth::name;
use crate::redact::{
    Content, Declaration, HOST, Label, Named, Piece, RecordedResponse, Suffix, pieces, quote,
};
use crate::replay::bindings::Bindings;
use crate::replay::clock::Times;
use crate::replay::echo::Echo;
use crate::replay::refusal::MARK;
use crate::replay::repertoire::Repertoire;
use crate::replay::template::Json;

/// What a response is rendered with.
pub(super) struct Rendering<'a> {
    pub(super) repertoire: &'a Repertoire,
    pub(super) cassette: usize,
    /// The interaction whose response this is.
    pub(super) at: usize,
    pub(super) asked: &'a Asked,
    pub(super) alias: Option<&'a Alias>,
    pub(super) bindings: &'a mut Bindings,
    pub(super) times: Times,
    /// The JWTs that are being made, of which none can hold itself.
    pub(super) open: HashSet<Label>,
}

impl Rendering<'_> {
    /// The response of an interaction.
    pub(super) fn response(&mut self, recorded: &RecordedResponse) -> Response {
        self.renew();
        Response {
            status: recorded.status(),
            reason: recorded.reason().map(str::to_owned),
            version: Version::Http11,
            headers: self.headers(recorded),
            body: self.body(recorded).into(),
            wire: Opaque::default(),
        }
    }

    /// Its header fields.
    pub(super) fn headers(&mut self, recorded: &RecordedResponse) -> Headers {
        let template = self.repertoire.template(self.at, recorded);
        let mut headers = Headers::new();
        for field in &template.fields {
            let value = if field.is_url {
                self.filled(&field.value, percent_encode)
            } else {
                self.filled(&field.value, str::to_owned)
            };
            let value = self.times.field(&field.recorded, &value).unwrap_or(value);
            headers.push(self.filled(&field.name, str::to_owned), value);
        }
        if let Some(date) = self.times.date() {
            headers.push("Date", date);
        }
        headers.push(MARK, "1");
        headers
    }

    /// The fields behind the body.
    pub(super) fn trailers(&mut self, recorded: &RecordedResponse) -> Headers {
        let mut trailers = Headers::new();
        for Named { name, value } in recorded.trailer_fields() {
            let name = self.fill(name, str::to_owned);
            trailers.push(name, self.fill(value, str::to_owned));
        }
        trailers
    }

    fn body(&mut self, recorded: &RecordedResponse) -> String {
        let template = self.repertoire.template(self.at, recorded);
        match (recorded.content(), &template.json) {
            (_, Some(Json::Still(text))) => self.json_of(text),
            (_, Some(Json::Moving(text))) => {
                let text = self.times.json(text);
                self.json(&text)
            }
            (Content::Form { raw: Some(raw), .. }, _) => self.fill(raw, percent_encode),
            (Content::Form { pairs, raw: None }, _) => {
                let pair = |pair: &Named<String>| {
                    let name = self.fill(&pair.name, str::to_owned);
                    let value = self.fill(&pair.value, str::to_owned);
                    format!("{}={}", percent_encode(&name), percent_encode(&value))
                };
                pairs.iter().map(pair).collect::<Vec<_>>().join("&")
            }
            (Content::Text(text), _) => self.fill(text, str::to_owned),
            (Content::Dropped(_), _) if !recorded.forms().is_empty() => self.page(recorded.forms()),
            _ => String::new(),
        }
    }

    /// The JWTs that an answer brings are made when it is sent: they are of that time.
    fn renew(&mut self) {
        let is_jwt = |declared: &&Named<Declaration>| declared.value.jwt_header.is_some();
        let secrets = self.repertoire.interaction(self.at).secrets().iter();
        let brought = secrets.filter(is_jwt);
        for label in brought.filter_map(|declared| Label::of_key(&declared.name)) {
            self.bindings.renew(self.cassette, &label);
        }
    }

    /// A JSON text whose labels are filled in as strings, or as the numbers that they stand for.
    pub(super) fn json(&mut self, text: &str) -> String {
        self.json_of(&pieces(text))
    }

    fn json_of(&mut self, text: &[Piece]) -> String {
        let mut out = String::new();
        let mut unquote = false;
        for piece in text {
            match piece {
                Piece::Literal(literal) => {
                    let literal = if std::mem::take(&mut unquote) {
                        literal.strip_prefix('"').unwrap_or(literal)
                    } else {
                        literal
                    };
                    out.push_str(literal);
                }
                Piece::Label(label) if label.suffixes.contains(&Suffix::Number) => {
                    let number = self.number(label);
                    unquote = out.pop_if_quote();
                    out.push_str(&number);
                }
                Piece::Label(label) => {
                    let value = self.value(label);
                    let quoted = quote(&value);
                    out.push_str(&quoted[1..quoted.len() - 1]);
                }
            }
        }
        out
    }

    /// The number for a label, which is its value where that is one.
    fn number(&mut self, label: &Label) -> String {
        let value = self.value(label);
        let is_number = value
            .parse::<u64>()
            .is_ok_and(|number| number.to_string() == value);
        if is_number {
            return value;
        }
        let digits = value.chars().filter(char::is_ascii_digit).take(9);
        format!("1{}", digits.collect::<String>())
    }

    /// A text with its labels filled in, each passed through `encode`.
    pub(super) fn fill(&mut self, text: &str, encode: impl Fn(&str) -> String) -> String {
        self.filled(&pieces(text), encode)
    }

    fn filled(&mut self, text: &[Piece], encode: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        for piece in text {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                // A host may have its port with it.
                Piece::Label(label) if label.kind == HOST => {
                    out.push_str(&encode(&self.value(label)).replace("%3A", ":"));
                }
                Piece::Label(label) => out.push_str(&encode(&self.value(label))),
            }
        }
        out
    }

    pub(super) fn value(&mut self, label: &Label) -> String {
        let declared = self.repertoire.declaration(self.cassette, label);
        if let Some((by, declared)) = declared
            && !self.bindings.is_bound(self.cassette, label)
            && self.open.insert(label.core())
        {
            let jwt = self.jwt(label, by, declared);
            self.open.remove(&label.core());
            if let Some(jwt) = jwt {
                self.bindings.take(self.cassette, label, jwt);
            }
        }
        let declared = declared.map(|(_, declared)| declared);
        self.bindings.value(self.cassette, label, declared)
    }
}

/// What this run asked the authorization endpoint for, and to where the recorded one was answered.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) live: Params,
    pub(super) recorded_redirect_uri: Option<String>,
    pub(super) recorded_state: Option<String>,
    pub(super) echo: Echo,
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

/// The authorization response's URL for this run: its redirect URI, its state byte for byte, in the
/// query or in the fragment, where the response is.
pub(super) fn redirected(location: &str, asked: &Asked) -> String {
    let (front, fragment) = match location.split_once('#') {
        Some((front, fragment)) => (front, Some(fragment)),
        None => (location, None),
    };
    let (address, query) = front.split_once('?').unwrap_or((front, ""));
    let is_behind = fragment.is_some_and(|fragment| is_response(&Params::parse(fragment)));
    let (query, fragment) = if is_behind {
        (query.to_owned(), fragment.map(|text| echoing(text, asked)))
    } else {
        (echoing(query, asked), fragment.map(str::to_owned))
    };
    let mut out = asked.redirect_uri(address);
    for (mark, part) in [
        ('?', Some(query).filter(|query| !query.is_empty())),
        ('#', fragment),
    ] {
        if let Some(part) = part {
            out.push(mark);
            out.push_str(&part);
        }
    }
    out
}

/// The parameters of a response with this run's state.
fn echoing(params: &str, asked: &Asked) -> String {
    let state = asked.live.get(name::STATE);
    let state = state.map(|state| format!("{}={}", name::STATE, percent_encode(state)));
    let mut pairs: Vec<String> = Vec::new();
    let mut echoed = asked.echo != Echo::Sent;
    for param in &Params::parse(params) {
        if param.name == name::STATE && !echoed {
            echoed = true;
            pairs.extend(state.clone());
        } else {
            pairs.push(param.raw().into_owned());
        }
    }
    if !echoed {
        pairs.extend(state);
    }
    pairs.join("&")
}

/// Whether these are the parameters of an authorization response.
fn is_response(params: &Params) -> bool {
    let names = [
        name::ACCESS_TOKEN,
        name::CODE,
        name::ERROR,
        name::ID_TOKEN,
        name::RESPONSE,
    ];
    names.iter().any(|name| params.has(name))
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
            (
                "http://127.0.0.1:51004/cb#access_token=t&state=old&token_type=Bearer",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A60001%2Fcb&state=a%2Bb",
                "http://127.0.0.1:60001/cb#access_token=t&state=a%2Bb&token_type=Bearer",
            ),
            (
                "http://127.0.0.1:51004/cb?tenant=1#code=c&id_token=j",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A60001%2Fcb&state=s",
                "http://127.0.0.1:60001/cb?tenant=1#code=c&id_token=j&state=s",
            ),
            (
                "http://127.0.0.1:51004/cb?code=c&state=old#_=_",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A60001%2Fcb&state=s",
                "http://127.0.0.1:60001/cb?code=c&state=s#_=_",
            ),
            (
                "http://127.0.0.1:51004/cb#error=access_denied&state=old",
                "redirect_uri=http%3A%2F%2F127.0.0.1%3A51004%2Fcb",
                "http://127.0.0.1:51004/cb#error=access_denied",
            ),
        ] {
            assert_eq!(
                redirected(
                    location,
                    &Asked {
                        live: Params::parse(asked),
                        recorded_redirect_uri: Some(recorded.to_owned()),
                        ..Asked::default()
                    }
                ),
                expected,
                "{asked}"
            );
        }
    }
}

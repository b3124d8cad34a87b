//! The messages of a cassette as other tools have them: whole URLs, texts of bodies, and what has no place
//! elsewhere left out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::cassette::Cassette;
use crate::export::har::url;
use crate::export::har_body::{of_request, of_response};
use crate::export::reason;
use crate::redact::{BasicCredentials, Content, Interaction, Named, RecordedError};

/// The messages of a cassette.
pub(super) struct Messages {
    pub(super) all: Vec<Message>,
    /// What is not in them, in words.
    pub(super) left_out: Vec<String>,
}

/// A request and its answer.
pub(super) struct Message {
    pub(super) id: u64,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<Named<String>>,
    /// The halves of Basic credentials.
    pub(super) basic: Option<(String, String)>,
    pub(super) body: String,
    pub(super) answer: Option<Answer>,
    /// What went wrong on the wire, where there is no answer.
    pub(super) error: Option<String>,
    pub(super) at: OffsetDateTime,
    /// In seconds.
    pub(super) took: f64,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<Named<String>>,
    pub(super) body: String,
}

impl Messages {
    /// Takes a cassette; requests without an answer are kept where the format has a place for them.
    pub(super) fn of(cassette: &Cassette, keeps_failures: bool) -> Self {
        let begun = cassette
            .header
            .began()
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (mut all, mut left_out) = (Vec::new(), Vec::new());
        for interaction in &cassette.interactions {
            let message = Message::of(interaction, begun, &mut left_out);
            if message.answer.is_some() || keeps_failures {
                all.push(message);
            } else {
                let error = message.error.as_deref().unwrap_or("no answer");
                left_out.push(format!("{}, which ended with {error}", called(interaction)));
            }
        }
        Self { all, left_out }
    }
}

impl Message {
    fn of(interaction: &Interaction, begun: OffsetDateTime, left_out: &mut Vec<String>) -> Self {
        let request = interaction.request();
        let mut lose = |side: &str, content: Content<'_>, trailers: &[Named<String>]| {
            if matches!(content, Content::Dropped(_)) {
                left_out.push(format!("the body of the {side} of {}", called(interaction)));
            }
            if !trailers.is_empty() {
                left_out.push(format!(
                    "the trailers of the {side} of {}",
                    called(interaction)
                ));
            }
        };
        lose("request", request.content(), request.trailer_fields());
        let answer = interaction.response().map(|response| {
            lose("answer", response.content(), response.trailer_fields());
            Answer {
                status: response.status(),
                reason: response
                    .reason()
                    .unwrap_or_else(|| reason::usual(response.status()))
                    .to_owned(),
                headers: kept(response.header_fields()),
                body: of_response(response).text.unwrap_or_default(),
            }
        });
        let basic = request.basic();
        let mut headers = kept(request.header_fields());
        let is_credentials =
            |field: &&mut Named<String>| field.name.eq_ignore_ascii_case("authorization");
        if let (Some(basic), Some(field)) = (basic, headers.iter_mut().find(is_credentials)) {
            field.value = authorization(basic);
        }
        Self {
            id: interaction.id(),
            method: request.method().to_owned(),
            url: url(request),
            headers,
            basic: basic.map(|basic| {
                (
                    basic.user.clone(),
                    basic.password.clone().unwrap_or_default(),
                )
            }),
            body: of_request(request).text.unwrap_or_default(),
            answer,
            error: interaction
                .error()
                .map(RecordedError::kind)
                .map(|kind| kind.to_string()),
            at: begun + interaction.at(),
            took: interaction.took().as_secs_f64(),
        }
    }

    /// Scheme and authority, and the path with its query.
    pub(super) fn parts(&self) -> (&str, &str) {
        let behind = self.url.find("://").map_or(0, |at| at + 3);
        let path = self.url[behind..]
            .find(['/', '?'])
            .map_or(self.url.len(), |at| behind + at);
        let (origin, path) = self.url.split_at(path);
        (origin, if path.is_empty() { "/" } else { path })
    }

    /// What the request says of its body.
    pub(super) fn media_type(&self) -> Option<&str> {
        let is_it = |field: &&Named<String>| field.name.eq_ignore_ascii_case("content-type");
        let field = self.headers.iter().find(is_it);
        field.map(|field| field.value.as_str())
    }

    /// Scheme, host as a URL has it, and port.
    pub(super) fn target(&self) -> (&str, &str, u16) {
        let (origin, _) = self.parts();
        let (scheme, authority) = origin.split_once("://").unwrap_or(("https", origin));
        let usual = if scheme == "http" { 80 } else { 443 };
        let port = |(host, port): (_, &str)| Some((host, port.parse().ok()?));
        let (host, port) = authority
            .rsplit_once(':')
            .and_then(port)
            .unwrap_or((authority, usual));
        (scheme, host, port)
    }
}

/// Basic credentials as a client sends them whose halves are the labels.
fn authorization(basic: &BasicCredentials) -> String {
    let halves = match &basic.password {
        Some(password) => format!("{}:{password}", basic.user),
        None => basic.user.clone(),
    };
    format!("Basic {}", STANDARD.encode(halves))
}

/// The fields without those that say how a body was sent, for it stands there otherwise.
fn kept(fields: &[Named<String>]) -> Vec<Named<String>> {
    let is_framing = |field: &&Named<String>| {
        let name = field.name.to_ascii_lowercase();
        ["content-encoding", "content-length", "transfer-encoding"].contains(&name.as_str())
    };
    fields
        .iter()
        .filter(|field| !is_framing(field))
        .cloned()
        .collect()
}

fn called(interaction: &Interaction) -> String {
    format!("{} {}", interaction.id(), interaction.step().title())
}

/// The fields by name, in the order in which each first stands.
pub(super) fn by_name(fields: &[Named<String>]) -> serde_json::Map<String, serde_json::Value> {
    let mut map = serde_json::Map::new();
    for field in fields {
        let known = map
            .keys()
            .find(|name| name.eq_ignore_ascii_case(&field.name))
            .cloned();
        let values = map.entry(known.unwrap_or_else(|| field.name.clone()));
        if let Some(values) = values
            .or_insert_with(|| Vec::<serde_json::Value>::new().into())
            .as_array_mut()
        {
            values.push(field.value.clone().into());
        }
    }
    map
}

/// The same with one value where there is one, and a list where there are several.
pub(super) fn one_or_many(fields: &[Named<String>]) -> serde_json::Map<String, serde_json::Value> {
    let alone = |(name, values): (String, serde_json::Value)| match values.as_array() {
        Some(values) if values.len() == 1 => (name, values[0].clone()),
        _ => (name, values),
    };
    by_name(fields).into_iter().map(alone).collect()
}

/// Of each key, how many of the same stand before it and how many there are.
pub(super) fn turns(keys: &[String]) -> Vec<(usize, usize)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut before = Vec::with_capacity(keys.len());
    for key in keys {
        let count = seen.entry(key).or_default();
        before.push(*count);
        *count += 1;
    }
    let all = keys.iter().map(|key| seen[key.as_str()]);
    before.into_iter().zip(all).collect()
}

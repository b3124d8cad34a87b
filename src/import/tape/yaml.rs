//! Those in YAML: VCR's, vcrpy's and go-vcr's.

use serde::Deserialize;

use crate::import::tape::{Error, Fields, Kind, Recording, time_of};

/// Reads one.
pub(super) fn read(text: &str, kind: Kind) -> Result<Vec<Recording>, Error> {
    refuse_beyond(text)?;
    Ok(match kind {
        Kind::Vcr => {
            let file: Vcr = parsed(text, "VCR")?;
            file.http_interactions
                .into_iter()
                .map(Recording::from)
                .collect()
        }
        Kind::GoVcr => {
            let file: File<GoInteraction> = parsed(text, "go-vcr")?;
            file.interactions.into_iter().map(Recording::from).collect()
        }
        Kind::Vcrpy | Kind::Nock => {
            let file: File<PyInteraction> = parsed(text, "vcrpy")?;
            file.interactions.into_iter().map(Recording::from).collect()
        }
    })
}

fn parsed<'de, T: Deserialize<'de>>(text: &'de str, format: &'static str) -> Result<T, Error> {
    let options = serde_yaml::options! {
        with_snippet: false,
        merge_keys: serde_yaml::options::MergeKeyPolicy::Error,
        budget: serde_yaml::budget! {
            max_reader_input_bytes: None,
            max_events: text.len() + 1024,
            max_nodes: text.len() / 2 + 1024,
            max_total_scalar_bytes: text.len() + 1024,
            max_depth: 32,
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
        },
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error
            .location()
            .map_or((1, 1), |at| (at.line(), at.column()));
        Error::Format {
            format,
            line,
            column,
        }
    })
}

/// Refuses what only its own tool makes something of, rather than reading it as something else.
fn refuse_beyond(text: &str) -> Result<(), Error> {
    for (at, line) in text.lines().enumerate() {
        let found = BEYOND.iter().find(|(mark, _)| line.contains(mark));
        if let Some((_, what)) = found {
            return Err(Error::Beyond { line: at + 1, what });
        }
    }
    Ok(())
}

const BEYOND: &[(&str, &str)] = &[
    (
        ": !ruby/",
        "an object of Ruby; record again with a VCR of today",
    ),
    (
        ": !!python/",
        "an object of Python; record again with a vcrpy of today",
    ),
    (
        ": !!binary",
        "a body in base64, which is not read; record text with decode_compressed_response",
    ),
    (
        ": !binary",
        "a body in base64, which is not read; record text with decode_compressed_response",
    ),
    ("<%", "a template of ERB; let VCR fill it in first"),
];

#[derive(Deserialize)]
struct Vcr {
    http_interactions: Vec<VcrInteraction>,
}

#[derive(Deserialize)]
struct File<T> {
    interactions: Vec<T>,
}

#[derive(Deserialize)]
struct VcrInteraction {
    request: VcrRequest,
    response: VcrResponse,
    recorded_at: Option<String>,
}

#[derive(Deserialize)]
struct VcrRequest {
    #[serde(default)]
    method: String,
    uri: String,
    #[serde(default)]
    body: VcrBody,
    headers: Option<Fields>,
}

#[derive(Deserialize)]
struct VcrResponse {
    status: Status,
    #[serde(default)]
    body: VcrBody,
    headers: Option<Fields>,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

/// Text, as old files have it, or a map of it.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum VcrBody {
    Text(String),
    Map {
        string: Option<String>,
        base64_string: Option<String>,
    },
    #[default]
    Nothing,
}

impl VcrBody {
    fn text(self) -> String {
        match self {
            Self::Text(text)
            | Self::Map {
                string: Some(text), ..
            } => text,
            Self::Map { base64_string, .. } => decoded(&base64_string.unwrap_or_default()),
            Self::Nothing => String::new(),
        }
    }
}

/// What base64 in lines holds, where that is text.
fn decoded(text: &str) -> String {
    use base64::Engine as _;
    let compact: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact);
    bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

impl From<VcrInteraction> for Recording {
    fn from(one: VcrInteraction) -> Self {
        Self {
            method: one.request.method,
            url: one.request.uri,
            headers: one.request.headers.unwrap_or_default().into(),
            body: one.request.body.text(),
            made: one.recorded_at.as_deref().and_then(time_of),
            status: one.response.status.code,
            answer_headers: one.response.headers.unwrap_or_default().into(),
            answer: one.response.body.text(),
        }
    }
}

#[derive(Deserialize)]
struct PyInteraction {
    request: PyRequest,
    response: PyResponse,
}

#[derive(Deserialize)]
struct PyRequest {
    method: String,
    uri: String,
    body: Option<String>,
    headers: Option<Fields>,
}

#[derive(Deserialize)]
struct PyResponse {
    status: Status,
    #[serde(default)]
    body: PyBody,
    headers: Option<Fields>,
}

#[derive(Deserialize, Default)]
struct PyBody {
    string: Option<String>,
}

impl From<PyInteraction> for Recording {
    fn from(one: PyInteraction) -> Self {
        Self {
            method: one.request.method,
            url: one.request.uri,
            headers: one.request.headers.unwrap_or_default().into(),
            body: one.request.body.unwrap_or_default(),
            made: None,
            status: one.response.status.code,
            answer_headers: one.response.headers.unwrap_or_default().into(),
            answer: one.response.body.string.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct GoInteraction {
    request: GoRequest,
    response: GoResponse,
}

#[derive(Deserialize)]
struct GoRequest {
    method: String,
    url: String,
    body: Option<String>,
    headers: Option<Fields>,
}

#[derive(Deserialize)]
struct GoResponse {
    code: u16,
    body: Option<String>,
    headers: Option<Fields>,
}

impl From<GoInteraction> for Recording {
    fn from(one: GoInteraction) -> Self {
        Self {
            method: one.request.method,
            url: one.request.url,
            headers: one.request.headers.unwrap_or_default().into(),
            body: one.request.body.unwrap_or_default(),
            made: None,
            status: one.response.code,
            answer_headers: one.response.headers.unwrap_or_default().into(),
            answer: one.response.body.unwrap_or_default(),
        }
    }
}

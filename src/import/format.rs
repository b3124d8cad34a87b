//! Which tool a file is of.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::words;

words! {
    /// Another tool's format.
    Format {
        /// The recordings of Azure SDK's test proxy.
        AzureTestProxy = "azure-test-proxy",
        /// go-vcr's cassettes, formats 1 and 2.
        GoVcr = "go-vcr",
        /// HTTP Archive 1.2, also as Polly.JS writes it.
        Har = "har",
        /// Hoverfly's simulations, version 5.
        Hoverfly = "hoverfly",
        /// httpmock's recordings.
        Httpmock = "httpmock",
        /// mitmproxy's flow files.
        Mitmproxy = "mitmproxy",
        /// nock's recordings.
        Nock = "nock",
        /// PHP-VCR's cassettes.
        PhpVcr = "php-vcr",
        /// VCR's cassettes, for Ruby, and Betamax's.
        Vcr = "vcr",
        /// VCR's cassettes, for Python.
        Vcrpy = "vcrpy",
    }
}

impl Format {
    /// By the first bytes of a file and the keys at its top; no cassette of ours has these.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match bytes.trim_ascii_start().first()? {
            b'[' => Some(of_list(bytes)),
            b'{' => Some(of_json(bytes)),
            b'0'..=b'9' if seems_flow(bytes) => Some(Self::Mitmproxy),
            _ => of_yaml(bytes),
        }
    }

    /// All names, as a sentence lists them.
    pub(super) fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.as_str()).collect();
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        format!("{} or {last}", others.join(", "))
    }
}

/// What stands at the top of a file in JSON.
#[derive(Deserialize)]
struct Top {
    #[serde(rename = "Entries")]
    entries: Option<IgnoredAny>,
    http_interactions: Option<IgnoredAny>,
    interactions: Option<IgnoredAny>,
    data: Option<IgnoredAny>,
    log: Option<IgnoredAny>,
}

/// What is of none is for the reader of HAR to refuse.
fn of_json(bytes: &[u8]) -> Format {
    match serde_json::from_slice::<Top>(bytes) {
        Ok(Top { log: Some(_), .. }) | Err(_) => Format::Har,
        Ok(Top {
            entries: Some(_), ..
        }) => Format::AzureTestProxy,
        Ok(Top {
            http_interactions: Some(_),
            ..
        }) => Format::Vcr,
        Ok(Top {
            interactions: Some(_),
            ..
        }) => Format::Vcrpy,
        Ok(Top { data: Some(_), .. }) => Format::Hoverfly,
        Ok(_) => Format::Har,
    }
}

/// What begins with a list: PHP-VCR's recordings are of requests and responses.
fn of_list(bytes: &[u8]) -> Format {
    #[derive(Deserialize)]
    struct One {
        request: Option<IgnoredAny>,
    }
    match serde_json::from_slice::<Vec<One>>(bytes).as_deref() {
        Ok([One { request: Some(_) }, ..]) => Format::PhpVcr,
        _ => Format::Nock,
    }
}

fn of_yaml(bytes: &[u8]) -> Option<Format> {
    let lines = || {
        bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii_end)
    };
    let has = |key: &str| lines().any(|line| line.starts_with(key.as_bytes()));
    let says = |key: &str| {
        let is_key = |line: &[u8]| {
            let line = line.trim_ascii_start();
            line.strip_prefix(b"- ")
                .unwrap_or(line)
                .starts_with(key.as_bytes())
        };
        lines().any(is_key)
    };
    if has("authtape:") || has("recorded_by:") {
        None
    } else if has("http_interactions:") {
        Some(Format::Vcr)
    } else if has("interactions:") {
        Some(if says("url:") && !says("uri:") {
            Format::GoVcr
        } else {
            Format::Vcrpy
        })
    } else if has("when:") && has("then:") {
        Some(Format::Httpmock)
    } else {
        (has("-") && says("request:") && says("response:")).then_some(Format::PhpVcr)
    }
}

/// Whether it begins with the length of a netstring.
fn seems_flow(bytes: &[u8]) -> bool {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (1..=12).contains(&digits) && bytes.get(digits) == Some(&b':')
}

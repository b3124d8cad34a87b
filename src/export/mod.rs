//! Cassettes in other tools' formats: functions of what was redacted, so none redacts again.
//!
//! [`write()`] makes the file of a [`Format`]; [`har`] has HAR 1.2 with what stands beside a file that was
//! read. A label stands for each secret in all of them.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod azure;
mod curl;
mod flow;
mod go_vcr;
pub mod har;
mod har_body;
mod hoverfly;
mod httpmock;
mod message;
mod nock;
mod php_vcr;
mod polly;
mod reason;
mod vcr;
mod vcrpy;
mod yaml;

use crate::cassette::{self, Cassette};
use crate::export::message::Messages;
use crate::model::{Asides, words};

words! {
    /// Another tool's format.
    Format {
        /// The recordings of Azure SDK's test proxy.
        AzureTestProxy = "azure-test-proxy",
        /// A shell script of curl, with the secrets from the environment.
        Curl = "curl",
        /// go-vcr's cassettes, format 2.
        GoVcr = "go-vcr",
        /// HTTP Archive 1.2.
        Har = "har",
        /// Hoverfly's simulations, version 5.3.
        Hoverfly = "hoverfly",
        /// httpmock's recordings.
        Httpmock = "httpmock",
        /// mitmproxy's flow files.
        Mitmproxy = "mitmproxy",
        /// nock's recordings.
        Nock = "nock",
        /// PHP-VCR's cassettes.
        PhpVcr = "php-vcr",
        /// Polly.JS's recordings.
        Polly = "polly",
        /// VCR's cassettes, for Ruby.
        Vcr = "vcr",
        /// VCR's cassettes, for Python.
        Vcrpy = "vcrpy",
    }
}

/// A file of another tool.
pub struct Exported {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What the format has no place for.
    pub left_out: Vec<String>,
}

/// The file of a cassette in another tool's format.
///
/// # Errors
///
/// [`cassette::Error::Raw`] where the cassette is not redacted.
pub fn write(cassette: &Cassette, format: Format) -> Result<Exported, cassette::Error> {
    cassette.refuse_raw()?;
    if format == Format::Har {
        return Ok(Exported {
            bytes: har::har(cassette, &Asides::default())?.text().into(),
            left_out: Vec::new(),
        });
    }
    let mut messages = Messages::of(cassette, format == Format::Mitmproxy);
    let bytes = match format {
        Format::AzureTestProxy => azure::write(&messages).into(),
        Format::Curl => curl::write(&mut messages).into(),
        Format::GoVcr => go_vcr::write(&messages).into(),
        Format::Hoverfly => hoverfly::write(&messages).into(),
        Format::Httpmock => httpmock::write(&messages).into(),
        Format::Har | Format::Mitmproxy => flow::write(&messages),
        Format::Nock => nock::write(&messages).into(),
        Format::PhpVcr => php_vcr::write(&messages).into(),
        Format::Polly => polly::write(cassette, &messages)?.into(),
        Format::Vcr => vcr::write(&messages).into(),
        Format::Vcrpy => vcrpy::write(&messages).into(),
    };
    Ok(Exported {
        bytes,
        left_out: messages.left_out,
    })
}

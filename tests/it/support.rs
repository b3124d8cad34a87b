//! What several tests need: raw messages and the shipped cassettes.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot do")]

use std::path::Path;

use authtape::cassette::{self, Cassette};
use authtape::model::{Captured, Said, Url, Version};

/// A shipped cassette of the thread.
pub(crate) fn thread(variant: &str) -> Cassette {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(
        "cassettes/accounts.example.com/thread-{variant}.yaml"
    ));
    cassette::load(&std::fs::read(path).expect("a shipped cassette")).expect("a cassette")
}

/// A raw request.
pub(crate) fn said(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Said {
    Said {
        method: method.to_owned(),
        url: Url::parse(url).expect("a URL"),
        version: Version::Http11,
        headers: headers.iter().copied().collect(),
        body: Captured::of(body.as_bytes(), 1 << 20),
    }
}

//! For tests in Rust: a cassette for each test, played by a proxy of its own.
//!
//! ```
//! # let cassette = concat!(env!("CARGO_MANIFEST_DIR"), "/cassettes/accounts.example.com/thread-correct.yaml");
//! # fn login(proxy: &str, ca_pem: &str) {}
//! use authtape::harness::Tape;
//!
//! let tape = Tape::builder(cassette).allow_unused(true).build()?;
//! login(tape.proxy_url(), tape.ca_pem());
//! # let violated =
//! tape.finish()
//! # ; assert!(violated.unwrap_err().to_string().contains("nothing came through"));
//! # Ok::<(), authtape::harness::Error>(())
//! ```
//!
//! In a test of yours [`tape!`](crate::tape) names the cassette for you,
//! `tests/cassettes/FILE/TEST.yaml`, and
#![cfg_attr(
    feature = "insta",
    doc = "[`assert_transcript!`](crate::assert_transcript)"
)]
#![cfg_attr(not(feature = "insta"), doc = "`assert_transcript!` (feature `insta`)")]
//! compares what was said with a snapshot.
//!
//! A tape runs on a thread of its own, so it works in a plain test and under any runtime, and any number of
//! them at once: nothing of the process is changed. A client in the process is given [`Tape::proxy_url`]
//! and [`Tape::ca_pem`], or made ready ([`Tape::rustls_roots`], [`Tape::hyper_connector`]); a program is
//! started with [`Tape::command`]. [`Tape::finish`] says whether every request was on tape and every step was asked
//! for. A tape that is dropped without it says so too, by a panic, unless the test panics already.
//!
//! `AUTHTAPE_RECORD_MODE` has VCR's words: `once` (it is recorded where it does not exist, but not where
//! `CI` is set), `new_episodes`, `none`, `all`.

mod builder;
mod client;
mod tape;
mod violations;

pub use builder::{Builder, Error, path_of};
pub use tape::Tape;
pub use violations::Violations;

/// A tape for the test that this stands in: `tests/cassettes/FILE/TEST.yaml`, or under the name that is
/// given. It panics where that cannot be played or recorded.
#[macro_export]
macro_rules! tape {
    () => {{
        fn here() {}
        $crate::tape!($crate::harness::Tape::test_of(std::any::type_name_of_val(
            &here
        )))
    }};
    ($name:expr) => {{
        let path = $crate::harness::path_of(env!("CARGO_MANIFEST_DIR"), file!(), $name.as_ref());
        match $crate::harness::Tape::builder(path).build() {
            Ok(tape) => tape,
            Err(error) => panic!("{}", $crate::harness::Tape::why(&error)),
        }
    }};
}

/// Ends a tape, and compares what was said with the snapshot of the same name, as insta does; then it
/// must not have been violated.
#[cfg(feature = "insta")]
#[macro_export]
macro_rules! assert_transcript {
    ($tape:expr) => {{
        let tape = $tape;
        let name = tape.name().to_owned();
        let (transcript, violations) = match tape.finish() {
            Ok(transcript) => (transcript.to_string(), None),
            Err(violations) => (violations.transcript(), Some(violations)),
        };
        let mut settings = $crate::insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_description("what a replayed run said");
        settings.bind(|| $crate::insta::assert_snapshot!(name, transcript));
        if let Some(violations) = violations {
            panic!("{violations}");
        }
    }};
}

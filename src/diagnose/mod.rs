//! Why a session failed: rules over a cassette, and the findings they raise.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

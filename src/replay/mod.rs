//! Playing a cassette back: a request in, the recorded answer or an explained miss out.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

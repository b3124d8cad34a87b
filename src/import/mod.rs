//! Other tools' files, read as exchanges that then go through redaction like live ones.
//!
//! A reader takes what it knows and nothing else: what it does not name never becomes part of an
//! [`crate::model::Exchange`], so it cannot reach a file that is written.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod har;

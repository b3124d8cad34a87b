//! The cassette: what people review, git diffs, and replay serves.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use crate::redact::Interaction;
use crate::redact::Named;

/// A recorded session: a header and its interactions in the order of their requests' starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Cassette {
    /// `authtape/0.1.0`
    pub recorded_by: String,
    /// When the recording began, RFC 3339 in UTC.
    pub recorded_at: String,
    /// The token endpoint's host.
    pub server: Option<String>,
    /// How many secrets of each kind were replaced.
    pub redacted: Vec<Named<u32>>,
    /// The interactions.
    pub interactions: Vec<Interaction>,
}

//! From exchange to interaction: the one place where a secret becomes a label.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod interaction;
mod label;

pub use interaction::{
    AbsentBody, Alphabet, BasicCredentials, Content, Declaration, DropReason, DroppedBody,
    Interaction, JsonWire, Named, RecordedError, RecordedPart, RecordedRequest, RecordedResponse,
    Seconds,
};
pub use label::{Label, Piece, Suffix, pieces};

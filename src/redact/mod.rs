//! From exchange to interaction: the one place where a secret becomes a label.
//!
//! [`Redactor`] walks an exchange. What a row of the registry says may be kept is kept; everything
//! else becomes a [`Label`] that the ledger hands out, the same for the same secret wherever and
//! however encoded it turns up. A last sweep searches every kept text for every known secret.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod audit;
mod bodies;
mod check;
mod closure;
mod content;
mod cookies;
mod declared;
mod decode;
mod document;
mod draft;
mod encoding;
mod entry;
mod examine;
mod form;
mod fragment;
mod headers;
mod index;
mod interaction;
mod json;
mod label;
mod ledger;
mod page;
mod pattern;
mod profile;
mod public;
mod recordings;
mod redactor;
mod resume;
mod shape;
mod sweep;
mod text;
mod urls;
mod values;
mod vocabulary;

pub(crate) use audit::Columns;
pub use audit::{AuditHit, audit};
pub use check::{STAND, Stray, check};
pub use content::{AbsentBody, Content, DropReason, DroppedBody, JsonWire, RecordedPart};
pub(crate) use declared::DECLARED;
pub use declared::{Declared, Undeclarable};
pub(crate) use draft::Draft;
pub use draft::Undisclosed;
pub(crate) use entry::table;
pub use entry::{Named, Seconds};
pub use examine::Examiner;
pub use form::{RecordedField, RecordedForm};
pub(crate) use headers::BOUNDARY;
pub use interaction::{
    BasicCredentials, Interaction, RecordedError, RecordedRequest, RecordedResponse,
};
pub(crate) use json::{Scalar, respell};
pub use json::{inert, is_obeyed, minify, pretty, quote};
pub use label::{Label, Piece, Suffix, escape, in_its_case, join, labels, pieces, readable};
pub(crate) use label::{broken_label, cores, identity, only_label};
pub use ledger::Capacity;
pub(crate) use pattern::{is_suspicious, shown};
pub use profile::{Profile, Unredacted};
pub(crate) use public::{HOST, says_whose};
pub use recordings::{audit_recording, is_recording};
pub use redactor::{Redacted, Redactor};
pub use shape::{Alphabet, Declaration};

//! The cassette: what people review, git diffs, and replay serves.
//!
//! [`load`](fn@load) reads one and says line and column of what it cannot read;
//! [`write`](fn@write) and its parts write one, so that the same cassette is the same text.
//! [`load_part`] reads what a recording left that did not end.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod audit;
mod emit;
mod error;
mod header;
mod load;
mod playable;
mod searchable;
mod session;
mod sound;
mod split;
mod stamp;

pub use audit::{Audit, audit, audit_bytes};
pub use emit::{entry, part_header, write};
pub use error::Error;
pub use header::{Header, Mutant};
#[cfg(feature = "proxy")]
pub(crate) use load::as_text;
#[cfg(feature = "proxy")]
pub(crate) use load::into_text;
pub use load::{MAX_SIZE, Part, load, load_entry, load_part, load_sized, schema};
#[cfg(feature = "proxy")]
pub(crate) use playable::line_of_secret;
pub use session::{
    AuthorizationResponse, ClientAuth, Flow, IdToken, Link, Metadata, Mode, Outcome, SeenJwt,
    Session, Turn,
};
pub use sound::lines_of_interactions;
pub use split::{Split, entries, split};
pub use stamp::{RULES, Stamp, sum};

use crate::redact::{Interaction, Profile};

/// The version of the format.
pub const VERSION: u32 = 1;

/// A recorded session: a header and its interactions in the order of their requests' starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Cassette {
    /// What stands before the interactions.
    pub header: Header,
    /// The interactions.
    pub interactions: Vec<Interaction>,
}

impl Cassette {
    /// Refuses what is not redacted; whatever makes something of a cassette that is handed on asks
    /// this first.
    ///
    /// # Errors
    ///
    /// [`Error::Raw`].
    pub fn refuse_raw(&self) -> Result<(), Error> {
        let is_raw = self.interactions.iter().any(Interaction::is_raw);
        if is_raw || self.header.profile == Profile::Raw {
            return Err(Error::Raw);
        }
        Ok(())
    }
}

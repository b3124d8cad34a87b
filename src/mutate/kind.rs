//! A kind of mutant: what is changed, and what a client has to do.

use crate::mutate::bench::{Bench, Trouble};

/// A kind of mutant.
pub struct Kind {
    /// Its name, as on the command line.
    pub id: &'static str,
    /// What is changed, as the beginning of a sentence.
    pub what: &'static str,
    /// What becomes of a right client.
    pub must: Must,
    /// What the client does, behind `must` or `may`.
    pub client: &'static str,
    /// Where that is said.
    pub see: &'static str,
    /// Makes the change; the place in the cassette that it is to be looked for at.
    pub(super) make: fn(&mut Bench) -> Result<usize, Trouble>,
}

/// What becomes of a right client that meets a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Must {
    /// It refuses to go on.
    Reject,
    /// It goes on as if nothing was wrong.
    Survive,
    /// It does the one or the other, and neither crashes nor hangs.
    Either,
}

impl Must {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Survive => "survive",
            Self::Either => "either",
        }
    }
}

impl Kind {
    /// What a client has to do: `must refuse the ID Token`.
    pub fn told(&self) -> String {
        let verb = match self.must {
            Must::Reject | Must::Survive => "must",
            Must::Either => "may",
        };
        format!("{verb} {}", self.client)
    }
}

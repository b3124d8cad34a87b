//! A kind of mutant: what is changed, and what a client has to do.

use crate::model::words;
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

words! {
    /// What becomes of a right client that meets a mutant.
    Must {
        /// It does the one or the other, and neither crashes nor hangs.
        Either = "either",
        /// It refuses to go on.
        Reject = "reject",
        /// It goes on as if nothing was wrong.
        Survive = "survive",
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

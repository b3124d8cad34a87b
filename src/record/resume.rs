//! A tape that goes on where a cassette ends.

use crate::cassette::{self, Cassette, Header};
use crate::oauth::classify::classify;
use crate::oauth::fields::Reading;
use crate::record::{Before, Entry, Options, Tape};
use crate::redact::Label;

/// A cassette that is recorded on.
pub struct Earlier {
    /// What is on it.
    pub cassette: Cassette,
    /// Whether it is the text that its stamp is of.
    pub is_stamped: bool,
}

impl Tape {
    /// A tape that goes on behind what is on a cassette, which stays as it is.
    ///
    /// The options must be of the cassette's profile.
    pub fn resume(options: Options, earlier: Earlier) -> Self {
        let Earlier {
            cassette,
            is_stamped,
        } = earlier;
        let (header, interactions) = (cassette.header, cassette.interactions);
        // What is declared is given its labels behind those of the cassette.
        let secrets = options.secrets.clone();
        let options = Options {
            secrets: Vec::new(),
            ..options
        };
        let mut tape = Self::new(options, header.recorded_at.clone());
        tape.redactor.resume(&interactions, &header.redacted);
        tape.redactor.declare(&secrets);
        let mut insecure_upstream = header.insecure_upstream.clone();
        insecure_upstream.append(&mut tape.header.insecure_upstream);
        insecure_upstream.dedup();
        let full_at = header.ledger_full_at;
        tape.entries = interactions
            .iter()
            .map(|interaction| Entry {
                id: interaction.id(),
                step: interaction.step(),
                text: cassette::entry(interaction),
                is_unlinked: full_at.is_some_and(|at| interaction.id() >= at),
                is_old: true,
            })
            .collect();
        tape.is_full = full_at.is_some();
        tape.before = match header.audit.clone().filter(|_| is_stamped) {
            Some(stamp) => Before::Stamped(stamp),
            None => Before::Unstamped,
        };
        tape.header = Header {
            insecure_upstream,
            audit: None,
            ..header
        };
        tape
    }

    /// Takes in what this run says for a label of the cassette that is recorded on.
    pub fn know(&mut self, label: &Label, value: &str) {
        self.redactor.know(label, value);
    }

    /// Takes in an exchange that was played from the cassette: nothing is written of it, and later
    /// ones are read against it.
    pub fn observe(&mut self, reading: &Reading<'_>) {
        let step = classify(&self.flows, reading);
        self.flows.observe(step, reading);
    }

    /// How many interactions came to what was there before.
    pub fn added(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_old).count()
    }
}

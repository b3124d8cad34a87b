//! What one session has played of the repertoire.

use std::collections::{HashMap, HashSet};

/// How often each interaction was played, and which of them are spent.
#[derive(Default)]
pub(super) struct Plays {
    counts: HashMap<usize, usize>,
    spent: HashSet<usize>,
    /// Those that a request was meant for which did not fit.
    meant: HashSet<usize>,
}

impl Plays {
    /// Notes that an interaction was played.
    pub(super) fn play(&mut self, at: usize) {
        *self.counts.entry(at).or_default() += 1;
        self.spent.insert(at);
    }

    /// Notes that a request was meant for it, and got something else.
    pub(super) fn mean(&mut self, at: usize) {
        self.meant.insert(at);
    }

    /// Lets it be played as if for the first time.
    pub(super) fn renew(&mut self, at: usize) {
        self.spent.remove(&at);
    }

    /// Whether it has not been played since its flow began.
    pub(super) fn is_fresh(&self, at: usize) -> bool {
        !self.spent.contains(&at)
    }

    /// How often it was played.
    pub(super) fn count(&self, at: usize) -> usize {
        self.counts.get(&at).copied().unwrap_or_default()
    }

    /// Whether a client asked for it, be it in vain.
    pub(super) fn was_asked(&self, at: usize) -> bool {
        self.counts.contains_key(&at) || self.meant.contains(&at)
    }
}

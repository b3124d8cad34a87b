//! What one session has played of the repertoire.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashSet};

/// How often each interaction was played, and which of them are spent.
#[derive(Default)]
pub(super) struct Plays {
    counts: HashMap<usize, usize>,
    spent: HashSet<usize>,
    /// Those that a request was meant for which did not fit.
    meant: HashSet<usize>,
    /// Where what is fresh begins in the long lists of the repertoire, by where they lie.
    begins: RefCell<HashMap<(usize, usize), usize>>,
}

impl Plays {
    /// Notes that an interaction was played.
    pub(super) fn play(&mut self, at: usize) {
        *self.counts.entry(at).or_default() += 1;
        self.spent.insert(at);
    }

    /// Notes that it is not waited for, since what came instead leads past it.
    pub(super) fn skip(&mut self, at: usize) {
        self.counts.entry(at).or_insert(1);
        self.spent.insert(at);
    }

    /// Notes that a request was meant for it, and got something else.
    pub(super) fn mean(&mut self, at: usize) {
        self.meant.insert(at);
    }

    /// Lets it be played as if for the first time.
    pub(super) fn renew(&mut self, at: usize) {
        if self.spent.remove(&at) {
            self.begins.get_mut().clear();
        }
    }

    /// How many are spent at the beginning of a list, which lasts as long as this does.
    pub(super) fn spent_of(&self, list: &[usize]) -> usize {
        if list.len() < LONG {
            return 0;
        }
        let mut begins = self.begins.borrow_mut();
        let begin = begins
            .entry((list.as_ptr().addr(), list.len()))
            .or_default();
        while list.get(*begin).is_some_and(|at| !self.is_fresh(*at)) {
            *begin += 1;
        }
        *begin
    }

    /// Whether it has not been played since its flow began.
    pub(super) fn is_fresh(&self, at: usize) -> bool {
        !self.spent.contains(&at)
    }

    /// How often it was played.
    pub(super) fn count(&self, at: usize) -> usize {
        self.counts.get(&at).copied().unwrap_or_default()
    }

    /// What was played again, in order, and how often that was.
    pub(super) fn repeats(&self) -> BTreeMap<usize, usize> {
        let again = |(at, count): (&usize, &usize)| (*at, count.saturating_sub(1));
        let again = self.counts.iter().map(again);
        again.filter(|(_, times)| *times > 0).collect()
    }

    /// What was asked for, be it in vain, in order.
    pub(super) fn asked(&self) -> BTreeSet<usize> {
        self.counts.keys().chain(&self.meant).copied().collect()
    }

    /// Whether a client asked for it, be it in vain.
    pub(super) fn was_asked(&self, at: usize) -> bool {
        self.counts.contains_key(&at) || self.meant.contains(&at)
    }
}

/// A list from which on it is worth while to remember where to begin.
const LONG: usize = 16;

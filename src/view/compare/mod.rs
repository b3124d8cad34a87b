//! Two sessions beside each other, aligned by step: what one does that the other does not.
//!
//! What each run makes anew (secrets, times, numbers of answers, loopback ports) is compared by
//! where it comes from, never by what it is.

mod align;
mod differ;
mod report;
mod source;

use crate::cassette::Cassette;
use crate::diagnose::Contrast;
use crate::oauth::Step;
use crate::view::Scene;
use crate::view::compare::align::{Pair, align};
use crate::view::compare::source::Sources;
use crate::view::part::Place;

/// Two sessions, usually one that works and one that fails, and how they differ.
pub struct Comparison<'a> {
    a: Scene<'a>,
    b: Scene<'a>,
    pairs: Vec<Pair>,
    differences: Vec<Difference>,
}

/// How much a difference matters, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// What is asked of the authorization server.
    Request,
    /// The header fields that decide how that is read.
    Header,
    /// What came of it.
    Answer,
    /// All else.
    Rest,
}

/// One thing that differs.
struct Difference {
    rank: Rank,
    /// Which pair it is of.
    pair: usize,
    /// Where in the message, in the first session and in the second; the whole message or its
    /// first line where that is no part.
    places: [Option<Place>; 2],
    name: String,
    /// What stands there; `None` where nothing does.
    values: [Option<String>; 2],
    /// Where the secrets in them come from.
    sources: [String; 2],
    /// Where the second value parts from the first.
    contrast: Option<Contrast>,
}

impl<'a> Comparison<'a> {
    /// Aligns two sessions and finds where they differ, what matters most first.
    pub fn new(a: &'a Cassette, b: &'a Cassette) -> Self {
        let (a, b) = (Scene::new(a), Scene::new(b));
        let pairs = align(&a.turns, &b.turns);
        let sources = Sources::of([&a, &b], &pairs);
        let numbered = pairs.iter().enumerate();
        let mut differences: Vec<_> = numbered
            .flat_map(|(number, pair)| differ::differences([&a, &b], &sources, (number, *pair)))
            .collect();
        differences.sort_by_key(|difference| (difference.rank, difference.pair));
        Self {
            a,
            b,
            pairs,
            differences,
        }
    }

    /// Whether nothing differs.
    pub fn is_alike(&self) -> bool {
        self.differences.is_empty()
    }

    /// The numbers that the interactions of a pair have.
    fn ids(&self, pair: usize) -> [Option<u64>; 2] {
        let Pair { a, b } = self.pairs[pair];
        let id =
            |scene: &Scene<'_>, at: Option<usize>| at.map(|at| scene.turns[at].interaction.id());
        [id(&self.a, a), id(&self.b, b)]
    }

    fn step(&self, pair: usize) -> Option<Step> {
        let Pair { a, b } = self.pairs[pair];
        let in_a = a.map(|at| &self.a.turns[at]);
        let parts = in_a.or_else(|| b.map(|at| &self.b.turns[at]))?;
        Some(parts.interaction.step())
    }
}

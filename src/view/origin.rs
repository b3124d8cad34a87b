//! Where each secret of a session came from, and where it was sent.

use std::collections::HashMap;

use crate::redact::{Label, cores};
use crate::view::part::{Parts, Side};

/// The messages in which each secret stands, by its label.
pub(super) struct Origins {
    seen: HashMap<Label, Vec<Sighting>>,
    order: Vec<Label>,
}

/// A message in which a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// Which interaction it is, by its place in the cassette.
    pub(super) at: usize,
    pub(super) side: Side,
    /// Which part of the message it is the first in.
    pub(super) part: usize,
}

impl Origins {
    pub(super) fn of(all: &[Parts<'_>]) -> Self {
        let (mut seen, mut order) = (HashMap::<Label, Vec<Sighting>>::new(), Vec::new());
        for (at, parts) in all.iter().enumerate() {
            for side in [Side::Request, Side::Answer] {
                for (part, named) in parts.side(side).iter().enumerate() {
                    for label in cores(&named.value) {
                        let known = seen.entry(label.clone()).or_insert_with(|| {
                            order.push(label);
                            Vec::new()
                        });
                        let is_there = known
                            .last()
                            .is_some_and(|last| (last.at, last.side) == (at, side));
                        if !is_there {
                            known.push(Sighting { at, side, part });
                        }
                    }
                }
            }
        }
        Self { seen, order }
    }

    /// Every secret, by first sight, with the messages in which it stands.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Label, &[Sighting])> {
        let sightings = |label| self.sightings(label);
        self.order
            .iter()
            .map(move |label| (label, sightings(label)))
    }

    /// The message that a secret was first seen in.
    pub(super) fn first(&self, label: &Label) -> Option<Sighting> {
        self.sightings(&label.core()).first().copied()
    }

    fn sightings(&self, label: &Label) -> &[Sighting] {
        self.seen.get(label).map(Vec::as_slice).unwrap_or_default()
    }

    /// Where a secret that stands in a message came from, or where it went from there.
    pub(super) fn note(
        &self,
        label: &Label,
        (at, side): (usize, Side),
        all: &[Parts<'_>],
    ) -> String {
        let sightings = self.sightings(&label.core());
        let Some(first) = sightings.first() else {
            return String::new();
        };
        let id = |sighting: &Sighting| all[sighting.at].interaction.id();
        if (first.at, first.side) != (at, side) {
            let from = id(first);
            return match (first.side, side) {
                (Side::Answer, Side::Request) => format!("issued in {from}"),
                (Side::Request, Side::Answer) => format!("sent in {from}"),
                (Side::Request, Side::Request) => format!("as in {from}"),
                (Side::Answer, Side::Answer) => format!("as issued in {from}"),
            };
        }
        let word = match side {
            Side::Request => "first seen here",
            Side::Answer => "issued here",
        };
        let again = |sighting: &Sighting| {
            if sighting.at == at {
                "its answer".to_owned()
            } else {
                id(sighting).to_string()
            }
        };
        let sightings = sightings[1..].iter().take(LATER_MAX * 2);
        let mut later: Vec<_> = sightings.map(again).collect();
        later.dedup();
        if later.is_empty() {
            return word.to_owned();
        }
        let more = if later.len() > LATER_MAX { ", …" } else { "" };
        later.truncate(LATER_MAX);
        format!("{word}, again in {}{more}", later.join(", "))
    }
}

/// How many of the messages are named in which a secret stands again.
const LATER_MAX: usize = 4;

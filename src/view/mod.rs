//! A session for people's eyes: as a timeline, as a sequence diagram, as a list; and two of them
//! beside each other.
//!
//! [`Scene`] takes a cassette apart once: each message into named parts, each secret to where it
//! came from. [`Scene::timeline`], [`Scene::diagram`] and [`Scene::list`] write that for a
//! terminal, [`Scene::json`] for programs, [`Scene::page`] as a page to be shared and [`Scene::live`] as one that
//! grows; [`Comparison`] aligns two of them step by step. Texts
//! of a cassette pass `ink`, which leaves nothing in them that a terminal would obey.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compare;
mod diagram;
mod ink;
mod json;
mod list;
mod origin;
mod page;
mod part;
mod party;
mod timeline;

pub use compare::Comparison;
pub use page::{EXCHANGES_MAX, live_policy};
pub use part::Place;
pub use party::Party;

use crate::cassette::{Cassette, Header};
use crate::diagnose::report::Look;
use crate::redact::{Interaction, Profile};
use crate::view::ink::{Ink, Tone};
use crate::view::origin::Origins;
use crate::view::part::Parts;

/// A cassette, taken apart to be shown.
pub struct Scene<'a> {
    header: &'a Header,
    turns: Vec<Parts<'a>>,
    origins: Origins,
}

impl<'a> Scene<'a> {
    /// Takes a cassette apart.
    pub fn new(cassette: &'a Cassette) -> Self {
        let turns: Vec<_> = cassette.interactions.iter().map(Parts::of).collect();
        Self {
            header: &cassette.header,
            origins: Origins::of(&turns),
            turns,
        }
    }

    /// How many interactions there are, and how many of them came to nothing.
    fn counts(&self) -> Ink {
        let counts = match self.turns.len() {
            0 => "it holds no interaction".to_owned(),
            1 => "1 interaction".to_owned(),
            count => format!("{count} interactions"),
        };
        let ink = Ink::of(Tone::Plain, &counts);
        match self.turns.iter().filter(|parts| parts.is_failed()).count() {
            0 => ink,
            failed => ink
                .and(Tone::Plain, ", ")
                .and(Tone::Bad, &format!("{failed} failed")),
        }
    }

    /// What stands above the interactions.
    fn head(&self, look: Look) -> String {
        let header = self.header;
        let raw = match header.profile {
            Profile::Raw => ", not redacted",
            _ => "",
        };
        let server = header.server.as_deref().unwrap_or("no server");
        let title = Ink::of(Tone::Head, server).and(
            Tone::Plain,
            &format!(", recorded {}{raw}", header.recorded_at),
        );
        let mutant = header.mutant.iter().flat_map(|mutant| {
            [
                format!("mutant: {}: {}", mutant.kind, mutant.changed),
                format!("  a client {}", mutant.client),
                format!("  see {}", mutant.see),
            ]
        });
        let mutant = mutant.map(|line| Ink::of(Tone::Plain, &line));
        let lines = [title].into_iter().chain(mutant);
        lines
            .flat_map(|ink| ink.lines(look.width))
            .map(|ink| ink.line(look) + "\n")
            .collect()
    }
}

/// What came of an interaction, in a word or two.
fn outcome(interaction: &Interaction) -> String {
    match (interaction.response(), interaction.error()) {
        (Some(response), None) => response.status().to_string(),
        (Some(response), Some(error)) => format!("{} {}", response.status(), error.kind()),
        (None, Some(error)) => error.kind().to_string(),
        (None, None) => "-".to_owned(),
    }
}

/// A time as people read it.
fn seconds(time: std::time::Duration) -> String {
    format!("{:.3}s", time.as_secs_f64())
}

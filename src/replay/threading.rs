//! Threading: cassettes become part of what may be played.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::cassette::{Cassette, Header};
use crate::oauth::Step;
use crate::replay::clock::begun;
use crate::replay::endpoints::Endpoints;
use crate::replay::outline::Outline;
use crate::replay::player::PlayOptions;
use crate::replay::relations::Relations;
use crate::replay::repertoire::{Read, Reel, Repertoire, Track};

impl Repertoire {
    /// Nothing to play yet.
    pub fn new(options: &PlayOptions) -> Self {
        Self {
            options: options.clone(),
            tracks: Vec::new(),
            reels: Vec::new(),
            endpoints: Endpoints::default(),
            refused: Endpoints::default(),
            firsts: Vec::new(),
            once: Vec::new(),
            required: Vec::new(),
            others: Vec::new(),
            is_empty: true,
        }
    }

    /// Adds a cassette with its name, which is told where there are several.
    pub fn add(&mut self, name: String, cassette: Cassette) {
        let begun = begun(&cassette.header);
        let read = cassette.interactions.into_iter();
        let read = read.map(|interaction| {
            let outline = Outline::of(&interaction);
            (
                outline,
                0..0,
                OnceLock::from(Box::new(Read::new(interaction))),
            )
        });
        self.thread((name, begun, String::new()), read.collect());
    }

    /// Adds a cassette of which each interaction is known by its outline, and by where it stands in
    /// the text, from which it is read once it is asked for.
    pub fn add_text(
        &mut self,
        name: String,
        header: &Header,
        text: String,
        entries: Vec<(Range<usize>, Outline)>,
    ) {
        let unread = entries.into_iter();
        let unread = unread.map(|(at, outline)| (outline, at, OnceLock::new()));
        self.thread((name, begun(header), text), unread.collect());
    }

    fn thread(&mut self, (name, begun, text): (String, Option<i64>, String), entries: Vec<Entry>) {
        let (cassette, first) = (self.reels.len(), self.tracks.len());
        let mut relations = Relations::default();
        let mut key_sets = Vec::new();
        for (at, (mut outline, text, read)) in (first..).zip(entries) {
            let before = self.tracks.last().map(|track| &track.method);
            if let Some(method) = before.filter(|method| **method == outline.method) {
                outline.method = Arc::clone(method);
            }
            let step = outline.step;
            if outline.is_our_refusal {
                self.refused.add(cassette, at, &outline);
            } else {
                self.is_empty = false;
                self.endpoints.add(cassette, at, &outline);
                if !step.is_oauth() {
                    self.others.push(at);
                }
                if !step.is_repeatable() {
                    self.once.push(at);
                }
                if is_required(step) && !self.options.allow.unused {
                    self.required.push(at);
                }
            }
            if outline.is_key_set {
                key_sets.push(at);
            }
            if step.is_oauth() && !self.firsts.iter().any(|(known, _)| *known == step) {
                self.firsts.push((step, at));
            }
            self.tracks.push(Track {
                cassette,
                step,
                method: Arc::clone(&outline.method),
                text,
                read,
            });
            relations.add(at, outline);
        }
        self.reels.push(Reel {
            name,
            tracks: first..self.tracks.len(),
            relations,
            begun,
            key_sets,
            keys: OnceLock::new(),
            tape: OnceLock::new(),
            text,
        });
    }
}

/// What an interaction is found by, where it stands, and the interaction itself where it is read.
type Entry = (Outline, Range<usize>, OnceLock<Box<Read>>);

fn is_required(step: Step) -> bool {
    step.is_oauth()
        && !step.is_repeatable()
        && step != Step::LoginPage
        && step != Step::AuthorizationResponse
}

//! Where the recorded requests went, and what each of them said that is no secret.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::redact::{Interaction, Piece, pieces};
use crate::replay::outline::Outline;
use crate::replay::values::{Live, has_label, normal, user};

/// The endpoints of a repertoire, by URL without query.
#[derive(Default)]
pub(super) struct Endpoints {
    literal: HashMap<String, Endpoint>,
    /// Those whose URL holds a label, with their cassette.
    labelled: Vec<Labelled>,
    of_labelled: HashMap<(usize, String), usize>,
}

struct Labelled {
    cassette: usize,
    url: Vec<Piece>,
    endpoint: Endpoint,
}

/// What was asked at one URL, in recorded order.
#[derive(Default)]
pub(super) struct Endpoint {
    all: Vec<usize>,
    shapes: Vec<Shape>,
}

/// Requests that say the same things: the values tell them apart.
struct Shape {
    names: Vec<String>,
    by_values: HashMap<u64, Tracks>,
}

/// The places of tracks in order; most often there is one, and then there may be many of these.
enum Tracks {
    One(usize),
    Many(Vec<usize>),
}

impl Tracks {
    fn push(&mut self, at: usize) {
        match self {
            Self::One(first) => *self = Self::Many(vec![*first, at]),
            Self::Many(all) => all.push(at),
        }
    }

    fn as_slice(&self) -> &[usize] {
        match self {
            Self::One(only) => std::slice::from_ref(only),
            Self::Many(all) => all,
        }
    }
}

impl Endpoints {
    /// Adds a request.
    pub(super) fn add(&mut self, cassette: usize, at: usize, outline: &Outline) {
        let url = outline.url.as_str();
        if !has_label(url) {
            if let Some(endpoint) = self.literal.get_mut(url) {
                return endpoint.add(at, &outline.shaped);
            }
            let endpoint = self.literal.entry(url.to_owned()).or_default();
            return endpoint.add(at, &outline.shaped);
        }
        let place = *self
            .of_labelled
            .entry((cassette, url.to_owned()))
            .or_insert_with(|| {
                self.labelled.push(Labelled {
                    cassette,
                    url: pieces(url),
                    endpoint: Endpoint::default(),
                });
                self.labelled.len() - 1
            });
        self.labelled[place].endpoint.add(at, &outline.shaped);
    }

    /// The endpoints that a live URL, without its query, may be: a label in a recorded one stands
    /// for whatever `accepts` says.
    pub(super) fn at(
        &self,
        url: &str,
        accepts: impl Fn(usize, &[Piece]) -> bool,
    ) -> Vec<&Endpoint> {
        let labelled = self
            .labelled
            .iter()
            .filter(|labelled| accepts(labelled.cassette, &labelled.url))
            .map(|labelled| &labelled.endpoint);
        self.literal.get(url).into_iter().chain(labelled).collect()
    }
}

impl Endpoint {
    fn add(&mut self, at: usize, shaped: &Shaped) {
        self.all.push(at);
        let known = self
            .shapes
            .iter()
            .position(|shape| shape.names == shaped.names);
        let place = known.unwrap_or_else(|| {
            self.shapes.push(Shape {
                names: shaped.names.clone(),
                by_values: HashMap::new(),
            });
            self.shapes.len() - 1
        });
        let by_values = &mut self.shapes[place].by_values;
        let known = by_values.entry(shaped.values);
        known
            .and_modify(|tracks| tracks.push(at))
            .or_insert(Tracks::One(at));
    }

    /// Every request that went there.
    pub(super) fn all(&self) -> &[usize] {
        &self.all
    }

    /// Those requests whose literal values the live one has, with the same method; those that say
    /// more come first.
    pub(super) fn exact(&self, live: &Live<'_>) -> Vec<&[usize]> {
        let found = |shape: &Shape| {
            let values: Option<Vec<String>> = shape
                .names
                .iter()
                .map(|name| live.get(name).map(|value| normal(name, value)))
                .collect();
            let values = fingerprint(&live.said.method, values?.iter().map(String::as_str));
            Some((shape.names.len(), values))
        };
        let mut found: Vec<_> = self
            .shapes
            .iter()
            .filter_map(|shape| {
                let (said, values) = found(shape)?;
                Some((said, shape.by_values.get(&values)?.as_slice()))
            })
            .collect();
        found.sort_by_key(|(said, tracks)| (std::cmp::Reverse(*said), tracks.first().copied()));
        found.into_iter().map(|(_, tracks)| tracks).collect()
    }
}

/// What a recorded request says that is no secret.
pub(super) struct Shaped {
    names: Vec<String>,
    values: u64,
}

/// The names of the parameters that stand for themselves, and their values.
pub(super) fn shaped(interaction: &Interaction) -> Shaped {
    let said = literals(interaction);
    let values = said.iter().map(|(_, value)| value.as_str());
    Shaped {
        values: fingerprint(interaction.request().method(), values),
        names: said.into_iter().map(|(name, _)| name).collect(),
    }
}

/// The parameters of a recorded request that stand for themselves, by name.
fn literals(interaction: &Interaction) -> Vec<(String, String)> {
    let request = interaction.request();
    let mut out: Vec<(String, String)> = Vec::new();
    for params in [request.body_params(), request.query_params()] {
        for param in &params {
            let is_known = out.iter().any(|(name, _)| *name == param.name);
            if !is_known && !has_label(&param.value) {
                out.push((param.name.clone(), normal(&param.name, &param.value)));
            }
        }
    }
    out.extend(user(interaction, &out));
    out.sort();
    out
}

fn fingerprint<'a>(method: &str, values: impl Iterator<Item = &'a str>) -> u64 {
    let mut hash = DefaultHasher::new();
    method.hash(&mut hash);
    values.for_each(|value| value.hash(&mut hash));
    hash.finish()
}

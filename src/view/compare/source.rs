//! Whether two values of two sessions are the same, whatever each run makes anew.

use std::collections::HashMap;

use crate::oauth::Step;
use crate::redact::{Label, Piece, pieces};
use crate::view::Scene;
use crate::view::compare::align::Pair;
use crate::view::origin::Sighting;
use crate::view::part::{Place, Side};

/// Where what each run makes anew comes from, in both sessions.
pub(super) struct Sources<'s, 'a> {
    scenes: [&'s Scene<'a>; 2],
    /// Which pair each interaction is in, where it has a like.
    pairs: [Vec<Option<usize>>; 2],
    /// Where each loopback port was first seen.
    ports: [HashMap<u16, Sighting>; 2],
}

/// What a value is made of.
#[derive(Debug, PartialEq, Eq)]
enum Atom {
    Text(String),
    /// A secret: where it was first seen, and how it differs from that.
    Secret(Option<Source>, String),
    /// The port of a loopback address, which a client may choose anew (RFC 8252 section 7.3).
    Port(Option<Source>),
}

/// The part of a message that something was first seen in.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    step: Step,
    pair: Option<usize>,
    side: Side,
    place: Place,
    name: String,
}

impl<'s, 'a> Sources<'s, 'a> {
    pub(super) fn of(scenes: [&'s Scene<'a>; 2], pairs: &[Pair]) -> Self {
        let numbers = |of: fn(&Pair) -> (Option<usize>, Option<usize>), scene: &Scene<'_>| {
            let mut numbers = vec![None; scene.turns.len()];
            for (number, pair) in pairs.iter().enumerate() {
                if let (Some(own), Some(_)) = of(pair) {
                    numbers[own] = Some(number);
                }
            }
            numbers
        };
        let [a, b] = scenes;
        Self {
            scenes,
            pairs: [
                numbers(|pair| (pair.a, pair.b), a),
                numbers(|pair| (pair.b, pair.a), b),
            ],
            ports: scenes.map(ports),
        }
    }

    /// Whether a value of the first session is that of the second.
    pub(super) fn are_same(&self, a: &str, b: &str) -> bool {
        let is_literal = |text: &str| !text.contains("REDACTED-") && port(text).is_none();
        if is_literal(a) && is_literal(b) {
            return a == b;
        }
        self.atoms(0, a) == self.atoms(1, b)
    }

    fn atoms(&self, which: usize, text: &str) -> Vec<Atom> {
        let mut atoms = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Label(label) => {
                    let suffixes = label.suffixes.iter().map(ToString::to_string);
                    let suffixes: Vec<_> = suffixes.collect();
                    let source = self.source_of(which, &label);
                    atoms.push(Atom::Secret(source, suffixes.join(" ")));
                }
                Piece::Literal(text) => match port(&text) {
                    Some((at, number, end)) => {
                        let first = self.ports[which].get(&number).copied();
                        atoms.push(Atom::Text(text[..at].to_owned()));
                        atoms.push(Atom::Port(first.map(|first| self.source(which, first))));
                        atoms.push(Atom::Text(text[end..].to_owned()));
                    }
                    None => atoms.push(Atom::Text(text)),
                },
            }
        }
        atoms
    }

    fn source_of(&self, which: usize, label: &Label) -> Option<Source> {
        let first = self.scenes[which].origins.first(label)?;
        Some(self.source(which, first))
    }

    fn source(&self, which: usize, first: Sighting) -> Source {
        let parts = &self.scenes[which].turns[first.at];
        let part = &parts.side(first.side)[first.part];
        Source {
            step: parts.interaction.step(),
            pair: self.pairs[which][first.at],
            side: first.side,
            place: part.place,
            name: part.name.to_ascii_lowercase(),
        }
    }
}

fn ports(scene: &Scene<'_>) -> HashMap<u16, Sighting> {
    let mut ports = HashMap::new();
    for (at, parts) in scene.turns.iter().enumerate() {
        for side in [Side::Request, Side::Answer] {
            for (part, named) in parts.side(side).iter().enumerate() {
                if let Some((_, number, _)) = port(&named.value) {
                    ports.entry(number).or_insert(Sighting { at, side, part });
                }
            }
        }
    }
    ports
}

/// The port of the first loopback address of a text, and where it stands.
fn port(text: &str) -> Option<(usize, u16, usize)> {
    let hosts = ["127.0.0.1:", "localhost:", "[::1]:"].iter();
    let at = hosts
        .filter_map(|host| Some(text.find(host)? + host.len()))
        .min()?;
    let rest = &text[at..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((at, rest[..end].parse().ok()?, at + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_loopback_address_is_found() {
        for (text, expected) in [
            ("http://127.0.0.1:51004/cb", Some((17, 51004, 22))),
            ("http://[::1]:8", Some((13, 8, 14))),
            ("http://localhost/cb", None),
            ("http://localhost:x/cb", None),
            ("https://as.example:8443/", None),
        ] {
            assert_eq!(port(text), expected, "{text}");
        }
    }
}

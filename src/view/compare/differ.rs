//! How two interactions of one step differ.

use std::collections::BTreeMap;

use crate::diagnose::Contrast;
use crate::diagnose::report::plain;
use crate::oauth::registry::{HeaderClass, header_class};
use crate::oauth::relation::url_relation;
use crate::oauth::{Step, name};
use crate::redact::{Content, Interaction, cores};
use crate::view::compare::align::Pair;
use crate::view::compare::source::Sources;
use crate::view::compare::{Difference, Rank};
use crate::view::part::{Part, Parts, Place, Side, format_of};
use crate::view::party::Party;
use crate::view::{Scene, outcome};

/// Everything that differs between the two interactions of a pair.
pub(super) fn differences(
    scenes: [&Scene<'_>; 2],
    sources: &Sources<'_, '_>,
    (number, pair): (usize, Pair),
) -> Vec<Difference> {
    let (Some(a), Some(b)) = (pair.a, pair.b) else {
        let told = |scene: &Scene<'_>, at: Option<usize>| at.map(|at| in_short(&scene.turns[at]));
        let values = [told(scenes[0], pair.a), told(scenes[1], pair.b)];
        let mut alone = Difference::of(Rank::Answer, number, "the whole step");
        alone.values = values;
        return vec![alone];
    };
    let mut differ = Differ {
        scenes,
        sources,
        at: [a, b],
        pair: number,
        found: Vec::new(),
    };
    differ.requests();
    differ.facts();
    differ.answers();
    differ.found
}

impl Difference {
    fn of(rank: Rank, pair: usize, name: &str) -> Self {
        Self {
            rank,
            pair,
            places: [None; 2],
            name: name.to_owned(),
            values: [None, None],
            sources: [String::new(), String::new()],
            contrast: None,
        }
    }
}

/// Two interactions, and what was found to differ.
struct Differ<'d> {
    scenes: [&'d Scene<'d>; 2],
    sources: &'d Sources<'d, 'd>,
    /// Which they are.
    at: [usize; 2],
    pair: usize,
    found: Vec<Difference>,
}

type Keyed<'p> = BTreeMap<(Place, String, usize), &'p Part<'p>>;

impl<'d> Differ<'d> {
    fn both(&self) -> [&'d Parts<'d>; 2] {
        [0, 1].map(|which| &self.scenes[which].turns[self.at[which]])
    }

    fn step(&self) -> Step {
        self.both()[0].interaction.step()
    }

    /// The rank of what a request carries.
    fn rank_of_request(&self) -> Rank {
        match Party::of(self.step()) {
            (_, Party::AuthorizationServer) => Rank::Request,
            // What reaches the redirection endpoint is what the server answered.
            (_, Party::Client) => Rank::Answer,
            _ => Rank::Rest,
        }
    }

    fn requests(&mut self) {
        let both = self.both();
        let [a, b] = both.map(|parts| parts.interaction.request());
        let rank = self.rank_of_request();
        self.texts(rank, "method", [a.method(), b.method()]);
        self.texts(rank, "url", [a.url(), b.url()]);
        let formats = [a, b].map(|request| format_of(request.content()));
        self.texts(rank, "body format", [&formats[0], &formats[1]]);
        let is_unseen = [a, b]
            .iter()
            .any(|one| matches!(one.content(), Content::Dropped(_)));
        let ranked = |part: &Part<'_>| match part.place {
            Place::Header => rank_of_header(&part.name),
            Place::Trailer => Some(Rank::Rest),
            Place::Body if is_unseen => None,
            _ => Some(rank),
        };
        self.parts(Side::Request, ranked);
        self.texts(Rank::Rest, "HTTP version", [a.http(), b.http()]);
    }

    fn facts(&mut self) {
        let both = self.both().map(|parts| parts.interaction.facts().words());
        let keys = both.iter().flatten().map(|(key, _)| *key);
        let keys: std::collections::BTreeSet<_> = keys.collect();
        let is_of_time = |key: &&str| key.starts_with("time.") || key.starts_with("page.");
        for key in keys.into_iter().filter(|key| !is_of_time(key)) {
            let word = |words: &Vec<(&'static str, String)>| {
                let mut words = words.iter();
                words
                    .find(|(known, _)| *known == key)
                    .map(|(_, word)| word.clone())
            };
            let values = [word(&both[0]), word(&both[1])];
            if values[0] != values[1] {
                let is_of_answer = key.starts_with("jwt.") || key.starts_with("hash.");
                let rank = if is_of_answer {
                    Rank::Answer
                } else {
                    Rank::Request
                };
                let mut found = Difference::of(rank, self.pair, key);
                found.values = values;
                self.found.push(found);
            }
        }
    }

    fn answers(&mut self) {
        let both = self.both();
        let outcomes = both.map(|parts| outcome(parts.interaction));
        self.texts(Rank::Answer, "status", [&outcomes[0], &outcomes[1]]);
        let has_parted = both[0].is_failed() != both[1].is_failed();
        let targets = both.map(|parts| parts.target.as_deref());
        if let ([Some(a), Some(b)], false) = (targets, has_parted) {
            self.texts(Rank::Answer, "where the browser is sent on to", [a, b]);
        }
        let formats = both.map(|parts| {
            parts
                .interaction
                .response()
                .map(|one| format_of(one.content()))
        });
        if let ([Some(a), Some(b)], false) = (formats, has_parted) {
            self.texts(Rank::Answer, "body format of the answer", [&a, &b]);
        }
        let is_data = matches!(
            self.step(),
            Step::Discovery
                | Step::Jwks
                | Step::ProtectedResourceMetadata
                | Step::Resource
                | Step::Other
        );
        let rank = if is_data { Rank::Rest } else { Rank::Answer };
        let said = [name::ERROR, name::ERROR_DESCRIPTION, name::ERROR_URI];
        let ranked = |part: &Part<'_>| {
            let is_told = match part.place {
                Place::Header => ANSWER_HEADERS.iter().any(|name| part.is_header(name)),
                Place::Trailer => false,
                // That one has a token and the other has none is said by the status.
                _ => !has_parted || said.contains(&&*part.name),
            };
            is_told.then_some(rank)
        };
        self.parts(Side::Answer, ranked);
    }

    /// Compares two texts that each message has.
    fn texts(&mut self, rank: Rank, name: &str, [a, b]: [&str; 2]) {
        if self.sources.are_same(a, b) {
            return;
        }
        let mut found = Difference::of(rank, self.pair, name);
        found.contrast = contrast(a, b);
        found.values = [Some(a.to_owned()), Some(b.to_owned())];
        self.found.push(found);
    }

    /// Compares the parts of a message that have a rank.
    fn parts(&mut self, side: Side, ranked: impl Fn(&Part<'_>) -> Option<Rank>) {
        let both = self.both();
        let [a, b] = both.map(|parts| keyed(parts.side(side), &ranked));
        let mut missing = Vec::new();
        for (key, part) in &a {
            match b.get(key) {
                Some(other) => self.values(side, [part, other], ranked(part)),
                None => missing.push(*part),
            }
        }
        let mut added: Vec<_> = b
            .iter()
            .filter(|(key, _)| !a.contains_key(key))
            .map(|(_, part)| *part)
            .collect();
        for part in missing {
            let moved = added.iter().position(|other| is_moved(part, other));
            let other = moved.map(|at| added.remove(at));
            self.push(side, [Some(part), other], ranked(part));
        }
        for part in added {
            self.push(side, [None, Some(part)], ranked(part));
        }
    }

    fn values(&mut self, side: Side, [a, b]: [&Part<'_>; 2], rank: Option<Rank>) {
        let is_counted = side == Side::Answer || a.place == Place::Jwt;
        let both_count = is_counted && is_number(&a.value) && is_number(&b.value);
        if !both_count && !self.sources.are_same(&a.value, &b.value) {
            self.push(side, [Some(a), Some(b)], rank);
        }
    }

    fn push(&mut self, side: Side, parts: [Option<&Part<'_>>; 2], rank: Option<Rank>) {
        let (Some(named), Some(rank)) = (parts[0].or(parts[1]), rank) else {
            return;
        };
        let source = |which: usize| {
            let Some(part) = parts[which] else {
                return String::new();
            };
            let (origins, at) = (&self.scenes[which].origins, self.at[which]);
            let turns = &self.scenes[which].turns;
            let notes = cores(&part.value).take(NOTES_MAX);
            let notes: Vec<_> = notes
                .map(|label| origins.note(&label, (at, side), turns))
                .collect();
            notes.join("; ")
        };
        let value = |part: &Part<'_>| part.value.clone().into_owned();
        let both = parts[0].zip(parts[1]);
        self.found.push(Difference {
            rank,
            pair: self.pair,
            places: parts.map(|part| part.map(|part| part.place)),
            name: named.title().to_owned(),
            contrast: both.and_then(|(a, b)| contrast(&a.value, &b.value)),
            sources: [source(0), source(1)],
            values: parts.map(|part| part.map(value)),
        });
    }
}

/// The parts that have a rank, each by where it stands, its name, and how many of that came before.
fn keyed<'p>(parts: &'p [Part<'p>], ranked: impl Fn(&Part<'_>) -> Option<Rank>) -> Keyed<'p> {
    let mut keyed = Keyed::new();
    let mut counts = BTreeMap::<(Place, String), usize>::new();
    for part in parts.iter().filter(|part| ranked(part).is_some()) {
        let name = match part.place {
            Place::Header | Place::Trailer => part.name.to_ascii_lowercase(),
            _ => part.name.clone().into_owned(),
        };
        let count = counts.entry((part.place, name.clone())).or_default();
        keyed.insert((part.place, name, *count), part);
        *count += 1;
    }
    keyed
}

/// Whether a parameter stands elsewhere in the other request.
fn is_moved(part: &Part<'_>, other: &Part<'_>) -> bool {
    const PARAMETERS: &[Place] = &[Place::Query, Place::Body, Place::Target, Place::Fragment];
    part.name == other.name && PARAMETERS.contains(&part.place) && PARAMETERS.contains(&other.place)
}

/// Whether it is a number, or a time from the clock of its interaction.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

/// Where the second of two texts parts from the first, if they begin alike; in columns.
fn contrast(a: &str, b: &str) -> Option<Contrast> {
    if cores(a).next().or_else(|| cores(b).next()).is_some() || a.len().max(b.len()) > LONG {
        return None;
    }
    let (a, b) = (plain(a), plain(b));
    if a == b {
        return None;
    }
    let column = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let parts = url_relation(&a, &b);
    let is_url = a.contains("://") && b.contains("://");
    let words = if is_url && !parts.is_empty() {
        let words: Vec<_> = parts
            .iter()
            .map(|part| part.as_str().replace('-', " "))
            .collect();
        words.join(", ")
    } else if column == b.chars().count() {
        "it ends here".to_owned()
    } else if column == a.chars().count() {
        "the first ends here".to_owned()
    } else {
        "they part here".to_owned()
    };
    (column > 0).then_some(Contrast { column, words })
}

fn rank_of_header(name: &str) -> Option<Rank> {
    let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
    let is_volatile = matches!(
        header_class(name),
        Some(HeaderClass::Correlation | HeaderClass::Drop | HeaderClass::Personal)
    );
    match () {
        () if is(REQUEST_HEADERS) => Some(Rank::Header),
        () if is(OF_CONNECTION) || is_volatile => None,
        () => Some(Rank::Rest),
    }
}

/// A request and what came of it, in a line.
fn in_short(parts: &Parts<'_>) -> String {
    let interaction: &Interaction = parts.interaction;
    let request = interaction.request();
    let error = parts.oauth_error().map(|error| format!(" {error}"));
    format!(
        "{} {}, {}{}",
        request.method(),
        request.url(),
        outcome(interaction),
        error.unwrap_or_default()
    )
}

/// The header fields by which a server knows what a request is, and whose.
const REQUEST_HEADERS: &[&str] = &["authorization", "content-type", "dpop"];
/// Those that speak of the connection.
const OF_CONNECTION: &[&str] = &["connection", "content-length", "host", "keep-alive", "te"];
/// Those of an answer that a client reads.
const ANSWER_HEADERS: &[&str] = &["content-type", "retry-after", "www-authenticate"];
const NOTES_MAX: usize = 2;
/// Texts that are longer are not looked through for where they part.
const LONG: usize = 8192;

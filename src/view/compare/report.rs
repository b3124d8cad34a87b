//! What differs between two sessions, written for people and for programs.

use serde_json::{Value, json};

use crate::diagnose::report::{Look, plain};
use crate::oauth::Step;
use crate::view::compare::{Comparison, Difference, Rank};
use crate::view::ink::{Ink, Tone, columns, put};
use crate::view::part::Place;

impl Comparison<'_> {
    /// The differences for a person, under each other, what matters most first.
    pub fn text(&self, names: [&str; 2], look: Look) -> String {
        let mut out = String::new();
        for (letter, (name, scene)) in LETTERS.iter().zip(names.iter().zip([&self.a, &self.b])) {
            let ink = Ink::of(Tone::Head, letter)
                .and(Tone::Plain, &format!("  {name}"))
                .and(Tone::Plain, "  ")
                .with(scene.counts());
            put(&mut out, (0, 3), &ink, look);
        }
        if self.is_alike() {
            let words = "they are alike, but for what every run makes anew";
            put(&mut out, (0, 0), &Ink::of(Tone::Good, words), look);
            return out;
        }
        for rank in RANKS {
            let of_rank: Vec<_> = self
                .differences
                .iter()
                .filter(|one| one.rank == rank)
                .collect();
            if !of_rank.is_empty() {
                put(&mut out, (0, 0), &Ink::default(), look);
                put(&mut out, (0, 2), &Ink::of(Tone::Head, title(rank)), look);
                self.write_rank(&mut out, &of_rank, look);
            }
        }
        out
    }

    fn write_rank(&self, out: &mut String, differences: &[&Difference], look: Look) {
        let mut pair = None;
        for difference in differences.iter().take(SHOWN_MAX) {
            if pair != Some(difference.pair) {
                pair = Some(difference.pair);
                let step = self.step(difference.pair).map(Step::title);
                let [a, b] = self
                    .ids(difference.pair)
                    .map(|id| id.map_or_else(|| "not there".to_owned(), |id| id.to_string()));
                let ink = Ink::of(Tone::Head, &step.unwrap_or_default())
                    .and(Tone::Dim, &format!("  (A {a}, B {b})"));
                put(out, (2, 4), &ink, look);
            }
            difference.write(out, look);
        }
        if differences.len() > SHOWN_MAX {
            let more = differences.len() - SHOWN_MAX;
            let more = format!("… and {more} more, which --json has");
            put(out, (2, 4), &Ink::of(Tone::Dim, &more), look);
        }
    }

    /// The differences for programs: the contract of `diff --json`.
    pub fn json(&self, [a, b]: [&str; 2]) -> String {
        let steps = (0..self.pairs.len()).map(|pair| {
            let [a, b] = self.ids(pair);
            json!({ "step": self.step(pair).map(Step::as_str), "a": a, "b": b })
        });
        let differences = self.differences.iter().map(|difference| {
            let [a, b] = self.ids(difference.pair);
            let place = |place: Option<Place>| place.map(Place::as_str);
            let side = |which: usize, id: Option<u64>| -> Value {
                json!({
                    "interaction": id,
                    "where": place(difference.places[which]),
                    "value": difference.values[which],
                    "source": difference.sources[which],
                })
            };
            json!({
                "rank": word(difference.rank),
                "step": self.step(difference.pair).map(Step::as_str),
                "name": difference.name,
                "kind": difference.kind(),
                "a": side(0, a),
                "b": side(1, b),
                "column": difference.contrast.as_ref().map(|contrast| contrast.column),
            })
        });
        let all = json!({
            "a": a,
            "b": b,
            "alike": self.is_alike(),
            "steps": steps.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
        });
        format!("{all}\n")
    }
}

impl Difference {
    /// In a word: what happened to it on the way from the first session to the second.
    fn kind(&self) -> &'static str {
        match (&self.values, self.places) {
            ([Some(_), None], _) => "missing",
            ([None, Some(_)], _) => "added",
            (_, [Some(a), Some(b)]) if a != b => "moved",
            _ => "changed",
        }
    }

    fn write(&self, out: &mut String, look: Look) {
        let place = self.places[0].or(self.places[1]);
        let place = place.map(|place| format!(" in the {}", in_words(place)));
        let ink = Ink::of(Tone::Plain, &self.name).and(Tone::Plain, &place.unwrap_or_default());
        put(out, (4, 6), &ink, look);
        let room = look.width.saturating_sub(COLUMN);
        for (which, letter) in LETTERS.iter().enumerate() {
            let head = Ink::of(Tone::Dim, &format!("      {letter}  "));
            let value = match (&self.values[which], &self.contrast) {
                (None, _) => Ink::of(Tone::Bad, "(not there)"),
                (Some(value), Some(contrast)) => window(value, contrast.column, room).0,
                (Some(value), None) => Ink::value(value),
            };
            let mut ink = head.with(value);
            if self.kind() == "moved" {
                let place = self.places[which].map(in_words).unwrap_or_default();
                ink = ink.and(Tone::Dim, &format!("  in the {place}"));
            }
            if !self.sources[which].is_empty() {
                ink = ink.and(Tone::Dim, &format!("  {}", self.sources[which]));
            }
            put_value(out, &ink, look);
        }
        if let ([_, Some(b)], Some(contrast)) = (&self.values, &self.contrast) {
            let (_, before) = window(b, contrast.column, room);
            let words = columns(&contrast.words);
            let is_left = before + 2 + words > room && before > words;
            let caret = if is_left {
                format!("{}{} ^", " ".repeat(before - words - 1), contrast.words)
            } else {
                format!("{}^ {}", " ".repeat(before), contrast.words)
            };
            let ink = Ink::of(Tone::Plain, &" ".repeat(COLUMN)).and(Tone::Bad, &caret);
            put_value(out, &ink, look);
        }
    }
}

/// Writes what stands in the column of values.
fn put_value(out: &mut String, ink: &Ink, look: Look) {
    let next = look.width.saturating_sub(COLUMN);
    for (at, line) in ink.broken(look.width, next).iter().enumerate() {
        let indent = if at == 0 { 0 } else { COLUMN };
        out.push_str(&" ".repeat(indent));
        out.push_str(&line.line(look));
        out.push('\n');
    }
}

/// What can be seen of a text around a column, and how many columns of that are before it.
fn window(text: &str, column: usize, room: usize) -> (Ink, usize) {
    let text: Vec<char> = plain(text).chars().collect();
    let wide = |chars: &[char]| columns(&chars.iter().collect::<String>());
    if wide(&text) <= room {
        let whole: String = text.iter().collect();
        return (
            Ink::of(Tone::Plain, &whole),
            wide(&text[..column.min(text.len())]),
        );
    }
    let from = column.saturating_sub(room / 2);
    let mut end = text.len().min(from + room);
    let cut = |end: usize| wide(&text[from..end]) + 2 > room;
    while end > from && cut(end) {
        end -= 1;
    }
    let before = if from > 0 { "…" } else { "" };
    let behind = if end < text.len() { "…" } else { "" };
    let seen: String = text[from..end].iter().collect();
    let ink = Ink::of(Tone::Dim, before)
        .and(Tone::Plain, &seen)
        .and(Tone::Dim, behind);
    let column = column.clamp(from, end);
    (ink, columns(before) + wide(&text[from..column]))
}

fn word(rank: Rank) -> &'static str {
    match rank {
        Rank::Request => "request",
        Rank::Header => "header",
        Rank::Answer => "answer",
        Rank::Rest => "rest",
    }
}

fn title(rank: Rank) -> &'static str {
    match rank {
        Rank::Request => "What the authorization server is asked",
        Rank::Header => "The header fields that matter",
        Rank::Answer => "What came back",
        Rank::Rest => "The rest",
    }
}

fn in_words(place: Place) -> &'static str {
    match place {
        Place::Query => "query",
        Place::Header => "header",
        Place::Basic => "Basic credentials",
        Place::Body => "body",
        Place::Target => "query of the redirect",
        Place::Fragment => "fragment of the redirect",
        Place::Jwt => "JWT",
        Place::Page => "page",
        Place::Trailer => "trailer",
    }
}

const RANKS: [Rank; 4] = [Rank::Request, Rank::Header, Rank::Answer, Rank::Rest];
const LETTERS: [&str; 2] = ["A", "B"];
/// Where values stand.
const COLUMN: usize = 9;
/// How many differences of a rank are written.
const SHOWN_MAX: usize = 40;

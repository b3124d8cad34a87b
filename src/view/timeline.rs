//! A session as a timeline: each request with what it carried, and what came back.

use std::time::Duration;

use crate::diagnose::report::{Look, in_words};
use crate::oauth::{Step, name};
use crate::redact::{Content, cores};
use crate::view::ink::{Ink, Tone, columns, put};
use crate::view::part::{Part, Place, Side, format_of};
use crate::view::party::Party;
use crate::view::{Scene, seconds};

impl Scene<'_> {
    /// Each interaction with what it carried, and where its secrets come from and go to.
    pub fn timeline(&self, look: Look) -> String {
        let mut out = self.head(look);
        put(&mut out, (0, 0), &self.counts(), look);
        let mut before = None;
        for at in 0..self.turns.len() {
            out.push('\n');
            self.write(&mut out, at, before, look);
            before = Some(self.turns[at].interaction.at());
        }
        out
    }

    fn write(&self, out: &mut String, at: usize, before: Option<Duration>, look: Look) {
        let parts = &self.turns[at];
        let interaction = parts.interaction;
        let (from, to) = Party::of(interaction.step());
        let mut time = seconds(interaction.at());
        if let Some(waited) = before.and_then(|before| interaction.at().checked_sub(before)) {
            time = format!("{time}, {} later", seconds(waited));
        }
        let head = Ink::of(
            Tone::Head,
            &format!("{} {}", interaction.id(), interaction.step().title()),
        )
        .and(Tone::Plain, &format!("  {from} to {to}"))
        .and(Tone::Dim, &format!("  {time}"));
        put(out, (0, 2), &head, look);
        let request = interaction.request();
        let asked = Ink::of(Tone::Dim, "> ")
            .and(Tone::Head, request.method())
            .and(Tone::Plain, " ")
            .with(Ink::value(request.url()));
        put(out, (2, 4), &asked, look);
        self.table(out, (at, Side::Request), look);
        note_body(out, request.content(), look);
        self.write_answer(out, at, look);
        let facts = interaction.facts().words();
        if !facts.is_empty() {
            let facts: Vec<_> = facts
                .iter()
                .map(|(key, word)| format!("{key} {word}"))
                .collect();
            let facts = Ink::of(Tone::Dim, "! ").and(Tone::Plain, &facts.join(", "));
            put(out, (2, 4), &facts, look);
        }
    }

    fn write_answer(&self, out: &mut String, at: usize, look: Look) {
        let parts = &self.turns[at];
        let interaction = parts.interaction;
        if let Some(response) = interaction.response() {
            let tone = if parts.is_failed() {
                Tone::Bad
            } else {
                Tone::Good
            };
            let mut ink = Ink::of(Tone::Dim, "< ").and(tone, &response.status().to_string());
            if let Some(error) = parts.oauth_error() {
                ink = ink.and(Tone::Plain, " ").and(Tone::Bad, error);
            }
            if let Some(target) = &parts.target {
                ink = ink.and(Tone::Plain, ", on to ").with(Ink::value(target));
            }
            ink = ink.and(Tone::Dim, &format!("  after {}", seconds(response.after())));
            put(out, (2, 4), &ink, look);
            self.table(out, (at, Side::Answer), look);
            note_body(out, response.content(), look);
        }
        if let Some(error) = interaction.error() {
            let words = format!(
                "{} ({} during {}, after {})",
                in_words(error.kind()),
                error.kind(),
                error.phase().as_str().replace('_', " "),
                seconds(error.after())
            );
            let ink = Ink::of(Tone::Dim, "x ").and(Tone::Bad, &words);
            put(out, (2, 4), &ink, look);
        } else if interaction.response().is_none() {
            put(
                out,
                (2, 4),
                &Ink::of(Tone::Dim, "x no answer is recorded"),
                look,
            );
        }
    }

    /// The parts of a message that matter, under each other.
    fn table(&self, out: &mut String, (at, side): (usize, Side), look: Look) {
        let step = self.turns[at].interaction.step();
        let parts = self.turns[at].side(side);
        let told: Vec<_> = parts
            .iter()
            .filter(|part| matters(part, (step, side)))
            .collect();
        let width = |part: &&Part<'_>| columns(part.title());
        let widest = told.iter().map(width).max().unwrap_or_default();
        let widest = widest.min(look.width / 3);
        let mut place = None;
        for part in told.iter().take(PARTS_MAX) {
            let word = if place == Some(part.place) {
                ""
            } else {
                part.place.as_str()
            };
            place = Some(part.place);
            let row = Row {
                head: format!("    {word:<9}"),
                name: part.title(),
                widest,
            };
            let notes = cores(&part.value).take(NOTES_MAX);
            let notes = notes.map(|label| self.origins.note(&label, (at, side), &self.turns));
            let notes: Vec<_> = notes.filter(|note| !note.is_empty()).collect();
            row.write(out, &Ink::value(&part.value), &notes.join("; "), look);
        }
        if told.len() > PARTS_MAX {
            let more = format!("    … and {} more", told.len() - PARTS_MAX);
            put(out, (0, 4), &Ink::of(Tone::Dim, &more), look);
        }
    }
}

/// A row of a table: where, what it is called, and the width that names have.
struct Row<'a> {
    head: String,
    name: &'a str,
    widest: usize,
}

impl Row<'_> {
    fn write(&self, out: &mut String, value: &Ink, note: &str, look: Look) {
        let column = columns(&self.head) + self.widest + 2;
        let is_narrow = column > look.width / 2;
        let head = Ink::of(Tone::Dim, &self.head).and(Tone::Plain, self.name);
        let column = if is_narrow { 6 } else { column };
        let mut lines = value.lines(look.width.saturating_sub(column));
        if !note.is_empty() {
            let note = Ink::of(Tone::Dim, note);
            let last = lines.last().map_or(0, Ink::width);
            match lines.last_mut() {
                Some(line) if column + last + 2 + note.width() <= look.width => {
                    *line = std::mem::take(line).and(Tone::Plain, "  ").with(note);
                }
                _ => lines.extend(note.lines(look.width.saturating_sub(column))),
            }
        }
        let is_over = head.width() + 2 > column;
        let mut head = head;
        if is_narrow || is_over {
            put(out, (0, 6), &std::mem::take(&mut head), look);
        }
        for line in lines {
            let blanks = column.saturating_sub(head.width());
            let line = std::mem::take(&mut head)
                .and(Tone::Plain, &" ".repeat(blanks))
                .with(line);
            out.push_str(&line.line(look));
            out.push('\n');
        }
    }
}

/// Says of a body what its parts do not.
fn note_body(out: &mut String, content: Content<'_>, look: Look) {
    let size = match content {
        Content::Dropped(dropped) => format!(", {} bytes at most", dropped.size),
        Content::Empty => String::new(),
        _ => return,
    };
    let words = format!("{}{size}", format_of(content));
    let ink = Ink::of(Tone::Dim, "    body     ").and(Tone::Plain, &words);
    put(out, (0, 13), &ink, look);
}

/// Whether a part is of use to who reads a session: header fields are not, but for a few.
pub(super) fn matters(part: &Part<'_>, (step, side): (Step, Side)) -> bool {
    match part.place {
        Place::Header => {
            let is_expected = side == Side::Answer
                && part.is_header("content-type")
                && part.value.contains("json");
            !is_expected && HEADERS.iter().any(|name| part.is_header(name))
        }
        // What a server can do is read where it is looked for, and keys nowhere.
        Place::Body if side == Side::Answer && matches!(step, Step::Discovery | Step::Jwks) => {
            part.name == name::ISSUER || part.name.ends_with("_endpoint")
        }
        _ => true,
    }
}

/// The header fields that are shown.
const HEADERS: &[&str] = &[
    "authorization",
    "content-type",
    "dpop",
    "dpop-nonce",
    "retry-after",
    "www-authenticate",
];
/// How many parts of a message, and how many secrets of a part, are shown.
const PARTS_MAX: usize = 60;
const NOTES_MAX: usize = 2;

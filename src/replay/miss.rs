//! A miss: no recorded interaction answers, and why, by names and never by a live value.

use std::sync::Arc;

use crate::model::Response;
use crate::oauth::name;
use crate::redact::quote;

/// A request that no recorded interaction answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Miss {
    /// The request: its method and URL, without its query.
    pub asked: String,
    /// The session that it belongs to, where that has a name.
    pub session: Option<Arc<str>>,
    /// What is wrong, in one sentence.
    pub reason: String,
    /// The step that the cassette would have played next.
    pub expected: Option<String>,
    /// The interaction that comes nearest.
    pub nearest: Option<String>,
    /// The parts that differ from it.
    pub differs: Vec<String>,
}

impl Miss {
    /// The answer that the client gets: 501, which no usual retry list holds.
    pub fn response(&self) -> Response {
        let text = |key: &str, value: Option<&str>| {
            value.map(|value| format!("{}:{}", quote(key), quote(value)))
        };
        let differs: Vec<_> = self.differs.iter().map(|part| quote(part)).collect();
        let members = [
            text(name::ERROR, Some("authtape_miss")),
            text(name::ERROR_DESCRIPTION, Some(&self.reason)),
            text("expected", self.expected.as_deref()),
            text("nearest", self.nearest.as_deref()),
            Some(format!("\"differs\":[{}]", differs.join(","))),
        ];
        let members: Vec<_> = members.into_iter().flatten().collect();
        let header: String = self
            .reason
            .chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .take(200)
            .collect();
        Response::new(501, format!("{{{}}}\n", members.join(",")))
            .with("Content-Type", "application/json")
            .with("Cache-Control", "no-store")
            .with("authtape-miss", header)
    }

    /// The lines for a person.
    pub fn lines(&self) -> Vec<String> {
        let session = self.session.as_ref();
        let session = session.map(|name| format!(" in session {name}"));
        let mut lines = vec![
            format!("miss{}: {}", session.unwrap_or_default(), self.asked),
            format!("  {}", self.reason),
        ];
        let expected = self
            .expected
            .iter()
            .filter(|expected| Some(*expected) != self.nearest.as_ref());
        lines.extend(expected.map(|expected| format!("  expected  {expected}")));
        lines.extend(
            self.nearest
                .iter()
                .map(|nearest| format!("  nearest   {nearest}")),
        );
        let differs = self
            .differs
            .iter()
            .filter(|part| !self.reason.ends_with(*part));
        lines.extend(differs.map(|part| format!("  differs   {part}")));
        lines
    }
}

/// How a play went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many requests were answered from tape.
    pub played: usize,
    /// Requests that were not on tape, in order, up to a thousand.
    pub misses: Vec<Miss>,
    /// Requests that a recorded server would have refused, in order, up to a thousand: what was
    /// wrong with each.
    pub refused: Vec<String>,
    /// How many more there were of both.
    pub untold: usize,
    /// Recorded steps that the client never asked for.
    pub unplayed: Vec<String>,
    /// Recorded steps that it asked for again, and how often.
    pub extra: Vec<(String, usize)>,
    /// What differs and is no fault, each once: parameters that no standard knows.
    pub notes: Vec<String>,
    /// The faults that were asked for, and how often each was done.
    pub faults: Vec<(String, u32)>,
    /// Whether there was nothing to play.
    pub is_empty: bool,
    /// How many sessions there were.
    pub sessions: usize,
}

impl Report {
    pub(super) fn note_miss(&mut self, miss: Miss) {
        if self.misses.len() < TOLD_MAX {
            self.misses.push(miss);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn note_refused(&mut self, refused: String) {
        if self.refused.len() < TOLD_MAX {
            self.refused.push(refused);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < TOLD_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Counts what another session did.
    pub(super) fn add(&mut self, other: Self) {
        self.played += other.played;
        self.untold += other.untold;
        other
            .misses
            .into_iter()
            .for_each(|miss| self.note_miss(miss));
        let refused = other.refused.into_iter();
        refused.for_each(|refused| self.note_refused(refused));
        self.unplayed.extend(other.unplayed);
        let room = TOLD_MAX.saturating_sub(self.extra.len());
        self.extra.extend(other.extra.into_iter().take(room));
        other.notes.into_iter().for_each(|note| self.note(note));
        for (fault, done) in other.faults {
            match self.faults.iter_mut().find(|(known, _)| *known == fault) {
                Some((_, times)) => *times = times.saturating_add(done),
                None => self.faults.push((fault, done)),
            }
        }
    }

    /// Whether every request was on tape and every required step was played; where nothing was
    /// played at all, the client may have gone round the proxy.
    pub fn is_clean(&self) -> bool {
        let was_asked = self.played > 0 || self.faults_done() > 0;
        let is_complete = self.unplayed.is_empty() && (was_asked || self.is_empty);
        self.misses.is_empty() && self.refused.is_empty() && is_complete
    }

    /// Whether nobody asked for anything.
    pub fn is_untouched(&self) -> bool {
        self.played == 0
            && self.misses.is_empty()
            && self.refused.is_empty()
            && self.faults_done() == 0
    }

    fn faults_done(&self) -> usize {
        let done = self.faults.iter().map(|(_, done)| *done as usize);
        done.sum()
    }

    /// How many of each, in one line.
    pub fn counts(&self) -> String {
        let others = [
            (self.misses.len(), "missed"),
            (self.refused.len(), "refused"),
            (self.untold, "more of these"),
            (self.unplayed.len(), "never asked for"),
            (self.faults_done(), "with a fault"),
        ];
        let others = others.iter().filter(|(count, _)| *count > 0);
        let others: String = others
            .map(|(count, what)| format!(", {count} {what}"))
            .collect();
        let sessions = match self.sessions {
            0 | 1 => String::new(),
            several => format!(" in {several} sessions"),
        };
        format!("{} played{sessions}{others}", self.played)
    }

    /// The lines for a person; the first miss leads.
    pub fn lines(&self) -> Vec<String> {
        let misses = self.misses.iter().flat_map(Miss::lines);
        misses.chain(self.other_lines()).collect()
    }

    /// The lines for a person who was told of the misses as they came.
    pub fn other_lines(&self) -> Vec<String> {
        let refused = self.refused.iter().map(|why| format!("refused: {why}"));
        let unplayed = self.unplayed.iter();
        let extra = |(step, times): &(String, usize)| match times {
            1 => format!("asked for once more: {step}"),
            times => format!("asked for {times} times more: {step}"),
        };
        let fault = |(fault, done): &(String, u32)| match done {
            0 => format!("fault never due: {fault}"),
            1 => format!("fault done once: {fault}"),
            done => format!("fault done {done} times: {fault}"),
        };
        refused
            .chain(unplayed.map(|step| format!("never asked for: {step}")))
            .chain(self.extra.iter().map(extra))
            .chain(self.notes.iter().map(|note| format!("note: {note}")))
            .chain(self.faults.iter().map(fault))
            .collect()
    }

    /// The report as a JSON object.
    pub fn json(&self) -> String {
        let list = |texts: &[String]| {
            texts
                .iter()
                .map(|text| quote(text))
                .collect::<Vec<_>>()
                .join(",")
        };
        let miss = |miss: &Miss| {
            let optional = |value: Option<&str>| value.map_or_else(|| "null".to_owned(), quote);
            format!(
                "{{\"asked\":{},\"session\":{},\"reason\":{},\"expected\":{},\"nearest\":{},\"differs\":[{}]}}",
                quote(&miss.asked),
                optional(miss.session.as_deref()),
                quote(&miss.reason),
                optional(miss.expected.as_deref()),
                optional(miss.nearest.as_deref()),
                list(&miss.differs),
            )
        };
        let extra = |(step, times): &(String, usize)| {
            format!("{{\"step\":{},\"times\":{times}}}", quote(step))
        };
        let fault = |(fault, done): &(String, u32)| {
            format!("{{\"fault\":{},\"done\":{done}}}", quote(fault))
        };
        format!(
            "{{\"clean\":{},\"sessions\":{},\"played\":{},\"misses\":[{}],\"refused\":[{}],\"untold\":{},\"unplayed\":[{}],\"extra\":[{}],\"notes\":[{}],\"faults\":[{}]}}",
            self.is_clean(),
            self.sessions,
            self.played,
            self.misses.iter().map(miss).collect::<Vec<_>>().join(","),
            list(&self.refused),
            self.untold,
            list(&self.unplayed),
            self.extra.iter().map(extra).collect::<Vec<_>>().join(","),
            list(&self.notes),
            self.faults.iter().map(fault).collect::<Vec<_>>().join(","),
        )
    }
}

/// A client that asks again and again must not fill the memory.
pub(super) const TOLD_MAX: usize = 1_000;

//! A session as a sequence diagram: a lane for each party, an arrow for each message.

use crate::diagnose::report::{Look, in_words};
use crate::oauth::name;
use crate::redact::cores;
use crate::view::ink::{Ink, Tone};
use crate::view::part::{Part, Parts, Place, Side};
use crate::view::party::Party;
use crate::view::timeline::matters;
use crate::view::{Scene, seconds};

impl Scene<'_> {
    /// A lane for each party, an arrow for each message; where the lanes have no room, the arrows
    /// stand under each other in words.
    pub fn diagram(&self, look: Look) -> String {
        let mut out = self.head(look);
        let parties = self.parties();
        match Lanes::of(&parties, look) {
            Some(lanes) => {
                out.push('\n');
                lanes.write_head(&mut out, &self.hosts(&parties));
                for parts in &self.turns {
                    lanes.write(&mut out, parts);
                }
            }
            None => self
                .turns
                .iter()
                .for_each(|parts| write_in_words(&mut out, parts, look)),
        }
        out
    }

    /// Who takes part, in the order of the lanes.
    pub(super) fn parties(&self) -> Vec<Party> {
        let mut there = Vec::new();
        for parts in &self.turns {
            let (from, to) = Party::of(parts.interaction.step());
            let comes_back = parts.target.is_some().then_some(Party::Client);
            there.extend([from, to].into_iter().chain(comes_back));
        }
        let all = Party::ALL.iter().copied();
        all.filter(|party| there.contains(party)).collect()
    }

    /// The hosts that a party is asked at.
    pub(super) fn hosts(&self, parties: &[Party]) -> Vec<(Party, String)> {
        let hosts_of = |party: Party| {
            let mut hosts = Vec::new();
            for parts in &self.turns {
                let (_, to) = Party::of(parts.interaction.step());
                let url = (to == party).then(|| parts.interaction.request().parsed_url());
                if let Some(url) = url.flatten()
                    && !hosts.contains(&url.authority())
                    && hosts.len() <= HOSTS_MAX
                {
                    hosts.push(url.authority());
                }
            }
            if hosts.len() > HOSTS_MAX {
                hosts.truncate(HOSTS_MAX);
                hosts.push("…".to_owned());
            }
            hosts.join(", ")
        };
        parties
            .iter()
            .map(|party| (*party, hosts_of(*party)))
            .collect()
    }
}

/// Where the lanes stand.
struct Lanes<'a> {
    parties: &'a [Party],
    /// The columns between two of them.
    gap: usize,
    look: Look,
}

impl<'a> Lanes<'a> {
    /// `None` where they would be too near to each other.
    fn of(parties: &'a [Party], look: Look) -> Option<Self> {
        let gaps = parties.len().saturating_sub(1);
        let room = look.width.saturating_sub(LAST);
        let gap = room.checked_div(gaps)?.min(GAP_MAX);
        (gap >= GAP_MIN).then_some(Self { parties, gap, look })
    }

    fn of_party(&self, party: Party) -> usize {
        let found = self.parties.iter().position(|known| *known == party);
        found.unwrap_or_default()
    }

    fn write_head(&self, out: &mut String, hosts: &[(Party, String)]) {
        let name = |(party, _): &(Party, String)| Ink::of(Tone::Head, party.as_str());
        let host = |(_, host): &(Party, String)| Ink::of(Tone::Dim, host);
        let names: Vec<_> = hosts.iter().map(name).collect();
        let hosts: Vec<_> = hosts.iter().map(host).collect();
        self.write_cells(out, &names);
        self.write_cells(out, &hosts);
    }

    /// A cell at each lane, as high as the highest.
    fn write_cells(&self, out: &mut String, cells: &[Ink]) {
        let last = cells.len().saturating_sub(1);
        let room = |at: usize| if at == last { LAST } else { self.gap - 2 };
        let cells: Vec<_> = cells
            .iter()
            .enumerate()
            .map(|(at, ink)| ink.lines(room(at)))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        for row in 0..height {
            let mut line = Ink::default();
            for (at, cell) in cells.iter().enumerate() {
                let blanks = (at * self.gap).saturating_sub(line.width());
                let ink = cell.get(row).cloned().unwrap_or_default();
                line = line.and(Tone::Plain, &" ".repeat(blanks)).with(ink);
            }
            self.put(out, &line);
        }
    }

    fn write(&self, out: &mut String, parts: &Parts<'_>) {
        let (from, to) = Party::of(parts.interaction.step());
        let (from, to) = (self.of_party(from), self.of_party(to));
        self.put(out, &self.between(0, 0, Ink::default()));
        self.write_text(out, (from, to), &title(parts));
        self.write_text(out, (from, to), &carried(parts, Side::Request, ASKED));
        self.write_arrow(out, (from, to), parts.interaction.response().is_none());
        if let Some(answer) = answer(parts) {
            self.write_text(out, (to, from), &answer);
            self.write_text(out, (to, from), &carried(parts, Side::Answer, ANSWERED));
            self.write_arrow(out, (to, from), false);
        }
        if let Some(failure) = failure(parts) {
            self.write_text(out, (from, to), &failure);
        }
        let client = self.of_party(Party::Client);
        if let Some(target) = &parts.target
            && is_sent_on(parts)
            && client != from
        {
            let ink = Ink::of(Tone::Plain, "on to ").with(Ink::value(target));
            self.write_text(out, (from, client), &ink);
            let answer = carried(parts, Side::Answer, SENT_ON);
            self.write_text(out, (from, client), &answer);
            self.write_arrow(out, (from, client), false);
        }
    }

    fn write_text(&self, out: &mut String, (from, to): (usize, usize), ink: &Ink) {
        if ink.width() == 0 {
            return;
        }
        let (left, right) = (from.min(to), from.max(to));
        let room = (right - left) * self.gap - 3;
        for line in ink.lines(room) {
            self.put(
                out,
                &self.between(left, right, Ink::of(Tone::Plain, " ").with(line)),
            );
        }
    }

    fn write_arrow(&self, out: &mut String, (from, to): (usize, usize), is_cut: bool) {
        let (left, right) = (from.min(to), from.max(to));
        let room = (right - left) * self.gap - 1;
        let shaft = "─".repeat(room - 1);
        let (tone, arrow) = match (from < to, is_cut) {
            (true, false) => (Tone::Plain, format!("{shaft}>")),
            (false, false) => (Tone::Plain, format!("<{shaft}")),
            (true, true) => (Tone::Bad, format!("{shaft}x")),
            (false, true) => (Tone::Bad, format!("x{shaft}")),
        };
        self.put(out, &self.between(left, right, Ink::of(tone, &arrow)));
    }

    /// A line with all lanes, but for those that what stands between two of them crosses.
    fn between(&self, left: usize, right: usize, ink: Ink) -> Ink {
        let mut line = Ink::default();
        let mut ink = Some(ink);
        for at in 0..self.parties.len() {
            if at > left && at < right {
                continue;
            }
            let blanks = (at * self.gap).saturating_sub(line.width());
            line = line.and(Tone::Dim, &format!("{}│", " ".repeat(blanks)));
            if at == left {
                line = line.with(ink.take().unwrap_or_default());
            }
        }
        line
    }

    fn put(&self, out: &mut String, line: &Ink) {
        out.push_str(line.line(self.look).trim_end());
        out.push('\n');
    }
}

fn title(parts: &Parts<'_>) -> Ink {
    let interaction = parts.interaction;
    let request = interaction.request();
    let path = request.parsed_url().map(|url| url.path);
    let path = path.as_deref().unwrap_or_else(|| request.url());
    Ink::of(
        Tone::Head,
        &format!("{} {}", interaction.id(), interaction.step().title()),
    )
    .and(Tone::Dim, &format!("  {}  ", seconds(interaction.at())))
    .and(Tone::Plain, &format!("{} ", request.method()))
    .with(Ink::value(path))
}

fn answer(parts: &Parts<'_>) -> Option<Ink> {
    let response = parts.interaction.response()?;
    let tone = if parts.is_failed() {
        Tone::Bad
    } else {
        Tone::Good
    };
    let mut ink = Ink::of(tone, &response.status().to_string());
    if let Some(error) = parts.oauth_error() {
        ink = ink.and(tone, " ").and(tone, error);
    }
    if let Some(description) = parts.answered(name::ERROR_DESCRIPTION) {
        ink = ink.and(Tone::Plain, ": ").with(Ink::value(description));
    }
    Some(ink)
}

fn failure(parts: &Parts<'_>) -> Option<Ink> {
    let error = parts.interaction.error()?;
    let words = format!("{} ({})", in_words(error.kind()), error.kind());
    Some(Ink::of(Tone::Bad, &words))
}

/// Whether the browser is sent on to the client, and does not come there in a message of its own.
fn is_sent_on(parts: &Parts<'_>) -> bool {
    let names = [
        name::CODE,
        name::ERROR,
        name::ACCESS_TOKEN,
        name::ID_TOKEN,
        name::RESPONSE,
    ];
    let is_response =
        |part: &Part<'_>| SENT_ON.contains(&part.place) && names.contains(&&*part.name);
    parts.answer.iter().any(is_response)
}

/// What a message carries at these places: names, and the secrets by their labels.
fn carried(parts: &Parts<'_>, side: Side, places: &[Place]) -> Ink {
    let told = [name::ERROR, name::ERROR_DESCRIPTION];
    let step = parts.interaction.step();
    let carries = |part: &&Part<'_>| {
        places.contains(&part.place)
            && (part.place != Place::Header || part.is_header("authorization"))
            && matters(part, (step, side))
            && !(side == Side::Answer && told.contains(&&*part.name))
    };
    let mut all = parts.side(side).iter().filter(carries);
    let mut ink = Ink::default();
    for (at, part) in all.by_ref().take(CARRIED_MAX).enumerate() {
        if at > 0 {
            ink = ink.and(Tone::Plain, ", ");
        }
        let mut labels = cores(&part.value);
        ink = match (labels.next(), labels.next()) {
            (Some(label), None) if label.kind == *part.name && !part.value.contains(' ') => {
                ink.with(Ink::value(&part.value))
            }
            (Some(_), _) => ink
                .and(Tone::Plain, &format!("{} ", part.title()))
                .with(Ink::value(&part.value)),
            (None, _) => ink.and(Tone::Plain, part.title()),
        };
    }
    if all.next().is_some() {
        ink = ink.and(Tone::Dim, ", …");
    }
    ink
}

fn write_in_words(out: &mut String, parts: &Parts<'_>, look: Look) {
    let (from, to) = Party::of(parts.interaction.step());
    let mut line = |indent: usize, ink: Ink| {
        for line in ink.lines(look.width.saturating_sub(indent)) {
            out.push_str(&" ".repeat(indent));
            out.push_str(&line.line(look));
            out.push('\n');
        }
    };
    line(0, Ink::default());
    line(0, title(parts));
    let arrow = |from: Party, to: Party| Ink::of(Tone::Plain, &format!("{from} ──> {to}: "));
    let asked = carried(parts, Side::Request, ASKED);
    line(2, arrow(from, to).with(asked));
    if let Some(answer) = answer(parts) {
        let told = carried(parts, Side::Answer, ANSWERED);
        line(
            2,
            arrow(to, from)
                .with(answer)
                .and(Tone::Plain, " ")
                .with(told),
        );
    }
    if let Some(failure) = failure(parts) {
        line(2, failure);
    }
    if let Some(target) = parts.target.as_ref().filter(|_| is_sent_on(parts)) {
        let told = carried(parts, Side::Answer, SENT_ON);
        let ink = arrow(Party::Browser, Party::Client).with(told);
        line(2, ink.and(Tone::Plain, " at ").with(Ink::value(target)));
    }
}

/// Where what a message carries stands.
const ASKED: &[Place] = &[Place::Query, Place::Body, Place::Basic, Place::Header];
const ANSWERED: &[Place] = &[Place::Body, Place::Page];
const SENT_ON: &[Place] = &[Place::Target, Place::Fragment];
/// The columns that the last lane's name has room for.
const LAST: usize = 22;
/// How near to each other two lanes may be, and how far from each other.
const GAP_MIN: usize = 24;
const GAP_MAX: usize = 56;
const HOSTS_MAX: usize = 3;
const CARRIED_MAX: usize = 24;

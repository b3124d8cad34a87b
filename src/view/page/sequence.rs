//! The sequence diagram of the page: a lane for each party, an arrow for each message.

use maud::{Markup, html};

use crate::diagnose::report::plain;
use crate::view::part::Parts;
use crate::view::party::Party;
use crate::view::{Scene, outcome};

impl Scene<'_> {
    /// The diagram; each arrow leads to its exchange.
    pub(super) fn sequence(&self) -> Markup {
        let parties = self.parties();
        let shown = self.turns.len().min(TURNS_MAX);
        let lane = |party: Party| {
            let at = parties.iter().position(|known| *known == party);
            EDGE + at.unwrap_or_default() * GAP
        };
        let width = 2 * EDGE + parties.len().saturating_sub(1) * GAP;
        let height = HEAD + shown * ROW + FOOT;
        html! {
            div.scrolled tabindex="0" role="region" aria-label="Sequence diagram" {
                svg.sequence viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img" aria-labelledby="diagram-title diagram-text" {
                    title #diagram-title { "Sequence diagram" }
                    desc #diagram-text { (shown) " exchanges between " (names(&parties)) ", from top to bottom" }
                    @for (party, host) in self.hosts(&parties) {
                        line.lane x1=(lane(party)) x2=(lane(party)) y1=(HEAD - 14) y2=(height - FOOT + 8) {}
                        text.party x=(lane(party)) y="20" { (party) }
                        text.host x=(lane(party)) y="36" { (cut(&host, 26)) }
                    }
                    @for (at, parts) in self.turns.iter().take(shown).enumerate() { (arrows(parts, HEAD + at * ROW, &lane)) }
                }
            }
            @if self.turns.len() > shown { p.more { "The diagram shows the first " (shown) " of " (self.turns.len()) " exchanges." } }
        }
    }
}

/// A request and what came back.
fn arrows(parts: &Parts<'_>, y: usize, lane: &impl Fn(Party) -> usize) -> Markup {
    let interaction = parts.interaction;
    let (from, to) = Party::of(interaction.step());
    let (from, to) = (lane(from), lane(to));
    // Who talks to itself is drawn to the right.
    let to = if from == to { to + GAP / 2 } else { to };
    let middle = usize::midpoint(from, to);
    let class = if parts.is_failed() {
        "answer bad"
    } else {
        "answer good"
    };
    let error = parts
        .oauth_error()
        .map(|error| format!(" {}", plain(error)));
    let answer = format!("{}{}", outcome(interaction), error.unwrap_or_default());
    let step = format!("{} {}", interaction.id(), interaction.step().title());
    html! {
        a href=(format!("#exchange-{}", interaction.id())) {
            text.step x=(middle) y=(y + 10) { (cut(&step, 34)) }
            line.request x1=(from) x2=(to) y1=(y + 16) y2=(y + 16) {}
            polygon.head points=(tip(from, to, y + 16)) {}
            text class=(class) x=(middle) y=(y + 31) { (cut(&answer, 34)) }
            line class=(class) x1=(to) x2=(from) y1=(y + 37) y2=(y + 37) {}
            polygon class=(format!("head {class}")) points=(tip(to, from, y + 37)) {}
        }
    }
}

/// The head of an arrow.
fn tip(from: usize, to: usize, y: usize) -> String {
    let back = if to > from {
        to.saturating_sub(8)
    } else {
        to + 8
    };
    format!("{to},{y} {back},{} {back},{}", y - 4, y + 4)
}

fn names(parties: &[Party]) -> String {
    let names: Vec<_> = parties.iter().map(|party| party.as_str()).collect();
    names.join(", ")
}

fn cut(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most - 1).collect();
    kept + "…"
}

const EDGE: usize = 90;
const GAP: usize = 230;
const HEAD: usize = 64;
const ROW: usize = 56;
const FOOT: usize = 16;
const TURNS_MAX: usize = 300;

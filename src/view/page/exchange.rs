//! One exchange of the page: what was asked, what came back, and what each part has to do with others.

use maud::{Markup, html};

use crate::diagnose::report::{in_words, plain};
use crate::redact::{Content, cores};
use crate::view::page::text;
use crate::view::part::{Part, Side, format_of};
use crate::view::party::Party;
use crate::view::{Scene, outcome, seconds};

impl Scene<'_> {
    /// The exchange at this place, open where it failed.
    pub(super) fn exchange(&self, at: usize) -> Markup {
        let parts = &self.turns[at];
        let interaction = parts.interaction;
        let (from, to) = Party::of(interaction.step());
        let class = if parts.is_failed() { "bad" } else { "good" };
        let request = interaction.request();
        let facts = interaction.facts().words();
        html! {
            details.exchange id=(format!("exchange-{}", interaction.id())) open[parts.is_failed()] {
                summary {
                    span.number { (interaction.id()) } " " (interaction.step().title())
                    " " span class=(class) { (outcome(interaction)) }
                    @if let Some(error) = parts.oauth_error() { " " span.bad { (text(error)) } }
                }
                p.aside { (from) " to " (to) ", at " (seconds(interaction.at())) }
                p.line { code { (plain(request.method())) " " (text(request.url())) } }
                (self.parts(at, Side::Request))
                (body(request.content()))
                @if !facts.is_empty() {
                    p.facts { "Seen on the wire: " @for (key, word) in facts { code { (key) " " (plain(&word)) } " " } }
                }
                @if let Some(response) = interaction.response() {
                    p.line { code { (response.status()) } @if let Some(target) = &parts.target { " on to " code { (text(target)) } } span.aside { " after " (seconds(response.after())) } }
                    (self.parts(at, Side::Answer))
                    (body(response.content()))
                }
                @if let Some(error) = interaction.error() {
                    p.bad { (in_words(error.kind())) " (" (error.kind()) ", after " (seconds(error.after())) ")" }
                }
            }
        }
    }

    fn parts(&self, at: usize, side: Side) -> Markup {
        let parts = self.turns[at].side(side);
        html! {
            @if !parts.is_empty() {
                table {
                    thead { tr { th scope="col" { "where" } th scope="col" { "name" } th scope="col" { "value" } } }
                    tbody { @for part in parts.iter().take(PARTS_MAX) { (self.part(part, (at, side))) } }
                }
                @if parts.len() > PARTS_MAX { p.more { "… and " (parts.len() - PARTS_MAX) " more" } }
            }
        }
    }

    fn part(&self, part: &Part<'_>, place: (usize, Side)) -> Markup {
        let notes = cores(&part.value).take(NOTES_MAX);
        let notes = notes.map(|label| self.origins.note(&label, place, &self.turns));
        let notes: Vec<_> = notes.filter(|note| !note.is_empty()).collect();
        html! {
            tr {
                td.place { (part.place) }
                th scope="row" { (plain(part.title())) }
                td.value { (text(&part.value)) @if !notes.is_empty() { span.note { (notes.join("; ")) } } }
            }
        }
    }
}

/// What of a body its parts do not say.
fn body(content: Content<'_>) -> Markup {
    html! {
        @match content {
            Content::Empty => { p.aside { "The body is empty." } }
            Content::Dropped(dropped) => { p.aside { "The body: " (format_of(content)) ", " (dropped.size) " bytes at most." } }
            _ => {}
        }
    }
}

const PARTS_MAX: usize = 200;
const NOTES_MAX: usize = 2;

//! A session as one page that anybody can open: nothing that is fetched, every text of the cassette a
//! text of the page, and no script but in the page of a session that goes on.

mod exchange;
mod live;
mod sequence;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::diagnose::report::{counted, in_words, plain};
use crate::diagnose::{Finding, Findings, Severity};
use crate::oauth::registry::{HeaderClass, header_class};
use crate::redact::{Piece, RecordedResponse, pieces, readable};
use crate::view::part::Parts;
use crate::view::{Scene, outcome, seconds};

pub use live::live_policy;

impl Scene<'_> {
    /// The page of the session. `name` is what its cassette is called.
    pub fn page(&self, findings: &Findings, name: &str) -> String {
        let title = format!("{}: {}", self.server(), counted(findings));
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="referrer" content="no-referrer";
                    meta name="color-scheme" content="light dark";
                    title { (plain(&title)) }
                    style { (PreEscaped(STYLE)) }
                }
                body { (self.fragment(findings, name, None)) }
            }
        };
        page.into_string()
    }

    /// What stands in the page; of one that is live, with what was told beside the session.
    fn fragment(&self, findings: &Findings, name: &str, live: Option<&[String]>) -> Markup {
        html! {
            header {
                p.brand { "authtape" }
                h1 { (plain(self.server())) }
                p { @if live.is_some() { "Since " } @else { "Recorded " } (self.told()) }
            }
            main {
                (self.findings(findings))
                @if let Some(told) = live { (live::told(told)) }
                section aria-labelledby="sequence" {
                    h2 #sequence { "What was said" }
                    @if self.turns.is_empty() && live.is_some() {
                        p { "Nothing yet." }
                    } @else if self.turns.is_empty() {
                        p { "The cassette holds no interaction." }
                    } @else {
                        (self.sequence())
                    }
                }
                @let identifiers = self.identifiers();
                @if !identifiers.is_empty() {
                    section aria-labelledby="identifiers" {
                        h2 #identifiers { "For the server's support" }
                        p { "Identifiers of the requests, and when they were made. One click selects them all." }
                        pre.copied tabindex="0" { (identifiers) }
                    }
                }
                section aria-labelledby="exchanges" {
                    h2 #exchanges { "Each exchange" }
                    @for at in 0..self.turns.len().min(EXCHANGES_MAX) { (self.exchange(at)) }
                    @if self.turns.len() > EXCHANGES_MAX { p.more { "… and " (self.turns.len() - EXCHANGES_MAX) " more, which the cassette has" } }
                }
                @if live.is_none() { (self.redaction()) }
                section aria-labelledby="again" {
                    h2 #again { "Play it again" }
                    p { "With the cassette, without the server and without a network:" }
                    pre { "authtape explain " (plain(name)) "\nauthtape replay " (plain(name)) " -- YOUR-CLIENT" }
                }
            }
            footer {
                p {
                    "Every secret that was recognised is replaced, and what could not be recognised as harmless with it; hosts and what else is "
                    "named above is kept. Nobody can promise that a name or a sentence says nothing."
                }
                p {
                    "Made by " (plain(concat!("authtape/", env!("CARGO_PKG_VERSION"))))
                    ", recorded by " (plain(&self.header.recorded_by)) ". "
                    @if live.is_some() { "This page is of this run alone and takes no orders." } @else { "This page runs nothing and fetches nothing." }
                }
            }
        }
    }

    fn server(&self) -> &str {
        self.header.server.as_deref().unwrap_or("no server")
    }

    fn told(&self) -> Markup {
        let count = self.turns.len();
        let failed = self.turns.iter().filter(|parts| parts.is_failed()).count();
        html! {
            time { (plain(&self.header.recorded_at)) } ". "
            (count) @if count == 1 { " exchange" } @else { " exchanges" }
            @if failed > 0 { ", " strong.bad { (failed) " failed" } }
            "."
            @if let Some(mutant) = &self.header.mutant {
                " It was changed on purpose (" (plain(&mutant.kind)) "): " (plain(&mutant.changed)) "."
            }
        }
    }

    fn findings(&self, findings: &Findings) -> Markup {
        let refused = findings.unexplained();
        let is_failed = self.turns.iter().any(Parts::is_failed);
        let about = if is_failed {
            "Why it failed"
        } else {
            "What was found"
        };
        let mut rules: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            rules.entry(finding.rule.id).or_default().push(finding);
        }
        let of_rule = |finding: &Finding| rules[finding.rule.id].as_slice();
        html! {
            section aria-labelledby="findings" {
                h2 #findings { (about) }
                @if findings.is_empty() && refused.is_empty() {
                    p.healthy { "No rule has anything to say of this session." }
                }
                @for finding in findings {
                    @let alike = of_rule(finding);
                    @if alike.iter().take(ALIKE_MAX).any(|other| std::ptr::eq(*other, finding)) { (self::finding(finding)) }
                    @if alike.get(ALIKE_MAX).is_some_and(|other| std::ptr::eq(*other, finding)) { (more(&alike[ALIKE_MAX..])) }
                }
                @for refused in refused {
                    article.finding.warning {
                        h3 { a href=(format!("#exchange-{}", refused.interaction)) { (refused.interaction) " " (refused.step.title()) } " was refused, and no rule sees why" }
                        p { (refused.status) " " (plain(refused.error.as_deref().unwrap_or_default())) }
                        @if let Some(said) = &refused.said { p { "The server says: " q { (text(said)) } } }
                    }
                }
                @for parts in &self.turns {
                    @if let Some(error) = parts.interaction.error() {
                        article.finding.warning {
                            h3 { a href=(format!("#exchange-{}", parts.interaction.id())) { (parts.interaction.id()) " " (parts.interaction.step().title()) } " got no whole answer" }
                            p { (in_words(error.kind())) }
                        }
                    }
                }
            }
        }
    }

    /// What the server's support finds the requests again by.
    pub fn identifiers(&self) -> String {
        let mut out = String::new();
        for parts in &self.turns {
            let interaction = parts.interaction;
            let is_identifier = |name: &str| header_class(name) == Some(HeaderClass::Correlation);
            let request = interaction.request().header_fields().iter();
            let answer = interaction.response().map(RecordedResponse::header_fields);
            let fields = request.chain(answer.unwrap_or_default());
            let found: Vec<_> = fields
                .filter(|field| is_identifier(&field.name))
                .map(|field| {
                    format!(
                        "    {}: {}\n",
                        plain(&field.name),
                        plain(&readable(&field.value))
                    )
                })
                .collect();
            if !found.is_empty() {
                let (id, url) = (
                    interaction.id(),
                    plain(&readable(interaction.request().url())),
                );
                let (method, when) = (
                    plain(interaction.request().method()),
                    seconds(interaction.at()),
                );
                let came = outcome(interaction);
                out.extend([format!("{id} {method} {url} -> {came} (+{when})\n")]);
                out.extend(found);
            }
        }
        if out.is_empty() {
            return out;
        }
        format!("recorded {}\n{out}", plain(&self.header.recorded_at))
    }

    fn redaction(&self) -> Markup {
        html! {
            section aria-labelledby="redaction" {
                h2 #redaction { "What was replaced" }
                @if self.header.redacted.is_empty() {
                    p { "There was no secret to replace." }
                } @else {
                    p { "A label stands for each secret, the same one wherever it was said:" }
                    table.counts {
                        thead { tr { th scope="col" { "kind" } th scope="col" { "values" } } }
                        tbody { @for kind in &self.header.redacted { tr { td { (plain(&kind.name)) } td { (kind.value) } } } }
                    }
                }
                p {
                    "Kept on purpose: hosts, client identifiers, identifiers of requests, and texts of known words. "
                    @if let Some(audit) = &self.header.audit {
                        "Its audit searched for " (audit.secrets) " secrets in " (audit.patterns) " spellings and found " (audit.hits) "."
                    }
                }
            }
        }
    }
}

fn finding(finding: &Finding) -> Markup {
    let severity = finding.severity.as_str();
    let is_note = finding.severity == Severity::Note;
    html! {
        article class=(format!("finding {severity}")) {
            h3 { span.severity { (severity) } " " (text(&finding.message)) }
            @if !is_note {
                @if !finding.evidence.is_empty() {
                    table {
                        thead { tr { th scope="col" { "in" } th scope="col" { "where" } th scope="col" { "what stands there" } } }
                        tbody {
                            @for evidence in &finding.evidence {
                                tr {
                                    td { a href=(format!("#exchange-{}", evidence.interaction)) { (evidence.interaction) } }
                                    td { (evidence.r#where) }
                                    td.value { (text(&evidence.value)) }
                                }
                            }
                        }
                    }
                }
                @if let Some(contrast) = &finding.contrast { p.contrast { (plain(&contrast.words)) } }
                p { strong { "Fix: " } (text(&finding.fix)) }
                p.see { (finding.rule.see.join(", ")) " · " code { (finding.rule.id) } }
            }
        }
    }
}

/// What else a rule has found, by where it is.
fn more(findings: &[&Finding]) -> Markup {
    let place = |finding: &&Finding| Some(finding.evidence.last()?.interaction);
    let places = findings.iter().filter_map(place);
    html! {
        p.more {
            "The same rule has found this " (findings.len()) @if findings.len() == 1 { " time more, in " } @else { " times more, in " }
            @for place in places.take(PLACES_MAX) { a href=(format!("#exchange-{place}")) { (place) } " " }
            @if findings.len() > PLACES_MAX { "…" }
        }
    }
}

/// The only style is the one that stands here, and nothing else is taken from anywhere.
fn policy() -> String {
    let style = hash(STYLE);
    format!("default-src 'none'; style-src '{style}'; base-uri 'none'; form-action 'none'")
}

/// How a policy names a text.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// A text of the cassette, its labels marked.
fn text(value: &str) -> Markup {
    let end = value.char_indices().nth(VALUE_MAX).map(|(end, _)| end);
    let shown = &value[..end.unwrap_or(value.len())];
    html! {
        @for piece in pieces(shown) {
            @match piece {
                Piece::Literal(text) => { (plain(&text)) }
                Piece::Label(label) => { mark { (plain(&label.short())) } }
            }
        }
        @if let Some(end) = end { span.more { " … and " (value[end..].chars().count()) " more characters" } }
    }
}

const STYLE: &str = include_str!("page.css");
const VALUE_MAX: usize = 2_000;
/// How many findings of one rule are shown whole, and how many others are named.
const ALIKE_MAX: usize = 3;
const PLACES_MAX: usize = 100;
/// More no browser shows well, and nobody reads.
pub const EXCHANGES_MAX: usize = 2_000;

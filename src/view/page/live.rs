//! The page of a session that goes on: it is taken anew when something is said.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::diagnose::Findings;
use crate::diagnose::report::plain;
use crate::view::Scene;
use crate::view::page::{STYLE, hash};

impl Scene<'_> {
    /// The page of a session that goes on, which asks `session` for what stands in it each time that
    /// `events` says that there is more. `told` is what was told beside the session.
    pub fn live(&self, findings: &Findings, name: &str, told: &[String]) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { "authtape: a session as it is said" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    p #state role="status" { "The session goes on." }
                    div #session { (self.fragment(findings, name, Some(told))) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }

    /// What stands in that page.
    pub fn live_fragment(&self, findings: &Findings, name: &str, told: &[String]) -> String {
        self.fragment(findings, name, Some(told)).into_string()
    }
}

/// What was told beside the session, as of requests that no recording answers.
pub(super) fn told(told: &[String]) -> Markup {
    html! {
        @if !told.is_empty() {
            section aria-labelledby="told" {
                h2 #told { "Told beside the session" }
                pre { @for line in told { (plain(line)) "\n" } }
            }
        }
    }
}

/// What the page may do: run the one script that stands in it, and ask where it came from.
pub fn live_policy() -> String {
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

const SCRIPT: &str = include_str!("live.js");

//! What is said of a recording while it runs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use authtape::cassette::{Cassette, Header, load_entry};
use authtape::diagnose::{self, Finding, Severity};
use authtape::record::Laid;
use authtape::redact::Interaction;

use crate::cli::output::{plain, say};

/// Says each interaction, and each finding when it first shows.
pub(crate) fn watcher() -> impl Fn(&Laid) {
    let seen = Mutex::new(Seen::default());
    move |laid: &Laid| {
        // The recorder wrote it; what cannot be read is said when the cassette is.
        if let Some(interaction) = laid.last().and_then(|text| load_entry(text).ok()) {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.take_in(interaction).iter().for_each(|line| say(line));
        }
    }
}

/// The session so far.
struct Seen {
    cassette: Cassette,
    /// Rules, and where they found something.
    told: BTreeSet<(&'static str, u64)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            cassette: Cassette {
                header: Header::begun(String::new()),
                interactions: Vec::new(),
            },
            told: BTreeSet::new(),
        }
    }
}

impl Seen {
    fn take_in(&mut self, interaction: Interaction) -> Vec<String> {
        let mut said = vec![line(&interaction)];
        let all = &mut self.cassette.interactions;
        if all.len() == REMEMBERED {
            all.drain(..REMEMBERED / 2);
        }
        all.push(interaction);
        let findings = diagnose::diagnose(&self.cassette);
        let grave = findings
            .iter()
            .filter(|finding| finding.severity < Severity::Note);
        let new = grave.filter(|finding| self.told.insert((finding.rule.id, place(finding))));
        said.extend(new.map(|finding| {
            let (severity, id) = (finding.severity.as_str(), finding.rule.id);
            format!("  {severity}[{id}] {}", plain(&finding.message))
        }));
        said
    }
}

fn place(finding: &Finding) -> u64 {
    let last = finding.evidence.last();
    last.map_or(0, |evidence| evidence.interaction)
}

fn line(interaction: &Interaction) -> String {
    let request = interaction.request();
    let came = match (interaction.response(), interaction.error()) {
        (Some(response), _) => {
            let fields = response.body_params();
            let said = ["error", "error_description"].map(|name| fields.get(name));
            let said = said.into_iter().flatten().map(|said| format!(" {said}"));
            format!("{}{}", response.status(), said.collect::<String>())
        }
        (None, Some(error)) => error.kind().to_string(),
        (None, None) => "nothing".to_owned(),
    };
    let (id, step) = (interaction.id(), interaction.step().title());
    let (method, url) = (request.method(), request.url());
    plain(&format!("{id} {step}: {method} {url} -> {came}"))
}

/// Each new interaction is judged with those before it.
const REMEMBERED: usize = 200;

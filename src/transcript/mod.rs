//! A transcript: what a run said, in a text that is the same for every run that says the same.
//!
//! [`Transcript::of`] takes what a session of a replay said, sends it through the redaction that
//! recordings go through, and writes it down in the order of the cassette: nothing raw is ever in
//! it. [`Transcript::of_cassette`] does the same for what was recorded. It is made to be compared:
//! there is no port of this machine in it, no time, no version of a library and no order in which
//! things happened to arrive; secrets are numbered by first appearance.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod message;
mod text;

use serde::Serialize;

pub use message::{Field, Message};

use crate::cassette::{self, Cassette};
use crate::model::Exchange;
use crate::oauth::{Step, name};
use crate::record::{Options, Refused, Tape};
use crate::redact::{Interaction, RecordedResponse};
use crate::replay::{Came, Miss, Recorded, Report};
use crate::transcript::message::{Numbers, place_of_loopback};

/// The version of the text, which its first line names.
pub const VERSION: u32 = 1;

/// What one session of a replay asked, and what it was answered.
///
/// It holds secrets: no `Debug`, no `Serialize`.
pub struct Seen {
    /// The request and its answer.
    pub exchange: Exchange,
    /// What it came to.
    pub came: Came,
    /// Where in the recording.
    pub recorded: Option<Recorded>,
    /// Why it is not on tape, where it is not.
    pub miss: Option<Miss>,
}

/// What a run said, in the order of its cassette.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transcript {
    /// What was played or recorded.
    pub cassette: String,
    /// The name of the session, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// How many recorded exchanges were played.
    pub played: usize,
    /// How many there are to be asked for.
    pub of: usize,
    /// The exchanges.
    pub exchanges: Vec<Entry>,
    /// What a recorded server would have refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Recorded steps that nobody asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
    /// How many exchanges there were that are not shown, since there were too many.
    pub left_out: usize,
}

/// One exchange of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its number in the cassette, where it is on tape.
    pub id: Option<u64>,
    /// The step of the protocol, in the word that cassettes use.
    pub step: &'static str,
    /// What came of it, where it is not what was recorded: `refused`, `not on tape`, `a fault`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came: Option<&'static str>,
    /// What was asked.
    pub request: Message,
    /// What only the raw request could tell, and how it differs from what belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What was answered, where there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Message>,
    /// What went wrong on the wire, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why it is not on tape.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Redaction did not vouch for what would have been shown.
    #[error("what this run said cannot be shown")]
    Refused(#[from] Refused),
    /// What was redacted cannot be read again.
    #[error("what this run said cannot be shown")]
    Cassette(#[from] cassette::Error),
}

impl Transcript {
    /// What a session of a replay said.
    ///
    /// # Errors
    ///
    /// [`Error`] where redaction does not vouch for it.
    pub fn of(cassette: &str, seen: Vec<Seen>, report: &Report) -> Result<Self, Error> {
        let mut seen: Vec<_> = seen
            .into_iter()
            .filter(|seen| seen.came != Came::Aside)
            .collect();
        // What arrived first comes first only among what belongs to the same recorded exchange.
        seen.sort_by_key(|seen| seen.recorded.map_or(usize::MAX, |recorded| recorded.at));
        let options = Options {
            keep_all: true,
            ..Options::default()
        };
        let mut tape = Tape::new(options, EPOCH.to_owned());
        let mut told = Vec::new();
        for (number, seen) in (1..).zip(seen) {
            let Seen {
                exchange,
                came,
                recorded,
                miss,
            } = seen;
            tape.record(Exchange {
                id: number,
                at: std::time::Duration::from_millis(number),
                ..exchange
            });
            told.push((came, recorded, miss));
        }
        let run = cassette::load_sized(tape.finish()?.as_bytes(), usize::MAX)?;
        let steps = |is_counted: fn(Came) -> bool| {
            let counted = told.iter().filter(|(came, ..)| is_counted(*came));
            let mut steps: Vec<_> = counted.filter_map(|(_, recorded, _)| *recorded).collect();
            steps.dedup();
            steps.len()
        };
        let asked = steps(|_| true);
        let played = steps(|came| matches!(came, Came::Played | Came::Faulted));
        let exchanges = Teller::of(&run).entries(told);
        let mut refused: Vec<_> = report
            .refused
            .iter()
            .map(|why| place_of_loopback(why))
            .collect();
        refused.sort();
        Ok(Self {
            cassette: cassette.to_owned(),
            session: None,
            played,
            of: asked + report.unplayed.len(),
            exchanges,
            refused,
            unused: report
                .unplayed
                .iter()
                .map(|title| place_of_loopback(title))
                .collect(),
            left_out: 0,
        })
    }

    /// The transcript of a run in which nothing was asked.
    pub fn silent(cassette: &str) -> Self {
        Self {
            cassette: cassette.to_owned(),
            session: None,
            played: 0,
            of: 0,
            exchanges: Vec::new(),
            refused: Vec::new(),
            unused: Vec::new(),
            left_out: 0,
        }
    }

    /// What a cassette holds.
    pub fn of_cassette(name: &str, cassette: &Cassette) -> Self {
        let mut teller = Teller::of(cassette);
        let entries = cassette.interactions.iter().map(|interaction| {
            let recorded = Recorded {
                at: 0,
                id: interaction.id(),
            };
            teller.entry(interaction, Came::Played, Some(recorded), None)
        });
        let exchanges: Vec<_> = entries.collect();
        Self {
            cassette: name.to_owned(),
            session: None,
            played: exchanges.len(),
            of: exchanges.len(),
            exchanges,
            refused: Vec::new(),
            unused: Vec::new(),
            left_out: 0,
        }
    }
}

/// Makes entries of what a run said, one behind the other.
struct Teller<'a> {
    run: &'a Cassette,
    numbers: Numbers,
}

impl<'a> Teller<'a> {
    fn of(run: &'a Cassette) -> Self {
        Self {
            run,
            numbers: Numbers::default(),
        }
    }

    fn entries(mut self, told: Vec<(Came, Option<Recorded>, Option<Miss>)>) -> Vec<Entry> {
        let mut entries = Vec::new();
        let all = self.run.interactions.iter();
        for (interaction, (came, recorded, miss)) in all.zip(told) {
            let entry = self.entry(interaction, came, recorded, miss.as_ref());
            // How often a server is asked the same, while nothing changes, is a matter of chance.
            let is_again = interaction.step().is_repeatable() || is_poll(interaction);
            if !(is_again && entries.last() == Some(&entry)) {
                entries.push(entry);
            }
        }
        entries
    }

    fn entry(
        &mut self,
        interaction: &Interaction,
        came: Came,
        recorded: Option<Recorded>,
        miss: Option<&Miss>,
    ) -> Entry {
        let is_missed = came == Came::Missed;
        let why = miss.map(|miss| {
            let differs = miss.differs.iter();
            let differs = differs.filter(|part| !miss.reason.ends_with(*part));
            let differs = differs.map(|part| format!("differs: {part}"));
            std::iter::once(miss.reason.clone()).chain(differs)
        });
        Entry {
            id: recorded.map(|recorded| recorded.id),
            step: interaction.step().as_str(),
            came: match came {
                Came::Played | Came::Aside => None,
                Came::Refused => Some("refused"),
                Came::Missed => Some("not on tape"),
                Came::Faulted => Some("a fault"),
            },
            request: Message::of_request(interaction, &mut self.numbers),
            notes: self.notes(interaction),
            // What stands for a miss is ours.
            response: (!is_missed)
                .then(|| Message::of_response(interaction, &mut self.numbers))
                .flatten(),
            error: interaction.error().map(|error| error.kind().to_string()),
            why: why
                .into_iter()
                .flatten()
                .map(|why| place_of_loopback(&why))
                .collect(),
        }
    }

    /// What only the raw request could tell of a client's work, and where its redirect URI is
    /// another.
    fn notes(&mut self, interaction: &Interaction) -> Vec<String> {
        let of_client = |key: &str| OF_CLIENT.iter().any(|begin| key.starts_with(begin));
        let facts = interaction.facts().words().into_iter();
        let facts = facts.filter(|(key, _)| of_client(key));
        let mut notes: Vec<_> = facts.map(|(key, word)| format!("{key} {word}")).collect();
        notes.extend(self.other_redirect_uri(interaction));
        notes
    }

    /// How the redirect URI of a token request differs from that of the authorization request.
    fn other_redirect_uri(&mut self, interaction: &Interaction) -> Option<String> {
        if interaction.step() != Step::TokenRequest {
            return None;
        }
        let sent = interaction.request().body_params();
        let sent = sent.get(name::REDIRECT_URI)?;
        let before = self.run.interactions.iter().rev();
        let mut before = before.skip_while(|before| before.id() >= interaction.id());
        let asked = before.find(|before| before.step() == Step::AuthorizationRequest)?;
        let asked = asked.request().query_params();
        let asked = asked.get(name::REDIRECT_URI)?;
        (asked != sent).then(|| {
            let (uri, asked) = (name::REDIRECT_URI, self.numbers.shown(asked));
            format!("{uri} is not that of the authorization request: {asked}")
        })
    }
}

/// Whether it is a poll that was told to go on polling.
fn is_poll(interaction: &Interaction) -> bool {
    use crate::oauth::error_code::POLLING;
    let answer = interaction.response().map(RecordedResponse::body_params);
    let error = answer.as_ref().and_then(|answer| answer.get(name::ERROR));
    error.is_some_and(|error| POLLING.contains(&error))
}

/// Facts of what the client did, not the server or the clock.
const OF_CLIENT: &[&str] = &[
    "basic.",
    "body.",
    "client_assertion.",
    "client_secret.",
    "dpop.",
    "pkce.",
    "placeholder.",
    "redirect_uri.",
    "token_endpoint.",
];
/// When runs begin that are compared.
const EPOCH: &str = "2000-01-01T00:00:00Z";

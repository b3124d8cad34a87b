//! The tape: exchanges in, interactions out, in the order in which they end.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod finish;
mod resume;
mod unverified;

use std::collections::BTreeSet;
use std::fmt;

pub use resume::Earlier;

use crate::cassette::{self, Header, Stamp};
use crate::model::{Exchange, coding};
use crate::oauth::Step;
use crate::oauth::classify::classify;
use crate::oauth::facts::Facts;
use crate::oauth::fields::Reading;
use crate::oauth::flows::Flows;
use crate::record::unverified::{Retold, Unverified};
use crate::redact::{
    Capacity, DECLARED, Declared, Interaction, Label, Named, Piece, Profile, Redacted, Redactor,
    pieces,
};

/// What a recording keeps.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep every message, not only those of OAuth and OpenID Connect.
    pub keep_all: bool,
    /// Parameters whose values are kept as they are.
    pub keep_values: Vec<String>,
    /// Globs of the hosts whose certificate is not verified; the cassette says so.
    pub insecure_upstream: Vec<String>,
    /// How much is shown.
    pub profile: Profile,
    /// What is secret wherever it stands, known beforehand.
    pub secrets: Vec<Declared>,
    /// Labels that the messages hold already, as what was redacted before does: they stay what they
    /// are.
    pub labels: Vec<Label>,
    /// How much is remembered of the secrets; what comes beyond it is written without bodies.
    pub capacity: Capacity,
}

/// A recording in memory. What it gives out is redacted and audited text.
///
/// It holds secrets until it is dropped: no `Debug`, no `Serialize`.
pub struct Tape {
    header: Header,
    keep_all: bool,
    keep_values: Vec<String>,
    flows: Flows,
    redactor: Redactor,
    /// In the order in which the exchanges ended.
    entries: Vec<Entry>,
    withheld: Vec<Withheld>,
    unverified: Unverified,
    is_full: bool,
    before: Before,
}

/// What was on the cassette before this recording.
enum Before {
    Nothing,
    /// What an audit has searched.
    Stamped(Stamp),
    /// What no audit vouches for.
    Unstamped,
}

/// An interaction as its text, which takes far less memory than its values.
struct Entry {
    id: u64,
    step: Step,
    text: String,
    is_unlinked: bool,
    /// It was on the cassette before this recording.
    is_old: bool,
}

/// What came of one exchange.
///
/// The text holds secrets where nothing is redacted: `Debug` says its size only.
#[derive(PartialEq, Eq)]
pub enum Laid {
    /// This text is to be appended to what was written.
    Appended(String),
    /// This text is to be written in the place of all that was written.
    Rewritten(String),
    /// It is none of OAuth's messages, and was not kept.
    Skipped,
}

impl Laid {
    /// The text of each interaction that is to be written: the new one, or all that there are.
    pub fn entries(&self) -> Vec<&str> {
        match self {
            Self::Appended(text) => vec![text],
            Self::Rewritten(text) => {
                let entries = cassette::entries(text).unwrap_or_default();
                entries.into_iter().map(|at| &text[at]).collect()
            }
            Self::Skipped => Vec::new(),
        }
    }

    /// The text of the interaction that came last.
    pub fn last(&self) -> Option<&str> {
        self.entries().pop()
    }
}

impl fmt::Debug for Laid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appended(text) => write!(f, "Appended({} bytes)", text.len()),
            Self::Rewritten(text) => write!(f, "Rewritten({} bytes)", text.len()),
            Self::Skipped => f.write_str("Skipped"),
        }
    }
}

/// An interaction whose text the audit refused: a stub stands in its place, or nothing where the
/// text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The interaction's number while recording.
    pub id: u64,
    /// What was asked: the method and the URL without its query, as far as they are not secret.
    pub asked: Option<String>,
    /// The kind of the secret that would have been written, or what else was wrong.
    pub why: String,
}

impl Withheld {
    /// The interaction as a person finds it again: `3 (POST https://as.example/token)`.
    pub fn name(&self) -> String {
        match &self.asked {
            Some(asked) => format!("{} ({asked})", self.id),
            None => self.id.to_string(),
        }
    }
}

/// The finished cassette was refused by the audit; nothing of it may be written.
#[derive(Debug, thiserror::Error)]
#[error("the leak audit refused the cassette: {why}")]
pub struct Refused {
    /// The kind of the secret that would have been written, or what else was wrong.
    pub why: String,
}

/// Undoes the content codings of both bodies (RFC 9110 section 8.4).
pub fn undo_codings(exchange: &mut Exchange) {
    coding::decode(&exchange.request.headers, &mut exchange.request.body);
    if let Some(heard) = &mut exchange.response {
        coding::decode(&heard.headers, &mut heard.body);
    }
}

impl Tape {
    /// A tape that begins at this time (RFC 3339, UTC).
    pub fn new(options: Options, recorded_at: String) -> Self {
        let mut redactor = Redactor::with_capacity(
            options.profile,
            options.keep_values.clone(),
            options.capacity,
        );
        redactor.keep_labels(&options.labels);
        redactor.declare(&options.secrets);
        Self {
            header: Header {
                insecure_upstream: match options.profile {
                    // Which hosts these are is for nobody to see.
                    Profile::Public if !options.insecure_upstream.is_empty() => {
                        vec!["*".to_owned()]
                    }
                    _ => options.insecure_upstream,
                },
                profile: options.profile,
                ..Header::begun(recorded_at)
            },
            keep_all: options.keep_all,
            flows: Flows::default(),
            redactor,
            keep_values: options.keep_values,
            entries: Vec::new(),
            withheld: Vec::new(),
            unverified: Unverified::default(),
            is_full: false,
            before: Before::Nothing,
        }
    }

    /// The text before the first interaction.
    pub fn begin(&self) -> String {
        cassette::part_header(&self.header)
    }

    /// Takes in one exchange and says what is to be written of it.
    pub fn record(&mut self, mut exchange: Exchange) -> Laid {
        undo_codings(&mut exchange);
        let reading = Reading::of(&exchange.request, exchange.response.as_ref());
        self.record_read(&exchange, &reading)
    }

    /// The same of an exchange that was read by whoever waits for the tape, its codings undone.
    pub fn record_read(&mut self, exchange: &Exchange, reading: &Reading<'_>) -> Laid {
        let step = classify(&self.flows, reading);
        if !step.is_oauth() && !self.keep_all {
            return Laid::Skipped;
        }
        let known = self.flows.signers_known();
        self.flows.observe(step, reading);
        let mut facts = Facts::of(&self.flows, step, reading, exchange.clock);
        for checked in facts.check_tokens(&self.flows, reading) {
            self.unverified.take_in(exchange.id, checked);
        }
        let Redacted {
            interaction,
            earlier_text_is_stale,
            is_unlinked,
        } = self.redactor.redact(exchange, reading, step, facts);
        self.is_full |= is_unlinked;
        let entry = self.audited(interaction, is_unlinked);
        let text = entry.text.clone();
        self.entries.push(entry);
        let is_retold = self.flows.signers_known() != known && self.verify_again();
        if earlier_text_is_stale {
            Laid::Rewritten(self.rewrite())
        } else if is_retold {
            Laid::Rewritten(self.text())
        } else {
            Laid::Appended(text)
        }
    }

    /// Looks again at what could not be verified; whether something else is to be told of it.
    fn verify_again(&mut self) -> bool {
        let retold = self.unverified.look_again(&self.flows);
        for Retold { id, token, wrong } in &retold {
            let Some(at) = self.entries.iter().position(|entry| entry.id == *id) else {
                continue;
            };
            let entry = self.entries.remove(at);
            let swept = self.swept(entry, |interaction| {
                let mut facts = interaction.facts().clone();
                *facts.signature_mut(*token) = *wrong;
                interaction.with_facts(facts)
            });
            if let Some(entry) = swept {
                self.entries.insert(at, entry);
            }
        }
        !retold.is_empty()
    }

    /// All that was to be written so far.
    pub fn text(&self) -> String {
        let entries = self.entries.iter().map(|entry| entry.text.as_str());
        std::iter::once(self.begin().as_str())
            .chain(entries)
            .collect()
    }

    /// How many interactions there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was kept so far.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many secrets of each kind were replaced.
    pub fn redacted(&self) -> Vec<Named<u32>> {
        let mut counts = self.redactor.counts();
        // Of those that were declared, some may never have been said.
        counts.retain_mut(|count| {
            if count.name == DECLARED {
                count.value = self.declared_and_said();
            }
            count.value > 0
        });
        counts
    }

    fn declared_and_said(&self) -> u32 {
        let is_declared = |piece| match piece {
            Piece::Label(label) if label.kind == DECLARED => Some(label.number),
            _ => None,
        };
        let texts = self.entries.iter();
        let said = texts.flat_map(|entry| pieces(&entry.text).into_iter().filter_map(is_declared));
        u32::try_from(said.collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX)
    }

    /// Whether there were more secrets than are remembered, and bodies are dropped for that.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// What the audit refused.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// Looks for every secret of this tape in a text that was made of its cassette.
    ///
    /// # Errors
    ///
    /// [`Refused`] where one stands in it in any encoding.
    pub fn audit(&self, text: &str) -> Result<(), Refused> {
        match self.redactor.leak(text) {
            Some(kind) => Err(Refused::leak(&kind)),
            None => Ok(()),
        }
    }

    fn audited(&mut self, interaction: Interaction, is_unlinked: bool) -> Entry {
        let (id, step) = (interaction.id(), interaction.step());
        let mut text = cassette::entry(&interaction);
        if let Some(kind) = self.redactor.leak_of(&interaction, &text) {
            self.withheld.push(Withheld {
                id,
                asked: self.redactor.asked(&interaction),
                why: Refused::leak(&kind).why,
            });
            text = cassette::entry(&Redactor::withheld(interaction));
        }
        Entry {
            id,
            step,
            text,
            is_unlinked,
            is_old: false,
        }
    }

    fn rewrite(&mut self) -> String {
        for entry in std::mem::take(&mut self.entries) {
            let swept = self.swept(entry, |interaction| interaction);
            self.entries.extend(swept);
        }
        self.text()
    }

    /// An entry with a change, and without what came to be known since; `None` where it does not read
    /// back, and is withheld.
    fn swept(
        &mut self,
        entry: Entry,
        change: impl FnOnce(Interaction) -> Interaction,
    ) -> Option<Entry> {
        match entry.read() {
            Ok(interaction) => {
                let mut interaction = change(interaction);
                self.redactor.resweep(&mut interaction);
                let swept = self.audited(interaction, entry.is_unlinked);
                let is_old = entry.is_old;
                Some(Entry { is_old, ..swept })
            }
            // It is not this recording's to take away; the end reads it again, and says why not.
            Err(_) if entry.is_old => Some(entry),
            Err(Refused { why }) => {
                self.withheld.push(Withheld {
                    id: entry.id,
                    asked: None,
                    why,
                });
                None
            }
        }
    }
}

impl Entry {
    /// The interaction, where the text reads back as it was written.
    fn read(&self) -> Result<Interaction, Refused> {
        let read = cassette::load_entry(&self.text).map_err(|error| Refused::unreadable(&error))?;
        if cassette::entry(&read) == self.text {
            Ok(read)
        } else {
            Err(Refused::changed())
        }
    }
}

impl Refused {
    fn leak(kind: &str) -> Self {
        Self {
            why: format!("a {kind} would have been written"),
        }
    }

    fn changed() -> Self {
        Self {
            why: "the text does not read back as it was".to_owned(),
        }
    }

    fn unreadable(error: &cassette::Error) -> Self {
        Self {
            why: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::oauth::flows::tests::{heard, said};

    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
    const AUTHORIZE: &str = "https://accounts.example.com/app/oauth/authorize?client_id=8kqf3mz&response_type=code\
        &redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback%2F&state=6f1d2c3b4a5968776f1d2c3b4a596877";
    const LOCATION: &str = "https://shop.example.org/oauth/callback/?code=k3v9x2m7q8w4e6r1t5y0u2i8&state=6f1d2c3b4a5968776f1d2c3b4a596877";
    const SECRET: &str = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N";

    pub(super) fn exchange(
        id: u64,
        request: crate::model::Said,
        response: crate::model::Heard,
    ) -> Exchange {
        Exchange {
            id,
            at: Duration::from_millis(id * 1204),
            clock: 1_000,
            request,
            response: Some(response),
            failure: None,
        }
    }

    fn authorized(tape: &mut Tape) {
        let answer = heard(
            302,
            &[
                ("Location", LOCATION),
                ("X-Request-Id", "6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10"),
            ],
            "",
        );
        let asked = said(
            "GET",
            AUTHORIZE,
            &[("Host", "accounts.example.com"), ("User-Agent", "PHP")],
            "",
        );
        assert!(matches!(
            tape.record(exchange(1, asked, answer)),
            Laid::Appended(_)
        ));
    }

    fn token_request(body: &str, answer: &str) -> Exchange {
        let asked = said("POST", "https://accounts.example.com/token", &[FORM], body);
        exchange(
            2,
            asked,
            heard(
                401,
                &[("Content-Type", "application/json;charset=UTF-8")],
                answer,
            ),
        )
    }

    #[test]
    fn the_session_of_the_thread_reads_as_the_design_shows_it() {
        let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
        authorized(&mut tape);
        let body = format!(
            "grant_type=authorization_code&client_id=8kqf3mz&client_secret={SECRET}&code=k3v9x2m7q8w4e6r1t5y0u2i8\
             &redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback"
        );
        let denied = r#"{"error":"invalid_grant","error_description":"Unable to authenticate username and password"}"#;
        tape.record(token_request(&body, denied));
        let text = tape.finish().expect("an audited cassette");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_secret_that_is_learned_late_rewrites_what_was_written() {
        let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
        let url = format!(
            "https://accounts.example.com/authorize?response_type=code&client_id={SECRET}&redirect_uri=https://x.example/cb"
        );
        let asked = said("GET", &url, &[], "");
        let first = tape.record(exchange(1, asked, heard(302, &[], "")));
        assert!(
            matches!(&first, Laid::Appended(text) if text.contains(SECRET)),
            "{first:?}"
        );
        let body = format!("grant_type=refresh_token&refresh_token={SECRET}");
        let second = tape.record(token_request(&body, "{}"));
        let Laid::Rewritten(text) = second else {
            panic!("{second:?}")
        };
        assert!(
            !text.contains(SECRET) && text.contains("client_id: REDACTED-refresh_token-1"),
            "{text}"
        );
    }

    #[test]
    fn every_kind_of_body_is_written_and_read_back() {
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nk3v9x2m7q8w4e6r1t5y0u2i8\r\n--b--\r\n";
        for (name, body, expected) in [
            ("empty", "", "body: empty"),
            (
                "JSON",
                "{\"grant_type\":\"a\",\"code\":\"k3v9x2m7q8w4e6r1t5y0u2i8\",\"n\":12}",
                "\"code\": \"REDACTED-code-1\"",
            ),
            (
                "JSON with blanks",
                "{\"grant_type\": \"a\"}\n",
                "wire: exact",
            ),
            ("multipart", multipart, "text: REDACTED-code-1"),
            (
                "a form in another spelling",
                "grant_type=a&code=%6b3v9x2m7q8w4e6r1t5y0u2i8",
                "raw_form: grant_type=a&code=REDACTED-code-1",
            ),
            (
                "encoded as a whole",
                "grant_type%3Da%26code%3Dk3v9x2m7q8w4e6r1t5y0u2i8",
                "text: grant_type%3Da%26code%3DREDACTED-code-1",
            ),
            ("a page", "<html>grant_type</html>", "dropped: page"),
            (
                "a code cut short",
                "grant_type=a&code=k3v9x2m7q8w4",
                "code: REDACTED-code-1--first-12-of-24",
            ),
            (
                "a code encoded twice",
                "grant_type=a&code=aaa%2Fbbb%2Fccc&client_secret=aaa%252Fbbb%252Fccc",
                "client_secret: REDACTED-code-2--pct",
            ),
            (
                "a new line behind the secret",
                "grant_type=a&code=k3v9x2m7q8w4e6r1t5y0u2i8%0A",
                "\"REDACTED-code-1\\n\"",
            ),
        ] {
            let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
            authorized(&mut tape);
            let Laid::Appended(text) = tape.record(token_request(body, "{}")) else {
                panic!("{name}")
            };
            assert!(text.contains(expected), "{name}: {text}");
            assert_eq!(tape.withheld(), [], "{name}");
            assert!(!text.contains("k3v9x2m7q8w4"), "{name}: {text}");
            tape.finish()
                .unwrap_or_else(|refused| panic!("{name}: {refused}"));
        }
    }
}

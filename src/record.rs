//! The tape: exchanges in, interactions out, in the order in which they end.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use crate::cassette::{self, Cassette, Header};
use crate::model::{Exchange, coding};
use crate::oauth::classify::classify;
use crate::oauth::facts::Facts;
use crate::oauth::flows::Flows;
use crate::redact::{Interaction, Named, Redacted, Redactor};

/// What a recording keeps.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep every message, not only those of OAuth and OpenID Connect.
    pub keep_all: bool,
    /// Parameters whose values are kept as they are.
    pub keep_values: Vec<String>,
    /// Globs of the hosts whose certificate is not verified; the cassette says so.
    pub insecure_upstream: Vec<String>,
}

/// A recording in memory. What it gives out is redacted and audited text.
///
/// It holds secrets until it is dropped: no `Debug`, no `Serialize`.
pub struct Tape {
    header: Header,
    keep_all: bool,
    flows: Flows,
    redactor: Redactor,
    interactions: Vec<Interaction>,
    withheld: Vec<Withheld>,
}

/// What came of one exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Laid {
    /// This text is to be appended to what was written.
    Appended(String),
    /// This text is to be written in the place of all that was written.
    Rewritten(String),
    /// It is none of OAuth's messages, and was not kept.
    Skipped,
}

/// An interaction whose text the audit refused; a stub stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The interaction's number while recording.
    pub id: u64,
    /// The kind of the secret that would have been written, or what else was wrong.
    pub why: String,
}

/// The finished cassette was refused by the audit; nothing of it may be written.
#[derive(Debug, thiserror::Error)]
#[error("the leak audit refused the cassette: {why}")]
pub struct Refused {
    /// The kind of the secret that would have been written, or what else was wrong.
    pub why: String,
}

impl Tape {
    /// A tape that begins at this time (RFC 3339, UTC).
    pub fn new(options: Options, recorded_at: String) -> Self {
        Self {
            header: Header {
                insecure_upstream: options.insecure_upstream,
                ..Header::begun(recorded_at)
            },
            keep_all: options.keep_all,
            flows: Flows::default(),
            redactor: Redactor::new(options.keep_values),
            interactions: Vec::new(),
            withheld: Vec::new(),
        }
    }

    /// The text before the first interaction.
    pub fn begin(&self) -> String {
        cassette::part_header(&self.header)
    }

    /// Takes in one exchange and says what is to be written of it.
    pub fn record(&mut self, mut exchange: Exchange) -> Laid {
        coding::decode(&exchange.request.headers, &mut exchange.request.body);
        if let Some(heard) = &mut exchange.response {
            coding::decode(&heard.headers, &mut heard.body);
        }
        let (said, heard) = (&exchange.request, exchange.response.as_ref());
        let step = classify(&self.flows, said, heard);
        if !step.is_oauth() && !self.keep_all {
            return Laid::Skipped;
        }
        let facts = Facts::of(&self.flows, step, said, heard, exchange.clock);
        self.flows.observe(step, said, heard);
        let Redacted {
            interaction,
            earlier_text_is_stale,
        } = self.redactor.redact(&exchange, step, facts);
        let (interaction, text) = self.audited(interaction);
        self.interactions.push(interaction);
        if earlier_text_is_stale {
            Laid::Rewritten(self.rewrite())
        } else {
            Laid::Appended(text)
        }
    }

    /// The interactions so far, in the order in which they ended.
    pub fn interactions(&self) -> &[Interaction] {
        &self.interactions
    }

    /// How many secrets of each kind were replaced.
    pub fn redacted(&self) -> Vec<Named<u32>> {
        self.redactor.counts()
    }

    /// What the audit refused.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// The cassette, sorted and numbered by the requests' starts, with its audited text.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the audit finds a known secret in the text, or the text does not read
    /// back as the same cassette.
    pub fn finish(&self) -> Result<(Cassette, String), Refused> {
        let mut interactions = self.interactions.clone();
        interactions.sort_by_key(Interaction::id);
        let numbered = (1..)
            .zip(interactions)
            .map(|(number, interaction)| interaction.renumbered(number));
        let interactions: Vec<_> = numbered.collect();
        let mut header = self.header.clone().with_server(&interactions);
        header.redacted = self.redactor.counts();
        let cassette = Cassette {
            header,
            interactions,
        };
        let text = cassette::write(&cassette);
        if let Some(kind) = self.redactor.leak(&text) {
            return Err(Refused {
                why: format!("a {kind} would have been written"),
            });
        }
        match cassette::load_sized(text.as_bytes(), usize::MAX) {
            Ok(read) if read == cassette => Ok((cassette, text)),
            Ok(_) => Err(Refused {
                why: "the text does not read back as it was".to_owned(),
            }),
            Err(error) => Err(Refused {
                why: error.to_string(),
            }),
        }
    }

    fn audited(&mut self, interaction: Interaction) -> (Interaction, String) {
        let text = cassette::entry(&interaction);
        let leak = self
            .redactor
            .leak(&text)
            .map(|kind| format!("a {kind} would have been written"));
        let unreadable = || match cassette::load_entry(&text) {
            Ok(read) if read == interaction => None,
            Ok(_) => Some("its text does not read back as it was".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        match leak.or_else(unreadable) {
            None => (interaction, text),
            Some(why) => {
                self.withheld.push(Withheld {
                    id: interaction.id(),
                    why,
                });
                let stub = Redactor::withheld(interaction);
                let text = cassette::entry(&stub);
                (stub, text)
            }
        }
    }

    fn rewrite(&mut self) -> String {
        let mut text = self.begin();
        for interaction in std::mem::take(&mut self.interactions) {
            let mut interaction = interaction;
            self.redactor.resweep(&mut interaction);
            let (interaction, entry) = self.audited(interaction);
            text.push_str(&entry);
            self.interactions.push(interaction);
        }
        text
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

    fn exchange(id: u64, request: crate::model::Said, response: crate::model::Heard) -> Exchange {
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
        let (_, text) = tape.finish().expect("an audited cassette");
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

//! A tape that goes on where a cassette ends.

use crate::cassette::{self, Cassette, Header};
use crate::oauth::Step;
use crate::oauth::classify::classify;
use crate::oauth::fields::Reading;
use crate::record::{Before, Entry, Options, Tape};
use crate::redact::Label;

/// A cassette that is recorded on.
pub struct Earlier {
    /// What is on it.
    pub cassette: Cassette,
    /// Whether it is the text that its stamp is of.
    pub is_stamped: bool,
}

impl Tape {
    /// A tape that goes on behind what is on a cassette, which stays as it is.
    ///
    /// The options must be of the cassette's profile.
    pub fn resume(options: Options, earlier: Earlier) -> Self {
        let Earlier {
            cassette,
            is_stamped,
        } = earlier;
        let (header, interactions) = (cassette.header, cassette.interactions);
        // What is declared is given its labels behind those of the cassette.
        let secrets = options.secrets.clone();
        let options = Options {
            secrets: Vec::new(),
            ..options
        };
        let mut tape = Self::new(options, header.recorded_at.clone());
        tape.redactor.resume(&interactions, &header.redacted);
        tape.redactor.declare(&secrets);
        let mut insecure_upstream = header.insecure_upstream.clone();
        for host in tape.header.insecure_upstream {
            if !insecure_upstream.contains(&host) {
                insecure_upstream.push(host);
            }
        }
        let full_at = header.ledger_full_at;
        tape.entries = interactions
            .iter()
            .map(|interaction| Entry {
                id: interaction.id(),
                step: interaction.step(),
                text: cassette::entry(interaction),
                is_unlinked: full_at.is_some_and(|at| interaction.id() >= at),
                is_old: true,
            })
            .collect();
        tape.before = match header.audit.clone().filter(|_| is_stamped) {
            Some(stamp) => Before::Stamped(stamp),
            None => Before::Unstamped,
        };
        tape.header = Header {
            insecure_upstream,
            audit: None,
            ..header
        };
        tape
    }

    /// Takes in what this run says for a label of the cassette that is recorded on.
    pub fn know(&mut self, label: &Label, value: &str) {
        self.redactor.know(label, value);
    }

    /// Takes in an exchange that was played from the cassette: nothing is written of it, and later
    /// ones are read against it.
    pub fn observe(&mut self, reading: &Reading<'_>) {
        let step = classify(&self.flows, reading);
        // The keys that are played are ours, and no server signs with them.
        if step != Step::Jwks {
            self.flows.observe(step, reading);
        }
    }

    /// How many interactions came to what was there before.
    pub fn added(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_old).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::flows::tests::{heard, said};
    use crate::record::tests::exchange;

    const CASSETTE: &str = "authtape: 1
recorded_by: authtape/0.1.0
recorded_at: \"2026-11-23T10:02:11Z\"
insecure_upstream: [a.example, b.example]
ledger_full_at: 1
interactions:

- id: 1
  step: other
  at: 0.000
  request:
    method: GET
    url: https://as.example/
    http: \"1.1\"
# end 1
";

    fn resumed(options: Options) -> Tape {
        let earlier = Earlier {
            cassette: cassette::load(CASSETTE.as_bytes()).expect("a cassette"),
            is_stamped: false,
        };
        Tape::resume(options, earlier)
    }

    #[test]
    fn each_host_that_is_not_verified_is_named_once() {
        let tape = resumed(Options {
            insecure_upstream: vec!["a.example".to_owned(), "c.example".to_owned()],
            ..Options::default()
        });
        let hosts = ["a.example", "b.example", "c.example"];
        assert_eq!(tape.header.insecure_upstream, hosts);
    }

    #[test]
    fn there_is_room_again_where_a_recording_before_had_none() {
        let mut tape = resumed(Options::default());
        assert!(!tape.is_full());
        let text = tape.finish().expect("an audited cassette");
        assert!(text.contains("ledger_full_at: 1"), "{text}");
    }

    #[test]
    fn what_was_there_before_is_not_lost_where_it_does_not_read_back() {
        let mut tape = resumed(Options::default());
        let broken = tape.entries[0].text.replace("step: other", "step: unheard");
        tape.entries[0].text.clone_from(&broken);
        let text = tape.rewrite();
        assert!(text.contains(&broken), "{text}");
        tape.finish().expect_err("it is refused");
    }

    #[test]
    fn no_signature_is_held_against_a_key_that_was_played() {
        let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let json = [("Content-Type", "application/json")];

        // {"alg":"EdDSA","kid":"k1"}, {"iss":"https://as.example","sub":"1"}
        let token = "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiIxIn0.c2ln";
        let answer = format!(
            "{{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"id_token\":\"{token}\"}}"
        );
        for (is_played, expected) in [(true, false), (false, true)] {
            let mut tape = resumed(Options::default());
            let asked = said("GET", "https://as.example/jwks.json", &[], "");
            let keys = heard(200, &json, set);
            if is_played {
                tape.observe(&Reading::of(&asked, Some(&keys)));
            } else {
                tape.record(exchange(2, asked, keys));
            }
            let form = "grant_type=client_credentials";
            let redeemed = said("POST", "https://as.example/token", &[], form);
            tape.record(exchange(3, redeemed, heard(200, &json, &answer)));
            let text = tape.text();
            assert_eq!(text.contains("jwt.id_token.sig: bad"), expected, "{text}");
        }
    }
}

//! What a cassette must not lack, and its labels must not say, for it to be played.

use std::collections::{BTreeMap, HashSet};

use crate::cassette::sound::line_of;
use crate::cassette::{Cassette, Error, Outcome, Session, Turn};
use crate::oauth::{Step, name};
use crate::redact::{
    Content, DECLARED, DropReason, Interaction, Label, Piece, Profile, Suffix, broken_label, cores,
    only_label, pieces,
};

impl Cassette {
    /// Refuses a cassette that somebody has edited so that it cannot be played. `text` is what it was
    /// read from.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] says the line of the label, or of the interaction, and what to do.
    pub fn check_playable(&self, text: &str) -> Result<(), Error> {
        if self.header.profile != Profile::Raw {
            self.check_labels(text)?;
        }
        // What a mutant lacks, it lacks on purpose.
        if self.header.mutant.is_none() {
            self.check_flows(text)?;
        }
        Ok(())
    }

    fn check_labels(&self, text: &str) -> Result<(), Error> {
        let mut is_entry = false;
        for (at, line) in text.lines().enumerate() {
            is_entry |= line.starts_with("interactions:");
            if !is_entry || !line.contains("REDACTED-") {
                continue;
            }
            let wrong = |(column, message)| Error::Format {
                line: at as u64 + 1,
                column,
                message,
            };
            if let Some(offset) = broken_label(line) {
                let column = line[..offset].chars().count() as u64 + 1;
                let message = "this begins as a label and is none; a label is REDACTED-kind-number and then its suffixes, and literal text is written REDACTED--";
                return Err(wrong((column, message.to_owned())));
            }
            let labels = pieces(line).into_iter().filter_map(|piece| match piece {
                Piece::Label(label) => Some(label),
                Piece::Literal(_) => None,
            });
            for label in labels {
                if let Some(message) = self.fault_of(&label) {
                    let offset = line.find(&label.to_string()).unwrap_or_default();
                    let column = line[..offset].chars().count() as u64 + 1;
                    return Err(wrong((column, message)));
                }
            }
        }
        Ok(())
    }

    /// What is wrong with a label.
    fn fault_of(&self, label: &Label) -> Option<String> {
        let counts = &self.header.redacted;
        let count = counts.iter().find(|count| count.name == label.kind);
        let core = label.core();
        match count {
            // Whoever counts nothing is not held to it.
            _ if counts.is_empty() => {}
            None => {
                return Some(format!(
                    "{core} is of a kind that `redacted:` at the top does not count; write it as it was recorded"
                ));
            }
            Some(count) if label.number > count.value && label.kind != DECLARED => {
                return Some(format!(
                    "{core} is not there: `redacted:` at the top counts {} of its kind; write it as it was recorded",
                    count.value
                ));
            }
            Some(_) => {}
        }
        label.suffixes.iter().find_map(|suffix| match suffix {
            Suffix::FirstOf { kept, of } if *of > 0 && kept >= of => Some(format!(
                "{label} cannot be: of {of} characters the first {kept} are not a part"
            )),
            Suffix::FirstOf { of, .. } => {
                let length = self.length_of(&core).filter(|length| *of > 0 && length != of)?;
                Some(format!(
                    "{label} cannot be: `secrets:` declares that {core} has {length} characters, not {of}"
                ))
            }
            _ => None,
        })
    }

    fn length_of(&self, core: &Label) -> Option<u32> {
        let key = core.key();
        let mut declared = self.interactions.iter().flat_map(Interaction::secrets);
        declared.find(|secret| secret.name == key)?.value.length
    }

    /// Refuses a grant that was accepted and that nothing before it brings, though what would have
    /// brought it is there: a client of this run could never send it.
    fn check_flows(&self, text: &str) -> Result<(), Error> {
        let session = Session::new(self);
        let accepted = session.token_requests();
        let mut accepted = accepted
            .filter(|token| token.outcome() == Outcome::Accepted)
            .peekable();
        let mut before = Before::default();
        for interaction in &self.interactions {
            let id = interaction.id();
            let redeems = accepted.next_if(|token| token.id() == id);
            if let Some(message) = redeems.and_then(|token| before.fault_of(token)) {
                return Err(Error::Format {
                    line: line_of(text, id),
                    column: 1,
                    message,
                });
            }
            if accepted.peek().is_none() {
                break;
            }
            before.take_in(interaction);
        }
        Ok(())
    }
}

/// What stands before an interaction.
#[derive(Default)]
struct Before {
    labels: HashSet<Label>,
    /// The first interaction of each step.
    begun: BTreeMap<Step, u64>,
    /// A body that nobody can look into may have brought anything.
    has_unseen: bool,
}

impl Before {
    fn take_in(&mut self, interaction: &Interaction) {
        let entry = crate::cassette::entry(interaction);
        self.labels.extend(cores(&entry));
        let begun = self.begun.entry(interaction.step());
        begun.or_insert_with(|| interaction.id());
        self.has_unseen |= interaction.response().is_some_and(|response| {
            matches!(response.content(), Content::Dropped(dropped) if dropped.dropped != DropReason::Page)
        });
    }

    /// What a grant redeems that should have been brought, and was not.
    fn fault_of(&self, token: &Turn<'_>) -> Option<String> {
        let fault = |(name, step): &(&str, Step)| {
            let label = token.param(name).and_then(only_label)?;
            let begins = self.begun.get(step)?;
            (!self.has_unseen && !self.labels.contains(&label)).then(|| {
                format!(
                    "interaction {} redeems {label}, which nothing behind the {} of interaction {begins} brings; put back what is missing, or record it again",
                    token.id(),
                    step.title(),
                )
            })
        };
        BROUGHT.iter().find_map(fault)
    }
}

/// The line at which an interaction declares a secret, counted from 1.
#[cfg(feature = "proxy")]
pub(crate) fn line_of_secret(text: &str, id: u64, key: &str) -> u64 {
    let (begins, declares) = (line_of(text, id), format!("{key}:"));
    let lines = (1..).zip(text.lines());
    let mut lines = lines.skip_while(|(at, _)| *at < begins);
    let declared = lines.find(|(_, line)| line.trim_start().starts_with(&declares));
    declared.map_or(begins, |(at, _)| at)
}

/// What is redeemed, and the step that begins what brings it.
const BROUGHT: &[(&str, Step)] = &[
    (name::CODE, Step::AuthorizationRequest),
    (name::DEVICE_CODE, Step::DeviceAuthorizationRequest),
    (name::AUTH_REQ_ID, Step::BackchannelAuthenticationRequest),
];

#[cfg(test)]
mod tests {
    use crate::cassette::load;

    const TEXT: &str = "authtape: 1
recorded_by: authtape/0.1.0
recorded_at: \"2026-11-23T10:02:11Z\"
redacted: {code: 1, state: 1}
interactions:

- id: 1
  step: authorization_request
  at: 0.000
  request:
    method: GET
    url: https://as.example/authorize
    http: \"1.1\"
    query:
    - client_id: shop
    - state: REDACTED-state-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: https://shop.example/cb?code=REDACTED-code-1&state=REDACTED-state-1
  secrets:
    code-1: {length: 24, alphabet: alnum}
# end 1

- id: 2
  step: token_request
  at: 1.000
  request:
    method: POST
    url: https://as.example/token
    http: \"1.1\"
    form:
    - grant_type: authorization_code
    - code: REDACTED-code-1
  response:
    status: 200
    after: 0.010
    json: '{\"access_token\":\"x\"}'
    wire: exact
# end 2
";

    const EDITS: &[(&str, &str, &str, Option<&str>)] = &[
        ("as recorded", "", "", None),
        (
            "a label without its number",
            "state: REDACTED-state-1",
            "state: REDACTED-state",
            Some("line 16, column 14"),
        ),
        (
            "an unknown suffix",
            "code: REDACTED-code-1\n",
            "code: REDACTED-code-1--tcp\n",
            Some("line 35, column 13"),
        ),
        (
            "an unknown kind",
            "code: REDACTED-code-1\n",
            "code: REDACTED-cod-1\n",
            Some("line 35, column 13"),
        ),
        (
            "a label that is not there",
            "code: REDACTED-code-1\n",
            "code: REDACTED-code-2\n",
            Some("line 35, column 13"),
        ),
        (
            "more than a part",
            "code: REDACTED-code-1\n",
            "code: REDACTED-code-1--first-24-of-24\n",
            Some("line 35"),
        ),
        (
            "a part of another",
            "code: REDACTED-code-1\n",
            "code: REDACTED-code-1--first-12-of-25\n",
            Some("line 35"),
        ),
        (
            "a part",
            "code: REDACTED-code-1\n",
            "code: REDACTED-code-1--first-12-of-24\n",
            None,
        ),
        (
            "literal text",
            "client_id: shop",
            "client_id: REDACTED--shop",
            None,
        ),
        (
            "a code that nothing brings",
            "code=REDACTED-code-1&",
            "",
            Some("line 26, "),
        ),
    ];

    #[test]
    fn what_cannot_be_played_is_refused_with_its_line() {
        for (name, from, to, expected) in EDITS {
            let text = TEXT.replacen(from, to, usize::from(!from.is_empty()));
            let cassette = load(text.as_bytes()).expect(name);
            let told = cassette
                .check_playable(&text)
                .err()
                .map(|error| error.to_string());
            match (&told, expected) {
                (None, None) => {}
                (Some(told), Some(expected)) => {
                    assert!(told.starts_with(expected), "{name}: {told}");
                }
                _ => panic!("{name}: {told:?}"),
            }
        }
    }
}

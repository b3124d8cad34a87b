//! The stamp of the audit: what was looked for in a cassette, and whether it is still that text.

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// What the audit at the end of a recording came to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The version of what is looked for.
    pub rules: u32,
    /// How many secrets were searched for.
    pub secrets: u64,
    /// In how many spellings, parts and hashes.
    pub patterns: u64,
    /// How deep encodings were undone.
    pub depth: u32,
    /// How many interactions it found one in, of which nothing but a stub was written.
    pub hits: u64,
    /// How the SHA-256 of the rest of the file begins. Long enough to notice an edit, which is all
    /// that it is for, since whoever edits can stamp; and no scanner takes it for a secret.
    pub sum: String,
}

/// The version of what the audit looks for.
pub const RULES: u32 = 1;

impl Stamp {
    /// The same findings for a text that was made of the one that was stamped.
    #[must_use]
    pub fn renewed(self, text: &str) -> Self {
        Self {
            sum: sum(text),
            ..self
        }
    }

    /// Whether the text is the one that was stamped.
    pub fn is_of(&self, text: &str) -> bool {
        self.sum == sum(text)
    }
}

/// How the SHA-256 begins of a cassette without its stamp.
pub fn sum(text: &str) -> String {
    let (head, body) = text.split_at(text.find(INTERACTIONS).unwrap_or(text.len()));
    let mut hash = Sha256::new();
    head.split_inclusive('\n')
        .filter(|line| !line.starts_with(KEY))
        .chain([body])
        .for_each(|part| hash.update(part));
    hash.finalize()[..SUM_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where the header ends.
const INTERACTIONS: &str = "interactions:\n";
const KEY: &str = "audit: ";
const SUM_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_edit_but_of_the_stamp_is_noticed() {
        let text = "authtape: 1\nredacted: {code: 1}\ninteractions:\n\n- id: 1\naudit: no stamp\n";
        let stamp = Stamp {
            rules: RULES,
            secrets: 1,
            patterns: 22,
            depth: 4,
            hits: 0,
            sum: sum(text),
        };
        let stamped = text.replacen("interactions:\n", "audit: {rules: 1}\ninteractions:\n", 1);
        for (edited, expected) in [
            (text.to_owned(), true),
            (stamped.clone(), true),
            (stamped.replace("rules: 1", "rules: 2"), true),
            (stamped.replace("code: 1", "code: 2"), false),
            (stamped.replace("id: 1", "id: 2"), false),
            (stamped.replace("no stamp", "a stamp"), false),
            (format!("{stamped}\n"), false),
            (stamped.replace('\n', "\r\n"), false),
        ] {
            assert_eq!(stamp.is_of(&edited), expected, "{edited}");
        }
    }
}

//! The examination at the end: every secret of the recording, and what betrays one, in any encoding.

use std::collections::BTreeSet;

use crate::redact::Redactor;
use crate::redact::closure::{self, Closure, TooMuch};
use crate::redact::fragment::Fragments;
use crate::redact::interaction::Interaction;
use crate::redact::profile::Profile;
use crate::redact::values::is_public;

/// Examines the interactions of a recording, one after the other.
///
/// It holds secrets: no `Debug`, no `Serialize`.
pub struct Examiner<'a> {
    redactor: &'a Redactor,
    fragments: Fragments<'a>,
    closure: Closure,
}

impl Redactor {
    /// An examiner that knows every secret that was seen so far.
    pub fn examiner(&self) -> Examiner<'_> {
        Examiner {
            redactor: self,
            fragments: Fragments::of(self.sweeper.secrets(), &self.public),
            closure: Closure::default(),
        }
    }

    /// Notes what an interaction says that is public: a token may hold it, and betrays nothing so.
    pub(super) fn note_public(&mut self, interaction: &Interaction) {
        let request = interaction.request();
        let pairs = request.query.iter().chain(&request.form);
        let pairs = pairs.filter(|pair| is_public(&pair.name));
        let host = request.parsed_url().map(|url| url.host);
        let user = request.basic().map(|basic| &basic.user);
        let said = pairs.map(|pair| &pair.value).chain(user).chain(&host);
        for text in said {
            if self.public.len() < PUBLIC_MAX && !self.public.contains(text) {
                self.public.insert(text.clone());
            }
        }
    }
}

impl Examiner<'_> {
    /// What of a secret stands in the interaction, which is written as this text, in words.
    pub fn examine(&mut self, interaction: &mut Interaction, written: &str) -> Option<String> {
        if self.redactor.profile == Profile::Raw {
            return None;
        }
        if let Some(kind) = self.redactor.leak_of(interaction, written) {
            return Some(kind);
        }
        // Without the file's own keys, which anybody can set a cookie to.
        let mut said = String::with_capacity(written.len());
        interaction.for_each_text(&mut |text| {
            said.push_str(text);
            said.push_str(closure::BREAK);
        });
        self.fragments.find(&said).or_else(|| self.decoded(&said))
    }

    /// Whether the text may be told to a person, whatever it is decoded to.
    pub fn is_clean(&mut self, text: &str) -> bool {
        self.redactor.leak(text).is_none()
            && self.fragments.find(text).is_none()
            && self.decoded(text).is_none()
    }

    /// What of a secret the text is under its encodings.
    fn decoded(&mut self, text: &str) -> Option<String> {
        let (redactor, fragments) = (self.redactor, &self.fragments);
        let mut find = |view: &str| redactor.leak(view).or_else(|| fragments.find(view));
        match self.closure.find(text, &mut find) {
            Ok(found) => found,
            Err(TooMuch) => Some("text that is encoded too often".to_owned()),
        }
    }

    /// How many patterns are searched for.
    pub fn patterns(&self) -> usize {
        self.redactor.sweeper.patterns() + self.fragments.len()
    }

    /// How deep encodings are undone.
    pub fn depth(&self) -> u32 {
        closure::DEPTH
    }
}

/// How many public texts are remembered; what more there are betray a token that holds them.
const PUBLIC_MAX: usize = 1_000;

/// Texts that may stand in a token.
pub(super) type Public = BTreeSet<String>;

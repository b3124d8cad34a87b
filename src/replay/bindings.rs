//! This run's values for the labels of a cassette. They are raw: no `Debug`.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use zeroize::Zeroizing;

use crate::model::{percent_decode, percent_encode};
use crate::oauth::registry::{self, Class, Place};
use crate::redact::{Declaration, Label, Piece, Suffix, pieces, says_whose};
use crate::replay::mint::Mint;
use crate::replay::values::is_of_flow;

/// What stands for each label in this run, by cassette.
pub(super) struct Bindings {
    values: HashMap<usize, HashMap<Label, Bound>>,
    /// Each value that stands for a label, or did before its flow began anew.
    known: HashMap<Arc<str>, Owned>,
    /// What labels stood for before their flows began anew, as much of it as is remembered.
    former: VecDeque<Arc<str>>,
    mint: Mint,
}

/// What stands for a label.
struct Bound {
    value: Arc<str>,
    /// Whether no client sent it.
    is_unsent: bool,
}

#[derive(Default)]
struct Owned {
    owners: Vec<(usize, Label)>,
    /// Whether it was made here.
    is_minted: bool,
}

impl Bindings {
    /// Nothing is bound; values are made from the seed.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            values: HashMap::new(),
            known: HashMap::new(),
            former: VecDeque::new(),
            mint: Mint::new(seed),
        }
    }

    /// Whether a live value can stand where the recorded text stood; a label that is not bound
    /// yet would take it.
    pub(super) fn accepts(&self, cassette: usize, recorded: &str, live: &str) -> bool {
        self.takes(cassette, &pieces(recorded), live)
    }

    /// The same of a text in its pieces.
    pub(super) fn takes(&self, cassette: usize, recorded: &[Piece], live: &str) -> bool {
        self.taken(cassette, recorded, live)
            .is_some_and(|taken| self.may_stand(cassette, &taken))
    }

    /// Whether each part of a live text may stand for its label.
    fn may_stand(&self, cassette: usize, taken: &[(&Label, &str)]) -> bool {
        taken.iter().all(|(label, part)| {
            let Some(bound) = self.bound(cassette, label) else {
                return true;
            };
            applied(&bound.value, label) == *part
                || self.was(cassette, label, part)
                || bound.is_unsent && is_somebodys(label)
        })
    }

    fn bound(&self, cassette: usize, label: &Label) -> Option<&Bound> {
        self.values.get(&cassette)?.get(core(label).as_ref())
    }

    /// The labels that a value stands for, or stood for.
    pub(super) fn owners(&self, value: &str) -> &[(usize, Label)] {
        self.known.get(value).map_or(&[], |known| &known.owners)
    }

    /// Whether a label stood for the value before its flow began anew.
    fn was(&self, cassette: usize, label: &Label, part: &str) -> bool {
        let core = undone(part, label);
        core.is_some_and(|core| self.owners(&core).contains(&(cassette, label.core())))
    }

    fn own(&mut self, cassette: usize, label: &Label, value: &Arc<str>) -> &mut Owned {
        let known = self.known.entry(Arc::clone(value)).or_default();
        let mut owners = known.owners.iter();
        if !owners.any(|(of, owner)| *of == cassette && owner == label) {
            known.owners.push((cassette, label.clone()));
        }
        known
    }

    /// The same for a URL, of which a label stands for one segment or for the host.
    pub(super) fn accepts_url(&self, cassette: usize, recorded: &[Piece], live: &str) -> bool {
        let taken = self.taken(cassette, recorded, live).unwrap_or_default();
        !taken.is_empty()
            && taken.iter().all(|(_, part)| !part.contains('/'))
            && self.may_stand(cassette, &taken)
    }

    /// Binds the labels of a recorded text to the live value, where they are not bound yet.
    pub(super) fn bind(&mut self, cassette: usize, recorded: &[Piece], live: &str) {
        self.bind_those(cassette, recorded, live, |_| true);
    }

    /// Binds those labels of a recorded URL that say whose it was, for as long as this run lasts. A
    /// segment that is one session's may be another in the next.
    pub(super) fn bind_url(&mut self, cassette: usize, recorded: &str, live: &str) {
        self.bind_those(cassette, &pieces(recorded), live, |label| {
            says_whose(&label.kind)
        });
    }

    fn bind_those(
        &mut self,
        cassette: usize,
        recorded: &[Piece],
        live: &str,
        is_bound: fn(&Label) -> bool,
    ) {
        let taken = self.taken(cassette, recorded, live).unwrap_or_default();
        for (label, part) in taken.into_iter().filter(|(label, _)| is_bound(label)) {
            if self.is_bound(cassette, label) {
                continue;
            }
            let Some(value) = undone(part, label) else {
                continue;
            };
            let (core, value) = (label.core(), Arc::from(value));
            self.own(cassette, &core, &value);
            let is_unsent = false;
            self.hold(cassette, core, Bound { value, is_unsent });
        }
    }

    fn hold(&mut self, cassette: usize, label: Label, bound: Bound) {
        self.values
            .entry(cassette)
            .or_default()
            .insert(label, bound);
    }

    /// Each label of a recorded text with the part of the live one that it stands for; `None` where the
    /// rest is another. What is bound takes what it is bound to, else a label goes as far as the next
    /// literal text.
    fn taken<'a>(
        &self,
        cassette: usize,
        pieces: &'a [Piece],
        live: &'a str,
    ) -> Option<Vec<(&'a Label, &'a str)>> {
        let mut taken = Vec::new();
        let mut rest = live;
        for (at, piece) in pieces.iter().enumerate() {
            let label = match piece {
                Piece::Literal(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    continue;
                }
                Piece::Label(label) => label,
            };
            let bound = || self.bound(cassette, label);
            let end = match pieces.get(at + 1) {
                None => rest.len(),
                Some(Piece::Literal(next)) if at + 2 == pieces.len() => {
                    rest.strip_suffix(next.as_str())?.len()
                }
                Some(next) => match (bound().map(|bound| applied(&bound.value, label)), next) {
                    (Some(value), _) => rest.starts_with(&*value).then_some(value.len())?,
                    (None, Piece::Literal(next)) => rest.find(next.as_str())?,
                    // Nothing says where the one ends and the other begins.
                    (None, Piece::Label(_)) => return None,
                },
            };
            let (part, behind) = rest.split_at(end);
            taken.push((label, part));
            rest = behind;
        }
        rest.is_empty().then_some(taken)
    }

    /// Whether this run's value of some label stands in the text.
    pub(super) fn holds(&self, text: &str) -> bool {
        let plain = percent_decode(text);
        // A short one stands in words by chance.
        let stands = |value: &str| plain == value || (value.len() >= 8 && plain.contains(value));
        let mut values = self.values.values().flat_map(HashMap::values);
        values.any(|bound| stands(&bound.value))
    }

    /// Whether a value that was made here stands in the text.
    pub(super) fn has_minted(&self, text: &str) -> bool {
        let mut known = self.known.iter();
        known.any(|(value, known)| known.is_minted && value.len() >= 8 && text.contains(&**value))
    }

    /// What stands for the labels of a cassette.
    pub(super) fn of(&self, cassette: usize) -> Vec<(Label, Zeroizing<String>)> {
        let values = self.values.get(&cassette).into_iter().flatten();
        let mut values: Vec<_> = values
            .map(|(label, bound)| (label.clone(), Zeroizing::new(bound.value.to_string())))
            .collect();
        values.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        values
    }

    /// Whether there is a value for the label.
    pub(super) fn is_bound(&self, cassette: usize, label: &Label) -> bool {
        self.bound(cassette, label).is_some()
    }

    /// Forgets a label unless a client sent it, so that it is made anew.
    pub(super) fn renew(&mut self, cassette: usize, label: &Label) {
        if self
            .bound(cassette, label)
            .is_some_and(|bound| bound.is_unsent)
        {
            self.forget(cassette, label);
        }
    }

    /// Takes a JWT that was made for a label.
    pub(super) fn take(&mut self, cassette: usize, label: &Label, jwt: String) {
        let (core, value) = (label.core(), Arc::from(jwt));
        // The others are made again with each answer, and nobody brings them back.
        if is_of_flow(&label.kind) {
            self.own(cassette, &core, &value).is_minted = true;
        }
        let bound = Bound {
            value,
            is_unsent: true,
        };
        self.hold(cassette, core, bound);
    }

    /// Letters and digits for a label.
    pub(super) fn letters(&mut self, label: &Label, length: usize) -> String {
        self.mint.letters(label, length)
    }

    /// Forgets a label, so that it is made anew.
    pub(super) fn forget(&mut self, cassette: usize, label: &Label) {
        let values = self.values.get_mut(&cassette);
        let forgotten = values.and_then(|values| values.remove(core(label).as_ref()));
        self.former.extend(forgotten.map(|bound| bound.value));
        if self.former.len() > FORMER_MAX
            && let Some(oldest) = self.former.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// The value of a label, made in its declared shape where there is none yet.
    pub(super) fn value(
        &mut self,
        cassette: usize,
        label: &Label,
        shape: Option<&Declaration>,
    ) -> String {
        if let Some(bound) = self.bound(cassette, label) {
            return applied(&bound.value, label).into_owned();
        }
        let core = label.core();
        let value = Arc::from(self.mint.value(&core, shape));
        self.own(cassette, &core, &value).is_minted = true;
        let out = applied(&value, label).into_owned();
        let is_unsent = true;
        self.hold(cassette, core, Bound { value, is_unsent });
        out
    }
}

/// A client that begins again and again must not fill the memory.
const FORMER_MAX: usize = 10_000;

/// Whether a label stands for what somebody is called, which a client may know from elsewhere than
/// from an answer: the one made up for this run is then not the one that it sends.
fn is_somebodys(label: &Label) -> bool {
    let class = registry::class(Place::Any, &label.kind);
    matches!(class, Some(Class::Personal | Class::Pseudonym))
}

fn applied<'a>(value: &'a str, label: &Label) -> Cow<'a, str> {
    let suffixes = label.suffixes.iter();
    suffixes.fold(Cow::Borrowed(value), |value, suffix| {
        Cow::Owned(apply(&value, *suffix))
    })
}

/// The label of the secret itself.
fn core(label: &Label) -> Cow<'_, Label> {
    if label.suffixes.is_empty() {
        Cow::Borrowed(label)
    } else {
        Cow::Owned(label.core())
    }
}

fn apply(value: &str, suffix: Suffix) -> String {
    match suffix {
        Suffix::Pct => percent_encode(value),
        Suffix::Pct2 => percent_encode(&percent_encode(value)),
        Suffix::Unpct => percent_decode(value),
        Suffix::PlusAsSpace => value.replace('+', " "),
        Suffix::SpaceAsPlus => value.replace(' ', "+"),
        Suffix::HtmlAmp => value.replace('&', "&amp;"),
        Suffix::FirstOf { kept, .. } => value.chars().take(kept as usize).collect(),
        Suffix::Upper => value.to_ascii_uppercase(),
        Suffix::Lower => value.to_ascii_lowercase(),
        _ => value.to_owned(),
    }
}

/// The secret itself, where the difference can be undone.
fn undone(value: &str, label: &Label) -> Option<String> {
    match label.suffixes.as_slice() {
        [] | [Suffix::Number] => Some(value.to_owned()),
        [Suffix::Pct] => Some(percent_decode(value)),
        [Suffix::Pct2] => Some(percent_decode(&percent_decode(value))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_the_first_value_and_holds_to_it() {
        let mut bindings = Bindings::new([0; 32]);
        for (recorded, live, expected) in [
            ("REDACTED-state-1", "s1", true),
            ("REDACTED-state-1", "other", false),
            ("REDACTED-state-1\n", "s1\n", true),
            ("REDACTED-state-1\n", "s1", false),
            ("REDACTED-code-1--pct", "a%2Fb", true),
            ("REDACTED-code-1", "a/b", true),
            ("REDACTED-code-1", "a%2Fb", false),
            ("Bearer REDACTED-access_token-1", "Basic x", false),
            ("Bearer REDACTED-access_token-1", "Bearer t", true),
            ("plain", "plain", true),
            ("plain", "other", false),
            (
                "https://REDACTED-host-1/r/REDACTED-realm-1/token",
                "https://a.b/r/c",
                false,
            ),
            (
                "https://REDACTED-host-1/r/REDACTED-realm-1/token",
                "https://a.b/r/c/token",
                true,
            ),
            (
                "https://REDACTED-host-1/r/REDACTED-realm-1/auth",
                "https://a.b/r/c/auth",
                true,
            ),
            (
                "https://REDACTED-host-1/r/REDACTED-realm-1/auth",
                "https://a.b/r/d/auth",
                false,
            ),
            (
                "https://REDACTED-host-1/r/REDACTED-realm-1/auth",
                "https://x.b/r/c/auth",
                false,
            ),
            (
                "REDACTED-value-7REDACTED-value-8",
                "nothing parts them",
                false,
            ),
        ] {
            assert_eq!(
                bindings.accepts(0, recorded, live),
                expected,
                "{recorded:?} {live:?}"
            );
            if expected {
                bindings.bind(0, &pieces(recorded), live);
            }
        }
        let code = bindings.value(0, &Label::new("code", 1), None);
        assert_eq!(code, "a/b");
        assert!(bindings.accepts(1, "REDACTED-state-1", "another cassette"));
    }

    #[test]
    fn who_somebody_is_a_client_may_know_from_elsewhere() {
        let mut bindings = Bindings::new([0; 32]);
        for (kind, expected) in [("email", true), ("sub", true), ("access_token", false)] {
            let label = Label::new(kind, 1);
            let text = label.to_string();
            let made = bindings.value(0, &label, None);
            assert!(bindings.accepts(0, &text, &made), "{kind}");
            assert_eq!(
                bindings.accepts(0, &text, "jane@corp.example"),
                expected,
                "{kind}"
            );
        }
        bindings.bind(0, &pieces("REDACTED-email-2"), "jane@corp.example");
        assert!(!bindings.accepts(0, "REDACTED-email-2", "another"));
    }

    #[test]
    fn a_label_of_a_url_stands_for_one_segment() {
        let bindings = Bindings::new([0; 32]);
        for (recorded, live, expected) in [
            ("https://REDACTED-host-1/token", "https://a.b/token", true),
            (
                "https://REDACTED-host-1/token",
                "https://a.b:8443/token",
                true,
            ),
            (
                "https://REDACTED-host-1/token",
                "https://a.b/c/token",
                false,
            ),
            ("https://a.b/REDACTED-value-1", "https://a.b/c", true),
            ("https://a.b/REDACTED-value-1", "https://a.b/c/d", false),
        ] {
            let recorded = pieces(recorded);
            assert_eq!(bindings.accepts_url(0, &recorded, live), expected, "{live}");
        }
    }
}

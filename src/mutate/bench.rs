//! The bench that mutants are made on: a cassette's interactions, found by step and changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cassette::{Cassette, entry};
use crate::oauth::{Step, name};
use crate::redact::{
    Content, Declaration, Draft, Interaction, Label, Named, Profile, Undisclosed, cores,
};

/// Why a change cannot be made.
pub(super) enum Trouble {
    /// There is no such thing to change.
    Missing(&'static str),
    Undisclosed(Undisclosed),
}

impl From<Undisclosed> for Trouble {
    fn from(undisclosed: Undisclosed) -> Self {
        Self::Undisclosed(undisclosed)
    }
}

/// A cassette that is being changed. Places count from 0, and are good until one is inserted.
pub(super) struct Bench {
    interactions: Vec<Interaction>,
    profile: Profile,
    redacted: Vec<Named<u32>>,
}

impl Bench {
    pub(super) fn of(cassette: &Cassette) -> Self {
        Self {
            interactions: cassette.interactions.clone(),
            profile: cassette.header.profile,
            redacted: cassette.header.redacted.clone(),
        }
    }

    /// The interactions, numbered anew, and how many secrets of each kind they have by now.
    pub(super) fn finish(mut self) -> (Vec<Interaction>, Vec<Named<u32>>) {
        let numbered = (1..).zip(std::mem::take(&mut self.interactions));
        let numbered = numbered.map(|(id, interaction)| interaction.renumbered(id));
        let interactions: Vec<_> = numbered.collect();
        if !self.redacted.is_empty() {
            let labels = interactions.iter().flat_map(|one| cores(&entry(one)));
            labels.for_each(|label| self.count(&label));
        }
        (interactions, self.redacted)
    }

    fn count(&mut self, label: &Label) {
        let is_kind = |count: &&mut Named<u32>| count.name == label.kind;
        if let Some(count) = self.redacted.iter_mut().find(is_kind) {
            count.value = count.value.max(label.number);
            return;
        }
        let place = self
            .redacted
            .partition_point(|count| count.name < label.kind);
        let count = Named::new(label.kind.clone(), label.number);
        self.redacted.insert(place, count);
    }

    pub(super) fn at(&self, at: usize) -> &Interaction {
        &self.interactions[at]
    }

    pub(super) fn interactions(&self) -> &[Interaction] {
        &self.interactions
    }

    /// The first of which this is true, or else there is none of what is said.
    pub(super) fn find(
        &self,
        what: &'static str,
        is: impl Fn(&Interaction) -> bool,
    ) -> Result<usize, Trouble> {
        let found = self.interactions.iter().position(is);
        found.ok_or(Trouble::Missing(what))
    }

    /// The first answer to a step that is no error.
    pub(super) fn success(&self, what: &'static str, step: Step) -> Result<usize, Trouble> {
        self.find(what, |interaction| {
            interaction.step() == step && is_success(interaction)
        })
    }

    /// The first token response.
    pub(super) fn grant(&self) -> Result<usize, Trouble> {
        self.success("token response", Step::TokenRequest)
    }

    /// The first token response to this grant type.
    pub(super) fn grant_of(&self, what: &'static str, grant: &str) -> Result<usize, Trouble> {
        self.find(what, |interaction| {
            let asked = interaction.request().body_params();
            interaction.step() == Step::TokenRequest
                && asked.get(name::GRANT_TYPE) == Some(grant)
                && is_success(interaction)
        })
    }

    /// The first token response to a request with a proof of its key (RFC 9449).
    pub(super) fn bound(&self) -> Result<usize, Trouble> {
        self.find("token response to a DPoP proof", |interaction| {
            interaction.step() == Step::TokenRequest
                && interaction.request().headers().has("DPoP")
                && is_success(interaction)
        })
    }

    /// Changes an interaction; the place.
    pub(super) fn change(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut Draft),
    ) -> Result<usize, Trouble> {
        let mut draft = Draft::of(&self.interactions[at]);
        change(&mut draft);
        self.interactions[at] = draft.finish(self.profile)?;
        Ok(at)
    }

    /// Puts a copy before an interaction that answers otherwise; the place of the copy.
    pub(super) fn insert(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut Draft),
    ) -> Result<usize, Trouble> {
        let mut draft = Draft::of(&self.interactions[at]);
        change(&mut draft);
        // The first to bring a secret declares it; and what a token claims comes with the token.
        let declared = std::mem::take(draft.secrets());
        for _ in ["the message", "its tokens"] {
            let brought = keys(&entry(draft.interaction()));
            let secrets = declared.iter().filter(|one| brought.contains(&one.name));
            *draft.secrets() = secrets.cloned().collect();
        }
        let copy = draft.finish(self.profile)?;
        let mut original = Draft::of(&self.interactions[at]);
        let is_brought = |key: &str| copy.secrets().iter().any(|secret| secret.name == key);
        original.secrets().retain(|one| !is_brought(&one.name));
        self.interactions[at] = original.finish(self.profile)?;
        self.interactions.insert(at, copy);
        Ok(at)
    }

    /// Changes the JSON object that an interaction was answered with.
    pub(super) fn change_json(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<usize, Trouble> {
        let mut object = self.json(at)?;
        change(&mut object);
        self.change(at, |draft| draft.set_json(&text(&object)))
    }

    /// The JSON object that an interaction was answered with.
    pub(super) fn json(&self, at: usize) -> Result<Map<String, Value>, Trouble> {
        let response = self.interactions[at].response();
        let object = response.and_then(|response| match response.content() {
            Content::Json { text, .. } => serde_json::from_str(text).ok(),
            _ => None,
        });
        object.ok_or(Trouble::Missing("JSON object in the answer"))
    }

    /// A label that nothing on the cassette has, of the kind of this one, and declared as it is.
    pub(super) fn another(
        &self,
        text: &str,
    ) -> Result<(String, Option<Named<Declaration>>), Trouble> {
        let label = cores(text).next();
        let label = label.ok_or(Trouble::Missing("label to be replaced by another"))?;
        let secrets = || self.interactions.iter().flat_map(Interaction::secrets);
        let fresh = self.fresh(&label.kind);
        let declared = secrets().find(|secret| secret.name == label.key());
        let declared = declared.map(|declared| Named::new(fresh.key(), declared.value.clone()));
        Ok((fresh.to_string(), declared))
    }

    /// A label of this kind that nothing on the cassette has.
    pub(super) fn fresh(&self, kind: &str) -> Label {
        let of_kind = self.redacted.iter().filter(|count| count.name == kind);
        let counted = of_kind.map(|count| count.value).max().unwrap_or_default();
        let prefix = format!("{kind}-");
        let secrets = self.interactions.iter().flat_map(Interaction::secrets);
        let numbers = secrets.filter_map(|secret| secret.name.strip_prefix(&prefix)?.parse().ok());
        let declared: u32 = numbers.max().unwrap_or_default();
        Label::new(kind, counted.max(declared) + 1)
    }
}

fn is_success(interaction: &Interaction) -> bool {
    let is_final = interaction.error().is_none();
    let response = interaction.response();
    is_final
        && response.is_some_and(|response| {
            (200..300).contains(&response.status()) && !response.says_error()
        })
}

/// The labels in a text, as `secrets:` names them.
fn keys(text: &str) -> BTreeSet<String> {
    cores(text).map(|label| label.key()).collect()
}

pub(super) fn text(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}

//! A session for programs: the contract of `show --json`.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};

use crate::oauth::name;
use crate::redact::RecordedResponse;
use crate::view::Scene;
use crate::view::list::brought;
use crate::view::part::{Part, Parts, Side};
use crate::view::party::Party;

impl Scene<'_> {
    /// The session for programs.
    pub fn json(&self, cassette: &str) -> String {
        // What is told is text and numbers, which JSON holds.
        let told = serde_json::to_string(&Told {
            scene: self,
            cassette,
        });
        told.unwrap_or_default() + "\n"
    }

    fn secrets(&self) -> impl Iterator<Item = Value> {
        self.origins.iter().map(|(label, sightings)| {
            let seen = sightings.iter().map(|sighting| {
                json!({
                    "interaction": self.turns[sighting.at].interaction.id(),
                    "in": match sighting.side {
                        Side::Request => "request",
                        Side::Answer => "answer",
                    },
                })
            });
            json!({ "label": label.to_string(), "seen": seen.collect::<Vec<_>>() })
        })
    }
}

/// A session as it is written: an interaction at a time, since there may be very many.
struct Told<'a> {
    scene: &'a Scene<'a>,
    cassette: &'a str,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let header = self.scene.header;
        let mutant = header.mutant.as_ref().map(|mutant| mutant.kind.as_str());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cassette", self.cassette)?;
        map.serialize_entry("profile", header.profile.as_str())?;
        map.serialize_entry("mutant", &mutant)?;
        let interactions = || self.scene.turns.iter().map(interaction);
        map.serialize_entry("interactions", &Each(interactions))?;
        map.serialize_entry("secrets", &Each(|| self.scene.secrets()))?;
        map.end()
    }
}

/// A list, made as it is written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item = Value>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

fn interaction(parts: &Parts<'_>) -> Value {
    let interaction = parts.interaction;
    let request = interaction.request();
    let (from, to) = Party::of(interaction.step());
    json!({
        "id": interaction.id(),
        "step": interaction.step().as_str(),
        "at": interaction.at().as_secs_f64(),
        "from": from.as_str(),
        "to": to.as_str(),
        "method": request.method(),
        "url": request.url(),
        "request": all(&parts.request),
        "status": interaction.response().map(RecordedResponse::status),
        "after": interaction.response().map(|response| response.after().as_secs_f64()),
        "target": parts.target,
        "answer": all(&parts.answer),
        "oauth_error": parts.oauth_error(),
        "oauth_error_description": parts.answered(name::ERROR_DESCRIPTION),
        "error": interaction.error().map(|error| error.kind().as_str()),
        "phase": interaction.error().map(|error| error.phase().as_str()),
        "secrets": brought(interaction).collect::<Vec<_>>(),
    })
}

fn all(parts: &[Part<'_>]) -> Vec<Value> {
    let part = |part: &Part<'_>| json!({ "where": part.place.as_str(), "name": part.name, "value": part.value });
    parts.iter().map(part).collect()
}

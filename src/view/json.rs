//! A session for programs: the contract of `show --json`.

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
        let header = self.header;
        let interactions: Vec<_> = self.turns.iter().map(interaction).collect();
        let secrets = self.origins.iter().map(|(label, sightings)| {
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
        });
        let all = json!({
            "cassette": cassette,
            "profile": header.profile.as_str(),
            "mutant": header.mutant.as_ref().map(|mutant| mutant.kind.as_str()),
            "interactions": interactions,
            "secrets": secrets.collect::<Vec<_>>(),
        });
        format!("{all}\n")
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

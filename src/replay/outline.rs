//! The outline of an interaction: what it is found by, without what it says.

use std::sync::Arc;

use crate::model::{FailureKind, Url};
use crate::oauth::Step;
use crate::redact::{Interaction, Label, RecordedResponse, cores};
use crate::replay::endpoints::{Shaped, shaped};
use crate::replay::jwks::is_key_set;
use crate::replay::relations::sent;

/// What an interaction is found by.
pub struct Outline {
    pub(super) step: Step,
    pub(super) method: Arc<str>,
    /// Without its query.
    pub(super) url: String,
    /// Whether no server was asked.
    pub(super) is_our_refusal: bool,
    pub(super) is_key_set: bool,
    pub(super) shaped: Shaped,
    /// The kinds and numbers of the labels that it declares.
    pub(super) declared: Vec<(Box<str>, u32)>,
    /// The labels of a flow that its request holds.
    pub(super) sent: Vec<Label>,
    /// Where its response sends a browser on to.
    pub(super) locations: Vec<Location>,
}

/// Where a browser is sent on to.
pub(super) struct Location {
    /// Without its query.
    pub(super) endpoint: Option<String>,
    pub(super) labels: Vec<Label>,
}

impl Outline {
    /// Of an interaction.
    pub fn of(interaction: &Interaction) -> Self {
        let request = interaction.request();
        let error = interaction.error();
        let secrets = interaction.secrets().iter();
        let locations = interaction.response().map(RecordedResponse::locations);
        Self {
            step: interaction.step(),
            method: request.method().into(),
            url: request.url().to_owned(),
            is_our_refusal: error
                .is_some_and(|error| error.kind() == FailureKind::ConnectForbidden),
            is_key_set: is_key_set(interaction),
            shaped: shaped(interaction),
            declared: secrets
                .filter_map(|secret| declared(&secret.name))
                .collect(),
            sent: sent(interaction),
            locations: locations
                .iter()
                .flatten()
                .map(|at| Location::of(at))
                .collect(),
        }
    }
}

fn declared(key: &str) -> Option<(Box<str>, u32)> {
    let (kind, number) = key.rsplit_once('-')?;
    Some((kind.into(), number.parse().ok()?))
}

impl Location {
    fn of(location: &str) -> Self {
        Self {
            endpoint: Url::parse(location).map(|url| url.endpoint()),
            labels: cores(location).collect(),
        }
    }
}

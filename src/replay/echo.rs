//! The echo of `state`: whether a recorded authorization response had the one that was sent.

use crate::model::Params;
use crate::oauth::name;
use crate::redact::{RecordedResponse, only_label};

/// What an authorization response has as its `state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Echo {
    /// The one of the request.
    #[default]
    Sent,
    /// Another than that of the request, as on tape.
    Another,
    /// None, though the request had one.
    Missing,
}

impl Echo {
    /// How a recorded response echoes the recorded state of its request.
    pub(super) fn of(sent: Option<&str>, response: Option<&RecordedResponse>) -> Self {
        let locations = response.map(RecordedResponse::locations);
        let params = locations.unwrap_or_default();
        let params = params.iter().flat_map(|location| params_of(location));
        let mut params = params.filter(|params| params.has(name::CODE) || params.has(name::ERROR));
        // Where it is not known what was sent, the server is taken for one that does right.
        let (Some(sent), Some(params)) = (sent.and_then(only_label), params.next()) else {
            return Self::Sent;
        };
        match params.get(name::STATE) {
            None => Self::Missing,
            Some(state) if only_label(state).is_some_and(|state| state != sent) => Self::Another,
            Some(_) => Self::Sent,
        }
    }
}

/// The parameters of a URL's query, and those of its fragment.
fn params_of(location: &str) -> [Params; 2] {
    let (front, fragment) = location.split_once('#').unwrap_or((location, ""));
    let (_, query) = front.split_once('?').unwrap_or_default();
    [query, fragment].map(Params::parse)
}

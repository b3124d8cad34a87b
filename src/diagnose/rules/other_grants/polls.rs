//! The polls of a device: what it was given, and what it asked for with that.

use serde_json::Value;

use crate::cassette::{Session, Turn};
use crate::oauth::Step;
use crate::oauth::name::{self, grant};

/// A device code and the polls with it.
pub(super) struct Polled<'s, 'a> {
    /// The request that brought the device code, where it was seen.
    pub(super) device: Option<&'s Turn<'a>>,
    /// In order; one at least.
    pub(super) polls: Vec<&'s Turn<'a>>,
}

impl Polled<'_, '_> {
    /// The seconds between two polls (RFC 8628 section 3.2); `None` where they were not seen.
    pub(super) fn interval(&self) -> Option<u64> {
        let members = self.device?.answer_json()?;
        Some(
            members
                .get(name::INTERVAL)
                .map_or(Some(5), Value::as_u64)
                .unwrap_or(5),
        )
    }
}

/// The polls of each device code of a session.
pub(super) fn polled<'s, 'a>(session: &'s Session<'a>) -> Vec<Polled<'s, 'a>> {
    let mut all: Vec<(String, Polled<'s, 'a>)> = Vec::new();
    let polls = session.token_requests();
    for poll in polls.filter(|token| token.grant() == grant::DEVICE_CODE) {
        let Some(code) = poll.sent(name::DEVICE_CODE) else {
            continue;
        };
        if let Some((_, polled)) = all.iter_mut().find(|(known, _)| *known == code) {
            polled.polls.push(poll);
            continue;
        }
        let is_it = |turn: &&Turn<'a>| turn.issued(name::DEVICE_CODE).as_ref() == Some(&code);
        let mut devices = session.of(Step::DeviceAuthorizationRequest);
        let device = devices.find(is_it);
        all.push((
            code,
            Polled {
                device,
                polls: vec![poll],
            },
        ));
    }
    all.into_iter().map(|(_, polled)| polled).collect()
}

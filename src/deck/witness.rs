//! The witness: what the sessions of a replay say, kept in memory until it is told, redacted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::deck::reel::unix_now;
use crate::model::{Exchange, Said};
use crate::replay::{Answer, Came, Recorded, Report};
use crate::transcript::{Error, Seen, Transcript};

/// What was said, by the names of the sessions.
#[derive(Default)]
pub(super) struct Witness {
    sessions: Mutex<BTreeMap<String, Kept>>,
}

/// What is kept of a session.
#[derive(Default)]
struct Kept {
    seen: Vec<Seen>,
    bytes: usize,
    left_out: usize,
}

impl Witness {
    /// Remembers a request and its answer.
    pub(super) fn see(
        &self,
        session: Option<&str>,
        request: Said,
        answer: &Answer,
        (came, recorded): (Came, Option<Recorded>),
    ) {
        let (response, failure, miss) = match answer {
            Answer::Response(response) => (Some(response.heard()), None, None),
            Answer::Failure(failure) => (None, Some(failure.clone()), None),
            Answer::Miss(miss) => (None, None, Some(miss.clone())),
            Answer::New => return,
        };
        let heard = response.as_ref().map(|heard| heard.body.bytes.len());
        let size = request.body.bytes.len() + heard.unwrap_or_default();
        let seen = Seen {
            exchange: Exchange {
                id: 0,
                at: Duration::ZERO,
                clock: unix_now(),
                request,
                response,
                failure,
            },
            came,
            recorded,
            miss,
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = sessions
            .entry(session.unwrap_or_default().to_owned())
            .or_default();
        if kept.seen.len() < SEEN_MAX && kept.bytes + size <= BYTES_MAX {
            kept.bytes += size;
            kept.seen.push(seen);
        } else {
            kept.left_out += 1;
        }
    }

    /// What a session said.
    pub(super) fn transcript(
        &self,
        session: &str,
        cassette: &str,
        report: &Report,
    ) -> Result<Transcript, Error> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = sessions.remove(session).unwrap_or_default();
        drop(sessions);
        let transcript = Transcript::of(cassette, kept.seen, report)?;
        Ok(Transcript {
            session: (!session.is_empty()).then(|| session.to_owned()),
            left_out: kept.left_out,
            ..transcript
        })
    }
}

/// How many exchanges of a session are kept, and how many bytes of their bodies.
const SEEN_MAX: usize = 2_000;
const BYTES_MAX: usize = 64 << 20;

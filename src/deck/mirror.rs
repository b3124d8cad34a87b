//! The mirror: what the sessions of a replay say, redacted as a recording would be, for who looks on.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::deck::LaidListener;
use crate::deck::reel::unix_now;
use crate::model::{Exchange, Said};
use crate::record::{Laid, Options, Tape};
use crate::replay::Answer;

/// Tells of what is said.
pub(super) struct Mirror {
    began: Instant,
    tape: Mutex<Tape>,
    on_laid: LaidListener,
}

impl Mirror {
    /// Tells this listener.
    pub(super) fn new(on_laid: LaidListener) -> Self {
        let now = OffsetDateTime::now_utc().format(&Rfc3339);
        let options = Options {
            keep_all: true,
            ..Options::default()
        };
        Self {
            began: Instant::now(),
            tape: Mutex::new(Tape::new(options, now.unwrap_or_default())),
            on_laid,
        }
    }

    /// Tells of a request and what it gets. Of a long replay the beginning is told.
    pub(super) fn show(&self, request: &Said, answer: &Answer) {
        let (response, failure) = match answer {
            Answer::Response(response) => (Some(response.heard()), None),
            Answer::Failure(failure) => (None, Some(failure.clone())),
            // What is not on tape is told with its reason as it comes.
            Answer::Miss(_) | Answer::New => return,
        };
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        let number = tape.len() + 1;
        if number > TOLD_MAX {
            return;
        }
        let laid = tape.record(Exchange {
            id: number as u64,
            at: self.began.elapsed(),
            clock: unix_now(),
            request: request.clone(),
            response,
            failure,
        });
        if laid != Laid::Skipped {
            self.on_laid.tell(&laid);
        }
    }
}

/// More than a page shows.
const TOLD_MAX: usize = 2_000;

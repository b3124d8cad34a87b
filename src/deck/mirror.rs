//! The mirror: what the sessions of a replay say, redacted as a recording would be, for who looks on.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::deck::LaidListener;
use crate::deck::reel::unix_now;
use crate::model::{Exchange, Heard, Response, Said};
use crate::record::{Laid, Options, Tape};
use crate::replay::{Answer, MARK};

/// Tells of what is said.
pub(super) struct Mirror {
    began: Instant,
    told: Mutex<Told>,
    on_laid: LaidListener,
}

/// What was told, since it was last begun anew.
struct Told {
    tape: Tape,
    bytes: usize,
    /// How many exchanges there were in all.
    count: u64,
}

impl Mirror {
    /// Tells this listener.
    pub(super) fn new(on_laid: LaidListener) -> Self {
        let told = Told {
            tape: blank(),
            bytes: 0,
            count: 0,
        };
        Self {
            began: Instant::now(),
            told: Mutex::new(told),
            on_laid,
        }
    }

    /// Tells of a request and what it gets. A long replay is begun anew now and then, so that as much
    /// is kept of it as a page shows.
    pub(super) fn show(&self, request: &Said, answer: &Answer) {
        let (response, failure) = match answer {
            Answer::Response(response) => (Some(as_recorded(response)), None),
            Answer::Failure(failure) => (None, Some(failure.clone())),
            // What is not on tape is told with its reason as it comes.
            Answer::Miss(_) | Answer::New => return,
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = told.tape.len() >= TOLD_MAX || told.bytes >= BYTES_MAX;
        if is_full {
            (told.tape, told.bytes) = (blank(), 0);
        }
        told.count += 1;
        let id = told.count;
        let laid = told.tape.record(Exchange {
            id,
            at: self.began.elapsed(),
            clock: unix_now(),
            request: request.clone(),
            response,
            failure,
        });
        let laid = match laid {
            Laid::Appended(_) if is_full => Laid::Rewritten(told.tape.text()),
            laid => laid,
        };
        told.bytes += laid.last().map_or(0, str::len);
        self.on_laid.tell(&laid);
    }
}

/// Without what says to the client that it is a replay.
fn as_recorded(response: &Response) -> Heard {
    let mut heard = response.heard();
    heard
        .headers
        .retain(|field| !field.name.eq_ignore_ascii_case(MARK));
    heard
}

fn blank() -> Tape {
    let now = OffsetDateTime::now_utc().format(&Rfc3339);
    let options = Options {
        keep_all: true,
        ..Options::default()
    };
    Tape::new(options, now.unwrap_or_default())
}

/// As many as a page shows.
const TOLD_MAX: usize = 2_000;
const BYTES_MAX: usize = 64 << 20;

//! A performance: what is played, with the faults that were asked for, and when it is due.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Body, Cut};
use crate::oauth::classify::classify;
use crate::oauth::fields::Reading;
use crate::replay::fault::{Action, Fault};
use crate::replay::player::{Answer, Player};
use crate::replay::values::Live;

/// What a request came to, for those who tell of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Came {
    /// It belongs to no recorded exchange: an errand of a browser, or a page of ours.
    #[default]
    Aside,
    /// A fault that was asked for took the place of the answer.
    Faulted,
    /// Nothing on tape answers.
    Missed,
    /// What was recorded was played.
    Played,
    /// It was refused, as the recorded server would have.
    Refused,
}

/// The recorded exchange that a request was answered from, or was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recorded {
    /// Its place among all that may be played.
    pub at: usize,
    /// Its number in its cassette.
    pub id: u64,
}

/// An answer, and how long it is held back.
#[derive(Debug)]
pub struct Performance {
    /// The answer.
    pub answer: Answer,
    /// What the request came to.
    pub came: Came,
    /// Where in the recording, if anywhere.
    pub recorded: Option<Recorded>,
    /// How long it is held back.
    pub delay: Duration,
}

impl Player {
    /// Answers a request as [`Player::play`] does, unless a fault was asked for.
    pub(super) fn perform(&mut self, live: &Live<'_>, now: i64) -> Performance {
        (self.came, self.meant) = (Came::Aside, None);
        let Some(fault) = self.fault(live) else {
            return self.performance(live, now);
        };
        let response = fault.response().map(Answer::Response);
        let instead = response.or_else(|| fault.failure().map(Answer::Failure));
        if let Some(answer) = instead {
            self.came = Came::Faulted;
            return self.told(answer, Duration::ZERO);
        }
        let mut performance = self.performance(live, now);
        match (fault.action, &mut performance.answer) {
            (Action::Slow(delay), _) => {
                performance.delay = performance.delay.saturating_add(delay);
            }
            (Action::Truncate(length), Answer::Response(response)) => {
                if let Body::Full(bytes) = &response.body {
                    let begin = bytes.slice(..bytes.len().min(length));
                    response.body = Body::severed(begin, Cut::Closed);
                }
            }
            _ => {}
        }
        performance
    }

    fn performance(&mut self, live: &Live<'_>, now: i64) -> Performance {
        self.took = Duration::ZERO;
        let answer = self.play_live(live, now);
        let delay = match answer {
            Answer::Response(_) | Answer::Failure(_) => {
                self.repertoire.options.latency.of(self.took)
            }
            Answer::Miss(_) | Answer::New => Duration::ZERO,
        };
        self.told(answer, delay)
    }

    fn told(&self, answer: Answer, delay: Duration) -> Performance {
        let recorded = |at| Recorded {
            at,
            id: self.repertoire.id(at),
        };
        Performance {
            answer,
            came: self.came,
            recorded: self.meant.map(recorded),
            delay,
        }
    }

    /// The fault that a request meets. It was meant for what is on tape, and that was asked for.
    fn fault(&mut self, live: &Live<'_>) -> Option<Fault> {
        if self.faults.is_empty() {
            return None;
        }
        let repertoire = Arc::clone(&self.repertoire);
        let here = self.here(&repertoire, live);
        let step = here.step;
        let step = step.unwrap_or_else(|| classify(&self.flows, &Reading::of(live.said, None)));
        let fault = self.faults.meet(step)?;
        if let Some(meant) = self.next_of(&here) {
            self.plays.mean(meant);
            self.meant = Some(meant);
        }
        Some(fault)
    }
}

//! Playback: a handler that answers from cassettes. It asks nobody, unless it was given a recorder
//! to ask.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::deck::arrival::{peek, read};
use crate::deck::mirror::Mirror;
use crate::deck::recorder::Recorder;
use crate::deck::reel::unix_now;
use crate::deck::witness::Witness;
use crate::model::{Body, Failure, FailureKind, Incident, Phase, Request, Response, Said};
use crate::oauth::fields::Reading;
use crate::proxy::{Handler, Limits, Upstream};
use crate::replay::{Answer, Miss, Performance, Report, Sessions};
use crate::transcript::{self, Transcript};

/// Hears of each miss as it comes.
pub type MissListener = Box<dyn Fn(&Miss) + Send + Sync>;

/// One session of a replay that has ended.
#[derive(Clone, Debug)]
pub struct PlayedSession {
    /// Its name; empty where it has none.
    pub name: String,
    /// How it went.
    pub report: Report,
    /// What it said, where that was to be told.
    pub transcript: Option<Transcript>,
}

/// A handler around players, one for each user of the proxy.
#[derive(Clone)]
pub(super) struct Playback {
    sessions: Arc<Sessions>,
    on_miss: Arc<MissListener>,
    /// Who asks real servers what is not on tape, where that is allowed.
    recorder: Option<Arc<Recorder<Upstream>>>,
    /// Who tells what is said as it comes, where somebody looks on.
    mirror: Option<Arc<Mirror>>,
    /// Who remembers what is said, where it is to be told.
    witness: Option<Arc<Witness>>,
    limits: Limits,
}

impl Playback {
    /// Answers in these sessions, whose players are shown as much of a body as the limits say.
    pub(super) fn new(sessions: Arc<Sessions>, on_miss: MissListener, limits: Limits) -> Self {
        Self {
            sessions,
            on_miss: Arc::new(on_miss),
            recorder: None,
            mirror: None,
            witness: None,
            limits,
        }
    }

    /// The same, with a recorder that is asked what is not on tape.
    pub(super) fn before(self, recorder: Recorder<Upstream>) -> Self {
        Self {
            recorder: Some(Arc::new(recorder)),
            ..self
        }
    }

    /// The same, with what is said told as it comes.
    pub(super) fn mirrored(self, mirror: Mirror) -> Self {
        Self {
            mirror: Some(Arc::new(mirror)),
            ..self
        }
    }

    /// The same, with what is said remembered.
    pub(super) fn witnessed(self) -> Self {
        Self {
            witness: Some(Arc::default()),
            ..self
        }
    }

    /// What each session said, and how it went.
    pub(super) fn told(&self, cassette: &str) -> Result<Vec<PlayedSession>, transcript::Error> {
        let mut told = Vec::new();
        for (name, report) in self.sessions.each() {
            let transcript = match &self.witness {
                Some(witness) => Some(witness.transcript(&name, cassette, &report)?),
                None => None,
            };
            told.push(PlayedSession {
                name,
                report,
                transcript,
            });
        }
        Ok(told)
    }

    /// How the play went so far.
    pub(super) fn report(&self) -> Report {
        self.sessions.report()
    }

    /// What is seen of a request, and its body where somebody may want it yet.
    async fn said(&self, request: &mut Request) -> Said {
        let body = std::mem::replace(&mut request.body, Body::empty());
        let seen = if self.recorder.is_some() {
            let (seen, body) = peek(body, self.limits.body).await;
            request.body = body;
            seen
        } else {
            read(body, self.limits.body).await
        };
        request.said(seen)
    }

    async fn ask(&self, request: Request, said: &Said) -> Result<Response, Failure> {
        let Some(recorder) = self.recorder.as_ref().filter(|_| said.body.cut.is_none()) else {
            let (kind, phase) = (FailureKind::ClientAborted, Phase::Request);
            return Err(Failure::new(kind, phase, Duration::ZERO));
        };
        let values = self.sessions.values();
        recorder.reel().know(&values);
        recorder.handle(request).await
    }
}

impl Handler for Playback {
    async fn handle(&self, mut request: Request) -> Result<Response, Failure> {
        let said = self.said(&mut request).await;
        // What is recorded is one session.
        let user = request.user.as_deref().filter(|_| self.recorder.is_none());
        let performance = self.sessions.perform(user, &said, unix_now());
        let Performance {
            answer,
            delay,
            came,
            recorded,
        } = performance;
        if let Some(mirror) = &self.mirror {
            mirror.show(&said, &answer);
        }
        if let Some(witness) = &self.witness {
            witness.see(user, said.clone(), &answer, (came, recorded));
        }
        if !delay.is_zero() {
            sleep(delay).await;
        }
        match answer {
            Answer::Response(response) => {
                if let Some(recorder) = &self.recorder {
                    let heard = response.heard();
                    recorder.reel().observe(&Reading::of(&said, Some(&heard)));
                }
                Ok(response)
            }
            Answer::Failure(failure) => {
                let failure = failure.played();
                if failure.kind == FailureKind::ReadTimeout && failure.ends_connection() {
                    // Longer than clients wait: that there is no answer is what is played.
                    sleep(self.limits.answer_head).await;
                }
                Err(failure)
            }
            Answer::Miss(miss) => {
                (self.on_miss)(&miss);
                Ok(self.sessions.missed(&miss))
            }
            Answer::New => self.ask(request, &said).await,
        }
    }

    fn incident(&self, incident: Incident) {
        if let Some(recorder) = &self.recorder {
            recorder.incident(incident);
        }
    }
}

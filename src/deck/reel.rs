//! The reel: the tape of this run and the file it is written to.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::deck::{Error, LaidListener};
use crate::library::{self, PartFile, Written};
use crate::model::{Exchange, Failure, FailureKind, Incident, Phase};
use crate::oauth::errand::{is_errand, is_errand_host};
use crate::oauth::fields::Reading;
use crate::record::{Laid, Tape, Withheld, undo_codings};
use crate::redact::{Label, Named};

/// The recording of one run, shared by all its connections.
pub(super) struct Reel {
    began: Instant,
    next_id: AtomicU64,
    /// `None` once it is unwound; what comes later is too late.
    state: Mutex<Option<State>>,
    /// Called when the ledger is full.
    full: Notify,
    /// How far the cassette went before this recording.
    before: Duration,
    /// Hears of each exchange before it is laid.
    listener: Option<Listener>,
}

/// Hears of what real servers answered.
pub(super) type Listener = Box<dyn Fn(&Reading<'_>) + Send + Sync>;

struct State {
    tape: Tape,
    file: PartFile,
    on_laid: Option<LaidListener>,
    incidents: Vec<Incident>,
    unreached: BTreeSet<Unreached>,
    skipped: usize,
    /// What the disk refused, each followed by a new file with all that was recorded.
    renewals: Vec<library::Error>,
    /// Why the file could not be written; the run goes on, and says so at its end.
    failure: Option<library::Error>,
    dirty: bool,
}

/// What a recording came to.
pub(super) struct Wound {
    tape: Tape,
    pub(super) file: PartFile,
    incidents: Vec<Incident>,
    unreached: BTreeSet<Unreached>,
    skipped: usize,
    renewals: Vec<library::Error>,
    failure: Option<library::Error>,
}

impl Reel {
    /// A reel for a file whose beginning is written.
    pub(super) fn new(tape: Tape, file: PartFile, on_laid: Option<LaidListener>) -> Self {
        let state = State {
            tape,
            file,
            on_laid,
            incidents: Vec::new(),
            unreached: BTreeSet::new(),
            skipped: 0,
            renewals: Vec::new(),
            failure: None,
            dirty: false,
        };
        Self {
            began: Instant::now(),
            next_id: AtomicU64::new(1),
            state: Mutex::new(Some(state)),
            full: Notify::new(),
            before: Duration::ZERO,
            listener: None,
        }
    }

    /// The same behind a cassette that has as many interactions and goes so far; this one hears of
    /// what comes.
    pub(super) fn behind(self, last_id: u64, before: Duration, listener: Listener) -> Self {
        Self {
            next_id: AtomicU64::new(last_id + 1),
            before,
            listener: Some(listener),
            ..self
        }
    }

    /// The number of a request that starts now, and when that is.
    pub(super) fn start(&self) -> (u64, Instant) {
        (self.next_id.fetch_add(1, Ordering::Relaxed), Instant::now())
    }

    /// When an instant was, since the recording began.
    pub(super) fn since_begin(&self, instant: Instant) -> Duration {
        self.before + instant.saturating_duration_since(self.began)
    }

    /// Takes in what this run says for labels of the cassette.
    pub(super) fn know(&self, values: &[(Label, Zeroizing<String>)]) {
        if let Some(state) = self.lock().as_mut() {
            for (label, value) in values {
                state.tape.know(label, value);
            }
        }
    }

    /// Takes in what was played from the cassette.
    pub(super) fn observe(&self, played: &Reading<'_>) {
        if let Some(state) = self.lock().as_mut() {
            state.tape.observe(played);
        }
    }

    /// Redacts an exchange and writes it before this returns.
    pub(super) fn lay(&self, mut exchange: Exchange) {
        // Nobody waits for what this one alone can do.
        undo_codings(&mut exchange);
        let reading = Reading::of(&exchange.request, exchange.response.as_ref());
        if let Some(listener) = &self.listener {
            listener(&reading);
        }
        if let Some(state) = self.lock().as_mut() {
            state.lay(&exchange, &reading);
            if state.tape.is_full() {
                self.full.notify_one();
            }
        }
    }

    /// Waits until there are more secrets than are remembered.
    pub(super) async fn full(&self) {
        self.full.notified().await;
    }

    /// Notes a connection that never became a request.
    pub(super) fn incident(&self, incident: Incident) {
        if let Some(state) = self.lock().as_mut()
            && !is_browsers(&incident)
        {
            state.note(incident);
        }
    }

    /// Asks the disk to keep what was written since the last call.
    ///
    /// The disk is waited for here, and by nobody who has an exchange to lay.
    pub(super) fn sync(&self) {
        let written = self.lock().as_mut().and_then(State::written);
        if let Some(Err(failure)) = written.map(Written::sync)
            && let Some(state) = self.lock().as_mut()
        {
            state.renew(failure);
        }
    }

    /// Takes what was recorded off the reel; `None` where that was done before.
    pub(super) fn unwind(&self) -> Option<Wound> {
        let State {
            tape,
            file,
            incidents,
            unreached,
            skipped,
            renewals,
            failure,
            ..
        } = self.lock().take()?;
        Some(Wound {
            tape,
            file,
            incidents,
            unreached,
            skipped,
            renewals,
            failure,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What was written since the last call, and not yet synced.
    fn written(&mut self) -> Option<Written> {
        let is_due = std::mem::take(&mut self.dirty) && self.failure.is_none();
        is_due.then(|| self.file.written())
    }

    fn note(&mut self, incident: Incident) {
        if let Incident::Unreached { authority, failure } = incident {
            self.miss(authority, &failure);
        } else if self.incidents.len() < INCIDENTS_MAX && !self.incidents.contains(&incident) {
            self.incidents.push(incident);
        }
    }

    fn miss(&mut self, authority: String, failure: &Failure) {
        if self.unreached.len() < INCIDENTS_MAX {
            self.unreached.insert(Unreached {
                authority,
                kind: failure.kind,
                detail: failure.detail.clone(),
            });
        }
    }

    fn lay(&mut self, exchange: &Exchange, reading: &Reading<'_>) {
        if let Some(failure) = &exchange.failure
            && failure.phase == Phase::Connect
            && !is_errand(&exchange.request.url)
        {
            self.miss(exchange.request.url.authority(), failure);
        }
        let laid = self.tape.record_read(exchange, reading);
        self.skipped += usize::from(laid == Laid::Skipped);
        if self.failure.is_some() {
            return;
        }
        let written = match &laid {
            Laid::Appended(text) => self.file.append(text),
            Laid::Rewritten(text) => self.file.rewrite(text),
            Laid::Skipped => return,
        };
        self.dirty = true;
        if let Some(on_laid) = &self.on_laid {
            on_laid.tell(&laid);
        }
        if let Err(refused) = written {
            self.renew(refused);
        }
    }

    /// Goes on in a new file, since the disk has failed the old one.
    fn renew(&mut self, refused: library::Error) {
        if self.failure.is_some() {
            return;
        }
        if self.renewals.len() < RENEWALS_MAX && self.file.renew(&self.tape.text()).is_ok() {
            self.dirty = true;
            self.renewals.push(refused);
        } else {
            self.failure = Some(refused);
        }
    }
}

impl Wound {
    /// Finishes the cassette on disk.
    pub(super) fn finish(mut self) -> Result<Recorded, Error> {
        if let Some(failure) = self.failure {
            return Err(Error::Unfinished {
                part: self.file.path().to_owned(),
                source: failure,
            });
        }
        let part = self.file.path().to_owned();
        let interactions = self.tape.added();
        let path = if interactions > 0 {
            let text = self.tape.finish().map_err(|source| Error::Refused {
                part: part.clone(),
                source,
            })?;
            let unfinished = |source| Error::Unfinished { part, source };
            Some(self.file.finish(&text).map_err(unfinished)?)
        } else {
            self.file.discard()?;
            None
        };
        Ok(Recorded {
            path,
            interactions,
            skipped: self.skipped,
            unreached: self.unreached.into_iter().collect(),
            redacted: self.tape.redacted(),
            is_full: self.tape.is_full(),
            incidents: self.incidents,
            withheld: self.tape.withheld().to_vec(),
            renewals: self.renewals,
        })
    }
}

/// Whether it is of a browser's own errands.
fn is_browsers(incident: &Incident) -> bool {
    match incident {
        Incident::CertificateRefused { host, .. } => is_errand_host(host),
        Incident::Tunnelled { authority, .. } | Incident::Unreached { authority, .. } => {
            let host = authority.rsplit_once(':');
            host.is_some_and(|(host, _)| is_errand_host(host))
        }
        _ => false,
    }
}

/// What a recording left.
#[derive(Debug)]
pub struct Recorded {
    /// The cassette; `None` where there was nothing to write.
    pub path: Option<std::path::PathBuf>,
    /// How many interactions were recorded.
    pub interactions: usize,
    /// How many other messages passed, of which nothing was kept.
    pub skipped: usize,
    /// The servers that could not be reached.
    pub unreached: Vec<Unreached>,
    /// How many secrets of each kind were replaced.
    pub redacted: Vec<Named<u32>>,
    /// There were more than are remembered, and bodies were dropped for that.
    pub is_full: bool,
    /// Connections that never became a request.
    pub incidents: Vec<Incident>,
    /// Interactions whose text the audit refused.
    pub withheld: Vec<Withheld>,
    /// What the disk refused, each followed by a new file with all that was recorded.
    pub renewals: Vec<library::Error>,
}

/// A server that could not be reached, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreached {
    /// Its host, and its port where that is not the usual one.
    pub authority: String,
    /// Why.
    pub kind: FailureKind,
    /// What is known besides, for people.
    pub detail: Option<Arc<str>>,
}

/// Our clock, in Unix seconds.
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

const INCIDENTS_MAX: usize = 1_000;
/// A disk that fails more often than this has failed for good.
const RENEWALS_MAX: usize = 3;

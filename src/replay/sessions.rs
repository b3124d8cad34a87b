//! Sessions: players of one repertoire, each by its name, that know nothing of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::model::{Response, Said};
use crate::oauth::fields::Reading;
use crate::redact::Label;
use crate::replay::fault::Faults;
use crate::replay::miss::{Miss, Report};
use crate::replay::perform::{Came, Performance};
use crate::replay::player::{Answer, Player};
use crate::replay::repertoire::Repertoire;
use crate::replay::values::Live;

/// The sessions of a replay; a request without a name belongs to the one that has none.
pub struct Sessions {
    repertoire: Arc<Repertoire>,
    players: Mutex<BTreeMap<Arc<str>, Arc<Mutex<Player>>>>,
    /// What is told of requests that belong to no session.
    turned_away: Mutex<Report>,
}

impl Sessions {
    /// No session has begun.
    pub fn new(repertoire: Repertoire) -> Self {
        Self {
            repertoire: Arc::new(repertoire),
            players: Mutex::default(),
            turned_away: Mutex::default(),
        }
    }

    /// Answers a request in its session, which begins with its first one; `now` is in Unix seconds.
    pub fn perform(&self, name: Option<&str>, said: &Said, now: i64) -> Performance {
        match self.player(name.unwrap_or_default()) {
            Ok(player) => {
                // Whoever else is of this session waits for the player alone.
                let live = Live::of(said);
                soon(&player).perform(&live, now)
            }
            Err(reason) => {
                let miss = Miss {
                    asked: format!(
                        "{} {}://{}",
                        said.method,
                        said.url.scheme,
                        said.url.authority()
                    ),
                    reason,
                    ..Miss::default()
                };
                locked(&self.turned_away).note_miss(miss.clone());
                Performance {
                    answer: Answer::Miss(miss),
                    came: Came::Missed,
                    recorded: None,
                    delay: Duration::ZERO,
                }
            }
        }
    }

    /// Takes in what a real server answered to the session without a name.
    pub fn hear(&self, reading: &Reading<'_>) {
        if let Ok(player) = self.player("") {
            locked(&player).hear(reading);
        }
    }

    /// What the session without a name says for the labels of the first cassette.
    pub fn values(&self) -> Vec<(Label, Zeroizing<String>)> {
        let player = self.player("");
        player.map_or_else(|_| Vec::new(), |player| locked(&player).values())
    }

    /// What the client gets for a miss.
    pub fn missed(&self, miss: &Miss) -> Response {
        let response = miss.response();
        let status = self.repertoire.options.miss_status;
        Response {
            status: status.unwrap_or(response.status),
            ..response
        }
    }

    /// How the play went so far, over all sessions. What no session has asked for is told once;
    /// what one began and did not finish is told of that one.
    pub fn report(&self) -> Report {
        let players = Vec::from_iter(locked(&self.players).clone());
        let mut report = locked(&self.turned_away).clone();
        report.is_empty = self.repertoire.is_empty();
        report.sessions = players.len();
        report.add(Report {
            faults: Faults::new(&self.repertoire.options.faults).done(),
            ..Report::default()
        });
        if let [(_, only)] = players.as_slice() {
            report.add(locked(only).report());
            return report;
        }
        let mut known = BTreeSet::new();
        for (_, player) in &players {
            let player = locked(player);
            known.extend(player.plays.asked());
            known.extend(player.unfinished());
            report.add(player.own_report());
        }
        let required = self.repertoire.required().iter();
        let never = required.filter(|at| !known.contains(*at));
        report
            .unplayed
            .extend(never.map(|at| self.repertoire.title(*at)));
        report
    }

    /// How each session went, by its name, which may be empty.
    pub fn each(&self) -> Vec<(String, Report)> {
        let players = Vec::from_iter(locked(&self.players).clone());
        let is_only = players.len() == 1;
        let told = players.into_iter().map(|(name, player)| {
            let player = locked(&player);
            let report = if is_only {
                player.report()
            } else {
                player.own_report()
            };
            (name.to_string(), report)
        });
        told.collect()
    }

    fn player(&self, name: &str) -> Result<Arc<Mutex<Player>>, String> {
        let mut players = locked(&self.players);
        if let Some(player) = players.get(name) {
            return Ok(Arc::clone(player));
        }
        if name.len() > NAME_MAX {
            return Err(format!(
                "the name of a session has at most {NAME_MAX} bytes, and this one has {}",
                name.len()
            ));
        }
        if players.len() >= SESSIONS_MAX {
            return Err(format!(
                "there are {SESSIONS_MAX} sessions, and no more are begun; use their names again, or start another replay"
            ));
        }
        let repertoire = Arc::clone(&self.repertoire);
        let seed = seed_of(&self.repertoire.options.seed, name);
        let mut player = Player::of(repertoire, seed);
        player.session = (!name.is_empty()).then(|| Arc::from(name));
        let player = Arc::new(Mutex::new(player));
        players.insert(Arc::from(name), Arc::clone(&player));
        Ok(player)
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`locked`], where it is held for as long as one answer takes: to let others go first costs
/// less than to sleep and to be woken.
fn soon<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    for _ in 0..PATIENCE {
        match mutex.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(error)) => return error.into_inner(),
        }
    }
    locked(mutex)
}

/// The seed of a session: the same whatever other sessions there are.
fn seed_of(seed: &[u8; 32], name: &str) -> [u8; 32] {
    if name.is_empty() {
        return *seed;
    }
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(name);
    hash.finalize().into()
}

/// Each holds what it was told and what it made.
const SESSIONS_MAX: usize = 10_000;
const NAME_MAX: usize = 256;
/// How often others go first.
const PATIENCE: usize = 16;

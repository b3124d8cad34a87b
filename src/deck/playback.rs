//! Playback: a handler that answers from cassettes, and never asks anybody.

use std::sync::{Arc, Mutex, PoisonError};

use crate::deck::arrival::read;
use crate::model::{Failure, Request, Response, Said};
use crate::proxy::Handler;
use crate::replay::{Answer, Miss, Player, Report};

/// Hears of each miss as it comes.
pub type MissListener = Box<dyn Fn(&Miss) + Send + Sync>;

/// A handler around a player.
#[derive(Clone)]
pub(super) struct Playback {
    player: Arc<Mutex<Player>>,
    on_miss: Arc<MissListener>,
    cap: usize,
}

impl Playback {
    /// Answers with this player, who is shown as much of a body.
    pub(super) fn new(player: Player, on_miss: MissListener, cap: usize) -> Self {
        Self {
            player: Arc::new(Mutex::new(player)),
            on_miss: Arc::new(on_miss),
            cap,
        }
    }

    /// How the play went so far.
    pub(super) fn report(&self) -> Report {
        self.player
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .report()
    }
}

impl Handler for Playback {
    async fn handle(&self, request: Request) -> Result<Response, Failure> {
        let Request {
            method,
            url,
            version,
            headers,
            body,
            ..
        } = request;
        let said = Said {
            method,
            url,
            version,
            headers,
            body: read(body, self.cap).await,
        };
        let answer = self
            .player
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .play(&said);
        match answer {
            Answer::Response(response) => Ok(response),
            Answer::Failure(failure) => Err(failure),
            Answer::Miss(miss) => {
                (self.on_miss)(&miss);
                Ok(miss.response())
            }
        }
    }
}

//! Playback: a handler that answers from cassettes, and never asks anybody.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use crate::deck::BODY_CAP;
use crate::model::{Body, Captured, Cut, Failure, Request, Response, Said};
use crate::proxy::Handler;
use crate::replay::{Answer, Miss, Player, Report};

/// Hears of each miss as it comes.
pub type MissListener = Box<dyn Fn(&Miss) + Send + Sync>;

/// A handler around a player.
#[derive(Clone)]
pub(super) struct Playback {
    player: Arc<Mutex<Player>>,
    on_miss: Arc<MissListener>,
}

impl Playback {
    /// Answers with this player.
    pub(super) fn new(player: Player, on_miss: MissListener) -> Self {
        Self {
            player: Arc::new(Mutex::new(player)),
            on_miss: Arc::new(on_miss),
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
            body: read(body).await,
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

async fn read(body: Body) -> Captured {
    let mut chunks = match body {
        Body::Full(bytes) => return Captured::of(&bytes, BODY_CAP),
        Body::Live(chunks) => chunks,
    };
    let mut captured = Captured::default();
    while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await {
        let Ok(chunk) = chunk else {
            captured.cut = Some(Cut::Closed);
            break;
        };
        let room = BODY_CAP - captured.bytes.len();
        captured
            .bytes
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        captured.size += chunk.len() as u64;
    }
    captured
}

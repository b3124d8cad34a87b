//! The player: one session over the repertoire, which answers its requests.

use std::sync::Arc;

use crate::cassette::Cassette;
use crate::model::{Failure, Response, Said};
use crate::oauth::errand::is_errand;
use crate::oauth::flows::Flows;
use crate::replay::bindings::Bindings;
use crate::replay::miss::{Miss, Report};
use crate::replay::picking::Chosen;
use crate::replay::plays::Plays;
use crate::replay::posture::Issued;
use crate::replay::render::Asked;
use crate::replay::repertoire::Repertoire;
use crate::replay::values::Live;

/// How a player behaves.
#[derive(Clone, Debug, Default)]
pub struct PlayOptions {
    /// Play recorded answers whatever the request does right or wrong.
    pub as_recorded: bool,
    /// Show the pages between an authorization request and its response, as their forms.
    pub keep_pages: bool,
    /// What minted values are made of; the same seed makes the same values.
    pub seed: [u8; 32],
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer {
    /// A response from tape, or a refusal in the recorded server's words.
    Response(Response),
    /// A recorded failure on the wire.
    Failure(Failure),
    /// Nothing on tape answers.
    Miss(Miss),
}

/// Plays a repertoire for one session. It holds this run's secrets: no `Debug`.
pub struct Player {
    pub(super) repertoire: Arc<Repertoire>,
    pub(super) plays: Plays,
    /// The cassette that the last authorization request was answered from.
    pub(super) cassette: Option<usize>,
    /// What this run asked the authorization endpoint for, last.
    pub(super) asked: Asked,
    pub(super) bindings: Bindings,
    pub(super) flows: Flows,
    pub(super) issued: Issued,
    pub(super) report: Report,
}

impl Player {
    /// A player of these cassettes alone.
    pub fn new(cassettes: Vec<Cassette>, options: &PlayOptions) -> Self {
        let unnamed = cassettes
            .into_iter()
            .map(|cassette| (String::new(), cassette));
        let repertoire = Repertoire::new(unnamed.collect(), options);
        Self::of(Arc::new(repertoire), options.seed)
    }

    /// A new session over what others may play, too; the same seed makes the same values.
    pub fn of(repertoire: Arc<Repertoire>, seed: [u8; 32]) -> Self {
        Self {
            repertoire,
            plays: Plays::default(),
            cassette: None,
            asked: Asked::default(),
            bindings: Bindings::new(seed),
            flows: Flows::default(),
            issued: Issued::default(),
            report: Report::default(),
        }
    }

    /// Answers a request.
    pub fn play(&mut self, said: &Said) -> Answer {
        let repertoire = Arc::clone(&self.repertoire);
        let live = Live::of(said);
        let here = self.here(&repertoire, &live);
        let chosen = self.pick(&live, &here);
        if !matches!(chosen, Ok(Chosen::Track(_)))
            && let Some(meant) = self.next_of(&here)
        {
            self.plays.mean(meant);
        }
        match chosen {
            Ok(Chosen::Track(at)) => self.answer(at, &live),
            Ok(Chosen::Refusal(refusal)) => {
                let refused = format!("{}: {}", self.asked(said), refusal.why);
                self.report.note_refused(refused);
                let answers = here.all().filter_map(|at| repertoire.response(at));
                Answer::Response(refusal.response(answers))
            }
            // A browser goes its own errands, and no client of OAuth does.
            Err(_) if is_errand(&said.url) => Answer::Response(Response::new(404, "")),
            Err(miss) => {
                self.report.note_miss(miss.clone());
                Answer::Miss(miss)
            }
        }
    }
}

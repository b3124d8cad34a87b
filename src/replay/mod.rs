//! Playing a cassette back: a request in, the recorded answer or an explained miss out.
//!
//! A [`Repertoire`] is what may be played, indexed once (`endpoints`, `relations`) and shared by
//! all sessions; a [`Player`] is one session. `picking` finds the interaction that answers, where
//! `posture` compares what a token request does right and wrong, live and recorded; `answering`
//! plays it: `bindings` fills this run's values in for labels, which `mint` makes where the server
//! brought them, and `render` writes the response. `telling` says why there is none ([`Miss`]).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answering;
mod asking;
mod bindings;
mod endpoints;
mod matching;
mod mint;
mod miss;
mod page;
mod picking;
mod player;
mod plays;
mod posture;
mod refusal;
mod relations;
mod render;
mod repertoire;
mod sides;
mod telling;
mod values;

pub use matching::Part;
pub use miss::{Miss, Report};
pub use player::{Allow, Answer, Pages, PlayOptions, Player};
pub use repertoire::Repertoire;

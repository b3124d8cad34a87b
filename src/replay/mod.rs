//! Playing a cassette back: a request in, the recorded answer or an explained miss out.
//!
//! A [`Repertoire`] is what may be played, indexed once (`endpoints`, `relations`) and shared by
//! all sessions; a [`Player`] is one session. `picking` finds the interaction that answers, where
//! `posture` compares what a token request does right and wrong, live and recorded; `answering`
//! plays it: `bindings` fills this run's values in for labels, which `mint` makes where the server
//! brought them (`token`, where it is a JWT, signed with the test keys of `keys` that stand in
//! `jwks`), and `render` writes the response, its times moved by `clock`. `telling` says why there
//! is none ([`Miss`]).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answering;
mod asking;
mod bindings;
mod clock;
mod endpoints;
mod jwks;
mod keys;
mod matching;
mod mint;
mod mintable;
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
mod token;
mod values;

pub use clock::{Clock, Skew, TimeOptions, UnknownClock};
pub use matching::Part;
pub use mintable::{Unmintable, check};
pub use miss::{Miss, Report};
pub use player::{Allow, Answer, Pages, PlayOptions, Player};
pub use repertoire::Repertoire;

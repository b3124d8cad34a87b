//! Playing a cassette back: a request in, the recorded answer or an explained miss out.
//!
//! [`Player`] picks the interaction that answers; `posture` compares what a token request does
//! right and wrong, live and recorded; `bindings` fills this run's values in for labels, which
//! `mint` makes where the server brought them; `render` writes the response; [`Miss`] says why
//! there is none.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bindings;
mod mint;
mod miss;
mod page;
mod player;
mod posture;
mod refusal;
mod render;
mod values;

pub use miss::{Miss, Report};
pub use player::{Answer, PlayOptions, Player};

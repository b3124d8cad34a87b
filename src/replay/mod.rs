//! Playing a cassette back: a request in, the recorded answer or an explained miss out.
//!
//! A [`Repertoire`] is what may be played, indexed once (`endpoints`, `relations`) and shared by
//! all [`Sessions`]; a [`Player`] is one of them. `picking` finds the interaction that answers:
//! `authorizing`, `redeeming` and `calling` weigh authorization requests, requests of parameters
//! and all others. They compare what a request does right and wrong, live and recorded, by its
//! `posture` and by what was issued before it (`grants`). `answering` plays what was found:
//! `bindings` fills this run's values in for labels, which `mint` makes where the server brought
//! them (`token`, where it is a JWT, signed with the test keys of `keys` that stand in `jwks`), and
//! `render` writes the response, its times moved by `clock`. Else `refusal` says no as the recorded
//! server would, or `telling` says why nothing answers ([`Miss`]). A [`Performance`] has the faults
//! that were asked for besides.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answering;
mod asking;
mod authorizing;
mod bindings;
mod calling;
mod clock;
mod device;
mod document;
mod echo;
mod endpoints;
mod error_response;
mod fault;
mod grants;
mod judged;
mod jwks;
mod keys;
mod latency;
mod matching;
mod mint;
mod mintable;
mod miss;
mod outline;
mod page;
mod perform;
mod picking;
mod player;
mod plays;
mod posture;
mod redeeming;
mod refusal;
mod registering;
mod relations;
mod render;
mod repertoire;
mod sessions;
mod sides;
mod telling;
mod template;
mod threading;
mod token;
mod values;

pub(crate) use clock::is_point_in_time;
pub use clock::{Clock, Skew, TimeOptions, UnknownClock};
pub use fault::{Fault, FaultError};
pub use latency::{Latency, LatencyError};
pub use matching::Part;
pub use mintable::{Unmintable, check};
pub use miss::{Miss, Report};
pub use outline::Outline;
pub use perform::{Came, Performance, Recorded};
pub use player::{Allow, Answer, Pages, PlayOptions, Player};

pub use refusal::MARK;
pub use repertoire::Repertoire;
pub use sessions::Sessions;

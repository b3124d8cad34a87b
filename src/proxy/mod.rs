//! The intercepting proxy: it speaks HTTP and TLS on both sides and knows no OAuth.
//!
//! [`serve`] listens; `connect` opens tunnels with certificates of the [`Authority`]; `wire` turns
//! hyper's messages into the core's and back; a [`Handler`] answers. [`Upstream`] is the handler
//! that asks the real server, and the only thing here that can dial: without one ([`Reach::Offline`])
//! no socket is ever opened outwards.

mod answer;
mod authority;
mod body;
mod check;
mod connect;
mod connection;
mod detour;
mod dial;
mod error;
mod front;
mod glob;
mod handler;
mod lane;
mod limits;
mod line;
mod link;
mod passage;
mod password;
mod patience;
mod prompt;
mod reverse;
mod server;
mod tap;
mod tapped;
mod trust;
mod upstream;
mod wire;

pub use authority::Authority;
pub use detour::Detour;
pub use error::Error;
pub use handler::Handler;
pub use limits::Limits;
pub use password::Password;
pub use reverse::Reverse;
pub use server::{Bound, Options, Reach, Serving, bind, serve};
pub use trust::{ClientCertificate, Passphrase};
pub use upstream::{Resolve, Upstream, UpstreamOptions};

//! HTTP as plain data: what crossed the wire, with order, case and every byte kept.
//!
//! [`Request`] and [`Response`] carry a [`Body`] that is either all there or still arriving; when
//! both sides of an exchange have ended they become an [`Exchange`], which holds secrets, lives
//! only in memory, and cannot be serialised or printed.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod alias;
mod aside;
mod body;
mod bounded;
pub mod coding;
mod exchange;
mod message;
pub mod multipart;
mod params;
mod url;

pub use alias::Alias;
#[cfg(feature = "proxy")]
pub(crate) use alias::replaced;
pub use aside::{Aside, Asides, Lost, Page, Timings};
pub use body::{Body, Captured, Chunks, Cut, Flow, Tee};
pub(crate) use bounded::{Bounded, Remembered};
pub(crate) use exchange::words;
pub use exchange::{Exchange, Failure, FailureKind, Framing, Heard, Incident, Phase, Said};
pub use message::{Header, Headers, Opaque, Request, Response, Version, is_text_type};
pub use params::{Param, Params, is_unreserved, percent_decode, percent_encode};
pub use url::Url;

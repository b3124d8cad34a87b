//! The flight recorder for OAuth: records, redacts, explains and replays the exchanges between a
//! client and an authorization server.
//!
//! What crosses the wire is a [`model::Exchange`], raw, in memory only. [`redact`] makes an
//! [`redact::Interaction`] of it, the only thing that is ever written; a [`cassette::Cassette`] is
//! a list of them. Recording ([`record::Tape`]) and replaying ([`replay::Player`]) are state
//! machines without I/O; [`diagnose`] says why a session failed, [`view`] shows one, or two beside each other. [`transcript`] tells what a run said, to be compared. [`import`] reads exchanges from other
//! tools' files, [`export`] writes cassettes as such; [`mutate`] makes negative tests of a good one. The wire itself ([`proxy`]) and
//! what stands around it ([`deck`], [`launch`], [`demo`], [`library`], [`snapshot`], [`harness`], [`web`]) is behind the feature
//! `proxy`.
//!
//! A module imports only from the modules above it in this list; `tests/house.rs` has the table.

pub mod model;
pub mod oauth;
pub mod redact;

pub mod cassette;

pub mod diagnose;
pub mod export;
pub mod import;
pub mod mutate;
pub mod record;
pub mod replay;
pub mod transcript;
pub mod view;

#[cfg(feature = "proxy")]
pub mod library;
#[cfg(feature = "proxy")]
pub mod proxy;
#[cfg(feature = "proxy")]
pub mod snapshot;

#[cfg(feature = "proxy")]
pub mod deck;
#[cfg(feature = "proxy")]
pub mod demo;
#[cfg(feature = "proxy")]
pub mod launch;

#[cfg(feature = "proxy")]
pub mod harness;
#[cfg(feature = "proxy")]
pub mod web;

#[cfg(feature = "insta")]
pub use insta;

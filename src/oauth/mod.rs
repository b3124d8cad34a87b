//! What OAuth 2.0 and OpenID Connect say, as types and data.
//!
//! [`classify`] tells which [`Step`] of the protocol a request is; `parameters.yaml` says of each
//! parameter what may be kept of it; [`facts`] computes what only the raw exchange can tell. No
//! parameter name stands as a string literal outside this folder: [`name`] has them.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod asked;
pub mod classify;
pub mod cookies;
pub mod credentials;
pub mod elsewhere;
pub mod errand;
pub mod error_code;
pub mod facts;
pub mod fields;
pub mod flows;
pub mod jwt;
pub mod members;
pub mod name;
pub mod page;
pub mod pkce;
pub mod placeholder;
pub mod providers;
pub mod registry;
pub mod relation;
pub mod sniff;
pub mod state;
mod step;
pub mod token_response;
pub mod tokens;

pub use step::Step;

//! The intercepting proxy: it speaks HTTP and TLS on both sides and knows no OAuth.

mod handler;

pub use handler::Handler;

//! What a HAR file says of exchanges beside their messages: numbers, and words of closed lists.
//!
//! None of it can hold a secret, so it goes past redaction from the file that is read to the one
//! that is written.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::words;

/// What stands beside the exchanges of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asides {
    /// One for each exchange, in their order.
    pub entries: Vec<Aside>,
    /// The pages that the exchanges belong to.
    pub pages: Vec<Page>,
    /// How many entries of the file were not taken.
    pub left_out: usize,
}

/// What stands beside one exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aside {
    /// How its time was spent.
    pub timings: Timings,
    /// The page that it belongs to, counted from 0.
    pub page: Option<usize>,
    /// Whether it was HTTP/3, which a recording of our own never is.
    pub is_http3: bool,
    /// What the file said besides, and is not taken.
    pub lost: BTreeSet<Lost>,
}

/// How the time of an exchange was spent, in milliseconds (HAR 1.2, `timings`); `None` where the
/// file does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// From the start to the last byte.
    pub total: Option<f64>,
    /// In a queue.
    pub blocked: Option<f64>,
    /// Looking up the name.
    pub dns: Option<f64>,
    /// Making the connection, TLS included.
    pub connect: Option<f64>,
    /// The part of `connect` that TLS took.
    pub ssl: Option<f64>,
    /// Sending the request.
    pub send: Option<f64>,
    /// Waiting for the response.
    pub wait: Option<f64>,
    /// Reading the response.
    pub receive: Option<f64>,
}

impl Timings {
    /// From the request's start to the response's head.
    pub fn until_head(&self) -> Duration {
        let phases = [self.blocked, self.dns, self.connect, self.send, self.wait];
        let spent: f64 = phases.into_iter().flatten().sum();
        let millis = if self.wait.is_none() {
            self.total.unwrap_or(spent)
        } else {
            spent
        };
        Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default()
    }
}

/// A page of a browser.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Page {
    /// When it began to load, since the first exchange.
    pub at: Duration,
    /// When its content was there, in milliseconds since then.
    pub on_content_load: Option<f64>,
    /// When all of it was there, in milliseconds since then.
    pub on_load: Option<f64>,
}

words! {
    /// What a file says of an entry that no rule reads, so that it is not taken.
    Lost {
        /// `serverIPAddress`
        Address = "server address",
        /// What stood in `cache`.
        Cache = "cache",
        /// A `comment`, of the entry or of a part of it.
        Comment = "comment",
        /// `connection`
        Connection = "connection",
        /// The fragment of the request's URL, which no server sees.
        Fragment = "URL fragment",
        /// `_initiator`, whose call stack holds URLs.
        Initiator = "initiator",
        /// What a WebSocket carried.
        Messages = "WebSocket messages",
        /// Any other member that HAR 1.2 does not have.
        Members = "other members",
        /// User name and password in the request's URL.
        Userinfo = "userinfo of the URL",
    }
}

//! One thing that was issued, and whether it still works.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{Params, percent_decode};
use crate::redact::cores;
use crate::replay::grants::defect::{Thing, Wrong};

/// What was issued.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Code,
    RefreshToken,
    DeviceCode,
    AuthReqId,
    RequestUri,
    AccessToken,
    IdToken,
}

impl Kind {
    pub(super) fn thing(self) -> Thing {
        match self {
            Self::Code => Thing::Code,
            Self::RefreshToken => Thing::RefreshToken,
            Self::DeviceCode => Thing::DeviceCode,
            Self::AuthReqId => Thing::AuthReqId,
            Self::RequestUri => Thing::RequestUri,
            Self::AccessToken => Thing::AccessToken,
            Self::IdToken => Thing::IdTokenHint,
        }
    }
}

/// Whether it was used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Fresh,
    Spent,
    Revoked,
}

impl Use {
    pub(super) fn wrong(self) -> Option<Wrong> {
        match self {
            Self::Fresh => None,
            Self::Spent => Some(Wrong::Spent),
            Self::Revoked => Some(Wrong::Revoked),
        }
    }
}

/// One grant, and what it is bound to. It may hold secrets: no `Debug`.
#[derive(Clone)]
pub(super) struct Grant {
    /// What came of one authorization, and goes with it.
    pub(super) family: usize,
    pub(super) client: Option<String>,
    pub(super) scope: Option<BTreeSet<String>>,
    /// Whether it is bound to a key; the thumbprint is known of this run's.
    pub(super) is_bound: bool,
    pub(super) key: Option<String>,
    /// Which authorization request it is of.
    pub(super) asked: Option<usize>,
    /// What was pushed.
    pub(super) pushed: Option<Params>,
    pub(super) issued: Duration,
    pub(super) lifetime: Option<Duration>,
    pub(super) state: Use,
    pub(super) interval: Duration,
    pub(super) polled: Option<Duration>,
}

impl Grant {
    /// One that is bound to nothing.
    pub(super) fn new(family: usize, issued: Duration) -> Self {
        Self {
            family,
            client: None,
            scope: None,
            is_bound: false,
            key: None,
            asked: None,
            pushed: None,
            issued,
            lifetime: None,
            state: Use::Fresh,
            interval: Duration::ZERO,
            polled: None,
        }
    }

    pub(super) fn has_lapsed(&self, now: Duration) -> bool {
        let age = now.saturating_sub(self.issued);
        self.lifetime.is_some_and(|lifetime| age > lifetime)
    }

    /// Clients' timers are a little early at times, and what is known of the time are whole seconds.
    pub(super) fn is_too_soon(&self, now: Duration) -> bool {
        let since = self.polled.map(|polled| now.saturating_sub(polled));
        since.is_some_and(|since| since + EARLY < self.interval)
    }
}

/// Whether what was sent is a changed copy of what was issued.
pub(super) fn altered(issued: &str, sent: &str) -> bool {
    // On tape the label says so.
    if let (Some(issued), Some(sent)) = (cores(issued).next(), cores(sent).next()) {
        return issued == sent;
    }
    let trimmed = sent.trim_matches(|c: char| c.is_ascii_whitespace());
    let is_part = sent.len() >= PART && (issued.starts_with(sent) || sent.starts_with(issued));
    trimmed == issued
        || percent_decode(sent) == issued
        || percent_decode(&percent_decode(sent)) == issued
        || percent_decode(issued) == sent
        || issued.replace('+', " ") == sent
        || issued.eq_ignore_ascii_case(sent)
        || is_part
}

const EARLY: Duration = Duration::from_secs(1);
/// What is shorter begins alike by chance.
const PART: usize = 8;

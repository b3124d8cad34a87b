//! A request with what is wrong with it, and what its run learns of its answer.

use std::time::Duration;

use crate::model::{Heard, Params};
use crate::oauth::fields::Reading;
use crate::replay::grants::{Call, Defects, Grants, Reply};
use crate::replay::repertoire::Repertoire;

/// A request as the state of its run sees it. It is raw where it is live: no `Debug`.
pub(super) struct Judged {
    pub(super) call: Call,
    pub(super) defects: Defects,
    /// What an authorization request, or one that is pushed, asks for; nothing of another.
    pub(super) wanted: Params,
}

impl Judged {
    /// Judges a request that comes at this time.
    pub(super) fn of(call: Call, grants: &Grants, now: Duration) -> Self {
        let defects = grants.judge(&call, now);
        let wanted = if call.asks() {
            grants.asks(&call)
        } else {
            Params::default()
        };
        Self {
            call,
            defects,
            wanted,
        }
    }

    /// Whether it is wrong in the same way as a recorded request.
    pub(super) fn is_as_wrong_as(&self, repertoire: &Repertoire, at: usize) -> bool {
        self.defects.are_those_of(repertoire.defects(at))
    }

    /// Whether nothing is wrong with it that was right in a request which had success.
    pub(super) fn is_as_good_as(&self, repertoire: &Repertoire, at: usize) -> bool {
        repertoire.is_success(at) && self.defects.beyond(repertoire.defects(at)).is_none()
    }

    /// Tells the state of this run what the request was answered with.
    pub(super) fn learn(
        &self,
        grants: &mut Grants,
        heard: &Heard,
        reading: &Reading<'_>,
        now: Duration,
    ) {
        let reply = Reply::live(self.call.step(), heard, reading);
        grants.learn(self, &reply, now);
    }
}

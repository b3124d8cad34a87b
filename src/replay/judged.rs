//! A live request with what is wrong with it, and what this run learns of its answer.

use std::time::Duration;

use crate::model::Heard;
use crate::oauth::Step;
use crate::oauth::fields::Reading;
use crate::replay::grants::{Call, Defects, Grants, Reply};
use crate::replay::repertoire::Repertoire;
use crate::replay::values::Live;

/// A live request as the state of this run sees it. It is raw: no `Debug`.
pub(super) struct Judged {
    pub(super) call: Call,
    pub(super) defects: Defects,
}

impl Judged {
    /// Judges a request that comes at this time.
    pub(super) fn of(live: &Live<'_>, step: Option<Step>, grants: &Grants, now: Duration) -> Self {
        let call = Call::live(step.unwrap_or(Step::Other), live.said, &live.fields);
        let defects = grants.judge(&call, now);
        Self { call, defects }
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
        grants.learn(&self.call, &self.defects, &reply, now);
    }
}

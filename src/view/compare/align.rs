//! Which interactions of two sessions are the same step.

use std::collections::{BTreeMap, VecDeque};

use crate::oauth::{Step, error_code, name};
use crate::view::part::Parts;

/// An interaction of one session and its like in the other, by their places; or one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) a: Option<usize>,
    pub(super) b: Option<usize>,
}

/// The pairs, in the order of the first session. Steps of one kind are paired in their order:
/// token requests of the same grant first, then those that have nothing else to be compared with.
pub(super) fn align(a: &[Parts<'_>], b: &[Parts<'_>]) -> Vec<Pair> {
    let mut like = vec![None; a.len()];
    let mut taken = vec![false; b.len()];
    let keys: [fn(&Parts<'_>) -> Option<Key>; 2] = [|parts| Some(in_detail(parts)), by_step];
    for key in keys {
        let mut open = BTreeMap::<Key, VecDeque<usize>>::new();
        for (at, parts) in b.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            if let Some(key) = key(parts) {
                open.entry(key).or_default().push_back(at);
            }
        }
        for (at, parts) in a.iter().enumerate() {
            let mut found = || key(parts).and_then(|key| open.get_mut(&key)?.pop_front());
            if like[at].is_none()
                && let Some(found) = found()
            {
                like[at] = Some(found);
                taken[found] = true;
            }
        }
    }
    merged((a, &like), (b, &taken))
}

/// All of both, those that stand alone where they stood; how often was polled is no step.
fn merged(
    (a, like): (&[Parts<'_>], &[Option<usize>]),
    (b, taken): (&[Parts<'_>], &[bool]),
) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(a.len());
    let mut next = 0;
    let alone = |at: usize| !taken[at] && !is_poll(&b[at]);
    let only_b = |at: usize| Pair {
        a: None,
        b: Some(at),
    };
    for (at, parts) in a.iter().enumerate() {
        match like[at] {
            None if is_poll(parts) => {}
            None => pairs.push(Pair {
                a: Some(at),
                b: None,
            }),
            Some(found) => {
                pairs.extend((next..found).filter(|at| alone(*at)).map(only_b));
                next = next.max(found);
                pairs.push(Pair {
                    a: Some(at),
                    b: Some(found),
                });
            }
        }
    }
    pairs.extend((next..b.len()).filter(|at| alone(*at)).map(only_b));
    pairs
}

type Key = (Step, Option<String>, bool);

/// The step with what tells it from others of its kind.
fn in_detail(parts: &Parts<'_>) -> Key {
    let interaction = parts.interaction;
    let step = interaction.step();
    let detail = match step {
        Step::TokenRequest => parts.asked(name::GRANT_TYPE).map(str::to_owned),
        Step::Discovery
        | Step::Jwks
        | Step::ProtectedResourceMetadata
        | Step::Resource
        | Step::Other => interaction.request().parsed_url().map(|url| url.path),
        _ => None,
    };
    (step, detail, is_poll(parts))
}

fn by_step(parts: &Parts<'_>) -> Option<Key> {
    (!is_poll(parts)).then(|| (parts.interaction.step(), None, false))
}

/// Whether it is one of many that ask whether somebody has consented (RFC 8628 section 3.5).
fn is_poll(parts: &Parts<'_>) -> bool {
    let error = parts.oauth_error();
    error.is_some_and(|error| error_code::POLLING.contains(&error))
}

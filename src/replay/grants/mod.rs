//! What was issued, and what may be redeemed of it: the state of an authorization server.
//!
//! [`Grants`] is told each request with its answer, and says of a request what is wrong with it.
//! The same machine runs over a cassette, where labels stand for the secrets, and over the requests
//! of this run: so a defect that was recorded can be told from one that is new. [`Call`] is the
//! request in the shape that both have, [`Defect`] what is wrong, `proof` reads signed things.

mod call;
mod defect;
mod grant;
mod judgement;
mod proof;
mod tape;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Bounded, Params, Remembered};
use crate::oauth::asked::asked;
use crate::oauth::{Step, name};
pub(super) use crate::replay::grants::call::{Call, Reply, challenged_error, words};
pub(super) use crate::replay::grants::defect::{Defect, Defects};
use crate::replay::grants::grant::{Grant, Kind, Use, altered};
use crate::replay::grants::judgement::Judgement;
pub(super) use crate::replay::grants::tape::Tape;
use crate::replay::judged::Judged;

/// What a server has issued. It holds this run's secrets: no `Debug`.
#[derive(Default)]
pub(super) struct Grants {
    terms: Terms,
    /// What each authorization request asked for, by how many came before.
    asked: Bounded<usize, Params>,
    issued: BTreeMap<Kind, Bounded<Arc<str>, Grant>>,
    /// Identifiers of proofs and assertions that were used.
    identifiers: Remembered,
    /// What each server gave out to be put into proofs.
    nonces: Bounded<(String, String)>,
    families: usize,
}

/// How strict time is.
#[derive(Clone, Copy, Default)]
pub(super) struct Terms {
    /// How long a code lives; as long as it likes on tape.
    pub(super) code_ttl: Option<Duration>,
    /// Whether what works once works again.
    pub(super) repeats: bool,
    /// Whether the interval between polls is honoured.
    pub(super) realtime: bool,
    /// Whether these are the requests of a cassette, of which nobody knows how long they took.
    pub(super) is_tape: bool,
}

impl Grants {
    /// Nothing is issued yet.
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            ..Self::default()
        }
    }

    /// The same for the requests of a cassette.
    pub(super) fn of_tape() -> Self {
        Self::new(Terms {
            is_tape: true,
            ..Terms::default()
        })
    }

    /// What an authorization request asks for, with what was pushed before it and what a request
    /// object says.
    pub(super) fn asks(&self, call: &Call) -> Params {
        let pushed = call.get(name::REQUEST_URI).and_then(|uri| self.pushed(uri));
        let sent = [&call.body, &call.query];
        asked(&sent, pushed, |object| call.object_params(object))
    }

    /// What was asked for when this code was issued; without a code that is known, the only
    /// authorization request there was.
    pub(super) fn asked_for(&self, code: Option<&str>) -> Option<&Params> {
        let altered = |code| self.find_altered(Kind::Code, code);
        let grant = code.and_then(|code| self.find(Kind::Code, code).or_else(|| altered(code)));
        let of_code = grant.and_then(|grant| self.asked.get(&grant.asked?));
        let mut all = self.asked.iter().map(|(_, asked)| asked);
        let only = all.next().filter(|_| all.next().is_none());
        of_code.or(only)
    }

    /// The code challenges of every authorization request.
    pub(super) fn challenges(&self) -> impl Iterator<Item = &str> {
        let asked = self.asked.iter();
        asked.filter_map(|(_, asked)| asked.get(name::CODE_CHALLENGE))
    }

    /// What is wrong with a request.
    pub(super) fn judge(&self, call: &Call, now: Duration) -> Defects {
        Judgement::of(self, call, now)
    }

    /// Takes in a request with what came back.
    pub(super) fn learn(&mut self, judged: &Judged, reply: &Reply, now: Duration) {
        let call = &judged.call;
        let signed = [&call.proof, &call.assertion];
        for identifier in signed.into_iter().flatten().filter_map(proof::identifier) {
            self.identifiers.add(&identifier);
        }
        if let Some(nonce) = &reply.nonce {
            self.nonces.insert((call.origin(), nonce.clone()), ());
        }
        if call.step == Step::AuthorizationRequest {
            let number = self.asked.came();
            self.asked.insert(number, judged.wanted.clone());
        }
        let may_carry = !matches!(call.step, Step::AuthorizationResponse | Step::TokenRequest);
        if let Some(carried) = reply.carried.as_ref().filter(|_| may_carry) {
            self.authorize(carried, now);
        }
        match call.step {
            Step::TokenRequest if reply.is_success() => self.redeem(call, reply, now),
            Step::TokenRequest => self.refuse(judged, reply, now),
            Step::Revocation if reply.is_success() => self.revoke(call),
            step if reply.is_success() && !step.is_repeatable() => {
                self.issue_aside(judged, reply, now);
            }
            _ => {}
        }
    }

    fn pushed(&self, request_uri: &str) -> Option<&Params> {
        self.find(Kind::RequestUri, request_uri)?.pushed.as_ref()
    }

    fn find(&self, kind: Kind, value: &str) -> Option<&Grant> {
        self.issued.get(&kind)?.get(value)
    }

    /// The first of which this is a changed copy.
    fn find_altered(&self, kind: Kind, value: &str) -> Option<&Grant> {
        let mut issued = self.issued.get(&kind)?.iter();
        let found = issued.find(|(issued, _)| altered(issued, value));
        found.map(|(_, grant)| grant)
    }

    fn grant(&mut self, kind: Kind, value: &str) -> Option<&mut Grant> {
        self.issued.get_mut(&kind)?.get_mut(value)
    }

    fn issue(&mut self, kind: Kind, value: &str, grant: Grant) {
        let issued = self.issued.entry(kind).or_default();
        issued.insert(Arc::from(value), grant);
    }

    fn family(&mut self) -> usize {
        self.families += 1;
        self.families
    }

    /// The latest authorization request with this state, or else the latest of all.
    fn asked_with(&self, state: Option<&str>) -> Option<usize> {
        let mut latest = self.asked.iter().rev();
        let of_state = latest.find(|(_, asked)| asked.get(name::STATE) == state);
        let asked = of_state.or_else(|| self.asked.iter().next_back());
        asked.map(|(at, _)| *at)
    }

    /// An authorization response went out.
    fn authorize(&mut self, carried: &Params, now: Duration) {
        let family = self.family();
        let state = carried.get(name::STATE);
        let asked = self.asked_with(state);
        let params = asked.and_then(|at| self.asked.get(&at));
        let get = |name| {
            params
                .and_then(|params| params.get(name))
                .map(str::to_owned)
        };
        let grant = Grant {
            client: get(name::CLIENT_ID),
            scope: get(name::SCOPE).map(|scope| words(&scope)),
            key: get(name::DPOP_JKT),
            asked,
            ..Grant::new(family, now)
        };
        let request_uri = get(name::REQUEST_URI);
        if let Some(code) = carried.get(name::CODE) {
            let lifetime = self.terms.code_ttl;
            self.issue(
                Kind::Code,
                code,
                Grant {
                    lifetime,
                    ..grant.clone()
                },
            );
        }
        self.issue_tokens(carried, &grant, &grant);
        if let Some(pushed) = request_uri.and_then(|uri| self.grant(Kind::RequestUri, &uri)) {
            pushed.state = Use::Spent;
        }
    }

    /// A token request was answered with tokens.
    fn redeem(&mut self, call: &Call, reply: &Reply, now: Duration) {
        let mut found = None;
        let mut is_refreshed = false;
        for (kind, name) in REDEEMED {
            let Some(value) = call.get(name) else {
                continue;
            };
            let is_kept = *kind == Kind::RefreshToken
                && reply
                    .members
                    .get(name)
                    .is_none_or(|renewed| renewed == value);
            let mut grant = match self.find(*kind, value) {
                Some(grant) => grant.clone(),
                // One that was issued before the recording began is taken up here.
                None => Grant::new(self.family(), now),
            };
            if !is_kept {
                grant.state = Use::Spent;
            }
            self.issue(*kind, value, grant.clone());
            found = Some(grant);
            is_refreshed = *kind == Kind::RefreshToken;
            break;
        }
        let family = self.family();
        let before = found.unwrap_or_else(|| Grant::new(family, now));
        let asks = call.words(name::SCOPE);
        let granted = reply.members.get(name::SCOPE).map(words);
        let is_bound = reply
            .members
            .get(name::TOKEN_TYPE)
            .is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
        let key = call.proof.as_ref().and_then(proof::thumbprint);
        let grant = Grant {
            client: call.client().map(str::to_owned).or(before.client),
            scope: granted.or(asks).or_else(|| before.scope.clone()),
            is_bound,
            key: key.filter(|_| is_bound),
            asked: before.asked,
            ..Grant::new(before.family, now)
        };
        let refresh = Grant {
            // However narrow the access token, this one is as wide as the one that it replaces (RFC
            // 6749 section 6).
            scope: if is_refreshed {
                before.scope
            } else {
                grant.scope.clone()
            },
            // A client that proves who it is may change its key (RFC 9449 section 5).
            key: grant.key.clone().filter(|_| !call.is_authenticated()),
            ..grant.clone()
        };
        self.issue_tokens(&reply.members, &grant, &refresh);
    }

    /// A token request was answered with an error.
    fn refuse(&mut self, judged: &Judged, reply: &Reply, now: Duration) {
        let call = &judged.call;
        if judged.defects.has_reuse() {
            self.revoke_family_of(call);
        }
        let polled = POLLED
            .iter()
            .find_map(|(kind, name)| Some((*kind, call.get(name)?)));
        let error = reply.error().map(str::to_owned);
        let Some(grant) = polled.and_then(|(kind, value)| self.grant(kind, value)) else {
            return;
        };
        grant.polled = Some(now);
        match error.as_deref() {
            // RFC 8628 section 3.5.
            Some("slow_down") => grant.interval += SLOWER,
            Some("access_denied" | "expired_token") => grant.state = Use::Spent,
            _ => {}
        }
    }

    /// Both a code and a refresh token that come twice are in two hands (RFC 6749 section 4.1.2,
    /// RFC 9700 section 4.14.2).
    fn revoke_family_of(&mut self, call: &Call) {
        let named = [
            (Kind::Code, call.get(name::CODE)),
            (Kind::RefreshToken, call.get(name::REFRESH_TOKEN)),
        ];
        let found = named
            .into_iter()
            .find_map(|(kind, value)| Some(self.find(kind, value?)?.family));
        if let Some(family) = found {
            self.revoke_family(family);
        }
    }

    fn revoke_family(&mut self, family: usize) {
        for kind in [Kind::AccessToken, Kind::RefreshToken] {
            let issued = self.issued.get_mut(&kind).into_iter();
            let of_family = issued
                .flat_map(Bounded::values_mut)
                .filter(|grant| grant.family == family && grant.state == Use::Fresh);
            of_family.for_each(|grant| grant.state = Use::Revoked);
        }
    }

    /// With a refresh token goes all that came of it (RFC 7009 section 2.1).
    fn revoke(&mut self, call: &Call) {
        let Some(token) = call.get(name::TOKEN).map(str::to_owned) else {
            return;
        };
        let refreshing = self
            .grant(Kind::RefreshToken, &token)
            .map(|grant| grant.family);
        if let Some(family) = refreshing {
            self.revoke_family(family);
        } else if let Some(grant) = self.grant(Kind::AccessToken, &token) {
            grant.state = Use::Revoked;
        }
    }

    fn issue_tokens(&mut self, members: &Params, grant: &Grant, refresh: &Grant) {
        let seconds = members
            .get(name::EXPIRES_IN)
            .and_then(|text| text.parse().ok());
        let access = Grant {
            lifetime: seconds.map(Duration::from_secs),
            ..grant.clone()
        };
        for (kind, name, grant) in [
            (Kind::AccessToken, name::ACCESS_TOKEN, &access),
            (Kind::RefreshToken, name::REFRESH_TOKEN, refresh),
            (Kind::IdToken, name::ID_TOKEN, grant),
        ] {
            let Some(value) = members.get(name) else {
                continue;
            };
            // A server may say the same refresh token again.
            if kind != Kind::RefreshToken || self.find(kind, value).is_none() {
                self.issue(kind, value, grant.clone());
            }
        }
    }

    /// What the other endpoints issue: codes to poll with, request URIs, tokens of a registration.
    fn issue_aside(&mut self, judged: &Judged, reply: &Reply, now: Duration) {
        let (call, family, members) = (&judged.call, self.family(), &reply.members);
        let seconds = |name| members.get(name).and_then(|text| text.parse().ok());
        let grant = Grant {
            client: call.client().map(str::to_owned),
            scope: call.words(name::SCOPE),
            lifetime: seconds(name::EXPIRES_IN).map(Duration::from_secs),
            interval: seconds(name::INTERVAL).map_or(INTERVAL, Duration::from_secs),
            pushed: (call.step == Step::PushedAuthorizationRequest).then(|| judged.wanted.clone()),
            ..Grant::new(family, now)
        };
        for (kind, name) in [
            (Kind::DeviceCode, name::DEVICE_CODE),
            (Kind::AuthReqId, name::AUTH_REQ_ID),
            (Kind::RequestUri, name::REQUEST_URI),
            (Kind::AccessToken, name::REGISTRATION_ACCESS_TOKEN),
        ] {
            if let Some(value) = members.get(name) {
                self.issue(kind, value, grant.clone());
            }
        }
    }
}

/// What a token request redeems, in the order in which it is looked for.
const REDEEMED: &[(Kind, &str)] = &[
    (Kind::Code, name::CODE),
    (Kind::RefreshToken, name::REFRESH_TOKEN),
    (Kind::DeviceCode, name::DEVICE_CODE),
    (Kind::AuthReqId, name::AUTH_REQ_ID),
];
/// What it may come for again and again.
const POLLED: &[(Kind, &str)] = &[
    (Kind::DeviceCode, name::DEVICE_CODE),
    (Kind::AuthReqId, name::AUTH_REQ_ID),
];
/// Between two polls, where the server says nothing (RFC 8628 section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// How much longer after each `slow_down`.
const SLOWER: Duration = Duration::from_secs(5);

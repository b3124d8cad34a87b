//! Defects: what is wrong with a request, given what was issued before it.

use std::collections::BTreeSet;
use std::fmt;

use crate::oauth::{Step, name};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Defect {
    /// What of the request.
    pub(super) thing: Thing,
    /// What about it.
    pub(super) wrong: Wrong,
}

/// What of a request can be wrong, in the order in which servers look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A parameter that is registered, by its name.
    Parameter(String),
    /// So many others: what a client makes up as a name may be a secret.
    Unregistered(usize),
    ClientAssertion,
    RequestObject,
    RequestUri,
    Code,
    RefreshToken,
    DeviceCode,
    AuthReqId,
    SubjectToken,
    AccessToken,
    /// The token that is asked about, or the hint of one.
    Token,
    IdTokenHint,
    /// The `DPoP` header field.
    Proof,
    Resource,
    Scope,
}

/// What about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// It is there without a value.
    Empty,
    /// It is not there.
    Missing,
    /// It is there more than once.
    Twice,
    /// It cannot be read.
    Malformed,
    /// It was not issued here.
    Unknown,
    /// It is a changed copy of what was issued.
    Altered,
    /// It was used before, and works once.
    Spent,
    /// It was revoked.
    Revoked,
    /// Its time is over, or not yet come.
    Lapsed,
    /// It was issued to another client.
    OtherClient,
    /// It asks for more than was granted.
    Widened,
    /// It comes sooner than the interval allows.
    TooSoon,
    /// It is for another method.
    Method,
    /// It is for another URL.
    Url,
    /// It is for another server.
    Audience,
    /// It speaks of another client.
    Subject,
    /// Its signature is not that of its key.
    Signature,
    /// It is not of the key that the grant is bound to.
    Key,
    /// It is for another access token.
    Hash,
    /// It lacks the nonce that this server gave out.
    Nonce,
    /// A bound token is sent as a bearer token.
    Unbound,
}

/// What is wrong with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Defects {
    /// What is wrong for certain.
    pub(super) certain: BTreeSet<Defect>,
    /// What may have been wrong with a recorded request: it is of no consequence if a live one has
    /// it or not.
    pub(super) may: BTreeSet<Defect>,
}

impl Defects {
    /// Whether this live request is wrong in the same way as the recorded one.
    pub(crate) fn are_those_of(&self, recorded: &Self) -> bool {
        let shows = |defect: &Defect| {
            self.certain.contains(defect)
                || (defect.wrong == Wrong::Unknown
                    && self.certain.contains(&defect.but(Wrong::Altered)))
        };
        recorded.certain.iter().all(shows) && self.beyond(recorded).is_none()
    }

    /// The first thing that is wrong with this live request and was not with the recorded one.
    pub(crate) fn beyond(&self, recorded: &Self) -> Option<&Defect> {
        let mut worse = self.certain.iter();
        worse.find(|defect| !recorded.knows(defect))
    }

    /// Whether a recorded request had the defect too, or was to a server that does not look.
    fn knows(&self, defect: &Defect) -> bool {
        let lacks = |thing| {
            let absence = Defect {
                thing,
                wrong: Wrong::Missing,
            };
            self.certain.contains(&absence)
        };
        // Of a change that is no known spelling, a recording says only that it is another value.
        let is_other =
            defect.wrong == Wrong::Altered && self.certain.contains(&defect.but(Wrong::Unknown));
        self.certain.contains(defect)
            || is_other
            || self.may.contains(defect)
            || (defect.is_of_token() && lacks(defect.thing.clone()))
    }

    /// What differs from a recorded request, in words.
    pub(crate) fn differences(&self, recorded: &Self) -> Vec<String> {
        let worse = self.certain.iter().filter(|defect| !recorded.knows(defect));
        let gone = recorded.certain.difference(&self.certain);
        let gone = gone.map(|defect| format!("it is no longer so that {defect}"));
        worse.map(Defect::to_string).chain(gone).collect()
    }

    /// Whether nothing is wrong but that a token, a proof or its nonce is absent, which no rule
    /// forbids by itself.
    pub(crate) fn are_none(&self) -> bool {
        let may_be = |defect: &Defect| defect.is_absence() || defect.is_of_nonce();
        self.certain.iter().all(may_be)
    }

    /// What says that another client has what was issued to the one it belongs to, in words.
    pub(crate) fn of_client(&self) -> Vec<String> {
        let defects = self.certain.iter();
        let of_client = defects.filter(|defect| defect.wrong == Wrong::OtherClient);
        of_client.map(Defect::to_string).collect()
    }

    /// Whether one of them says that a grant came a second time.
    pub(super) fn has_reuse(&self) -> bool {
        let is_reuse = |defect: &Defect| {
            defect.wrong == Wrong::Spent
                && matches!(defect.thing, Thing::Code | Thing::RefreshToken)
        };
        self.certain.iter().any(is_reuse)
    }

    pub(super) fn add(&mut self, thing: Thing, wrong: Wrong) {
        self.certain.insert(Defect { thing, wrong });
    }
}

impl Defect {
    /// The same thing, wrong in another way.
    fn but(&self, wrong: Wrong) -> Self {
        Self {
            thing: self.thing.clone(),
            wrong,
        }
    }

    /// The error code that the standards have for it.
    pub(crate) fn error(&self, step: Step) -> &'static str {
        match (&self.thing, self.wrong) {
            (_, Wrong::Empty | Wrong::Twice)
            | (Thing::Parameter(_) | Thing::Unregistered(_) | Thing::Token, _) => "invalid_request",
            (_, Wrong::TooSoon) => "slow_down",
            (Thing::DeviceCode | Thing::AuthReqId, Wrong::Lapsed) => "expired_token",
            (Thing::ClientAssertion, _) => "invalid_client",
            (Thing::RequestObject, _) => "invalid_request_object",
            (Thing::RequestUri, _) => "invalid_request_uri",
            (Thing::Code | Thing::RefreshToken | Thing::DeviceCode | Thing::AuthReqId, _) => {
                "invalid_grant"
            }
            (Thing::SubjectToken | Thing::IdTokenHint, _) => "invalid_request",
            (Thing::AccessToken, _) | (Thing::Proof, Wrong::Unbound) => "invalid_token",
            (Thing::Proof, Wrong::Nonce) => "use_dpop_nonce",
            (Thing::Proof, Wrong::Key) if step == Step::TokenRequest => "invalid_grant",
            (Thing::Proof, _) => "invalid_dpop_proof",
            (Thing::Resource, _) => "invalid_target",
            (Thing::Scope, _) => "invalid_scope",
        }
    }

    /// Whether an access token or a proof is simply not there.
    pub(crate) fn is_absence(&self) -> bool {
        self.wrong == Wrong::Missing
    }

    /// Whether a proof has no nonce that was given out.
    fn is_of_nonce(&self) -> bool {
        self.thing == Thing::Proof && self.wrong == Wrong::Nonce
    }

    /// Whether it is about the access token of a request, or the proof that goes with it.
    pub(crate) fn is_of_token(&self) -> bool {
        matches!(self.thing, Thing::AccessToken | Thing::Proof)
    }

    /// Whether it says that a token which is asked about is not a good one.
    pub(crate) fn is_of_question(&self) -> bool {
        self.thing == Thing::Token
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.thing, self.wrong.in_words())
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parameter(name) => name,
            Self::Unregistered(1) => "a parameter of no standard",
            Self::Unregistered(count) => {
                return write!(f, "each of {count} parameters of no standard");
            }
            Self::ClientAssertion => name::CLIENT_ASSERTION,
            Self::RequestObject => "the request object",
            Self::RequestUri => name::REQUEST_URI,
            Self::Code => name::CODE,
            Self::RefreshToken => name::REFRESH_TOKEN,
            Self::DeviceCode => name::DEVICE_CODE,
            Self::AuthReqId => name::AUTH_REQ_ID,
            Self::SubjectToken => name::SUBJECT_TOKEN,
            Self::AccessToken => "the access token",
            Self::Token => name::TOKEN,
            Self::IdTokenHint => name::ID_TOKEN_HINT,
            Self::Proof => "the DPoP proof",
            Self::Resource => name::RESOURCE,
            Self::Scope => name::SCOPE,
        })
    }
}

impl Wrong {
    fn in_words(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Missing => "is not sent",
            Self::Twice => "is sent more than once",
            Self::Malformed => "is not well-formed",
            Self::Unknown => "is not one that was issued here",
            Self::Altered => "is not the one that was issued, but an altered copy of it",
            Self::Spent => "is one that was redeemed before",
            Self::Revoked => "is revoked",
            Self::Lapsed => "is out of its time",
            Self::OtherClient => "was issued to another client",
            Self::Widened => "asks for more than was granted",
            Self::TooSoon => "comes sooner than the interval allows",
            Self::Method => "is for another method",
            Self::Url => "is for another URL",
            Self::Audience => "is for another audience",
            Self::Subject => "speaks of another client",
            Self::Signature => "has a signature that is not of its key",
            Self::Key => "is not of the key that the grant is bound to",
            Self::Hash => "is for another access token",
            Self::Nonce => "lacks the nonce that was given out",
            Self::Unbound => "is missing: a bound token is sent as a bearer token",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_copy_may_be_another_value_on_tape_and_not_the_other_way_round() {
        let with = |wrong| {
            let mut defects = Defects::default();
            defects.add(Thing::RequestUri, wrong);
            defects
        };
        for (live, recorded, expected) in [
            (Wrong::Altered, Wrong::Altered, true),
            (Wrong::Altered, Wrong::Unknown, true),
            (Wrong::Unknown, Wrong::Unknown, true),
            (Wrong::Unknown, Wrong::Altered, false),
            (Wrong::Spent, Wrong::Unknown, false),
        ] {
            let is_same = with(live).are_those_of(&with(recorded));
            assert_eq!(is_same, expected, "{live:?} {recorded:?}");
        }
        let none = Defects::default();
        assert!(!none.are_those_of(&with(Wrong::Unknown)));
        assert!(with(Wrong::Altered).beyond(&none).is_some());
    }

    #[test]
    fn a_proof_without_a_nonce_is_as_good_as_none_until_a_server_demands_one() {
        for (thing, wrong, expected) in [
            (Thing::Proof, Wrong::Nonce, true),
            (Thing::Proof, Wrong::Missing, true),
            (Thing::Proof, Wrong::Key, false),
            (Thing::RequestUri, Wrong::Unknown, false),
        ] {
            let mut defects = Defects::default();
            defects.add(thing, wrong);
            assert_eq!(defects.are_none(), expected, "{defects:?}");
        }
    }
}

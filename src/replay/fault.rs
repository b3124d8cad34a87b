//! Faults on demand: what a replay does wrong on purpose, and how that is written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::model::{Failure, FailureKind, Phase, Response};
use crate::oauth::{Step, name};
use crate::redact::quote;
use crate::replay::latency::time;
use crate::replay::refusal::MARK;

/// A fault: at which step, what, and how often.
///
/// `token: 503 retry-after=2 times=1` reads as one; [`FaultError`] says how they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As it was written.
    text: String,
    at: At,
    pub(super) action: Action,
    times: Option<u32>,
    after: u32,
}

/// Which requests meet a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Any,
    Step(Step),
}

impl At {
    fn named(word: &str) -> Option<Self> {
        let step = || Step::named(word).map(Self::Step);
        if word == "any" {
            Some(Self::Any)
        } else {
            step()
        }
    }

    fn is(self, step: Step) -> bool {
        matches!(self, Self::Any) || self == Self::Step(step)
    }
}

/// What is done in place of playing, or to what is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// An answer with this status.
    Answer {
        status: u16,
        error: Option<String>,
        fields: Vec<(String, String)>,
    },
    /// A page.
    Page(u16),
    /// No answer: the connection ends in one of the ways that recordings know.
    Fail(FailureKind),
    /// The answer from tape, so much later.
    Slow(Duration),
    /// The answer from tape, cut behind so many bytes of its body.
    Truncate(usize),
}

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}\n{}", Fault::GRAMMAR)]
pub struct FaultError {
    why: String,
}

impl Fault {
    /// How faults are written.
    pub const GRAMMAR: &str =
        "A fault is STEP: ACTION [OPTION ...], as in 'token: 503 retry-after=2 times=1'
  STEP    token, authorize, device, discovery, introspect, jwks, logout, par, register, resource,
          revoke, userinfo, or any; or as a cassette names it: token_request
  ACTION  STATUS             an answer with this status, 200 to 599
          html[=STATUS]      a page where JSON is due
          reset              the connection is reset
          close              the connection is closed without an answer
          stall              no answer comes
          slow=TIME          the recorded answer, so much later: 500ms, 2s
          truncate=BYTES     the recorded answer, cut behind so many bytes of its body
  OPTION  times=N            only so often; else every time
          after=N            not to the first N requests
          error=CODE         with a STATUS: an OAuth error response
          FIELD=VALUE        with a STATUS: a header field, as retry-after=2";

    /// The answer that a client gets in place of one from tape, where this fault is such a one.
    pub(super) fn response(&self) -> Option<Response> {
        let (status, fields, (media, body)) = match &self.action {
            Action::Page(status) => (*status, [].as_slice(), ("text/html", PAGE.to_owned())),
            Action::Answer {
                status,
                error,
                fields,
            } => (*status, fields.as_slice(), text_of(error.as_deref())),
            Action::Fail(_) | Action::Slow(_) | Action::Truncate(_) => return None,
        };
        let is_empty = matches!(status, 204 | 205 | 304);
        let mut response = Response::new(status, if is_empty { String::new() } else { body });
        let has_type = fields.iter().any(|(name, _)| is_content_type(name));
        if !has_type && !is_empty {
            response = response.with("Content-Type", media);
        }
        for (name, value) in fields {
            response = response.with(name, value.clone());
        }
        Some(response.with("authtape-fault", self.text.clone()))
    }

    /// The failure that a client meets in place of an answer, where this fault is such a one.
    pub(super) fn failure(&self) -> Option<Failure> {
        match self.action {
            Action::Fail(kind) => Some(Failure::new(kind, Phase::ResponseHead, Duration::ZERO)),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let wrong = |why: &str| FaultError {
            why: why.to_owned(),
        };
        let (step, rest) = text
            .split_once(':')
            .ok_or_else(|| wrong("there is no colon behind the step"))?;
        let at = At::named(step.trim()).ok_or_else(|| {
            let step = step.trim().escape_debug();
            wrong(&format!("`{step}` is no step"))
        })?;
        let mut words = rest.split_ascii_whitespace();
        let action = words
            .next()
            .ok_or_else(|| wrong("there is no action behind the colon"))?;
        let mut fault = Self {
            text: text.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
            at,
            action: action_of(action).map_err(|why| FaultError { why })?,
            times: None,
            after: 0,
        };
        words
            .try_for_each(|word| fault.option(word))
            .map_err(|why| FaultError { why })?;
        Ok(fault)
    }
}

impl Fault {
    fn option(&mut self, word: &str) -> Result<(), String> {
        let shown = word.escape_debug();
        let Some((key, value)) = word.split_once('=') else {
            return Err(format!("`{shown}` is no option, which is NAME=VALUE"));
        };
        let count = || {
            let count = value.parse().ok();
            count.ok_or_else(|| format!("`{shown}` has no whole number"))
        };
        match (key, &mut self.action) {
            ("times", _) => self.times = Some(count()?),
            ("after", _) => self.after = count()?,
            (name::ERROR, Action::Answer { error, .. }) if is_code(value) => {
                *error = Some(value.to_owned());
            }
            (_, Action::Answer { fields, .. }) if key != name::ERROR && is_field(key, value) => {
                fields.push((key.to_owned(), value.to_owned()));
            }
            (_, Action::Answer { .. }) => {
                return Err(format!("`{shown}` cannot be set in an answer"));
            }
            _ => return Err(format!("`{shown}` goes with a status alone")),
        }
        Ok(())
    }
}

/// The faults of a run, and how often each was asked for and done.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<Count>);

#[derive(Clone, Debug)]
struct Count {
    fault: Fault,
    asked: u32,
    done: u32,
}

impl Faults {
    pub(super) fn new(faults: &[Fault]) -> Self {
        let count = |fault: &Fault| Count {
            fault: fault.clone(),
            asked: 0,
            done: 0,
        };
        Self(faults.iter().map(count).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault that a request for this step meets, the first that is due.
    pub(super) fn meet(&mut self, step: Step) -> Option<Fault> {
        let meant = |count: &&mut Count| count.fault.at.is(step);
        let mut met: Option<&mut Count> = None;
        for count in self.0.iter_mut().filter(meant) {
            count.asked = count.asked.saturating_add(1);
            let is_due = count.asked > count.fault.after
                && count.fault.times.is_none_or(|times| count.done < times);
            if is_due && met.is_none() {
                met = Some(count);
            }
        }
        let met = met?;
        met.done = met.done.saturating_add(1);
        Some(met.fault.clone())
    }

    /// Each as it was written, and how often it was done.
    pub(super) fn done(&self) -> Vec<(String, u32)> {
        let done = self
            .0
            .iter()
            .map(|count| (count.fault.to_string(), count.done));
        done.collect()
    }
}

fn action_of(word: &str) -> Result<Action, String> {
    let shown = word.escape_debug();
    let status = |digits: &str| {
        let status: u16 = digits.parse().ok()?;
        (digits.len() == 3 && (200..600).contains(&status)).then_some(status)
    };
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    let action = match key {
        "close" => Some(Action::Fail(FailureKind::ClosedEarly)),
        "reset" => Some(Action::Fail(FailureKind::ConnectionReset)),
        "stall" => Some(Action::Fail(FailureKind::ReadTimeout)),
        "html" if value.is_empty() => Some(Action::Page(200)),
        "html" => status(value).map(Action::Page),
        "slow" => time(value).map(Action::Slow),
        "truncate" => value.parse().ok().map(Action::Truncate),
        _ => status(key).map(|status| Action::Answer {
            status,
            error: None,
            fields: Vec::new(),
        }),
    };
    let takes_value = ["html", "slow", "truncate"].contains(&key);
    action
        .filter(|_| takes_value || !word.contains('='))
        .ok_or_else(|| format!("`{shown}` is no action"))
}

/// The text of an answer, with its media type: in JSON where there is an error code to tell.
fn text_of(error: Option<&str>) -> (&'static str, String) {
    let Some(error) = error else {
        return ("text/plain", format!("{TOLD}\n"));
    };
    let body = format!(
        "{{{}:{},{}:{}}}",
        quote(name::ERROR),
        quote(error),
        quote(name::ERROR_DESCRIPTION),
        quote(TOLD)
    );
    ("application/json", body)
}

fn is_code(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
}

/// Whether a field can be set: not one that says where an answer ends, or belongs to its connection.
fn is_field(name: &str, value: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let is_free = !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours));
    is_free
        && !name.is_empty()
        && name.bytes().all(is_token)
        && value.bytes().all(|b| b.is_ascii_graphic())
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
}

const OURS: &[&str] = &[
    "authtape-fault",
    MARK,
    "connection",
    "content-length",
    "keep-alive",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const TOLD: &str = "authtape: this fault was asked for";
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Unavailable</title></head>\n<body>authtape: this fault was asked for</body></html>\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;

    #[test]
    fn faults_are_read() {
        let answer = |status, error: Option<&str>, fields: &[(&str, &str)]| Action::Answer {
            status,
            error: error.map(str::to_owned),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let refused = answer(400, Some("invalid_grant"), &[]);
        let busy = answer(503, None, &[("retry-after", "2")]);
        let fail = Action::Fail;
        let slow = Action::Slow(Duration::from_millis(200));
        let (any, token) = (At::Any, At::Step(Step::TokenRequest));
        let (userinfo, jwks) = (At::Step(Step::Userinfo), At::Step(Step::Jwks));
        let par = At::Step(Step::PushedAuthorizationRequest);
        for (text, at, action, often) in [
            (
                "token: 503 retry-after=2 times=1",
                token,
                busy,
                (Some(1), 0),
            ),
            (
                "token_request:400 error=invalid_grant",
                token,
                refused,
                (None, 0),
            ),
            (
                "userinfo: reset",
                userinfo,
                fail(FailureKind::ConnectionReset),
                (None, 0),
            ),
            (
                "any: close after=2",
                any,
                fail(FailureKind::ClosedEarly),
                (None, 2),
            ),
            (
                " jwks :  stall ",
                jwks,
                fail(FailureKind::ReadTimeout),
                (None, 0),
            ),
            ("par: slow=200ms times=0", par, slow, (Some(0), 0)),
            ("token: truncate=20", token, Action::Truncate(20), (None, 0)),
            ("token: html", token, Action::Page(200), (None, 0)),
            ("token: html=502", token, Action::Page(502), (None, 0)),
        ] {
            let fault: Fault = text.parse().expect(text);
            assert_eq!((fault.at, fault.action), (at, action), "{text}");
            assert_eq!((fault.times, fault.after), often, "{text}");
        }
    }

    #[test]
    fn what_is_no_fault_is_told_with_the_grammar() {
        for (text, why) in [
            ("", "no colon"),
            ("token", "no colon"),
            ("token:", "no action"),
            ("tokens: 503", "`tokens` is no step"),
            (": 503", "`` is no step"),
            ("token: 099", "`099` is no action"),
            ("token: 101", "`101` is no action"),
            ("token: 600", "`600` is no action"),
            ("token: 50", "`50` is no action"),
            ("token: explode", "`explode` is no action"),
            ("token: reset=1", "`reset=1` is no action"),
            ("token: slow", "`slow` is no action"),
            ("token: slow=fast", "`slow=fast` is no action"),
            ("token: truncate=-1", "`truncate=-1` is no action"),
            ("token: html=9", "`html=9` is no action"),
            ("token: 503 soon", "`soon` is no option"),
            (
                "token: 503 times=often",
                "`times=often` has no whole number",
            ),
            ("token: 503 after=-1", "`after=-1` has no whole number"),
            ("token: reset retry-after=2", "goes with a status alone"),
            ("token: 503 content-length=9", "cannot be set"),
            ("token: 503 a\u{7}=b", "`a\\u{7}=b` cannot be set"),
            ("token: 400 error=", "cannot be set"),
        ] {
            let told = text.parse::<Fault>().expect_err(text).to_string();
            let first = told.lines().next().unwrap_or_default();
            assert!(first.contains(why), "{text}: {first}");
            assert!(told.contains("as in 'token: 503"), "{text}");
        }
    }

    #[test]
    fn a_fault_is_met_as_often_and_as_late_as_it_says() {
        let faults = [
            "token: 500 times=1 after=1",
            "any: 502 after=2",
            "jwks: reset",
        ];
        let faults = faults.map(|text| text.parse::<Fault>().expect(text));
        let mut faults = Faults::new(&faults);
        let steps = [
            Step::TokenRequest,
            Step::TokenRequest,
            Step::TokenRequest,
            Step::Userinfo,
            Step::Jwks,
        ];
        let met = steps.map(|step| faults.meet(step).map(|fault| fault.to_string()));
        let expected = [
            None,
            Some("token: 500 times=1 after=1"),
            Some("any: 502 after=2"),
            Some("any: 502 after=2"),
            Some("any: 502 after=2"),
        ];
        assert_eq!(met, expected.map(|text| text.map(str::to_owned)));
        let done = faults.done().into_iter().map(|(_, times)| times);
        assert_eq!(done.collect::<Vec<_>>(), [1, 3, 0]);
    }

    #[test]
    fn an_answer_says_that_it_was_asked_for() {
        for (text, status, media, begins) in [
            (
                "token: 503 retry-after=2",
                503,
                Some("text/plain"),
                "authtape: this",
            ),
            (
                "token: 400 error=invalid_grant",
                400,
                Some("application/json"),
                "{\"error\":\"invalid_grant\",\"error_description\":\"authtape",
            ),
            ("token: html", 200, Some("text/html"), "<!DOCTYPE html>"),
            ("token: 204", 204, None, ""),
            (
                "token: 200 Content-Type=application/json",
                200,
                Some("application/json"),
                "authtape",
            ),
        ] {
            let fault: Fault = text.parse().expect(text);
            let response = fault.response().expect(text);
            assert_eq!(response.status, status, "{text}");
            assert_eq!(response.headers.get("content-type"), media, "{text}");
            assert_eq!(response.headers.get("authtape-fault"), Some(text));
            let Body::Full(body) = response.body else {
                panic!("{text}");
            };
            assert!(body.starts_with(begins.as_bytes()), "{text}");
        }
        let reset: Fault = "token: reset".parse().expect("a fault");
        assert!(reset.response().is_none());
        assert_eq!(
            reset.failure().map(|failure| failure.kind),
            Some(FailureKind::ConnectionReset)
        );
    }
}

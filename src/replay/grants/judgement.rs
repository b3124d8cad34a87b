//! The judgement of one request: what of it does not go with what was issued.

use std::collections::HashSet;
use std::time::Duration;

use crate::model::{Param, Params};
use crate::oauth::{Step, name, registry};
use crate::replay::grants::call::Call;
use crate::replay::grants::defect::{Defect, Defects, Thing, Wrong};
use crate::replay::grants::grant::{Grant, Kind};
use crate::replay::grants::{Grants, REDEEMED, proof};

/// A request while it is judged.
pub(super) struct Judgement<'a> {
    pub(super) grants: &'a Grants,
    pub(super) call: &'a Call,
    pub(super) now: Duration,
    pub(super) defects: Defects,
}

impl<'a> Judgement<'a> {
    /// What is wrong with it.
    pub(super) fn of(grants: &'a Grants, call: &'a Call, now: Duration) -> Defects {
        let mut judgement = Self {
            grants,
            call,
            now,
            defects: Defects::default(),
        };
        match call.step {
            Step::TokenRequest => judgement.token_request(),
            Step::AuthorizationRequest => judgement.authorization_request(),
            Step::BackchannelAuthenticationRequest
            | Step::DeviceAuthorizationRequest
            | Step::PushedAuthorizationRequest => {
                judgement.statements();
                judgement.duplicates(&call.body);
            }
            // Whatever token is revoked, the answer is the same (RFC 7009 section 2.2).
            Step::Revocation => judgement.statements(),
            Step::Introspection => {
                judgement.statements();
                judgement.asked_token();
            }
            Step::EndSession => judgement.hint(),
            Step::AuthorizationResponse | Step::LoginPage => {}
            _ => {
                judgement.statements();
                judgement.access_token();
            }
        }
        judgement.defects
    }

    fn token_request(&mut self) {
        self.statements();
        self.duplicates(&self.call.body);
        for (kind, name) in REDEEMED {
            self.grant(*kind, name);
        }
        self.subject_token();
        self.scope();
        self.proof(None);
    }

    fn authorization_request(&mut self) {
        self.duplicates(&self.call.query);
        self.duplicates(&self.call.body);
        self.grant(Kind::RequestUri, name::REQUEST_URI);
        if let Some(object) = &self.call.request_object
            && let Some(wrong) = proof::statement(self.call, object, self.seconds())
        {
            self.defects.add(Thing::RequestObject, wrong);
        }
    }

    /// What time it is for what was signed.
    pub(super) fn seconds(&self) -> i64 {
        if self.grants.terms.is_tape {
            // Times are declared as so long from then.
            return 0;
        }
        i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX)
    }

    fn statements(&mut self) {
        let Some(assertion) = &self.call.assertion else {
            return;
        };
        if let Some(wrong) = proof::statement(self.call, assertion, self.seconds()) {
            self.defects.add(Thing::ClientAssertion, wrong);
        } else if self.is_used(assertion) {
            self.defects.add(Thing::ClientAssertion, Wrong::Spent);
        }
    }

    /// A parameter must not be there twice (RFC 6749 section 3.2), but for those that name several
    /// (RFC 8707 section 2, RFC 8693 section 2.1).
    fn duplicates(&mut self, params: &Params) {
        let (mut seen, mut unregistered) = (HashSet::new(), HashSet::new());
        for Param { name, .. } in params {
            let is_list = [name::RESOURCE, name::AUDIENCE].contains(&name.as_str());
            if seen.insert(name) || is_list {
                continue;
            }
            if registry::is_known(name) {
                self.defects
                    .add(Thing::Parameter(name.clone()), Wrong::Twice);
            } else {
                unregistered.insert(name);
            }
        }
        if !unregistered.is_empty() {
            self.defects
                .add(Thing::Unregistered(unregistered.len()), Wrong::Twice);
        }
    }

    /// Whether what is sent under this name may be redeemed.
    fn grant(&mut self, kind: Kind, name: &str) {
        let Some(value) = self.call.get(name) else {
            return;
        };
        let thing = kind.thing();
        if value.is_empty() {
            self.defects.add(thing, Wrong::Empty);
            return;
        }
        let Some(grant) = self.grants.find(kind, value) else {
            let altered = self.grants.find_altered(kind, value);
            let wrong = altered.map_or(Wrong::Unknown, |_| Wrong::Altered);
            self.defects.add(thing, wrong);
            return;
        };
        let is_other = grant.client.as_deref().zip(self.call.client());
        let used = grant.state.wrong();
        if let Some(wrong) = used.filter(|_| !self.grants.terms.repeats) {
            self.defects.add(thing.clone(), wrong);
        } else if is_other.is_some_and(|(issued, calls)| issued != calls) {
            self.defects.add(thing.clone(), Wrong::OtherClient);
        }
        if grant.has_lapsed(self.now) {
            self.lapsed(thing.clone());
        }
        if self.grants.terms.realtime && grant.is_too_soon(self.now) {
            self.defects.add(thing, Wrong::TooSoon);
        }
        self.bound(grant);
    }

    /// Nobody knows how long a recorded server would have waited.
    pub(super) fn lapsed(&mut self, thing: Thing) {
        let defect = Defect {
            thing,
            wrong: Wrong::Lapsed,
        };
        let defects = &mut self.defects;
        if self.grants.terms.is_tape {
            defects.may.insert(defect);
        } else {
            defects.certain.insert(defect);
        }
    }

    /// What the grant was bound to when it was issued: a key, and resources.
    fn bound(&mut self, grant: &Grant) {
        let key = self.call.proof.as_ref().and_then(proof::thumbprint);
        if grant.key.is_some() && key.is_some() && grant.key != key {
            self.defects.add(Thing::Proof, Wrong::Key);
        }
        let asked = grant.asked.and_then(|at| self.grants.asked.get(&at));
        let granted: HashSet<&str> = asked
            .iter()
            .flat_map(|asked| asked.all(name::RESOURCE))
            .collect();
        let mut wanted = self.call.body.all(name::RESOURCE);
        if !granted.is_empty() && wanted.any(|resource| !granted.contains(resource)) {
            self.defects.add(Thing::Resource, Wrong::Widened);
        }
    }

    /// A refresh may ask for less than was granted, never for more (RFC 6749 section 6).
    fn scope(&mut self) {
        let token = self.call.get(name::REFRESH_TOKEN);
        let grant = token.and_then(|token| self.grants.find(Kind::RefreshToken, token));
        let granted = grant.and_then(|grant| grant.scope.as_ref());
        if let (Some(granted), Some(wanted)) = (granted, self.call.words(name::SCOPE))
            && !wanted.is_subset(granted)
        {
            self.defects.add(Thing::Scope, Wrong::Widened);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::oauth::fields::Reading;
    use crate::oauth::flows::tests::{heard, said};
    use crate::replay::grants::{Reply, Terms};
    use crate::replay::judged::Judged;

    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
    const CALLBACK: &str = "https://x.example/cb";

    /// One run, with a clock of its own.
    pub(crate) struct Run {
        pub(crate) grants: Grants,
        pub(crate) now: u64,
    }

    impl Run {
        pub(crate) fn new() -> Self {
            let terms = Terms {
                code_ttl: Some(Duration::from_mins(10)),
                realtime: true,
                ..Terms::default()
            };
            Self {
                grants: Grants::new(terms),
                now: 1_000,
            }
        }

        /// A request and its answer; what was wrong with it.
        pub(crate) fn ask(
            &mut self,
            step: Step,
            request: (&str, &str),
            answer: (u16, &str),
        ) -> String {
            let (path, params) = request;
            let is_get = step == Step::AuthorizationRequest;
            let url = format!("https://as.example/{path}");
            let asked = if is_get {
                said("GET", &format!("{url}?{params}"), &[], "")
            } else {
                said("POST", &url, &[FORM], params)
            };
            self.exchange(step, &asked, answer)
        }

        pub(crate) fn exchange(
            &mut self,
            step: Step,
            asked: &crate::model::Said,
            (status, answer): (u16, &str),
        ) -> String {
            let location = [("Location", answer)];
            let headers: &[(&str, &str)] = if status == 302 { &location } else { &[] };
            let heard = heard(status, headers, if status == 302 { "" } else { answer });
            let reading = Reading::of(asked, Some(&heard));
            let call = Call::live(step, asked, &reading.fields);
            let now = Duration::from_secs(self.now);
            let judged = Judged::of(call, &self.grants, now);
            let reply = Reply::live(step, &heard, &reading);
            self.grants.learn(&judged, &reply, now);
            let certain = judged.defects.certain.iter();
            let told = certain.filter(|defect| !defect.is_absence());
            told.map(Defect::to_string).collect::<Vec<_>>().join("; ")
        }

        fn authorize(&mut self, query: &str, code: &str) -> String {
            let location = format!("{CALLBACK}?code={code}&state=s");
            self.ask(
                Step::AuthorizationRequest,
                ("authorize", query),
                (302, &location),
            )
        }

        pub(crate) fn token(&mut self, form: &str, answer: &str) -> String {
            let status = if answer.contains("\"error\"") {
                400
            } else {
                200
            };
            self.ask(Step::TokenRequest, ("token", form), (status, answer))
        }

        pub(crate) fn call(&mut self, token: &str) -> String {
            let bearer = format!("Bearer {token}");
            let asked = said(
                "GET",
                "https://as.example/me",
                &[("Authorization", &bearer)],
                "",
            );
            self.exchange(Step::Userinfo, &asked, (200, "{}"))
        }
    }

    const ASK: &str = "client_id=c&response_type=code&redirect_uri=https://x.example/cb&state=s&scope=a+b&resource=https://api.example";
    pub(crate) const TOKENS: &str =
        r#"{"access_token":"at-1","refresh_token":"rt-1","expires_in":60,"scope":"a b"}"#;
    const DENIED: &str = r#"{"error":"invalid_grant"}"#;

    #[test]
    fn a_code_is_redeemed_once_by_its_client_and_in_time() {
        for (case, late, form, expected) in [
            ("right", 0, "client_id=c&code=code-number-1", ""),
            (
                "late",
                601,
                "client_id=c&code=code-number-1",
                "code is out of its time",
            ),
            ("empty", 0, "client_id=c&code=", "code is empty"),
            (
                "made up",
                0,
                "client_id=c&code=code-number-2",
                "code is not one that was issued here",
            ),
            (
                "cut",
                0,
                "client_id=c&code=code-num",
                "code is not the one that was issued, but an altered copy of it",
            ),
            (
                "encoded twice",
                0,
                "client_id=c&code=code%252Dnumber%252D1",
                "code is not the one that was issued, but an altered copy of it",
            ),
            (
                "of another client",
                0,
                "client_id=d&code=code-number-1",
                "code was issued to another client",
            ),
            (
                "twice in one request",
                0,
                "client_id=c&code=code-number-1&code=code-number-1",
                "code is sent more than once",
            ),
            (
                "for another resource",
                0,
                "client_id=c&code=code-number-1&resource=https://other.example",
                "resource asks for more than was granted",
            ),
        ] {
            let mut run = Run::new();
            assert_eq!(run.authorize(ASK, "code-number-1"), "", "{case}");
            run.now += late;
            assert_eq!(run.token(form, TOKENS), expected, "{case}");
        }
    }

    #[test]
    fn a_code_that_comes_twice_takes_its_tokens_with_it() {
        let mut run = Run::new();
        run.authorize(ASK, "k1");
        run.token("client_id=c&code=k1", TOKENS);
        assert_eq!(run.call("at-1"), "");
        let again = run.token("client_id=c&code=k1", DENIED);
        assert_eq!(again, "code is one that was redeemed before");
        assert_eq!(run.call("at-1"), "the access token is revoked");
        let refresh = run.token("client_id=c&refresh_token=rt-1", DENIED);
        assert_eq!(refresh, "refresh_token is revoked");
    }

    #[test]
    fn a_refresh_token_is_replaced_where_the_server_replaces_it() {
        for (case, answer, form, expected) in [
            (
                "rotated",
                r#"{"access_token":"at-2","refresh_token":"rt-2"}"#,
                "refresh_token=rt-2",
                "",
            ),
            (
                "rotated, the old one",
                r#"{"access_token":"at-2","refresh_token":"rt-2"}"#,
                "refresh_token=rt-1",
                "refresh_token is one that was redeemed before",
            ),
            (
                "kept",
                r#"{"access_token":"at-2"}"#,
                "refresh_token=rt-1",
                "",
            ),
            (
                "said again",
                r#"{"access_token":"at-2","refresh_token":"rt-1"}"#,
                "refresh_token=rt-1&scope=b",
                "",
            ),
            (
                "widened",
                r#"{"access_token":"at-2"}"#,
                "refresh_token=rt-1&scope=a+admin",
                "scope asks for more than was granted",
            ),
            (
                "of nobody",
                r#"{"access_token":"at-2"}"#,
                "refresh_token=x",
                "refresh_token is not one that was issued here",
            ),
        ] {
            let mut run = Run::new();
            run.authorize(ASK, "k1");
            run.token("client_id=c&code=k1", TOKENS);
            run.token("client_id=c&refresh_token=rt-1", answer);
            let form = format!("client_id=c&{form}");
            assert_eq!(run.token(&form, DENIED), expected, "{case}");
        }
    }

    #[test]
    fn a_refresh_token_stays_as_wide_as_it_was() {
        let mut run = Run::new();
        run.authorize(ASK, "k1");
        run.token("client_id=c&code=k1", TOKENS);
        let narrow = r#"{"access_token":"at-2","refresh_token":"rt-2","scope":"a"}"#;
        let asked = "client_id=c&refresh_token=rt-1&scope=a";
        assert_eq!(run.token(asked, narrow), "");
        let wide = r#"{"access_token":"at-3","refresh_token":"rt-3","scope":"a b"}"#;
        let asked = "client_id=c&refresh_token=rt-2&scope=a+b";
        assert_eq!(run.token(asked, wide), "");
        let asked = "client_id=c&refresh_token=rt-3&scope=a+b+admin";
        let widened = "scope asks for more than was granted";
        assert_eq!(run.token(asked, DENIED), widened);
    }

    #[test]
    fn a_device_is_told_to_slow_down_and_gets_its_tokens_once() {
        let mut run = Run::new();
        let device = r#"{"device_code":"d1","user_code":"U","interval":5,"expires_in":100}"#;
        run.ask(
            Step::DeviceAuthorizationRequest,
            ("device", "client_id=c"),
            (200, device),
        );
        let pending = r#"{"error":"authorization_pending"}"#;
        let slow_down = r#"{"error":"slow_down"}"#;
        let poll = "client_id=c&device_code=d1";
        assert_eq!(run.token(poll, pending), "");
        run.now += 3;
        let too_soon = "device_code comes sooner than the interval allows";
        assert_eq!(run.token(poll, slow_down), too_soon);
        run.now += 8;
        assert_eq!(run.token(poll, slow_down), too_soon, "five seconds more");
        run.now += 15;
        assert_eq!(
            run.token("client_id=other&device_code=d1", pending),
            "device_code was issued to another client"
        );
        run.now += 15;
        assert_eq!(run.token(poll, TOKENS), "");
        run.now += 20;
        assert_eq!(
            run.token(poll, DENIED),
            "device_code is one that was redeemed before"
        );
        run.now += 200;
        assert_eq!(
            run.token(poll, DENIED),
            "device_code is one that was redeemed before; device_code is out of its time"
        );
    }

    #[test]
    fn what_was_pushed_is_asked_for_once_by_its_client() {
        let mut run = Run::new();
        let pushed = r#"{"request_uri":"urn:1","expires_in":60}"#;
        run.ask(
            Step::PushedAuthorizationRequest,
            ("par", ASK),
            (201, pushed),
        );
        let by_other = run.ask(
            Step::AuthorizationRequest,
            ("authorize", "client_id=d&request_uri=urn:1"),
            (400, ""),
        );
        assert_eq!(by_other, "request_uri was issued to another client");
        assert_eq!(run.authorize("client_id=c&request_uri=urn:1", "k1"), "");
        let asked = run.grants.asked_for(Some("k1")).expect("of the code");
        assert_eq!(asked.get(name::REDIRECT_URI), Some(CALLBACK));
        assert_eq!(
            run.authorize("client_id=c&request_uri=urn:1", "k2"),
            "request_uri is one that was redeemed before"
        );
        let unknown = run.authorize("client_id=c&request_uri=urn:2", "k3");
        assert_eq!(unknown, "request_uri is not one that was issued here");
    }
}

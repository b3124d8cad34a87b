//! The judgement of the tokens that a request brings, and of what proves that they are its own.

use crate::oauth::name;
use crate::replay::grants::call::Signed;
use crate::replay::grants::defect::{Thing, Wrong};
use crate::replay::grants::grant::{Grant, Kind};
use crate::replay::grants::judgement::Judgement;
use crate::replay::grants::proof;

impl Judgement<'_> {
    pub(super) fn subject_token(&mut self) {
        for name in [name::SUBJECT_TOKEN, name::ACTOR_TOKEN] {
            let token = self.call.get(name).map(|token| self.token_wrong(token));
            if let Some(Some(wrong)) = token {
                self.defects.add(Thing::SubjectToken, wrong);
            }
        }
    }

    /// The token that introspection and revocation speak of.
    pub(super) fn asked_token(&mut self) {
        let token = self
            .call
            .get(name::TOKEN)
            .map(|token| self.token_wrong(token));
        if let Some(Some(wrong)) = token {
            self.defects.add(Thing::Token, wrong);
        }
    }

    pub(super) fn hint(&mut self) {
        if let Some(hint) = self.call.get(name::ID_TOKEN_HINT)
            && self.grants.find(Kind::IdToken, hint).is_none()
        {
            self.defects.add(Thing::IdTokenHint, Wrong::Unknown);
        }
    }

    /// What is wrong with a token of any kind.
    fn token_wrong(&self, token: &str) -> Option<Wrong> {
        let kinds = [Kind::AccessToken, Kind::RefreshToken, Kind::IdToken];
        let Some(grant) = kinds.iter().find_map(|kind| self.grants.find(*kind, token)) else {
            return Some(Wrong::Unknown);
        };
        let is_late = !self.grants.terms.is_tape && grant.has_lapsed(self.now);
        grant
            .state
            .wrong()
            .or_else(|| is_late.then_some(Wrong::Lapsed))
    }

    /// The access token of a call to an API.
    pub(super) fn access_token(&mut self) {
        let Some(token) = self.call.access_token() else {
            self.defects.add(Thing::AccessToken, Wrong::Missing);
            return;
        };
        let grant = [Kind::AccessToken, Kind::IdToken]
            .iter()
            .find_map(|kind| self.grants.find(*kind, token));
        let Some(grant) = grant else {
            self.defects.add(Thing::AccessToken, Wrong::Unknown);
            self.proof(None);
            return;
        };
        if let Some(wrong) = grant.state.wrong() {
            self.defects.add(Thing::AccessToken, wrong);
        }
        if grant.has_lapsed(self.now) {
            self.lapsed(Thing::AccessToken);
        }
        self.proof(Some(grant));
    }

    /// The proof of possession; `grant` is the access token that it goes with.
    pub(super) fn proof(&mut self, grant: Option<&Grant>) {
        let bound = grant.and_then(|grant| grant.key.as_ref());
        let is_bearer = self
            .call
            .token
            .as_ref()
            .is_some_and(|(scheme, _)| scheme == "bearer");
        if is_bearer && grant.is_some_and(|grant| grant.is_bound) {
            self.defects.add(Thing::Proof, Wrong::Unbound);
            return;
        }
        let Some(sent) = &self.call.proof else {
            self.defects.add(Thing::Proof, Wrong::Missing);
            return;
        };
        if let Some(wrong) = proof::proof(self.call, sent, self.seconds()) {
            self.defects.add(Thing::Proof, wrong);
        } else if self.is_used(sent) {
            self.defects.add(Thing::Proof, Wrong::Spent);
        }
        let key = proof::thumbprint(sent);
        if bound.is_some() && key.is_some() && bound != key.as_ref() {
            self.defects.add(Thing::Proof, Wrong::Key);
        }
        let nonce = proof::nonce(sent).map(|nonce| (self.call.origin(), nonce.to_owned()));
        if !nonce.is_some_and(|nonce| self.grants.nonces.contains(&nonce)) {
            self.defects.add(Thing::Proof, Wrong::Nonce);
        }
    }

    pub(super) fn is_used(&self, signed: &Signed) -> bool {
        let identifier = proof::identifier(signed);
        identifier.is_some_and(|identifier| self.grants.identifiers.has(&identifier))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::oauth::Step;
    use crate::oauth::fields::Reading;
    use crate::oauth::flows::tests::said;
    use crate::replay::grants::call::Call;
    use crate::replay::grants::defect::Defect;
    use crate::replay::grants::judgement::tests::{Run, TOKENS};

    #[test]
    fn an_access_token_works_for_its_time_until_it_is_revoked() {
        let mut run = Run::new();
        run.token("client_id=c&grant_type=client_credentials", TOKENS);
        assert_eq!(run.call("at-1"), "");
        assert_eq!(
            run.call("at-9"),
            "the access token is not one that was issued here"
        );
        run.now += 61;
        assert_eq!(run.call("at-1"), "the access token is out of its time");
        run.now -= 61;
        let ask = |run: &mut Run, path, step| {
            run.ask(step, (path, "client_id=c&token=at-1"), (200, "{}"))
        };
        assert_eq!(ask(&mut run, "introspect", Step::Introspection), "");
        assert_eq!(ask(&mut run, "revoke", Step::Revocation), "");
        assert_eq!(run.call("at-1"), "the access token is revoked");
        assert_eq!(
            ask(&mut run, "introspect", Step::Introspection),
            "token is revoked"
        );
        let asked = said("GET", "https://as.example/me", &[], "");
        let reading = Reading::of(&asked, None);
        let call = Call::live(Step::Userinfo, &asked, &reading.fields);
        let defects = run.grants.judge(&call, Duration::from_secs(run.now));
        assert!(defects.certain.iter().any(Defect::is_absence));
    }
}

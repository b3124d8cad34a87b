//! A JWT that is changed: its header, its claims, and whether its signature is good.

use serde_json::{Map, Value};

use crate::mutate::bench::{Bench, Trouble, text};
use crate::oauth::name;
use crate::oauth::tokens::{Signature, Token};
use crate::redact::{Declaration, Interaction, Named};

/// What can be changed of a JWT that an answer brought.
pub(super) struct Signed {
    token: Token,
    at: usize,
    /// The label, as `secrets:` names it.
    key: String,
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl Signed {
    /// The first that stands there in an answer, or else there is none of what is said.
    pub(super) fn of(bench: &Bench, token: Token, what: &'static str) -> Result<Self, Trouble> {
        let of = |(at, interaction): (usize, &Interaction)| {
            let mut secrets = interaction.secrets().iter();
            secrets.find_map(|secret| Self::declared(token, at, secret))
        };
        let mut found = bench.interactions().iter().enumerate().filter_map(of);
        found.next().ok_or(Trouble::Missing(what))
    }

    fn declared(token: Token, at: usize, secret: &Named<Declaration>) -> Option<Self> {
        let (kind, _) = secret.name.rsplit_once('-')?;
        let parse = |part: &Option<String>| serde_json::from_str(part.as_deref()?).ok();
        Some(Self {
            token,
            at,
            key: (kind == token.as_str()).then(|| secret.name.clone())?,
            header: parse(&secret.value.jwt_header)?,
            claims: parse(&secret.value.jwt_claims)?,
        })
    }

    /// Sets a claim.
    pub(super) fn with(mut self, claim: &str, value: Value) -> Self {
        self.claims.insert(claim.to_owned(), value);
        self
    }

    /// Has it issued two hours ago, for one.
    pub(super) fn expired(self) -> Self {
        let issued = self.with(name::IAT, "-7200".into());
        issued.with(name::EXP, "-3600".into())
    }

    /// Declares the token as it stands by now.
    pub(super) fn put(
        self,
        bench: &mut Bench,
        more: Option<Named<Declaration>>,
    ) -> Result<usize, Trouble> {
        bench.change(self.at, |draft| {
            let mut secrets = draft.secrets().iter_mut();
            if let Some(declared) = secrets.find(|secret| secret.name == self.key) {
                declared.value.jwt_header = Some(text(&self.header));
                declared.value.jwt_claims = Some(text(&self.claims));
            }
            draft.secrets().extend(more);
        })
    }

    /// Has another key sign it.
    pub(super) fn forge(self, bench: &mut Bench) -> Result<usize, Trouble> {
        bench.change(self.at, |draft| {
            *draft.facts().signature_mut(self.token) = Some(Signature::Bad);
        })
    }
}

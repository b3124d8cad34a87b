//! Mutants: negative tests made of one good cassette, each of which says what a client has to do.
//!
//! A [`Kind`] changes what a server answered and what is declared of its tokens, on a `bench`, and
//! nothing that the client asked; a replay plays the result as any other cassette. The kinds stand
//! by what they change: the `endpoint`, the `token` response, the `authorization` response or the
//! JWT that it is (`jarm`), the `id_token`, or the `other` answers.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod authorization;
mod bench;
mod endpoint;
mod id_token;
mod jarm;
mod kind;
mod other;
mod signed;
mod token;

pub use kind::{Kind, Must};

use crate::cassette::{self, Cassette, Header, Mutant};
use crate::mutate::bench::{Bench, Trouble};
use crate::oauth::Step;
use crate::redact::{AuditHit, Interaction, Undisclosed};

/// Why no mutant of a kind can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cassette is none, or is not redacted.
    #[error(transparent)]
    Cassette(#[from] cassette::Error),
    /// It is a mutant itself.
    #[error("it is a mutant already (`{kind}`); make mutants of the good cassette")]
    Mutant {
        /// Of this kind.
        kind: String,
    },
    /// No client got a token on it.
    #[error(
        "no token request on it succeeds; make mutants of the cassette of a client that gets its tokens"
    )]
    Failing,
    /// The cassette lacks what would be changed.
    #[error("`{kind}` does not fit: there is no {missing} on this cassette")]
    Unfit {
        /// The kind.
        kind: &'static str,
        /// What would be changed.
        missing: &'static str,
    },
    /// The change would bring in what a recorder would have replaced.
    #[error(transparent)]
    Undisclosed(#[from] Undisclosed),
    /// The audit finds more in the mutant than in the cassette that it is made of.
    #[error(
        "line {line}: `{kind}` would write what looks like a {found}; nothing was written, please report this"
    )]
    Audit {
        /// The kind.
        kind: &'static str,
        /// Counted from 1.
        line: usize,
        /// What it looks like.
        found: String,
    },
}

/// Every kind, those that belong together beside each other.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    let families = [
        endpoint::KINDS,
        token::KINDS,
        authorization::KINDS,
        jarm::KINDS,
        id_token::KINDS,
        other::KINDS,
    ];
    families.into_iter().flatten()
}

/// The kind of this name.
pub fn kind(id: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.id == id)
}

/// A cassette that mutants are made of.
pub struct Good {
    cassette: Cassette,
    /// What the audit finds in it already.
    hits: Vec<AuditHit>,
}

impl Good {
    /// Reads a cassette that a client was recorded with who did right.
    ///
    /// # Errors
    ///
    /// Where the text is no cassette, is not redacted, is a mutant itself, or has token requests of
    /// which none succeeds.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut cassette = cassette::load(bytes)?;
        let text = &*String::from_utf8_lossy(bytes);
        cassette.refuse_raw()?;
        if let Some(Mutant { kind, .. }) = cassette.header.mutant {
            return Err(Error::Mutant { kind });
        }
        let asks = |one: &Interaction| one.step() == Step::TokenRequest;
        if cassette.interactions.iter().any(asks) && Bench::of(&cassette).grant().is_err() {
            return Err(Error::Failing);
        }
        // What was edited has no findings of an audit that could be handed on.
        let stamp = cassette.header.audit.take();
        cassette.header.audit = stamp.filter(|stamp| stamp.is_of(text));
        Ok(Self {
            hits: cassette::audit(text).hits,
            cassette,
        })
    }

    /// The text of a mutant.
    ///
    /// # Errors
    ///
    /// Where the kind does not fit the cassette, or the result does not pass the audit.
    pub fn mutant(&self, kind: &'static Kind) -> Result<String, Error> {
        let mut bench = Bench::of(&self.cassette);
        let at = (kind.make)(&mut bench).map_err(|trouble| match trouble {
            Trouble::Missing(missing) => Error::Unfit {
                kind: kind.id,
                missing,
            },
            Trouble::Undisclosed(undisclosed) => undisclosed.into(),
        })?;
        let (interactions, redacted) = bench.finish();
        let mutant = Mutant {
            kind: kind.id.to_owned(),
            changed: format!("{}, in interaction {}", kind.what, at + 1),
            client: kind.told(),
            see: kind.see.to_owned(),
        };
        let header = Header {
            mutant: Some(mutant),
            audit: None,
            redacted,
            ..self.cassette.header.clone()
        };
        let stamp = self.cassette.header.audit.clone();
        let mut cassette = Cassette {
            header,
            interactions,
        };
        let text = cassette::write(&cassette);
        cassette.header.audit = stamp.map(|stamp| stamp.renewed(&text));
        let text = cassette::write(&cassette);
        // The reader, too, has its say on what can be played.
        cassette::load(text.as_bytes())?.check_playable(&text)?;
        match added(&self.hits, cassette::audit(&text).hits) {
            Some(hit) => Err(Error::Audit {
                kind: kind.id,
                line: hit.line,
                found: hit.kind,
            }),
            None => Ok(text),
        }
    }
}

/// The first finding of which there are more of its kind than before.
fn added(before: &[AuditHit], after: Vec<AuditHit>) -> Option<AuditHit> {
    let mut before: Vec<_> = before.iter().map(|hit| &hit.kind).collect();
    after.into_iter().find(|hit| {
        let known = before.iter().position(|kind| **kind == hit.kind);
        known.map(|known| before.swap_remove(known)).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_added_where_there_are_more_of_its_kind() {
        let hits = |kinds: &str| {
            let kinds = (1..).zip(kinds.split_whitespace());
            let hit = |(line, kind): (usize, &str)| AuditHit {
                line,
                column: 1,
                kind: kind.to_owned(),
            };
            kinds.map(hit).collect::<Vec<_>>()
        };
        for (before, after, expected) in [
            ("", "", None),
            ("code state", "state code", None),
            ("code state", "state", None),
            ("code", "code code", Some(2)),
            ("code state", "code code", Some(2)),
            ("code state", "sub code", Some(1)),
        ] {
            let line = added(&hits(before), hits(after)).map(|hit| hit.line);
            assert_eq!(line, expected, "{before} -> {after}");
        }
    }
}

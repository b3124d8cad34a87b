//! What was wrong with each request of a cassette, when it was recorded.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::Params;
use crate::oauth::name;
use crate::redact::Interaction;
use crate::replay::grants::Grants;
use crate::replay::grants::call::{Call, Declared, Reply};
use crate::replay::grants::defect::{Defects, Thing, Wrong};
use crate::replay::judged::Judged;

/// The judgement over the requests of one cassette, by their order.
#[derive(Default)]
pub(crate) struct Tape {
    defects: Vec<Defects>,
    /// What the authorization request of each asked for.
    asked: HashMap<usize, Params>,
}

impl Tape {
    /// Runs the machine over the interactions of a cassette.
    pub(crate) fn of<'a>(
        interactions: impl Iterator<Item = Cow<'a, Interaction>>,
        declared: &Declared<'_>,
    ) -> Self {
        let mut grants = Grants::of_tape();
        let mut tape = Self::default();
        for (at, interaction) in interactions.enumerate() {
            let call = Call::recorded(&interaction, declared);
            let mut judged = Judged::of(call, &grants, interaction.at());
            tape.note_asked(at, &judged, &grants);
            if let Some(reply) = Reply::recorded(&interaction) {
                grants.learn(&judged, &reply, interaction.at());
                // The server's word for what a cassette cannot show.
                if reply.error() == Some("use_dpop_nonce") {
                    judged.defects.add(Thing::Proof, Wrong::Nonce);
                }
            }
            tape.defects.push(judged.defects);
        }
        tape
    }

    /// What was wrong with a request.
    pub(crate) fn defects(&self, at: usize) -> &Defects {
        &self.defects[at]
    }

    /// What its authorization request asked for; of an authorization request, what it asks for
    /// itself.
    pub(crate) fn asked(&self, at: usize) -> Option<&Params> {
        self.asked.get(&at)
    }

    fn note_asked(&mut self, at: usize, judged: &Judged, grants: &Grants) {
        let call = &judged.call;
        let asked = if call.asks() {
            Some(&judged.wanted)
        } else {
            let code = call.get(name::CODE);
            grants.asked_for(code).filter(|_| call.is_of_code())
        };
        self.asked.extend(asked.map(|asked| (at, asked.clone())));
    }
}

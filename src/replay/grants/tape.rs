//! What was wrong with each request of a cassette, when it was recorded.

use std::collections::HashMap;

use crate::model::Params;
use crate::oauth::{Step, name};
use crate::redact::Interaction;
use crate::replay::grants::Grants;
use crate::replay::grants::call::{Call, Declared, Reply};
use crate::replay::grants::defect::{Defects, Thing, Wrong};

/// The judgement over the requests of one cassette, by their order.
#[derive(Default)]
pub(crate) struct Tape {
    defects: Vec<Defects>,
    /// What the authorization request of each asked for.
    asked: HashMap<usize, Params>,
}

impl Tape {
    /// Runs the machine over the interactions of a cassette.
    pub(crate) fn of<'a>(interactions: impl Iterator<Item = &'a Interaction> + Clone) -> Self {
        let declared = Declared::of(interactions.clone());
        let mut grants = Grants::of_tape();
        let mut tape = Self::default();
        for (at, interaction) in interactions.enumerate() {
            let call = Call::recorded(interaction, &declared);
            let mut defects = grants.judge(&call, interaction.at());
            tape.note_asked(at, &call, &grants);
            if let Some(reply) = Reply::recorded(interaction) {
                grants.learn(&call, &defects, &reply, interaction.at());
                // The server's word for what a cassette cannot show.
                if reply.error() == Some("use_dpop_nonce") {
                    defects.add(Thing::Proof, Wrong::Nonce);
                }
            }
            tape.defects.push(defects);
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

    fn note_asked(&mut self, at: usize, call: &Call, grants: &Grants) {
        let asked = match call.step {
            Step::AuthorizationRequest | Step::PushedAuthorizationRequest => {
                Some(grants.asks(call))
            }
            Step::TokenRequest => grants.asked_for(call.get(name::CODE)).cloned(),
            _ => None,
        };
        self.asked.extend(asked.map(|asked| (at, asked)));
    }
}

//! The repertoire: the cassettes of a replay, read once, indexed, and shared by its sessions.

use std::ops::Range;
use std::sync::OnceLock;

use crate::cassette::Cassette;
use crate::model::{FailureKind, Params};
use crate::oauth::{Step, name};
use crate::redact::{Content, Declaration, Interaction, Label, RecordedResponse};
use crate::replay::clock::{Times, begun};
use crate::replay::endpoints::{Endpoint, Endpoints};
use crate::replay::grants::{Defects, Tape};
use crate::replay::jwks::Ring;
use crate::replay::player::PlayOptions;
use crate::replay::posture::Posture;
use crate::replay::redeeming::is_of_parameters;
use crate::replay::relations::{Relations, sent};
use crate::replay::values::{is_of_flow, label_of_key};

/// What may be played, and how. It does not change: each session has its own [`crate::replay::Player`].
pub struct Repertoire {
    pub(super) options: PlayOptions,
    tracks: Vec<Track>,
    reels: Vec<Reel>,
    endpoints: Endpoints,
    /// Calls that no server was asked.
    refused: Endpoints,
    /// The first of each step of the protocol.
    firsts: Vec<(Step, usize)>,
    /// Steps that are played once, and those of them that a whole play has.
    once: Vec<usize>,
    required: Vec<usize>,
    /// Those that are no step of the protocol.
    others: Vec<usize>,
    is_empty: bool,
}

/// One interaction, and where it is from.
struct Track {
    cassette: usize,
    interaction: Interaction,
    posture: OnceLock<Posture>,
}

/// One cassette.
struct Reel {
    name: String,
    tracks: Range<usize>,
    relations: Relations,
    /// When it began, in Unix seconds.
    begun: Option<i64>,
    keys: Ring,
    tape: OnceLock<Tape>,
}

impl Repertoire {
    /// Indexes cassettes, each with its name, which is told where there are several.
    pub fn new(cassettes: Vec<(String, Cassette)>, options: &PlayOptions) -> Self {
        let mut repertoire = Self {
            options: options.clone(),
            tracks: Vec::new(),
            reels: Vec::new(),
            endpoints: Endpoints::default(),
            refused: Endpoints::default(),
            firsts: Vec::new(),
            once: Vec::new(),
            required: Vec::new(),
            others: Vec::new(),
            is_empty: true,
        };
        for (name, content) in cassettes {
            let begun = begun(&content.header);
            repertoire.thread(name, begun, content.interactions);
        }
        repertoire
    }

    fn thread(&mut self, name: String, begun: Option<i64>, interactions: Vec<Interaction>) {
        let (cassette, first) = (self.reels.len(), self.tracks.len());
        self.reels.push(Reel {
            name,
            tracks: first..first + interactions.len(),
            relations: Relations::of(first, &interactions),
            begun,
            keys: Ring::of(interactions.iter()),
            tape: OnceLock::new(),
        });
        for (at, interaction) in (first..).zip(interactions) {
            let step = interaction.step();
            if is_our_refusal(&interaction) {
                self.refused.add(cassette, at, &interaction);
            } else {
                self.is_empty = false;
                self.endpoints.add(cassette, at, &interaction);
                if !step.is_oauth() {
                    self.others.push(at);
                }
                if !step.is_repeatable() {
                    self.once.push(at);
                }
                if is_required(step) && !self.options.allow.unused {
                    self.required.push(at);
                }
            }
            if step.is_oauth() && !self.firsts.iter().any(|(known, _)| *known == step) {
                self.firsts.push((step, at));
            }
            self.tracks.push(Track {
                cassette,
                interaction,
                posture: OnceLock::new(),
            });
        }
    }

    /// The interaction at this place.
    pub(super) fn interaction(&self, at: usize) -> &Interaction {
        &self.tracks[at].interaction
    }

    /// What the server answered there, where it did.
    pub(super) fn response(&self, at: usize) -> Option<&RecordedResponse> {
        self.interaction(at).response()
    }

    /// The step that it is.
    pub(super) fn step(&self, at: usize) -> Step {
        self.interaction(at).step()
    }

    /// The cassette that it is on.
    pub(super) fn cassette(&self, at: usize) -> usize {
        self.tracks[at].cassette
    }

    /// The places of the interactions of a cassette.
    pub(super) fn tracks_of(&self, cassette: usize) -> Range<usize> {
        self.reels[cassette].tracks.clone()
    }

    /// What belongs together in a cassette.
    pub(super) fn relations(&self, cassette: usize) -> &Relations {
        &self.reels[cassette].relations
    }

    /// What a request of parameters showed of its client.
    pub(super) fn posture(&self, at: usize) -> &Posture {
        let track = &self.tracks[at];
        let posture = || Posture::recorded(&track.interaction, self.asked(at));
        track.posture.get_or_init(posture)
    }

    /// What was wrong with a request, as far as its cassette shows.
    pub(super) fn defects(&self, at: usize) -> &Defects {
        let (tape, at) = self.tape(at);
        tape.defects(at)
    }

    /// What the authorization request that a request belongs to, or is, asked for.
    pub(super) fn asked(&self, at: usize) -> Option<&Params> {
        let (tape, at) = self.tape(at);
        tape.asked(at)
    }

    fn tape(&self, at: usize) -> (&Tape, usize) {
        let reel = &self.reels[self.cassette(at)];
        let tracks = || self.tracks[reel.tracks.clone()].iter();
        let tape = || Tape::of(tracks().map(|track| &track.interaction));
        (reel.tape.get_or_init(tape), at - reel.tracks.start)
    }

    /// The keys of the sets of a cassette.
    pub(super) fn keys(&self, cassette: usize) -> &Ring {
        &self.reels[cassette].keys
    }

    /// The times of an answer that is sent at `now`.
    pub(super) fn times(&self, at: usize, now: i64) -> Times {
        let begun = self.reels[self.cassette(at)].begun;
        Times::of(self.options.time, now, begun, self.interaction(at))
    }

    /// What is declared of a label, and the interaction that brought it.
    pub(super) fn declaration(
        &self,
        cassette: usize,
        label: &Label,
    ) -> Option<(&Interaction, &Declaration)> {
        let key = label.key();
        let at = self.relations(cassette).declares(&key)?;
        let interaction = self.interaction(at);
        let mut secrets = interaction.secrets().iter();
        let declared = secrets.find(|secret| secret.name == key)?;
        Some((interaction, &declared.value))
    }

    /// What was asked at a URL without its query; a label in a recorded one stands for whatever
    /// `accepts` says.
    pub(super) fn at(&self, url: &str, accepts: impl Fn(usize, &str) -> bool) -> Vec<&Endpoint> {
        self.endpoints.at(url, accepts)
    }

    /// Whether authtape itself refused a call to that URL.
    pub(super) fn was_refused(&self, url: &str, accepts: impl Fn(usize, &str) -> bool) -> bool {
        !self.refused.at(url, accepts).is_empty()
    }

    /// The first interaction of a step of the protocol.
    pub(super) fn first_of(&self, step: Step) -> Option<usize> {
        let mut firsts = self.firsts.iter();
        firsts.find(|(known, _)| *known == step).map(|(_, at)| *at)
    }

    /// The steps that a whole play has, in order.
    pub(super) fn required(&self) -> &[usize] {
        &self.required
    }

    /// The interactions that are no step of the protocol.
    pub(super) fn others(&self) -> &[usize] {
        &self.others
    }

    /// The interactions that are waited for, in order.
    pub(super) fn playable(&self) -> impl Iterator<Item = usize> {
        self.once.iter().copied()
    }

    /// Whether there is nothing to play.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether the server said yes: some say no with status 200, and a browser may be sent on.
    pub(super) fn is_success(&self, at: usize) -> bool {
        let is_of_parameters = is_of_parameters(self.step(at));
        self.response(at).is_some_and(|response| {
            if is_of_parameters {
                response.status() < 300 && !says_error(response)
            } else {
                response.status() < 400
            }
        })
    }

    /// Whether the protocol lets the answer be had again by the same request: a grant is redeemed
    /// once, unless what was sent for it is the client's to keep.
    pub(super) fn may_repeat(&self, at: usize) -> bool {
        let is_spent = self.step(at) == Step::TokenRequest && self.is_success(at);
        if !is_spent || self.options.allow.repeats {
            return true;
        }
        let kept = [
            Some(name::grant::CLIENT_CREDENTIALS),
            Some(name::grant::PASSWORD),
        ];
        match self.posture(at).grant_type.as_deref() {
            // RFC 6749 section 6: without a new one, the refresh token stays.
            Some(name::grant::REFRESH_TOKEN) => !self
                .brought(at)
                .iter()
                .any(|label| label.kind == name::REFRESH_TOKEN),
            grant => kept.contains(&grant),
        }
    }

    /// The labels of a flow that the answer brought.
    pub(super) fn brought(&self, at: usize) -> Vec<Label> {
        let interaction = self.interaction(at);
        let sent = sent(interaction);
        let declared = interaction.secrets().iter();
        declared
            .filter_map(|secret| label_of_key(&secret.name))
            .filter(|label| is_of_flow(&label.kind) && !sent.contains(label))
            .collect()
    }

    /// The interactions that go on with what this one brought, and so on.
    pub(super) fn followers(&self, at: usize) -> Vec<usize> {
        let relations = self.relations(self.cassette(at));
        let mut found: Vec<usize> = relations.answering(at).into_iter().collect();
        let mut brought = self.brought(at);
        brought.extend(found.iter().flat_map(|page| self.brought(*page)));
        while let Some(label) = brought.pop() {
            for follower in relations.senders(&label) {
                if *follower != at && !found.contains(follower) {
                    found.push(*follower);
                    brought.extend(self.brought(*follower));
                }
            }
        }
        found
    }

    /// The interaction whose response ends an authorization request: its own, or that of a page.
    pub(super) fn answering(&self, at: usize) -> usize {
        let relations = self.relations(self.cassette(at));
        relations.answering(at).unwrap_or(at)
    }

    /// The interaction as a person names it; with its cassette, where there are several.
    pub(super) fn title(&self, at: usize) -> String {
        let (interaction, reel) = (self.interaction(at), &self.reels[self.cassette(at)]);
        let request = interaction.request();
        let title = format!(
            "{} {} ({} {})",
            interaction.id(),
            interaction.step().title(),
            request.method(),
            request.url()
        );
        if self.reels.len() > 1 && !reel.name.is_empty() {
            format!("{}: {title}", reel.name)
        } else {
            title
        }
    }
}

/// Whether an answer is an error, whatever its status says.
pub(super) fn says_error(response: &RecordedResponse) -> bool {
    let may = match response.content() {
        Content::Json { text, .. } => text.contains(name::ERROR),
        Content::Form { .. } => true,
        _ => false,
    };
    may && response.body_params().has(name::ERROR)
}

/// Whether no server was asked.
fn is_our_refusal(interaction: &Interaction) -> bool {
    let error = interaction.error();
    error.is_some_and(|error| error.kind() == FailureKind::ConnectForbidden)
}

fn is_required(step: Step) -> bool {
    step.is_oauth()
        && !step.is_repeatable()
        && step != Step::LoginPage
        && step != Step::AuthorizationResponse
}

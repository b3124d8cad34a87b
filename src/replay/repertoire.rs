//! The repertoire: the cassettes of a replay, read once, indexed, and shared by its sessions.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::cassette::load_entry;
use crate::model::Params;
use crate::oauth::{Step, name};
use crate::redact::{Declaration, Interaction, Label, Piece, RecordedResponse};
use crate::replay::clock::Times;
use crate::replay::endpoints::{Endpoint, Endpoints};
use crate::replay::grants::{Defects, Tape};
use crate::replay::jwks::Ring;
use crate::replay::player::PlayOptions;
use crate::replay::posture::Posture;
use crate::replay::relations::{Relations, answered, sent};
use crate::replay::template::Template;
use crate::replay::values::Parameter;

/// What may be played, and how. It does not change: each session has its own [`crate::replay::Player`].
pub struct Repertoire {
    pub(super) options: PlayOptions,
    pub(super) tracks: Vec<Track>,
    pub(super) reels: Vec<Reel>,
    pub(super) endpoints: Endpoints,
    /// Calls that no server was asked.
    pub(super) refused: Endpoints,
    /// The first of each step of the protocol.
    pub(super) firsts: Vec<(Step, usize)>,
    /// Steps that are played once, and those of them that a whole play has.
    pub(super) once: Vec<usize>,
    pub(super) required: Vec<usize>,
    /// Those that are no step of the protocol.
    pub(super) others: Vec<usize>,
    pub(super) is_empty: bool,
}

/// One interaction, and where it is from.
pub(super) struct Track {
    pub(super) cassette: usize,
    pub(super) step: Step,
    pub(super) method: Arc<str>,
    /// Where it stands in the text of its cassette; it is read when it is asked for.
    pub(super) text: Range<usize>,
    pub(super) read: OnceLock<Box<Read>>,
}

/// An interaction, and what was found out about it.
pub(super) struct Read {
    interaction: Interaction,
    parameters: OnceLock<Vec<Parameter>>,
    template: OnceLock<Template>,
    posture: OnceLock<Posture>,
    brought: OnceLock<Vec<Label>>,
    page_behind: OnceLock<Option<usize>>,
}

impl Read {
    /// Of an interaction about which nothing was asked yet.
    pub(super) fn new(interaction: Interaction) -> Self {
        Self {
            interaction,
            parameters: OnceLock::new(),
            template: OnceLock::new(),
            posture: OnceLock::new(),
            brought: OnceLock::new(),
            page_behind: OnceLock::new(),
        }
    }
}

/// One cassette.
pub(super) struct Reel {
    pub(super) name: String,
    pub(super) tracks: Range<usize>,
    pub(super) relations: Relations,
    /// When it began, in Unix seconds.
    pub(super) begun: Option<i64>,
    /// The answers that are sets of keys, and what they have.
    pub(super) key_sets: Vec<usize>,
    pub(super) keys: OnceLock<Ring>,
    pub(super) tape: OnceLock<Tape>,
    pub(super) text: String,
}

impl Repertoire {
    /// The interaction at this place.
    pub(super) fn interaction(&self, at: usize) -> &Interaction {
        &self.read(at).interaction
    }

    fn read(&self, at: usize) -> &Read {
        let read = &self.tracks[at].read;
        read.get_or_init(|| Box::new(Read::new(again(self.text(at)))))
    }

    /// The interaction for a single look: one that nobody asks for is not kept for that.
    fn glimpse(&self, at: usize) -> Cow<'_, Interaction> {
        match self.tracks[at].read.get() {
            Some(read) => Cow::Borrowed(&read.interaction),
            None => Cow::Owned(again(self.text(at))),
        }
    }

    fn text(&self, at: usize) -> &str {
        let track = &self.tracks[at];
        &self.reels[track.cassette].text[track.text.clone()]
    }

    /// The method of its request.
    pub(super) fn method(&self, at: usize) -> &str {
        &self.tracks[at].method
    }

    /// What the server answered there, where it did.
    pub(super) fn response(&self, at: usize) -> Option<&RecordedResponse> {
        self.interaction(at).response()
    }

    /// The step that it is.
    pub(super) fn step(&self, at: usize) -> Step {
        self.tracks[at].step
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
        let read = self.read(at);
        let posture = || Posture::recorded(&read.interaction, self.asked(at));
        read.posture.get_or_init(posture)
    }

    /// The values of a request.
    pub(super) fn parameters(&self, at: usize) -> &[Parameter] {
        let read = self.read(at);
        read.parameters
            .get_or_init(|| Parameter::of(&read.interaction))
    }

    /// A response as it is filled in.
    pub(super) fn template(&self, at: usize, recorded: &RecordedResponse) -> &Template {
        self.read(at).template.get_or_init(|| {
            let keys = self.keys(self.cassette(at));
            Template::of(recorded, keys, self.times(at, 0))
        })
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
        let cassette = self.cassette(at);
        let reel = &self.reels[cassette];
        let declared = |label: &Label| Some(self.declaration(cassette, label)?.1);
        let tape = || Tape::of(reel.tracks.clone().map(|at| self.glimpse(at)), &declared);
        (reel.tape.get_or_init(tape), at - reel.tracks.start)
    }

    /// The keys of the sets of a cassette.
    pub(super) fn keys(&self, cassette: usize) -> &Ring {
        let reel = &self.reels[cassette];
        let sets = reel.key_sets.iter();
        reel.keys
            .get_or_init(|| Ring::of(sets.map(|at| self.interaction(*at))))
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
        let at = self.relations(cassette).declares(label)?;
        let key = label.key();
        let interaction = self.interaction(at);
        let mut secrets = interaction.secrets().iter();
        let declared = secrets.find(|secret| secret.name == key)?;
        Some((interaction, &declared.value))
    }

    /// What was asked at a URL without its query; a label in a recorded one stands for whatever
    /// `accepts` says.
    pub(super) fn at(
        &self,
        url: &str,
        accepts: impl Fn(usize, &[Piece]) -> bool,
    ) -> Vec<&Endpoint> {
        self.endpoints.at(url, accepts)
    }

    /// Whether authtape itself refused a call to that URL.
    pub(super) fn was_refused(&self, url: &str, accepts: impl Fn(usize, &[Piece]) -> bool) -> bool {
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
        let is_of_parameters = self.step(at).authenticates_client();
        self.response(at).is_some_and(|response| {
            if is_of_parameters {
                response.status() < 300 && !response.says_error()
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
            Some(name::grant::TOKEN_EXCHANGE),
        ];
        match self.posture(at).grant_type.as_deref() {
            // Of each code that this run issued it is known by itself whether it is spent.
            Some(name::grant::AUTHORIZATION_CODE) => true,
            // RFC 6749 section 6: without a new one, the refresh token stays.
            Some(name::grant::REFRESH_TOKEN) => !self
                .brought(at)
                .iter()
                .any(|label| label.kind == name::REFRESH_TOKEN),
            grant => kept.contains(&grant),
        }
    }

    /// The labels of a flow that the answer brought.
    pub(super) fn brought(&self, at: usize) -> &[Label] {
        let read = self.read(at);
        read.brought.get_or_init(|| {
            let sent = sent(&read.interaction);
            let brought = read.interaction.response().map(answered);
            let mut brought = brought.unwrap_or_default();
            brought.retain(|label| !sent.contains(label));
            brought.sort();
            brought.dedup();
            brought
        })
    }

    /// The interactions that go on with what this one brought, and so on.
    pub(super) fn followers(&self, at: usize) -> Vec<usize> {
        let relations = self.relations(self.cassette(at));
        let mut found: Vec<usize> = self.page_behind(at).into_iter().collect();
        let mut brought = self.brought(at).to_vec();
        brought.extend(found.iter().flat_map(|page| self.brought(*page)).cloned());
        while let Some(label) = brought.pop() {
            for follower in relations.senders(&label) {
                if *follower != at && !found.contains(follower) {
                    found.push(*follower);
                    brought.extend_from_slice(self.brought(*follower));
                }
            }
        }
        found
    }

    /// The interaction whose response ends an authorization request: its own, or that of a page.
    pub(super) fn answering(&self, at: usize) -> usize {
        self.page_behind(at).unwrap_or(at)
    }

    fn page_behind(&self, at: usize) -> Option<usize> {
        if self.step(at) != Step::AuthorizationRequest {
            return None;
        }
        *self.read(at).page_behind.get_or_init(|| {
            // A request that failed leads nowhere, whatever a later one of the same state did.
            let asked = self.is_success(at).then(|| self.asked(at))??;
            self.relations(self.cassette(at)).answering(at, asked)
        })
    }

    /// The authorization requests that are skipped with the pages behind this one.
    pub(super) fn on_the_way(&self, at: usize) -> Vec<usize> {
        let Some(end) = self.page_behind(at) else {
            return Vec::new();
        };
        let relations = self.relations(self.cassette(at));
        let later = relations.requests_within(at, end);
        later
            .filter(|later| self.answering(*later) == end)
            .collect()
    }

    /// The number of the interaction in its cassette.
    pub(super) fn id(&self, at: usize) -> u64 {
        self.glimpse(at).id()
    }

    /// The interaction as a person names it; with its cassette, where there are several.
    pub(super) fn title(&self, at: usize) -> String {
        let (interaction, reel) = (self.glimpse(at), &self.reels[self.cassette(at)]);
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

/// Reads an interaction that could be read before.
#[expect(
    clippy::expect_used,
    reason = "the text is the one that the outline was made of"
)]
fn again(text: &str) -> Interaction {
    load_entry(text).expect("an interaction that was read before")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassette::Header;
    use crate::replay::outline::Outline;

    #[test]
    fn what_is_judged_besides_is_not_kept() {
        let entry = |id: usize| {
            format!(
                "- id: {id}\n  step: token_request\n  at: {id}.000\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    form:\n    - grant_type: client_credentials\n  response:\n    status: 200\n    after: 0.100\n# end {id}\n"
            )
        };
        let (mut text, mut entries) = (String::new(), Vec::new());
        for entry in (1..=3).map(entry) {
            let begin = text.len();
            text.push_str(&entry);
            entries.push((begin..text.len(), Outline::of(&again(&entry))));
        }
        let header = Header::begun("2026-11-23T10:02:11Z".to_owned());
        let mut repertoire = Repertoire::new(&PlayOptions::default());
        repertoire.add_text(String::new(), &header, text, entries);
        assert!(repertoire.defects(1).are_none());
        repertoire.posture(1);
        let kept = repertoire.tracks.iter();
        let kept: Vec<_> = kept.map(|track| track.read.get().is_some()).collect();
        assert_eq!(kept, [false, true, false]);
    }
}
